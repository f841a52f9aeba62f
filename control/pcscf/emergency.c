/*
 * Emergency requests (TS 24.229 5.2.10): a Request-URI of service urn:service:sos (RFC 5031) leads
 * to the E-CSCF, whatever the UE may do else. Of a UE without SA they come in clear, if the
 * configuration says so (C-15). Such a caller has a registration of its own, in no table and
 * without identities, sets or lifetime: nothing but the token of Record-Route and its dialogs.
 * Callers are known by address and Call-ID, and bounded in number; one that has no dialog lasts as
 * long as repeats may come.
 */
#include <utlist.h>

#include "control/pcscf/caller.h"

/* ---- what is an emergency request ---------------------------------------------------------- */

/* RFC 5031 4.2: sub-services follow after dots; all of it without case. */
bool pcscf_emergency_uri(struct sv uri)
{
	struct sv sos = SV("urn:service:sos");

	if (uri.n < sos.n || !sv_caseeq((struct sv){uri.p, sos.n}, sos))
		return false;
	return uri.n == sos.n || (uri.p[sos.n] == '.' && uri.n > sos.n + 1);
}

bool pcscf_emergency_initial(const struct sip_msg *m)
{
	return m->request && sv_empty(m->to_tag) && pcscf_emergency_uri(m->uri);
}

/* TS 24.229 5.2.10: without a way to the E-CSCF the UE shall call by other means. */
void pcscf_emergency_refusal(const struct pcscf *p, struct pcscf_refusal *why)
{
	(void)p;
	*why = (struct pcscf_refusal){.status = 380, .alternative = true};
}

void pcscf_emergency_alternative(const struct pcscf *p, struct sbuf *b)
{
	static const char body[] =
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
		"<ims-3gpp version=\"1\"><alternative-service><type>emergency</type>"
		"<reason>no emergency service here</reason></alternative-service></ims-3gpp>\r\n";

	sbuf_printf(b,
		    "P-Asserted-Identity: <sip:%s>\r\nContent-Type: application/3gpp-ims+xml\r\n",
		    p->conf.host);
	sip_reply_end(b, SV(body));
}

/* ---- which messages in clear are let in ---------------------------------------------------- */

static bool belongs(const struct sip_msg *m)
{
	if (!m->request || m->method == SIP_CANCEL || m->method == SIP_ACK)
		return true;
	return !sv_empty(m->to_tag);
}

bool pcscf_emergency_admits(struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m)
{
	struct pcscf_caller *c;

	if (!p->conf.clear_emergency)
		return false;
	if (pcscf_emergency_initial(m) && (m->method == SIP_INVITE || m->method == SIP_ACK))
		return true;
	c = pcscf_caller_find(p, &from->remote.addr, m->call_id);
	return c && belongs(m);
}

static bool same_flow(const struct sip_flow *a, const struct sip_flow *b)
{
	return a->session == b->session && a->transport == b->transport &&
	       ip_endpoint_eq(&a->remote, &b->remote);
}

/*
 * A UE without SAs registers on the very connection, or address, that it may have called on: its
 * registration knows nothing of that call. And as long as nothing is bound, nothing but a call in
 * clear is possible.
 */
bool pcscf_emergency_goes_on(struct pcscf *p, const struct pcscf_set *s,
			     const struct sip_flow *from, const struct sip_msg *m)
{
	struct pcscf_caller *c;

	if (s->kind == PCSCF_IPSEC || !p->conf.clear_emergency || m->method == SIP_REGISTER)
		return false;
	if (s->role == PCSCF_SET_NEW && pcscf_emergency_initial(m))
		return true;
	if (!belongs(m) && !pcscf_emergency_initial(m))
		return false;
	c = pcscf_caller_find(p, &from->remote.addr, m->call_id);
	return c && (same_flow(&c->flow, from) || (m->request && pcscf_dialog_known(&c->reg, m)));
}

/* ---- UE to core ---------------------------------------------------------------------------- */

