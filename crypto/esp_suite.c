#include "crypto/esp.h"

/* The key lines are those of esp_ipsec_mb.c: its two AES schedules are a direction's each. NULL
 * aligns to 4, so that pad length and next header end a word (RFC 4303 2.4). */
static const struct esp_suite suites[SA_INTEG_COUNT][SA_ENCR_COUNT] =
	{
		[SA_INTEG_HMAC_SHA_1_96] =
			{
				[SA_ENCR_NULL] = {0, 4, 20, 0, {0, 0}, {0, 0}},
				[SA_ENCR_AES_CBC] = {16, 16, 20, 16, {4, 3}, {1, 3}},
				[SA_ENCR_DES_EDE3_CBC] = {8, 8, 20, 24, {1, 6}, {1, 6}},
			},
		[SA_INTEG_HMAC_MD5_96] =
			{
				[SA_ENCR_NULL] = {0, 4, 16, 0, {0, 0}, {0, 0}},
				[SA_ENCR_AES_CBC] = {16, 16, 16, 16, {4, 3}, {1, 3}},
				[SA_ENCR_DES_EDE3_CBC] = {8, 8, 16, 24, {1, 6}, {1, 6}},
			},
};

const struct esp_suite *esp_suite(enum sa_integ integ, enum sa_encr encr)
{
	if ((unsigned)integ >= SA_INTEG_COUNT || (unsigned)encr >= SA_ENCR_COUNT)
		return NULL;
	return &suites[integ][encr];
}
