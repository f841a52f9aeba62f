/* Emergency calls, in clear and over an SA (TS 24.229 5.2.10; C-15). */
#include "control/pcscf/internal.h"
#include "tests/control/pcscf/rig.h"

static struct rig r;
static struct rig_ue u; /* not registered */
static unsigned branch;

#define ECSCF	 RIG_SCSCF /* whom the rig has for it */
#define RECORDED "<sip:psap@" RIG_SCSCF ";lr>"

static void clear(struct pcscf_conf *c)
{
	c->ecscf_host = ECSCF;
	c->clear_emergency = true;
	c->max_emergency = 8;
}

static void protected_only(struct pcscf_conf *c)
{
	c->ecscf_host = ECSCF;
}

static void nowhere(struct pcscf_conf *c)
{
	c->clear_emergency = true;
}

static void unreachable(struct pcscf_conf *c)
{
	clear(c);
	c->ecscf_host = "ecscf.nobody.test";
}

static void begin(void (*tweak)(struct pcscf_conf *))
{
	rig_init(&r, tweak);
	rig_ue_init(&u, "alice", "192.0.2.77");
}

struct said {
	const char *method, *uri, *call, *to_tag, *fields, *branch;
	bool tcp;
	sa_set_id set;
	uint64_t session; /* over that TLS connection */
};

/* What is not set is that of an INVITE to urn:service:sos in clear. */
static void says(const struct rig_ue *who, struct said s)
{
	struct sip_flow from = rig_flow(&r, who, s.set);
	const char *uri = s.uri ? s.uri : "urn:service:sos";
	const char *method = s.method ? s.method : "INVITE";
	char addr[IP_ADDR_STRLEN], own[32];

	if (s.tcp)
		from.transport = SIP_TRANSPORT_TCP;
	from.remote.port = s.tcp ? 41000 : from.remote.port;
	if (s.session)
		from = rig_tls(&r, who, s.session);
	snprintf(own, sizeof(own), "em%u", branch++);
	ip_addr_format(&who->addr, addr);
	rig_from_ue(&r, &from,
		    "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:%u;branch=z9hG4bK%s\r\n"
		    "Max-Forwards: 70\r\nRoute: <sip:192.0.2.1;lr>, <sip:cheat.test;lr>\r\n"
		    "From: <sip:anonymous@anonymous.invalid>;tag=1\r\nTo: <%s>%s%s\r\n"
		    "Call-ID: %s\r\nCSeq: %u %s\r\nContact: <sip:%s:5060>\r\n%s"
		    "Content-Length: 0\r\n\r\n",
		    method, uri, addr, s.set ? who->ours.port_s : 5060u, s.branch ? s.branch : own,
		    uri, s.to_tag ? ";tag=" : "", s.to_tag ? s.to_tag : "", s.call ? s.call : "c1",
		    strcmp(method, "INVITE") ? 2u : 1u, method, addr, s.fields ? s.fields : "");
}

/* The core's answer to an INVITE, by the E-CSCF that recorded itself. */
static void core_answers(const struct rig_message *invite, unsigned status, const char *tag)
{
	char text[RIG_TEXT], own[256];
	struct sbuf b = sbuf_of(text, sizeof(text));

	snprintf(own, sizeof(own), "%s", rig_field(&r, invite, SIP_HDR_RECORD_ROUTE));
	sip_reply_begin(&b, &invite->m, status, sv_of(tag));
	sbuf_printf(&b, "Record-Route: " RECORDED ", %s\r\nContact: <sip:psap@psap.test>\r\n", own);
	sip_reply_end(&b, (struct sv){0});
	mw_send(r.mw, SV(RIG_HOST), sbuf_sv(&b));
	mw_run(r.mw, r.now);
}

