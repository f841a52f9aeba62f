/* Requests and responses other than of registration. */
#include "tests/control/scscf/core.h"

#include <stdio.h>

#include "control/sip/edit.h"

static unsigned vias(struct core *c)
{
	struct sip_list l = {.msg = &c->m, .id = SIP_HDR_VIA};
	struct sv element;
	unsigned n = 0;

	while (sip_list_walk(&l, &element))
		n++;
	return n;
}

static void at_b(struct core_pair *t, const char *method, const char *called)
{
	char expected[160];

	assert_int_equal(t->c->n_received, 1);
	assert_true(t->c->m.request);
	assert_true(sv_eq(t->c->m.method_name, sv_of(method)));
	assert_true(sv_eq(t->c->m.uri, sv_of(t->b.contact)));
	assert_string_equal(core_field(t->c, SIP_HDR_ROUTE), "<sip:term@pcscf.visited.net;lr>");
	snprintf(expected, sizeof(expected), "<%s>", called);
	assert_string_equal(core_field(t->c, SIP_HDR_P_CALLED_PARTY_ID), expected);
	assert_true(sv_eq(t->c->m.body, SV("hello")));
	assert_non_null(strstr(t->c->text, "P-Asserted-Identity: <sip:u1@home.net>\r\n"));
}

static void test_message(void **state)
{
	static const char *const callees[] = {
		"sip:u2@home.net",
		"sip:u2@HOME.NET:5060;transport=udp",
		"sips:u2@home.net",
		"sip:alias2@home.net",
		"tel:+491002",
		"tel:+49-100-2",
		"sip:+491002@home.net;user=phone",
	};
	struct core_pair *t = *state;

	for (unsigned i = 0; i < N_OF(callees); i++) {
		ue_request(&t->a, "MESSAGE", callees[i], "P-Called-Party-ID: <sip:forged@x>\r\n");
		at_b(t, "MESSAGE", callees[i]);
		assert_int_equal(vias(t->c), 3); /* UE, P-CSCF, S-CSCF */
		assert_string_equal(core_field(t->c, SIP_HDR_MAX_FORWARDS), "68");
		assert_null(sip_msg_find(&t->c->m, SIP_HDR_RECORD_ROUTE));
		assert_int_equal(t->c->asked[CX_LIR], 0);
	}
	ue_request(&t->a, "SUBSCRIBE", "sip:u2@home.net", "Event: registry\r\n");
	at_b(t, "SUBSCRIBE", "sip:u2@home.net");
	ue_request(&t->a, "FROBNICATE", "sip:u2@home.net", "Require: what-ever\r\n");
	at_b(t, "FROBNICATE", "sip:u2@home.net"); /* Require is the other UE's affair */
}

/* The response goes back the way the request came. */
static void test_response(void **state)
{
	struct core_pair *t = *state;
	char text[4096];
	struct sbuf b = sbuf_of(text, sizeof(text) - 1);

	ue_request(&t->a, "MESSAGE", "sip:u2@home.net", "");
	sip_reply_begin(&b, &t->c->m, 200, SV("t"));
	sip_reply_end(&b, (struct sv){0});
	text[b.n] = '\0';
	core_send(t->c, "scscf.home.net", text);
	assert_int_equal(t->c->m.status, 200);
	assert_int_equal(vias(t->c), 2);
	core_send(t->c, "scscf.home.net", t->c->text); /* a response that is not for it */
	assert_int_equal(t->c->n_received, 0);
	assert_int_equal(scscf_dropped(t->c->scscf), 1);
}

