/* The registration under way: SM1 to SM12, refresh, de-registration, and how each can end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/ue/ue_internal.h"

/* ---- wiping ------------------------------------------------------------------------------- */

void ue_run_abandon(struct ue *u)
{
	timer_stop(u->timers, &u->silence);
	if (u->run.reg.txn)
		sip_client_cancel(u->run.reg.txn);
	if (u->run.fresh)
		ue_set_remove(u, u->run.fresh);
	(void)ue_run_step(u, UE_RUN_ON_WIPE);
	memset(&u->run, 0, sizeof(u->run));
}

void ue_unregister_services(struct ue *u)
{
	ue_subscription_end(u);
	ue_digest_forget(&u->digest);
	timer_stop(u->timers, &u->refresh);
	timer_stop(u->timers, &u->beat);
	free(u->service_route);
	u->service_route = NULL;
	(void)ue_registration_step(u, UE_ON_END);
	u->unanswered = 0;
	ue_call_lost(u, timers_now(u->timers));
}

void ue_unregister(struct ue *u)
{
	ue_run_abandon(u);
	ue_set_remove_all(u);
	ue_unregister_services(u);
}

void ue_unanswered(struct ue *u)
{
	if (u->unanswered < u->unanswered_max)
		u->unanswered++;
}

void ue_request_unanswered(struct ue *u, sa_set_id set, uint64_t now)
{
	if (!ue_set_find(u, set)) /* in clear, or what ended with its set */
		return;
	ue_unanswered(u);
	if (u->unanswered < u->unanswered_max || !u->registered || u->run.step != UE_STEP_NONE)
		return;
	u->restarts = 0;
	(void)ue_run_start(u, false, now); /* LC-04 */
}

/* ---- refresh ------------------------------------------------------------------------------ */

#define REFRESH_RETRY_MS 30000

static void on_refresh(struct timer *t, void *arg, uint64_t now)
{
	struct ue *u = arg;

	u->restarts = 0;
	if (u->run.step == UE_STEP_NONE && ue_run_start(u, false, now) < 0)
		(void)timer_start(u->timers, t, now + REFRESH_RETRY_MS, on_refresh, u);
}

void ue_refresh_at(struct ue *u, uint64_t at)
{
	(void)timer_start(u->timers, &u->refresh, at, on_refresh, u);
}

/* TS 24.229 5.1.1.4.1: 600 s before the end, or at half time if that is 1200 s or less. */
static void refresh_schedule(struct ue *u, uint32_t expires, uint64_t now)
{
	uint64_t ms = expires > 1200 ? (uint64_t)(expires - 600) * 1000 : (uint64_t)expires * 500;

	(void)timer_start(u->timers, &u->refresh, now + ms, on_refresh, u);
}

/* TS 24.229 5.1.1.5A; the SAs follow, so that they do not outlive it (AK-17). */
void ue_registration_shorten(struct ue *u, uint32_t expires, uint64_t now)
{
	uint64_t end = now + (uint64_t)expires * 1000, sa_end;

	if (!u->registered)
		return;
	if (end > u->registered_until)
		end = u->registered_until > now ? u->registered_until : now;
	(void)ue_registration_step(u, UE_ON_SHORTENED);
	u->registered_until = end;
	sa_end = end + (uint64_t)u->guard * 1000;
	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		if (u->sets[i].state == UE_SET_CURRENT || u->sets[i].state == UE_SET_OLD)
			ue_set_cap(u, &u->sets[i], sa_end);
	if (u->run.step == UE_STEP_NONE)
		refresh_schedule(u, (uint32_t)((end - now) / 1000), now);
}

/* ---- start -------------------------------------------------------------------------------- */

/* What SM1 goes on, and what it proposes. */
static int protection_prepare(struct ue *u, struct ue_set **on, uint64_t now)
{
	int rc = *on && (*on)->tls ? 0 : ue_set_propose(u, &u->run.fresh); /* TM-01 */

	if (rc == 0 && !*on && ue_uses_tls(u) && u->security != UE_SECURITY_TLS) { /* DT-01 */
		ue_tls_open(u, u->run.fresh, now);
		*on = u->run.fresh;
	}
	u->run.sm1_set = *on ? (*on)->sa.id : 0;
	return rc;
}

static int sm1_send(struct ue *u, const struct ue_set *on, uint64_t now)
{
	struct auth_answer a = {
		.username = u->impi, .realm = u->realm, .uri = u->home, .method = SV("REGISTER")};
	struct auth_challenge c;
	/* a refresh tries the nonce that it knows (RFC 2617 3.3); what is to be protected shows
	 * nobody else an answer */
	bool known = u->registered && (on || u->unprotected) && ue_digest_answer(u, &c, &a);

	u->run.authenticated = u->auth == UE_AUTH_NONE || (known && !on);
	return ue_register_send(u,
				&(struct ue_register_args){
					.on = on,
					.auth = &a,
					.agree = ue_agrees(u),
					.verify = on ? on->security_server : NULL,
				},
				now);
}

