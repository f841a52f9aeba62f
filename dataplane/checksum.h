/* Internet checksum of UDP and TCP (RFC 1071) with the pseudo header of either IP version. */
#pragma once

#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

/* Sum over pseudo header and l4; 0xffff if the checksum in it is right. ip: the IP header. */
static inline uint16_t checksum_sum(const uint8_t *ip, uint8_t version, uint8_t proto,
				    const void *l4, uint32_t len)
{
	/* source and destination address lie together in both headers */
	uint32_t sum = version == 4 ? rte_raw_cksum(ip + 12, 8) : rte_raw_cksum(ip + 8, 32);

	sum += rte_cpu_to_be_16(proto) + rte_cpu_to_be_16((uint16_t)len);
	sum += rte_raw_cksum(l4, len);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* A checksum after n octets (even) that it covers have changed (RFC 1624). */
static inline uint16_t checksum_replace(uint16_t check, const void *was, const void *is, size_t n)
{
	uint32_t sum = (uint16_t)~check;

	sum += (uint16_t)~rte_raw_cksum(was, n);
	sum += rte_raw_cksum(is, n);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

/* For the checksum field, which holds 0 now. No sum is sent as 0: that means "none" in UDP. */
static inline uint16_t checksum_make(const uint8_t *ip, uint8_t version, uint8_t proto,
				     const void *l4, uint32_t len)
{
	uint16_t sum = (uint16_t)~checksum_sum(ip, version, proto, l4, len);

	return sum ? sum : 0xffff;
}
