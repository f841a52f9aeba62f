#include "crypto/digest.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>

#include "crypto/secret.h"

#define MD5_LEN 16

/* MD5 over parts with a colon between each two: unq(a) ":" unq(b) of RFC 2617 3.2.2. */
struct md5 {
	EVP_MD_CTX *ctx;
};

/* Out of memory is all that can fail here, and a wrong digest would be worse than none. */
static void must(int ok)
{
	if (ok != 1)
		abort();
}

static void md5_open(struct md5 *md5)
{
	md5->ctx = EVP_MD_CTX_new();
	must(md5->ctx != NULL);
	must(EVP_DigestInit_ex2(md5->ctx, EVP_md5(), NULL));
}

static void md5_add(struct md5 *md5, const void *p, size_t n)
{
	must(EVP_DigestUpdate(md5->ctx, p, n));
}

static void md5_join(struct md5 *md5, const struct sv *parts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (i > 0)
			md5_add(md5, ":", 1);
		md5_add(md5, parts[i].p, parts[i].n);
	}
}

/* The digest in hex; md5 is then ready for another one. */
static void md5_hex(struct md5 *md5, char hex[DIGEST_HEX])
{
	uint8_t sum[MD5_LEN];

	must(EVP_DigestFinal_ex(md5->ctx, sum, NULL));
	must(EVP_DigestInit_ex2(md5->ctx, NULL, NULL));
	sodium_bin2hex(hex, DIGEST_HEX, sum, sizeof(sum));
	secret_wipe(sum, sizeof(sum));
}

static void md5_close(struct md5 *md5)
{
	EVP_MD_CTX_free(md5->ctx);
}

static struct sv hex_sv(const char hex[DIGEST_HEX])
{
	return (struct sv){hex, DIGEST_HEX - 1};
}

void digest_ha1(char ha1[DIGEST_HEX], const struct digest_input *in, const void *password,
		size_t password_len)
{
	const struct sv parts[] = {in->username, in->realm, {password, password_len}};
	struct md5 md5;

	md5_open(&md5);
	md5_join(&md5, parts, 3);
	md5_hex(&md5, ha1);
	md5_close(&md5);
}

/* HA1 of the session: RFC 2617 3.2.2.2 */
static void session_ha1(struct md5 *md5, char out[DIGEST_HEX], const struct digest_input *in,
			const char ha1[DIGEST_HEX])
{
	const struct sv parts[] = {hex_sv(ha1), in->nonce, in->cnonce};

	if (in->algorithm != DIGEST_MD5_SESS) {
		memcpy(out, ha1, DIGEST_HEX);
		return;
	}
	md5_join(md5, parts, 3);
	md5_hex(md5, out);
}

/* A2 of RFC 2617 3.2.2.3, with an empty method that of 3.2.3 */
static void ha2_make(struct md5 *md5, char ha2[DIGEST_HEX], const struct digest_input *in,
		     struct sv method)
{
	char body[DIGEST_HEX];
	const struct sv parts[] = {method, in->uri, hex_sv(body)};
	bool with_body = in->qop == DIGEST_QOP_AUTH_INT;

	if (with_body) {
		md5_add(md5, in->body.p, in->body.n);
		md5_hex(md5, body);
	}
	md5_join(md5, parts, with_body ? 3 : 2);
	md5_hex(md5, ha2);
}

static void request_digest(char out[DIGEST_HEX], const struct digest_input *in, struct sv method,
			   const char ha1_user[DIGEST_HEX])
{
	char ha1[DIGEST_HEX], ha2[DIGEST_HEX];
	struct sv qop = in->qop == DIGEST_QOP_AUTH_INT ? SV("auth-int") : SV("auth");
	struct md5 md5;

	md5_open(&md5);
	session_ha1(&md5, ha1, in, ha1_user);
	ha2_make(&md5, ha2, in, method);
	if (in->qop == DIGEST_QOP_NONE)
		md5_join(&md5, (const struct sv[]){hex_sv(ha1), in->nonce, hex_sv(ha2)}, 3);
	else
		md5_join(&md5,
			 (const struct sv[]){hex_sv(ha1), in->nonce, in->nc, in->cnonce, qop,
					     hex_sv(ha2)},
			 6);
	md5_hex(&md5, out);
	md5_close(&md5);
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
