#include <errno.h>

#include "control/agree/agree.h"

static const char *const algs[SA_INTEG_COUNT] = {
	[SA_INTEG_HMAC_SHA_1_96] = "hmac-sha-1-96",
	[SA_INTEG_HMAC_MD5_96] = "hmac-md5-96",
};

static const char *const ealgs[SA_ENCR_COUNT] = {
	[SA_ENCR_NULL] = "null",
	[SA_ENCR_AES_CBC] = "aes-cbc",
	[SA_ENCR_DES_EDE3_CBC] = "des-ede3-cbc",
};

static int find(const char *const *names, int n, struct sv name)
{
	for (int i = 0; i < n; i++)
		if (sv_caseeq(name, sv_of(names[i])))
			return i;
	return -ENOENT;
}

const char *agree_alg_name(enum sa_integ integ)
{
	return algs[integ];
}

const char *agree_ealg_name(enum sa_encr encr)
{
	return ealgs[encr];
}

int agree_alg_of(struct sv name)
{
	return find(algs, SA_INTEG_COUNT, name);
}

int agree_ealg_of(struct sv name)
{
	return find(ealgs, SA_ENCR_COUNT, name);
}
