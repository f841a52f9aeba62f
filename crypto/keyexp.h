/* From IK_IM and CK_IM of AKA to the keys of ESP (TS 33.203 Annex I). */
#pragma once

#include "sa.h"

/*
 * ik and ck: 16 octets each. HMAC-MD5-96: IK. HMAC-SHA-1-96: IK and 32 zero bits. AES-CBC: CK.
 * DES-EDE3-CBC: CK1 || CK2 || CK1, each octet brought to odd parity by its lowest bit. NULL: none.
 * The caller wipes *keys.
 */
void keyexp_esp(struct sa_keys *keys, enum sa_integ integ, enum sa_encr encr, const uint8_t ik[16],
		const uint8_t ck[16]);