int ue_run_start(struct ue *u, bool deregister, uint64_t now)
{
	struct ue_set *on = ue_set_in(u, UE_SET_CURRENT);
	int rc;

	ue_run_abandon(u); /* LU-01 */
	if (u->unanswered >= u->unanswered_max)
		on = NULL; /* LC-04 */
	if (on)
		u->port_us = on->sa.local_port[SA_SERVER];
	else if (!u->registered)
		u->port_us = 0; /* SP-18 */
	ue_either_begin(u, on);
	u->run.deregister = deregister;
	u->run.started = now;
	rc = ue_run_step(u, UE_RUN_ON_START) ? protection_prepare(u, &on, now) : -EPROTO;
	if (rc == 0)
		rc = sm1_send(u, on, now);
	if (rc < 0)
		ue_run_abandon(u);
	return rc;
}

/* ---- ends --------------------------------------------------------------------------------- */

void ue_run_fail(struct ue *u, const char *reason, uint64_t now)
{
	bool deregister = u->run.deregister;

	(void)ue_run_step(u, UE_RUN_ON_FAILURE);
	ue_run_abandon(u);
	if (deregister || !u->registered)
		ue_unregister(u);
	else
		(void)timer_start(u->timers, &u->refresh, now + REFRESH_RETRY_MS, on_refresh, u);
	ue_event(u, UE_FAILED, sv_of(reason), now);
}

/*
 * No answer. In clear the P-CSCF is not there. Protected, it may have lost our SAs, or only SM12
 * got lost: the UE starts again, on earlier SAs if it has any (ER-10), and at last in clear
 * (LC-04).
 */
void ue_run_timeout(struct ue *u, const char *reason, uint64_t now)
{
	bool deregister = u->run.deregister;
	bool protected = u->run.reg.set != 0;
	uint8_t most = u->unanswered_max > UE_RESTARTS ? u->unanswered_max : UE_RESTARTS;

	if (!protected || deregister || u->restarts >= most) {
		ue_run_fail(u, reason, now);
		return;
	}
	u->restarts++;
	ue_unanswered(u);
	(void)ue_run_step(u, UE_RUN_ON_TIMEOUT);
	ue_run_abandon(u);
	if (ue_run_start(u, false, now) < 0)
		ue_run_fail(u, reason, now);
}

/* ---- 2xx ---------------------------------------------------------------------------------- */

bool ue_contact_is_ours(const struct ue *u, struct sv contact)
{
	struct sip_uri uri;
	struct ip_addr host;

	return sip_uri_parse(&uri, contact) == 0 && ue_host_read(uri.host, &host) &&
	       (ip_addr_eq(&host, &u->local.addr) || ip_addr_eq(&host, &u->nat)) &&
	       sv_eq(uri.user, u->user);
}

/* What the registrar grants: our Contact's expires, else the Expires field, else what we asked for.
 */
static uint32_t granted_expires(const struct ue *u, const struct sip_msg *m)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_CONTACT};
	struct sv element, value;
	struct sip_addr a;
	uint32_t expires;

	while (sip_list_walk(&l, &element))
		if (sip_addr_parse(&a, element) == 0 && ue_contact_is_ours(u, a.uri) &&
		    sip_param(a.params, SV("expires"), &value) &&
		    parse_u32(value, UINT32_MAX, &expires))
			return expires;
	if (parse_u32(sip_msg_value(m, SIP_HDR_EXPIRES), UINT32_MAX, &expires))
		return expires;
	return u->expires;
}

static void service_route_store(struct ue *u, const struct sip_msg *m)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_SERVICE_ROUTE};
	char text[2048];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct sv element;

	while (sip_list_walk(&l, &element)) {
		if (b.n)
			sbuf_put(&b, SV(", "));
		sbuf_put(&b, element);
	}
	free(u->service_route);
	u->service_route = b.n && !b.overflow ? sv_dup(sbuf_sv(&b)) : NULL;
}

/* AK-17, C-08: traffic shall go over to the new SAs; what is under way may end (64 T1). */
static void old_hasten(struct ue *u, uint64_t now)
{
	struct ue_set *old = ue_set_in(u, UE_SET_OLD);
	uint64_t s = u->changeover;

	if (old && old->transactions && s < UE_TRANSACTION_S)
		s = UE_TRANSACTION_S;
	if (old)
		ue_set_cap(u, old, now + s * 1000);
}

