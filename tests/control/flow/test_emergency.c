/*
 * Emergency calls through the whole network to a UE that answers for the emergency centre: over
 * SAs, and in clear from one that never registered. The E-CSCF is a proxy that knows but this one
 * centre.
 */
#include "control/base/parse.h"
#include "control/mw/proxy.h"
#include "tests/control/flow/net.h"

#define ECSCF  "ecscf.home.test"
#define ALICE  0
#define CENTRE 1

struct ecscf {
	struct mw_proxy proxy;
	const struct net *n;
};

static struct ecscf ecscf;
static char heard[NET_TEXT]; /* what the caller in clear got last */
static unsigned n_heard;

static void ecscf_input(void *arg, struct sv text, uint64_t now)
{
	struct ecscf *e = arg;
	struct sip_edit edit;
	struct sip_msg m;
	bool first;

	(void)now;
	assert_int_equal(sip_msg_parse(&m, text), 0);
	if (!m.request) {
		mw_proxy_response(&e->proxy, &m);
		return;
	}
	assert_true(mw_proxy_check(&e->proxy, &m));
	first = sv_empty(m.to_tag) && m.method == SIP_INVITE;
	mw_proxy_begin(&e->proxy, &edit, &m, true);
	if (sv_has_prefix(m.uri, SV("urn:")))
		sip_edit_replace(&edit, m.uri, "%s", e->n->ues[CENTRE].impu);
	if (first)
		sip_edit_insert(&edit, SIP_HDR_RECORD_ROUTE, "Record-Route: <sip:" ECSCF ";lr>");
	assert_int_equal(mw_proxy_end(&e->proxy, &edit,
				      sv_has_prefix(m.uri, SV("urn:")) ? SV("icscf.home.test")
								       : (struct sv){0}),
			 0);
}

static void on_event(struct net *n, struct net_ue *x, enum ue_event e, struct sv text)
{
	(void)text;
	if (e == UE_CALL_INCOMING)
		assert_int_equal(ue_call_accept(x->ue, n->now), 0);
}

static struct net *network(uint8_t ip, bool in_clear)
{
	struct net_setup setup = {.ues = 2, .ip = ip, .ecscf = ECSCF, .clear_emergency = in_clear};
	struct net *n = net_alloc(&setup);

	ecscf = (struct ecscf){{.mw = n->mw, .host = SV(ECSCF)}, n};
	assert_int_equal(mw_attach(n->mw, SV(ECSCF), ecscf_input, &ecscf), 0);
	n->event = on_event;
	net_register(n, CENTRE);
	return n;
}