static void test_refused(void **state)
{
	static const struct {
		const char *method, *uri, *fields;
		unsigned status; /* 0: dropped */
	} cases[] = {
		{"MESSAGE", "sip:nobody@home.net", "", 404},
		{"MESSAGE", "tel:+4999", "", 404},
		{"MESSAGE", "sip:u3@home.net", "", 480}, /* there is one, but not registered */
		{"MESSAGE", "tel:+491003", "", 480},
		{"MESSAGE", "sip:+491003@home.net;user=phone", "", 480},
		{"MESSAGE", "sip:+4999@home.net;user=phone", "", 404},
		{"MESSAGE", "sip:carol@elsewhere.net", "", 404},
		{"MESSAGE", "mailto:carol@home.net", "", 404},
		{"INVITE", "sip:nobody@home.net", "", 404},
		{"MESSAGE", "sip:u2@home.net", "Proxy-Require: foo\r\n", 420},
		{"SUBSCRIBE", "sip:u1@home.net", "Event: reg;id=1\r\n",
		 400}, /* no Contact; not back to the UE */
		{"SUBSCRIBE", "sip:u2@home.net", "Event: reg\r\n", 403},
		{"ACK", "sip:nobody@home.net", "", 0},
		{"CANCEL", "sip:nobody@home.net", "", 404},
	};
	struct core_pair *t = *state;
	struct ue u;

	ue_init(&u, t->c, 3);
	for (unsigned i = 0; i < N_OF(cases); i++) {
		ue_request(&t->a, cases[i].method, cases[i].uri, cases[i].fields);
		assert_int_equal(t->c->n_received, cases[i].status ? 1 : 0);
		assert_int_equal(t->c->m.status, cases[i].status);
	}
}

static void test_max_forwards(void **state)
{
	static const struct {
		const char *value;
		unsigned status; /* 0: passed on */
	} cases[] = {{"0", 483}, {"1", 0}, {"-1", 400}, {"255", 0}, {"256", 400}};
	struct core_pair *t = *state;
	char text[2048];

	for (unsigned i = 0; i < N_OF(cases); i++) {
		snprintf(text, sizeof(text),
			 "MESSAGE sip:u2@home.net SIP/2.0\r\n"
			 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bK1\r\n"
			 "Route: <sip:orig@scscf.home.net;lr>\r\nMax-Forwards: %s\r\n"
			 "From: <sip:u1@home.net>;tag=f\r\nTo: <sip:u2@home.net>\r\n"
			 "Call-ID: m\r\nCSeq: 1 MESSAGE\r\n"
			 "P-Asserted-Identity: <sip:u1@home.net>\r\n\r\n",
			 cases[i].value);
		core_send(t->c, "scscf.home.net", text);
		assert_int_equal(t->c->n_received, 1);
		assert_int_equal(t->c->m.status, cases[i].status);
	}
}

static void from(struct core_pair *t, const char *method, const char *identity)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s sip:u2@home.net SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bK1\r\n"
		 "Route: <sip:orig@scscf.home.net;lr>\r\n%s"
		 "From: <sip:u1@home.net>;tag=f\r\nTo: <sip:u2@home.net>\r\n"
		 "Call-ID: m\r\nCSeq: 1 %s\r\n\r\n",
		 method, identity, method);
	core_send(t->c, "scscf.home.net", text);
}

/* Whom the P-CSCF vouches for must be registered here; From does not count. */
static void test_asserted_identity(void **state)
{
	static const struct {
		const char *identity;
		unsigned status;
	} cases[] = {
		{"P-Asserted-Identity: \"A\" <sip:u1@home.net>\r\n", 0},
		{"P-Asserted-Identity: <tel:+491001>\r\n", 0},
		{"P-Asserted-Identity: <sip:alias1@home.net>\r\n", 0},
		{"P-Asserted-Identity: <sip:x@y>, <tel:+491001>\r\n", 0},
		{"P-Asserted-Identity: <sip:x@y>\r\nP-Asserted-Identity: <tel:+491001>\r\n", 0},
		{"P-Asserted-Identity: <sip:nobody@home.net>\r\n", 403},
		{"P-Asserted-Identity: <broken\r\n", 403},
		{"P-Preferred-Identity: <sip:u1@home.net>\r\n", 403},
		{"", 403},
	};
	struct core_pair *t = *state;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		from(t, "MESSAGE", cases[i].identity);
		assert_int_equal(t->c->n_received, 1);
		assert_int_equal(t->c->m.status, cases[i].status);
	}
	/* CANCEL and ACK are the P-CSCF's own and follow their INVITE */
	from(t, "CANCEL", "");
	assert_true(t->c->m.request);
	from(t, "ACK", "");
	assert_true(t->c->m.request);
	/* no longer registered */
	assert_int_equal(ue_detach(&t->a), 200);
	ue_request(&t->a, "MESSAGE", "sip:u2@home.net", "");
	assert_int_equal(t->c->m.status, 403);
}