static void core_asks(const char *method, const char *call, const char *tag, const char *route,
		      unsigned cseq)
{
	rig_from_core(&r,
		      "%s sip:192.0.2.77:5060 SIP/2.0\r\nVia: SIP/2.0/TCP " RIG_SCSCF
		      ";branch=z9hG4bKps%u\r\nRoute: %s\r\nMax-Forwards: 60\r\n"
		      "From: <urn:service:sos>;tag=%s\r\n"
		      "To: <sip:anonymous@anonymous.invalid>;tag=1\r\nCall-ID: %s\r\n"
		      "CSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
		      method, cseq, route, tag, call, cseq, method);
}

static void ue_answers_on(const struct rig_message *request, const struct sip_flow *from,
			  unsigned status)
{
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_reply_begin(&b, &request->m, status, SV("1"));
	sip_reply_end(&b, (struct sv){0});
	pcscf_input(r.p, from, sbuf_sv(&b), r.now);
	mw_run(r.mw, r.now);
}

static void ue_answers(const struct rig_message *request, const char *source, unsigned status)
{
	struct sip_flow from = rig_flow(&r, &u, 0);

	assert_int_equal(ip_addr_parse(&from.remote.addr, source), 0);
	ue_answers_on(request, &from, status);
}

static uint64_t dropped(enum pcscf_drop reason)
{
	return rig_counters(&r).drops[reason];
}

static void nothing_is_left(void)
{
	for (unsigned i = 0; i < 50; i++) {
		rig_run(&r, 10000);
		rig_forget(&r);
	}
	assert_int_equal(rig_counters(&r).emergency, 0);
	assert_int_equal(rig_counters(&r).dialogs, 0);
	assert_int_equal(rig_counters(&r).transactions, 0);
	rig_end(&r);
}

static void uris(void **state)
{
	static const struct {
		const char *uri;
		bool is;
	} cases[] = {{"urn:service:sos", true},	     {"URN:Service:SOS", true},
		     {"urn:service:sos.fire", true}, {"urn:service:SOS.animal-control", true},
		     {"urn:service:sosx", false},    {"urn:service:sos.", false},
		     {"urn:service:so", false},	     {"urn:service:counseling", false},
		     {"sip:sos@home.test", false},   {"", false}};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(pcscf_emergency_uri(sv_of(cases[i].uri)), cases[i].is);
}

/* covers: SP-20 */
static void off_by_default(void **state)
{
	(void)state;
	begin(protected_only);
	says(&u, (struct said){.method = "INVITE"});
	assert_int_equal(r.core.n + r.ue.n, 0);
	assert_int_equal(dropped(PCSCF_DROP_CLEAR_NOT_REGISTER), 1);
	nothing_is_left();
}

static const struct rig_message *called(const char *call)
{
	says(&u, (struct said){.uri = "urn:service:SOS.police",
			       .call = call,
			       .fields = "P-Preferred-Identity: <sip:king@home.test>\r\n"
					 "P-Asserted-Identity: <sip:king@home.test>\r\n"
					 "P-Served-User: <sip:king@home.test>\r\n"});
	return rig_last_core(&r);
}

