#include "dataplane/esp_transport.h"

#include <netinet/in.h>

#include "dataplane/ip_header.h"
#include "dataplane/worker.h"

#define TRAILER_LEN ESP_TRAILER_LEN

/* ---- outbound ----------------------------------------------------------------------------- */

int esp_transport_gap(struct worker *w, struct pkt *p)
{
	uint8_t overhead = p->set->transform->overhead;
	uint8_t *old = rte_pktmbuf_mtod(p->m, uint8_t *);
	size_t headers = (size_t)(p->ip - old) + p->ip_len;
	uint8_t *start = (uint8_t *)rte_pktmbuf_prepend(p->m, overhead);

	(void)w;
	if (!start)
		return DP_DROP_NO_BUFFER;
	memmove(start, old, headers);
	p->ip -= overhead;
	return PKT_KEEP;
}

void esp_header_write(struct worker *w, const struct pkt *p, uint8_t *esp)
{
	rte_be32_t head[2] = {p->out->spi, rte_cpu_to_be_32(p->seq)};

	memcpy(esp, head, sizeof(head));
	esp_engine_iv(w->engine, esp + ESP_HEADER_LEN, p->set->transform->iv_len);
}

/* Padding 1, 2, 3, ... (RFC 4303 2.4), pad length, next header; always 14 octets at once, which the
 * ICV makes room for. */
void esp_trailer_write(uint8_t *tail, uint8_t pad, uint8_t next)
{
	static const uint8_t series[TRAILER_LEN + ESP_ICV_LEN] = {1, 2, 3,  4,	5,  6,	7,
								  8, 9, 10, 11, 12, 13, 14};

	memcpy(tail, series, sizeof(series));
	if (pad > sizeof(series))
		tail[sizeof(series)] = sizeof(series) + 1;
	tail[pad] = pad;
	tail[pad + 1] = next;
}

int esp_transport_seal(struct worker *w, struct pkt *p)
{
	const struct sa_transform *t = p->set->transform;
	uint8_t pad = (uint8_t)(-(p->l4_len + TRAILER_LEN) & (t->block_len - 1));
	uint32_t len = t->overhead + p->l4_len + pad + (uint32_t)TRAILER_LEN;
	uint8_t *esp = p->ip + p->ip_len, *tail;

	if (p->ip_len + len + ESP_ICV_LEN > UINT16_MAX)
		return DP_DROP_TOO_BIG;
	tail = (uint8_t *)rte_pktmbuf_append(p->m, pad + TRAILER_LEN + ESP_ICV_LEN);
	if (!tail)
		return DP_DROP_TOO_BIG;
	esp_trailer_write(tail, pad, p->proto);
	esp_header_write(w, p, esp);
	ip_header_update(p, IPPROTO_ESP, len + ESP_ICV_LEN);
	p->job.key = sa_key_at(&w->env->sa, p->slot / SA_PAIRS);
	p->job.esp = esp;
	p->job.len = (uint16_t)len;
	p->job.inbound = false;
	return PKT_KEEP;
}

/* ---- inbound ------------------------------------------------------------------------------ */

static bool padding_is_right(const uint8_t *end, uint8_t pad)
{
	unsigned i, wrong = 0;

	for (i = 0; i < pad; i++)
		wrong |= end[-1 - (int)i] ^ (pad - i);
	return (uint8_t)wrong == 0;
}

int esp_trailer_open(struct pkt *p)
{
	uint8_t overhead = p->set->transform->overhead;
	uint32_t inside = p->job.len - overhead - (uint32_t)TRAILER_LEN;
	const uint8_t *trailer = p->job.esp + p->job.len - TRAILER_LEN;
	uint8_t pad = trailer[0];

	if (pad > inside || !padding_is_right(trailer, pad))
		return DP_DROP_BAD_PADDING;
	p->proto = trailer[1];
	p->l4 = p->job.esp + overhead;
	p->l4_len = (uint16_t)(inside - pad);
	if (p->proto == IPPROTO_NONE) /* dummy packet (RFC 4303 2.6) */
		return DP_DROP_DUMMY;
	return PKT_KEEP;
}

int esp_transport_open(struct worker *w, struct pkt *p)
{
	int reason = esp_trailer_open(p);

	(void)w;
	if (reason != PKT_KEEP)
		return reason;
	if (p->proto != IPPROTO_UDP && p->proto != IPPROTO_TCP)
		return DP_DROP_BAD_NEXT_HEADER;
	return PKT_KEEP;
}

int esp_transport_restore(struct worker *w, struct pkt *p)
{
	uint8_t *old = rte_pktmbuf_mtod(p->m, uint8_t *);
	size_t headers = (size_t)(p->ip - old) + p->ip_len;
	size_t overhead = (size_t)(p->l4 - (p->ip + p->ip_len));

	(void)w;
	memmove(old + overhead, old, headers);
	p->ip += overhead;
	rte_pktmbuf_adj(p->m, (uint16_t)overhead);
	rte_pktmbuf_trim(p->m, (uint16_t)(rte_pktmbuf_data_len(p->m) - headers - p->l4_len));
	ip_header_update(p, p->proto, p->l4_len);
	p->l4 = p->ip + p->ip_len;
	return PKT_KEEP;
}
