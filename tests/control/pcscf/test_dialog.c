/* Route sets of dialogs: what the core recorded, whatever the UE writes (TS 24.229 5.2.6.3). */
#include "tests/control/pcscf/rig.h"

static struct rig r;
static struct rig_ue u;
static char path[RIG_PATH];

#define SERVICE_ROUTE "<sip:orig@" RIG_SCSCF ";lr>"
#define CALLEES	      "<sip:dialog@" RIG_SCSCF ";lr>, <sip:far@far.test;lr>"

static int setup(void **state)
{
	(void)state;
	rig_start(&r, &u, path, 600000);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_end(&r);
	return 0;
}

static void says(const char *method, const char *call, unsigned cseq, const char *to_tag,
		 const char *fields)
{
	struct sip_flow from = rig_flow(&r, &u, u.set);
	static unsigned branch;

	rig_from_ue(&r, &from,
		    "%s sip:bob@192.0.2.5 SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKdlg%u\r\n"
		    "Max-Forwards: 70\r\nFrom: <sip:alice@home.test>;tag=1\r\n"
		    "To: <sip:bob@home.test>%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n%s"
		    "Contact: <sip:[2001:db8::77]:5070>\r\nContent-Length: 0\r\n\r\n",
		    method, branch++, to_tag ? ";tag=" : "", to_tag ? to_tag : "", call, cseq,
		    method, fields);
}

/* A response of the core to the INVITE at that place of the box, from one fork. */
static void fork_answers(const struct rig_message *request, unsigned status, const char *tag,
			 const char *fields)
{
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_reply_begin(&b, &request->m, status, sv_of(tag));
	sbuf_printf(&b,
		    "Record-Route: <sip:far@far.test;lr>, <sip:dialog@" RIG_SCSCF ";lr>, %s\r\n%s",
		    path, fields);
	sip_reply_end(&b, (struct sv){0});
	assert_false(b.overflow);
	mw_send(r.mw, SV(RIG_HOST), sbuf_sv(&b));
	mw_run(r.mw, r.now);
}

static const struct rig_message *invite(const char *call)
{
	says("INVITE", call, 1, NULL, "");
	return rig_last_core(&r);
}

static void assert_route(const char *method, const char *call, unsigned cseq, const char *tag,
			 const char *expected)
{
	char fields[512];

	/* our own elements first, as in a real dialog; then where the UE would like to go */
	snprintf(fields, sizeof(fields),
		 "Route: <sip:[2001:db8::1]:6060;lr>, %s, <sip:" RIG_ICSCF ";lr>\r\n", path);
	says(method, call, cseq, tag, fields);
	assert_int_equal(rig_last_core(&r)->m.cseq, cseq);
	assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), expected);
	assert_true(rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:alice@home.test>"));
}

static void route_is_that_of_the_dialog(void **state)
{
	const struct rig_message *m = invite("c1");

	(void)state;
	/* no dialog yet: known tokens help nothing */
	assert_route("BYE", "c1", 5, "t1", SERVICE_ROUTE);
	fork_answers(m, 183, "t1", "Require: 100rel\r\nRSeq: 1\r\n");
	assert_int_equal(rig_counters(&r).dialogs, 1);
	assert_route("PRACK", "c1", 6, "t1", CALLEES);
	rig_answer(&r, 200, "%s", "");
	fork_answers(m, 200, "t1", "Contact: <sip:bob@192.0.2.5>\r\n");
	assert_route("ACK", "c1", 1, "t1", CALLEES);
	assert_route("UPDATE", "c1", 7, "t1", CALLEES);
	rig_answer(&r, 200, "%s", "");
	assert_route("INFO", "c1", 8, "t1", CALLEES);
	rig_answer(&r, 200, "%s", "");
	/* other tags and other calls are other dialogs */
	assert_route("BYE", "c1", 9, "t2", SERVICE_ROUTE);
	assert_route("BYE", "c2", 10, "t1", SERVICE_ROUTE);
	assert_route("BYE", "c1", 11, "t1", CALLEES);
	assert_int_equal(rig_counters(&r).dialogs, 1);
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_counters(&r).dialogs, 0);
	assert_route("INFO", "c1", 12, "t1", SERVICE_ROUTE);
}

static void forks_are_dialogs_of_their_own(void **state)
{
	const struct rig_message *m = invite("f");

	(void)state;
	fork_answers(m, 180, "a", "");
	fork_answers(m, 180, "b", "");
	assert_int_equal(rig_counters(&r).dialogs, 2);
	fork_answers(m, 200, "b", "");
	fork_answers(m, 200, "c", ""); /* behind the final one, never heard of before */
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	assert_true(sv_eq(rig_last_ue(&r)->m.to_tag, SV("c")));
	assert_route("ACK", "f", 1, "b", CALLEES);
	assert_route("ACK", "f", 1, "c", CALLEES);
	/* who never answers is forgotten after timer C */
	rig_run(&r, 186000);
	assert_int_equal(rig_counters(&r).dialogs, 2);
	assert_route("BYE", "f", 3, "a", SERVICE_ROUTE);
}