static void call_in_clear(void **state)
{
	const struct rig_message *m, *invite;
	char own[256], route[600];

	(void)state;
	begin(clear);
	invite = called("c1");
	assert_true(sv_eq(invite->host, SV(RIG_SCSCF)));
	assert_string_equal(rig_field(&r, invite, SIP_HDR_ROUTE), "<sip:" ECSCF ";lr>");
	assert_false(rig_holds(invite, "king"));
	assert_false(rig_holds(invite, "cheat"));
	assert_true(rig_holds(invite, "Max-Forwards: 69"));
	snprintf(own, sizeof(own), "%s", rig_field(&r, invite, SIP_HDR_RECORD_ROUTE));
	core_answers(invite, 183, "p");
	m = rig_last_ue(&r);
	assert_int_equal(m->m.status, 183);
	assert_int_equal(m->flow.set, 0);
	assert_true(rig_holds(m, "@192.0.2.1:5060;lr>"));
	assert_false(rig_holds(m, RIG_HOST));
	says(&u, (struct said){.method = "PRACK", .to_tag = "p"});
	assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), RECORDED);
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	core_answers(invite, 200, "p");
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	says(&u, (struct said){.method = "ACK", .to_tag = "p"});
	assert_int_equal(rig_last_core(&r)->m.method, SIP_ACK);
	assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), RECORDED);
	rig_forget(&r); /* its copy, as the ACK was lost */
	core_answers(&r.core.messages[0], 200, "p");
	assert_int_equal(r.ue.n, 1);
	/* hours later, from there: UPDATE; and from here: BYE */
	rig_run(&r, 7200000);
	snprintf(route, sizeof(route), "%s", own);
	core_asks("UPDATE", "c1", "p", route, 9);
	m = rig_last_ue(&r);
	assert_int_equal(m->m.method, SIP_UPDATE);
	assert_int_equal(m->flow.set, 0);
	assert_int_equal(m->flow.remote.port, 5060);
	ue_answers(m, "192.0.2.99", 200); /* somebody else */
	assert_int_equal(r.core.n, 0);
	ue_answers(m, "192.0.2.77", 200);
	assert_int_equal(rig_last_core(&r)->m.status, 200);
	says(&u, (struct said){.method = "BYE", .to_tag = "p"});
	assert_int_equal(rig_last_core(&r)->m.method, SIP_BYE);
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_counters(&r).emergency_calls, 1);
	assert_int_equal(rig_counters(&r).dialogs, 0);
	assert_int_equal(rig_counters(&r).emergency, 1); /* for repeats */
	nothing_is_left();
}

static void psap_hangs_up(void **state)
{
	const struct rig_message *invite;
	char own[256];

	(void)state;
	begin(clear);
	invite = called("c1");
	snprintf(own, sizeof(own), "%s", rig_field(&r, invite, SIP_HDR_RECORD_ROUTE));
	core_answers(invite, 200, "p");
	says(&u, (struct said){.method = "ACK", .to_tag = "p"});
	core_asks("BYE", "c1", "p", own, 3);
	assert_int_equal(rig_last_ue(&r)->m.method, SIP_BYE);
	ue_answers(rig_last_ue(&r), "192.0.2.77", 200);
	assert_int_equal(rig_last_core(&r)->m.status, 200);
	assert_int_equal(rig_counters(&r).dialogs, 0);
	nothing_is_left();
}

static void caller_cancels(void **state)
{
	const struct rig_message *invite;

	(void)state;
	begin(clear);
	says(&u, (struct said){.branch = "inv"});
	invite = rig_last_core(&r);
	core_answers(invite, 180, "p");
	says(&u, (struct said){.method = "CANCEL", .branch = "inv"});
	assert_int_equal(rig_last_core(&r)->m.method, SIP_CANCEL);
	assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), "<sip:" ECSCF ";lr>");
	rig_answer_to(&r, invite, 487, "");
	assert_int_equal(rig_last_ue(&r)->m.status, 487);
	rig_forget(&r);
	says(&u, (struct said){.method = "ACK", .branch = "inv", .to_tag = "core"});
	assert_int_equal(r.core.n, 0); /* that one is ours */
	assert_int_equal(rig_counters(&r).dialogs, 0);
	nothing_is_left();
}

