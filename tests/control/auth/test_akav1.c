/* tests/vectors/milenage.json, akav1[]: IMS-AKA by RFC 3310, from nonce to rspauth. */
#include <stdlib.h>

#include "control/auth/auth.h"
#include "control/base/parse.h"
#include "tests/support/vectors.h"

struct aka_case {
	const json_t *v;
	uint8_t rand[16], autn[16], ik[16], ck[16];
	uint8_t secret[64], body[1024], rsp_body[1024];
	size_t n_secret, n_body, n_rsp_body;
};

static void read_case(struct aka_case *c, const json_t *v)
{
	c->v = v;
	vectors_octets(c->rand, 16, v, "rand");
	vectors_octets(c->autn, 16, v, "autn");
	vectors_octets(c->ik, 16, v, "ik");
	vectors_octets(c->ck, 16, v, "ck");
	c->n_secret = vectors_hex(c->secret, sizeof(c->secret), v, "secret");
	c->n_body = vectors_hex(c->body, sizeof(c->body), v, "body");
	c->n_rsp_body = vectors_hex(c->rsp_body, sizeof(c->rsp_body), v, "rsp_body");
}

static void for_each(void (*check)(const struct aka_case *c))
{
	json_t *file = vectors_open("milenage.json", "ims-aka"), *v;
	static struct aka_case c;
	size_t i;

	json_array_foreach(vectors_list(file, "akav1"), i, v)
	{
		read_case(&c, v);
		check(&c);
	}
	json_decref(file);
}

static void check_nonce(const struct aka_case *c)
{
	struct sv nonce = vectors_sv(c->v, "nonce");
	uint8_t rand[16], autn[16];
	char text[45];

	if (!auth_aka_nonce(nonce, rand, autn))
		fail_msg("%s: no nonce", vectors_id(c->v));
	assert_memory_equal(rand, c->rand, 16);
	assert_memory_equal(autn, c->autn, 16);
	auth_aka_nonce_write(text, rand, autn);
	if (sv_empty(vectors_sv(c->v, "server_data")))
		assert_true(sv_eq(sv_of(text), nonce));
}

static void test_nonce(void **state)
{
	(void)state;
	for_each(check_nonce);
}

/* RES is octets: some hold NUL, colons and quotes; with auts the password is empty. */
static void check_response(const struct aka_case *c)
{
	struct sv body = {(const char *)c->body, c->n_body}, method = vectors_sv(c->v, "method");
	struct auth_response r;
	uint8_t other[64];

	assert_int_equal(auth_response_parse(&r, vectors_sv(c->v, "authorization")), 0);
	assert_true(r.known_algorithm && r.algorithm == DIGEST_AKAV1_MD5);
	if (!auth_response_check(&r, method, body, c->secret, c->n_secret))
		fail_msg("%s", vectors_id(c->v));
	assert_int_equal(sv_empty(r.auts), vectors_is_null(c->v, "auts"));
	if (!c->n_secret) {
		uint8_t ours[14], want[14];
		size_t n;

		vectors_octets(want, 14, c->v, "auts");
		assert_true(parse_base64(r.auts, ours, sizeof(ours), &n));
		assert_int_equal(n, 14);
		assert_memory_equal(ours, want, 14);
		assert_false(auth_response_check(&r, method, body, "x", 1));
		return;
	}
	/* each octet of RES counts, those behind a NUL too */
	for (size_t i = 0; i < c->n_secret; i++) {
		memcpy(other, c->secret, c->n_secret);
		other[i] ^= 1;
		assert_false(auth_response_check(&r, method, body, other, c->n_secret));
	}
	assert_false(auth_response_check(&r, method, body, c->secret, c->n_secret - 1));
}

/* covers: F27, F28 */
static void test_response(void **state)
{
	(void)state;
	for_each(check_response);
}

static void check_rspauth(const struct aka_case *c)
{
	struct auth_response r;
	struct digest_input in;
	char ha1[DIGEST_HEX], rspauth[DIGEST_HEX];

	assert_int_equal(auth_response_parse(&r, vectors_sv(c->v, "authorization")), 0);
	in = (struct digest_input){
		.algorithm = r.algorithm,
		.qop = r.qop_value,
		.username = r.username,
		.realm = r.realm,
		.nonce = r.nonce,
		.uri = r.uri,
		.nc = r.nc,
		.cnonce = r.cnonce,
		.body = {(const char *)c->rsp_body, c->n_rsp_body},
	};
	digest_ha1(ha1, &in, c->secret, c->n_secret);
	digest_rspauth(rspauth, &in, ha1);
	assert_string_equal(ha1, vectors_text(c->v, "ha1"));
	if (!vectors_is_null(c->v, "rspauth"))
		assert_string_equal(rspauth, vectors_text(c->v, "rspauth"));
}

static void test_rspauth(void **state)
{
	(void)state;
	for_each(check_rspauth);
}

static void assert_same_but_keys(const struct auth_challenge *a, const struct auth_challenge *b)
{
	assert_true(sv_eq(a->realm, b->realm));
	assert_true(sv_eq(a->nonce, b->nonce));
	assert_true(sv_eq(a->opaque, b->opaque));
	assert_true(sv_eq(a->qop, b->qop));
	assert_true(sv_eq(a->algorithm_text, b->algorithm_text));
	assert_true(sv_eq(a->domain, b->domain) && sv_eq(a->stale, b->stale));
}

