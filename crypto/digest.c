#include "crypto/digest.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

#include "crypto/secret.h"

#define HASH_MAX 32 /* octets: SHA-256 */

static const struct algorithm {
	size_t digits;
	bool session;
} algorithms[] = {
	[DIGEST_MD5] = {32, false},	   [DIGEST_MD5_SESS] = {32, true},
	[DIGEST_AKAV1_MD5] = {32, false},  [DIGEST_SHA256] = {64, false},
	[DIGEST_SHA256_SESS] = {64, true},
};

size_t digest_digits(enum digest_algorithm algorithm)
{
	return algorithms[algorithm].digits;
}

bool digest_is_session(enum digest_algorithm algorithm)
{
	return algorithms[algorithm].session;
}

/* A hash over parts with a colon between each two: unq(a) ":" unq(b) of RFC 2617 3.2.2. */
struct hash {
	EVP_MD_CTX *ctx;
};

/* Out of memory is all that can fail here, and a wrong digest would be worse than none. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

static void hash_open(struct hash *h, enum digest_algorithm algorithm)
{
	const EVP_MD *md = digest_digits(algorithm) == 64 ? EVP_sha256() : EVP_md5();

	h->ctx = EVP_MD_CTX_new();
	must(h->ctx != NULL);
	must(EVP_DigestInit_ex2(h->ctx, md, NULL));
}

static void hash_add(struct hash *h, const void *p, size_t n)
{
	must(EVP_DigestUpdate(h->ctx, p, n));
}

static void hash_join(struct hash *h, const struct sv *parts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			hash_add(h, ":", 1);
		hash_add(h, parts[i].p, parts[i].n);
	}
}

/* The digest in hex; h is then ready for another one. */
static void hash_hex(struct hash *h, char hex[DIGEST_HEX])
{
	uint8_t sum[HASH_MAX];
	unsigned n = sizeof(sum);

	must(EVP_DigestFinal_ex(h->ctx, sum, &n));
	must(EVP_DigestInit_ex2(h->ctx, NULL, NULL));
	sodium_bin2hex(hex, DIGEST_HEX, sum, n);
	secret_wipe(sum, sizeof(sum));
}

static void hash_close(struct hash *h)
{
	EVP_MD_CTX_free(h->ctx);
}

void digest_ha1(char ha1[DIGEST_HEX], const struct digest_input *in, const void *password,
		size_t password_len)
{
	const struct sv parts[] = {in->username, in->realm, {password, password_len}};
	struct hash h;

	hash_open(&h, in->algorithm);
	hash_join(&h, parts, 3);
	hash_hex(&h, ha1);
	hash_close(&h);
}

/* HA1 of the session: RFC 2617 3.2.2.2 */
static void session_ha1(struct hash *h, char out[DIGEST_HEX], const struct digest_input *in,
			const char ha1[DIGEST_HEX])
{
	const struct sv parts[] = {sv_of(ha1), in->nonce, in->cnonce};

	if (!digest_is_session(in->algorithm)) {
		memcpy(out, ha1, digest_digits(in->algorithm) + 1);
		return;
	}
	hash_join(h, parts, 3);
	hash_hex(h, out);
}

/* A2 of RFC 2617 3.2.2.3, with an empty method that of 3.2.3 */
static void ha2_make(struct hash *h, char ha2[DIGEST_HEX], const struct digest_input *in,
		     struct sv method)
{
	char body[DIGEST_HEX];
	const struct sv parts[] = {method, in->uri, {body, digest_digits(in->algorithm)}};
	bool with_body = in->qop == DIGEST_QOP_AUTH_INT;

	if (with_body) {
		hash_add(h, in->body.p, in->body.n);
		hash_hex(h, body);
	}
	hash_join(h, parts, with_body ? 3 : 2);
	hash_hex(h, ha2);
}

static void request_digest(char out[DIGEST_HEX], const struct digest_input *in, struct sv method,
			   const char ha1_user[DIGEST_HEX])
{
	char ha1[DIGEST_HEX], ha2[DIGEST_HEX];
	struct sv qop = in->qop == DIGEST_QOP_AUTH_INT ? SV("auth-int") : SV("auth");
	struct hash h;

	hash_open(&h, in->algorithm);
	session_ha1(&h, ha1, in, ha1_user);
	ha2_make(&h, ha2, in, method);
	if (in->qop == DIGEST_QOP_NONE)
		hash_join(&h, (const struct sv[]){sv_of(ha1), in->nonce, sv_of(ha2)}, 3);
	else
		hash_join(&h,
			  (const struct sv[]){sv_of(ha1), in->nonce, in->nc, in->cnonce, qop,
					      sv_of(ha2)},
			  6);
	hash_hex(&h, out);
	hash_close(&h);
	secret_wipe(ha1, sizeof(ha1));
}

void digest_response(char response[DIGEST_HEX], const struct digest_input *in,
		     const char ha1[DIGEST_HEX])
{
	request_digest(response, in, in->method, ha1);
}

void digest_rspauth(char rspauth[DIGEST_HEX], const struct digest_input *in,
		    const char ha1[DIGEST_HEX])
{
	request_digest(rspauth, in, (struct sv){NULL, 0}, ha1);
}
