/* Authentication-Info and Digest challenges as we write and read them. */
#include "control/auth/auth.h"
#include "tests/support/test.h"

static struct auth_challenge challenge_read(const char *value)
{
	struct auth_challenge c;

	assert_int_equal(auth_challenge_parse(&c, sv_of(value)), 0);
	return c;
}

static struct auth_answer answer(const struct auth_challenge *c)
{
	return (struct auth_answer){.username = SV("user1_private@home1.net"),
				    .uri = SV("sip:home1.net"),
				    .challenge = c,
				    .password = "geheim",
				    .password_len = 6,
				    .cnonce = SV("0a4f113b"),
				    .nc = 1,
				    .method = SV("REGISTER")};
}

/* Python: H = lambda s: md5(s.encode()).hexdigest();
 * H(H("user1_private@home1.net:home1.net:geheim")
 * + ":abc:00000001:0a4f113b:auth:" + H(":sip:home1.net")) */
#define RSPAUTH	       "74aa3fa61ecfc953d7f8e3265fac9443"
#define RSPAUTH_NO_QOP "f69a781247cdb679ad20d8d50d6a298d"

/* What the UE takes as proof and what not. */
/* covers: DN-15, DF-04 */
static void test_check(void **state)
{
	static const struct {
		const char *challenge, *info;
		bool good;
	} rows[] = {
		{"auth", "rspauth=\"" RSPAUTH "\", qop=auth, cnonce=\"0a4f113b\", nc=00000001",
		 true},
		{"auth", "qop=\"auth\",nc=00000001,cnonce=\"0a4f113b\",rspauth=\"" RSPAUTH "\"",
		 true},
		{"auth", "rspauth=\"" RSPAUTH "\"", true},
		{"auth", "rspauth=\"" RSPAUTH "\", nextnonce=\"xyz\", other=1", true},
		{"auth", "rspauth=\"" RSPAUTH_NO_QOP "\"", false},
		{"auth", "rspauth=\"" RSPAUTH_NO_QOP "\", qop=auth", false},
		{"auth", "rspauth=\"" RSPAUTH "\", qop=auth-int", false},
		{"auth", "rspauth=\"" RSPAUTH "\", qop=auth, nc=00000002", false},
		{"auth", "rspauth=\"" RSPAUTH "\", qop=auth, cnonce=\"0a4f113c\"", false},
		{"auth", "rspauth=\"\"", false},
		{"auth", "nextnonce=\"xyz\"", false},
		{"auth", "rspauth=\"1" RSPAUTH "\"", false},
		{"auth", "rspauth=\"00000000000000000000000000000000\"", false},
		{"", "rspauth=\"" RSPAUTH_NO_QOP "\"", true},
		{"", "rspauth=\"" RSPAUTH "\"", false},
		{"", "rspauth=\"" RSPAUTH_NO_QOP "\", qop=auth", false},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		char value[128];
		struct auth_challenge c;
		struct auth_info info;
		struct auth_answer a = answer(&c);

		snprintf(value, sizeof(value), "Digest realm=\"home1.net\", nonce=\"abc\"%s",
			 rows[i].challenge[0] ? ", qop=\"auth\"" : "");
		c = challenge_read(value);
		assert_int_equal(auth_info_parse(&info, sv_of(rows[i].info)), 0);
		if (auth_info_check(&info, &a, SV("")) != rows[i].good)
			fail_msg("%s: %s", rows[i].challenge, rows[i].info);
	}
}

static void test_malformed(void **state)
{
	static const char *const rows[] = {
		"rspauth",
		"rspauth=",
		"rspauth=\"a\" qop=auth",
		"rspauth=\"a\", rspauth=\"b\"",
		"rspauth=\"a\", nc=1",
		"rspauth=\"a\", nc=0000000g",
		"rspauth=\"a\", qop=other",
		"rspauth=\"a",
		"=\"a\"",
	};
	struct auth_info info;

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++)
		if (auth_info_parse(&info, sv_of(rows[i])) == 0)
			fail_msg("%s", rows[i]);
	assert_int_equal(auth_info_parse(&info, SV("")), 0);
	assert_true(sv_empty(info.rspauth));
}

static void test_write(void **state)
{
	const struct auth_info full = {.rspauth = SV("12ab"),
				       .cnonce = SV("c"),
				       .nc = SV("00000001"),
				       .nextnonce = SV("next"),
				       .qop_value = DIGEST_QOP_AUTH};
	const struct auth_info bare = {.rspauth = SV("12ab")};
	char buf[256];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	(void)state;
	auth_info_write(&b, &full);
	assert_true(sv_eq(sbuf_sv(&b), SV("rspauth=\"12ab\", qop=auth, cnonce=\"c\", nc=00000001, "
					  "nextnonce=\"next\"")));
	b.n = 0;
	auth_info_write(&b, &bare);
	assert_true(sv_eq(sbuf_sv(&b), SV("rspauth=\"12ab\"")));
}

/* covers: DN-10, DF-07 */
static void test_offer(void **state)
{
	static const struct {
		struct auth_offer o;
		const char *text;
	} rows[] = {
		{{.realm = {"home1.net", 9},
		  .nonce = {"abc", 3},
		  .algorithm = DIGEST_MD5,
		  .qop_auth = true},
		 "Digest realm=\"home1.net\", nonce=\"abc\", algorithm=MD5, qop=\"auth\""},
		{{.realm = {"home1.net", 9},
		  .nonce = {"abc", 3},
		  .opaque = {"o", 1},
		  .domain = {"sip:home1.net", 13},
		  .algorithm = DIGEST_SHA256_SESS,
		  .stale = true},
		 "Digest realm=\"home1.net\", domain=\"sip:home1.net\", nonce=\"abc\", "
		 "opaque=\"o\", "
		 "stale=TRUE, algorithm=SHA-256-sess"},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		char buf[256];
		struct sbuf b = sbuf_of(buf, sizeof(buf));
		struct auth_challenge c;

		auth_challenge_write(&b, &rows[i].o);
		assert_true(sv_eq(sbuf_sv(&b), sv_of(rows[i].text)));
		c = challenge_read(rows[i].text);
		assert_int_equal(c.algorithm, rows[i].o.algorithm);
		assert_int_equal(c.qop_auth, rows[i].o.qop_auth);
		assert_true(sv_eq(c.opaque, rows[i].o.opaque));
		assert_int_equal(sv_caseeq(c.stale, SV("true")), rows[i].o.stale);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
