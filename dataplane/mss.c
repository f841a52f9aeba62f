#include "dataplane/mss.h"

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_tcp.h>

#include "dataplane/checksum.h"
#include "dataplane/worker.h"

#define OPT_END 0
#define OPT_NOP 1
#define OPT_MSS 2
#define MSS_LEN 4

/* Where the MSS is in a TCP header of len octets; 0: nowhere. */
static uint32_t mss_find(const uint8_t *tcp, uint32_t len)
{
	uint32_t at = sizeof(struct rte_tcp_hdr);

	while (at < len && tcp[at] != OPT_END) {
		if (tcp[at] == OPT_NOP) {
			at++;
			continue;
		}
		if (len - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > len - at)
			return 0;
		if (tcp[at] == OPT_MSS)
			return tcp[at + 1] == MSS_LEN ? at + 2 : 0;
		at += tcp[at + 1];
	}
	return 0;
}

/* Checksums go by words: an option may lie across two, which the header holds as it ends on four.
 */
static void mss_set(struct rte_tcp_hdr *tcp, uint32_t at, uint16_t mss)
{
	uint8_t *words = (uint8_t *)tcp + (at & ~1u), was[4];
	uint32_t n = at & 1 ? 4 : 2;
	rte_be16_t be = rte_cpu_to_be_16(mss);

	memcpy(was, words, n);
	memcpy((uint8_t *)tcp + at, &be, sizeof(be));
	tcp->cksum = checksum_replace(tcp->cksum, was, words, n);
}

static int syn_clamp(struct worker *w, struct pkt *p)
{
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)p->l4;
	uint32_t len = (tcp->data_off >> 4) * 4u, at, max;
	rte_be16_t be;

	at = len <= p->l4_len ? mss_find((const uint8_t *)tcp, len) : 0;
	if (at == 0)
		return PKT_KEEP;
	max = pmtu_inner_max(w, p) - (uint32_t)sizeof(*tcp) -
	      (uint32_t)(p->version == 4 ? sizeof(struct rte_ipv4_hdr)
					 : sizeof(struct rte_ipv6_hdr));
	memcpy(&be, (const uint8_t *)tcp + at, sizeof(be));
	if (rte_be_to_cpu_16(be) <= max)
		return PKT_KEEP;
	mss_set(tcp, at, (uint16_t)max);
	w->c.mss_clamped++;
	return PKT_KEEP;
}

int mss_clamp(struct worker *w, struct pkt *p)
{
	const struct rte_tcp_hdr *tcp = (const struct rte_tcp_hdr *)p->l4;

	if (p->proto != IPPROTO_TCP || p->l4_len < sizeof(*tcp) ||
	    likely(!(tcp->tcp_flags & RTE_TCP_SYN_FLAG)))
		return PKT_KEEP;
	return syn_clamp(w, p);
}
