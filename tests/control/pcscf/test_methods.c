/* Each method on its way through, outside of dialogs and inside; forks; loops (RFC 3261 16). */
#include "tests/control/pcscf/rig.h"

static struct rig r;
static struct rig_ue u;
static char path[RIG_PATH];
static unsigned serial;

#define SERVICE_ROUTE "<sip:orig@" RIG_SCSCF ";lr>"
#define RECORDED      "<sip:dialog@" RIG_SCSCF ";lr>"

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

/* via: above the UE's own; "" for none. */
static void ue_asks(const char *method, const char *call, const char *to_tag, const char *via,
		    const char *fields)
{
	struct sip_flow from = rig_flow(&r, &u, u.set);

	rig_from_ue(&r, &from,
		    "%s sip:bob@192.0.2.5 SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKm%u\r\n%s"
		    "Max-Forwards: 70\r\nFrom: <sip:alice@home.test>;tag=1\r\n"
		    "To: <sip:bob@home.test>%s%s\r\nCall-ID: %s\r\nCSeq: 5 %s\r\n%s"
		    "Contact: <sip:[2001:db8::77]:5070>\r\nContent-Length: 0\r\n\r\n",
		    method, serial++, via, *to_tag ? ";tag=" : "", to_tag, call, method, fields);
}

static void core_asks(const char *method, const char *call, const char *to_tag, const char *via,
		      const char *fields)
{
	rig_from_core(&r,
		      "%s sip:alice@[2001:db8::77]:5070 SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKc%u\r\n%sRoute: %s\r\n"
		      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=b\r\n"
		      "To: <sip:alice@home.test>%s%s\r\nCall-ID: %s\r\nCSeq: 6 %s\r\n%s"
		      "Content-Length: 0\r\n\r\n",
		      method, serial++, via, path, *to_tag ? ";tag=" : "", to_tag, call, method,
		      fields);
}

static void ue_answers(const struct rig_message *request, unsigned status, const char *tag)
{
	struct sip_flow from = rig_flow(&r, &u, u.set);
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_reply_begin(&b, &request->m, status, sv_of(tag));
	sip_reply_end(&b, (struct sv){0});
	pcscf_input(r.p, &from, sbuf_sv(&b), r.now);
	mw_run(r.mw, r.now);
}

static void core_answers(const struct rig_message *request, unsigned status, const char *tag)
{
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_reply_begin(&b, &request->m, status, sv_of(tag));
	sbuf_printf(&b, "Record-Route: " RECORDED ", %s\r\nContact: <sip:bob@192.0.2.5>\r\n", path);
	sip_reply_end(&b, (struct sv){0});
	mw_send(r.mw, SV(RIG_HOST), sbuf_sv(&b));
	mw_run(r.mw, r.now);
}

static const struct {
	const char *method, *fields;
	bool records; /* makes a dialog */
} methods[] = {
	{"MESSAGE", "", false},
	{"OPTIONS", "", false},
	{"PUBLISH", "Event: presence\r\nExpires: 600\r\n", false},
	{"SUBSCRIBE", "Event: presence\r\nExpires: 600\r\n", true},
	{"REFER", "Refer-To: <sip:carol@home.test>\r\n", true},
	{"INVITE", "", true},
	{"INFO", "", false},
	{"NOTIFY", "Event: presence\r\nSubscription-State: active\r\n", false},
	{"FUTURE", "", false}, /* RFC 3261 16: a proxy need not know it */
};

static void from_the_ue(void **state)
{
	const struct rig_message *m;
	char call[16];

	(void)state;
	for (unsigned i = 0; i < N_OF(methods); i++) {
		snprintf(call, sizeof(call), "up%u", i);
		rig_forget(&r);
		ue_asks(methods[i].method, call, "", "", methods[i].fields);
		assert_int_equal(r.core.n, 1);
		m = rig_last_core(&r);
		assert_true(sv_eq(m->m.method_name, sv_of(methods[i].method)));
		assert_string_equal(rig_field(&r, m, SIP_HDR_ROUTE), SERVICE_ROUTE);
		assert_true(rig_holds(m, "P-Asserted-Identity: <sip:alice@home.test>"));
		assert_true(rig_holds(m, "Max-Forwards: 69"));
		assert_int_equal(sip_msg_find(&m->m, SIP_HDR_RECORD_ROUTE) != NULL,
				 methods[i].records);
		core_answers(m, 200, "t");
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
		assert_int_equal(rig_counters(&r).dialogs, methods[i].records);
		if (!methods[i].records)
			continue;
		/* inside: the route that was recorded */
		ue_asks(i == 5 ? "BYE" : "NOTIFY", call, "t", "",
			"Subscription-State: terminated\r\n");
		assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), RECORDED);
		rig_answer(&r, 200, "%s", "");
		assert_int_equal(rig_counters(&r).dialogs, 0);
	}
}

