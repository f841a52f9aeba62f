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
	rte_be32_t src = checksum_load32(n->src->b), dst = checksum_load32(n->dst->b);
	rte_be16_t total = checksum_be16((uint16_t)(sizeof(struct rte_ipv4_hdr) + n->len));
	/* May be fragmented, by us or on the way: needs an identification of its own. */
	rte_be16_t id = checksum_be16(number);
	rte_be16_t begin = checksum_be16((uint16_t)(RTE_IPV4_VHL_DEF << 8 | n->tos));
	rte_be16_t life = checksum_be16((uint16_t)(IP_NEW_TTL << 8 | n->proto));
	uint64_t sum = (uint64_t)begin + total + id + life + src + dst;
	rte_be16_t header[6] = {begin, total, id, 0, life, (uint16_t)~checksum_fold(sum)};

	memcpy(at, header, sizeof(header));
	memcpy(at + 12, &src, sizeof(src));
	memcpy(at + 16, &dst, sizeof(dst));
}

static inline void ip_write_v6(uint8_t *at, const struct ip_new *n)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;

	ip->vtc_flow = rte_cpu_to_be_32(IP_NEW_V6 | (uint32_t)n->tos << 20);
	ip->payload_len = checksum_be16((uint16_t)n->len);
	ip->proto = n->proto;
	ip->hop_limits = IP_NEW_TTL;
	memcpy(ip->src_addr, n->src->b, sizeof(ip->src_addr));
	memcpy(ip->dst_addr, n->dst->b, sizeof(ip->dst_addr));
}

/* Without options, TTL 64, DF clear. number: identification, for IPv4 */
static inline void ip_write_as(uint8_t version, uint8_t *at, const struct ip_new *n,
			       uint16_t number)
{
	if (version == 4)
		ip_write_v4(at, n, number);
	else
		ip_write_v6(at, n);
}

static inline void ip_write(uint8_t *at, const struct ip_new *n, uint16_t number)
{
	ip_write_as(n->dst->version, at, n, number);
}
