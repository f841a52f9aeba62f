/* UDP and TCP towards the UE: which is taken, and what comes next (RFC 3261 18, TS 33.203 7.1). */
#include <errno.h>

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

static void core_request(const char *method, const char *branch, const char *params, size_t body)
{
	static char text[4096];

	assert_true(body < sizeof(text));
	memset(text, 'x', body);
	text[body] = '\0';
	rig_from_core(&r,
		      "%s sip:alice@[2001:db8::77]:5070%s SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bK%s\r\nRoute: %s\r\n"
		      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=b\r\n"
		      "To: <sip:alice@home.test>\r\nCall-ID: %s\r\nCSeq: 1 %s\r\n"
		      "Content-Length: %zu\r\n\r\n%s",
		      method, params, branch, path, branch, method, body, text);
}

static struct sip_flow tcp_flow(enum sa_pair pair)
{
	const struct sa_set *sa = rig_sa(&r, u.set);

	return (struct sip_flow){
		.transport = SIP_TRANSPORT_TCP,
		.local = {sa->local, sa->local_port[pair]},
		.remote = {sa->remote, sa->remote_port[pair]},
		.set = u.set,
		.pair = (uint8_t)pair,
	};
}

static void ue_answers(const struct sip_flow *from, const struct rig_message *request,
		       unsigned status)
{
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_reply_begin(&b, &request->m, status, SV("u"));
	sip_reply_end(&b, (struct sv){0});
	rig_from_ue(&r, from, "%.*s", SV_ARG(sbuf_sv(&b)));
}

static void assert_went(enum sip_transport transport, const char *via)
{
	const struct rig_message *m = rig_last_ue(&r);

	assert_int_equal(m->flow.transport, transport);
	assert_int_equal(m->flow.set, u.set);
	assert_int_equal(m->flow.pair, SA_CLIENT); /* port_pc to port_us */
	assert_int_equal(m->flow.remote.port, u.ours.port_s);
	assert_true(rig_holds(m, via));
}

#define VIA_UDP "Via: SIP/2.0/UDP [2001:db8::1]:6060;branch="
#define VIA_TCP "Via: SIP/2.0/TCP [2001:db8::1]:6060;branch="

/* covers: SP-16, SP-14, F35 */
static void size_and_contact_choose(void **state)
{
	static const struct {
		const char *params;
		size_t body;
		enum sip_transport transport;
	} cases[] = {
		{"", 0, SIP_TRANSPORT_UDP},
		{"", 900, SIP_TRANSPORT_UDP},
		{"", 1301, SIP_TRANSPORT_TCP},
		{";transport=tcp", 0, SIP_TRANSPORT_TCP},
		{";transport=TCP", 0, SIP_TRANSPORT_TCP},
		{";transport=udp", 3000, SIP_TRANSPORT_UDP},
	};
	const struct sip_flow ours = tcp_flow(SA_CLIENT);
	struct sip_flow udp = rig_flow(&r, &u, u.set);

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		bool tcp = cases[i].transport == SIP_TRANSPORT_TCP;
		char branch[8];

		snprintf(branch, sizeof(branch), "s%u", i);
		rig_forget(&r);
		core_request("MESSAGE", branch, cases[i].params, cases[i].body);
		assert_went(cases[i].transport, tcp ? VIA_TCP : VIA_UDP);
		ue_answers(tcp ? &ours : &udp, rig_last_ue(&r), 200);
		assert_int_equal(rig_last_core(&r)->m.status, 200);
	}
}

