/*
 * Authentication header fields: WWW-Authenticate, Authorization, Authentication-Info (RFC 2617, RFC
 * 3261 22, RFC 3310) and the ik, ck and integrity-protected parameters of TS 24.229 7.2A.
 */
#pragma once

#include "control/base/sbuf.h"
#include "control/sip/msg.h"
#include "crypto/aka.h"
#include "crypto/digest.h"

struct auth_challenge { /* WWW-Authenticate; views into the message, quotes off */
	struct sv realm, nonce, opaque, domain, qop, algorithm_text, stale;
	enum digest_algorithm algorithm;
	bool known_algorithm;
	bool qop_auth, qop_auth_int; /* offered */
	bool has_ik, has_ck;
	uint8_t ik[16], ck[16]; /* wipe after use */
};
int auth_challenge_parse(struct auth_challenge *c, struct sv value); /* -EBADMSG */

struct auth_response { /* Authorization */
	struct sv username, realm, nonce, uri, response, cnonce, opaque, nc, qop, auts;
	struct sv integrity_protected; /* "yes", "no", ...; empty if absent */
	enum digest_algorithm algorithm;
	bool known_algorithm;
	enum digest_qop qop_value;
};
int auth_response_parse(struct auth_response *r, struct sv value); /* -EBADMSG */

/* RAND and AUTN of an AKA nonce (RFC 3310 3.2): false if it is not one. */
bool auth_aka_nonce(struct sv nonce, uint8_t rand[16], uint8_t autn[16]);
/* The nonce for a vector; buf holds 45. */
void auth_aka_nonce_write(char buf[45], const uint8_t rand[16], const uint8_t autn[16]);

/*
 * Does the response fit? password: RES, or nothing for AUTS. `method` of the request, `body` for
 * auth-int. Compares in constant time. Does not look at nonce, nc or username's owner: the caller's
 * business.
 */
bool auth_response_check(const struct auth_response *r, struct sv method, struct sv body,
			 const void *password, size_t password_len);

/* An Authorization field value. empty response/nonce: the first REGISTER (TS 24.229 5.1.1.2). */
struct auth_answer {
	struct sv username, realm, uri;
	const struct auth_challenge *challenge; /* NULL: first REGISTER */
	const void *password;
	size_t password_len;
	struct sv cnonce; /* with qop */
	uint32_t nc;
	struct sv auts;	     /* base64; synchronisation failure */
	bool empty_response; /* MAC failure: response="" (TS 24.229 5.1.1.5.3) */
	struct sv method, body;
};
void auth_answer_write(struct sbuf *b, const struct auth_answer *a);

/* WWW-Authenticate value of an AKA challenge with ik and ck for the P-CSCF (SM4). */
void auth_aka_challenge_write(struct sbuf *b, struct sv realm, const struct aka_vector *av);

/* Removes ik= and ck= from a WWW-Authenticate value, wherever and however they stand (F32), to out.
 * false: does not fit or malformed. */
bool auth_strip_keys(struct sbuf *out, struct sv value);
/* Removes integrity-protected= from an Authorization value (IN-05). */
bool auth_strip_integrity(struct sbuf *out, struct sv value);
