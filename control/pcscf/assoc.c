/*
 * Sets without SAs: what holds together the signalling of a UE that authenticates by Digest. A TLS
 * connection (TS 33.203 Annex O) is known by its session, and is bound to IMPI, IMPUs, address and
 * port by the 200 (TS-08); Digest alone (Annex N) has the address and port that the answer came
 * from. Neither is opened by us: what is gone stays gone until the UE comes again (RFC 5626 5.3).
 */
#include <stdlib.h>
#include <utlist.h>

#include "control/pcscf/internal.h"

#define OWN_IDS UINT32_C(0x80000000) /* far from where the data plane's begin */

static timer_h assoc_expired;

static struct pcscf_flow_key key_of(const struct sip_flow *f)
{
	struct pcscf_flow_key key;

	memset(&key, 0, sizeof(key));
	key.session = f->session;
	if (f->session)
		return key;
	key.transport = f->transport;
	key.remote.port = f->remote.port;
	key.remote.addr.version = f->remote.addr.version;
	memcpy(key.remote.addr.b, f->remote.addr.b, f->remote.addr.version == 6 ? 16 : 4);
	return key;
}

struct pcscf_set *pcscf_assoc_of_flow(struct pcscf *p, const struct sip_flow *f)
{
	struct pcscf_flow_key key = key_of(f);
	struct pcscf_set *s;

	HASH_FIND(by_flow, p->by_flow, &key, sizeof(key), s);
	return s;
}

static bool flow_enter(struct pcscf_set *s)
{
	struct pcscf *p = s->reg->p;

	s->key_flow = key_of(&s->flow);
	HASH_ADD(by_flow, p->by_flow, key_flow, sizeof(s->key_flow), s);
	return s->by_flow.tbl != NULL;
}

static void flow_leave(struct pcscf_set *s)
{
	if (s->by_flow.tbl)
		HASH_DELETE(by_flow, s->reg->p->by_flow, s);
	s->by_flow.tbl = NULL;
}

/* As if it were an SA set whose two pairs are one. */
static void fill(struct pcscf_set *s, const struct sip_flow *flow)
{
	s->kind = flow->session ? PCSCF_TLS : PCSCF_ADDRESS;
	s->flow = *flow;
	s->sa.local = flow->local.addr;
	s->sa.remote = flow->remote.addr;
	for (unsigned pair = 0; pair < SA_PAIRS; pair++) {
		s->sa.local_port[pair] = flow->local.port;
		s->sa.remote_port[pair] = flow->remote.port;
	}
}

static bool id_take(struct pcscf *p, struct pcscf_set *s)
{
	do {
		s->sa.id = OWN_IDS | ++p->assoc_id;
	} while (pcscf_set_find(p, s->sa.id));
	HASH_ADD(by_id, p->by_id, sa.id, sizeof(s->sa.id), s);
	return s->by_id.tbl != NULL;
}

struct pcscf_set *pcscf_assoc_create(struct pcscf_run *run, const struct sip_flow *flow,
				     uint64_t now)
{
	struct pcscf_reg *r = run->reg;
	struct pcscf *p = r->p;
	struct pcscf_set *s;

	if (flow->session && pcscf_assoc_of_flow(p, flow)) /* one user, one connection (TL-10) */
		return NULL;
	s = pcscf_sets_place(r) < 0 ? NULL : calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->reg = r;
	s->policy = run->policy;
	s->serial = ++p->serial;
	fill(s, flow);
	s->expires_at = now + p->conf.await_auth * UINT64_C(1000);
	if (!id_take(p, s) || (s->kind == PCSCF_TLS && !flow_enter(s)) ||
	    timer_start(p->timers, &s->timer, s->expires_at, assoc_expired, s) < 0) {
		flow_leave(s);
		pcscf_set_delete(p, s);
		free(s);
		return NULL;
	}
	(void)pcscf_set_step(s, PCSCF_SET_ON_SM6);
	r->sets[r->n_sets++] = s;
	return s;
}

static void assoc_expired(struct timer *t, void *arg, uint64_t now)
{
	pcscf_set_expired(t, arg, now);
}

void pcscf_assoc_use(struct pcscf_set *s)
{
	struct pcscf_set *other;

	if (s->kind == PCSCF_IPSEC || s->by_flow.tbl)
		return;
	other = pcscf_assoc_of_flow(s->reg->p, &s->flow);
	if (other)
		pcscf_set_remove(other);
	(void)flow_enter(s);
}

void pcscf_assoc_keep_connection(struct pcscf_set *s)
{
	flow_leave(s);
	s->flow.session = 0;
}

void pcscf_assoc_leave(struct pcscf_set *s)
{
	struct pcscf *p = s->reg->p;

	flow_leave(s);
	if (s->flow.session && p->env.hang_up)
		p->env.hang_up(p->env.ctx, &s->flow);
}

void pcscf_assoc_requests_fail(struct pcscf_set *s, uint64_t now)
{
	struct pcscf_refusal why = {.status = 430};
	struct pcscf_relay *relay, *next;
	struct pcscf *p = s->reg->p;

	if (!s->busy)
		return;
	pcscf_set_hold(s); /* until all of them are answered */
	DL_FOREACH_SAFE(p->relays, relay, next)
	{
		if (relay->kind != PCSCF_RELAY_DOWN || relay->final || relay->set != s->sa.id ||
		    relay->serial != s->serial)
			continue;
		if (relay->client)
			sip_client_cancel(relay->client);
		relay->client = NULL;
		pcscf_drop(p, PCSCF_DROP_FLOW_FAILED);
		pcscf_relay_answer(relay, &why, now);
	}
	s->busy--;
}

/* The registration lasts until it expires or the UE comes again; until then nothing reaches it. */
void pcscf_session_closed(struct pcscf *p, const struct sip_flow *flow, uint64_t now)
{
	struct pcscf_set *s = flow->session ? pcscf_assoc_of_flow(p, flow) : NULL;
	struct pcscf_reg *r;

	if (!s)
		return;
	r = s->reg;
	pcscf_assoc_requests_fail(s, now);
	pcscf_assoc_keep_connection(s);
	if (r->run && r->run->set == s)
		pcscf_run_abandon(s, now);
	pcscf_set_remove(s);
	pcscf_reg_reap(r);
}
