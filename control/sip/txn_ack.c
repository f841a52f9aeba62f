#include <errno.h>
#include <stdlib.h>

#include "control/base/sbuf.h"
#include "control/sip/txn_impl.h"

static void copy(struct sbuf *b, const struct sip_msg *m, enum sip_hdr id)
{
	for (const struct sip_header *h = sip_msg_find(m, id); h; h = sip_msg_next(m, h))
		sbuf_put(b, h->line);
}

static void write_ack(struct sbuf *b, const struct sip_msg *request, const struct sip_via *via,
		      const struct sip_msg *response)
{
	sbuf_put(b, SV("ACK "));
	sbuf_put(b, request->uri);
	sbuf_put(b, SV(" SIP/2.0\r\nVia: "));
	sbuf_put(b, via->element);
	sbuf_put(b, SV("\r\nMax-Forwards: 70\r\n"));
	copy(b, request, SIP_HDR_ROUTE);
	copy(b, request, SIP_HDR_FROM);
	copy(b, response, SIP_HDR_TO);
	copy(b, request, SIP_HDR_CALL_ID);
	sbuf_printf(b, "CSeq: %u ACK\r\nContent-Length: 0\r\n\r\n", request->cseq);
}

int txn_ack_make(struct sv text, const struct sip_msg *response, char **ack, size_t *len)
{
	size_t cap = text.n + response->raw.n + 256;
	struct sip_msg request;
	struct sip_via via;
	struct sbuf b;

	if (sip_msg_parse(&request, text) || sip_via_top(&via, &request))
		return -EBADMSG;
	b = sbuf_of(malloc(cap), cap);
	if (!b.p)
		return -ENOMEM;
	write_ack(&b, &request, &via, response);
	*ack = b.p;
	*len = b.n;
	return 0;
}
