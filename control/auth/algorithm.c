#include "control/auth/algorithm.h"

#include "control/auth/auth.h"

static const char *const names[] = {
	[DIGEST_MD5] = "MD5",
	[DIGEST_MD5_SESS] = "MD5-sess",
	[DIGEST_AKAV1_MD5] = "AKAv1-MD5",
	[DIGEST_SHA256] = "SHA-256",
	[DIGEST_SHA256_SESS] = "SHA-256-sess",
};

bool auth_algorithm_of(struct sv text, enum digest_algorithm *algorithm)
{
	*algorithm = DIGEST_MD5;
	if (sv_empty(text))
		return true;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sv_caseeq(text, sv_of(names[i]))) {
			*algorithm = (enum digest_algorithm)i;
			return true;
		}
	return false;
}

const char *auth_algorithm_name(enum digest_algorithm algorithm)
{
	return names[algorithm];
}

bool auth_qop_of(struct sv text, enum digest_qop *qop)
{
	*qop = DIGEST_QOP_NONE;
	if (sv_caseeq(text, SV("auth")))
		*qop = DIGEST_QOP_AUTH;
	else if (sv_caseeq(text, SV("auth-int")))
		*qop = DIGEST_QOP_AUTH_INT;
	else
		return sv_empty(text);
	return true;
}

const char *auth_qop_name(enum digest_qop qop)
{
	return qop == DIGEST_QOP_AUTH_INT ? "auth-int" : "auth";
}
