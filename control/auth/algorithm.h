/* Inside auth/: the words of algorithm= and qop=. */
#pragma once

#include "crypto/digest.h"

/* A single value; absent is DIGEST_QOP_NONE. false: one that we do not know. */
bool auth_qop_of(struct sv text, enum digest_qop *qop);
const char *auth_qop_name(enum digest_qop qop);