/* Connections in clear are closed when nothing is said on them; the call lives on, over UDP. */
static void connection_ends(void **state)
{
	const struct rig_message *invite, *m;
	struct sip_flow lost;
	char own[256];

	(void)state;
	begin(clear);
	says(&u, (struct said){.tcp = true});
	invite = rig_last_core(&r);
	snprintf(own, sizeof(own), "%s", rig_field(&r, invite, SIP_HDR_RECORD_ROUTE));
	core_answers(invite, 180, "p");
	assert_int_equal(rig_last_ue(&r)->flow.transport, SIP_TRANSPORT_TCP);
	r.clear_stream_result = -ENOTCONN;
	core_answers(invite, 200, "p");
	m = rig_last_ue(&r);
	assert_int_equal(m->m.status, 200);
	assert_int_equal(m->flow.transport, SIP_TRANSPORT_UDP);
	assert_int_equal(m->flow.remote.port, 5060);
	/* another connection; one that is found out to be gone after sending */
	r.clear_stream_result = 0;
	says(&u, (struct said){.method = "ACK", .to_tag = "p", .tcp = true});
	core_asks("UPDATE", "c1", "p", own, 3);
	m = rig_last_ue(&r);
	assert_int_equal(m->flow.transport, SIP_TRANSPORT_TCP);
	assert_true(rig_holds(m, "Via: SIP/2.0/TCP 192.0.2.1:5060"));
	lost = m->flow;
	pcscf_undelivered(r.p, &lost, m->m.raw, true, r.now);
	m = rig_last_ue(&r);
	assert_int_equal(m->m.method, SIP_UPDATE);
	assert_int_equal(m->flow.transport, SIP_TRANSPORT_UDP);
	assert_true(rig_holds(m, "Via: SIP/2.0/UDP 192.0.2.1:5060"));
	ue_answers(m, "192.0.2.77", 200);
	assert_int_equal(rig_last_core(&r)->m.status, 200);
	says(&u, (struct said){.method = "BYE", .to_tag = "p"});
	rig_answer(&r, 200, "%s", "");
	nothing_is_left();
}

/* covers: SP-20 */
static void nothing_else_comes_in_clear(void **state)
{
	const struct rig_message *invite;
	struct rig_ue other;

	(void)state;
	begin(clear);
	rig_ue_init(&other, "bob", "192.0.2.88");
	invite = called("c1");
	core_answers(invite, 200, "p");
	rig_forget(&r);
	says(&u, (struct said){.method = "MESSAGE", .call = "c1"}); /* outside of the dialog */
	says(&u, (struct said){.uri = "sip:bob@home.test", .call = "c1"});
	says(&u, (struct said){.uri = "sip:bob@home.test", .call = "c9"});
	says(&u, (struct said){.method = "MESSAGE", .call = "c9"});
	says(&u, (struct said){.method = "BYE", .call = "c9", .to_tag = "p"});
	says(&other, (struct said){.method = "BYE", .call = "c1", .to_tag = "p"});
	assert_int_equal(dropped(PCSCF_DROP_CLEAR_NOT_REGISTER), 6);
	assert_int_equal(r.core.n + r.ue.n, 0);
	says(&u, (struct said){.method = "BYE", .call = "c1", .to_tag = "q"});
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_last_ue(&r)->m.status, 481);
	assert_int_equal(rig_counters(&r).dialogs, 1);
	says(&u, (struct said){.method = "BYE", .call = "c1", .to_tag = "p"});
	rig_answer(&r, 200, "%s", "");
	nothing_is_left();
}

static void no_way_to_the_ecscf(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		begin(i ? unreachable : nowhere);
		says(&u, (struct said){.method = "INVITE"});
		assert_int_equal(r.ue.n, 1);
		assert_int_equal(rig_last_ue(&r)->m.status, 380);
		assert_true(rig_holds(rig_last_ue(&r), "Content-Type: application/3gpp-ims+xml"));
		assert_true(rig_holds(rig_last_ue(&r), "<type>emergency</type>"));
		says(&u, (struct said){.method = "ACK", .to_tag = "x"});
		nothing_is_left();
	}
}