static void failed_invite_leaves_nothing(void **state)
{
	const struct rig_message *m = invite("x");

	(void)state;
	fork_answers(m, 180, "a", "");
	fork_answers(m, 183, "b", "");
	fork_answers(m, 486, "b", "");
	assert_int_equal(rig_counters(&r).dialogs, 0);
	/* nor does one that nobody answers any more: timer C */
	m = invite("y");
	fork_answers(m, 180, "a", "");
	rig_run(&r, 450000);
	assert_int_equal(rig_counters(&r).dialogs, 0);
	assert_int_equal(rig_counters(&r).transactions, 0);
}

static void called(const char *call)
{
	rig_from_core(&r,
		      "INVITE sip:alice@[2001:db8::77]:5070 SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bK%s\r\nRoute: %s\r\n"
		      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=b\r\n"
		      "To: <sip:alice@home.test>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\n"
		      "Record-Route: <sip:dialog@" RIG_SCSCF ";lr>\r\n"
		      "Record-Route: <sip:far@far.test;lr>\r\nContent-Length: 0\r\n\r\n",
		      call, path, call);
}

/* The callee echoes Record-Route, and may lie. */
static void callee_does_not_choose_its_route(void **state)
{
	struct sip_flow from = rig_flow(&r, &u, u.set);
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	(void)state;
	called("in");
	sip_reply_begin(&b, &rig_last_ue(&r)->m, 200, SV("1"));
	sbuf_printf(&b, "Record-Route: <sip:" RIG_ICSCF ";lr>\r\n");
	sip_reply_end(&b, (struct sv){0});
	pcscf_input(r.p, &from, sbuf_sv(&b), r.now);
	mw_run(r.mw, r.now);
	assert_int_equal(rig_last_core(&r)->m.status, 200);
	assert_int_equal(rig_counters(&r).dialogs, 1);
	assert_route("BYE", "in", 1, "b", CALLEES);
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_counters(&r).dialogs, 0);
}

/* The core in the call "in", or the callee that was dialled by a name that is none of its own. */
static void core_says(const char *method, unsigned cseq)
{
	rig_from_core(&r,
		      "%s sip:alice@[2001:db8::77]:5070 SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKrf%u\r\nRoute: %s\r\n"
		      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=b\r\n"
		      "To: <sip:alias@home.test>;tag=1\r\nCall-ID: in\r\nCSeq: %u %s\r\n"
		      "Content-Length: 0\r\n\r\n",
		      method, cseq, path, cseq, method);
}

static void ue_answers(unsigned status)
{
	struct sip_flow from = rig_flow(&r, &u, u.set);
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_reply_begin(&b, &rig_last_ue(&r)->m, status, SV("1"));
	sip_reply_end(&b, (struct sv){0});
	pcscf_input(r.p, &from, sbuf_sv(&b), r.now);
	mw_run(r.mw, r.now);
}

static void ue_notifies(unsigned cseq, const char *state)
{
	struct sip_flow from = rig_flow(&r, &u, u.set);

	rig_from_ue(&r, &from,
		    "NOTIFY sip:bob@192.0.2.5 SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKnf%u\r\n"
		    "Max-Forwards: 70\r\nFrom: <sip:alias@home.test>;tag=1\r\n"
		    "To: <sip:bob@home.test>;tag=b\r\nCall-ID: in\r\nCSeq: %u NOTIFY\r\n"
		    "Event: refer\r\nSubscription-State: %s\r\nContent-Length: 0\r\n\r\n",
		    cseq, cseq, state);
	assert_int_equal(rig_last_core(&r)->m.method, SIP_NOTIFY);
	assert_int_equal(rig_last_core(&r)->m.cseq, cseq);
	rig_answer(&r, 200, "%s", "");
}

/* Blind transfer: BYE comes before the last NOTIFY (RFC 5057 5.1). */
static void refer_outlasts_its_call(void **state)
{
	(void)state;
	for (unsigned refers = 0; refers < 2; refers++) {
		rig_forget(&r);
		called("in");
		ue_answers(200);
		core_says(refers ? "REFER" : "INFO", 10 + 10 * refers);
		ue_answers(refers ? 202 : 200);
		core_says("BYE", 11 + 10 * refers);
		ue_answers(200);
		assert_int_equal(rig_counters(&r).dialogs, refers);
		if (!refers)
			rig_run(&r, 200000); /* the next call has its branches */
	}
	ue_notifies(1, "active;expires=60");
	assert_int_equal(rig_counters(&r).dialogs, 1);
	ue_notifies(2, "terminated;reason=noresource");
	assert_int_equal(rig_counters(&r).dialogs, 0);
}

