/* Why something failed: for people, and for counters. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

#include "control/tls/inside.h"

void tls_why(char *why, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	snprintf(why, TLS_WHY, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
	ERR_clear_error();
}

enum tls_failure tls_failure_now(void)
{
	static const struct {
		int reason; /* of OpenSSL */
		enum tls_failure failure;
	} known[] = {
		{SSL_R_WRONG_VERSION_NUMBER, TLS_FAILURE_NOT_TLS}, /* of a record */
		{SSL_R_HTTP_REQUEST, TLS_FAILURE_NOT_TLS},
		{SSL_R_HTTPS_PROXY_REQUEST, TLS_FAILURE_NOT_TLS},
		{SSL_R_PACKET_LENGTH_TOO_LONG, TLS_FAILURE_NOT_TLS},
		{SSL_R_UNSUPPORTED_PROTOCOL, TLS_FAILURE_NO_COMMON},
		{SSL_R_VERSION_TOO_LOW, TLS_FAILURE_NO_COMMON},
		{SSL_R_NO_SHARED_CIPHER, TLS_FAILURE_NO_COMMON},
		{SSL_R_NO_SHARED_GROUPS, TLS_FAILURE_NO_COMMON},
		{SSL_R_NO_SUITABLE_KEY_SHARE, TLS_FAILURE_NO_COMMON},
		{SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, TLS_FAILURE_NO_COMMON},
		{SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, TLS_FAILURE_NO_COMMON},
		{SSL_R_CERTIFICATE_VERIFY_FAILED, TLS_FAILURE_CERTIFICATE},
	};
	unsigned long code = ERR_peek_last_error();
	int reason = ERR_GET_REASON(code);

	if (ERR_GET_LIB(code) != ERR_LIB_SSL)
		return TLS_FAILURE_OTHER;
	if (reason >= SSL_AD_REASON_OFFSET)
		return TLS_FAILURE_ALERT;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].reason == reason)
			return known[i].failure;
	return TLS_FAILURE_OTHER;
}

const char *tls_failure_name(enum tls_failure f)
{
	static const char *const names[TLS_FAILURE_COUNT] = {
		[TLS_FAILURE_UNFINISHED] = "unfinished",   [TLS_FAILURE_NOT_TLS] = "not_tls",
		[TLS_FAILURE_NO_COMMON] = "no_common",	   [TLS_FAILURE_ALERT] = "alert",
		[TLS_FAILURE_CERTIFICATE] = "certificate", [TLS_FAILURE_OTHER] = "other",
	};

	return names[f];
}

uint64_t tls_failed(const struct tls *t)
{
	uint64_t sum = 0;

	for (unsigned f = 0; f < TLS_FAILURE_COUNT; f++)
		sum += t->counters.failed[f];
	return sum;
}
