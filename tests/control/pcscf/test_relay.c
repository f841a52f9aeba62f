/* Requests and responses of registered UEs on their way through (TS 24.229 5.2.6). */
#include "tests/control/pcscf/rig.h"

static struct rig r;
static struct rig_ue u;
static char path[RIG_PATH];

static int setup(void **state)
{
	(void)state;
	rig_start(&r, &u, path, 3600);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_end(&r);
	return 0;
}

static void ue_says(const char *text)
{
	struct sip_flow from = rig_flow(&r, &u, u.set);

	rig_from_ue(&r, &from, "%s", text);
}

#define INVITE_HEAD(branch)                                                                        \
	"INVITE sip:bob@home.test SIP/2.0\r\n"                                                     \
	"Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bK" branch "\r\nMax-Forwards: 70\r\n"    \
	"Route: <sip:[2001:db8::1]:6060;lr>, <sip:cheat.test;lr>\r\n"                              \
	"From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>\r\nCall-ID: inv\r\n"         \
	"CSeq: 7 INVITE\r\nContact: <sip:[2001:db8::77]:5070>\r\nRequire: sec-agree\r\n"           \
	"Proxy-Require: sec-agree\r\nSecurity-Verify: ipsec-3gpp;alg=hmac-md5-96\r\n"              \
	"Content-Length: 0\r\n\r\n"

/* covers: F23, SP-13, F14, F19 */
static void originating_invite(void **state)
{
	const struct rig_message *m;
	char own[256], text[RIG_TEXT];

	(void)state;
	ue_says(INVITE_HEAD("a"));
	m = rig_last_core(&r);
	assert_true(sv_eq(m->host, SV(RIG_SCSCF)));
	assert_string_equal(rig_field(&r, m, SIP_HDR_ROUTE), "<sip:orig@" RIG_SCSCF ";lr>");
	assert_false(rig_holds(m, "cheat"));
	assert_false(rig_holds(m, "sec-agree"));
	assert_false(rig_holds(m, "Security-"));
	assert_true(rig_holds(m, "Max-Forwards: 69"));
	assert_true(rig_holds(m, "P-Asserted-Identity: <sip:alice@home.test>"));
	snprintf(own, sizeof(own), "%s", rig_field(&r, m, SIP_HDR_RECORD_ROUTE));
	assert_string_equal(own, path);
	rig_run(&r, 300);
	assert_int_equal(rig_last_ue(&r)->m.status, 100);
	rig_answer(&r, 180, "Record-Route: <sip:%s;lr>, %s\r\n", RIG_SCSCF, own);
	m = rig_last_ue(&r);
	assert_int_equal(m->m.status, 180);
	assert_int_equal(m->flow.set, u.set);
	assert_int_equal(m->flow.pair, SA_CLIENT);
	assert_true(rig_holds(m, "@[2001:db8::1]:6060;lr>"));
	assert_true(rig_holds(m, "Record-Route: <sip:" RIG_SCSCF ";lr>, <sip:"));
	rig_answer(&r, 200, "Record-Route: <sip:%s;lr>, %s\r\nContact: <sip:bob@192.0.2.5>\r\n",
		   RIG_SCSCF, own);
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	/* a repeated 2xx comes through, too */
	rig_answer(&r, 200, "Record-Route: <sip:%s;lr>, %s\r\nContact: <sip:bob@192.0.2.5>\r\n",
		   RIG_SCSCF, own);
	assert_int_equal(r.ue.n, 4);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	/* ACK and BYE along the recorded route */
	own[strlen(own) - strlen("@" RIG_HOST ";lr>")] = '\0';
	for (unsigned i = 0; i < 2; i++) {
		rig_forget(&r);
		snprintf(text, sizeof(text),
			 "%s sip:bob@192.0.2.5 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKb%u\r\nMax-Forwards: "
			 "70\r\n"
			 "Route: %s@[2001:db8::1]:6060;lr>, <sip:" RIG_SCSCF ";lr>\r\n"
			 "From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>;tag=core\r\n"
			 "Call-ID: inv\r\nCSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
			 i ? "BYE" : "ACK", i, own, 7 + i, i ? "BYE" : "ACK");
		ue_says(text);
		assert_int_equal(r.core.n, 1);
		assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE),
				    "<sip:" RIG_SCSCF ";lr>");
	}
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
}

