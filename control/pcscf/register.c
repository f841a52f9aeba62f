/* REGISTER from the UE: which message of the flow it is, and whether it may be (SM1, SM7). */
#include "control/pcscf/internal.h"

/* One REGISTER on its way through the checks. */
struct registering {
	struct pcscf *p;
	const struct sip_flow *from;
	struct pcscf_set *set; /* that it came on, or NULL */
	const struct sip_msg *m;
	struct pcscf_path path;
	struct pcscf_request q;
	struct pcscf_offer offer;
	const struct pcscf_policy *policy;
	struct pcscf_terms terms;
	uint64_t now;
};

static void refuse(struct registering *g, enum pcscf_drop reason, unsigned status, bool agreement,
		   const char *warning)
{
	struct pcscf_refusal why = {.status = status,
				    .agreement = agreement,
				    .policy = g->policy,
				    .terms = g->terms,
				    .warning = warning};

	if (reason != PCSCF_DROP_COUNT)
		pcscf_drop(g->p, reason);
	if (status == 503)
		why.retry_after = 5;
	pcscf_refuse(g->p, g->from, g->set, g->m, &why, g->now);
}

/* Whoever was given no list shows none, and says nothing else of itself than in SM1 (PO-01). */
static bool agreement_same(const struct registering *g, const struct pcscf_run *run)
{
	if (run->agreed)
		return pcscf_verify_same(run, g->m) && pcscf_offer_same(run->client, g->m);
	return !sip_msg_find(g->m, SIP_HDR_SECURITY_VERIFY) &&
	       (!sip_msg_find(g->m, SIP_HDR_SECURITY_CLIENT) ||
		pcscf_offer_same(run->client, g->m));
}

/*
 * Who seemed to be on 3GPP access in clear was not offered TLS (DN-02): if it is not there,
 * somebody has said so to keep a UE from TLS that both have and we prefer (PO-01).
 */
static bool tls_was_kept_off(const struct registering *g, const struct pcscf_run *run)
{
	struct pcscf_terms terms = run->terms;
	struct pcscf_offer offer;

	if (run->kind != PCSCF_IPSEC || run->was_protected || terms.tls || sip_access_is_3gpp(g->m))
		return false;
	terms.tls = true;
	terms.first = run->policy->n_choices ? run->policy->choices[0].type : AGREE_OTHER;
	return pcscf_offer_again(run->policy, run->client, &terms, &offer) == 0 &&
	       offer.choice.type == AGREE_TLS;
}

/* SM7's contents against those of SM1 and SM6 (SU-10, SU-11, HX-12, HX-13). Status of the refusal,
 * or 0. */
static unsigned sm7_check(const struct registering *g, const struct pcscf_run *run)
{
	if (!agreement_same(g, run) || g->policy != run->policy)
		return 494;
	if (run->kind != PCSCF_IPSEC && sip_access_is_3gpp(g->m)) /* nobody can alter this one */
		return 403;
	if (tls_was_kept_off(g, run))
		return 403;
	if (!sv_eq(g->q.impi_sv, sv_of(run->reg->impi)) || !sv_eq(g->q.impu_sv, sv_of(run->impu)) ||
	    !sv_eq(g->m->call_id, sv_of(run->call_id)))
		return 403;
	return 0;
}

static void sm7(struct registering *g)
{
	struct pcscf_run *run = g->set->reg->run;
	struct sip_flow reply = pcscf_reply_flow(g->set, g->from);
	unsigned status;

	if (!run || run->set != g->set || run->state != PCSCF_RUN_SM6 || !g->q.answers) {
		pcscf_drop(g->p, PCSCF_DROP_WRONG_SA);
		return;
	}
	status = sm7_check(g, run);
	if (status) { /* SU-12, ER-08 */
		pcscf_failure_detour(run);
		refuse(g, PCSCF_REFUSED_VERIFY, status, status == 494, NULL);
		pcscf_run_end(run, PCSCF_ON_SM7_REFUSED, true, g->now);
		return;
	}
	if (!pcscf_run_step(run, PCSCF_ON_SM7) ||
	    !pcscf_register_forward(run, &reply, g->set, g->m, &g->q, PCSCF_INTEGRITY_YES, g->now))
		pcscf_run_end(run, PCSCF_ON_SM7_REFUSED, true, g->now);
}