/* Answers take the UE's connection; a request does not come by ours. */
/* covers: SP-16, D-28 */
static void connections_have_directions(void **state)
{
	static const char message[] =
		"MESSAGE sip:bob@home.test SIP/2.0\r\n"
		"Via: SIP/2.0/TCP [2001:db8::77]:5070;branch=z9hG4bKtcp\r\nMax-Forwards: 70\r\n"
		"From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>\r\nCall-ID: tcp\r\n"
		"CSeq: 7 MESSAGE\r\nContent-Length: 0\r\n\r\n";
	struct sip_flow theirs = tcp_flow(SA_SERVER), ours = tcp_flow(SA_CLIENT);

	(void)state;
	rig_from_ue(&r, &ours, "%s", message);
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_SA], 1);
	rig_from_ue(&r, &theirs, "%s", message);
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_last_ue(&r)->flow.transport, SIP_TRANSPORT_TCP);
	assert_int_equal(rig_last_ue(&r)->flow.pair, SA_SERVER);
	assert_int_equal(rig_last_ue(&r)->flow.local.port, 6060);
	assert_int_equal(rig_last_ue(&r)->flow.remote.port, u.ours.port_c);
}

/* A UE registers over TCP and sends over UDP on the same SAs. covers: F11, ES-04, HX-15 */
static void one_set_carries_both(void **state)
{
	struct sip_flow tcp = tcp_flow(SA_SERVER);
	unsigned sets = rig_installed(&r);

	(void)state;
	rig_from_ue(&r, &tcp,
		    "MESSAGE sip:bob@home.test SIP/2.0\r\n"
		    "Via: SIP/2.0/TCP [2001:db8::77]:5070;branch=z9hG4bKt1\r\nMax-Forwards: 70\r\n"
		    "From: <sip:alice@home.test>;tag=1\r\nTo: <sip:bob@home.test>\r\n"
		    "Call-ID: t1\r\nCSeq: 7 MESSAGE\r\nContent-Length: 0\r\n\r\n");
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_last_ue(&r)->flow.transport, SIP_TRANSPORT_TCP);
	rig_request(&r, &u, u.set, "MESSAGE", "");
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_last_ue(&r)->flow.transport, SIP_TRANSPORT_UDP);
	assert_int_equal(rig_last_ue(&r)->flow.pair, SA_CLIENT);
	assert_int_equal(rig_installed(&r), sets);
}

/* The UE's connection has gone before the answer: port_pc to port_us, then UDP, never in clear. */
/* covers: F10 */
static void answers_find_another_way(void **state)
{
	struct sip_flow theirs = tcp_flow(SA_SERVER);

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		rig_from_ue(&r, &theirs,
			    "INVITE sip:bob@home.test SIP/2.0\r\n"
			    "Via: SIP/2.0/TCP [2001:db8::77]:5070;branch=z9hG4bKi%u\r\n"
			    "Max-Forwards: 70\r\nFrom: <sip:alice@home.test>;tag=1\r\n"
			    "To: <sip:bob@home.test>\r\nCall-ID: i%u\r\nCSeq: 7 INVITE\r\n"
			    "Contact: <sip:[2001:db8::77]:5070>\r\nContent-Length: 0\r\n\r\n",
			    i, i);
		rig_forget(&r);
		r.stream_result[SA_SERVER] = -ENOTCONN;
		r.stream_result[SA_CLIENT] = i ? -ECONNREFUSED : 0;
		rig_run(&r, 250); /* 100 */
		assert_int_equal(r.ue.n, 1);
		assert_int_equal(rig_last_ue(&r)->m.status, 100);
		assert_int_equal(rig_last_ue(&r)->flow.transport,
				 i ? SIP_TRANSPORT_UDP : SIP_TRANSPORT_TCP);
		assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
		assert_int_equal(rig_last_ue(&r)->flow.pair, SA_CLIENT);
		assert_int_equal(rig_last_ue(&r)->flow.remote.port, u.ours.port_s);
		r.stream_result[SA_SERVER] = r.stream_result[SA_CLIENT] = 0;
	}
	/* and if that shows later only */
	rig_forget(&r);
	pcscf_undelivered(r.p, &theirs,
			  SV("SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP [2001:db8::77];branch=z9hG4bKx\r\n"
			     "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\n"
			     "CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"),
			  true, r.now);
	assert_int_equal(rig_last_ue(&r)->flow.transport, SIP_TRANSPORT_TCP);
	assert_int_equal(rig_last_ue(&r)->flow.pair, SA_CLIENT);
	theirs.set = 99; /* gone: nobody gets it */
	rig_forget(&r);
	pcscf_undelivered(r.p, &theirs, SV("SIP/2.0 200 OK\r\n\r\n"), true, r.now);
	assert_int_equal(r.ue.n, 0);
}