/* covers: F19 */
static void cancel_follows_its_invite(void **state)
{
	char branch[64];
	const struct rig_message *invite, *m;

	(void)state;
	ue_says(INVITE_HEAD("c"));
	invite = rig_last_core(&r);
	snprintf(branch, sizeof(branch), "%.*s", SV_ARG(invite->m.branch));
	ue_says("CANCEL sip:bob@home.test SIP/2.0\r\n"
		"Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKc\r\nMax-Forwards: 70\r\n"
		"From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>\r\nCall-ID: inv\r\n"
		"CSeq: 7 CANCEL\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	assert_int_equal(r.core.n, 1); /* not before the other side knows the INVITE */
	rig_answer(&r, 180, "%s", "");
	m = rig_last_core(&r);
	assert_int_equal(m->m.method, SIP_CANCEL);
	assert_true(sv_eq(m->m.branch, sv_of(branch)));
	assert_int_equal(m->m.cseq, 7);
	assert_string_equal(rig_field(&r, m, SIP_HDR_ROUTE), "<sip:orig@" RIG_SCSCF ";lr>");
	rig_answer(&r, 200, "%s", "");
	rig_answer_to(&r, invite, 487, "");
	assert_int_equal(rig_last_ue(&r)->m.status, 487);
	assert_int_equal(rig_last_core(&r)->m.method, SIP_ACK);
	/* and for an INVITE that nobody knows */
	ue_says("CANCEL sip:bob@home.test SIP/2.0\r\n"
		"Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKzz\r\nMax-Forwards: 70\r\n"
		"From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>\r\nCall-ID: inv2\r\n"
		"CSeq: 7 CANCEL\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 481);
}

/* New requests take the new SAs, so CANCEL does after a change-over (LU-09), and finds its INVITE.
 */
/* covers: LP-13 */
static void cancel_follows_over_the_new_set(void **state)
{
	const struct rig_message *invite;
	struct sip_flow from;
	struct rig_ue other;
	sa_set_id old = u.set;
	unsigned n;
	static const char cancel[] =
		"CANCEL sip:bob@home.test SIP/2.0\r\n"
		"Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKo\r\nMax-Forwards: 70\r\n"
		"From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>\r\nCall-ID: inv\r\n"
		"CSeq: 7 CANCEL\r\nContent-Length: 0\r\n\r\n";

	(void)state;
	ue_says(INVITE_HEAD("o"));
	invite = rig_last_core(&r);
	rig_answer(&r, 180, "%s", "");
	rig_ue_init(&other, "bob", "2001:db8::78");
	rig_registered(&r, &other, 0, 600);
	from = rig_flow(&r, &other, other.set);
	n = r.core.n;
	rig_from_ue(&r, &from, "%s", cancel);
	assert_int_equal(r.core.n, n);
	rig_ue_fresh(&u);
	rig_registered(&r, &u, old, 600);
	assert_int_not_equal(u.set, old);
	ue_says(cancel);
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	assert_int_equal(rig_last_core(&r)->m.method, SIP_CANCEL);
	rig_answer_to(&r, invite, 487, "");
	assert_int_equal(rig_last_ue(&r)->m.status, 487);
	assert_int_equal(rig_last_ue(&r)->flow.set, old);
}

static void core_request(const char *method, const char *branch, const char *route, unsigned cseq)
{
	rig_from_core(&r,
		      "%s sip:alice@[2001:db8::77]:5070 SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bK%s\r\nRoute: %s\r\n"
		      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=b\r\n"
		      "To: <sip:alice@home.test>\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
		      "Record-Route: <sip:" RIG_SCSCF ";lr>\r\nContent-Length: 0\r\n\r\n",
		      method, branch, route, branch, cseq, method);
}

static void ue_answers(const struct rig_message *request, unsigned status, const char *fields)
{
	struct sip_flow from = rig_flow(&r, &u, u.set);
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_reply_begin(&b, &request->m, status, SV("ue"));
	sbuf_printf(&b, "%s", fields);
	sip_reply_end(&b, (struct sv){0});
	pcscf_input(r.p, &from, sbuf_sv(&b), r.now);
	mw_run(r.mw, r.now);
}

static void ue_says_message(unsigned i)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "MESSAGE sip:bob@home.test SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKpm%u\r\nMax-Forwards: 70\r\n"
		 "From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>\r\n"
		 "Call-ID: pm%u\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
		 i, i);
	ue_says(text);
}

