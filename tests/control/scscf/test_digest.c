/* Registration with SIP Digest, checked by the S-CSCF or by the HSS (TS 33.203 Annex N). */
#include "tests/control/scscf/digest.h"

#include <stdio.h>

/* ---- as it should go ---------------------------------------------------------------------- */

/* covers: DN-05, DN-06, DN-08, DN-10, DN-12, DN-13, DN-15, DH-01, DH-02, DH-06, DH-07, D-25 */
static void test_attach(void **state)
{
	(void)state;
	for (unsigned hss = 0; hss < N_OF(digest_variants); hss++) {
		struct core *c = digest_start(digest_variants[hss]);
		char nonce[64];
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_request(&u, "MESSAGE", "sip:x@y.net", "");
		assert_int_equal(c->m.status, 403); /* nothing before */
		assert_int_equal(digest_first(&u), 401);
		assert_int_equal(c->asked[CX_MAR], 1);
		assert_int_equal(c->puts[CX_PENDING], 1);
		assert_int_equal(core_flag(c, 1), CX_PENDING);
		assert_int_equal(core_count(c, SIP_HDR_WWW_AUTHENTICATE), 1);
		assert_true(sv_eq(u.challenge.realm, SV(C_REALM)));
		assert_true(u.challenge.qop_auth && !u.challenge.qop_auth_int);
		assert_int_equal(u.challenge.algorithm, DIGEST_MD5);
		assert_int_equal(u.challenge.nonce.n, 32);
		assert_true(u.challenge.opaque.n > 0);
		assert_false(digest_stale(&u) || u.challenge.has_ik || u.challenge.has_ck);
		assert_int_equal(sv_eq(u.challenge.nonce, sv_of(c->vector_nonce)), hss); /* DH-02 */
		snprintf(nonce, sizeof(nonce), "%.*s", SV_ARG(u.challenge.nonce));

		assert_int_equal(digest_first(&u), 401);
		assert_int_equal(c->asked[CX_MAR], 2);
		assert_false(sv_eq(u.challenge.nonce, sv_of(nonce)));

		assert_int_equal(ue_digest(&u, &digest_right, "tls-pending"), 200);
		assert_int_equal(c->asked[CX_CHECK], hss);
		assert_int_equal(c->puts[CX_REGISTERED], 1);
		assert_int_equal(core_flag(c, 1), CX_REGISTERED);
		assert_string_equal(core_field(c, SIP_HDR_P_ASSOCIATED_URI),
				    "<sip:u1@home.net>, <tel:+491001>, <sip:alias1@home.net>");
		assert_int_equal(scscf_pending(c->scscf), 0);
		ue_request(&u, "MESSAGE", "sip:x@y.net", "");
		assert_int_equal(c->m.status, 404); /* it got as far as to look for y.net */

		assert_int_equal(digest_first(&u), 401); /* again: the same messages */
		assert_int_equal(ue_digest(&u, &digest_right, "tls-yes"), 200);
		assert_int_equal(c->asked[CX_MAR], 3);
		assert_int_equal(c->puts[CX_PENDING], 2); /* DN-06: none for a registered one */
		assert_int_equal(c->puts[CX_REGISTERED], 1);
		core_free(c);
	}
}

/* covers: DH-03, DH-05 */
static void test_cm5(void **state)
{
	struct core *c = digest_start(&digest_by_hss);
	char value[1024], rspauth[DIGEST_HEX], want[1024];
	struct reg_opts o = {.authorization = value, .integrity = "tls-pending"};
	struct auth_response r;
	struct ue u;

	(void)state;
	ue_init_has(&u, c, 1, UE_DIGEST);
	assert_int_equal(digest_first(&u), 401);
	ue_digest_answer(&u, &digest_right, value, sizeof(value), rspauth);
	assert_int_equal(auth_response_parse(&r, sv_of(value)), 0);
	assert_int_equal(ue_register(&u, &o), 200);
	snprintf(want, sizeof(want),
		 "REGISTER|u1@home.net|home.net|%d|%d|%.*s|00000001|0a4f113b|sip:home.net|%.*s > "
		 "%d|u1@home.net|%d|%s|0a4f113b|00000001",
		 DIGEST_MD5, DIGEST_QOP_AUTH, SV_ARG(u.challenge.nonce), SV_ARG(r.response),
		 CX_SUCCESS, DIGEST_QOP_AUTH, rspauth);
	assert_string_equal(c->checked, want);
	core_free(c);
}

