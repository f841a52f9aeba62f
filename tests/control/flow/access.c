/* Packets on their way between UEs and P-CSCF, and what can befall them. */
#include <stdlib.h>

#include "tests/control/flow/conn.h"
#include "tests/control/flow/path.h"
#include "tests/control/flow/sas.h"

/* A parameter of that name; a nonce may hold the letters by chance. */
static bool has_param(const struct net_packet *k, const char *name)
{
	for (size_t i = 1; i + 3 < k->n; i++)
		if (strncasecmp(k->text + i, name, 3) == 0 && strchr(" ,\t\n", k->text[i - 1]))
			return true;
	return false;
}

static bool is_answer(const struct net_packet *k)
{
	return memmem(k->text, k->n, "response=\"", 10) &&
	       !memmem(k->text, k->n, "response=\"\"", 11) && !memmem(k->text, k->n, "AKAv1", 5);
}

static void watch(struct net *n, const struct net_packet *k)
{
	if (k->flow.session)
		return;
	if (!k->flow.set && is_answer(k))
		n->clear_answers++;
	if (k->from == &n->edge && (has_param(k, "ck=") || has_param(k, "ik=")))
		n->keys_seen++;
	if (!k->flow.set && strncmp(k->text, "REGISTER ", 9) != 0 &&
	    strncmp(k->text, "SIP/2.0 ", 8) != 0)
		n->clear_requests++;
}

static bool is_sm12(struct sv text)
{
	return text.n > 12 && memcmp(text.p, "SIP/2.0 200 ", 12) == 0 &&
	       memmem(text.p, text.n, " REGISTER\r\n", 11);
}

void net_transmit(struct net_end *e, const struct sip_flow *flow, struct sv text)
{
	struct net *n = e->net;
	struct net_packet *k = malloc(sizeof(*k) + text.n);

	assert_non_null(k);
	assert_true(text.n < NET_TEXT);
	if (flow->set) { /* only on installed sets, and with their ports */
		struct net_sa *sa = sas_find(e, flow->set);

		assert_non_null(sa);
		assert_true(sa->installed);
		assert_int_equal(flow->local.port, sa->set.local_port[flow->pair]);
		assert_int_equal(flow->remote.port, sa->set.remote_port[flow->pair]);
		if (e == &n->edge && is_sm12(text))
			sa->confirmed = true;
	} else if (!flow->session) {
		assert_int_equal(flow->local.port, 5060);
	}
	*k = (struct net_packet){.from = e, .flow = *flow, .number = n->sent++, .n = text.n};
	if (flow->transport == SIP_TRANSPORT_TCP)
		k->conn = conn_serial(e, flow);
	if (flow->set)
		k->sa = sas_find(e, flow->set)->set;
	memcpy(k->text, text.p, text.n);
	watch(n, k);
	*n->tail = k;
	n->tail = &k->next;
}

static void hand_over(struct net *n, struct net_end *to, const struct sip_flow *flow,
		      struct sv text)
{
	if (to == &n->edge) {
		pcscf_input(n->pcscf, flow, text, n->now);
		return;
	}
	if (net_ue_of(to)->ue)
		ue_input(net_ue_of(to)->ue, flow, text, n->now);
}

static void deliver(struct net *n, const struct net_packet *k)
{
	struct sip_flow flow = {
		.transport = k->flow.transport,
		.local = k->flow.remote,
		.remote = k->flow.local,
		.session = k->flow.session,
	};
	struct ip_endpoint source;
	bool tcp = k->flow.transport == SIP_TRANSPORT_TCP;
	struct net_end *to;
	struct sv text = {0};
	unsigned pair = 0;

	if (k->back) {
		conn_give_back(n, k);
		return;
	}
	if (tcp && conn_is_gone(k))
		return;
	to = path_take(n, k, &source);

	if (!to) {
		n->lost_nat++;
		return;
	}
	if (k->flow.set) {
		struct net_sa *in = sas_receive(to, &k->sa, k->flow.pair, &pair);

		if (!in)
			return;
		flow.set = in->set.id;
		flow.pair = (uint8_t)pair;
		path_learn(n, to, in, &source, &flow.remote.addr);
	} else {
		path_clear(n, to, &source, &flow);
		if (tcp)
			conn_clear(to, k, &flow);
		if (flow.local.port != 5060 &&
		    !flow.session) { /* SP-11: protected ports take nothing in clear */
			n->lost_clear++;
			return;
		}
	}
	if (n->alter)
		text = n->alter(n, k, n->fate_arg);
	hand_over(n, to, &flow, sv_empty(text) ? (struct sv){k->text, k->n} : text);
}

/* By the addresses of the set: those of the packet are inside a tunnel. */
struct net_end *net_receiver(struct net *n, const struct net_packet *k)
{
	struct net_ue *x = k->from == &n->edge ? path_owner(n, &k->sa.remote) : NULL;

	if (k->from != &n->edge)
		return &n->edge;
	if (!x || !(ip_addr_eq(&x->conf.local.addr, &k->sa.remote) ||
		    ip_addr_eq(&x->nat.addr, &k->sa.remote)))
		return NULL;
	return &x->end;
}

struct net_sa *net_sa_of(struct net_end *to, const struct net_packet *k)
{
	return sas_of_spi(to, k->sa.spi_out[k->flow.pair]);
}

