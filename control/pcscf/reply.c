/* Responses that the P-CSCF gives itself. */
#include "control/pcscf/internal.h"

const char pcscf_port_in_use[] = "protected port in use";

struct sv pcscf_reply_text(struct pcscf *p, const struct sip_msg *request,
			   const struct pcscf_refusal *why)
{
	struct sbuf b = sbuf_of(p->out, PCSCF_TEXT_MAX);

	sip_reply_begin(&b, request, why->status, why->status == 100 ? SV("") : sv_of(p->tag));
	if (why->agreement && why->terms.first != AGREE_OTHER) {
		if (why->status == 421)
			sbuf_printf(&b, "Require: sec-agree\r\n");
		sbuf_printf(&b, "Security-Server: ");
		pcscf_server_offer(why->policy, &why->terms, &b);
		sbuf_printf(&b, "\r\n");
	}
	if (why->status == 420) { /* RFC 3261 8.2.2.3 */
		sbuf_printf(&b, "Unsupported: ");
		(void)pcscf_proxy_unsupported(request, &b);
		sbuf_printf(&b, "\r\n");
	}
	if (why->warning)
		sbuf_printf(&b, "Warning: 399 %s \"%s\"\r\n", p->conf.host, why->warning);
	if (why->retry_after)
		sbuf_printf(&b, "Retry-After: %u\r\n", why->retry_after);
	if (why->alternative)
		pcscf_emergency_alternative(p, &b);
	else
		sip_reply_end(&b, (struct sv){0});
	return b.overflow ? (struct sv){0} : sbuf_sv(&b);
}

void pcscf_server_end(struct sip_server_txn *server, unsigned status, struct sv text, uint64_t now)
{
	if (sip_server_respond(server, status, text, now) < 0)
		sip_server_cancel(server);
}

void pcscf_answer(struct pcscf *p, struct sip_txns *side, const struct sip_flow *reply,
		  const struct sip_msg *m, const struct pcscf_refusal *why, uint64_t now)
{
	struct sip_server_txn *server;

	if (m->method != SIP_ACK &&
	    sip_server_create(side, &server, reply, m, NULL, NULL, now) == 0)
		pcscf_server_end(server, why->status, pcscf_reply_text(p, m, why), now);
}

void pcscf_refuse(struct pcscf *p, const struct sip_flow *from, const struct pcscf_set *s,
		  const struct sip_msg *m, const struct pcscf_refusal *why, uint64_t now)
{
	struct sip_flow reply = pcscf_reply_flow(s, from);
	struct sv text;

	if (s) {
		pcscf_answer(p, p->access, &reply, m, why, now);
		return;
	}
	text = pcscf_reply_text(p, m, why);
	if (!sv_empty(text))
		pcscf_transport_send(p, NULL, &reply, text);
}