/* Is this an answer to the challenge of the pending run? */
static bool answers_run(const struct registering *g, const struct pcscf_run *run)
{
	return run && run->nonce && g->q.has_authorization &&
	       sv_eq(g->q.auth.nonce, sv_of(run->nonce));
}

/* What REGISTERs say that came on a set of that kind, or would be the first (D-18, C-06). */
static enum pcscf_indicator digest_indicator(const struct pcscf *p, enum pcscf_kind kind,
					     bool bound)
{
	enum pcscf_tls_indicator legacy = p->conf.tls_indicator;

	if (kind == PCSCF_ADDRESS)
		return bound ? PCSCF_INTEGRITY_IP_YES : PCSCF_INTEGRITY_IP_PENDING;
	if (legacy == PCSCF_TLS_PENDING_YES)
		return bound ? PCSCF_INTEGRITY_TLS_YES : PCSCF_INTEGRITY_TLS_PENDING;
	if (legacy == PCSCF_TLS_AS_IPSEC || (legacy == PCSCF_TLS_REAUTH_YES && bound))
		return PCSCF_INTEGRITY_YES;
	return PCSCF_INTEGRITY_NONE;
}

/* The set that SM7 came on, or makes. A connection before it has waited in vain. */
static struct pcscf_set *sm7_set(struct registering *g, struct pcscf_run *run)
{
	if (run->set && run->set != g->set && run->set->role == PCSCF_SET_NEW)
		pcscf_set_remove(run->set);
	return g->set ? g->set : pcscf_assoc_create(run, g->from, g->now);
}

/*
 * SM7 of a UE without SAs. Anybody can send one, so what is wrong with it does not end the run: the
 * right one may still come.
 */
static void sm7_digest(struct registering *g, struct pcscf_run *run)
{
	bool over_tls = g->from->transport == SIP_TRANSPORT_TLS;
	bool bound = g->set && g->set->role == PCSCF_SET_CURRENT;
	unsigned status;

	g->terms = run->terms;
	if (over_tls != (run->kind == PCSCF_TLS)) { /* TS-05 */
		refuse(g, PCSCF_REFUSED_CLEAR, 494, true, NULL);
		return;
	}
	if (g->set && g->set->reg != run->reg) { /* TL-10 */
		refuse(g, PCSCF_REFUSED_SESSION, 403, false, NULL);
		return;
	}
	status = sm7_check(g, run);
	if (status) {
		refuse(g, PCSCF_REFUSED_VERIFY, status, status == 494 && run->agreed, NULL);
		return;
	}
	run->set = sm7_set(g, run);
	timer_stop(g->p->timers, &run->timer);
	if (!run->set || !pcscf_run_step(run, PCSCF_ON_SM7) ||
	    !pcscf_register_forward(run, g->from, run->set, g->m, &g->q,
				    digest_indicator(g->p, run->kind, bound), g->now))
		pcscf_run_end(run, PCSCF_ON_SM7_REFUSED, true, g->now);
}

/*
 * A report that AUTN was bad or out of sequence comes the way SM1 came (ER-06). It may leave
 * Security-Client out: then that of its SM1 goes on to hold.
 */
static bool offer_inherit(struct registering *g, const struct pcscf_run *run)
{
	if (!answers_run(g, run) || !run->offer.present ||
	    !ip_addr_eq(&run->path.outer, &g->path.outer))
		return false;
	g->offer = run->offer;
	return true;
}

