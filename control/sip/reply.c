#include "control/sip/edit.h"
#include "control/sip/scan.h"

static void copy_all(struct sbuf *b, const struct sip_msg *m, enum sip_hdr id)
{
	for (const struct sip_header *h = sip_msg_find(m, id); h; h = sip_msg_next(m, h))
		sbuf_put(b, h->line);
}

static void copy_to(struct sbuf *b, const struct sip_msg *m, struct sv tag)
{
	const struct sip_header *to = sip_msg_find(m, SIP_HDR_TO);

	if (!to)
		return;
	if (m->to_tag.n || tag.n == 0) {
		sbuf_put(b, to->line);
		return;
	}
	sbuf_put(b, sv_between(to->line.p, to->value.p + to->value.n));
	sbuf_put(b, SV(";tag="));
	sbuf_put(b, tag);
	sbuf_put(b, SV("\r\n"));
}

/* A 100 gives the sender its clock back (RFC 3261 8.2.6.1). */
static void copy_timestamp(struct sbuf *b, const struct sip_msg *m)
{
	for (unsigned i = 0; i < m->n; i++)
		if (m->h[i].id == SIP_HDR_OTHER && sv_caseeq(m->h[i].name, SV("Timestamp")))
			sbuf_put(b, m->h[i].line);
}

void sip_reply_begin(struct sbuf *b, const struct sip_msg *request, unsigned status, struct sv tag)
{
	sbuf_printf(b, "SIP/2.0 %03u %s\r\n", status, sip_reason(status));
	copy_all(b, request, SIP_HDR_VIA);
	copy_all(b, request, SIP_HDR_FROM);
	copy_to(b, request, tag);
	copy_all(b, request, SIP_HDR_CALL_ID);
	copy_all(b, request, SIP_HDR_CSEQ);
	if (status == 100)
		copy_timestamp(b, request);
}

void sip_reply_end(struct sbuf *b, struct sv body)
{
	sbuf_printf(b, "Content-Length: %zu\r\n\r\n", body.n);
	sbuf_put(b, body);
}
