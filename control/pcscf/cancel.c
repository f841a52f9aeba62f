/* CANCEL of INVITE, hop by hop (RFC 3261 9, 16.10), and timer C. */
#include <stdlib.h>

#include "control/pcscf/internal.h"

static void copy(struct sbuf *b, const struct sip_msg *m, enum sip_hdr id)
{
	for (const struct sip_header *h = sip_msg_find(m, id); h; h = sip_msg_next(m, h))
		sbuf_put(b, h->line);
}

void pcscf_cancel_prepare(struct pcscf_relay *r, struct sv sent)
{
	struct sip_msg m;
	struct sip_via via;
	struct sbuf b;

	if (sip_msg_parse(&m, sent) < 0 || sip_via_top(&via, &m) < 0)
		return;
	r->cancel = malloc(sent.n + 128);
	if (!r->cancel)
		return;
	b = sbuf_of(r->cancel, sent.n + 128);
	sbuf_printf(&b, "CANCEL %.*s SIP/2.0\r\nVia: %.*s\r\n", SV_ARG(m.uri), SV_ARG(via.element));
	copy(&b, &m, SIP_HDR_ROUTE);
	copy(&b, &m, SIP_HDR_FROM);
	copy(&b, &m, SIP_HDR_TO);
	copy(&b, &m, SIP_HDR_CALL_ID);
	sbuf_printf(&b, "CSeq: %u CANCEL\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", m.cseq);
	if (b.overflow) {
		free(r->cancel);
		r->cancel = NULL;
	}
	r->cancel_len = b.n;
}

static void cancel_answered(void *arg, const struct sip_msg *response, uint64_t now)
{
	(void)arg;
	(void)response;
	(void)now;
}

bool pcscf_cancel_send(struct pcscf_relay *r, uint64_t now)
{
	struct sip_flow flow = pcscf_core_flow();
	struct sip_client_txn *c;
	struct pcscf *p = r->p;
	bool down = r->kind == PCSCF_RELAY_DOWN;
	struct pcscf_set *s;

	if (!r->client || !r->cancel)
		return false;
	/* not before the other side has shown that it knows the INVITE (RFC 3261 9.1) */
	r->cancelled = !r->provisional;
	if (r->cancelled)
		return false;
	if (down) {
		s = pcscf_set_find(p, r->set);
		if (!*r->caller && (!s || s->serial != r->serial))
			return false;
		flow = *sip_client_flow(r->client); /* that of the INVITE (RFC 3261 9.1) */
		sip_via_transport_set(r->cancel, r->cancel_len,
				      sv_of(sip_transport_name(flow.transport)));
	}
	(void)sip_client_create(down ? p->access : p->core, &c, &flow,
				(struct sv){r->cancel, r->cancel_len}, cancel_answered, p, now);
	free(r->cancel);
	r->cancel = NULL;
	return true;
}

/* Only who sent the INVITE may cancel it; by the new set of SAs, if there has been a change-over.
 */
static bool is_asker(const struct pcscf_relay *r, const struct pcscf_set *s)
{
	const struct pcscf_set *asker = r->set ? pcscf_set_find(r->p, r->set) : NULL;

	if (!s)
		return r->set == 0;
	return asker && asker->serial == r->serial && asker->reg == s->reg;
}

void pcscf_cancel(struct pcscf *p, struct pcscf_set *s, const struct sip_flow *reply,
		  const struct sip_msg *m, uint64_t now)
{
	bool from_ue = reply->transport != SIP_TRANSPORT_MW;
	struct sip_txns *side = from_ue ? p->access : p->core;
	struct sip_server_txn *invite = sip_server_find(side, m, SIP_INVITE);
	struct pcscf_relay *r = invite ? sip_server_arg(invite) : NULL;
	struct pcscf_refusal answer = {.status = 200};

	if (r && from_ue && !is_asker(r, s))
		r = NULL;
	if (!r)
		answer.status = 481;
	if (r || !from_ue || s)
		pcscf_answer(p, side, reply, m, &answer, now);
	else
		pcscf_refuse(p, reply, NULL, m, &answer, now);
	if (r)
		(void)pcscf_cancel_send(r, now);
}

void pcscf_timer_c(struct timer *t, void *arg, uint64_t now)
{
	struct pcscf_relay *r = arg;

	/* RFC 3261 16.8: the other side's answer to the INVITE ends it, and wants its ACK */
	if (pcscf_cancel_send(r, now) &&
	    timer_start(r->p->timers, t, now + PCSCF_CANCEL_MS, pcscf_timer_c, r) == 0)
		return;
	if (r->client)
		sip_client_cancel(r->client);
	r->client = NULL;
	pcscf_relay_answer(r, &(struct pcscf_refusal){.status = 408}, now);
}
