/* A subscriber as JSON from outside: all of it is checked. */
#pragma once

#include <jansson.h>

#include "control/hss/hss.h"

/*
 * {"impi": TEXT, "impus": [TEXT, ...], "k": HEX, "opc": HEX or "op": HEX, "amf": HEX, "sqn":
 * NUMBER}; amf (8000) and sqn (0) may be missing, other names may not be there. NULL and *s filled
 * (wipe it after use), or what was expected.
 */
const char *subscriber_from_json(struct hss_subscriber *s, const json_t *o);
