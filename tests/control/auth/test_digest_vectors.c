/* tests/vectors/digest.json, digest256.json: our reading of real Authorization values, and what the
 * check says of them. */
#include <stdlib.h>

#include "control/auth/auth.h"
#include "tests/support/vectors.h"

static enum digest_qop qop_of(const json_t *v)
{
	struct sv qop = vectors_sv(v, "qop");

	if (sv_empty(qop))
		return DIGEST_QOP_NONE;
	return sv_eq(qop, SV("auth")) ? DIGEST_QOP_AUTH : DIGEST_QOP_AUTH_INT;
}

static void check_fields(const struct auth_response *r, const json_t *v)
{
	assert_true(sv_eq(r->username, vectors_sv(v, "username")));
	assert_true(sv_eq(r->realm, vectors_sv(v, "realm")));
	assert_true(sv_eq(r->nonce, vectors_sv(v, "nonce")));
	assert_true(sv_eq(r->uri, vectors_sv(v, "uri")));
	assert_true(sv_eq(r->response, vectors_sv(v, "response")));
	assert_true(sv_eq(r->cnonce, vectors_sv(v, "cnonce")));
	assert_true(sv_eq(r->opaque, vectors_sv(v, "opaque")));
	assert_true(sv_eq(r->nc, vectors_sv(v, "nc")));
	assert_int_equal(r->qop_value, qop_of(v));
	assert_true(r->known_algorithm);
}

/* The right password fits; another, another method, another body (with auth-int) do not. */
static void check_verdicts(const struct auth_response *r, const json_t *v)
{
	struct sv method = vectors_sv(v, "method"), password = vectors_sv(v, "password");
	uint8_t body[4096];
	size_t n = vectors_hex(body, sizeof(body) - 1, v, "body");
	bool integrity = r->qop_value == DIGEST_QOP_AUTH_INT;

	if (!auth_response_check(r, method, (struct sv){(char *)body, n}, password.p, password.n))
		fail_msg("%s", vectors_id(v));
	assert_false(auth_response_check(r, SV("NOTIT"), (struct sv){(char *)body, n}, password.p,
					 password.n));
	assert_false(auth_response_check(r, method, (struct sv){(char *)body, n}, "wrong", 5));
	body[n] = 'x';
	assert_int_equal(auth_response_check(r, method, (struct sv){(char *)body, n + 1},
					     password.p, password.n),
			 !integrity);
}

/* Any digit of the response changed, and it fits no more. */
static void check_digits(const struct auth_response *r, const json_t *v)
{
	struct sv method = vectors_sv(v, "method"), password = vectors_sv(v, "password");
	struct auth_response other = *r;
	uint8_t body[4096];
	size_t n = vectors_hex(body, sizeof(body), v, "body");
	char digits[65];
	size_t n_digits = digest_digits(r->algorithm);

	for (unsigned i = 0; i < n_digits; i++) {
		memcpy(digits, r->response.p, n_digits);
		digits[i] = digits[i] == '0' ? '1' : '0';
		other.response = (struct sv){digits, n_digits};
		assert_false(auth_response_check(&other, method, (struct sv){(char *)body, n},
						 password.p, password.n));
	}
	other.response = (struct sv){r->response.p, n_digits - 1};
	assert_false(auth_response_check(&other, method, (struct sv){(char *)body, n}, password.p,
					 password.n));
	other.response = (struct sv){0};
	assert_false(auth_response_check(&other, method, (struct sv){(char *)body, n}, password.p,
					 password.n));
}

static void responses_check(const char *name)
{
	json_t *file = vectors_open(name, "ims-digest"), *v;
	struct auth_response r;
	size_t i;

	json_array_foreach(vectors_list(file, "cases"), i, v)
	{
		if (auth_response_parse(&r, vectors_sv(v, "authorization")))
			fail_msg("%s: not read", vectors_id(v));
		check_fields(&r, v);
		check_verdicts(&r, v);
		check_digits(&r, v);
	}
	json_decref(file);
}

static void challenges_check(const char *name)
{
	json_t *file = vectors_open(name, "ims-digest"), *v;
	struct auth_challenge c;
	size_t i;

	json_array_foreach(vectors_list(file, "cases"), i, v)
	{
		if (auth_challenge_parse(&c, vectors_sv(v, "www_authenticate")))
			fail_msg("%s: not read", vectors_id(v));
		assert_true(sv_eq(c.realm, vectors_sv(v, "realm")));
		assert_true(sv_eq(c.nonce, vectors_sv(v, "nonce")));
		assert_true(sv_eq(c.opaque, vectors_sv(v, "opaque")));
		assert_true(c.known_algorithm);
		assert_false(c.has_ik || c.has_ck);
		assert_int_equal(c.qop_auth, qop_of(v) != DIGEST_QOP_NONE);
		assert_int_equal(c.qop_auth_int, qop_of(v) == DIGEST_QOP_AUTH_INT);
	}
	json_decref(file);
}

