#include <errno.h>
#include <stdlib.h>

#include "control/auth/auth.h"
#include "tests/support/test.h"

static void assert_sv(struct sv v, const char *text)
{
	if (!sv_eq(v, sv_of(text)))
		fail_msg("\"%.*s\" is not \"%s\"", SV_ARG(v), text);
}

static void test_response(void **state)
{
	struct auth_response r;

	(void)state;
	assert_int_equal(
		auth_response_parse(
			&r, SV("digest  USERNAME = \"a\\\"b, c=d\" ,\r\n\trealm=\"r s\",nonce=\"\","
			       ", uri=\"sip:x;y=1,2\", response=\"\", algorithm=akav1-md5 "
			       ",qop=\"auth\","
			       "nc=0000000A,cnonce=\"c\",opaque=\"\",x-more=1,Integrity-Protected="
			       "yes,auts=\"AA==\" ,")),
		0);
	assert_sv(r.username, "a\\\"b, c=d"); /* as it stands: so it enters the hash */
	assert_sv(r.realm, "r s");
	assert_sv(r.nonce, "");
	assert_sv(r.uri, "sip:x;y=1,2");
	assert_sv(r.response, "");
	assert_sv(r.integrity_protected, "yes");
	assert_sv(r.auts, "AA==");
	assert_sv(r.nc, "0000000A");
	assert_true(r.known_algorithm && r.algorithm == DIGEST_AKAV1_MD5);
	assert_int_equal(r.qop_value, DIGEST_QOP_AUTH);
}

/* What is absent is empty; without algorithm it is MD5. */
static void test_response_defaults(void **state)
{
	struct auth_response r;

	(void)state;
	assert_int_equal(auth_response_parse(&r, SV("Digest username=\"u\"")), 0);
	assert_true(sv_empty(r.realm) && sv_empty(r.qop) && sv_empty(r.integrity_protected));
	assert_true(r.known_algorithm && r.algorithm == DIGEST_MD5);
	assert_int_equal(r.qop_value, DIGEST_QOP_NONE);
	assert_int_equal(auth_response_parse(&r, SV("Digest username=\"u\",algorithm=SHA-512-256")),
			 0);
	assert_false(r.known_algorithm);
	assert_false(auth_response_check(&r, SV("REGISTER"), SV(""), "p", 1));
}

static void test_response_bad(void **state)
{
	static const char *const cases[] = {
		"",
		"Digest",
		"Digest ",
		"Basic username=\"u\"",
		"Digestusername=\"u\"",
		"Digest realm=\"r\"",
		"Digest username=\"\"",
		"Digest username",
		"Digest username=",
		"Digest =\"u\"",
		"Digest username=\"u",
		"Digest username=\"u\\\"",
		"Digest username=\"u\" realm=\"r\"",
		"Digest username=\"u\"realm=\"r\"",
		"Digest username=\"u\"; realm=\"r\"",
		"Digest username=\"u\",username=\"v\"",
		"Digest username=\"u\",USERNAME=\"u\"",
		"Digest username=\"u\",integrity-protected=\"no\",integrity-protected=\"yes\"",
		"Digest username=\"u\",response=\"\",response=\"1\"",
		"Digest username=\"u\",qop=auth-conf",
		"Digest username=\"u\",nc=1",
		"Digest username=\"u\",nc=0000000g",
		"Digest username=\"u\", Digest username=\"v\"",
		"Digest username=\"u\",x=a\"b\"",
	};
	struct auth_response r;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		if (auth_response_parse(&r, sv_of(cases[i])) != -EBADMSG)
			fail_msg("taken: %s", cases[i]);
}

/* A response whose digest is right for what it holds, but which RFC 2617 3.2.2 does not allow. */
static bool check_without(struct sv nonce, struct sv nc, struct sv cnonce,
			  enum digest_algorithm algorithm, enum digest_qop qop)
{
	const struct digest_input in = {
		.algorithm = algorithm,
		.qop = qop,
		.username = SV("Mufasa"),
		.realm = SV("testrealm@host.com"),
		.nonce = nonce,
		.uri = SV("/dir/index.html"),
		.method = SV("GET"),
		.nc = nc,
		.cnonce = cnonce,
	};
	char ha1[DIGEST_HEX], response[DIGEST_HEX];
	struct auth_response r = {
		.username = in.username,
		.realm = in.realm,
		.nonce = nonce,
		.uri = in.uri,
		.response = {response, 32},
		.nc = nc,
		.cnonce = cnonce,
		.algorithm = algorithm,
		.known_algorithm = true,
		.qop_value = qop,
	};

	digest_ha1(ha1, &in, "Circle Of Life", 14);
	digest_response(response, &in, ha1);
	return auth_response_check(&r, SV("GET"), SV(""), "Circle Of Life", 14);
}

