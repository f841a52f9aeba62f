#include "tests/control/flow/conn.h"

#include <errno.h>
#include <stdlib.h>

#define CONFIRM_MS 5000

static bool is_edge(const struct net_end *e)
{
	return e == &e->net->edge;
}

static struct net_conn_key key_of(const struct ip_endpoint *edge, const struct ip_endpoint *ue)
{
	struct net_conn_key key;

	memset(&key, 0, sizeof(key));
	key.edge = *edge;
	key.ue = *ue;
	return key;
}

static struct net_conn *conn_find(struct net_end *e, const struct sip_flow *f)
{
	struct net_tcp *t = &e->net->tcp;
	struct net_conn_key key =
		is_edge(e) ? key_of(&f->local, &f->remote) : key_of(&f->remote, &f->local);
	struct net_conn *c;

	if (is_edge(e) && !f->set)
		HASH_FIND(by_mapped, t->mapped, &key, sizeof(key), c);
	else
		HASH_FIND(by_key, t->conns, &key, sizeof(key), c);
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

static void conn_free(struct net_conn *c, bool tell)
{
	struct net *n = c->net;

	HASH_DELETE(by_key, n->tcp.conns, c);
	HASH_DELETE(by_mapped, n->tcp.mapped, c);
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

static struct net_conn *conn_make(struct net *n, const struct ip_endpoint *edge,
				  const struct ip_endpoint *ue, bool by_edge, bool hidden)
{
	struct net_conn *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->net = n;
	c->serial = 1 + n->tcp.opened[0] + n->tcp.opened[1];
	c->edge = *edge;
	c->ue = c->mapped = *ue;
	c->mapped.port = (uint16_t)(60000 + n->tcp.opened[0] % 5000);
	c->used = n->now;
	c->key = key_of(edge, hidden ? &c->mapped : ue);
	c->mapped_key = key_of(edge, &c->mapped);
	HASH_ADD(by_key, n->tcp.conns, key, sizeof(c->key), c);
	HASH_ADD(by_mapped, n->tcp.mapped, mapped_key, sizeof(c->mapped_key), c);
	n->tcp.opened[by_edge]++;
	return c;
}

static struct net_conn *conn_open(struct net_end *e, const struct sip_flow *f)
{
	const struct ip_endpoint *edge = is_edge(e) ? &f->local : &f->remote;
	const struct ip_endpoint *ue = is_edge(e) ? &f->remote : &f->local;

	return conn_make(e->net, edge, ue, is_edge(e), false);
}

/* As stream/ does: requests are kept for a while. */
static void sent_add(struct net_conn *c, struct net_end *e, const struct sip_flow *f,
		     struct sv text)
{
	struct net_packet *k;

	c->used = e->net->now;
	if (strncmp(text.p, "SIP/2.0 ", 8) == 0)
		return;
	k = packet_of(e, f, text);
	k->due = e->net->now + CONFIRM_MS;
	k->next = c->sent;
	c->sent = k;
}

static bool refused(struct net_end *e, struct sv text)
{
	struct net *n = e->net;

	return n->tcp.refuses[!is_edge(e)] || (n->refuse && n->refuse(n, e, text));
}

int conn_send(struct net_end *e, const struct sip_flow *f, struct sv text)
{
	struct net_conn *c = conn_find(e, f);

	assert_int_equal(f->transport, SIP_TRANSPORT_TCP);
	if (!c && (f->set ? f->pair != SA_CLIENT : is_edge(e)))
		return -ENOTCONN;
	if (!c && refused(e, text)) {
		back(e->net, packet_of(e, f, text), NET_BACK_REFUSED);
		return 0;
	}
	if (!c)
		c = conn_open(e, f);
	sent_add(c, e, f, text);
	net_transmit(e, f, text);
	return 0;
}

unsigned conn_serial(struct net_end *e, const struct sip_flow *f)
{
	return conn_find(e, f)->serial;
}

static struct net_conn *conn_of(const struct net_packet *k)
{
	struct net_conn *c = conn_find(k->from, &k->flow);

	return c && c->serial == k->conn ? c : NULL;
}

void conn_clear(struct net_end *to, const struct net_packet *k, struct sip_flow *flow)
{
	struct net_conn *c = conn_of(k);

	if (!c)
		return;
	flow->local = is_edge(to) ? c->edge : c->ue;
	flow->remote = is_edge(to) ? c->mapped : c->edge;
}

bool conn_is_gone(const struct net_packet *k)
{
	return !conn_of(k);
}

void conn_break(struct net *n, const struct net_packet *k)
{
	struct net_conn *c = conn_of(k);

	(void)n;
	if (c)
		conn_free(c, true);
}

/* Protected, the ends of a connection say all: there the second one follows the first. */
bool conn_double(struct net *n, struct net_packet *k)
{
	struct net_conn *c = conn_of(k);

	if (!c)
		return false;
	if (k->flow.set)
		return true;
	if (is_edge(k->from))
		return false; /* nobody connects to a UE in clear */
	c = conn_make(n, &c->edge, &c->ue, false, true);
	k->conn = c->serial;
	k->flow.local = c->mapped;
	return true;
}

static void hang_up(struct net *n, uint64_t idle, bool tell)
{
	struct net_conn *c, *next;

	HASH_ITER(by_key, n->tcp.conns, c, next)
	if (n->now - c->used >= idle)
		conn_free(c, tell);
}

void net_hang_up(struct net *n)
{
	hang_up(n, 0, true);
}

void net_hang_up_idle(struct net *n, uint64_t ms)
{
	hang_up(n, ms, true);
}

void conns_free(struct net *n)
{
	hang_up(n, 0, false);
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
		struct net_conn *c = conn_find(e, &f);

		if (c)
			conn_free(c, false);
	}
}
