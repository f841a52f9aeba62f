/*
 * UEs behind NATs (TS 33.203 Annex M): a NAT is seen, UDP-encapsulated tunnel mode taken, and the
 * UE followed where its NAT moves it.
 *
 * Outside, a UE is its NAT's public address; the SA_table counts ports by that. Inside, it is its
 * private address, or the public one: texts and UEs differ, and its first protected message says
 * which. To the host's stack (TCP) it is an alias, since two UEs may have the same private address,
 * and since what a stranger writes into Via must not become a peer of the host.
 */
#include "control/pcscf/internal.h"

/* ---- seen --------------------------------------------------------------------------------- */

static bool addr_is_ours(const struct pcscf *p, const struct ip_addr *a)
{
	return ip_addr_eq(a, &p->conf.access[0].addr) || ip_addr_eq(a, &p->conf.access[1].addr);
}

/* Could one host have it? */
static bool addr_is_unicast(const struct ip_addr *a)
{
	static const uint8_t high[15];

	if (a->version == 4)
		return a->b[0] != 0 && a->b[0] != 127 && a->b[0] < 224;
	return a->b[0] != 0xff && memcmp(a->b, high, sizeof(high)) != 0;
}

/* TLS and Digest alone pass through NATs as they are. */
static bool policy_has_digest(const struct pcscf_policy *policy)
{
	bool has = policy->digest;

	for (unsigned i = 0; i < policy->n_choices; i++)
		has |= policy->choices[i].type == AGREE_TLS;
	return has;
}

static int clear_path(const struct pcscf *p, const struct pcscf_policy *policy,
		      const struct ip_addr *source, const struct ip_addr *via,
		      struct pcscf_path *path, const char **why)
{
	path->nat = true;
	*why = "NAT between UE and P-CSCF: UDP encapsulation is not available";
	if (!p->conf.udp_enc_port && !policy_has_digest(policy))
		return -EINVAL;
	*why = "NAT between UE and P-CSCF: Via has no address that a UE can have";
	if (via->version != source->version || !addr_is_unicast(via) || addr_is_ours(p, via))
		return -EINVAL;
	path->inner[0] = *via;
	path->inner[1] = *source;
	return 0;
}

int pcscf_path_read(const struct pcscf *p, const struct sip_flow *from, const struct pcscf_set *s,
		    const struct pcscf_policy *policy, const struct sip_msg *m, bool via_fits,
		    struct pcscf_path *path, const char **why)
{
	bool tunnel = s && s->sa.mode == SA_MODE_UDP_ENC_TUN;
	struct ip_addr via;

	*path = (struct pcscf_path){
		.outer = tunnel ? s->sa.remote : from->remote.addr,
		.port = tunnel ? s->sa.tunnel.remote_port : 0,
		.inner[0] = s ? *pcscf_set_ue(s) : from->remote.addr,
		.nat = tunnel,
	};
	*why = "Via differs from the packet's source";
	if (via_fits || from->transport == SIP_TRANSPORT_TLS || (s && s->kind != PCSCF_IPSEC))
		return 0;
	if (pcscf_via_addr(m, &via) < 0)
		return -EINVAL;
	if (ip_addr_eq(&via, &path->inner[0]))
		return 0;
	if (s)
		return tunnel && ip_addr_eq(&via, &path->outer) ? 0 : -EINVAL;
	return clear_path(p, policy, &from->remote.addr, &via, path, why);
}

/* ---- agreed ------------------------------------------------------------------------------- */

static bool permitted(const struct agree_choice *c, const struct pcscf_terms *terms)
{
	return c->type == AGREE_TLS ? terms->tls : terms->ipsec;
}

unsigned pcscf_choices(const struct pcscf_policy *policy, const struct pcscf_terms *terms,
		       struct agree_choice choices[PCSCF_MAX_CHOICES])
{
	unsigned n = 0;

	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < policy->n_choices; i++) {
			const struct agree_choice *c = &policy->choices[i];

			if ((c->type != terms->first) != pass || !permitted(c, terms))
				continue;
			choices[n] = *c;
			choices[n++].mode = terms->mode;
		}
	return n;
}

/* ---- aliases ------------------------------------------------------------------------------ */

#define ALIAS_BITS_MAX 24

/* All but the first and the last address of the prefix. */
static uint32_t alias_count(const struct ip_prefix *prefix)
{
	unsigned bits = (prefix->addr.version == 4 ? 32u : 128u) - prefix->len;

	return (UINT32_C(1) << (bits < ALIAS_BITS_MAX ? bits : ALIAS_BITS_MAX)) - 2;
}

