/* Requests of the UE on their way to the core (TS 24.229 5.2.6.3), and the responses to them. */
#include "control/mw/proxy.h"
#include "control/pcscf/internal.h"

static const struct sv extensions[] = {{"path", 4}, {"sec-agree", 9}};

bool pcscf_proxy_unsupported(const struct sip_msg *m, struct sbuf *out)
{
	return mw_proxy_unsupported(m, SIP_HDR_PROXY_REQUIRE, extensions,
				    sizeof(extensions) / sizeof(*extensions), out);
}

bool pcscf_proxy_require_ok(const struct sip_msg *m)
{
	char store[256];
	struct sbuf unknown = sbuf_of(store, sizeof(store));

	return !pcscf_proxy_unsupported(m, &unknown);
}

/*
 * Inside a dialog the route that the core recorded, else the Service-Route, whatever the UE says
 * (TS 24.229 5.2.6.3).
 */
static void route(struct sip_edit *e, const struct sip_msg *m, struct pcscf_reg *r, uint64_t now)
{
	const char *recorded = r->service_route;

	sip_edit_remove_all(e, SIP_HDR_ROUTE);
	if (r->p->conf.ecscf_host && pcscf_emergency_initial(m)) {
		sip_edit_append(e, "Route: <sip:%s;lr>", r->p->conf.ecscf_host);
		return;
	}
	(void)pcscf_dialog_route(r, m, &recorded, now);
	if (recorded)
		sip_edit_append(e, "Route: %s", recorded);
}

static void assert_identity(struct sip_edit *e, const struct pcscf_impu *who)
{
	sip_edit_remove_all(e, SIP_HDR_P_PREFERRED_IDENTITY);
	sip_edit_remove_all(e, SIP_HDR_P_ASSERTED_IDENTITY);
	if (who)
		sip_edit_append(e, "P-Asserted-Identity: <%.*s>", (int)who->len, who->text);
}

/* 0 or the status of a refusal */
static unsigned request_edit(struct sip_edit *e, struct pcscf_set *s, const struct sip_msg *m,
			     const struct pcscf_impu *who, uint64_t now)
{
	struct pcscf_reg *r = s->reg;
	char branch[SIP_BRANCH_LEN];
	unsigned status;

	if (!pcscf_proxy_require_ok(m))
		return 420;
	sip_edit_init(e, m);
	status = pcscf_max_forwards(e, m);
	if (!status && pcscf_looped(r->p, m, s->sa.id, true))
		return 482;
	pcscf_branch_of(r->p, branch, s->sa.id, m, true);
	sip_edit_insert(e, SIP_HDR_VIA, "Via: SIP/2.0/TCP %s;branch=%s", r->p->conf.host, branch);
	pcscf_strip_agreement(e);
	pcscf_strip_network(e, m);
	assert_identity(e, who);
	route(e, m, r, now);
	if (pcscf_dialog_forming(m))
		pcscf_record_route(e, r, NULL);
	return status;
}

static void forward(struct pcscf *p, const struct sip_flow *from, struct pcscf_set *s,
		    const struct sip_msg *m, const struct pcscf_impu *who, uint64_t now)
{
	struct sip_flow reply = pcscf_reply_flow(s, from), core = pcscf_core_flow();
	struct pcscf_refusal why = {.status = 503};
	bool emergency = pcscf_emergency_initial(m);
	struct pcscf_relay *relay;
	struct sip_edit e;

	if (pcscf_relay_create(p, PCSCF_RELAY_UP, &reply, m, s, &relay, now) < 0)
		return;
	why.status = request_edit(&e, s, m, who, now);
	if (why.status == 0) {
		if (pcscf_relay_send(relay, &core, sip_edit_text(&e, p->out, PCSCF_TEXT_MAX),
				     now) == 0)
			return;
		why.status = e.failed ? 513 : 503;
		if (emergency && !e.failed)
			pcscf_emergency_refusal(p, &why);
	}
	pcscf_relay_answer(relay, &why, now);
}

/* The ACK to a 2xx is a request without a transaction (RFC 3261 13.2.2.4, 16.6). */
static void forward_ack(struct pcscf *p, struct pcscf_set *s, const struct sip_msg *m,
			const struct pcscf_impu *who, uint64_t now)
{
	struct sip_flow core = pcscf_core_flow();
	struct sip_edit e;
	struct sv text;

	if (request_edit(&e, s, m, who, now))
		return;
	text = sip_edit_text(&e, p->out, PCSCF_TEXT_MAX);
	if (!sv_empty(text))
		pcscf_core_send(p, &core, text);
}

void pcscf_originating(struct pcscf *p, const struct sip_flow *from, struct pcscf_set *s,
		       const struct sip_msg *m, uint64_t now)
{
	struct sip_flow reply = pcscf_reply_flow(s, from);
	const struct pcscf_impu *who = pcscf_impus_claimed(s->reg, m);
	struct pcscf_refusal why;

	if (pcscf_emergency_initial(m)) { /* whoever it says it is */
		who = who ? who : pcscf_impus_default(s->reg);
		if (!p->conf.ecscf_host && m->method != SIP_ACK && m->method != SIP_CANCEL) {
			pcscf_emergency_refusal(p, &why);
			pcscf_answer(p, p->access, &reply, m, &why, now);
			return;
		}
	} else if (!who) {
		pcscf_drop(p, PCSCF_DROP_WRONG_IMPU);
		return;
	}
	p->counters.requests_from_ue++;
	if (m->method == SIP_ACK)
		forward_ack(p, s, m, who, now);
	else if (m->method == SIP_CANCEL)
		pcscf_cancel(p, s, &reply, m, now);
	else
		forward(p, from, s, m, who, now);
}

struct sv pcscf_response_down(struct pcscf *p, const struct sip_msg *m, const struct pcscf_set *s)
{
	struct sip_edit e;

	if (!pcscf_via_below(m))
		return (struct sv){0};
	sip_edit_init(&e, m);
	sip_edit_remove_first(&e, SIP_HDR_VIA);
	pcscf_strip_agreement(&e);
	pcscf_strip_keys(&e, m);
	pcscf_strip_private(&e, m);
	if (s)
		pcscf_record_route_turn(p, &e, m, s->reg, s);
	return sip_edit_text(&e, p->out, PCSCF_TEXT_MAX);
}