/* DF-04; over TLS the certificate speaks for the network where nobody was challenged. */
static bool proven(struct ue *u, const struct sip_msg *m, const char **why)
{
	bool needed = u->run.step == UE_STEP_SM7 || !u->run.sm1_set;

	*why = u->auth == UE_AUTH_DIGEST ? ue_digest_check(u, m, needed) : NULL;
	return !*why;
}

/* SM12, or the answer to a refresh that nobody challenged. */
static void registered(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	uint32_t expires = granted_expires(u, m);
	uint64_t until = now + ((uint64_t)expires + u->guard) * 1000;
	struct ue_set *current = ue_set_in(u, UE_SET_CURRENT), *fresh = u->run.fresh;
	enum ue_registration_event how = UE_ON_SM12;
	const char *why = "registrar granted no time";

	if (expires == 0 || !proven(u, m, &why)) {
		ue_run_fail(u, why, now);
		return;
	}
	if (fresh && fresh->state == UE_SET_NEW && u->run.authenticated) {
		ue_set_change_over(u, fresh, until);
		if (u->reauth)
			old_hasten(u, now);
		u->run.fresh = NULL;
	} else if (current && u->run.sm1_set == current->sa.id) {
		ue_set_extend(u, current, until);
		how = UE_ON_REFRESH;
	} else if (u->run.authenticated) {
		how = UE_ON_SM12_CLEAR; /* challenge.c allowed it */
	} else {
		ue_run_fail(u, "200 without authentication", now); /* anybody could have sent it */
		return;
	}
	service_route_store(u, m);
	(void)ue_run_step(u, UE_RUN_ON_2XX);
	(void)ue_registration_step(u, how);
	u->registered_until = now + (uint64_t)expires * 1000;
	u->register_ms = now - u->run.started;
	u->unanswered = u->restarts = 0;
	ue_run_abandon(u); /* a proposal that nobody took is free again (SP-19) */
	refresh_schedule(u, expires, now);
	ue_nat_beat(u, now);
	ue_subscription_start(u, now);
	ue_event(u, UE_REGISTERED, (struct sv){0}, now);
}

static void accepted(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	if (!u->run.deregister) {
		registered(u, m, now);
		return;
	}
	(void)ue_run_step(u, UE_RUN_ON_2XX);
	ue_unregister(u);
	ue_event(u, UE_DEREGISTERED, (struct sv){0}, now);
}

/* ---- other answers ------------------------------------------------------------------------ */

/* 423: asks again for what the registrar wants (RFC 3261 10.2.8). */
static bool retry_longer(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	uint32_t min;

	if (u->run.deregister ||
	    !parse_u32(sip_msg_value(m, SIP_HDR_MIN_EXPIRES), UINT32_MAX, &min) ||
	    min <= u->expires)
		return false;
	u->expires = min;
	return ue_run_start(u, false, now) == 0;
}

/* Another UE behind our NAT has one of the ports that we offered (D-17, ST-06). No status is for
 * that alone, so the Warning counts. */
static bool retry_with_other_ports(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	struct sv warning = sip_msg_value(m, SIP_HDR_WARNING);

	if (u->run.step == UE_STEP_SM7 || u->restarts >= UE_RESTARTS || sv_empty(warning) ||
	    !memmem(warning.p, warning.n, "port in use", 11))
		return false;
	u->restarts++;
	if (!u->run.sm1_set)
		u->port_us = 0;
	return ue_run_start(u, u->run.deregister, now) == 0;
}

static void refused(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	char reason[64];

	if (m->status == 423 && retry_longer(u, m, now))
		return;
	if (m->status == 400 && retry_with_other_ports(u, m, now))
		return;
	if (m->status == 401 && u->auth == UE_AUTH_DIGEST) {
		ue_run_fail(u, "401: the network does not take our answer: wrong password?", now);
		return;
	}
	snprintf(reason, sizeof(reason), "%u %.*s", m->status,
		 (int)(m->reason.n < 48 ? m->reason.n : 48), m->reason.p);
	ue_run_fail(u, reason, now);
}

void ue_run_response(void *arg, const struct sip_msg *m, uint64_t now)
{
	struct ue *u = arg;

	if (m && m->status < 200)
		return;
	timer_stop(u->timers, &u->silence);
	u->run.reg.txn = NULL;
	if (m && u->run.reg.set == 0)
		ue_nat_see(u, m);
	if (!m)
		ue_run_timeout(u, "no answer to REGISTER", now);
	else if (m->status < 300)
		accepted(u, m, now);
	else if (m->status == 401 && u->run.step != UE_STEP_SM7)
		ue_challenge_input(u, m, now);
	else if (m->status != 401 || !ue_digest_again(u, m, now))
		refused(u, m, now);
}