/* The challenge as it comes to the P-CSCF, and as it must leave it. */
static void check_keys(const struct aka_case *c)
{
	struct auth_challenge with, without, stripped;
	char buf[2048];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	if (vectors_is_null(c->v, "www_authenticate_with_keys"))
		return;
	assert_int_equal(
		auth_challenge_parse(&with, vectors_sv(c->v, "www_authenticate_with_keys")), 0);
	assert_true(with.has_ik && with.has_ck);
	assert_memory_equal(with.ik, c->ik, 16);
	assert_memory_equal(with.ck, c->ck, 16);
	assert_true(auth_strip_keys(&b, vectors_sv(c->v, "www_authenticate_with_keys")));
	assert_int_equal(auth_challenge_parse(&stripped, sbuf_sv(&b)), 0);
	assert_false(stripped.has_ik || stripped.has_ck);
	assert_int_equal(auth_challenge_parse(&without, vectors_sv(c->v, "www_authenticate")), 0);
	assert_same_but_keys(&stripped, &without);
	assert_true(sv_eq(sbuf_sv(&b), vectors_sv(c->v, "www_authenticate")));
}

/* covers: AK-05, F32 */
static void test_keys(void **state)
{
	(void)state;
	for_each(check_keys);
}

/* The UE's side: the same numbers, and a value that the network's side takes. */
static void check_answer(const struct aka_case *c)
{
	struct auth_challenge challenge;
	struct auth_response r;
	char buf[2048], auts[21] = "";
	struct sbuf b = sbuf_of(buf, sizeof(buf));
	struct auth_answer a = {
		.username = vectors_sv(c->v, "username"),
		.uri = vectors_sv(c->v, "uri"),
		.challenge = &challenge,
		.password = "must not matter with auts",
		.password_len = 8,
		.cnonce = vectors_sv(c->v, "cnonce"),
		.method = vectors_sv(c->v, "method"),
		.body = {(const char *)c->body, c->n_body},
	};

	assert_int_equal(auth_challenge_parse(&challenge, vectors_sv(c->v, "www_authenticate")), 0);
	if (!vectors_is_null(c->v, "nc"))
		a.nc = (uint32_t)strtoul(vectors_text(c->v, "nc"), NULL, 16);
	if (challenge.qop_auth && challenge.qop_auth_int)
		challenge.qop_auth = false; /* as if only auth-int were offered */
	if (c->n_secret) {
		a.password = c->secret;
		a.password_len = c->n_secret;
	} else {
		uint8_t octets[14];

		vectors_octets(octets, 14, c->v, "auts");
		format_base64(auts, octets, sizeof(octets));
		a.auts = sv_of(auts);
	}
	auth_answer_write(&b, &a);
	assert_int_equal(auth_response_parse(&r, sbuf_sv(&b)), 0);
	assert_true(sv_eq(r.response, vectors_sv(c->v, "response")));
	assert_true(sv_eq(r.auts, sv_of(auts)));
	assert_true(auth_response_check(&r, a.method, a.body, c->secret, c->n_secret));
}

static void test_answer(void **state)
{
	(void)state;
	for_each(check_answer);
}

/* D-09, calculated by hand from test set 1. */
static void test_worked_example(void **state)
{
	static const uint8_t res[8] = {0xa5, 0x42, 0x11, 0xd5, 0xe3, 0xba, 0x50, 0xbf};
	struct auth_challenge c;
	char buf[1024];
	struct sbuf b = sbuf_of(buf, sizeof(buf));
	struct auth_answer a = {
		.username = SV("user1_private@home1.net"),
		.uri = SV("sip:home1.net"),
		.challenge = &c,
		.password = res,
		.password_len = sizeof(res),
		.cnonce = SV("0a4f113b"),
		.nc = 1,
		.method = SV("REGISTER"),
	};
	struct auth_response r;

	(void)state;
	assert_int_equal(
		auth_challenge_parse(&c, SV("Digest "
					    "realm=\"home1.net\",nonce=\"I1U8vpY3qJ0hiuZNrke/"
					    "NVXzKLQ1d7m5Sp/6w1Tfr7M=\","
					    "algorithm=AKAv1-MD5,qop=\"auth\"")),
		0);
	auth_answer_write(&b, &a);
	assert_int_equal(auth_response_parse(&r, sbuf_sv(&b)), 0);
	assert_true(sv_eq(r.response, SV("d631c17126f6ad3a5984ced4459958df")));
	c.qop_auth = false;
	b = sbuf_of(buf, sizeof(buf));
	auth_answer_write(&b, &a);
	assert_int_equal(auth_response_parse(&r, sbuf_sv(&b)), 0);
	assert_true(sv_eq(r.response, SV("0233d5422332d3cd4cb80c033b5ed782")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nonce),	cmocka_unit_test(test_response),
		cmocka_unit_test(test_rspauth), cmocka_unit_test(test_keys),
		cmocka_unit_test(test_answer),	cmocka_unit_test(test_worked_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
