/* The UE's table of SA sets (TS 33.203 7.1 rules 5-8, 7.4.1a). */
#include <errno.h>
#include <stdlib.h>

#include "control/ue/ue_internal.h"
#include "crypto/secret.h"

struct ue_set *ue_set_find(struct ue *u, sa_set_id id)
{
	for (unsigned i = 0; id != 0 && i < UE_MAX_SETS; i++)
		if (u->sets[i].state != UE_SET_FREE && u->sets[i].sa.id == id)
			return &u->sets[i];
	return NULL;
}

struct ue_set *ue_set_in(struct ue *u, enum ue_set_state state)
{
	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		if (u->sets[i].state == state)
			return &u->sets[i];
	return NULL;
}

/* ---- lifetimes ---------------------------------------------------------------------------- */

static void watch_lifetimes(struct ue *u);

static void expire(struct ue *u, struct ue_set *s, uint64_t now)
{
	enum ue_set_state state = s->state;

	if (state == UE_SET_NEW) {
		ue_run_timeout(u, "temporary SAs expired", now);
		return;
	}
	if (state == UE_SET_CURRENT) {
		ue_unregister(u);
		ue_event(u, UE_FAILED, SV("SA lifetime ended"), now);
		return;
	}
	ue_set_remove(u, s);
}

/* LU-14 */
static void on_lifetime(struct timer *t, void *arg, uint64_t now)
{
	struct ue *u = arg;

	(void)t;
	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		if (u->sets[i].state > UE_SET_PROPOSED && u->sets[i].expires_at <= now)
			expire(u, &u->sets[i], now);
	watch_lifetimes(u);
}

static void watch_lifetimes(struct ue *u)
{
	uint64_t due = TIMER_NEVER;

	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		if (u->sets[i].state > UE_SET_PROPOSED && u->sets[i].expires_at < due)
			due = u->sets[i].expires_at;
	if (due == TIMER_NEVER)
		timer_stop(u->timers, &u->lifetime);
	else
		(void)timer_start(u->timers, &u->lifetime, due, on_lifetime, u);
}

/* ---- choosing SPIs and ports -------------------------------------------------------------- */

static bool port_taken(const struct ue *u, uint16_t port)
{
	if (port == 5060 || port == 5061 || port == u->local.port || port == u->port_us)
		return true;
	for (unsigned i = 0; i < UE_MAX_SETS; i++) {
		const struct ue_set *s = &u->sets[i];

		if (s->state != UE_SET_FREE &&
		    (s->sa.local_port[SA_CLIENT] == port || s->sa.local_port[SA_SERVER] == port))
			return true;
	}
	return false;
}

/*
 * At random (SP-22), and the next free one if that is taken; the last port_uc only if there is no
 * other (SP-19). 0: none is free.
 */
static uint16_t port_choose(const struct ue *u)
{
	uint32_t range = (uint32_t)u->port_max - u->port_min + 1, r;
	uint16_t last = 0;

	secret_random(&r, sizeof(r));
	for (uint32_t i = 0; i < range; i++) {
		uint16_t port = (uint16_t)(u->port_min + (r % range + i) % range);

		if (port_taken(u, port))
			continue;
		if (port != u->last_port_uc)
			return port;
		last = port;
	}
	return last;
}

static bool spi_known(const struct ue *u, const struct ue_set *but, uint32_t spi)
{
	for (unsigned i = 0; i < UE_MAX_SETS; i++) {
		const struct ue_set *s = &u->sets[i];

		if (s == but || s->state == UE_SET_FREE)
			continue;
		for (unsigned p = 0; p < SA_PAIRS; p++)
			if (s->sa.spi_in[p] == spi || s->sa.spi_out[p] == spi)
				return true;
	}
	return false;
}

static unsigned peer_spis(const struct ue *u, uint32_t *spis)
{
	unsigned n = 0;

	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		for (unsigned p = 0; u->sets[i].state > UE_SET_PROPOSED && p < SA_PAIRS; p++)
			spis[n++] = u->sets[i].sa.spi_out[p];
	return n;
}

/* SP-02: asks again if the data plane's choice is one that we know. */
static int spi_reserve(struct ue *u, struct ue_set *s)
{
	uint32_t avoid[UE_MAX_SETS * SA_PAIRS];
	unsigned n = peer_spis(u, avoid);

	for (unsigned tries = 0; tries < 8; tries++) {
		const uint32_t *spi = s->sa.spi_in;
		int rc = u->env.sa_reserve(u->env.ctx, avoid, n, &s->sa);

		if (rc < 0)
			return rc;
		if (spi[0] != spi[1] && !spi_known(u, s, spi[0]) && !spi_known(u, s, spi[1]))
			return 0;
		u->env.sa_remove(u->env.ctx, s->sa.id);
	}
	return -ENOSPC;
}

int ue_set_propose(struct ue *u, struct ue_set **sp)
{
	struct ue_set *s = ue_set_in(u, UE_SET_FREE);
	uint16_t port_uc, port_us = u->port_us;
	int rc;

	if (u->security == UE_SECURITY_NONE)
		return 0;
	if (u->security != UE_SECURITY_IPSEC)
		return ue_tls_propose(u, sp);
	if (!s)
		return -ENOSPC;
	if (!port_us)
		port_us = u->port_us = port_choose(u);
	port_uc = port_choose(u);
	if (!port_us || !port_uc)
		return -EADDRINUSE;
	memset(s, 0, sizeof(*s));
	rc = spi_reserve(u, s);
	if (rc < 0)
		return rc;
	s->sa.local = u->local.addr;
	s->sa.remote = u->pcscf.addr;
	s->sa.local_port[SA_CLIENT] = u->last_port_uc = port_uc;
	s->sa.local_port[SA_SERVER] = port_us;
	(void)ue_set_step(u, s, UE_SET_ON_PROPOSAL);
	*sp = s;
	return 0;
}