/* 0 or the status of a refusal */
static unsigned up_edit(struct sip_edit *e, struct pcscf_caller *c, const struct sip_msg *m,
			uint64_t now)
{
	struct pcscf *p = c->reg.p;
	char branch[SIP_BRANCH_LEN];
	const char *route = NULL;
	unsigned status;

	if (!pcscf_proxy_require_ok(m))
		return 420;
	sip_edit_init(e, m);
	status = pcscf_max_forwards(e, m);
	if (!status && pcscf_looped(p, m, 0, true))
		return 482;
	pcscf_branch_of(p, branch, 0, m, true);
	sip_edit_insert(e, SIP_HDR_VIA, "Via: SIP/2.0/TCP %s;branch=%s", p->conf.host, branch);
	pcscf_strip_agreement(e);
	pcscf_strip_network(e, m);
	sip_edit_remove_all(e, SIP_HDR_P_PREFERRED_IDENTITY); /* nobody knows who it is */
	sip_edit_remove_all(e, SIP_HDR_P_ASSERTED_IDENTITY);
	sip_edit_remove_all(e, SIP_HDR_ROUTE);
	if (pcscf_dialog_route(&c->reg, m, &route, now))
		sip_edit_append(e, "Route: %s", route);
	else
		sip_edit_append(e, "Route: <sip:%s;lr>", p->conf.ecscf_host);
	if (pcscf_dialog_forming(m))
		pcscf_record_route(e, &c->reg, NULL);
	return status;
}

static void up(struct pcscf_caller *c, const struct sip_flow *from, const struct sip_msg *m,
	       uint64_t now)
{
	struct sip_flow core = pcscf_core_flow();
	struct pcscf *p = c->reg.p;
	struct pcscf_refusal why = {.status = 0};
	struct pcscf_relay *relay;
	struct sip_edit e;
	int rc;

	if (pcscf_relay_create(p, PCSCF_RELAY_UP, from, m, NULL, &relay, now) < 0)
		return;
	pcscf_caller_opens(c, relay);
	why.status = up_edit(&e, c, m, now);
	if (why.status == 0) {
		rc = pcscf_relay_send(relay, &core, sip_edit_text(&e, p->out, PCSCF_TEXT_MAX), now);
		if (rc == 0) {
			c->over &= !pcscf_emergency_initial(m); /* it tries again */
			return;
		}
		pcscf_emergency_refusal(p, &why);
		if (e.failed)
			why = (struct pcscf_refusal){.status = 513};
	}
	pcscf_relay_answer(relay, &why, now);
	if (c->open == 1) /* nothing came of it */
		pcscf_caller_ebb(c, now);
}

static void up_ack(struct pcscf_caller *c, const struct sip_msg *m, uint64_t now)
{
	struct sip_flow core = pcscf_core_flow();
	struct pcscf *p = c->reg.p;
	struct sip_edit e;
	struct sv text;

	if (up_edit(&e, c, m, now))
		return;
	text = sip_edit_text(&e, p->out, PCSCF_TEXT_MAX);
	if (!sv_empty(text))
		pcscf_core_send(p, &core, text);
}

/* The first request of a call: its caller, or NULL if it was refused. */
static struct pcscf_caller *welcome(struct pcscf *p, const struct sip_flow *from,
				    const struct sip_msg *m, uint64_t now)
{
	struct pcscf_caller *c = p->conf.ecscf_host ? pcscf_caller_create(p, from, m, now) : NULL;
	struct pcscf_refusal why;

	if (c)
		return c;
	if (p->conf.ecscf_host)
		pcscf_drop(p, PCSCF_DROP_OVERLOAD);
	pcscf_emergency_refusal(p, &why);
	pcscf_refuse(p, from, NULL, m, &why, now);
	return NULL;
}

static void refuse(struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m,
		   unsigned status, uint64_t now)
{
	if (m->method != SIP_ACK)
		pcscf_refuse(p, from, NULL, m, &(struct pcscf_refusal){.status = status}, now);
}

