/* The side towards the UEs: what may come in, and on which set (TS 33.203 7.1 rule 4, 7.4.2a,
 * O.2.2). */
#include "control/base/parse.h"
#include "control/pcscf/internal.h"

void pcscf_access_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct pcscf *p = ctx;
	struct pcscf_set *s = pcscf_set_of_flow(p, flow);
	if (flow->set) {
		if (s && s->detoured) {
			flow = &s->detour;
			s = flow->set ? pcscf_set_of_flow(p, flow) : s;
		}
		if (!s) /* gone meanwhile: then so is who would read it */
			return;
	}
	pcscf_transport_send(p, s, flow, text);
}

/* In clear only REGISTER (SP-20), and what emergency calls need (C-15). */
static bool clear_admits(struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m)
{
	if ((m->request && m->method == SIP_REGISTER) || pcscf_emergency_admits(p, from, m))
		return true;
	pcscf_drop(p, m->request ? PCSCF_DROP_CLEAR_NOT_REGISTER : PCSCF_DROP_CLEAR_RESPONSE);
	return false;
}

/*
 * Requests come to port_ps, and over UDP responses too (SP-13); over TCP those come on our own
 * connection from port_pc, or to port_ps if that has gone (SP-16). A response comes on the set of
 * its request (LP-12).
 */
static bool set_admits(const struct pcscf_set *s, const struct sip_flow *from,
		       const struct sip_msg *m)
{
	sa_set_id sent_on;

	if (s->kind == PCSCF_IPSEC && from->pair != SA_SERVER &&
	    (m->request || from->transport == SIP_TRANSPORT_UDP))
		return false;
	if (m->request)
		return true;
	return pcscf_branch_set(m->branch, &sent_on) && sent_on == s->sa.id;
}

static void request(struct pcscf *p, const struct sip_flow *from, struct pcscf_set *s,
		    const struct sip_msg *m, uint64_t now)
{
	if (m->method == SIP_REGISTER) {
		if (s)
			pcscf_set_heard(s, now);
		pcscf_register(p, from, s, m, now);
		return;
	}
	if (!s) {
		pcscf_emergency_input(p, from, m, now);
		return;
	}
	if (s->role != PCSCF_SET_CURRENT && s->role != PCSCF_SET_OLD) { /* LP-02, LP-03 */
		pcscf_drop(p, PCSCF_DROP_WRONG_SA);
		return;
	}
	if (!pcscf_reg_registered(s->reg) && !pcscf_emergency_initial(m)) {
		pcscf_drop(p, PCSCF_DROP_NOT_REGISTERED);
		return;
	}
	pcscf_set_heard(s, now);
	pcscf_originating(p, from, s, m, now);
}

void pcscf_input(struct pcscf *p, const struct sip_flow *from, struct sv text, uint64_t now)
{
	struct pcscf_set *s;
	struct sip_msg m;

	if (sv_empty(sv_trim(text))) /* CRLF: a keep-alive (RFC 5626 4.4.1) */
		return;
	if (sip_msg_parse(&m, text) < 0) {
		pcscf_drop(p, PCSCF_DROP_MALFORMED);
		return;
	}
	s = pcscf_set_of_flow(p, from);
	if (from->set && !s) {
		pcscf_drop(p, PCSCF_DROP_UNKNOWN_SET);
		return;
	}
	if (s && pcscf_emergency_goes_on(p, s, from, &m))
		s = NULL;
	if (!s && !clear_admits(p, from, &m))
		return;
	if (s && !set_admits(s, from, &m)) {
		pcscf_drop(p, PCSCF_DROP_WRONG_SA);
		return;
	}
	if (s)
		pcscf_set_settle_inner(s, from);
	if (m.request && !pcscf_via_stamp(p, &m, from, s)) {
		pcscf_drop(p, PCSCF_DROP_MALFORMED);
		return;
	}
	if (sip_txns_input(p->access, from, &m, now))
		return;
	if (m.request)
		request(p, from, s, &m, now);
	else if (!pcscf_response_repeat(p, &m, false, now))
		pcscf_drop(p, PCSCF_DROP_STRAY_RESPONSE);
}