/* ---- making and ending -------------------------------------------------------------------- */

void ue_set_opened(struct ue *u, struct ue_set *s, uint64_t now)
{
	(void)ue_set_step(u, s, UE_SET_ON_SM6);
	s->expires_at = now + (uint64_t)u->await_auth * 1000; /* LU-04 */
	watch_lifetimes(u);
}

int ue_set_install(struct ue *u, struct ue_set *s, uint64_t now)
{
	int rc = u->env.sa_install(u->env.ctx, &s->sa);

	if (rc < 0)
		return rc;
	ue_set_opened(u, s, now);
	return 0;
}

void ue_set_remove(struct ue *u, struct ue_set *s)
{
	if (s->state == UE_SET_FREE)
		return;
	ue_call_set_gone(u, s->sa.id);
	if (s->tls)
		ue_tls_close(u, s);
	else
		u->env.sa_remove(u->env.ctx, s->sa.id);
	(void)ue_set_step(u, s, UE_SET_ON_REMOVAL);
	free(s->security_server);
	secret_wipe(s, sizeof(*s));
	watch_lifetimes(u);
}

void ue_set_remove_all(struct ue *u)
{
	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		ue_set_remove(u, &u->sets[i]);
}

void ue_set_flow(const struct ue *u, const struct ue_set *s, struct sip_flow *flow)
{
	memset(flow, 0, sizeof(*flow));
	flow->transport = SIP_TRANSPORT_UDP;
	flow->local = u->local;
	flow->remote = u->pcscf;
	if (!s)
		return;
	flow->local.port = s->sa.local_port[SA_CLIENT];
	flow->remote.port = s->sa.remote_port[SA_CLIENT];
	flow->set = s->sa.id;
	flow->pair = SA_CLIENT;
	flow->session = s->session;
	if (s->tls)
		flow->transport = SIP_TRANSPORT_TLS;
}

/* ---- change-over -------------------------------------------------------------------------- */

void ue_set_extend(struct ue *u, struct ue_set *s, uint64_t until)
{
	if (until > s->expires_at)
		s->expires_at = until;
	watch_lifetimes(u);
}

void ue_set_cap(struct ue *u, struct ue_set *s, uint64_t until)
{
	if (until < s->expires_at)
		s->expires_at = until;
	watch_lifetimes(u);
}

void ue_set_leave(struct ue *u, sa_set_id id, uint64_t now)
{
	for (unsigned i = 0; i < UE_MAX_SETS; i++) {
		struct ue_set *s = &u->sets[i];

		if (s->state == UE_SET_FREE || (s->sa.id == id && s->transactions))
			continue;
		ue_set_remove(u, s);
	}
	for (unsigned i = 0; i < UE_MAX_SETS; i++) {
		struct ue_set *s = &u->sets[i];

		if (s->state == UE_SET_FREE)
			continue;
		(void)ue_set_step(u, s, UE_SET_ON_LEAVE);
		s->leaving = true;
		ue_set_cap(u, s, now + (UE_TRANSACTION_S + 1) * UINT64_C(1000));
	}
}

void ue_set_change_over(struct ue *u, struct ue_set *fresh, uint64_t until)
{
	struct ue_set *old = ue_set_in(u, UE_SET_OLD), *current = ue_set_in(u, UE_SET_CURRENT);

	if (old)
		ue_set_remove(u, old);
	if (current && current->expires_at > until)
		until = current->expires_at; /* LU-08 */
	if (current && u->run.sm1_set == 0)
		ue_set_remove(u, current); /* the P-CSCF does the same (LP-10) */
	else if (current)
		(void)ue_set_step(u, current, UE_SET_ON_SUCCESSOR);
	(void)ue_set_step(u, fresh, UE_SET_ON_SM12);
	fresh->expires_at = until;
	watch_lifetimes(u);
}

static void set_close(struct ue *u, struct ue_set *s)
{
	s->closed = true;
	if (!s->tls && u->env.sa_remove_outbound)
		u->env.sa_remove_outbound(u->env.ctx, s->sa.id);
}

/*
 * With a message on the new inbound SA the P-CSCF has changed over and asks nothing more on the old
 * one. Then the old outbound SAs only serve to answer what was asked there, to repeat requests of
 * ours that may be lost, and for the CANCEL and the ACK of an INVITE without its final answer, be
 * it ringing or not (LU-10, D-26); the inbound ones, to hear the answers (LU-12).
 */
void ue_set_settle(struct ue *u)
{
	struct ue_set *old = ue_set_in(u, UE_SET_OLD), *current = ue_set_in(u, UE_SET_CURRENT);

	if (old && old->leaving && old->transactions == 0) {
		ue_set_remove(u, old); /* TS 24.229 5.1.1.7 */
		return;
	}
	if (!old || !current || !current->heard)
		return;
	if (old->transactions == 0)
		ue_set_remove(u, old);
	else if (old->transactions == old->arrived && !old->closed)
		set_close(u, old);
}

void ue_set_busy(struct ue *u, sa_set_id id, int delta)
{
	struct ue_set *s = ue_set_find(u, id);

	if (!s)
		return;
	s->transactions = (uint16_t)(s->transactions + delta);
	ue_set_settle(u);
}

void ue_set_arrived(struct ue *u, sa_set_id id, int delta)
{
	struct ue_set *s = ue_set_find(u, id);

	if (s)
		s->arrived = (uint16_t)(s->arrived + delta);
}
