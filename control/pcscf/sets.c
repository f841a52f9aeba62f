/*
 * Life of an SA set at the P-CSCF (TS 33.203 7.4.2a): made with the challenge, in use from SM12,
 * kept for a while as the old one, gone with its lifetime. Control's entry and the data plane's SAs
 * come and go together.
 */
#include <sodium.h>
#include <stdlib.h>

#include "control/pcscf/internal.h"
#include "crypto/keyexp.h"

struct sip_flow pcscf_set_flow(const struct pcscf_set *s)
{
	if (s->kind != PCSCF_IPSEC)
		return s->flow;
	return (struct sip_flow){
		.transport = SIP_TRANSPORT_UDP,
		.local = {s->sa.local, s->sa.local_port[SA_CLIENT]},
		.remote = {*pcscf_set_ue(s), s->sa.remote_port[SA_CLIENT]},
		.set = s->sa.id,
		.pair = SA_CLIENT,
	};
}

struct sip_flow pcscf_reply_flow(const struct pcscf_set *s, const struct sip_flow *from)
{
	if (!s || from->transport != SIP_TRANSPORT_UDP)
		return *from;
	return pcscf_set_flow(s);
}

int pcscf_sets_place(struct pcscf_reg *r)
{
	for (unsigned i = 0; r->n_sets == PCSCF_MAX_SETS && i < r->n_sets; i++)
		if (r->sets[i]->role == PCSCF_SET_ENDING)
			pcscf_set_remove(r->sets[i]);
	return r->n_sets < PCSCF_MAX_SETS ? 0 : -ENOSPC;
}

static int set_fill(struct pcscf *p, const struct pcscf_run *run, struct sa_set *sa)
{
	const struct agree_params *ue = &run->offer.ue;
	const struct agree_choice *choice = &run->offer.choice;
	uint16_t port_pc = pcscf_port_choose(p, run->reg, &run->path.outer, ue->port_s);

	if (!port_pc)
		return -ENOSPC;
	sa->spi_out[SA_SERVER] = ue->spi_c;
	sa->spi_out[SA_CLIENT] = ue->spi_s;
	sa->local = run->local;
	sa->remote = run->path.outer;
	sa->local_port[SA_SERVER] = p->conf.port_ps;
	sa->local_port[SA_CLIENT] = port_pc;
	sa->remote_port[SA_SERVER] = ue->port_c;
	sa->remote_port[SA_CLIENT] = ue->port_s;
	sa->integ = choice->integ;
	sa->encr = choice->encr;
	return pcscf_tunnel_fill(run, sa);
}

static int set_install(struct pcscf *p, const struct sa_set *sa, const uint8_t ik[16],
		       const uint8_t ck[16])
{
	struct sa_set keyed = *sa;
	int rc;

	keyexp_esp(&keyed.keys, sa->integ, sa->encr, ik, ck);
	rc = p->env.sa_install(p->env.ctx, &keyed);
	sodium_memzero(&keyed.keys, sizeof(keyed.keys));
	return rc;
}

int pcscf_set_create(struct pcscf_run *run, const uint8_t ik[16], const uint8_t ck[16],
		     uint64_t now)
{
	const uint32_t avoid[] = {run->offer.ue.spi_c, run->offer.ue.spi_s};
	struct pcscf_reg *r = run->reg;
	struct pcscf *p = r->p;
	struct pcscf_set *s;
	int rc = pcscf_sets_place(r);

	if (rc < 0)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->reg = r;
	s->policy = run->policy;
	s->serial = ++p->serial;
	rc = p->env.sa_reserve(p->env.ctx, avoid, 2, &s->sa);
	if (rc < 0)
		goto fail;
	rc = set_fill(p, run, &s->sa);
	if (rc == 0)
		rc = pcscf_set_insert(p, s);
	if (rc < 0)
		goto fail_reserved;
	s->expires_at = now + p->conf.await_auth * UINT64_C(1000);
	rc = timer_start(p->timers, &s->timer, s->expires_at, pcscf_set_expired, s);
	if (rc == 0)
		rc = set_install(p, &s->sa, ik, ck);
	if (rc < 0)
		goto fail_inserted;
	(void)pcscf_set_step(s, PCSCF_SET_ON_SM6);
	r->sets[r->n_sets++] = s;
	run->set = s;
	return 0;
fail_inserted:
	timer_stop(p->timers, &s->timer);
	pcscf_set_delete(p, s);
fail_reserved:
	p->env.sa_remove(p->env.ctx, s->sa.id);
fail:
	free(s);
	return rc;
}

static void set_forget(struct pcscf_reg *r, struct pcscf_set *s)
{
	unsigned i = 0;

	while (r->sets[i] != s)
		i++;
	r->sets[i] = r->sets[--r->n_sets];
	if (r->current == s)
		r->current = NULL;
	if (r->down == s)
		r->down = r->current;
	if (r->run && r->run->set == s)
		r->run->set = NULL;
	if (r->run && r->run->over == s)
		r->run->over = NULL;
}