/* What one caller can make us keep has a bound. 0, or the status of the refusal. */
static unsigned caller_may(struct pcscf_caller *c, const struct sip_msg *m)
{
	if (!sv_empty(m->to_tag) && !pcscf_dialog_known(&c->reg, m))
		return 481;
	return m->method != SIP_ACK && c->open >= PCSCF_CALLER_OPEN ? 503 : 0;
}

void pcscf_emergency_input(struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m,
			   uint64_t now)
{
	struct pcscf_caller *c = pcscf_caller_find(p, &from->remote.addr, m->call_id);
	unsigned status;

	if (m->raw.n > PCSCF_CLEAR_MAX) {
		refuse(p, from, m, 513, now);
		return;
	}
	if (!c && m->method == SIP_INVITE && pcscf_emergency_initial(m))
		c = welcome(p, from, m, now);
	if (!c) /* refused; or the ACK to a refusal */
		return;
	c->flow = *from;
	DL_DELETE(p->callers, c);
	DL_APPEND(p->callers, c);
	p->counters.requests_from_ue++;
	if (m->method == SIP_CANCEL) {
		pcscf_cancel(p, NULL, from, m, now);
		return;
	}
	status = caller_may(c, m);
	if (status)
		refuse(p, from, m, status, now);
	else if (m->method == SIP_ACK)
		up_ack(c, m, now);
	else
		up(c, from, m, now);
}

/* ---- core to UE ---------------------------------------------------------------------------- */

static unsigned down_edit(struct sip_edit *e, const struct pcscf_caller *c, const struct sip_msg *m)
{
	char branch[SIP_BRANCH_LEN], host[IP_ENDPOINT_STRLEN];
	unsigned status;

	sip_edit_init(e, m);
	status = pcscf_max_forwards(e, m);
	pcscf_branch_of(c->reg.p, branch, 0, m, false);
	pcscf_via_host(&c->flow.local, host);
	sip_edit_insert(e, SIP_HDR_VIA, "Via: SIP/2.0/%s %s;branch=%s",
			sip_transport_name(c->flow.transport), host, branch);
	sip_edit_remove_first(e, SIP_HDR_ROUTE);
	pcscf_strip_agreement(e);
	pcscf_strip_private(e, m);
	return status;
}

static void down(struct pcscf_caller *c, const struct sip_msg *m, uint64_t now)
{
	struct sip_flow core = pcscf_core_flow();
	struct pcscf_refusal why = {.status = 500};
	struct pcscf *p = c->reg.p;
	struct pcscf_relay *relay;
	struct sip_edit e;

	if (pcscf_relay_create(p, PCSCF_RELAY_DOWN, &core, m, NULL, &relay, now) < 0)
		return;
	pcscf_caller_opens(c, relay);
	why.status = down_edit(&e, c, m);
	if (why.status == 0) {
		if (pcscf_relay_send(relay, &c->flow, sip_edit_text(&e, p->out, PCSCF_TEXT_MAX),
				     now) == 0)
			return;
		why.status = e.failed ? 513 : 500;
	}
	pcscf_relay_answer(relay, &why, now);
}

static void down_ack(struct pcscf_caller *c, const struct sip_msg *m)
{
	struct pcscf *p = c->reg.p;
	struct sip_edit e;
	struct sv text;

	if (down_edit(&e, c, m))
		return;
	text = sip_edit_text(&e, p->out, PCSCF_TEXT_MAX);
	if (!sv_empty(text))
		pcscf_access_send(p, &c->flow, text);
}

bool pcscf_emergency_terminating(struct pcscf *p, struct sv token, const struct sip_msg *m,
				 uint64_t now)
{
	struct pcscf_caller *c = pcscf_caller_find_token(p, token);

	if (!c)
		return false;
	p->counters.requests_to_ue++;
	if (m->method == SIP_ACK)
		down_ack(c, m);
	else
		down(c, m, now);
	return true;
}