/* covers: F27 */
static void test_check_incomplete(void **state)
{
	const struct sv n = SV("dcd98b7102dd2f0e8b11d0f600bfb0c093"), nc = SV("00000001"),
			c = SV("0a4f113b"), none = {0};

	(void)state;
	assert_true(check_without(n, nc, c, DIGEST_MD5, DIGEST_QOP_AUTH));
	assert_false(check_without(n, none, c, DIGEST_MD5, DIGEST_QOP_AUTH));
	assert_false(check_without(n, nc, none, DIGEST_MD5, DIGEST_QOP_AUTH));
	assert_false(check_without(none, nc, c, DIGEST_MD5, DIGEST_QOP_AUTH));
	assert_true(check_without(n, none, none, DIGEST_MD5, DIGEST_QOP_NONE));
	assert_true(check_without(n, none, c, DIGEST_MD5_SESS, DIGEST_QOP_NONE));
	assert_false(check_without(n, none, none, DIGEST_MD5_SESS, DIGEST_QOP_NONE));
}

/* The published example, with digits of either case. */
static void test_check_example(void **state)
{
	static const char value[] = "Digest "
				    "username=\"Mufasa\",realm=\"testrealm@host.com\",nonce="
				    "\"dcd98b7102dd2f0e8b11d0f600bfb0c093\","
				    "uri=\"/dir/"
				    "index.html\",qop=auth,nc=00000001,cnonce=\"0a4f113b\","
				    "response=\"6629FAE49393a05397450978507c4ef1\"";
	struct auth_response r;

	(void)state;
	assert_int_equal(auth_response_parse(&r, SV(value)), 0);
	assert_true(auth_response_check(&r, SV("GET"), SV(""), "Circle Of Life", 14));
}

static void test_challenge(void **state)
{
	struct auth_challenge c;

	(void)state;
	assert_int_equal(
		auth_challenge_parse(
			&c,
			SV("Digest realm=\"r\", nonce=\"n\", domain=\"d\", opaque=\"\", "
			   "stale=TRUE, algorithm=MD5-sess, "
			   "qop=\"auth-int , auth,other\",CK=00112233445566778899AABBCCDDEEFF")),
		0);
	assert_sv(c.realm, "r");
	assert_sv(c.domain, "d");
	assert_sv(c.stale, "TRUE");
	assert_non_null(c.opaque.p); /* there, though empty: it goes back */
	assert_true(c.known_algorithm && c.algorithm == DIGEST_MD5_SESS);
	assert_true(c.qop_auth && c.qop_auth_int);
	assert_true(c.has_ck && !c.has_ik);
	assert_memory_equal(c.ck,
			    "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
}

static void test_challenge_bad(void **state)
{
	static const char *const cases[] = {
		"Digest realm=\"r\"",
		"Digest nonce=\"n\"",
		"NTLM realm=\"r\", nonce=\"n\"",
		"Digest realm=\"r\", nonce=\"n\", nonce=\"m\"",
		"Digest realm=\"r\", nonce=\"n\", ik=\"\"",
		"Digest realm=\"r\", nonce=\"n\", ik=\"00112233445566778899aabbccddeef\"",
		"Digest realm=\"r\", nonce=\"n\", ik=\"00112233445566778899aabbccddeeff00\"",
		"Digest realm=\"r\", nonce=\"n\", ck=\"00112233445566778899aabbccddeefg\"",
		"Digest realm=\"r\", nonce=\"n\", "
		"ik=\"00112233445566778899aabbccddeeff\",IK=\"00112233445566778899aabbccddeeff\"",
	};
	struct auth_challenge c;

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		if (auth_challenge_parse(&c, sv_of(cases[i])) != -EBADMSG)
			fail_msg("taken: %s", cases[i]);
}

static void test_nonce_bad(void **state)
{
	static const char *const cases[] = {
		"",
		"AAAA",
		"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M",	    /* no padding */
		"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr6==",	    /* 31 octets */
		"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7N=",	    /* bits behind the end */
		"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=AAAA", /* padding inside */
		"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7MAAA",   /* half a group */
		"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7MA*AAA",
		"I1U8vpY3qJ0hiuZNrke-NVXzKLQ1d7m5Sp/6w1Tfr7M=",
	};
	uint8_t rand[16], autn[16];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		if (auth_aka_nonce(sv_of(cases[i]), rand, autn))
			fail_msg("taken: %s", cases[i]);
	assert_true(
		auth_aka_nonce(SV("I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7MAAA=="), rand, autn));
}

/* Cut anywhere, and read from memory of just that size. */
static void test_truncated(void **state)
{
	static const char text[] =
		"Digest username=\"u\\\"\", realm=\"r\",ik=\"00112233445566778899aabbccddeeff\", "
		"nonce=\"n\",qop=auth";
	char out[256];

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		char *copy = malloc(n + 1);
		struct auth_challenge c;
		struct auth_response r;
		struct sbuf b = sbuf_of(out, sizeof(out));

		memcpy(copy, text, n);
		auth_challenge_parse(&c, (struct sv){copy, n});
		auth_response_parse(&r, (struct sv){copy, n});
		if (auth_strip_keys(&b, (struct sv){copy, n}))
			assert_null(memmem(out, b.n, "0011", 4));
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_response),      cmocka_unit_test(test_response_defaults),
		cmocka_unit_test(test_response_bad),  cmocka_unit_test(test_check_incomplete),
		cmocka_unit_test(test_check_example), cmocka_unit_test(test_challenge),
		cmocka_unit_test(test_challenge_bad), cmocka_unit_test(test_nonce_bad),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