static void callers_are_bounded(void **state)
{
	struct rig_ue callers[5];
	const struct rig_message *last;
	char name[2] = "a", addr[32], call[8];

	(void)state;
	begin(clear);
	for (unsigned i = 0; i < 5; i++) {
		name[0] = (char)('a' + i);
		snprintf(addr, sizeof(addr), "192.0.2.%u", 100 + i);
		rig_ue_init(&callers[i], name, addr);
	}
	for (unsigned i = 0; i < 15; i++) { /* 3 at each address, 8 in all */
		snprintf(call, sizeof(call), "b%u", i);
		says(&callers[i / 3], (struct said){.call = call});
	}
	assert_int_equal(r.core.n, 8);
	assert_int_equal(rig_counters(&r).emergency, 8);
	assert_int_equal(dropped(PCSCF_DROP_OVERLOAD), 7);
	assert_int_equal(rig_last_ue(&r)->m.status, 380);
	/* one that is over makes place */
	rig_answer_to(&r, &r.core.messages[0], 486, "");
	last = rig_last_core(&r);
	says(&callers[4], (struct said){.call = "z"});
	assert_ptr_not_equal(rig_last_core(&r), last);
	assert_int_equal(rig_counters(&r).emergency, 8);
	nothing_is_left();
}

/* What is refused at once keeps no place. */
static void refused_callers_make_room(void **state)
{
	static char large[9000];
	struct rig_ue caller;
	char addr[32], call[8];

	(void)state;
	begin(clear);
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, "Subject: ", 9);
	memcpy(large + sizeof(large) - 3, "\r\n", 3);
	for (unsigned i = 0; i < 16; i++) {
		snprintf(addr, sizeof(addr), "192.0.2.%u", 100 + i);
		rig_ue_init(&caller, "a", addr);
		snprintf(call, sizeof(call), "b%u", i);
		says(&caller,
		     (struct said){.call = call, .fields = i % 2 ? large : "Proxy-Require: x\r\n"});
		assert_int_equal(rig_last_ue(&r)->m.status, i % 2 ? 513 : 420);
	}
	assert_int_equal(r.core.n, 0);
	says(&u, (struct said){.call = "z"});
	assert_int_equal(r.core.n, 1);
	rig_answer(&r, 486, "%s", "");
	nothing_is_left();
}

/* One that was refused and calls again keeps its place like any other. */
static void refused_caller_calls_again(void **state)
{
	struct rig_ue caller;
	char addr[32], call[8];

	(void)state;
	begin(clear);
	says(&u, (struct said){.call = "c1", .fields = "Proxy-Require: x\r\n"});
	assert_int_equal(rig_last_ue(&r)->m.status, 420);
	says(&u, (struct said){.call = "c1"});
	assert_int_equal(r.core.n, 1);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(addr, sizeof(addr), "192.0.2.%u", 100 + i);
		rig_ue_init(&caller, "a", addr);
		snprintf(call, sizeof(call), "b%u", i);
		says(&caller, (struct said){.call = call});
	}
	assert_int_equal(r.core.n, 8); /* of 8 places, one was taken */
	assert_int_equal(dropped(PCSCF_DROP_OVERLOAD), 1);
	for (unsigned i = 0; i < 8; i++)
		rig_answer_to(&r, &r.core.messages[i], 486, "");
	nothing_is_left();
}

/* Nor can one caller make us keep much. */
static void caller_is_bounded(void **state)
{
	static char large[9000];
	unsigned before, n;

	(void)state;
	begin(clear);
	says(&u, (struct said){.call = "c1"});
	core_answers(rig_last_core(&r), 200, "p");
	before = rig_counters(&r).transactions;
	for (unsigned i = 0; i < 20; i++) {
		rig_forget(&r);
		says(&u, (struct said){.method = "BYE", .to_tag = "made-up"});
		assert_int_equal(rig_last_ue(&r)->m.status, 481);
		says(&u, (struct said){.method = "CANCEL"});
		assert_int_equal(rig_last_ue(&r)->m.status, 481);
	}
	assert_int_equal(rig_counters(&r).transactions, before);
	memset(large, 'x', sizeof(large) - 1);
	memcpy(large, "Subject: ", 9);
	memcpy(large + sizeof(large) - 3, "\r\n", 3);
	says(&u, (struct said){.fields = large});
	assert_int_equal(rig_last_ue(&r)->m.status, 513);
	assert_int_equal(rig_counters(&r).transactions, before);
	for (unsigned i = 0; i < 100; i++) {
		rig_forget(&r);
		says(&u, (struct said){.call = "c1", .tcp = true});
		if (r.core.n)
			rig_answer(&r, 486, "%s", "");
	}
	n = rig_counters(&r).transactions;
	assert_true(n - before < 80);
	assert_int_equal(rig_last_ue(&r)->m.status, 503);
	says(&u, (struct said){.call = "c1"});
	assert_int_equal(rig_counters(&r).transactions, n);
	rig_run(&r, 130000); /* 64 T1 */
	rig_forget(&r);
	says(&u, (struct said){.call = "c1"});
	assert_int_equal(r.core.n, 1);
	says(&u, (struct said){.method = "BYE", .to_tag = "p"});
	rig_answer(&r, 200, "%s", "");
	nothing_is_left();
}