/* What the network knows of one UE does not reach the other, and a caller may keep its name to
 * itself (RFC 3325 7). */
static void private_fields_stay_in_the_network(void **state)
{
	static const char fields[] =
		"P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=cell1\r\n"
		"P-Charging-Vector: icid-value=cell1\r\nP-Served-User: <sip:cell1@home.test>\r\n"
		"P-Visited-Network-ID: cell1\r\nP-Asserted-Identity: <sip:bob@home.test>\r\n"
		"P-Asserted-Identity: <tel:+15>\r\n";
	static const struct {
		const char *privacy;
		bool named;
	} cases[] = {{"", true},
		     {"Privacy: none\r\n", true},
		     {"Privacy: header;idx\r\n", true},
		     {"Privacy: id\r\n", false},
		     {"Privacy: header; ID ;critical\r\n", false}};
	const struct rig_message *m;
	char branch[8], route[512], text[1024];

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(branch, sizeof(branch), "pv%u", i);
		snprintf(route, sizeof(route), "%s", path);
		snprintf(text, sizeof(text), "%s\r\n%s%.*s", route, cases[i].privacy,
			 (int)sizeof(fields) - 3, fields);
		core_request("MESSAGE", branch, text, i + 1);
		m = rig_last_ue(&r);
		assert_int_equal(m->m.method, SIP_MESSAGE);
		assert_false(rig_holds(m, "cell1"));
		assert_int_equal(rig_holds(m, "P-Asserted-Identity: <sip:bob@home.test>"),
				 cases[i].named);
		assert_int_equal(rig_holds(m, "tel:+15"), cases[i].named);
		/* and the same on the way back */
		ue_says_message(i);
		snprintf(text, sizeof(text), "%s%s", cases[i].privacy, fields);
		rig_answer(&r, 200, "%s", text);
		m = rig_last_ue(&r);
		assert_int_equal(m->m.status, 200);
		assert_false(rig_holds(m, "cell1"));
		assert_int_equal(rig_holds(m, "tel:+15"), cases[i].named);
	}
}

