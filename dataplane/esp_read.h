/* What ESP has put around a payload (RFC 4303 2), when it has been opened; inline as ip_write.h. */
#pragma once

#include <netinet/in.h>

#include <rte_byteorder.h>

#include "dataplane/esp_write.h"

static inline uint64_t esp_load64(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return rte_le_to_cpu_64(word);
}

/*
 * 1, 2, 3, ... up to pad, before `end` (RFC 4303 2.4). By words: block ciphers need up to 15. The
 * ESP header lies before, so eight octets may always be read.
 */
static inline bool esp_padding_is_right(const uint8_t *end, uint8_t pad)
{
	const uint64_t series = UINT64_C(0x0807060504030201), each = UINT64_C(0x0101010101010101);
	unsigned i, wrong = 0;

	if (pad == 0)
		return true;
	if (pad < 8)
		return ((esp_load64(end - 8) >> (64 - 8 * pad)) ^ series) << (64 - 8 * pad) == 0;
	if (pad <= 16)
		return esp_load64(end - pad) == series &&
		       esp_load64(end - 8) == series + each * (pad - 8u);
	for (i = 0; i < pad; i++)
		wrong |= end[-1 - (int)i] ^ (pad - i);
	return (uint8_t)wrong == 0;
}

/* Checks the trailer; sets proto to what it names, l4 and l4_len to all before it. */
static inline int esp_trailer_open(struct pkt *p)
{
	uint8_t overhead = p->set->transform->overhead;
	uint32_t inside = p->job.len - overhead - (uint32_t)ESP_TRAILER_LEN;
	const uint8_t *trailer = p->job.esp + p->job.len - ESP_TRAILER_LEN;
	uint8_t pad = trailer[0];

	if (pad > inside || !esp_padding_is_right(trailer, pad))
		return DP_DROP_BAD_PADDING;
	p->proto = trailer[1];
	p->l4 = p->job.esp + overhead;
	p->l4_len = (uint16_t)(inside - pad);
	if (p->proto == IPPROTO_NONE) /* dummy packet (RFC 4303 2.6) */
		return DP_DROP_DUMMY;
	return PKT_KEEP;
}
