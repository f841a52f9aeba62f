/* Requests of the core on their way to the UE (TS 24.229 5.2.6.4), and the responses to them. */
#include "control/pcscf/internal.h"

/* The token in the topmost Route, that of Path, or of Record-Route inside a dialog; and Path's flow
 * if it has one, else empty. */
static struct sv token_of(struct pcscf *p, const struct sip_msg *m, struct sv *flow)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_ROUTE};
	struct sv element, token;
	struct sip_addr a;
	struct sip_uri u;

	*flow = (struct sv){0};
	if (!sip_list_walk(&l, &element) || !pcscf_route_ours(p, element, &token))
		return (struct sv){0};
	if (sip_addr_parse(&a, element) == 0 && sip_uri_parse(&u, a.uri) == 0)
		(void)sip_param(u.params, SV("flow"), flow);
	return token;
}

/* RFC 5626 5.3.1: what was registered by one flow does not take another. */
static struct pcscf_set *set_to(const struct pcscf_reg *r, struct sv flow)
{
	char id[9];

	if (sv_empty(flow))
		return r->down;
	for (unsigned i = 0; i < r->n_sets; i++) {
		struct pcscf_set *s = r->sets[i];

		snprintf(id, sizeof(id), "%08x", s->sa.id);
		if (sv_eq(flow, sv_of(id)))
			return s->role == PCSCF_SET_CURRENT || s->role == PCSCF_SET_OLD ? s : NULL;
	}
	return NULL;
}

static unsigned request_edit(struct sip_edit *e, const struct pcscf_set *s, const struct sip_msg *m)
{
	struct ip_endpoint server = {s->sa.local, s->sa.local_port[SA_SERVER]};
	char branch[SIP_BRANCH_LEN], host[IP_ENDPOINT_STRLEN];
	unsigned status;

	sip_edit_init(e, m);
	status = pcscf_max_forwards(e, m);
	if (!status && pcscf_looped(s->reg->p, m, s->sa.id, false))
		return 482;
	pcscf_branch_of(s->reg->p, branch, s->sa.id, m, false);
	pcscf_via_host(&server, host);
	/* port_ps: the UE's answer comes back to it (SP-14, F14) */
	sip_edit_insert(e, SIP_HDR_VIA, "Via: SIP/2.0/UDP %s;branch=%s", host, branch);
	sip_edit_remove_first(e, SIP_HDR_ROUTE);
	pcscf_strip_agreement(e);
	pcscf_strip_private(e, m);
	if (pcscf_dialog_forming(m))
		pcscf_record_route(e, s->reg, s);
	return status;
}

static void forward(struct pcscf *p, struct pcscf_set *s, const struct sip_msg *m, uint64_t now)
{
	struct sip_flow core = pcscf_core_flow(), flow;
	struct pcscf_refusal why = {.status = 500};
	struct pcscf_relay *relay;
	struct sip_edit e;
	struct sv text;

	if (pcscf_relay_create(p, PCSCF_RELAY_DOWN, &core, m, s, &relay, now) < 0)
		return;
	why.status = request_edit(&e, s, m);
	if (why.status == 0) {
		text = sip_edit_text(&e, p->out, PCSCF_TEXT_MAX);
		flow = pcscf_request_flow(p, s, p->out, text.n, now);
		if (pcscf_relay_send(relay, &flow, text, now) == 0)
			return;
		why.status = e.failed ? 513 : p->flow_lost ? 430 : 500;
		if (why.status == 430)
			pcscf_drop(p, PCSCF_DROP_FLOW_FAILED);
	}
	pcscf_relay_answer(relay, &why, now);
}

/* 430 asks the core to try another flow of the UE, 480 says that there is none. */
static void unreachable(struct pcscf *p, const struct sip_msg *m, bool flow_failed, uint64_t now)
{
	struct pcscf_refusal why = {.status = flow_failed ? 430 : 480};
	struct sip_flow core = pcscf_core_flow();

	pcscf_drop(p, flow_failed ? PCSCF_DROP_FLOW_FAILED : PCSCF_DROP_NOT_REGISTERED);
	pcscf_answer(p, p->core, &core, m, &why, now);
}

static void forward_ack(struct pcscf *p, const struct pcscf_set *s, const struct sip_msg *m,
			uint64_t now)
{
	struct sip_flow flow;
	struct sip_edit e;
	struct sv text;

	if (request_edit(&e, s, m))
		return;
	text = sip_edit_text(&e, p->out, PCSCF_TEXT_MAX);
	if (sv_empty(text))
		return;
	flow = pcscf_request_flow(p, s, p->out, text.n, now);
	pcscf_access_send(p, &flow, text);
}

void pcscf_terminating(struct pcscf *p, const struct sip_msg *m, uint64_t now)
{
	struct sv flow, token = token_of(p, m, &flow);
	struct pcscf_reg *r = pcscf_reg_find_token(p, token);
	struct pcscf_set *s = r && pcscf_reg_registered(r) ? set_to(r, flow) : NULL;
	struct sip_flow core = pcscf_core_flow();

	if (m->method == SIP_CANCEL) {
		pcscf_cancel(p, NULL, &core, m, now);
		return;
	}
	if (!r && pcscf_emergency_terminating(p, token, m, now))
		return;
	if (!s) {
		unreachable(p, m, !sv_empty(flow), now);
		return;
	}
	p->counters.requests_to_ue++;
	if (m->method == SIP_ACK)
		forward_ack(p, s, m, now);
	else
		forward(p, s, m, now);
}

struct sv pcscf_response_up(struct pcscf *p, const struct sip_msg *m, const struct pcscf_set *s,
			    const struct pcscf_impu *who)
{
	struct sip_edit e;

	if (!pcscf_via_below(m))
		return (struct sv){0};
	sip_edit_init(&e, m);
	sip_edit_remove_first(&e, SIP_HDR_VIA);
	pcscf_strip_agreement(&e);
	pcscf_strip_network(&e, m);
	sip_edit_remove_all(&e, SIP_HDR_P_PREFERRED_IDENTITY);
	sip_edit_remove_all(&e, SIP_HDR_P_ASSERTED_IDENTITY);
	if (who)
		sip_edit_append(&e, "P-Asserted-Identity: <%.*s>", (int)who->len, who->text);
	if (s)
		pcscf_record_route_turn(p, &e, m, s->reg, NULL);
	return sip_edit_text(&e, p->out, PCSCF_TEXT_MAX);
}
