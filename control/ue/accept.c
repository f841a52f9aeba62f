/*
 * Which SA may carry which message (TS 33.203 7.1 rule 7, 7.4.1a). Messages on the wrong way are
 * counted and dropped before anything else sees them.
 */
#include "control/ue/ue_internal.h"

/* TS-10: what may come outside of the TLS connection, beside answers to what went there. */
static bool is_emergency(const struct sip_msg *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->h[i].id == SIP_HDR_OTHER && sv_caseeq(m->h[i].name, SV("Priority")))
			return sv_caseeq(m->h[i].value, SV("emergency")) ||
			       sv_caseeq(m->h[i].value, SV("psap-callback"));
	return false;
}

/* ST-13: the ports of the packet are those of the set that protected it. UDP comes to port_us
 * (SP-15). */
static struct ue_set *set_of(struct ue *u, const struct sip_flow *from)
{
	struct ue_set *s = ue_set_find(u, from->set);

	if (s && s->tls)
		return s->state == UE_SET_PROPOSED ? NULL : s;
	if (!s || s->state == UE_SET_PROPOSED || from->pair >= SA_PAIRS ||
	    s->sa.local_port[from->pair] != from->local.port ||
	    s->sa.remote_port[from->pair] != from->remote.port ||
	    !ip_addr_eq(&s->sa.remote, &from->remote.addr))
		return NULL;
	if (from->transport == SIP_TRANSPORT_UDP && from->pair != SA_SERVER)
		return NULL;
	return s;
}

static const struct ue_request *request_find(const struct ue *u, struct sv branch)
{
	const struct ue_request *r = &u->run.reg;

	if (r->txn && sv_eq(sv_of(r->branch), branch))
		return r;
	for (r = u->requests; r; r = r->next)
		if (sv_eq(sv_of(r->branch), branch))
			return r;
	return NULL;
}

/* ER-04: the failure of a run whose SM1 was protected comes on the old SAs, its success (LU-07) on
 * the new. */
static sa_set_id set_awaited(const struct ue *u, const struct ue_request *r, unsigned status)
{
	if (r == &u->run.reg && u->run.step == UE_STEP_SM7 && status >= 300 && u->run.sm1_set)
		return u->run.sm1_set;
	return r->set; /* LU-03, LU-11 */
}

static bool drop(struct ue *u, enum ue_drop reason)
{
	u->drops[reason]++;
	return false;
}

static bool goes_in_clear(const struct ue *u)
{
	return u->unprotected && u->registered;
}

static bool response_fits(struct ue *u, const struct sip_flow *from, const struct sip_msg *m)
{
	const struct ue_request *r = request_find(u, m->branch);

	if (!r) /* a repeat of a final response, if the transaction layer or a call knows it */
		return from->set || goes_in_clear(u) ? true : drop(u, UE_DROP_CLEAR);
	if (set_awaited(u, r, m->status) == from->set)
		return true;
	return drop(u, from->set ? UE_DROP_WRONG_SA : UE_DROP_CLEAR);
}

/* SP-21 */
static bool clear_fits(struct ue *u, const struct sip_flow *from, const struct sip_msg *m)
{
	if (!ip_addr_eq(&from->remote.addr, &u->pcscf.addr))
		return drop(u, UE_DROP_CLEAR);
	if (goes_in_clear(u))
		return true;
	if (m->request && ue_uses_tls(u) && is_emergency(m))
		return true;
	return m->request ? drop(u, UE_DROP_CLEAR) : true;
}

static bool fits(struct ue *u, const struct sip_flow *from, const struct sip_msg *m)
{
	const struct ue_set *s;

	if (from->set == 0)
		return clear_fits(u, from, m) && (m->request || response_fits(u, from, m));
	s = set_of(u, from);
	if (!s)
		return drop(u, UE_DROP_WRONG_SA);
	/* over TCP, too, requests come to port_us; answers on our connection, or to port_us if that
	 * has gone (SP-17) */
	if (m->request && from->pair != SA_SERVER && !s->tls)
		return drop(u, UE_DROP_WRONG_SA);
	if (m->request && (s->state == UE_SET_NEW || s->closed)) /* LU-02, LU-10 */
		return drop(u, UE_DROP_WRONG_SA);
	return m->request || response_fits(u, from, m);
}

/* LU-12: a further message. SM12 itself comes on a set that is still new, and its repeats say
 * nothing new. */
static void heard(struct ue *u, sa_set_id id)
{
	struct ue_set *s = ue_set_find(u, id);

	u->unanswered = 0;
	if (!s || s->state != UE_SET_CURRENT)
		return;
	s->heard = true;
}

void ue_input(struct ue *u, const struct sip_flow *flow, struct sv text, uint64_t now)
{
	struct sip_flow ours;
	const struct sip_flow *from = &ours;
	struct ue_set *tls = ue_tls_flow_in(u, flow, &ours);
	struct sip_msg m;

	if (sip_msg_parse(&m, text) < 0) {
		(void)drop(u, UE_DROP_MALFORMED);
		return;
	}
	if (!fits(u, from, &m))
		return;
	if (tls)
		ue_tls_session_set(u, tls, from->session);
	if (from->set && (m.request || request_find(u, m.branch)))
		heard(u, from->set);
	if (!sip_txns_input(u->txns, from, &m, now) && !ue_pass_input(u, from, &m)) {
		if (m.request)
			ue_serve(u, from, &m, now);
		else if (!ue_call_answer_repeated(u, &m, now))
			(void)drop(u, UE_DROP_STRAY);
	}
	ue_set_settle(u);
}
