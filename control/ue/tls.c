/*
 * The UE's TLS connection (TS 33.203 Annex O). Inside the UE it is a set like one of SAs: it has an
 * id of ours, goes from proposed to new, current and old, and messages are held against it the same
 * way. Outside it is known by its flow, and by its session once something has come by it.
 */
#include <stdlib.h>

#include "control/ue/ue_internal.h"

#define RECOVERY_MS 1000 /* from the end of a connection to the next REGISTER (RFC 5626 4.5) */

/* ---- between the flows of others and ours ------------------------------------------------- */

/* Nothing has come by a new connection yet: it is no older one, whose end is told late. */
static bool session_fits(const struct ue *u, const struct ue_set *s, uint64_t session)
{
	return s->session ? s->session == session : !session || session > u->tls_session;
}

void ue_tls_session_set(struct ue *u, struct ue_set *s, uint64_t session)
{
	s->session = session;
	if (session > u->tls_session)
		u->tls_session = session;
}

static bool is_ours(const struct ue *u, const struct ue_set *s, const struct sip_flow *f)
{
	return s->tls && s->state > UE_SET_PROPOSED && session_fits(u, s, f->session) &&
	       f->remote.port == u->tls_port && ip_addr_eq(&f->remote.addr, &u->pcscf.addr);
}

struct ue_set *ue_tls_flow_in(struct ue *u, const struct sip_flow *from, struct sip_flow *flow)
{
	*flow = *from;
	if (from->transport != SIP_TRANSPORT_TLS)
		return NULL;
	for (unsigned i = 0; i < UE_MAX_SETS; i++) {
		struct ue_set *s = &u->sets[i];

		if (!is_ours(u, s, from))
			continue;
		flow->set = s->sa.id;
		flow->pair = SA_CLIENT;
		return s;
	}
	flow->set = UINT32_MAX; /* nobody's: it was hung up */
	return NULL;
}

struct sip_flow ue_tls_flow_out(const struct sip_flow *flow)
{
	struct sip_flow out = *flow;

	if (out.transport == SIP_TRANSPORT_TLS) {
		out.set = 0;
		out.pair = 0;
	}
	return out;
}

/* ---- the life of one ---------------------------------------------------------------------- */

/* What a Security-Client offers; there is nothing to reserve. */
int ue_tls_propose(struct ue *u, struct ue_set **sp)
{
	struct ue_set *s = ue_set_in(u, UE_SET_FREE);

	if (!s)
		return -ENOSPC;
	memset(s, 0, sizeof(*s));
	s->tls = true;
	s->sa.id = ++u->tls_serial;
	s->sa.local = u->local.addr;
	s->sa.remote = u->pcscf.addr;
	for (unsigned p = 0; p < SA_PAIRS; p++) {
		s->sa.local_port[p] = u->local.port;
		s->sa.remote_port[p] = u->tls_port;
	}
	(void)ue_set_step(u, s, UE_SET_ON_PROPOSAL);
	*sp = s;
	return 0;
}

/* TS-04: for an initial registration no old connection is used; there is but one at a time. */
void ue_tls_open(struct ue *u, struct ue_set *s, uint64_t now)
{
	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		if (&u->sets[i] != s)
			ue_set_remove(u, &u->sets[i]);
	ue_set_opened(u, s, now);
}

void ue_tls_close(struct ue *u, const struct ue_set *s)
{
	struct sip_flow flow;

	if (s->state <= UE_SET_PROPOSED || s->lost)
		return;
	ue_set_flow(u, s, &flow);
	flow = ue_tls_flow_out(&flow);
	u->env.hang_up(u->env.ctx, u, &flow);
}

/* ---- its unwanted end --------------------------------------------------------------------- */

static struct ue_request *request_on(struct ue *u, sa_set_id id)
{
	struct ue_request *r = u->requests;

	while (r && (r->set != id || !r->txn))
		r = r->next;
	return r;
}

/* Nobody will answer them: as if they had timed out, at once. */
static void requests_fail(struct ue *u, sa_set_id id, uint64_t now)
{
	struct ue_request *r;

	while ((r = request_on(u, id))) {
		struct sip_client_txn *txn = r->txn;

		r->txn = NULL;
		sip_client_fail(txn, now);
	}
}

static void run_lost(struct ue *u, const struct ue_set *s, const char *why, uint64_t now)
{
	if (s->session) /* it stood, so the P-CSCF is right, and may come again (TE-04) */
		ue_run_timeout(u, "TLS connection ended", now);
	else
		ue_run_fail(u, why ? why : "no TLS connection", now);
}

/* TM-02: the session seems dead: REGISTER in clear. */
static void current_lost(struct ue *u, struct ue_set *s, uint64_t now)
{
	sa_set_id id = s->sa.id;
	bool run = u->run.step != UE_STEP_NONE && u->run.reg.set == id;

	ue_set_remove(u, s);
	if (run)
		ue_run_timeout(u, "TLS connection ended", now);
	requests_fail(u, id, now);
	if (u->registered && u->run.step == UE_STEP_NONE)
		ue_refresh_at(u, now + RECOVERY_MS);
}

static void lost(struct ue *u, struct ue_set *s, const char *why, uint64_t now)
{
	s->lost = true;
	if (s == u->run.fresh)
		run_lost(u, s, why, now);
	else if (s->state == UE_SET_CURRENT)
		current_lost(u, s, now);
	else
		ue_set_remove(u, s);
}

void ue_session_closed(struct ue *u, const struct sip_flow *flow, const char *why, uint64_t now)
{
	struct sip_flow ours;
	struct ue_set *s = ue_tls_flow_in(u, flow, &ours);

	if (!s)
		return;
	if (!s->session)
		ue_tls_session_set(u, s, flow->session);
	lost(u, s, why, now);
}

static void on_lost(struct timer *t, void *arg, uint64_t now)
{
	struct ue *u = arg;

	(void)t;
	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		if (u->sets[i].tls && u->sets[i].lost)
			lost(u, &u->sets[i], NULL, now);
}

void ue_tls_not_sent(struct ue *u, sa_set_id id, uint64_t now)
{
	struct ue_set *s = ue_set_find(u, id);

	if (!s)
		return;
	s->lost = true;
	(void)timer_start(u->timers, &u->gone, now, on_lost, u);
}

/* ---- the agreement ------------------------------------------------------------------------ */

/* SU-07: the highest q of what we offered, and we offered nothing but tls. */
bool ue_tls_agreed(const struct sip_msg *m)
{
	struct agree_list l;

	memset(&l, 0, sizeof(l));
	if (agree_parse(&l, m, SIP_HDR_SECURITY_SERVER) < 0)
		return false;
	for (unsigned i = 0; i < l.n; i++)
		if (l.m[i].type == AGREE_TLS && l.m[i].q != 0)
			return true;
	return false;
}
