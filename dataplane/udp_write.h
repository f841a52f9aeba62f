/* New UDP headers, inline as ip_write.h. */
#pragma once

#include <netinet/in.h>

#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "ip.h"

/* Addresses and ports of a datagram, as they go into it. */
struct udp_path {
	const struct ip_addr *local, *remote;
	rte_be16_t local_port, remote_port;
	uint8_t version;
};

/*
 * Pseudo header (RFC 768, RFC 8200 8.1) and UDP header, from what goes into them rather than from
 * memory, where it has just been written; the payload's sum came with the payload.
 */
static inline uint64_t udp_sum(const struct udp_path *path, rte_be16_t len, uint16_t payload_sum)
{
	uint64_t sum = payload_sum + checksum_be16(IPPROTO_UDP) + 2u * (uint64_t)len +
		       path->local_port + path->remote_port;

	if (path->version == 4)
		return sum + checksum_load32(path->local->b) + checksum_load32(path->remote->b);
	for (unsigned i = 0; i < 16; i += 4)
		sum += (uint64_t)checksum_load32(path->local->b + i) +
		       checksum_load32(path->remote->b + i);
	return sum;
}

/* len: with this header. payload_sum: Internet checksum of the payload, not complemented */
static inline void udp_write(struct rte_udp_hdr *udp, const struct udp_path *path, uint16_t len,
			     uint16_t payload_sum)
{
	rte_be16_t be = checksum_be16(len);

	*udp = (struct rte_udp_hdr){
		.src_port = path->local_port,
		.dst_port = path->remote_port,
		.dgram_len = be,
		.dgram_cksum = checksum_field(udp_sum(path, be, payload_sum)),
	};
}