void net_inject(struct net *n, struct net_end *to, const struct net_sa *on, struct sv text)
{
	struct net_ue *x = to == &n->edge ? NULL : net_ue_of(to);
	struct sip_flow flow = {.transport = SIP_TRANSPORT_UDP};

	if (on) {
		flow.set = on->set.id;
		flow.pair = SA_SERVER;
		flow.local = (struct ip_endpoint){on->set.local, on->set.local_port[SA_SERVER]};
		flow.remote = (struct ip_endpoint){on->set.remote, on->set.remote_port[SA_SERVER]};
		if (on->set.mode == SA_MODE_UDP_ENC_TUN)
			flow.remote.addr = on->set.tunnel.inner_remote[0];
	} else {
		flow.local = x ? x->conf.local : n->ues[0].conf.pcscf;
		flow.remote = x ? x->conf.pcscf : n->ues[0].conf.local;
	}
	hand_over(n, to, &flow, text);
}

static void spoil(struct net *n, struct net_packet *k)
{
	if (k->flow.set)
		n->spoiled++;
	else
		k->text[n->spoil_at % k->n] ^= (char)n->spoil_bits;
}

static void hold(struct net *n, struct net_packet *k, uint64_t ms)
{
	struct net_packet **p = &n->held;

	while (*p)
		p = &(*p)->next;
	k->due = n->now + ms;
	k->next = NULL;
	*p = k;
}

/* The packet that holds up all that follows it on its connection. */
static const struct net_packet *holdup(const struct net *n, const struct net_packet *k)
{
	const struct net_packet *h = k->conn ? n->held : NULL;

	while (h && (h->conn != k->conn || h->from != k->from))
		h = h->next;
	return h;
}

/* What was held back for its time, or for another packet to pass. */
static bool release(struct net *n, bool passed)
{
	bool did = false;

	for (struct net_packet **p = &n->held, *k; (k = *p);) {
		if (k->due > n->now && !(passed && k->swap)) {
			p = &k->next;
			continue;
		}
		*p = k->next;
		if (k->stall)
			conn_break(n, k);
		else
			deliver(n, k);
		free(k);
		mw_run(n->mw, n->now);
		p = &n->held;
		did = true;
	}
	return did;
}

/* ---- what befalls a packet; false: it stays for later */

static bool meet_tcp_fate(struct net *n, struct net_packet *k, enum net_fate fate)
{
	switch (fate) {
	case NET_SPOIL:
		if (k->flow.set) { /* what ESP dropped TCP repeats */
			hold(n, k, 1500);
			return false;
		}
		spoil(n, k);
		break;
	case NET_SWAP:
	case NET_LATE:
	case NET_STALL:
		k->swap = fate == NET_SWAP;
		k->stall = fate == NET_STALL;
		hold(n, k, fate == NET_SWAP ? 3000 : n->late_ms);
		return false;
	default:
		break;
	}
	if (fate != NET_DROP)
		deliver(n, k);
	if (fate == NET_DROP || fate == NET_CUT)
		conn_break(n, k);
	if (fate == NET_DOUBLE && conn_double(n, k))
		deliver(n, k);
	return true;
}

static bool meet_udp_fate(struct net *n, struct net_packet *k, enum net_fate fate)
{
	if (fate == NET_SWAP || fate == NET_LATE) {
		k->swap = fate == NET_SWAP;
		hold(n, k, fate == NET_SWAP ? 3000 : n->late_ms);
		return false;
	}
	if (fate == NET_SPOIL)
		spoil(n, k);
	if (fate == NET_DROP || fate == NET_CUT || fate == NET_STALL ||
	    (fate == NET_SPOIL && k->flow.set))
		return true;
	deliver(n, k);
	if (fate == NET_DOUBLE)
		deliver(n, k);
	return true;
}

static bool meet_fate(struct net *n, struct net_packet *k)
{
	const struct net_packet *before = k->back ? NULL : holdup(n, k);
	enum net_fate fate;

	if (before) {
		k->swap = before->swap;
		hold(n, k, before->due - n->now);
		return false;
	}
	fate = n->fate && !k->back ? n->fate(n, k, n->fate_arg) : NET_PASS;
	return k->conn ? meet_tcp_fate(n, k, fate) : meet_udp_fate(n, k, fate);
}

bool net_step(struct net *n)
{
	struct net_packet *k = n->head;

	if (!k)
		return false;
	n->head = k->next;
	if (!n->head)
		n->tail = &n->head;
	if (!meet_fate(n, k))
		return true;
	free(k);
	mw_run(n->mw, n->now);
	(void)release(n, true);
	return true;
}

/* false: there was nothing to do. */
static bool step(struct net *n)
{
	bool did = mw_run(n->mw, n->now) > 0;

	did |= release(n, false);
	while (net_step(n))
		did = true;
	return did;
}

void net_run(struct net *n, uint64_t ms)
{
	uint64_t end = n->now + ms, due;

	for (;;) {
		(void)step(n);
		do /* what comes of timers may start others */
			due = timers_run(n->timers, n->now);
		while (step(n));
		for (const struct net_packet *k = n->held; k; k = k->next)
			due = k->due < due ? k->due : due;
		if (n->head || due <= n->now)
			continue;
		if (due > end)
			break;
		n->now = due;
	}
	n->now = end;
}