/* covers: DF-02 */
static void test_reachable_after_failure(void **state)
{
	struct core_pair *t = *state;

	assert_int_equal(ue_register(&t->b, &(struct reg_opts){0}), 401);
	assert_int_equal(ue_respond(&t->b, UE_WRONG_RES), 403);
	ue_request(&t->a, "MESSAGE", "sip:u2@home.net", "");
	at_b(t, "MESSAGE", "sip:u2@home.net");
}

static void test_gone(void **state)
{
	struct core_pair *t = *state;

	assert_int_equal(ue_detach(&t->b), 200);
	ue_request(&t->a, "MESSAGE", "sip:u2@home.net", "");
	assert_int_equal(t->c->m.status, 480);
	ue_attach(&t->b);
	ue_request(&t->a, "MESSAGE", "tel:+491002", "");
	at_b(t, "MESSAGE", "tel:+491002");
	core_pass(t->c, 600 * 1000); /* both have expired */
	ue_attach(&t->a);
	ue_request(&t->a, "MESSAGE", "tel:+491002", "");
	assert_int_equal(t->c->m.status, 480);
}

/* The HSS believes that we have the user, but we have not: as after a restart. */
static void test_stale_hss(void **state)
{
	struct core_pair *t = *state;
	struct ue u;

	ue_init(&u, t->c, 3);
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401); /* names the S-CSCF */
	ue_request(&t->a, "MESSAGE", "sip:u3@home.net", "");
	assert_int_equal(t->c->n_received, 1);
	assert_int_equal(t->c->m.status, 480);
	assert_int_equal(t->c->asked[CX_LIR], 1);
	assert_int_equal(ue_respond(&u, UE_RIGHT), 200);
}

/* ---- dialogs ------------------------------------------------------------------------------ */

static void test_record_route(void **state)
{
	static const struct {
		const char *method, *to_tag;
		bool recorded;
	} cases[] = {
		{"INVITE", "", true},	     {"SUBSCRIBE", "", true}, {"REFER", "", true},
		{"INVITE", ";tag=x", false}, {"MESSAGE", "", false},  {"PUBLISH", "", false},
		{"CANCEL", "", false},
	};
	struct core_pair *t = *state;
	char text[2048];

	for (unsigned i = 0; i < N_OF(cases); i++) {
		snprintf(text, sizeof(text),
			 "%s sip:u2@home.net SIP/2.0\r\n"
			 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bK1\r\n"
			 "Record-Route: <sip:pcscf.visited.net;lr>\r\n"
			 "Route: <sip:orig@scscf.home.net;lr>\r\n"
			 "P-Asserted-Identity: <sip:u1@home.net>\r\n"
			 "From: <sip:u1@home.net>;tag=f\r\nTo: <sip:u2@home.net>%s\r\n"
			 "Call-ID: m\r\nCSeq: 1 %s\r\n\r\n",
			 cases[i].method, cases[i].to_tag, cases[i].method);
		core_send(t->c, "scscf.home.net", text);
		assert_int_equal(t->c->n_received, 1);
		assert_string_equal(core_field(t->c, SIP_HDR_RECORD_ROUTE),
				    cases[i].recorded ? "<sip:dialog@scscf.home.net;lr>"
						      : "<sip:pcscf.visited.net;lr>");
	}
}