/* The UE refuses our connection: the same transaction goes on over UDP, with its repeats. */
/* covers: F15 */
static void requests_fall_back(void **state)
{
	char branch[64], text[RIG_TEXT];
	struct sip_flow ours = tcp_flow(SA_CLIENT), udp = rig_flow(&r, &u, u.set);
	unsigned sends;

	(void)state;
	/* known at once */
	r.stream_result[SA_CLIENT] = -EMFILE;
	core_request("MESSAGE", "f1", "", 1500);
	assert_int_equal(r.ue.n, 1);
	assert_went(SIP_TRANSPORT_UDP, VIA_UDP);
	ue_answers(&udp, rig_last_ue(&r), 200);
	assert_int_equal(rig_last_core(&r)->m.status, 200);
	/* known later */
	r.stream_result[SA_CLIENT] = 0;
	rig_forget(&r);
	core_request("MESSAGE", "f2", "", 1500);
	assert_went(SIP_TRANSPORT_TCP, VIA_TCP);
	rig_run(&r, 10000);
	assert_int_equal(r.ue.n, 1); /* over TCP nothing is repeated */
	snprintf(text, sizeof(text), "%s", rig_last_ue(&r)->text);
	snprintf(branch, sizeof(branch), "%.*s", SV_ARG(rig_last_ue(&r)->m.branch));
	pcscf_undelivered(r.p, &ours, sv_of(text), false, r.now);
	assert_went(SIP_TRANSPORT_UDP, VIA_UDP);
	assert_true(sv_eq(rig_last_ue(&r)->m.branch, sv_of(branch)));
	sends = r.ue.n;
	rig_run(&r, 7000);
	assert_int_equal(r.ue.n, sends + 2); /* T1, then 2 T1 */
	ue_answers(&udp, rig_last_ue(&r), 200);
	assert_int_equal(rig_last_core(&r)->m.status, 200);
	/* answered: what comes back now is of no use */
	rig_forget(&r);
	pcscf_undelivered(r.p, &ours, sv_of(text), false, r.now);
	assert_int_equal(r.ue.n, 0);
	/* for a while this UE is not asked for TCP again */
	core_request("MESSAGE", "f3", "", 1500);
	assert_went(SIP_TRANSPORT_UDP, VIA_UDP);
	ue_answers(&udp, rig_last_ue(&r), 200);
	rig_run(&r, 61000);
	core_request("MESSAGE", "f4", "", 1500);
	assert_went(SIP_TRANSPORT_TCP, VIA_TCP);
	ue_answers(&ours, rig_last_ue(&r), 200);
}

/* The connection ends with requests on it: they go over a new one; if that ends too, over UDP. */
static void lost_connections_are_opened_again(void **state)
{
	struct sip_flow ours = tcp_flow(SA_CLIENT);
	char text[2][RIG_TEXT];

	(void)state;
	core_request("MESSAGE", "l1", "", 1500);
	snprintf(text[0], RIG_TEXT, "%s", rig_last_ue(&r)->text);
	core_request("MESSAGE", "l2", "", 1500);
	snprintf(text[1], RIG_TEXT, "%s", rig_last_ue(&r)->text);
	rig_forget(&r);
	for (unsigned i = 0; i < 2; i++)
		pcscf_undelivered(r.p, &ours, sv_of(text[i]), true, r.now);
	assert_int_equal(r.ue.n, 2);
	assert_went(SIP_TRANSPORT_TCP, VIA_TCP);
	rig_run(&r, 100);
	for (unsigned i = 0; i < 2; i++)
		pcscf_undelivered(r.p, &ours, sv_of(text[i]), true, r.now);
	assert_int_equal(r.ue.n, 4);
	assert_went(SIP_TRANSPORT_UDP, VIA_UDP);
	core_request("MESSAGE", "l3", "", 1500); /* TCP is not given up for that */
	assert_went(SIP_TRANSPORT_TCP, VIA_TCP);
}

