/* HTTP Digest and AKAv1-MD5 against digest.json and milenage.json. */
#include <string.h>

#include "crypto/aka.h"
#include "crypto/digest.h"
#include "tests/support/vectors.h"

static const struct {
	const char *name;
	enum digest_algorithm algorithm;
} algorithms[] = {
	{"MD5", DIGEST_MD5},
	{"MD5-sess", DIGEST_MD5_SESS},
	{"AKAv1-MD5", DIGEST_AKAV1_MD5},
	{"SHA-256", DIGEST_SHA256},
	{"SHA-256-sess", DIGEST_SHA256_SESS},
};

static enum digest_qop qop_of(const json_t *v)
{
	const char *qop = vectors_text(v, "qop");

	if (!qop)
		return DIGEST_QOP_NONE;
	return strcmp(qop, "auth-int") == 0 ? DIGEST_QOP_AUTH_INT : DIGEST_QOP_AUTH;
}

static void input_read(struct digest_input *in, const json_t *v)
{
	const char *algorithm = vectors_text(v, "algorithm");

	memset(in, 0, sizeof(*in));
	for (unsigned i = 0; i < N_OF(algorithms); i++)
		if (strcmp(algorithms[i].name, algorithm) == 0)
			in->algorithm = algorithms[i].algorithm;
	in->qop = qop_of(v);
	in->username = vectors_sv(v, "username");
	in->realm = vectors_sv(v, "realm");
	in->nonce = vectors_sv(v, "nonce");
	in->uri = vectors_sv(v, "uri");
	in->method = vectors_sv(v, "method");
	in->nc = vectors_sv(v, "nc");
	in->cnonce = vectors_sv(v, "cnonce");
}

static void hex_check(const json_t *v, const char *name, const char got[DIGEST_HEX])
{
	if (strcmp(vectors_text(v, name), got) != 0)
		fail_msg("%s: %s is %s", vectors_id(v), name, got);
}

static void digest_check(const json_t *v, const void *password, size_t password_len)
{
	char ha1[DIGEST_HEX], response[DIGEST_HEX], rspauth[DIGEST_HEX];
	uint8_t body[4096], rsp_body[4096];
	struct digest_input in;

	input_read(&in, v);
	digest_ha1(ha1, &in, password, password_len);
	if (!digest_is_session(in.algorithm)) /* there the vector has the session's HA1 */
		hex_check(v, "ha1", ha1);
	in.body = (struct sv){(char *)body, vectors_hex(body, sizeof(body), v, "body")};
	digest_response(response, &in, ha1);
	hex_check(v, "response", response);
	in.body = (struct sv){(char *)rsp_body,
			      vectors_hex(rsp_body, sizeof(rsp_body), v, "rsp_body")};
	digest_rspauth(rspauth, &in, ha1);
	hex_check(v, "rspauth", rspauth);
}

static void file_check(const char *name)
{
	json_t *file = vectors_open(name, "ims-digest"), *v;
	size_t i;

	json_array_foreach(vectors_list(file, "cases"), i, v)
	{
		struct sv password = vectors_sv(v, "password");

		digest_check(v, password.p, password.n);
	}
	json_decref(file);
}

/* covers: DN-11 */
static void sip_digest(void **state)
{
	(void)state;
	file_check("digest.json");
}

/* covers: DN-11 */
static void sip_digest_sha256(void **state)
{
	(void)state;
	file_check("digest256.json");
}

/* covers: F28 */
static void akav1_md5(void **state)
{
	json_t *file = vectors_open("milenage.json", "ims-aka"), *v;
	unsigned with_nul = 0;
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "akav1"), i, v)
	{
		uint8_t secret[16];
		size_t n = vectors_hex(secret, sizeof(secret), v, "secret");

		with_nul += memchr(secret, 0, n) != NULL;
		digest_check(v, secret, n);
	}
	assert_true(with_nul > 0);
	json_decref(file);
}

/* RES as the card makes it goes into the digest as it is. */
/* covers: F28 */
static void akav1_md5_with_res_of_the_card(void **state)
{
	json_t *file = vectors_open("milenage.json", "ims-aka"), *v;
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "akav1"), i, v)
	{
		struct milenage_key key;
		uint8_t rand[16], res[8], expected[8];

		vectors_octets(key.k, 16, v, "k");
		vectors_octets(key.opc, 16, v, "opc");
		vectors_octets(rand, 16, v, "rand");
		vectors_octets(expected, 8, v, "res");
		milenage_f2345(&key, rand, res, NULL, NULL, NULL, NULL);
		assert_memory_equal(res, expected, sizeof(res));
		if (vectors_is_null(v, "auts"))
			digest_check(v, res, sizeof(res));
	}
	json_decref(file);
}

/* covers: F28 */
static void octets_after_nul_count(void **state)
{
	static const uint8_t a[8] = {1, 0, 2, 3, 4, 5, 6, 7}, b[8] = {1, 0, 2, 3, 4, 5, 6, 8};
	const struct digest_input in = {.username = SV("u"), .realm = SV("r")};
	char ha1_a[DIGEST_HEX], ha1_b[DIGEST_HEX], ha1_short[DIGEST_HEX];

	(void)state;
	digest_ha1(ha1_a, &in, a, sizeof(a));
	digest_ha1(ha1_b, &in, b, sizeof(b));
	digest_ha1(ha1_short, &in, a, 1);
	assert_string_not_equal(ha1_a, ha1_b);
	assert_string_not_equal(ha1_a, ha1_short);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sip_digest),
		cmocka_unit_test(sip_digest_sha256),
		cmocka_unit_test(akav1_md5),
		cmocka_unit_test(akav1_md5_with_res_of_the_card),
		cmocka_unit_test(octets_after_nul_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
