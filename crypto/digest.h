/*
 * HTTP Digest as SIP uses it (RFC 2617, RFC 3261 22.4) and AKAv1-MD5 (RFC 3310). The password is
 * octets with a length: RES may hold any octet, NUL too. Values enter the hash as they stand in
 * the header field, without quotes.
 */
#pragma once

#include <stdint.h>

#include "sv.h"

#define DIGEST_HEX 33 /* 32 lower-case hex digits and NUL */

enum digest_algorithm {
	DIGEST_MD5,
	DIGEST_MD5_SESS,
	DIGEST_AKAV1_MD5, /* computes like MD5 */
};

enum digest_qop {
	DIGEST_QOP_NONE, /* RFC 2069 form */
	DIGEST_QOP_AUTH,
	DIGEST_QOP_AUTH_INT,
};

struct digest_input {
	enum digest_algorithm algorithm;
	enum digest_qop qop;
	struct sv username, realm, nonce, uri, method;
	struct sv nc, cnonce; /* with qop, and cnonce for MD5-sess */
	struct sv body; /* auth-int: entity body of the request, or of the response for rspauth */
};

/* MD5(username:realm:password), before any -sess step: what an HSS may store. */
void digest_ha1(char ha1[DIGEST_HEX], const struct digest_input *in, const void *password,
		size_t password_len);
/* request-digest from ha1 of digest_ha1() */
void digest_response(char response[DIGEST_HEX], const struct digest_input *in,
		     const char ha1[DIGEST_HEX]);
/* response-digest for Authentication-Info: the same with an empty method */
void digest_rspauth(char rspauth[DIGEST_HEX], const struct digest_input *in,
		    const char ha1[DIGEST_HEX]);