/* covers: SP-14, F14, F19 */
static void terminating_invite(void **state)
{
	const struct rig_message *m, *invite;
	char own[256], fields[512];

	(void)state;
	core_request("INVITE", "t1", path, 3);
	invite = m = rig_last_ue(&r);
	assert_int_equal(m->flow.transport, SIP_TRANSPORT_UDP);
	assert_int_equal(m->flow.set, u.set);
	assert_int_equal(m->flow.remote.port, u.ours.port_s);
	assert_true(rig_holds(m, "Via: SIP/2.0/UDP [2001:db8::1]:6060;branch="));
	assert_false(rig_holds(m, "\r\nRoute:"));
	snprintf(own, sizeof(own), "%s", rig_field(&r, m, SIP_HDR_RECORD_ROUTE));
	assert_non_null(strstr(own, "@[2001:db8::1]:6060;lr>"));
	snprintf(fields, sizeof(fields),
		 "Record-Route: %s\r\nRecord-Route: <sip:" RIG_SCSCF ";lr>\r\n", own);
	ue_answers(invite, 180, fields); /* no Contact */
	m = rig_last_core(&r);
	assert_int_equal(m->m.status, 180);
	assert_string_equal(rig_field(&r, m, SIP_HDR_RECORD_ROUTE), path);
	assert_false(rig_holds(m, "6060"));
	ue_answers(invite, 200, fields);
	assert_true(rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:alice@home.test>"));
	rig_forget(&r);
	ue_answers(invite, 200, fields);
	assert_int_equal(rig_last_core(&r)->m.status, 200);
	core_request("ACK", "t2", path, 3);
	assert_int_equal(rig_last_ue(&r)->m.method, SIP_ACK);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	/* CANCEL of a second one */
	core_request("INVITE", "t3", path, 4);
	invite = rig_last_ue(&r);
	ue_answers(invite, 180, "");
	core_request("CANCEL", "t3", path, 4);
	assert_int_equal(rig_last_ue(&r)->m.method, SIP_CANCEL);
	assert_true(sv_eq(rig_last_ue(&r)->m.branch, invite->m.branch));
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	ue_answers(invite, 487, "");
	assert_int_equal(rig_last_core(&r)->m.status, 487);
	assert_int_equal(rig_last_ue(&r)->m.method, SIP_ACK);
}

/* Who is called by one of its identities does not tell the others (TS 24.229 5.2.6.4). */
/* covers: ST-10 */
static void answers_by_the_name_that_was_called(void **state)
{
	char tel[40]; /* as rig_ok() makes it */
	const struct {
		const char *called, *answers;
	} rows[] = {{tel, tel}, {"sip:nobody@home.test", u.impu}, {NULL, u.impu}};
	char called[80] = "", asserted[80];

	(void)state;
	snprintf(tel, sizeof(tel), "tel:+4930%u", u.ours.spi_s / 1000);
	for (unsigned i = 0; i < N_OF(rows); i++) {
		if (rows[i].called)
			snprintf(called, sizeof(called), "P-Called-Party-ID: <%s>\r\n",
				 rows[i].called);
		snprintf(asserted, sizeof(asserted), "P-Asserted-Identity: <%s>", rows[i].answers);
		rig_from_core(&r,
			      "MESSAGE sip:alice@[2001:db8::77]:5070 SIP/2.0\r\n"
			      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKcp%u\r\nRoute: %s\r\n"
			      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=b\r\n"
			      "To: <tel:+49>\r\nCall-ID: cp%u\r\nCSeq: 1 MESSAGE\r\n%s"
			      "Content-Length: 0\r\n\r\n",
			      i, path, i, rows[i].called ? called : "");
		ue_answers(rig_last_ue(&r), 200, "");
		assert_int_equal(rig_last_core(&r)->m.status, 200);
		if (!rig_holds(rig_last_core(&r), asserted))
			fail_msg("row %u", i);
	}
}

/* covers: D-21, F13, F34 */
static void silent_ue_is_a_408(void **state)
{
	unsigned sends;

	(void)state;
	core_request("MESSAGE", "m1", path, 1);
	assert_int_equal(r.ue.n, 1);
	rig_run(&r, 1999);
	assert_int_equal(r.ue.n, 1);
	rig_run(&r, 1);
	assert_int_equal(r.ue.n, 2); /* T1 is 2 s here */
	rig_run(&r, 128000);
	sends = r.ue.n;
	for (unsigned i = 0; i < sends; i++)
		assert_int_equal(r.ue.messages[i].flow.set, u.set);
	assert_int_equal(rig_last_core(&r)->m.status, 408);
	assert_int_equal(rig_counters(&r).registered, 1);
	assert_true(rig_counters(&r).retransmissions >= 7);
	rig_run(&r, 200000);
	assert_int_equal(rig_counters(&r).transactions, 0);
}

static void strangers_get_480(void **state)
{
	(void)state;
	core_request("MESSAGE", "n1", "<sip:0123456789abcdef@" RIG_HOST ";lr>", 1);
	assert_int_equal(rig_last_core(&r)->m.status, 480);
	core_request("MESSAGE", "n2", "<sip:" RIG_HOST ";lr>", 1);
	assert_int_equal(rig_last_core(&r)->m.status, 480);
	core_request("ACK", "n3", "<sip:" RIG_HOST ";lr>", 1);
	assert_int_equal(r.core.n, 2);
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_NOT_REGISTERED], 3);
}