/* 0, or the status of the refusal (ER-07). */
static unsigned agreement(struct registering *g, const struct pcscf_run *pending)
{
	int rc = pcscf_offer_read(g->policy, g->m, &g->terms, &g->offer);

	if (rc == 0)
		return 0;
	if (rc == -EBADMSG)
		return 400;
	if (rc == -EPROTO)
		return g->terms.digest ? 0 : 494;
	if (g->terms.digest)
		return 0;
	if (offer_inherit(g, pending) || g->set || !g->policy->ipsec_required)
		return 0;
	return 421; /* bidding down (F16) */
}

/*
 * ST-06: the port_uc offered must be nobody's. What ends with this SM1 anyway does not count; and
 * in a refresh on its own SAs the UE may repeat its port as long as it is not challenged: then
 * nothing is made of the offer (SP-19).
 */
static bool port_free(struct registering *g, const struct pcscf_reg *r)
{
	struct pcscf_set *s;

	if (!g->offer.present || g->offer.choice.type != AGREE_IPSEC_3GPP)
		return true;
	if (g->path.nat) { /* D-17 */
		s = pcscf_set_of_port_us(g->p, &g->path.outer, g->offer.ue.port_s);
		if (s && s->reg != r)
			return false;
	}
	s = pcscf_set_of_port_uc(g->p, &g->path.outer, g->offer.ue.port_c);
	if (!s)
		return true;
	return s->reg == r && (g->set || s->role == PCSCF_SET_NEW || s->role == PCSCF_SET_ENDING);
}

static bool overloaded(const struct registering *g, const struct pcscf_reg *r)
{
	const struct pcscf *p = g->p;

	if (!p->conf.max_pending)
		return false;
	if (!g->set && p->clear_relays / 4 >= p->conf.max_pending)
		return true;
	return p->runs >= p->conf.max_pending && !(r && r->run);
}

/*
 * A response to no challenge of ours, of a UE without SAs: one that took it from a clear message
 * must not get a connection bound by it (TS-05, TL-10). 0, or the status of the refusal.
 */
static unsigned vouching(struct registering *g, enum pcscf_drop *reason)
{
	bool over_tls = g->from->transport == SIP_TRANSPORT_TLS;

	if (!g->q.answers || g->set)
		return 0;
	*reason = over_tls ? PCSCF_REFUSED_VERIFY : PCSCF_REFUSED_CLEAR;
	if (over_tls)
		return g->policy->ipsec_required ? 494 : 0;
	return g->offer.present && g->offer.choice.type == AGREE_TLS ? 494 : 0;
}

/* All that may keep SM1 from the core. false: refused or discarded. */
static bool sm1_admit(struct registering *g, const struct pcscf_reg *r)
{
	const struct pcscf_run *pending = r ? r->run : NULL;
	enum pcscf_drop reason;
	unsigned status;
	bool nat;

	if (answers_run(g, pending) && g->q.answers) { /* SM7 is for the new SA alone (LP-08) */
		pcscf_drop(g->p, PCSCF_DROP_WRONG_SA);
		return false;
	}
	if (overloaded(g, r)) {
		refuse(g, PCSCF_DROP_OVERLOAD, 503, false, NULL);
		return false;
	}
	status = agreement(g, pending);
	if (status) {
		nat = status == 494 && g->path.nat && g->p->conf.udp_enc_port;
		refuse(g, nat ? PCSCF_REFUSED_NAT : PCSCF_REFUSED_AGREEMENT, status, status != 400,
		       nat ? "NAT between UE and P-CSCF: mod=UDP-enc-tun is needed" : NULL);
		return false;
	}
	status = vouching(g, &reason);
	if (status) {
		refuse(g, reason, status, true, NULL);
		return false;
	}
	if (!port_free(g, r)) {
		refuse(g, PCSCF_REFUSED_PORT, 400, false, pcscf_port_in_use);
		return false;
	}
	/* ST-07: three sets already, and the newest is about to be confirmed */
	if (pending && pending->state == PCSCF_RUN_SM7 && r->n_sets >= PCSCF_MAX_SETS) {
		refuse(g, PCSCF_REFUSED_PORT, 491, false, "too many security associations");
		return false;
	}
	return true;
}

