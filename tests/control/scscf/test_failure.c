/* Registrations that fail, and what is left of them: nothing. */
#include "tests/control/scscf/core.h"

#include <stdio.h>

static struct core *start(uint32_t vectors)
{
	struct scscf_conf conf;

	core_conf(&conf);
	conf.vectors = vectors;
	return core_alloc(&conf, NULL);
}

static void nothing_left(struct core *c, unsigned registered)
{
	assert_int_equal(scscf_pending(c->scscf), 0);
	assert_int_equal(scscf_registered(c->scscf), registered);
	assert_int_equal(timers_count(c->timers), registered);
}

static void no_security_parameters(struct core *c)
{
	assert_null(strstr(c->text, "WWW-Authenticate"));
	assert_null(strstr(c->text, "Authentication-Info"));
	assert_null(strstr(c->text, "Security-"));
}

/* covers: AK-09, ER-02, DF-01, DF-02 */
static void test_wrong_response(void **state)
{
	struct core *c = start(1);
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	assert_int_equal(ue_respond(&u, UE_WRONG_RES), 403);
	no_security_parameters(c);
	assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
	assert_int_equal(c->puts[CX_NOT_REGISTERED], 1);
	nothing_left(c, 0);
	ue_attach(&u); /* and a new run is welcome */

	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	assert_int_equal(ue_respond(&u, UE_WRONG_RES), 403);
	assert_int_equal(core_flag(c, 1), CX_REGISTERED); /* the flag stays, and there is no CM3 */
	assert_int_equal(c->puts[CX_NOT_REGISTERED], 1);
	nothing_left(c, 1);
	core_free(c);
}

/* A challenge is good for one answer, and an answer for one challenge. */
static void test_answer_once(void **state)
{
	static const char stranger[] = "Digest username=\"u1@home.net\", realm=\"home.net\", "
				       "uri=\"sip:home.net\", nonce=\"AAAA\", response=\"00\"";
	struct scscf_conf conf;
	struct core *c;
	char value[1024];
	struct reg_opts o = {.authorization = value, .integrity = "yes"};
	struct ue u;

	(void)state;
	core_conf(&conf);
	conf.challenge_protected = true;
	c = core_alloc(&conf, NULL);
	ue_init(&u, c, 1);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	ue_answer(&u, UE_RIGHT, value, sizeof(value));
	assert_int_equal(
		ue_register(&u, &(struct reg_opts){.authorization = stranger, .integrity = "yes"}),
		403);
	assert_int_equal(ue_register(&u, &o), 200); /* the run was not disturbed */
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	assert_int_equal(ue_register(&u, &o), 401);
	core_free(c);
}

/* Everything that is in the digest counts. */
static void test_altered_response(void **state)
{
	static const struct {
		const char *find, *put;
	} cases[] = {
		{"uri=\"sip:home.net\"", "uri=\"sip:hame.net\""},
		{"realm=\"home.net\"", "realm=\"hame.net\""},
		{"cnonce=\"0a4f113b\"", "cnonce=\"0b4f113b\""},
		{"nc=00000001", "nc=00000002"},
		{"response=\"", "response=\"\", x=\""},
		{"algorithm=AKAv1-MD5", "algorithm=SHA-256  "},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct core *c = start(1);
		char value[1024], altered[1100], *at;
		struct reg_opts o = {.authorization = altered, .integrity = "yes"};
		struct ue u;

		ue_init(&u, c, 1);
		assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
		ue_answer(&u, UE_RIGHT, value, sizeof(value));
		at = strstr(value, cases[i].find);
		assert_non_null(at);
		snprintf(altered, sizeof(altered), "%.*s%s%s", (int)(at - value), value,
			 cases[i].put, at + strlen(cases[i].find));
		assert_int_equal(ue_register(&u, &o), 403);
		assert_int_equal(scscf_registered(c->scscf), 0);
		nothing_left(c, 0);
		core_free(c);
	}
}

/* covers: AK-13 */
static void test_right_answer_in_clear(void **state)
{
	struct core *c = start(1);
	char value[1024];
	struct reg_opts o = {.authorization = value, .integrity = "no"};
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	ue_answer(&u, UE_RIGHT, value, sizeof(value));
	assert_int_equal(ue_register(&u, &o), 401);
	assert_int_equal(scscf_registered(c->scscf), 0);
	core_free(c);
}

/* covers: F27 */
static void test_incomplete_response(void **state)
{
	struct core *c = start(1);
	char value[1024], *nc;
	struct reg_opts o = {.authorization = value, .integrity = "yes"};
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	ue_answer(&u, UE_RIGHT, value, sizeof(value));
	nc = strstr(value, ", nc=00000001");
	assert_non_null(nc);
	memmove(nc, nc + 13, strlen(nc + 13) + 1);
	assert_int_equal(ue_register(&u, &o), 400);
	assert_non_null(strstr(c->text, "Warning: 399 s-cscf \"qop without nc or cnonce\""));
	assert_int_equal(scscf_pending(c->scscf), 1); /* the run goes on */
	core_free(c);
}