static void unreachable_core_is_a_503(void **state)
{
	(void)state;
	mw_detach(r.mw, SV(RIG_SCSCF));
	rig_request(&r, &u, u.set, "MESSAGE", NULL);
	assert_int_equal(rig_last_ue(&r)->m.status, 503);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	mw_detach(r.mw, SV(RIG_ICSCF));
	rig_ue_fresh(&u);
	rig_sm1(&r, &u, u.set);
	assert_int_equal(rig_last_ue(&r)->m.status, 503);
	assert_int_equal(rig_counters(&r).pending, 0);
	rig_run(&r, 200000);
	assert_int_equal(rig_counters(&r).transactions, 0);
}

/* A To tag alone is no dialog: only the Route that we recorded lets a request off the
 * Service-Route. */
static void made_up_dialog_does_not_choose_its_route(void **state)
{
	(void)state;
	ue_says("BYE sip:bob@home.test SIP/2.0\r\n"
		"Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKmd\r\nMax-Forwards: 70\r\n"
		"Route: <sip:[2001:db8::1]:6060;lr>, <sip:icscf.home.test;lr>\r\n"
		"From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>;tag=made-up\r\n"
		"Call-ID: md\r\nCSeq: 7 BYE\r\nContent-Length: 0\r\n\r\n");
	assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE),
			    "<sip:orig@" RIG_SCSCF ";lr>");
}

/* A Route without a host is nobody's (and no null pointer: UBSan looks on). */
static void route_without_host_is_not_ours(void **state)
{
	(void)state;
	ue_says("BYE sip:bob@home.test SIP/2.0\r\n"
		"Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKmt\r\nMax-Forwards: 70\r\n"
		"Route: <tel:+15>\r\nFrom: <sip:alice@home.test>;tag=1\r\n"
		"To: <sip:bob@home.test>;tag=b\r\nCall-ID: mt\r\nCSeq: 7 BYE\r\n"
		"Content-Length: 0\r\n\r\n");
	assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE),
			    "<sip:orig@" RIG_SCSCF ";lr>");
}

/* Who calls himself has two elements in Record-Route: each leg turns its own. */
static void call_to_oneself(void **state)
{
	const char *last;
	char own[256];

	(void)state;
	ue_says(INVITE_HEAD("self"));
	snprintf(own, sizeof(own), "%s", rig_field(&r, rig_last_core(&r), SIP_HDR_RECORD_ROUTE));
	rig_answer(&r, 200, "Record-Route: %s, <sip:" RIG_SCSCF ";lr>, %s\r\n", own, own);
	rig_field(&r, rig_last_ue(&r), SIP_HDR_RECORD_ROUTE);
	assert_memory_equal(r.text, own, strlen(own));
	last = strrchr(r.text, '<');
	assert_non_null(strstr(last, "@[2001:db8::1]:6060;lr>"));
}

struct refused {
	const char *fields;
	unsigned status;
};

static void requests_that_cannot_go_on(void **state)
{
	static const struct refused list[] = {
		{"Max-Forwards: 0\r\n", 483},
		{"Max-Forwards: many\r\n", 400},
		{"Proxy-Require: teleport\r\n", 420},
	};
	char text[RIG_TEXT];

	(void)state;
	for (unsigned i = 0; i < N_OF(list); i++) {
		rig_forget(&r);
		snprintf(text, sizeof(text),
			 "OPTIONS sip:bob@home.test SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP [2001:db8::77]:5070;branch=z9hG4bKq%u\r\n%s"
			 "From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>\r\nCall-ID: "
			 "q%u\r\n"
			 "CSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			 i, list[i].fields, i);
		ue_says(text);
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_last_ue(&r)->m.status, list[i].status);
		assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	}
}

