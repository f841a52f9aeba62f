#include "tests/control/flow/path.h"

static unsigned host_of(const struct ip_addr *a)
{
	return a->version == 4 ? (unsigned)a->b[2] << 8 | a->b[3]
			       : (unsigned)a->b[14] << 8 | a->b[15];
}

struct net_end *net_end_of(struct net *n, const struct ip_addr *a)
{
	struct net_ue *x = n->at[host_of(a)];

	return x && ip_addr_eq(&x->conf.local.addr, a) ? &x->end : &n->edge;
}

static const struct net_ue *ue_of(const struct net *n, const struct net_end *e)
{
	if (e == &n->edge)
		return NULL;
	return (const struct net_ue *)((const char *)e - offsetof(struct net_ue, end));
}

static bool tunnelled(const struct sa_set *sa)
{
	return sa && sa->mode == SA_MODE_UDP_ENC_TUN;
}

/* false: a NAT lets nothing through that has no ports. */
static bool source_of(const struct net_ue *x, const struct net_packet *k, const struct sa_set *out,
		      struct ip_endpoint *source)
{
	bool nat = x && x->nat.addr.version;

	*source = k->flow.local;
	if (tunnelled(out))
		*source = (struct ip_endpoint){out->local, NET_UDP_ENC_PORT};
	if (!nat)
		return true;
	source->addr = x->nat.addr;
	source->port = tunnelled(out) ? x->nat.enc : x->nat.clear;
	return !out || tunnelled(out);
}

static bool reaches(const struct net_ue *x, const struct ip_endpoint *target,
		    const struct sa_set *out)
{
	return ip_addr_eq(&x->nat.addr, &target->addr) && (!out || tunnelled(out)) &&
	       target->port == (out ? x->nat.enc : x->nat.clear);
}

struct net_end *path_take(struct net *n, const struct net_packet *k, struct ip_endpoint *source)
{
	const struct sa_set *out = k->flow.set ? &k->sa : NULL;
	const struct net_ue *x = ue_of(n, k->from);
	struct net_end *to;
	struct ip_endpoint target = k->flow.remote;

	if (tunnelled(out))
		target = (struct ip_endpoint){out->remote, out->tunnel.remote_port};
	if (!source_of(x, k, out, source))
		return NULL;
	if (x) {
		if (tunnelled(out))
			assert_int_equal(target.port, NET_UDP_ENC_PORT);
		return &n->edge;
	}
	for (struct net_ue *y = n->behind[host_of(&target.addr)]; y; y = y->neighbour)
		if (reaches(y, &target, out))
			return &y->end;
	to = net_end_of(n, &target.addr);
	return to == &n->edge && n->next_mapping ? NULL : to; /* to a mapping that is gone */
}

void path_clear(const struct net *n, const struct net_end *to, const struct ip_endpoint *source,
		struct sip_flow *flow)
{
	const struct net_ue *x = ue_of(n, to);

	flow->remote = *source;
	if (x && x->nat.addr.version)
		flow->local = x->conf.local;
}

void path_learn(struct net *n, const struct net_end *to, struct net_sa *in,
		const struct ip_endpoint *source, const struct ip_addr *inner)
{
	struct sa_tunnel *t = &in->set.tunnel;

	if (!tunnelled(&in->set))
		return;
	assert_true(ip_addr_eq(inner, &t->inner_remote[0]) ||
		    ip_addr_eq(inner, &t->inner_remote[1]));
	t->inner_remote[0] = *inner;
	t->inner_remote[1].version = 0;
	if (to != &n->edge || (in->heard && ip_addr_eq(&in->set.remote, &source->addr) &&
			       t->remote_port == source->port))
		return;
	in->set.remote = source->addr;
	t->remote_port = source->port;
	in->heard = true;
	n->moves++;
	pcscf_ue_moved(n->pcscf, in->set.id, source, inner);
}

struct net_ue *path_owner(const struct net *n, const struct ip_addr *a)
{
	struct net_ue *x = n->behind[host_of(a)];

	while (x && !ip_addr_eq(&x->nat.addr, a))
		x = x->neighbour;
	return x ? x : n->at[host_of(a)];
}

static void nat_leave(struct net *n, struct net_ue *x)
{
	struct net_ue **p = &n->behind[host_of(&x->nat.addr)];

	while (*p && *p != x)
		p = &(*p)->neighbour;
	if (*p)
		*p = x->neighbour;
	x->neighbour = NULL;
}

void net_rebind(struct net *n, unsigned i, const char *address)
{
	struct net_ue *x = &n->ues[i], **head;
	struct net_nat *nat = &x->nat;

	nat_leave(n, x);
	memset(&nat->addr, 0, address ? sizeof(nat->addr) : 0);
	if (address && *address)
		assert_int_equal(ip_addr_parse(&nat->addr, address), 0);
	if (!nat->addr.version)
		return;
	nat->clear = (uint16_t)(61000 + n->next_mapping++ % 4000);
	nat->enc = (uint16_t)(61000 + n->next_mapping++ % 4000);
	head = &n->behind[host_of(&nat->addr)];
	x->neighbour = *head;
	*head = x;
}
