#include "crypto/keyexp.h"

/* DES keeps parity in the lowest bit of each octet; the key proper is the upper seven. */
static uint8_t octet_odd_parity(uint8_t b)
{
	return (uint8_t)((b & 0xfe) | !__builtin_parity(b & 0xfe));
}

static void keyexp_des(uint8_t key[24], const uint8_t ck[16])
{
	for (unsigned i = 0; i < 24; i++)
		key[i] = octet_odd_parity(ck[i % 16]);
}

void keyexp_esp(struct sa_keys *keys, enum sa_integ integ, enum sa_encr encr, const uint8_t ik[16],
		const uint8_t ck[16])
{
	/* One form for both: HMAC-SHA-1-96 takes IK and the 32 zero bits after it, MD5 IK only. */
	(void)integ;
	memset(keys, 0, sizeof(*keys));
	memcpy(keys->integ, ik, 16);
	if (encr == SA_ENCR_AES_CBC)
		memcpy(keys->encr, ck, 16);
	else if (encr == SA_ENCR_DES_EDE3_CBC)
		keyexp_des(keys->encr, ck);
}