/* Whatever identity it claims; but other requests must have their own. */
static void registered_ue_calls(void **state)
{
	const struct rig_message *m;

	(void)state;
	begin(protected_only);
	rig_registered(&r, &u, 0, 3600);
	rig_forget(&r);
	says(&u, (struct said){.set = u.set,
			       .fields = "P-Preferred-Identity: <sip:barred@home.test>\r\n"});
	m = rig_last_core(&r);
	assert_string_equal(rig_field(&r, m, SIP_HDR_ROUTE), "<sip:" ECSCF ";lr>");
	assert_true(rig_holds(m, "P-Asserted-Identity: <sip:alice@home.test>"));
	assert_false(rig_holds(m, "barred"));
	core_answers(m, 200, "p");
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	says(&u, (struct said){.method = "BYE", .set = u.set, .to_tag = "p"});
	assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), RECORDED);
	rig_answer(&r, 200, "%s", "");
	rig_forget(&r);
	says(&u, (struct said){.uri = "sip:bob@home.test",
			       .set = u.set,
			       .fields = "P-Preferred-Identity: <sip:barred@home.test>\r\n"});
	assert_int_equal(r.core.n, 0);
	assert_int_equal(dropped(PCSCF_DROP_WRONG_IMPU), 1);
	rig_end(&r);
	/* nobody to give it to */
	begin(NULL);
	rig_registered(&r, &u, 0, 3600);
	rig_forget(&r);
	says(&u, (struct said){.set = u.set});
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_last_ue(&r)->m.status, 380);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	rig_end(&r);
}

/* ---- over TLS ----------------------------------------------------------------------------- */

static void with_tls(struct pcscf_conf *c)
{
	clear(c);
	c->choices[c->n_choices++] = (struct agree_choice){.type = AGREE_TLS};
}

static void registered_ue_calls_over_tls(void **state)
{
	const struct rig_message *m;

	(void)state;
	begin(with_tls);
	rig_registered_digest(&r, &u, 7, 3600);
	rig_forget(&r);
	says(&u, (struct said){.session = 7});
	m = rig_last_core(&r);
	assert_string_equal(rig_field(&r, m, SIP_HDR_ROUTE), "<sip:" ECSCF ";lr>");
	assert_true(rig_holds(m, "P-Asserted-Identity: <sip:alice@home.test>"));
	assert_int_equal(rig_counters(&r).emergency, 0); /* no caller in clear */
	core_answers(m, 200, "p");
	assert_int_equal(rig_last_ue(&r)->flow.session, 7);
	says(&u, (struct said){.method = "ACK", .session = 7, .to_tag = "p"});
	assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), RECORDED);
	says(&u, (struct said){.method = "BYE", .session = 7, .to_tag = "p"});
	assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), RECORDED);
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_last_ue(&r)->flow.session, 7);
	rig_end(&r);
}

static void sm7_on(uint64_t session)
{
	rig_register(&r, &u,
		     &(struct rig_register){.client = "tls", .expires = 600, .session = session});
	rig_challenge_digest(&r, &u, "");
	rig_register(&r, &u,
		     &(struct rig_register){.client = "tls",
					    .verify = u.verify,
					    .authorization = RIG_ANSWER,
					    .expires = 600,
					    .session = session});
}

