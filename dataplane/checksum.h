/* Internet checksum of UDP and TCP (RFC 1071) with the pseudo header of either IP version. */
#pragma once

#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ip.h>

static inline uint16_t checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Sum over the pseudo header, with what has been summed up of the rest. ip: the IP header. */
static inline uint16_t checksum_pseudo(const uint8_t *ip, uint8_t version, uint8_t proto,
				       uint32_t len, uint32_t rest)
{
	/* source and destination address lie together in both headers */
	uint32_t sum = version == 4 ? rte_raw_cksum(ip + 12, 8) : rte_raw_cksum(ip + 8, 32);

	sum += rte_cpu_to_be_16(proto) + rte_cpu_to_be_16((uint16_t)len);
	return checksum_fold(sum + rest);
}

/* Sum over pseudo header and l4; 0xffff if the checksum in it is right. */
static inline uint16_t checksum_sum(const uint8_t *ip, uint8_t version, uint8_t proto,
				    const void *l4, uint32_t len)
{
	return checksum_pseudo(ip, version, proto, len, rte_raw_cksum(l4, len));
}

/* What goes into the checksum field. No sum is sent as 0: that means "none" in UDP. */
static inline uint16_t checksum_field(uint16_t sum)
{
	return sum == 0xffff ? sum : (uint16_t)~sum;
}

/* For the checksum field of l4, which holds 0 now. */
static inline uint16_t checksum_make(const uint8_t *ip, uint8_t version, uint8_t proto,
				     const void *l4, uint32_t len)
{
	return checksum_field(checksum_sum(ip, version, proto, l4, len));
}
