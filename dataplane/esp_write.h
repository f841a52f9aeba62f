/* What ESP puts around a payload, in every mode (RFC 4303 2); inline as ip_write.h. */
#pragma once

#include "crypto/esp.h"
#include "crypto/iv_stream.h"
#include "dataplane/worker.h"

#define ESP_TRAILER_LEN 2 /* pad length, next header */

/* Makes room around a UDP payload. PKT_KEEP or the reason to drop. */
static inline int esp_room(struct rte_mbuf *m, uint32_t before, uint32_t behind)
{
	uint32_t room_before = rte_pktmbuf_headroom(m), len = before + m->data_len + behind;

	if (unlikely(before > room_before))
		return DP_DROP_NO_BUFFER;
	if (unlikely(behind > rte_pktmbuf_tailroom(m) || len > UINT16_MAX))
		return DP_DROP_TOO_BIG;
	m->data_off = (uint16_t)(m->data_off - before);
	m->data_len = (uint16_t)len;
	m->pkt_len = len;
	return PKT_KEEP;
}

/* SPI, sequence number and a new IV */
static inline void esp_header_write(struct worker *w, const struct pkt *p, uint8_t *esp)
{
	rte_be32_t head[2] = {p->out->spi, rte_cpu_to_be_32(p->seq)};

	memcpy(esp, head, sizeof(head));
	iv_stream_take(w->iv, esp + ESP_HEADER_LEN, p->set->transform->iv_len);
}

/* Padding 1, 2, 3, ... (RFC 4303 2.4), pad length, next header; always 14 octets at once, which the
 * ICV makes room for. */
static inline void esp_trailer_write(uint8_t *tail, uint8_t pad, uint8_t next)
{
	static const uint8_t series[ESP_TRAILER_LEN + ESP_ICV_LEN] = {1, 2, 3,	4,  5,	6,  7,
								      8, 9, 10, 11, 12, 13, 14};

	memcpy(tail, series, sizeof(series));
	if (pad > sizeof(series))
		tail[sizeof(series)] = sizeof(series) + 1;
	tail[pad] = pad;
	tail[pad + 1] = next;
}