/* Another UE cannot use a dialog that it has heard of, nor end it. */
static void dialogs_are_their_ues(void **state)
{
	const struct rig_message *m = invite("mine");
	struct rig_ue alice = u;

	(void)state;
	fork_answers(m, 200, "t", "");
	rig_ue_init(&u, "bob", "2001:db8::78");
	rig_registered(&r, &u, 0, 600);
	struct sip_flow from = rig_flow(&r, &u, u.set);

	rig_forget(&r);
	for (unsigned named = 0; named < 2; named++) { /* nor say so under its name */
		rig_from_ue(&r, &from,
			    "BYE sip:bob@192.0.2.5 SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP [2001:db8::78]:5070;branch=z9hG4bKthief%u\r\n"
			    "Max-Forwards: 70\r\nFrom: <sip:alice@home.test>;tag=1\r\n"
			    "To: <sip:bob@home.test>;tag=t\r\nCall-ID: mine\r\nCSeq: 9 BYE\r\n"
			    "%sContent-Length: 0\r\n\r\n",
			    named, named ? "P-Preferred-Identity: <sip:bob@home.test>\r\n" : "");
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_IMPU], named + 1);
	}
	u = alice;
	assert_int_equal(rig_counters(&r).dialogs, 1);
	assert_route("BYE", "mine", 10, "t", CALLEES);
}

static void table_is_bounded(void **state)
{
	char call[16];

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(call, sizeof(call), "n%u", i);
		fork_answers(invite(call), 200, "t", "");
		rig_forget(&r);
		rig_run(&r, 200000);
	}
	assert_int_equal(rig_counters(&r).dialogs, 32);
	assert_route("BYE", "n99", 2, "t", CALLEES);
	assert_route("BYE", "n0", 3, "t", SERVICE_ROUTE);
	assert_int_equal(pcscf_deregister(r.p, SV("alice@home.test"), r.now), 0);
	assert_int_equal(rig_counters(&r).dialogs, 0);
}

/* A session timer bounds a call (RFC 4028); without one, half a day of silence does. */
static void silent_calls_are_forgotten(void **state)
{
	(void)state;
	fork_answers(invite("s1"), 200, "t", "Session-Expires: 90;refresher=uac\r\n");
	fork_answers(invite("s2"), 200, "t", "");
	rig_forget(&r);
	rig_run(&r, 200000);
	assert_int_equal(rig_counters(&r).dialogs, 2);
	assert_route("UPDATE", "s1", 2, "t", CALLEES);
	rig_answer(&r, 200, "%s", "x: 90\r\n");
	rig_run(&r, 200000);
	assert_int_equal(rig_counters(&r).dialogs, 2);
	rig_run(&r, 19000);
	assert_int_equal(rig_counters(&r).dialogs, 1);
	rig_run(&r, 12 * 3600 * 1000);
	assert_int_equal(rig_counters(&r).dialogs, 0);
}

static void bye_without_an_answer_ends_the_call(void **state)
{
	(void)state;
	fork_answers(invite("b"), 200, "t", "");
	rig_run(&r, 1000);
	assert_route("BYE", "b", 2, "t", CALLEES);
	rig_run(&r, 60000);
	assert_int_equal(rig_last_ue(&r)->m.status, 408);
	assert_int_equal(rig_counters(&r).dialogs, 0);
}

static void subscriptions_are_dialogs(void **state)
{
	const struct rig_message *m;

	(void)state;
	says("SUBSCRIBE", "p", 1, NULL, "Event: presence\r\n");
	m = rig_last_core(&r);
	fork_answers(m, 200, "n", "Expires: 600\r\n");
	assert_int_equal(rig_counters(&r).dialogs, 1);
	assert_route("SUBSCRIBE", "p", 2, "n", CALLEES);
	rig_answer(&r, 200, "%s", "Expires: 600\r\n");
	rig_from_core(&r,
		      "NOTIFY sip:alice@[2001:db8::77]:5070 SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKpn\r\nRoute: %s\r\n"
		      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=n\r\n"
		      "To: <sip:alice@home.test>;tag=1\r\nCall-ID: p\r\nCSeq: 1 NOTIFY\r\n"
		      "Event: presence\r\nSubscription-State: terminated;reason=timeout\r\n"
		      "Content-Length: 0\r\n\r\n",
		      path);
	struct sip_flow from = rig_flow(&r, &u, u.set);
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	assert_int_equal(rig_last_ue(&r)->m.method, SIP_NOTIFY);
	sip_reply_begin(&b, &rig_last_ue(&r)->m, 200, (struct sv){0});
	sip_reply_end(&b, (struct sv){0});
	pcscf_input(r.p, &from, sbuf_sv(&b), r.now);
	assert_int_equal(rig_counters(&r).dialogs, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(route_is_that_of_the_dialog, setup, teardown),
		cmocka_unit_test_setup_teardown(forks_are_dialogs_of_their_own, setup, teardown),
		cmocka_unit_test_setup_teardown(failed_invite_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(callee_does_not_choose_its_route, setup, teardown),
		cmocka_unit_test_setup_teardown(refer_outlasts_its_call, setup, teardown),
		cmocka_unit_test_setup_teardown(dialogs_are_their_ues, setup, teardown),
		cmocka_unit_test_setup_teardown(table_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(silent_calls_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(bye_without_an_answer_ends_the_call, setup,
						teardown),
		cmocka_unit_test_setup_teardown(subscriptions_are_dialogs, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