static void in_dialog(struct core_pair *t, const char *method, const char *route)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s sip:u2@192.0.2.7:6002 SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bK1\r\n"
		 "Route: <sip:dialog@scscf.home.net;lr>%s\r\n"
		 "From: <sip:u1@home.net>;tag=f\r\nTo: <sip:u2@home.net>;tag=x\r\n"
		 "Call-ID: m\r\nCSeq: 2 %s\r\n\r\n",
		 method, route, method);
	core_send(t->c, "scscf.home.net", text);
}

static void test_in_dialog(void **state)
{
	struct core_pair *t = *state;

	in_dialog(t, "BYE", ", <sip:pcscf.visited.net;lr>");
	assert_true(t->c->m.request);
	assert_true(sv_eq(t->c->m.uri, SV("sip:u2@192.0.2.7:6002"))); /* untouched */
	assert_string_equal(core_field(t->c, SIP_HDR_ROUTE), "<sip:pcscf.visited.net;lr>");
	assert_null(sip_msg_find(&t->c->m, SIP_HDR_P_CALLED_PARTY_ID));
	in_dialog(t, "ACK", ", <sip:pcscf.visited.net;lr>");
	assert_true(t->c->m.request);
	in_dialog(t, "BYE", ""); /* nobody there */
	assert_int_equal(t->c->m.status, 404);
	in_dialog(t, "ACK", "");
	assert_int_equal(t->c->n_received, 0);
	/* two of ours in a row: both sides of one dialog */
	in_dialog(t, "BYE", ", <sip:dialog@scscf.home.net;lr>, <sip:pcscf.visited.net;lr>");
	assert_true(t->c->m.request);
	assert_int_equal(vias(t->c), 3);
}

/* ---- itself ------------------------------------------------------------------------------- */

static void to_itself(struct core_pair *t, const char *method, const char *fields)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s sip:scscf.home.net SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bK1\r\n%s"
		 "From: <sip:u1@home.net>;tag=f\r\nTo: <sip:scscf.home.net>\r\n"
		 "Call-ID: m\r\nCSeq: 1 %s\r\n\r\n",
		 method, fields, method);
	core_send(t->c, "scscf.home.net", text);
}

static void test_itself(void **state)
{
	struct core_pair *t = *state;

	to_itself(t, "OPTIONS", "");
	assert_int_equal(t->c->m.status, 200);
	assert_string_equal(core_field(t->c, SIP_HDR_ALLOW), "OPTIONS, REGISTER, SUBSCRIBE");
	to_itself(t, "OPTIONS", "Require: x, y\r\n");
	assert_int_equal(t->c->m.status, 420);
	assert_string_equal(core_field(t->c, SIP_HDR_UNSUPPORTED), "x, y");
	to_itself(t, "MESSAGE", "");
	assert_int_equal(t->c->m.status, 405);
	to_itself(t, "CANCEL", "");
	assert_int_equal(t->c->m.status, 481);
}

static void test_malformed(void **state)
{
	static const char *const texts[] = {
		"",
		"\r\n\r\n",
		"MESSAGE sip:x SIP/2.0\r\n\r\n",
		"SIP/2.0 200 OK\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
	};
	struct core_pair *t = *state;

	for (unsigned i = 0; i < N_OF(texts); i++) {
		core_send(t->c, "scscf.home.net", texts[i]);
		assert_int_equal(t->c->n_received, 0);
		assert_int_equal(scscf_dropped(t->c->scscf), i + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_message, core_pair_setup, core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_response, core_pair_setup, core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_refused, core_pair_setup, core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_max_forwards, core_pair_setup,
						core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_asserted_identity, core_pair_setup,
						core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_reachable_after_failure, core_pair_setup,
						core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_gone, core_pair_setup, core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_stale_hss, core_pair_setup,
						core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_record_route, core_pair_setup,
						core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_in_dialog, core_pair_setup,
						core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_itself, core_pair_setup, core_pair_teardown),
		cmocka_unit_test_setup_teardown(test_malformed, core_pair_setup,
						core_pair_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