/* covers: ER-06, D-07 */
static void test_mac_failure(void **state)
{
	static const char *const integrity[] = {"yes", "no", NULL};

	(void)state;
	for (unsigned i = 0; i < N_OF(integrity); i++) {
		struct core *c = start(1);
		char value[1024];
		struct reg_opts o = {.authorization = value, .integrity = integrity[i]};
		struct ue u;

		ue_init(&u, c, 1);
		assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
		ue_answer(&u, UE_MAC_FAILURE, value, sizeof(value));
		assert_int_equal(ue_register(&u, &o), 403);
		no_security_parameters(c);
		assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
		nothing_left(c, 0);
		core_free(c);
	}
}

static void test_bad_auts(void **state)
{
	static const struct {
		const char *auts;
		unsigned status;
	} cases[] = {
		{"AAAAAAAAAAAAAAAAAAA=", 403}, /* 14 octets that do not verify */
		{"AAAA", 400},
		{"AAAAAAAAAAAAAAAAAAAAAAAAAAAA", 400},
		{"no base64!", 400},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct core *c = start(1);
		char value[1024];
		struct ue u;

		ue_init(&u, c, 1);
		assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
		snprintf(value, sizeof(value),
			 "Digest username=\"%s\", realm=\"home.net\", nonce=\"%.*s\", "
			 "uri=\"sip:home.net\", response=\"\", auts=\"%s\"",
			 u.impi, SV_ARG(u.challenge.nonce), cases[i].auts);
		assert_int_equal(ue_register(&u, &(struct reg_opts){.authorization = value}),
				 cases[i].status);
		core_pass(c, 241 * 1000);
		nothing_left(c, 0);
		assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
		core_free(c);
	}
}

/* covers: DF-05 */
static void test_new_run_voids_old(void **state)
{
	struct core *c = start(1);
	char first[1024], second[1024];
	struct reg_opts o = {.integrity = "yes"};
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	ue_answer(&u, UE_RIGHT, first, sizeof(first));
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	ue_answer(&u, UE_RIGHT, second, sizeof(second));
	assert_int_equal(scscf_pending(c->scscf), 1);
	o.authorization = first;
	assert_int_equal(ue_register(&u, &o), 403);
	assert_int_equal(scscf_registered(c->scscf), 0);
	o.authorization = second;
	assert_int_equal(ue_register(&u, &o), 200);
	core_free(c);
}

/* covers: DF-06, D-20 */
static void test_await_auth(void **state)
{
	struct core *c = start(3);
	char value[1024];
	struct reg_opts o = {.authorization = value, .integrity = "yes"};
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	ue_answer(&u, UE_RIGHT, value, sizeof(value));
	core_pass(c, 239 * 1000);
	assert_int_equal(core_flag(c, 1), CX_PENDING);
	core_pass(c, 1000);
	assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
	assert_int_equal(c->puts[CX_NOT_REGISTERED], 1);
	assert_int_equal(scscf_pending(c->scscf), 0);
	assert_int_equal(ue_register(&u, &o), 401); /* too late */
	core_pass(c, 240 * 1000);
	core_pass(c, 240 * 1000);
	nothing_left(c, 0); /* nor vectors */

	ue_attach(&u);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	core_pass(c, 241 * 1000);
	assert_int_equal(core_flag(c, 1), CX_REGISTERED); /* unchanged if it was */
	assert_int_equal(c->puts[CX_NOT_REGISTERED], 2);
	assert_int_equal(scscf_registered(c->scscf), 1);
	core_free(c);
}

/* What the HSS refuses or cannot do. */
static void test_hss_failures(void **state)
{
	static const struct {
		enum cx_result result;
		unsigned status;
	} cases[] = {
		{CX_USER_UNKNOWN, 403}, {CX_IDENTITIES_DONT_MATCH, 403},
		{CX_NOT_ALLOWED, 403},	{CX_AUTH_REJECTED, 403},
		{CX_UNABLE, 504},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct core *c = start(1);
		struct ue u;

		ue_init(&u, c, 1);
		c->fail = true;
		c->failure = cases[i].result;
		assert_int_equal(ue_register(&u, &(struct reg_opts){0}), cases[i].status);
		nothing_left(c, 0);
		c->fail = false;
		assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
		c->fail = true;
		assert_int_equal(ue_respond(&u, UE_RIGHT), cases[i].status);
		nothing_left(c, 0);
		core_free(c);
	}
}

/* One's own right answer does not register another's identity. */
static void test_foreign_impu(void **state)
{
	struct core *c = start(1);
	char value[1024];
	struct reg_opts o = {.authorization = value, .integrity = "yes", .impu = "sip:u2@" C_REALM};
	struct ue u, v;

	(void)state;
	ue_init(&u, c, 1);
	ue_init(&v, c, 2);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	ue_answer(&u, UE_RIGHT, value, sizeof(value));
	assert_int_equal(ue_register(&u, &o), 403); /* by the I-CSCF */
	assert_int_equal(scscf_registered(c->scscf), 0);
	core_free(c);
}

