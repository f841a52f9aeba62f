#include "control/auth/auth.h"
#include "tests/support/test.h"

static struct auth_challenge challenge(const char *value)
{
	struct auth_challenge c;

	assert_int_equal(auth_challenge_parse(&c, sv_of(value)), 0);
	return c;
}

static void check(const struct auth_answer *a, const char *want)
{
	char buf[600];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	auth_answer_write(&b, a);
	if (b.overflow || !sv_eq(sbuf_sv(&b), sv_of(want)))
		fail_msg("%.*s", (int)b.n, b.p);
}

/* TS 24.229 5.1.1.2: who it is, and nothing to answer yet */
static void test_first(void **state)
{
	const struct auth_answer a = {.username = SV("u@home1.net"),
				      .realm = SV("home1.net"),
				      .uri = SV("sip:home1.net")};

	(void)state;
	check(&a, "Digest username=\"u@home1.net\", realm=\"home1.net\", nonce=\"\", "
		  "uri=\"sip:home1.net\", response=\"\"");
}

/* TS 24.229 5.1.1.5.3: the network could not prove itself */
static void test_mac_failure(void **state)
{
	const struct auth_challenge c =
		challenge("Digest realm=\"r\",nonce=\"n\",algorithm=AKAv1-MD5");
	const struct auth_answer a = {.username = SV("u"),
				      .uri = SV("sip:r"),
				      .challenge = &c,
				      .empty_response = true,
				      .method = SV("REGISTER")};

	(void)state;
	check(&a, "Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"\", "
		  "algorithm=AKAv1-MD5");
}

/* covers: DN-11 */
static void test_qop(void **state)
{
	const struct auth_challenge both = challenge(
		"Digest realm=\"testrealm@host.com\",nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\","
		"opaque=\"5ccc069c403ebaf9f0171e9517f40e41\",algorithm=MD5,qop=\"auth-int,auth\"");
	const struct auth_answer a = {
		.username = SV("Mufasa"),
		.uri = SV("/dir/index.html"),
		.challenge = &both,
		.password = "Circle Of Life",
		.password_len = 14,
		.cnonce = SV("0a4f113b"),
		.nc = 1,
		.method = SV("GET"),
	};

	(void)state;
	check(&a, "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", "
		  "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
		  "uri=\"/dir/index.html\", response=\"6629fae49393a05397450978507c4ef1\", "
		  "algorithm=MD5, "
		  "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\", qop=auth, nc=00000001, "
		  "cnonce=\"0a4f113b\"");
}

/* What the network writes for the P-CSCF is what the P-CSCF and the UE read. */
static void test_aka_challenge(void **state)
{
	struct aka_vector av;
	struct auth_challenge c;
	uint8_t rand[16], autn[16];
	char buf[512];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		av.rand[i] = (uint8_t)i;
		av.autn[i] = (uint8_t)(0x80 + i);
		av.ik[i] = (uint8_t)(0x10 * i);
		av.ck[i] = (uint8_t)(0xff - i);
	}
	auth_aka_challenge_write(&b, SV("home1.net"), &av);
	assert_true(sv_eq(
		sbuf_sv(&b),
		SV("Digest realm=\"home1.net\", "
		   "nonce=\"AAECAwQFBgcICQoLDA0OD4CBgoOEhYaHiImKi4yNjo8=\", algorithm=AKAv1-MD5, "
		   "qop=\"auth\", ik=\"00102030405060708090a0b0c0d0e0f0\", "
		   "ck=\"fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0\"")));
	assert_int_equal(auth_challenge_parse(&c, sbuf_sv(&b)), 0);
	assert_true(auth_aka_nonce(c.nonce, rand, autn));
	assert_memory_equal(rand, av.rand, 16);
	assert_memory_equal(autn, av.autn, 16);
	assert_memory_equal(c.ik, av.ik, 16);
	assert_memory_equal(c.ck, av.ck, 16);
	assert_int_equal(c.algorithm, DIGEST_AKAV1_MD5);
	b = sbuf_of(buf, 100);
	auth_aka_challenge_write(&b, SV("home1.net"), &av);
	assert_true(b.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first),
		cmocka_unit_test(test_mac_failure),
		cmocka_unit_test(test_qop),
		cmocka_unit_test(test_aka_challenge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