static bool alias_taken(const struct pcscf *p, unsigned v, uint32_t number)
{
	const struct pcscf_alias *a;

	HASH_FIND(hh, p->aliases[v], &number, sizeof(number), a);
	return a != NULL;
}

static int alias_take(struct pcscf_reg *r, unsigned v)
{
	struct pcscf_alias *a = &r->alias[v];
	struct pcscf *p = r->p;
	uint32_t count = alias_count(&p->conf.alias[v]);

	if (a->number)
		return 0;
	if (HASH_COUNT(p->aliases[v]) >= count)
		return -ENOSPC;
	do {
		p->alias_next[v] = p->alias_next[v] % count + 1;
	} while (alias_taken(p, v, p->alias_next[v]));
	a->number = p->alias_next[v];
	HASH_ADD(hh, p->aliases[v], number, sizeof(a->number), a);
	if (a->hh.tbl)
		return 0;
	a->number = 0;
	return -ENOMEM;
}

void pcscf_alias_free(struct pcscf_reg *r)
{
	for (unsigned v = 0; v < 2; v++)
		if (r->alias[v].number)
			HASH_DELETE(hh, r->p->aliases[v], &r->alias[v]);
}

static void alias_write(const struct ip_prefix *prefix, uint32_t number, struct ip_addr *a)
{
	unsigned end = prefix->addr.version == 4 ? 4 : 16;

	*a = prefix->addr;
	for (unsigned i = 1; i <= 4; i++, number >>= 8)
		a->b[end - i] |= (uint8_t)number;
}

int pcscf_tunnel_fill(const struct pcscf_run *run, struct sa_set *sa)
{
	const struct pcscf_path *path = &run->path;
	unsigned v = path->inner[0].version == 6;
	struct pcscf *p = run->reg->p;
	int rc;

	sa->mode = path->nat ? SA_MODE_UDP_ENC_TUN : SA_MODE_TRANSPORT;
	if (!path->nat)
		return 0;
	sa->tunnel = (struct sa_tunnel){
		.remote_port = path->port,
		.follow = true,
		.inner_local = run->local,
		.inner_remote = {path->inner[0], path->inner[1]},
	};
	if (!p->conf.alias[v].addr.version)
		return 0;
	rc = alias_take(run->reg, v);
	if (rc == 0)
		alias_write(&p->conf.alias[v], run->reg->alias[v].number, &sa->tunnel.host_alias);
	return rc;
}

/* ---- followed ----------------------------------------------------------------------------- */

const struct ip_addr *pcscf_set_ue(const struct pcscf_set *s)
{
	return s->sa.mode == SA_MODE_UDP_ENC_TUN ? &s->sa.tunnel.inner_remote[0] : &s->sa.remote;
}

/* Over TCP the address is the host's view; its connections are told apart by set and ports. */
bool pcscf_set_is_from(const struct pcscf_set *s, const struct sip_flow *f)
{
	const struct ip_addr *other = &s->sa.tunnel.inner_remote[1];

	if (s->sa.mode != SA_MODE_UDP_ENC_TUN)
		return ip_addr_eq(&f->remote.addr, &s->sa.remote);
	return f->transport == SIP_TRANSPORT_TCP ||
	       ip_addr_eq(&f->remote.addr, &s->sa.tunnel.inner_remote[0]) ||
	       (other->version && ip_addr_eq(&f->remote.addr, other));
}

static void inner_settle(struct pcscf_set *s, const struct ip_addr *inner)
{
	struct sa_tunnel *n = &s->sa.tunnel;

	n->inner_remote[0] = *inner;
	n->inner_remote[1] = (struct ip_addr){.version = 0};
}

void pcscf_set_settle_inner(struct pcscf_set *s, const struct sip_flow *from)
{
	if (s->sa.mode == SA_MODE_UDP_ENC_TUN && from->transport == SIP_TRANSPORT_UDP &&
	    s->sa.tunnel.inner_remote[1].version)
		inner_settle(s, &from->remote.addr);
}

void pcscf_ue_moved(struct pcscf *p, sa_set_id id, const struct ip_endpoint *outer,
		    const struct ip_addr *inner)
{
	struct pcscf_set *s = pcscf_set_find(p, id);

	if (!s || s->sa.mode != SA_MODE_UDP_ENC_TUN)
		return;
	inner_settle(s, inner);
	s->sa.tunnel.remote_port = outer->port;
	if (ip_addr_eq(&s->sa.remote, &outer->addr))
		return;
	s->sa.remote = outer->addr;
	pcscf_set_rekey(p, s, &outer->addr);
}
