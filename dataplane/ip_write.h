/* New IP headers. Inline: what goes into them then stays in registers. */
#pragma once

#include <stdint.h>
#include <string.h>

#include <rte_ip.h>

#include "dataplane/checksum.h"
#include "ip.h"

#define IP_NEW_TTL 64
#define IP_NEW_V6  0x60000000u

/* A header to be written. */
struct ip_new {
	const struct ip_addr *src, *dst; /* same version */
	uint32_t len;			 /* of what follows it */
	uint8_t proto;
	uint8_t tos; /* DSCP and ECN */
};

static inline uint16_t ip_new_len(uint8_t version)
{
	return version == 4 ? sizeof(struct rte_ipv4_hdr) : sizeof(struct rte_ipv6_hdr);
}

/* The sum is taken from what goes into the header: read back, it would wait for the stores. */
static inline void ip_write_v4(uint8_t *at, const struct ip_new *n, uint16_t number)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;
	rte_be32_t src = checksum_load32(n->src->b), dst = checksum_load32(n->dst->b);
	/* May be fragmented, by us or on the way: needs an identification of its own. */
	rte_be16_t id = rte_cpu_to_be_16(number);
	rte_be16_t total = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + n->len));
	uint64_t sum = rte_cpu_to_be_16((uint16_t)(RTE_IPV4_VHL_DEF << 8 | n->tos)) +
		       (uint64_t)total + id +
		       rte_cpu_to_be_16((uint16_t)(IP_NEW_TTL << 8 | n->proto)) + src + dst;

	*ip = (struct rte_ipv4_hdr){
		.version_ihl = RTE_IPV4_VHL_DEF,
		.type_of_service = n->tos,
		.total_length = total,
		.packet_id = id,
		.time_to_live = IP_NEW_TTL,
		.next_proto_id = n->proto,
		.hdr_checksum = (uint16_t)~checksum_fold(sum),
		.src_addr = src,
		.dst_addr = dst,
	};
}

static inline void ip_write_v6(uint8_t *at, const struct ip_new *n)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;

	ip->vtc_flow = rte_cpu_to_be_32(IP_NEW_V6 | (uint32_t)n->tos << 20);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)n->len);
	ip->proto = n->proto;
	ip->hop_limits = IP_NEW_TTL;
	memcpy(ip->src_addr, n->src->b, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, n->dst->b, sizeof(ip->dst_addr));
}

/* Without options, TTL 64, DF clear. number: identification, for IPv4 */
static inline void ip_write(uint8_t *at, const struct ip_new *n, uint16_t number)
{
	if (n->dst->version == 4)
		ip_write_v4(at, n, number);
	else
		ip_write_v6(at, n);
}
