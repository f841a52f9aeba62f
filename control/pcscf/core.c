/* The side towards the core: Mw. */
#include "control/base/parse.h"
#include "control/pcscf/internal.h"

void pcscf_core_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct pcscf *p = ctx;
	int rc;

	(void)flow;
	if (sv_has_prefix(text, SV("REGISTER ")))
		rc = mw_send(p->mw, sv_of(p->conf.icscf_host), text);
	else
		rc = mw_forward(p->mw, text);
	p->core_lost |= rc < 0;
}

bool pcscf_response_repeat(struct pcscf *p, const struct sip_msg *m, bool from_core, uint64_t now)
{
	struct pcscf_set *s;
	struct sip_flow flow;
	struct sv text;
	sa_set_id id;

	if (m->method != SIP_INVITE || m->status < 200 || m->status > 299 ||
	    !pcscf_branch_set(m->branch, &id))
		return false;
	if (id == 0)
		return from_core && pcscf_emergency_repeat(p, m, now);
	s = pcscf_set_find(p, id);
	if (!s)
		return false;
	if (from_core)
		pcscf_dialog_fork(s->reg, m, now);
	text = from_core ? pcscf_response_down(p, m, s) : pcscf_response_up(p, m, s, NULL);
	if (sv_empty(text))
		return false;
	flow = from_core ? pcscf_set_flow(s) : pcscf_core_flow();
	if (from_core)
		pcscf_access_send(p, &flow, text);
	else
		pcscf_core_send(p, &flow, text);
	return true;
}

void pcscf_core_input(void *arg, struct sv text, uint64_t now)
{
	struct sip_flow core = pcscf_core_flow();
	struct pcscf *p = arg;
	struct sip_msg m;

	if (sip_msg_parse(&m, text) < 0) {
		pcscf_drop(p, PCSCF_DROP_MALFORMED);
		return;
	}
	if (sip_txns_input(p->core, &core, &m, now))
		return;
	if (m.request && pcscf_notify_input(p, &m, now))
		return;
	if (m.request)
		pcscf_terminating(p, &m, now);
	else if (!pcscf_response_repeat(p, &m, true, now))
		pcscf_drop(p, PCSCF_DROP_STRAY_RESPONSE);
}