/* A response that nobody asked for, or that another UE makes up. */
static void stray_responses_are_discarded(void **state)
{
	const struct rig_message *m;
	struct rig_ue other;
	struct sip_flow from;
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	(void)state;
	rig_ue_init(&other, "bob", "2001:db8::78");
	rig_registered(&r, &other, 0, 600);
	rig_forget(&r);
	core_request("MESSAGE", "s1", path, 1);
	m = rig_last_ue(&r);
	sip_reply_begin(&b, &m->m, 200, SV("bob"));
	sip_reply_end(&b, (struct sv){0});
	from = rig_flow(&r, &other, other.set);
	pcscf_input(r.p, &from, sbuf_sv(&b), r.now);
	from = rig_flow(&r, &u, 0);
	pcscf_input(r.p, &from, sbuf_sv(&b), r.now);
	mw_run(r.mw, r.now);
	assert_int_equal(r.core.n, 0);
	ue_answers(m, 200, "");
	assert_int_equal(r.core.n, 1);
	rig_from_core(
		&r,
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP " RIG_HOST ";branch=z9hG4bKnone\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
		"Content-Length: 0\r\n\r\n");
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_STRAY_RESPONSE], 1);
}

/* RFC 3261 16.8: an INVITE that rings for ever is ended. */
static void timer_c_ends_an_invite(void **state)
{
	const struct rig_message *invite;

	(void)state;
	for (unsigned answers = 0; answers < 2; answers++) {
		ue_says(answers ? INVITE_HEAD("tc2") : INVITE_HEAD("tc"));
		invite = rig_last_core(&r);
		rig_answer(&r, 180, "%s", "");
		rig_run(&r, 190000);
		assert_int_equal(rig_last_core(&r)->m.method, SIP_CANCEL);
		assert_int_equal(rig_last_ue(&r)->m.status, 180);
		if (answers) { /* the other side wants the ACK to its 487 */
			rig_answer(&r, 200, "%s", "");
			rig_answer_to(&r, invite, 487, "");
			assert_int_equal(rig_last_core(&r)->m.method, SIP_ACK);
			assert_true(sv_eq(rig_last_core(&r)->m.branch, invite->m.branch));
		}
		rig_run(&r, 128000);
		assert_int_equal(rig_last_ue(&r)->m.status, answers ? 487 : 408);
		rig_run(&r, 300000);
		assert_int_equal(rig_counters(&r).transactions, 0);
		rig_forget(&r);
	}
}

/* The same to a UE that is gone when timer C fires: there is nobody to cancel it at. */
static void timer_c_without_a_set(void **state)
{
	(void)state;
	core_request("INVITE", "tcs", path, 3);
	ue_answers(rig_last_ue(&r), 180, "");
	pcscf_deregister(r.p, sv_of(u.impi), r.now);
	rig_run(&r, 190000);
	assert_int_equal(rig_last_core(&r)->m.status, 408);
	rig_run(&r, 200000);
	assert_int_equal(rig_counters(&r).transactions, 0);
}

/* A set that goes while a request is open: its answer is not sent anywhere. */
/* covers: SP-11 */
static void answers_for_removed_sets_are_not_sent(void **state)
{
	const struct rig_message *open;

	(void)state;
	rig_request(&r, &u, u.set, "MESSAGE", NULL);
	open = rig_last_core(&r);
	pcscf_deregister(r.p, sv_of(u.impi), r.now);
	rig_answer_to(&r, open, 200, "");
	assert_int_equal(r.ue.n, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(originating_invite),
		T(cancel_follows_its_invite),
		T(cancel_follows_over_the_new_set),
		T(private_fields_stay_in_the_network),
		T(terminating_invite),
		T(answers_by_the_name_that_was_called),
		T(silent_ue_is_a_408),
		T(strangers_get_480),
		T(unreachable_core_is_a_503),
		T(made_up_dialog_does_not_choose_its_route),
		T(route_without_host_is_not_ours),
		T(call_to_oneself),
		T(requests_that_cannot_go_on),
		T(stray_responses_are_discarded),
		T(timer_c_ends_an_invite),
		T(timer_c_without_a_set),
		T(answers_for_removed_sets_are_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