/* ACK and CANCEL follow their INVITE, with its Via. */
static void invite_keeps_its_transport(void **state)
{
	struct sip_flow ours = tcp_flow(SA_CLIENT);
	const struct rig_message *invite;

	(void)state;
	core_request("INVITE", "n1", "", 1500);
	assert_went(SIP_TRANSPORT_TCP, VIA_TCP);
	invite = rig_last_ue(&r);
	ue_answers(&ours, invite, 180);
	rig_from_core(&r,
		      "CANCEL sip:alice@[2001:db8::77]:5070 SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKn1\r\nRoute: %s\r\n"
		      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=b\r\n"
		      "To: <sip:alice@home.test>\r\nCall-ID: n1\r\nCSeq: 1 CANCEL\r\n"
		      "Content-Length: 0\r\n\r\n",
		      path);
	assert_int_equal(rig_last_ue(&r)->m.method, SIP_CANCEL);
	assert_went(SIP_TRANSPORT_TCP, VIA_TCP);
	ue_answers(&ours, rig_last_ue(&r), 200);
	ue_answers(&ours, invite, 487);
	assert_int_equal(rig_last_ue(&r)->m.method, SIP_ACK);
	assert_went(SIP_TRANSPORT_TCP, VIA_TCP);
	assert_int_equal(rig_last_core(&r)->m.status, 487);
	/* an ACK that did not get through */
	rig_forget(&r);
	pcscf_undelivered(r.p, &ours,
			  SV("ACK sip:alice@[2001:db8::77] SIP/2.0\r\n"
			     "Via: SIP/2.0/TCP [2001:db8::1]:6060;branch=z9hG4bKack\r\n"
			     "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\n"
			     "CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"),
			  true, r.now);
	assert_went(SIP_TRANSPORT_UDP, VIA_UDP);
}

/* SM1 in clear over TCP: SM6 on its connection; if that is gone, nothing goes elsewhere. */
static void clear_connections(void **state)
{
	struct sip_flow from = {.transport = SIP_TRANSPORT_TCP};
	struct rig_ue v;

	(void)state;
	rig_ue_init(&v, "carol", "2001:db8::78");
	from = rig_flow(&r, &v, 0);
	from.transport = SIP_TRANSPORT_TCP;
	from.remote.port = 60123;
	rig_from_ue(&r, &from,
		    "REGISTER sip:home.test SIP/2.0\r\n"
		    "Via: SIP/2.0/TCP [2001:db8::78]:5060;branch=z9hG4bKr\r\nMax-Forwards: 70\r\n"
		    "From: <sip:carol@home.test>;tag=1\r\nTo: <sip:carol@home.test>\r\n"
		    "Call-ID: r\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 421); /* no Security-Client */
	assert_int_equal(rig_last_ue(&r)->flow.transport, SIP_TRANSPORT_TCP);
	assert_int_equal(rig_last_ue(&r)->flow.remote.port, 60123);
	rig_forget(&r);
	pcscf_undelivered(r.p, &from, SV("SIP/2.0 421 x\r\n\r\n"), true, r.now);
	assert_int_equal(r.ue.n, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(size_and_contact_choose),    T(connections_have_directions),
		T(one_set_carries_both),       T(answers_find_another_way),
		T(requests_fall_back),	       T(lost_connections_are_opened_again),
		T(invite_keeps_its_transport), T(clear_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
