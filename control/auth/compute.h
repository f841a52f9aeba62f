/* Inside auth/: header fields as input of the digest. */
#pragma once

#include "control/auth/auth.h"

#define AUTH_NC 9 /* 8 digits and NUL */

/* `a` must have a challenge; the result looks into it and into nc. */
struct digest_input auth_answer_input(const struct auth_answer *a, char nc[AUTH_NC]);
struct digest_input auth_response_input(const struct auth_response *r, struct sv method,
					struct sv body);

/* Digests in hex of either case, in constant time. */
bool auth_digest_equal(struct sv theirs, const char ours[DIGEST_HEX]);
/* nc-value = 8LHEX, or absent */
bool auth_is_nc(struct sv nc);
