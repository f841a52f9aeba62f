/*
 * The first stage for what nearly all frames are, inline: whole, to our MAC address, IPv4 without
 * options, no fragment, ESP. All else, and what is wrong in any way, is left to classify_ue().
 */
#pragma once

#include <netinet/in.h>

#include <rte_ether.h>

#include "dataplane/checksum.h"
#include "dataplane/worker.h"

static inline uint64_t plain_ipv4_sum(const uint8_t *ip)
{
	return (uint64_t)checksum_load32(ip) + checksum_load32(ip + 4) + checksum_load32(ip + 8) +
	       checksum_load32(ip + 12) + checksum_load32(ip + 16);
}

/* True: the packet is CLASS_ESP with room for the ESP header, and what classify_ue() fills is. */
static inline bool classify_plain_esp(const struct worker *w, struct pkt *p)
{
	struct rte_mbuf *m = p->m;
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(uintptr_t)(eth + 1);
	uint32_t room = rte_pktmbuf_data_len(m) - (uint32_t)sizeof(*eth), total;

	if (rte_pktmbuf_data_len(m) < sizeof(*eth) + sizeof(*ip) + ESP_HEADER_LEN ||
	    m->nb_segs != 1 || !rte_is_same_ether_addr(&eth->dst_addr, &w->env->ue.mac) ||
	    eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
	    ip->version_ihl != RTE_IPV4_VHL_DEF || ip->next_proto_id != IPPROTO_ESP ||
	    (ip->fragment_offset & RTE_BE16((uint16_t)~RTE_IPV4_HDR_DF_FLAG)))
		return false;
	total = checksum_be16(ip->total_length);
	if (total > room || total < sizeof(*ip) + ESP_HEADER_LEN ||
	    checksum_fold(plain_ipv4_sum((const uint8_t *)ip)) != 0xffff)
		return false;
	if (unlikely(total < room)) /* link padding */
		rte_pktmbuf_trim(m, (uint16_t)(room - total));
	p->ip = (uint8_t *)ip;
	p->version = 4;
	p->proto = IPPROTO_ESP;
	p->ip_len = sizeof(*ip);
	p->next_at = offsetof(struct rte_ipv4_hdr, next_proto_id);
	return true;
}