/* IN-03: only the set of the last successful authentication makes a REGISTER a protected one. */
static enum pcscf_indicator sm1_indicator(const struct registering *g)
{
	bool current = g->set && g->set == g->set->reg->current;

	if (g->set && g->set->kind == PCSCF_IPSEC)
		return current ? PCSCF_INTEGRITY_YES : PCSCF_INTEGRITY_NO;
	if (g->set)
		return digest_indicator(g->p, g->set->kind, current);
	if (g->from->transport == SIP_TRANSPORT_TLS)
		return digest_indicator(g->p, PCSCF_TLS, false);
	if (g->offer.present && g->offer.choice.type == AGREE_IPSEC_3GPP)
		return PCSCF_INTEGRITY_NO;
	if (g->p->conf.tls_indicator == PCSCF_TLS_AS_IPSEC && g->offer.present)
		return PCSCF_INTEGRITY_NO;
	return g->q.answers && g->terms.digest ? PCSCF_INTEGRITY_IP_PENDING : PCSCF_INTEGRITY_NONE;
}

/* A newer SM1 ends what is pending, with the SAs it made (LP-07, LU-01); so does a failure report
 * (ER-06). */
static void pending_end(struct registering *g, struct pcscf_reg *r)
{
	struct pcscf_set *s = r->run ? r->run->set : NULL;

	if (s && s->role == PCSCF_SET_NEW && s->flow.session &&
	    s->flow.session == g->from->session) /* the UE begins again on it */
		pcscf_assoc_keep_connection(s);
	if (r->run)
		pcscf_run_end(r->run, PCSCF_ON_NEWER_SM1, false, g->now);
	s = NULL;
	if (g->offer.present)
		s = pcscf_set_of_port_uc(g->p, &g->path.outer, g->offer.ue.port_c);
	if (s && s->reg == r && s->role == PCSCF_SET_ENDING)
		pcscf_set_remove(s);
}

static struct pcscf_run *run_start(struct registering *g, struct pcscf_reg *r)
{
	struct pcscf_run *run, *old = r->run;
	char *inherited = NULL;
	int rc;

	if (g->offer.present && !sip_msg_find(g->m, SIP_HDR_SECURITY_CLIENT) && old) {
		inherited = old->client;
		old->client = NULL;
	}
	if (g->set) /* an old set may live for the pending run's sake alone */
		pcscf_set_hold(g->set);
	pending_end(g, r);
	rc = pcscf_run_create(r, g->from, &g->path, g->set, g->m, g->q.impu_sv, inherited, &run);
	if (g->set) /* now for this run's, if there is one */
		pcscf_set_release(g->p, g->set->sa.id, g->set->serial, false, g->now);
	if (rc < 0)
		return NULL;
	run->offer = g->offer;
	run->terms = g->terms;
	if (g->offer.present)
		run->terms.first = g->offer.choice.type;
	run->policy = g->policy;
	run->named = g->q.has_authorization;
	run->vouched =
		g->q.answers && !g->set &&
		(g->from->transport == SIP_TRANSPORT_TLS ? g->terms.tls
							 : g->terms.digest && !g->offer.present);
	return run;
}

