/* ICMPv6 and neighbour discovery as on the wire (RFC 4443, RFC 4861). */
#pragma once

#include <stdbool.h>

#include <rte_ether.h>
#include <rte_ip.h>

#define ICMP6_ECHO_REQUEST 128
#define ICMP6_ECHO_REPLY   129
#define ICMP6_SOLICIT	   135
#define ICMP6_ADVERT	   136

#define ND_HOP_LIMIT	    255
#define ND_OPT_SOURCE_MAC   1
#define ND_OPT_TARGET_MAC   2
#define ND_ADVERT_SOLICITED UINT32_C(0x40000000)
#define ND_ADVERT_OVERRIDE  UINT32_C(0x20000000)

struct icmp6_hdr {
	uint8_t type, code;
	uint16_t checksum; /* as it is in memory */
} __rte_packed;

/* Solicitation and advertisement. */
struct nd_msg {
	struct icmp6_hdr icmp;
	rte_be32_t flags; /* of an advertisement */
	uint8_t target[16];
} __rte_packed;

struct nd_mac_opt {
	uint8_t type, len; /* in units of 8 octets */
	struct rte_ether_addr mac;
} __rte_packed __rte_aligned(2);

/* Over the pseudo header; ip's payload must be contiguous. */
static inline void icmp6_checksum_set(const struct rte_ipv6_hdr *ip, struct icmp6_hdr *icmp)
{
	icmp->checksum = 0;
	icmp->checksum = rte_ipv6_udptcp_cksum(ip, icmp);
}

static inline bool icmp6_checksum_good(const struct rte_ipv6_hdr *ip, const struct icmp6_hdr *icmp)
{
	uint32_t sum = rte_raw_cksum(icmp, rte_be_to_cpu_16(ip->payload_len));

	sum += rte_ipv6_phdr_cksum(ip, 0);
	return (uint16_t)(sum + (sum >> 16)) == 0xffff;
}
