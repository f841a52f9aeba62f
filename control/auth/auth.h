/*
 * Authentication header fields: WWW-Authenticate, Authorization, Authentication-Info (RFC 2617, RFC
 * 3261 22, RFC 3310, RFC 8760) and the ik, ck and integrity-protected parameters of TS 24.229 7.2A.
 */
#pragma once

#include "control/base/sbuf.h"
#include "control/sip/msg.h"
#include "crypto/aka.h"
#include "crypto/digest.h"

/* Absent means MD5 (RFC 2617 3.2.1). false: one that we do not know. */
bool auth_algorithm_of(struct sv text, enum digest_algorithm *algorithm);
const char *auth_algorithm_name(enum digest_algorithm algorithm);

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
/* The same for H(A1) of digest_ha1(). */
bool auth_response_check_ha1(const struct auth_response *r, struct sv method, struct sv body,
			     const char ha1[DIGEST_HEX]);
/* The network's answer to it, for Authentication-Info. `body` of the 200, for auth-int. */
void auth_response_rspauth(char rspauth[DIGEST_HEX], const struct auth_response *r, struct sv body,
			   const char ha1[DIGEST_HEX]);

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

/* Authentication-Info: the network proves itself, and may hand out the next nonce. */
struct auth_info { /* views, quotes off; empty: absent */
	struct sv rspauth, cnonce, nc, nextnonce, qop;
	enum digest_qop qop_value;
};
int auth_info_parse(struct auth_info *i, struct sv value);	 /* -EBADMSG */
void auth_info_write(struct sbuf *b, const struct auth_info *i); /* of qop_value, not qop */
/*
 * At the UE: is it the network's answer to our answer `a` (as auth_answer_write() had it)? `body`
 * of the 200, for auth-int. qop, cnonce and nc may be absent, as rspauth covers them, but not
 * others than ours. Constant time.
 */
bool auth_info_check(const struct auth_info *i, const struct auth_answer *a, struct sv body);

/* WWW-Authenticate value of a Digest challenge (SM4). */
struct auth_offer {
	struct sv realm, nonce, opaque, domain; /* the last two may be empty: left out */
	enum digest_algorithm algorithm;
	bool qop_auth; /* qop="auth"; else none, for clients of RFC 2069 */
	bool stale;
};
void auth_challenge_write(struct sbuf *b, const struct auth_offer *o);

/* WWW-Authenticate value of an AKA challenge with ik and ck for the P-CSCF (SM4). */
void auth_aka_challenge_write(struct sbuf *b, struct sv realm, const struct aka_vector *av);

/* Removes ik= and ck= from a WWW-Authenticate value, wherever and however they stand (F32), to out.
 * false: does not fit or malformed. */
bool auth_strip_keys(struct sbuf *out, struct sv value);
/* Removes integrity-protected= from an Authorization value (IN-05). */
bool auth_strip_integrity(struct sbuf *out, struct sv value);
