/* Headers of a received packet: checked once, so that what follows may trust their lengths. */
#pragma once

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "dataplane/packet.h"

/*
 * Checks the IP header of p->m (p->ip and p->version are set) with options or extension headers,
 * cuts off link padding and fills ip_len, next_at, proto, fragment. PKT_KEEP or the reason to drop.
 */
int ip_header_parse(struct pkt *p);

/* UDP of len octets: is its length field right? PKT_KEEP or DP_DROP_BAD_UDP. */
static inline int ip_udp_length_check(const struct rte_udp_hdr *udp, uint32_t len)
{
	uint32_t own;

	if (len < sizeof(*udp))
		return DP_DROP_BAD_UDP;
	own = checksum_be16(udp->dgram_len);
	return own < sizeof(*udp) || own > len ? DP_DROP_BAD_UDP : PKT_KEEP;
}

/* UDP of len octets inside p: its length field and checksum. PKT_KEEP or DP_DROP_BAD_UDP. */
int ip_udp_check(const struct pkt *p, const struct rte_udp_hdr *udp, uint32_t len);

/* Does the TCP header fit? Its checksum is the kernel's business. PKT_KEEP or DP_DROP_TRUNCATED. */
int ip_tcp_check(const struct rte_tcp_hdr *tcp, uint32_t len);

/* Where a UDP or TCP header has its checksum; 0: len octets are too short for the header. */
static inline size_t ip_l4_sum_at(uint8_t proto, uint32_t len)
{
	if (proto == IPPROTO_TCP)
		return len < sizeof(struct rte_tcp_hdr) ? 0 : offsetof(struct rte_tcp_hdr, cksum);
	return len < sizeof(struct rte_udp_hdr) ? 0 : offsetof(struct rte_udp_hdr, dgram_cksum);
}

/* After the octets that follow the IP header have changed: protocol, length, and its checksum,
 * which was right before. */
void ip_header_update(struct pkt *p, uint8_t proto, uint32_t payload_len);

/* Extension headers that a whole packet may have before UDP and TCP */
static inline bool ip6_is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_DSTOPTS;
}

/* Those, and that of a piece */
static inline bool ip6_is_extension_or_fragment(uint8_t proto)
{
	return ip6_is_extension(proto) || proto == IPPROTO_FRAGMENT;
}

/* May be fragmented from now on; its checksum is adapted. */
static inline void ip4_df_clear(struct rte_ipv4_hdr *ip)
{
	rte_be16_t was = ip->fragment_offset;

	ip->fragment_offset &= RTE_BE16((uint16_t)~RTE_IPV4_HDR_DF_FLAG);
	ip->hdr_checksum = checksum_replace16(ip->hdr_checksum, was, ip->fragment_offset);
}

static inline void ip_addr_set(struct ip_addr *addr, uint8_t version, const uint8_t *octets)
{
	memset(addr, 0, sizeof(*addr));
	addr->version = version;
	memcpy(addr->b, octets, version == 4 ? 4 : 16);
}

void ip_source(const struct pkt *p, struct ip_addr *addr);
void ip_destination(const struct pkt *p, struct ip_addr *addr);

static inline const uint8_t *ip_source_octets(const struct pkt *p)
{
	return p->ip + (p->version == 4 ? 12 : 8);
}

static inline const uint8_t *ip_destination_octets(const struct pkt *p)
{
	return p->ip + (p->version == 4 ? 16 : 24);
}

static inline bool ip_octets_are(const uint8_t *octets, const struct ip_addr *addr)
{
	uint64_t a[2], b[2];

	if (addr->version == 4)
		return memcmp(octets, addr->b, 4) == 0;
	memcpy(a, octets, sizeof(a));
	memcpy(b, addr->b, sizeof(b));
	return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
}
