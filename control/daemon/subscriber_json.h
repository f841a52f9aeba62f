/* A subscriber as JSON from outside: all of it is checked. */
#pragma once

#include <jansson.h>

#include "control/hss/hss.h"

/*
 * {"impi": TEXT, "impus": [TEXT, ...], ...} with credentials of AKA, of SIP Digest, or of both:
 *   "k": HEX, "opc": HEX or "op": HEX, "amf": HEX, "sqn": NUMBER; amf (8000) and sqn (0) may be
 * missing "password": TEXT, or "ha1": HEX and "ha1_sha256": HEX or one of them; "realm": TEXT, else
 * `realm`; "variant": "s-cscf" or "hss", else that of the configuration Other names may not be
 * there. NULL and *s filled (wipe it after use), or what was expected.
 */
const char *subscriber_from_json(struct hss_subscriber *s, const json_t *o, const char *realm);
/* A new password for `impi`: what is said of SIP Digest above, without variant. */
const char *digest_from_json(struct hss_subscriber *s, const char *impi, const json_t *o,
			     const char *realm);
