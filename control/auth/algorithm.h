/* Inside auth/: the words of algorithm= and qop=. */
#pragma once

#include "crypto/digest.h"

/* Absent means MD5 (RFC 2617 3.2.1). false: one that we do not know. */
bool auth_algorithm_of(struct sv text, enum digest_algorithm *algorithm);
const char *auth_qop_name(enum digest_qop qop);
