/*
 * The first stage for what nearly all frames are, inline: whole, IPv4 without options, no fragment;
 * ESP to our MAC address, or UDP and TCP of a protected port of the host. All else, and what is
 * wrong in any way, is left to classify_ue() and classify_host().
 */
#pragma once

#include <netinet/in.h>

#include <rte_ether.h>

#include "dataplane/checksum.h"
#include "dataplane/natt.h"
#include "dataplane/worker.h"

/* No options, no fragment, the sum right, and lengths that hold `least` octets after the header.
 * Fills what ip_header_parse() does. */
static inline bool classify_plain_ipv4(struct pkt *p, uint32_t least)
{
	struct rte_mbuf *m = p->m;
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(uintptr_t)(eth + 1);
	uint32_t room = rte_pktmbuf_data_len(m) - (uint32_t)sizeof(*eth), total;

	if (rte_pktmbuf_data_len(m) < sizeof(*eth) + sizeof(*ip) + least || m->nb_segs != 1 ||
	    eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
	    ip->version_ihl != RTE_IPV4_VHL_DEF ||
	    (ip->fragment_offset & RTE_BE16((uint16_t)~RTE_IPV4_HDR_DF_FLAG)))
		return false;
	total = checksum_be16(ip->total_length);
	if (total > room || total < sizeof(*ip) + least ||
	    checksum_fold(checksum_ipv4_header((const uint8_t *)ip)) != 0xffff)
		return false;
	if (unlikely(total < room)) /* link padding */
		rte_pktmbuf_trim(m, (uint16_t)(room - total));
	p->ip = (uint8_t *)ip;
	p->version = 4;
	p->proto = ip->next_proto_id;
	p->ip_len = sizeof(*ip);
	p->next_at = offsetof(struct rte_ipv4_hdr, next_proto_id);
	return true;
}

/* To us, or to all: the switch does not know better. */
static inline bool classify_ether_ours(const struct worker *w, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);

	return likely(rte_is_same_ether_addr(&eth->dst_addr, &w->env->ue.mac)) ||
	       !rte_is_unicast_ether_addr(&eth->dst_addr);
}

/* Of a plain UDP packet: what natt_input() makes of ESP without an outer checksum. */
static inline bool classify_plain_natt(const struct worker *w, struct pkt *p)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(p->ip + p->ip_len);
	uint32_t len = pkt_payload_len(p);

	if (len < sizeof(*udp) + ESP_HEADER_LEN || udp->dst_port != w->env->udp_enc_port ||
	    udp->dst_port == 0 || udp->dgram_cksum != 0 || checksum_be16(udp->dgram_len) != len ||
	    !natt_is_esp(udp, len))
		return false;
	p->ip_len = (uint16_t)(p->ip_len + sizeof(*udp));
	p->udp_enc = true;
	return true;
}

/* True: CLASS_ESP, or CLASS_UDP_ENC after natt_input(); with room for the ESP header. */
static inline bool classify_plain_esp(const struct worker *w, struct pkt *p)
{
	if (unlikely(!classify_plain_ipv4(p, ESP_HEADER_LEN) || !classify_ether_ours(w, p->m)))
		return false;
	return likely(p->proto == IPPROTO_ESP) ||
	       (p->proto == IPPROTO_UDP && classify_plain_natt(w, p));
}

/* True: CLASS_PROTECT. */
static inline bool classify_plain_host(const struct worker *w, struct pkt *p)
{
	rte_be16_t port;

	if (!classify_plain_ipv4(p, 2 * sizeof(port)) ||
	    (p->proto != IPPROTO_UDP && p->proto != IPPROTO_TCP))
		return false;
	memcpy(&port, p->ip + p->ip_len, sizeof(port));
	return worker_port_protected(w, port);
}