static void nothing_is_left(struct net *n)
{
	net_run(n, 400000);
	assert_int_equal(net_counters(n).dialogs, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(net_counters(n).emergency, 0);
	assert_int_equal(ue_transactions(n->ues[CENTRE].ue), 0);
	assert_int_equal(ecscf.proxy.dropped, 0);
	n->clear_requests = 0;
	net_free(n);
}

static void registered(uint8_t ip, unsigned who)
{
	struct net *n = network(ip, false);

	net_register(n, ALICE);
	assert_int_equal(ue_call(n->ues[ALICE].ue, SV("urn:service:sos.fire"), n->now), 0);
	net_run(n, 1);
	assert_int_equal(ue_call_state(n->ues[ALICE].ue), UE_CALL_TALKING);
	assert_int_equal(n->ues[CENTRE].events[UE_CALL_ANSWERED], 1);
	assert_int_equal(net_counters(n).emergency_calls, 0);
	net_run(n, 60000);
	assert_int_equal(ue_call_end(n->ues[who].ue, n->now), 0);
	net_run(n, 1);
	assert_int_equal(n->ues[ALICE].events[UE_CALL_ENDED], 1);
	assert_int_equal(n->ues[CENTRE].events[UE_CALL_ENDED], 1);
	assert_int_equal(n->clear_requests, 0);
	nothing_is_left(n);
}

static void over_an_sa(void **state)
{
	(void)state;
	registered(4, ALICE);
	registered(6, CENTRE);
}

/* ---- in clear: the caller is this test ----------------------------------------------------- */

static enum net_fate overhear(struct net *n, const struct net_packet *k, void *arg)
{
	(void)arg;
	if (k->from != &n->edge || k->flow.set)
		return NET_PASS;
	assert_true(ip_addr_eq(&k->flow.remote.addr, &n->ues[ALICE].conf.local.addr));
	memcpy(heard, k->text, k->n);
	heard[k->n] = '\0';
	n_heard++;
	return NET_DROP; /* no UE is there */
}

static void says(struct net *n, const char *method, unsigned cseq, const char *to_tag,
		 const char *fields)
{
	char addr[IP_ADDR_STRLEN], text[NET_TEXT], host[IP_ADDR_STRLEN + 2];
	bool is6 = n->ues[ALICE].conf.local.addr.version == 6;
	int len;

	ip_addr_format(&n->ues[ALICE].conf.local.addr, addr);
	snprintf(host, sizeof(host), is6 ? "[%s]" : "%s", addr);
	len = snprintf(text, sizeof(text),
		       "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bKe%u%s\r\n"
		       "Max-Forwards: 70\r\nFrom: <sip:anonymous@anonymous.invalid>;tag=em\r\n"
		       "To: <urn:service:sos>%s%s\r\nCall-ID: emergency\r\nCSeq: %u %s\r\n"
		       "Contact: <sip:em@%s:5060>\r\n%sContent-Length: 0\r\n\r\n",
		       method, *to_tag ? "sip:u1@home.test" : "urn:service:sos", host, cseq,
		       strcmp(method, "ACK") ? "" : "a", *to_tag ? ";tag=" : "", to_tag, cseq,
		       method, host, fields);
	net_inject(n, &n->edge, NULL, (struct sv){text, (size_t)len});
	net_run(n, 1);
}

/* The tag of the other end, and its Contact as Request-URI, as far as the core looks at it. */
static void remote_tag(char tag[64])
{
	struct sip_msg m;

	assert_int_equal(sip_msg_parse(&m, sv_of(heard)), 0);
	snprintf(tag, 64, "%.*s", SV_ARG(m.to_tag));
}

static void answers(struct net *n, unsigned status)
{
	char text[NET_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct sip_msg m;

	assert_int_equal(sip_msg_parse(&m, sv_of(heard)), 0);
	sip_reply_begin(&b, &m, status, SV("em"));
	sip_reply_end(&b, (struct sv){0});
	net_inject(n, &n->edge, NULL, sbuf_sv(&b));
	net_run(n, 1);
}

static struct net *called(uint8_t ip, char tag[64])
{
	struct net *n = network(ip, true);

	n->fate = overhear;
	n_heard = 0;
	says(n, "INVITE", 1, "", "");
	assert_memory_equal(heard, "SIP/2.0 200", 11);
	assert_non_null(strstr(heard, ":5060;lr>")); /* our element as the caller may use it */
	remote_tag(tag);
	assert_int_equal(n->ues[CENTRE].events[UE_CALL_INCOMING], 1);
	says(n, "ACK", 1, tag, "");
	assert_int_equal(n->ues[CENTRE].events[UE_CALL_ANSWERED], 1);
	return n;
}

static void in_clear_caller_ends(void **state)
{
	char tag[64];
	struct net *n;

	(void)state;
	for (uint8_t ip = 4; ip <= 6; ip += 2) {
		n = called(ip, tag);
		net_run(n, 3600000);
		says(n, "BYE", 2, tag, "");
		assert_memory_equal(heard, "SIP/2.0 200", 11);
		assert_int_equal(n->ues[CENTRE].events[UE_CALL_ENDED], 1);
		nothing_is_left(n);
	}
}

static void in_clear_centre_ends(void **state)
{
	char tag[64];
	struct net *n = called(4, tag);

	(void)state;
	net_run(n, 3600000);
	n_heard = 0;
	assert_int_equal(ue_call_end(n->ues[CENTRE].ue, n->now), 0);
	net_run(n, 1);
	assert_memory_equal(heard, "BYE ", 4);
	answers(n, 200);
	assert_int_equal(n->ues[CENTRE].events[UE_CALL_ENDED], 1);
	assert_string_equal(n->ues[CENTRE].text, "");
	nothing_is_left(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_an_sa),
		cmocka_unit_test(in_clear_caller_ends),
		cmocka_unit_test(in_clear_centre_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
