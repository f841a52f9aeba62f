/*
 * HTTP Digest as SIP uses it (RFC 2617, RFC 3261 22.4, RFC 8760) and AKAv1-MD5 (RFC 3310). The
 * password is octets with a length: RES may hold any octet, NUL too. Values enter the hash as they
 * stand in the header field, without quotes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sv.h"

#define DIGEST_HEX 65 /* 32 (MD5) or 64 (SHA-256) lower-case hex digits and NUL */

enum digest_algorithm {
	DIGEST_MD5,
	DIGEST_MD5_SESS,
	DIGEST_AKAV1_MD5, /* computes like MD5 */
	DIGEST_SHA256,	  /* RFC 8760 */
	DIGEST_SHA256_SESS,
};

/* Hex digits of a response and of H(A1). */
size_t digest_digits(enum digest_algorithm algorithm);
bool digest_is_session(
	enum digest_algorithm algorithm); /* -sess: H(A1) takes nonce and cnonce in */

enum digest_qop {
	DIGEST_QOP_NONE, /* RFC 2069 form */
	DIGEST_QOP_AUTH,
	DIGEST_QOP_AUTH_INT,
};

struct digest_input {
	enum digest_algorithm algorithm;
	enum digest_qop qop;
	struct sv username, realm, nonce, uri, method;
	struct sv nc, cnonce; /* with qop, and cnonce for -sess */
	struct sv body; /* auth-int: entity body of the request, or of the response for rspauth */
};

/* H(username:realm:password), before any -sess step: what an HSS may store. */
void digest_ha1(char ha1[DIGEST_HEX], const struct digest_input *in, const void *password,
		size_t password_len);
/* request-digest from ha1 of digest_ha1() */
void digest_response(char response[DIGEST_HEX], const struct digest_input *in,
		     const char ha1[DIGEST_HEX]);
/* response-digest for Authentication-Info: the same with an empty method */
void digest_rspauth(char rspauth[DIGEST_HEX], const struct digest_input *in,
		    const char ha1[DIGEST_HEX]);