/* One challenge per algorithm, SHA-256 first; an answer to either is good. */
/* covers: DN-10, DN-12 */
static void test_algorithms(void **state)
{
	static const struct {
		unsigned n;
		enum digest_algorithm allowed[2];
		const char *challenges[2];
		const char *answer;
		unsigned status;
	} rows[] = {
		{1, {DIGEST_MD5}, {"MD5"}, "MD5", 200},
		{1, {DIGEST_MD5}, {"MD5"}, "md5", 200},
		{1, {DIGEST_MD5}, {"MD5"}, "SHA-256", 403},
		{1, {DIGEST_MD5}, {"MD5"}, "MD5-sess", 403},
		{1, {DIGEST_MD5}, {"MD5"}, "SHA-512-256", 403},
		{1, {DIGEST_MD5_SESS}, {"MD5-sess"}, "MD5-sess", 200},
		{1, {DIGEST_SHA256}, {"SHA-256"}, "SHA-256", 200},
		{1, {DIGEST_SHA256}, {"SHA-256"}, "MD5", 403}, /* bidden down */
		{2, {DIGEST_SHA256, DIGEST_MD5}, {"SHA-256", "MD5"}, "SHA-256", 200},
		{2, {DIGEST_SHA256, DIGEST_MD5}, {"SHA-256", "MD5"}, "MD5", 200},
		{1, {DIGEST_SHA256_SESS}, {"SHA-256-sess"}, "SHA-256-sess", 200},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(rows); i++) {
		unsigned k = i / 2, n = 0;
		struct hss_digest_conf conf = *digest_variants[i % 2];
		const struct ue_digest d = {.algorithm = rows[k].answer};
		struct core *c;
		struct ue u;

		conf.n_algorithms = rows[k].n;
		memcpy(conf.algorithms, rows[k].allowed, sizeof(rows[k].allowed));
		c = digest_start(&conf);
		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(digest_first(&u), 401);
		assert_int_equal(core_count(c, SIP_HDR_WWW_AUTHENTICATE), rows[k].n);
		for (const struct sip_header *h = sip_msg_find(&c->m, SIP_HDR_WWW_AUTHENTICATE); h;
		     h = sip_msg_next(&c->m, h)) {
			struct auth_challenge a;

			assert_int_equal(auth_challenge_parse(&a, h->value), 0);
			assert_true(sv_eq(a.algorithm_text, sv_of(rows[k].challenges[n++])));
		}
		if (ue_digest(&u, &d, "tls-pending") != rows[k].status)
			fail_msg("row %u, variant %u: %u", k, i % 2, c->m.status);
		core_free(c);
	}
}

/* ---- wrong answers ------------------------------------------------------------------------ */

/* covers: DN-12, DF-01, DF-02, DF-03, IN-08, DH-04, TE-01 */
static void test_wrong(void **state)
{
	static const struct {
		const char *name;
		struct ue_digest d;
		bool legacy; /* answers without qop are good enough */
		unsigned status;
	} rows[] = {
		{"right", {0}, false, 200},
		{"password", {.password = "geheiM"}, false, 403},
		{"no password", {.password = ""}, false, 403},
		{"digit", {.flip = true}, false, 403},
		{"realm", {.realm = "other.net"}, false, 403},
		{"auth-int", {.qop = "auth-int"}, false, 403},
		{"no qop", {.qop = ""}, false, 403},
		{"no qop, legacy", {.qop = ""}, true, 200},
		{"auth-int, legacy", {.qop = "auth-int"}, true, 403},
		{"uri of another", {.uri = "sip:other.net"}, false, 400},
		{"uri is none", {.uri = "home.net"}, false, 400},
		{"uri with user", {.uri = "sip:u1@home.net"}, false, 200},
		{"uri with port", {.uri = "sip:HOME.net:5060"}, false, 200},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(rows); i++) {
		unsigned k = i / 2;
		struct hss_digest_conf conf = *digest_variants[i % 2];
		struct core *c;
		struct ue u;

		conf.without_qop = rows[k].legacy;
		c = digest_start(&conf);
		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(digest_first(&u), 401);
		if (ue_digest(&u, &rows[k].d, "tls-pending") != rows[k].status)
			fail_msg("%s, variant %u: %u", rows[k].name, i % 2, c->m.status);
		if (rows[k].status == 403) {
			assert_int_equal(core_count(c, SIP_HDR_WWW_AUTHENTICATE), 0);
			assert_int_equal(core_count(c, SIP_HDR_AUTHENTICATION_INFO), 0);
			assert_null(memmem(c->text, strlen(c->text), "Security-", 9));
			assert_int_equal(c->puts[CX_NOT_REGISTERED], 1);
			assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
			assert_int_equal(scscf_pending(c->scscf), 0);
		}
		core_free(c);
	}
}

/* covers: F27 */
static void test_incomplete(void **state)
{
	static const char *const without[] = {"nc=00000001, ", "cnonce=\"0a4f113b\""};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(without); i++) {
		struct core *c = digest_start(digest_variants[i % 2]);
		char value[1024], *at;
		const struct reg_opts o = {.authorization = value, .integrity = "tls-pending"};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(digest_first(&u), 401);
		ue_digest_answer(&u, &digest_right, value, sizeof(value), NULL);
		at = strstr(value, without[i / 2]);
		assert_non_null(at);
		memmove(at, at + strlen(without[i / 2]), strlen(at + strlen(without[i / 2])) + 1);
		assert_int_equal(ue_register(&u, &o), 400);
		assert_int_equal(ue_digest(&u, &digest_right, "tls-pending"), 200); /* still open */
		core_free(c);
	}
}