static void direct(struct ue *u, const char *impu, const char *authorization, const char *expires)
{
	char text[4096];

	u->cseq++;
	snprintf(text, sizeof(text),
		 "REGISTER sip:scscf.home.net SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bKd%u\r\n"
		 "From: <%s>;tag=f\r\nTo: <%s>\r\nCall-ID: d\r\nCSeq: %u REGISTER\r\n"
		 "Contact: <%s>\r\nExpires: %s\r\nAuthorization: %s\r\nContent-Length: 0\r\n\r\n",
		 u->cseq, impu, impu, u->cseq, u->contact, expires, authorization);
	core_send(u->core, "scscf.home.net", text);
}

/* The same past the I-CSCF: the S-CSCF's Cx-Put finds out. */
static void test_foreign_impu_direct(void **state)
{
	static const char *const expires[] = {"600", "0"};

	(void)state;
	for (unsigned i = 0; i < N_OF(expires); i++) {
		struct core *c = start(1);
		char value[1024], protected[1100];
		struct ue u, v;

		ue_init(&u, c, 1);
		ue_init(&v, c, 2);
		ue_attach(&v);
		assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
		ue_answer(&u, UE_RIGHT, value, sizeof(value));
		snprintf(protected, sizeof(protected), "%s, integrity-protected=\"yes\"", value);
		direct(&u, "sip:u2@" C_REALM, protected, expires[i]);
		assert_int_equal(c->m.status, 403);
		assert_int_equal(scscf_registered(c->scscf), 1); /* v, still */
		assert_int_equal(core_flag(c, 2), CX_REGISTERED);
		assert_int_equal(ue_refresh(&v), 200);
		core_free(c);
	}
}

/* The same by somebody who is registered, as a refresh for which no new AKA run is asked. */
static void test_foreign_impu_refresh(void **state)
{
	struct core *c = start(1);
	char authorization[1100];
	struct ue u, v;

	(void)state;
	ue_init(&u, c, 1);
	ue_init(&v, c, 2);
	ue_attach(&u);
	snprintf(authorization, sizeof(authorization), "%s, integrity-protected=\"yes\"", u.good);
	direct(&u, "sip:u2@" C_REALM, authorization, "600");
	assert_int_equal(c->m.status, 403);
	assert_int_equal(core_flag(c, 2), CX_NOT_REGISTERED);
	core_free(c);
}

/* An answer for another realm is none, even if its digest is sound. */
static void test_other_realm(void **state)
{
	struct core *c = start(1);
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	u.challenge.realm = SV("elsewhere.net");
	assert_int_equal(ue_respond(&u, UE_RIGHT), 403);
	core_free(c);
}

static void test_refused(void **state)
{
	static const struct {
		struct reg_opts o;
		unsigned status;
		const char *has;
	} cases[] = {
		{{.expires = "59"}, 423, "Min-Expires: 60\r\n"},
		{{.contact = "<sip:u@h>;expires=1"}, 423, "Min-Expires: 60\r\n"},
		{{.fields = "Require: gruu\r\n"}, 420, "Unsupported: gruu\r\n"},
		{{.fields = "Proxy-Require: sec-agree\r\n"}, 420, "Unsupported: sec-agree\r\n"},
		{{.contact = "*"}, 400, ""},
		{{.contact = "*, <sip:u@h>", .expires = "0"}, 400, ""},
		{{.contact = "*;expires=0"}, 400, ""},
		{{.contact = "<sip:u@h"}, 400, ""},
		{{.contact = "<mailto:u@h>"}, 400, ""},
		{{.contact = "<tel:+49>"}, 400, ""},
		{{.impu = "mailto:u1@home.net"}, 400, ""},
		{{.impu = "tel:+491001", .authorization = ""},
		 400,
		 ""}, /* no IMPI follows from it */
		{{.authorization = "Basic dTE="}, 400, ""},
		{{.authorization = "Digest realm=\"home.net\""}, 400, ""},
		{{.authorization =
			  "Digest username=\"nobody@home.net\", realm=\"home.net\", nonce=\"\", "
			  "uri=\"sip:home.net\", response=\"\""},
		 403,
		 ""},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct core *c = start(1);
		struct ue u;

		ue_init(&u, c, 1);
		assert_int_equal(ue_register(&u, &cases[i].o), cases[i].status);
		assert_non_null(strstr(c->text, cases[i].has));
		assert_int_equal(c->asked[CX_MAR], 0); /* no vector is spent */
		nothing_left(c, 0);
		core_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_response),
		cmocka_unit_test(test_answer_once),
		cmocka_unit_test(test_altered_response),
		cmocka_unit_test(test_right_answer_in_clear),
		cmocka_unit_test(test_incomplete_response),
		cmocka_unit_test(test_mac_failure),
		cmocka_unit_test(test_bad_auts),
		cmocka_unit_test(test_new_run_voids_old),
		cmocka_unit_test(test_await_auth),
		cmocka_unit_test(test_hss_failures),
		cmocka_unit_test(test_foreign_impu),
		cmocka_unit_test(test_foreign_impu_direct),
		cmocka_unit_test(test_foreign_impu_refresh),
		cmocka_unit_test(test_other_realm),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
