/* Why something failed, for people. */
#include <openssl/err.h>
#include <stdio.h>

#include "control/tls/inside.h"

void tls_why(char *why, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	snprintf(why, TLS_WHY, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
	ERR_clear_error();
}