/* Our answer to the challenge of a vector is the vector's, where it is ours to choose (qop: auth
 * before auth-int). */
static void answers_check(const char *name)
{
	json_t *file = vectors_open(name, "ims-digest"), *v;
	struct auth_challenge c;
	struct auth_response r;
	size_t i;

	json_array_foreach(vectors_list(file, "cases"), i, v)
	{
		struct sv password = vectors_sv(v, "password");
		char buf[4096];
		struct sbuf b = sbuf_of(buf, sizeof(buf));
		struct auth_answer a = {
			.username = vectors_sv(v, "username"),
			.uri = vectors_sv(v, "uri"),
			.challenge = &c,
			.password = password.p,
			.password_len = password.n,
			.cnonce = vectors_sv(v, "cnonce"),
			.method = vectors_sv(v, "method"),
		};

		if (qop_of(v) == DIGEST_QOP_AUTH_INT)
			continue;
		if (!vectors_is_null(v, "nc"))
			a.nc = (uint32_t)strtoul(vectors_text(v, "nc"), NULL, 16);
		assert_int_equal(auth_challenge_parse(&c, vectors_sv(v, "www_authenticate")), 0);
		auth_answer_write(&b, &a);
		assert_int_equal(auth_response_parse(&r, sbuf_sv(&b)), 0);
		check_fields(&r, v);
	}
	json_decref(file);
}

static void infos_check(const char *name)
{
	json_t *file = vectors_open(name, "ims-digest"), *v;
	struct auth_challenge c;
	struct auth_response r;
	struct auth_info info;
	size_t i;

	json_array_foreach(vectors_list(file, "cases"), i, v)
	{
		struct sv password = vectors_sv(v, "password");
		uint8_t octets[4096];
		struct sv body = {(char *)octets,
				  vectors_hex(octets, sizeof(octets), v, "rsp_body")};
		struct auth_answer a = {.username = vectors_sv(v, "username"),
					.uri = vectors_sv(v, "uri"),
					.challenge = &c,
					.password = password.p,
					.password_len = password.n,
					.cnonce = vectors_sv(v, "cnonce"),
					.method = vectors_sv(v, "method")};
		struct digest_input in = {.username = a.username, .realm = vectors_sv(v, "realm")};
		char ha1[DIGEST_HEX], rspauth[DIGEST_HEX];

		if (!vectors_is_null(v, "nc"))
			a.nc = (uint32_t)strtoul(vectors_text(v, "nc"), NULL, 16);
		assert_int_equal(auth_challenge_parse(&c, vectors_sv(v, "www_authenticate")), 0);
		assert_int_equal(auth_response_parse(&r, vectors_sv(v, "authorization")), 0);
		if (qop_of(v) == DIGEST_QOP_AUTH_INT)
			c.qop_auth = false; /* else our answer takes it */
		assert_int_equal(auth_info_parse(&info, vectors_sv(v, "authentication_info")), 0);
		assert_true(sv_eq(info.rspauth, vectors_sv(v, "rspauth")));
		assert_true(sv_eq(info.nextnonce, vectors_sv(v, "nextnonce")));
		if (!auth_info_check(&info, &a, body))
			fail_msg("%s", vectors_id(v));
		a.password_len--;
		assert_false(password.n && auth_info_check(&info, &a, body));
		in.algorithm = r.algorithm;
		digest_ha1(ha1, &in, password.p, password.n);
		auth_response_rspauth(rspauth, &r, body, ha1);
		assert_string_equal(rspauth, vectors_text(v, "rspauth"));
	}
	json_decref(file);
}

/* covers: DN-11 */
static void test_responses(void **state)
{
	(void)state;
	responses_check("digest.json");
	responses_check("digest256.json");
}

static void test_challenges(void **state)
{
	(void)state;
	challenges_check("digest.json");
	challenges_check("digest256.json");
}

/* covers: DN-11 */
static void test_answers(void **state)
{
	(void)state;
	answers_check("digest.json");
	answers_check("digest256.json");
}

/* covers: DN-15 */
static void test_infos(void **state)
{
	(void)state;
	infos_check("digest.json");
	infos_check("digest256.json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_challenges),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_infos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
