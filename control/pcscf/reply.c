/* Responses that the P-CSCF gives itself. */
#include "control/pcscf/internal.h"

struct sv pcscf_reply_text(struct pcscf *p, const struct sip_msg *request,
			   const struct pcscf_refusal *why)
{
	struct sbuf b = sbuf_of(p->out, PCSCF_TEXT_MAX);

	sip_reply_begin(&b, request, why->status, why->status == 100 ? SV("") : sv_of(p->tag));
	if (why->agreement) {
		if (why->status == 421)
			sbuf_printf(&b, "Require: sec-agree\r\n");
		sbuf_printf(&b, "Security-Server: ");
		pcscf_server_offer(p, &b);
		sbuf_printf(&b, "\r\n");
	}
	if (why->warning)
		sbuf_printf(&b, "Warning: 399 %s \"%s\"\r\n", p->conf.host, why->warning);
	if (why->retry_after)
		sbuf_printf(&b, "Retry-After: %u\r\n", why->retry_after);
	sip_reply_end(&b, (struct sv){0});
	return b.overflow ? (struct sv){0} : sbuf_sv(&b);
}

void pcscf_refuse(struct pcscf *p, const struct sip_flow *from, const struct pcscf_set *s,
		  const struct sip_msg *m, const struct pcscf_refusal *why, uint64_t now)
{
	struct sip_flow reply = pcscf_reply_flow(s, from);
	struct sip_server_txn *server;
	struct sv text;

	text = pcscf_reply_text(p, m, why);
	if (sv_empty(text))
		return;
	if (!s)
		p->env.send(p->env.ctx, &reply, text);
	else if (sip_server_create(p->access, &server, &reply, m, NULL, NULL, now) == 0)
		sip_server_respond(server, why->status, text, now);
}