void pcscf_set_remove(struct pcscf_set *s)
{
	struct pcscf_reg *r = s->reg;
	struct pcscf *p = r->p;

	(void)pcscf_set_step(s, PCSCF_SET_ON_REMOVAL);
	set_forget(r, s);
	timer_stop(p->timers, &s->timer);
	if (s->kind == PCSCF_IPSEC)
		p->env.sa_remove(p->env.ctx, s->sa.id);
	else
		pcscf_assoc_leave(s);
	pcscf_set_delete(p, s);
	free(s);
}

/* The timer has its place in the heap already, so restarting it cannot fail for want of memory. */
void pcscf_set_lifetime(struct pcscf_set *s, uint64_t expires_at)
{
	s->expires_at = expires_at;
	(void)timer_start(s->reg->p->timers, &s->timer, expires_at, pcscf_set_expired, s);
}

void pcscf_set_expired(struct timer *t, void *arg, uint64_t now)
{
	struct pcscf_set *s = arg;
	struct pcscf_reg *r = s->reg;
	bool of_run = r->run && r->run->set == s;
	bool begun =
		of_run && s->role == PCSCF_SET_NEW; /* there may be a registration without it */

	(void)t;
	if (of_run) {
		r->p->counters.timeouts++; /* ER-01 */
		pcscf_run_abandon(s, now);
	}
	pcscf_set_remove(s);
	if (!begun && !r->n_sets) { /* nothing reaches the UE any more */
		pcscf_impus_clear(r);
		pcscf_dialogs_end(r);
	}
	pcscf_reg_reap(r);
}

void pcscf_set_end(struct pcscf_set *s, uint64_t now)
{
	struct pcscf_reg *r = s->reg;
	/* TCP sees to repeats: just time for the last message to leave (C-19) */
	uint64_t end = now + (s->kind == PCSCF_TLS ? 1 : r->p->conf.linger) * UINT64_C(1000);

	if (r->current == s)
		r->current = NULL;
	if (r->down == s)
		r->down = r->current;
	if (s->role == PCSCF_SET_ENDING && s->expires_at < end)
		return;
	(void)pcscf_set_step(s, PCSCF_SET_ON_END);
	pcscf_set_lifetime(s, end);
}

void pcscf_sets_end(struct pcscf_reg *r, uint64_t now)
{
	for (unsigned i = 0; i < r->n_sets; i++)
		if (r->sets[i]->role != PCSCF_SET_NEW || !r->run || r->run->set != r->sets[i])
			pcscf_set_end(r->sets[i], now);
	r->down = r->current = NULL;
	pcscf_dialogs_end(r);
}

void pcscf_sets_switch(struct pcscf_run *run)
{
	struct pcscf_reg *r = run->reg;
	struct pcscf_set *kept = run->over, *fresh = run->set;

	if (kept && kept->role == PCSCF_SET_ENDING) /* what it belonged to is over */
		kept = NULL;
	if (kept == fresh) /* the TLS session is kept (TM-05) */
		kept = NULL;
	for (unsigned i = r->n_sets; i-- > 0;)
		if (r->sets[i] != kept && r->sets[i] != fresh)
			pcscf_set_remove(r->sets[i]);
	if (fresh->role != PCSCF_SET_CURRENT)
		(void)pcscf_set_step(fresh, PCSCF_SET_ON_SM12);
	pcscf_assoc_use(fresh);
	run->set = NULL;
	r->current = fresh;
	r->down = kept ? kept : fresh;
	if (kept)
		(void)pcscf_set_step(kept, PCSCF_SET_ON_SUCCESSOR);
}

/* LP-13: the old set goes when nothing is outstanding on it, not even an answer that may have to be
 * repeated. */
void pcscf_set_settle(struct pcscf_set *s, uint64_t now)
{
	struct pcscf_reg *r = s->reg;

	bool of_run = r->run && (r->run->over == s || r->run->set == s);

	if (s->role != PCSCF_SET_OLD || r->down == s || s->busy || of_run)
		return;
	if (s->repeats_until <= now)
		pcscf_set_remove(s);
	else if (s->repeats_until < s->expires_at)
		pcscf_set_lifetime(s, s->repeats_until);
}

void pcscf_set_heard(struct pcscf_set *s, uint64_t now)
{
	struct pcscf_reg *r = s->reg;

	if (s != r->current || r->down == s)
		return;
	r->down = s;
	for (unsigned i = r->n_sets; i-- > 0;)
		pcscf_set_settle(r->sets[i], now);
}

/* A UE that has removed the old set early, thinking we had heard of it, is not lost until its next
 * message. */
void pcscf_set_silent(struct pcscf *p, sa_set_id id, uint32_t serial, uint64_t now)
{
	struct pcscf_set *s = id ? pcscf_set_find(p, id) : NULL;

	if (s && s->serial == serial && s->role == PCSCF_SET_OLD && s->reg->current)
		pcscf_set_heard(s->reg->current, now);
}

void pcscf_set_hold(struct pcscf_set *s)
{
	s->busy++;
}

void pcscf_set_release(struct pcscf *p, sa_set_id id, uint32_t serial, bool repeat, uint64_t now)
{
	struct pcscf_set *s = id ? pcscf_set_find(p, id) : NULL;

	if (!s || s->serial != serial || !s->busy)
		return;
	s->busy--;
	if (repeat)
		s->repeats_until = now + p->conf.linger * UINT64_C(1000);
	pcscf_set_settle(s, now);
}