/* What a registered user does wrongly leaves the registration alone. */
/* covers: DF-02, TM-02 */
static void test_wrong_when_registered(void **state)
{
	(void)state;
	for (unsigned hss = 0; hss < N_OF(digest_variants); hss++) {
		struct core *c = digest_start(digest_variants[hss]);
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_digest_attach(&u, "tls-pending");
		assert_int_equal(digest_first(&u), 401); /* TM-02: in clear at any time */
		assert_int_equal(ue_digest(&u, &(struct ue_digest){.flip = true}, "tls-yes"), 403);
		assert_int_equal(c->puts[CX_NOT_REGISTERED], 0);
		assert_int_equal(core_flag(c, 1), CX_REGISTERED);
		assert_int_equal(scscf_registered(c->scscf), 1);
		core_free(c);
	}
}

/* ---- by the network's wish ---------------------------------------------------------------- */

/* covers: DF-10 */
static void test_reauth(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(digest_variants); i++) {
		struct core *c = digest_start(digest_variants[i % 2]);
		struct reg_opts o = {.integrity = "tls-yes"};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_digest_attach(&u, "tls-pending");
		assert_int_equal(ue_register(&u, &o), 200);
		assert_int_equal(scscf_reauthenticate(c->scscf, SV("u1@" C_REALM), 60, c->now), 0);
		if (i >= 2) { /* silent: it is de-registered */
			core_pass(c, 61000);
			assert_int_equal(scscf_registered(c->scscf), 0);
			assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
			core_free(c);
			continue;
		}
		assert_int_equal(ue_register(&u, &o), 401);
		assert_int_equal(ue_digest(&u, &digest_right, "tls-yes"), 200);
		assert_int_equal(ue_register(&u, &o), 200);
		/* the next count of the last nonce is no new run */
		assert_int_equal(scscf_reauthenticate(c->scscf, SV("u1@" C_REALM), 60, c->now), 0);
		assert_int_equal(ue_digest(&u, &(struct ue_digest){.nc = "00000002"}, "tls-yes"),
				 401);
		core_free(c);
	}
}

/* ---- answers of the HSS that take their time ---------------------------------------------- */

/* covers: F20, DH-06 */
static void test_late_hss(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(digest_variants); i++) {
		struct core *c = digest_start(digest_variants[i % 2]);
		char value[1024];
		struct reg_opts o = {.authorization = value, .integrity = "tls-pending"};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(digest_first(&u), 401);
		ue_digest_answer(&u, &digest_right, value, sizeof(value), NULL);
		c->hold = true;
		c->n_received = 0;
		(void)ue_register(&u, &o);
		for (unsigned k = 0; k < 6; k++) { /* UAR, CHECK, SAR... each in its turn */
			if (i >= 2 && k == 1)
				core_pass(c,
					  241000); /* the challenge ends meanwhile, if it has not */
			core_let_go(c);
		}
		c->hold = false;
		core_let_go(c);
		assert_int_equal(c->m.status, i < 3 ? 200 : 403);
		core_pass(c, 241000);
		assert_int_equal(scscf_pending(c->scscf), 0);
		assert_int_equal(scscf_registered(c->scscf), i < 3);
		core_free(c);
	}
}

static void test_hss_failures(void **state)
{
	static const struct {
		enum cx_result result;
		unsigned status;
	} rows[] = {
		{CX_USER_UNKNOWN, 403}, {CX_IDENTITIES_DONT_MATCH, 403},
		{CX_NOT_ALLOWED, 403},	{CX_AUTH_REJECTED, 403},
		{CX_UNABLE, 504},	{CX_SCHEME_NOT_SUPPORTED, 403},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(rows); i++) {
		struct core *c = digest_start(digest_variants[i % 2]);
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		c->fail = true;
		c->failure = rows[i / 2].result;
		assert_int_equal(digest_first(&u), rows[i / 2].status);
		c->fail = false;
		assert_int_equal(digest_first(&u), 401);
		c->fail = true;
		assert_int_equal(ue_digest(&u, &digest_right, "tls-pending"), rows[i / 2].status);
		assert_int_equal(scscf_registered(c->scscf), 0);
		core_pass(c, 241000);
		assert_int_equal(scscf_pending(c->scscf), 0);
		core_free(c);
	}
}

/* covers: DN-07 */
static void test_foreign_impu(void **state)
{
	(void)state;
	for (unsigned hss = 0; hss < N_OF(digest_variants); hss++) {
		struct core *c = digest_start(digest_variants[hss]);
		struct reg_opts o = {.impu = "sip:u2@" C_REALM};
		struct ue u, other;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_init_has(&other, c, 2, UE_DIGEST);
		assert_int_equal(ue_register(&u, &o), 403); /* before any challenge */
		assert_int_equal(core_count(c, SIP_HDR_WWW_AUTHENTICATE), 0);
		core_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attach),	     cmocka_unit_test(test_cm5),
		cmocka_unit_test(test_algorithms),   cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_incomplete),   cmocka_unit_test(test_wrong_when_registered),
		cmocka_unit_test(test_reauth),	     cmocka_unit_test(test_late_hss),
		cmocka_unit_test(test_hss_failures), cmocka_unit_test(test_foreign_impu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