static void to_the_ue(void **state)
{
	const struct rig_message *m;
	char call[16];

	(void)state;
	for (unsigned i = 0; i < N_OF(methods); i++) {
		snprintf(call, sizeof(call), "dn%u", i);
		rig_forget(&r);
		core_asks(methods[i].method, call, "", "", methods[i].fields);
		assert_int_equal(r.ue.n, 1);
		m = rig_last_ue(&r);
		assert_true(sv_eq(m->m.method_name, sv_of(methods[i].method)));
		assert_int_equal(m->flow.pair, SA_CLIENT);
		assert_null(sip_msg_find(&m->m, SIP_HDR_ROUTE));
		assert_true(rig_holds(m, "Max-Forwards: 59"));
		assert_int_equal(sip_msg_find(&m->m, SIP_HDR_RECORD_ROUTE) != NULL,
				 methods[i].records);
		ue_answers(m, 202, "u");
		assert_int_equal(rig_last_core(&r)->m.status, 202);
		assert_true(
			rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:alice@home.test>"));
	}
}

/* A subscription as a whole: NOTIFYs come to the subscriber, and its refresh goes the way back. */
static void subscription(void **state)
{
	const struct rig_message *m;

	(void)state;
	ue_asks("SUBSCRIBE", "sub", "", "", "Event: presence\r\nExpires: 600\r\n");
	core_answers(rig_last_core(&r), 200, "n");
	for (unsigned i = 0; i < 2; i++) {
		rig_from_core(&r,
			      "NOTIFY sip:alice@[2001:db8::77]:5070 SIP/2.0\r\n"
			      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKn%u\r\nRoute: %s\r\n"
			      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=n\r\n"
			      "To: <sip:alice@home.test>;tag=1\r\nCall-ID: sub\r\n"
			      "CSeq: %u NOTIFY\r\nEvent: presence\r\nSubscription-State: %s\r\n"
			      "Content-Length: 0\r\n\r\n",
			      i, path, i + 1, i ? "terminated;reason=timeout" : "active");
		m = rig_last_ue(&r);
		assert_int_equal(m->m.method, SIP_NOTIFY);
		ue_answers(m, 200, "1");
		assert_int_equal(rig_last_core(&r)->m.status, 200);
		assert_int_equal(rig_counters(&r).dialogs, 1 - i);
		if (i)
			break;
		ue_asks("SUBSCRIBE", "sub", "n", "", "Event: presence\r\nExpires: 600\r\n");
		assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), RECORDED);
		core_answers(rig_last_core(&r), 200, "n");
	}
}

/* RFC 3261 16.7: each provisional response goes on, and each 2xx; the caller ends what it does not
 * want. */
static void forks(void **state)
{
	static const char *const tags[] = {"a", "b"};
	const struct rig_message *invite;

	(void)state;
	ue_asks("INVITE", "f", "", "", "Supported: 100rel\r\n");
	invite = rig_last_core(&r);
	for (unsigned i = 0; i < 2; i++) {
		core_answers(invite, 180 + 3 * i, tags[i]);
		assert_int_equal(rig_last_ue(&r)->m.status, 180 + 3 * i);
		assert_true(sv_eq(rig_last_ue(&r)->m.to_tag, sv_of(tags[i])));
		ue_asks("PRACK", "f", tags[i], "", "RAck: 1 5 INVITE\r\n");
		assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), RECORDED);
		rig_answer(&r, 200, "%s", "");
	}
	assert_int_equal(rig_counters(&r).dialogs, 2);
	for (unsigned i = 0; i < 2; i++) {
		unsigned before = r.ue.n;

		core_answers(invite, 200, tags[i]);
		assert_int_equal(r.ue.n, before + 1);
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		assert_true(sv_eq(rig_last_ue(&r)->m.to_tag, sv_of(tags[i])));
		ue_asks("ACK", "f", tags[i], "", "");
		assert_int_equal(rig_last_core(&r)->m.method, SIP_ACK);
		assert_true(sv_eq(rig_last_core(&r)->m.to_tag, sv_of(tags[i])));
	}
	ue_asks("BYE", "f", "a", "", "");
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_counters(&r).dialogs, 1);
	ue_asks("BYE", "f", "b", "", "");
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_counters(&r).dialogs, 0);
}