static void sm1(struct registering *g)
{
	struct sip_flow reply = pcscf_reply_flow(g->set, g->from);
	struct pcscf_reg *r = pcscf_reg_find(g->p, g->q.impi_sv);
	struct pcscf_run *run;

	if (g->set && r != g->set->reg) { /* another one's IMPI on this UE's SA, or session */
		refuse(g, g->set->kind == PCSCF_TLS ? PCSCF_REFUSED_SESSION : PCSCF_DROP_WRONG_IMPU,
		       403, false, NULL);
		return;
	}
	if (!sm1_admit(g, r))
		return;
	if (!r && pcscf_reg_create(g->p, g->q.impi_sv, &r) < 0)
		return;
	run = run_start(g, r);
	if (run &&
	    !pcscf_register_forward(run, &reply, g->set, g->m, &g->q, sm1_indicator(g), g->now))
		pcscf_run_end(run, PCSCF_ON_FAILURE, false, g->now);
	pcscf_reg_reap(r);
}

void pcscf_register(struct pcscf *p, const struct sip_flow *from, struct pcscf_set *s,
		    const struct sip_msg *m, uint64_t now)
{
	bool needless = from->transport == SIP_TRANSPORT_TLS || (s && s->kind != PCSCF_IPSEC);

	if (needless || pcscf_via_fits(m, &from->remote.addr))
		pcscf_register_compared(p, from, s, m, true, now);
	else if (!pcscf_lookup_start(p, from, m, now))
		pcscf_register_compared(p, from, s, m, false, now);
}

/* Who says nothing is who is bound here; an address can have got another user meanwhile. */
static void own_identity(struct registering *g)
{
	const struct pcscf_reg *r;

	if (!g->set || g->set->kind == PCSCF_IPSEC)
		return;
	r = g->set->reg;
	if (!g->q.has_authorization && pcscf_impus_find(r, g->q.impu_sv))
		g->q.impi_sv = sv_of(r->impi);
	if (g->set->kind == PCSCF_ADDRESS && !sv_eq(g->q.impi_sv, sv_of(r->impi)))
		g->set = NULL;
}

/* SM1, or SM7 of a UE that has none. */
static void without_new_sa(struct registering *g)
{
	struct pcscf_reg *r = pcscf_reg_find(g->p, g->q.impi_sv);
	struct pcscf_run *run = r ? r->run : NULL;

	if (g->q.answers && answers_run(g, run) && run->kind != PCSCF_IPSEC &&
	    run->state == PCSCF_RUN_SM6) {
		sm7_digest(g, run);
		return;
	}
	if (g->set && g->set->role == PCSCF_SET_NEW) /* bound to nothing yet: begun again */
		g->set = NULL;
	g->terms = pcscf_terms_of(g->p, g->policy, g->from, g->set, g->m, g->path.nat);
	sm1(g);
}

void pcscf_register_compared(struct pcscf *p, const struct sip_flow *from, struct pcscf_set *s,
			     const struct sip_msg *m, bool via_fits, uint64_t now)
{
	struct registering g = {.p = p, .from = from, .set = s, .m = m, .now = now};
	const char *why;

	g.policy = pcscf_policy_of(p, s ? &s->sa.remote : &from->remote.addr, m);
	if (pcscf_path_read(p, from, s, g.policy, m, via_fits, &g.path, &why) <
	    0) { /* ST-04, C-34 */
		refuse(&g, g.path.nat && !s ? PCSCF_REFUSED_NAT : PCSCF_DROP_VIA_ADDRESS,
		       s ? 400 : 403, false, why);
		return;
	}
	if (!s && m->raw.n > PCSCF_CLEAR_MAX) { /* what is kept for strangers has a bound */
		refuse(&g, PCSCF_DROP_OVERLOAD, 513, false, NULL);
		return;
	}
	if (s && s->role == PCSCF_SET_ENDING) {
		pcscf_drop(p, PCSCF_DROP_WRONG_SA);
		return;
	}
	if (pcscf_request_read(&g.q, m) < 0) {
		refuse(&g, PCSCF_DROP_MALFORMED, 400, false, NULL);
		return;
	}
	own_identity(&g);
	if (s && s->kind == PCSCF_IPSEC && s->role == PCSCF_SET_NEW)
		sm7(&g);
	else
		without_new_sa(&g);
}
