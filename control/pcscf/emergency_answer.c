/* Responses of emergency calls in clear, on their way to the caller and back. */
#include <stdlib.h>
#include <utlist.h>

#include "control/base/parse.h"
#include "control/pcscf/caller.h"

/* The set that own_uri() of routes.c wants: our end of the caller's flow. */
static struct pcscf_set towards(struct pcscf_caller *c)
{
	struct pcscf_set s = {.reg = &c->reg, .sa.local = c->flow.local.addr};

	s.sa.local_port[SA_SERVER] = c->flow.local.port;
	return s;
}

void pcscf_emergency_follow(const struct pcscf_relay *r, const struct sip_msg *request,
			    const struct sip_msg *m, uint64_t now)
{
	struct pcscf_caller *c = pcscf_caller_find_token(r->p, sv_of(r->caller));
	bool from_core = r->kind == PCSCF_RELAY_UP;

	if (!c)
		return;
	if (m)
		pcscf_dialog_response(&c->reg, request, m, from_core, now);
	else
		pcscf_dialog_unanswered(&c->reg, request, !from_core, now);
	if (!m || m->status >= 200)
		pcscf_caller_ebb(c, now);
}

static struct sv response_down(struct pcscf_caller *c, const struct sip_msg *m)
{
	struct pcscf_set s = towards(c);

	return pcscf_response_down(c->reg.p, m, &s);
}

struct sv pcscf_emergency_response(struct pcscf_relay *r, const struct sip_msg *m)
{
	struct pcscf_caller *c = pcscf_caller_find_token(r->p, sv_of(r->caller));

	if (r->kind == PCSCF_RELAY_DOWN)
		return pcscf_response_up(r->p, m, NULL, NULL);
	return c ? response_down(c, m) : pcscf_response_down(r->p, m, NULL);
}

/* A connection in clear does not last as long as a call may ring (RFC 3261 18.1.1, 18.2.2). */
void pcscf_emergency_elsewhere(struct pcscf *p, const struct sip_flow *failed, struct sv text,
			       uint64_t now)
{
	struct pcscf_caller *c;
	struct sip_msg m;
	char *copy;

	if (sip_msg_parse(&m, text) < 0)
		return;
	c = pcscf_caller_find(p, &failed->remote.addr, m.call_id);
	if (!c)
		return;
	c->flow = *failed;
	c->flow.transport = SIP_TRANSPORT_UDP;
	c->flow.session = 0;
	c->flow.remote.port = c->udp_port;
	if (m.request && sip_client_reroute(p->access, &m, &c->flow, now))
		return;
	copy = sv_dup(text);
	if (copy && m.request) /* an ACK */
		sip_via_transport_set(copy, text.n, SV("UDP"));
	if (copy)
		p->env.send(p->env.ctx, &c->flow, (struct sv){copy, text.n});
	free(copy);
}

/* A 2xx to INVITE, repeated or of another fork, when the transaction has had its first one. */
bool pcscf_emergency_repeat(struct pcscf *p, const struct sip_msg *m, uint64_t now)
{
	struct pcscf_caller *c;
	struct sv text;

	DL_FOREACH(p->callers, c)
	{
		if (!c->over && sv_eq((struct sv){c->call_id, c->n}, m->call_id))
			break;
	}
	if (!c)
		return false;
	pcscf_dialog_fork(&c->reg, m, now);
	text = response_down(c, m);
	if (sv_empty(text))
		return false;
	pcscf_access_send(p, &c->flow, text);
	return true;
}