static void one_fork_fails(void **state)
{
	const struct rig_message *invite;

	(void)state;
	ue_asks("INVITE", "ff", "", "", "");
	invite = rig_last_core(&r);
	core_answers(invite, 180, "a");
	core_answers(invite, 180, "b");
	core_answers(invite, 486, "a"); /* what the forking proxy has chosen */
	assert_int_equal(rig_last_ue(&r)->m.status, 486);
	assert_int_equal(rig_last_core(&r)->m.method, SIP_ACK);
	assert_int_equal(rig_counters(&r).dialogs, 0);
}

/* 100 is of each hop (RFC 3261 16.7 step 5), ours after 200 ms. */
static void trying_is_ours(void **state)
{
	const struct rig_message *invite;

	(void)state;
	ue_asks("INVITE", "try", "", "", "");
	invite = rig_last_core(&r);
	rig_answer_to(&r, invite, 100, "");
	assert_int_equal(r.ue.n, 0);
	rig_run(&r, 250);
	assert_int_equal(r.ue.n, 1);
	assert_int_equal(rig_last_ue(&r)->m.status, 100);
	ue_asks("PUBLISH", "try2", "", "", "");
	rig_run(&r, 250);
	assert_int_equal(r.ue.n, 1);
	rig_answer(&r, 200, "%s", "");
	core_answers(invite, 486, "x");
}

static void silent_core_is_a_408(void **state)
{
	(void)state;
	ue_asks("SUBSCRIBE", "q", "", "", "Event: presence\r\n");
	rig_run(&r, 33000); /* 64 T1 of the core */
	assert_int_equal(rig_last_ue(&r)->m.status, 408);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
}

static void unknown_extensions_are_named(void **state)
{
	(void)state;
	ue_asks("OPTIONS", "ext", "", "", "Proxy-Require: sec-agree, teleport, beam\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 420);
	assert_string_equal(rig_field(&r, rig_last_ue(&r), SIP_HDR_UNSUPPORTED), "teleport, beam");
	assert_int_equal(r.core.n, 0);
}

/* The Via of what we sent, as a line. */
static void via_of(const struct rig_message *m, char *line, size_t cap)
{
	snprintf(line, cap, "Via: %s\r\n", rig_field(&r, m, SIP_HDR_VIA));
}

static void loops(void **state)
{
	char via[512];

	(void)state;
	ue_asks("MESSAGE", "loop", "", "", "");
	via_of(rig_last_core(&r), via, sizeof(via));
	rig_forget(&r);
	/* it is back at the UE's side, just as it was */
	ue_asks("MESSAGE", "loop", "", via, "");
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_last_ue(&r)->m.status, 482);
	/* another request by the same way is none: nor is the same towards another target */
	ue_asks("MESSAGE", "loop2", "", via, "");
	assert_int_equal(r.core.n, 1);
	/* from the other side, as a call to oneself: a spiral, until it comes down twice */
	core_asks("MESSAGE", "loop", "", via, "");
	assert_int_equal(rig_last_ue(&r)->m.method, SIP_MESSAGE);
	via_of(rig_last_ue(&r), via, sizeof(via));
	rig_forget(&r);
	core_asks("MESSAGE", "loop", "", via, "");
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(rig_last_core(&r)->m.status, 482);
	/* an ACK gets no answer */
	rig_forget(&r);
	ue_asks("ACK", "la", "t", "", "");
	via_of(rig_last_core(&r), via, sizeof(via));
	rig_forget(&r);
	ue_asks("ACK", "la", "t", via, "");
	assert_int_equal(r.core.n + r.ue.n, 0);
	rig_run(&r, 200000);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(from_the_ue),
		T(to_the_ue),
		T(subscription),
		T(forks),
		T(one_fork_fails),
		T(trying_is_ours),
		T(silent_core_is_a_408),
		T(unknown_extensions_are_named),
		T(loops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