/* A call goes on by its own route when the UE registers on the connection that it called on; and
 * it can begin while the core thinks about SM7. */
static void call_outlasts_registering(void **state)
{
	const struct rig_message *invite, *m;
	struct sip_flow tls;
	char own[256];

	(void)state;
	for (unsigned pending = 0; pending < 2; pending++) {
		begin(with_tls);
		tls = rig_tls(&r, &u, 7);
		if (pending)
			sm7_on(7);
		m = pending ? rig_last_core(&r) : NULL;
		says(&u, (struct said){.session = 7});
		invite = rig_last_core(&r);
		assert_int_equal(invite->m.method, SIP_INVITE);
		snprintf(own, sizeof(own), "%s", rig_field(&r, invite, SIP_HDR_RECORD_ROUTE));
		core_answers(invite, 180, "p");
		assert_int_equal(rig_last_ue(&r)->flow.session, 7);
		if (!pending) {
			sm7_on(7);
			rig_ok(&r, &u, 600);
		} else {
			rig_answer_to(&r, m, 200,
				      "Contact: <sip:192.0.2.77>;expires=600\r\n"
				      "Service-Route: <sip:orig@" RIG_SCSCF ";lr>\r\n");
		}
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		assert_true(pcscf_has_registered(r.p, sv_of(u.impi)));
		core_answers(invite, 200, "p");
		assert_int_equal(rig_last_ue(&r)->m.method, SIP_INVITE);
		says(&u, (struct said){.method = "ACK", .session = 7, .to_tag = "p"});
		assert_int_equal(rig_last_core(&r)->m.method, SIP_ACK);
		assert_string_equal(rig_field(&r, rig_last_core(&r), SIP_HDR_ROUTE), RECORDED);
		core_asks("BYE", "c1", "p", own, 3);
		m = rig_last_ue(&r);
		assert_int_equal(m->m.method, SIP_BYE);
		assert_int_equal(m->flow.session, 7);
		ue_answers_on(m, &tls, 200);
		assert_int_equal(rig_last_core(&r)->m.method, SIP_BYE);
		assert_int_equal(rig_last_core(&r)->m.status, 200);
		/* the user's own business goes the user's way */
		rig_request_on(&r, &u, &tls, "MESSAGE", NULL);
		assert_true(rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:alice@"));
		rig_end(&r);
	}
}

/* Who has the same address and Call-ID takes nothing of a registered UE's. */
static void caller_takes_no_calls_of_others(void **state)
{
	struct rig_ue other;

	(void)state;
	begin(with_tls);
	rig_ue_init(&other, "bob", "192.0.2.77"); /* behind the same NAT */
	rig_registered_digest(&r, &u, 7, 3600);
	says(&other, (struct said){.session = 8});
	assert_int_equal(rig_counters(&r).emergency, 1);
	core_answers(rig_last_core(&r), 200, "p");
	rig_forget(&r);
	says(&u, (struct said){.session = 7, .uri = "sip:bob@home.test"}); /* also "c1" */
	assert_true(rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:alice@"));
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uris),
		cmocka_unit_test(off_by_default),
		cmocka_unit_test(call_in_clear),
		cmocka_unit_test(psap_hangs_up),
		cmocka_unit_test(caller_cancels),
		cmocka_unit_test(connection_ends),
		cmocka_unit_test(nothing_else_comes_in_clear),
		cmocka_unit_test(no_way_to_the_ecscf),
		cmocka_unit_test(callers_are_bounded),
		cmocka_unit_test(refused_callers_make_room),
		cmocka_unit_test(refused_caller_calls_again),
		cmocka_unit_test(caller_is_bounded),
		cmocka_unit_test(registered_ue_calls),
		cmocka_unit_test(registered_ue_calls_over_tls),
		cmocka_unit_test(call_outlasts_registering),
		cmocka_unit_test(caller_takes_no_calls_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
