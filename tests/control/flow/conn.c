#include "tests/control/flow/conn.h"

#include <errno.h>
#include <stdlib.h>

#define CONFIRM_MS 5000

static bool is_edge(const struct net_end *e)
{
	return e == &e->net->edge;
}

static bool is_of(const struct net_conn *c, const struct net_end *e, const struct sip_flow *f)
{
	const struct ip_endpoint *edge = is_edge(e) ? &f->local : &f->remote;
	const struct ip_endpoint *ue = is_edge(e) ? &f->remote : &f->local;

	return ip_endpoint_eq(&c->edge, edge) &&
	       ip_endpoint_eq(is_edge(e) && !f->set ? &c->mapped : &c->ue, ue);
}

static struct net_conn **conn_find(struct net_end *e, const struct sip_flow *f)
{
	struct net_conn **c = &e->net->tcp.conns;

	while (*c && !is_of(*c, e, f))
		c = &(*c)->next;
	return c;
}

static struct net_packet *packet_of(struct net_end *from, const struct sip_flow *f, struct sv text)
{
	struct net_packet *k = calloc(1, sizeof(*k) + text.n);

	assert_non_null(k);
	k->from = from;
	k->flow = *f;
	k->n = text.n;
	memcpy(k->text, text.p, text.n);
	return k;
}

static void back(struct net *n, struct net_packet *k, enum net_back how)
{
	k->back = how;
	k->next = NULL;
	*n->tail = k;
	n->tail = &k->next;
}

static void conn_free(struct net_conn **cp, bool tell)
{
	struct net_conn *c = *cp;
	struct net *n = c->net;

	*cp = c->next;
	n->tcp.closed++;
	while (c->sent) {
		struct net_packet *k = c->sent;

		c->sent = k->next;
		if (tell && k->due >= n->now)
			back(n, k, NET_BACK_ENDED);
		else
			free(k);
	}
	free(c);
}

static struct net_conn *conn_open(struct net_end *e, const struct sip_flow *f)
{
	struct net_conn *c = calloc(1, sizeof(*c));
	struct net *n = e->net;

	assert_non_null(c);
	c->net = n;
	c->edge = is_edge(e) ? f->local : f->remote;
	c->ue = c->mapped = is_edge(e) ? f->remote : f->local;
	c->mapped.port = (uint16_t)(60000 + n->tcp.opened[0] % 5000);
	c->next = n->tcp.conns;
	n->tcp.conns = c;
	n->tcp.opened[is_edge(e)]++;
	return c;
}

/* As stream/ does: requests are kept for a while. */
static void sent_add(struct net_conn *c, struct net_end *e, const struct sip_flow *f,
		     struct sv text)
{
	struct net_packet *k;

	if (strncmp(text.p, "SIP/2.0 ", 8) == 0)
		return;
	k = packet_of(e, f, text);
	k->due = e->net->now + CONFIRM_MS;
	k->next = c->sent;
	c->sent = k;
}

int conn_send(struct net_end *e, const struct sip_flow *f, struct sv text)
{
	struct net *n = e->net;
	struct net_conn *c = *conn_find(e, f);

	assert_int_equal(f->transport, SIP_TRANSPORT_TCP);
	if (!c && (f->set ? f->pair != SA_CLIENT : is_edge(e)))
		return -ENOTCONN;
	if (!c && n->tcp.refuses[!is_edge(e)]) {
		back(n, packet_of(e, f, text), NET_BACK_REFUSED);
		return 0;
	}
	if (!c)
		c = conn_open(e, f);
	sent_add(c, e, f, text);
	net_transmit(e, f, text);
	return 0;
}

void conn_clear(struct net_end *to, const struct net_packet *k, struct sip_flow *flow)
{
	struct net_conn *c = *conn_find(k->from, &k->flow);

	if (!c)
		return;
	flow->local = is_edge(to) ? c->edge : c->ue;
	flow->remote = is_edge(to) ? c->mapped : c->edge;
}

bool conn_is_gone(struct net *n, const struct net_packet *k)
{
	(void)n;
	return !*conn_find(k->from, &k->flow);
}

void conn_break(struct net *n, const struct net_packet *k)
{
	struct net_conn **c = conn_find(k->from, &k->flow);

	(void)n;
	if (*c)
		conn_free(c, true);
}

void net_hang_up(struct net *n)
{
	while (n->tcp.conns)
		conn_free(&n->tcp.conns, true);
}

void conn_give_back(struct net *n, const struct net_packet *k)
{
	struct sv text = {k->text, k->n};
	bool stood = k->back == NET_BACK_ENDED;

	if (is_edge(k->from))
		pcscf_undelivered(n->pcscf, &k->flow, text, stood, n->now);
	else if (net_ue_of(k->from)->ue)
		ue_undelivered(net_ue_of(k->from)->ue, &k->flow, text, stood, n->now);
}

void conn_unprotect(struct net_end *e, const struct sa_set *set)
{
	for (unsigned p = 0; p < SA_PAIRS; p++) {
		const struct sip_flow f = {
			.local = {set->local, set->local_port[p]},
			.remote = {set->remote, set->remote_port[p]},
			.set = set->id,
		};
		struct net_conn **c = conn_find(e, &f);

		if (*c)
			conn_free(c, false);
	}
}

void conns_free(struct net *n)
{
	while (n->tcp.conns)
		conn_free(&n->tcp.conns, false);
}
