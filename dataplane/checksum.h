/* Internet checksum (RFC 1071) of IPv4, UDP and TCP, with the pseudo header of either version. */
#pragma once

#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

static inline uint32_t checksum_load32(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static inline uint16_t checksum_load16(const uint8_t *at)
{
	uint16_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* rte_cpu_to_be_16() is assembler that the compiler can neither move nor merge. */
static inline rte_be16_t checksum_be16(uint16_t host)
{
	return RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN ? __builtin_bswap16(host) : host;
}

/*
 * Any sum of 16- or 32-bit words to the 16 bits that it stands for. Both halves are added in either
 * half, so the upper one has the lower one's carry, too.
 */
static inline uint16_t checksum_fold(uint64_t sum)
{
	uint32_t half;

	sum += sum << 32 | sum >> 32;
	half = (uint32_t)(sum >> 32);
	half += half << 16 | half >> 16;
	return (uint16_t)(half >> 16);
}

/*
 * Sum of len octets, to be folded. Both halves of each 32-bit word in counters of their own, so
 * that nothing is carried and the compiler may use vectors; right up to 256 KB.
 */
static inline uint64_t checksum_octets(const void *data, uint32_t len)
{
	const uint8_t *at = data;
	uint32_t low = 0, high = 0, i;
	uint64_t sum;

	for (i = 0; i < len / 4; i++) {
		uint32_t word = checksum_load32(at + i * 4);

		low += word & 0xffff;
		high += word >> 16;
	}
	sum = (uint64_t)low + high;
	at += len & ~3u;
	if (len & 2) {
		sum += checksum_load16(at);
		at += 2;
	}
	if (len & 1)
		sum += rte_cpu_to_be_16((uint16_t)(*at << 8));
	return sum;
}

/* The same of an IPv4 header without options, as nearly all are: five loads. */
static inline uint64_t checksum_ipv4_header(const uint8_t *ip)
{
	return (uint64_t)checksum_load32(ip) + checksum_load32(ip + 4) + checksum_load32(ip + 8) +
	       checksum_load32(ip + 12) + checksum_load32(ip + 16);
}

/* Source and destination address lie together in both headers. ip: the IP header. */
static inline uint64_t checksum_pseudo(const uint8_t *ip, uint8_t version, uint8_t proto,
				       uint32_t len)
{
	uint64_t sum = rte_cpu_to_be_16(proto) + (uint64_t)rte_cpu_to_be_16((uint16_t)len);
	unsigned i;

	if (version == 4)
		return sum + checksum_load32(ip + 12) + checksum_load32(ip + 16);
	for (i = 8; i < 40; i += 4)
		sum += checksum_load32(ip + i);
	return sum;
}

/* Sum over pseudo header and l4; 0xffff if the checksum in it is right. */
static inline uint16_t checksum_sum(const uint8_t *ip, uint8_t version, uint8_t proto,
				    const void *l4, uint32_t len)
{
	return checksum_fold(checksum_pseudo(ip, version, proto, len) + checksum_octets(l4, len));
}

/* What a sum becomes in a checksum field of UDP and TCP: none is sent as 0, UDP's word for "none".
 */
static inline uint16_t checksum_field(uint64_t sum)
{
	uint16_t field = (uint16_t)~checksum_fold(sum);

	return field ? field : 0xffff;
}

/* For the checksum field, which holds 0 now. */
static inline uint16_t checksum_make(const uint8_t *ip, uint8_t version, uint8_t proto,
				     const void *l4, uint32_t len)
{
	return checksum_field(checksum_pseudo(ip, version, proto, len) + checksum_octets(l4, len));
}

/* A header checksum after one of the 16-bit words it covers has changed (RFC 1624, eqn. 3). */
static inline uint16_t checksum_replace16(uint16_t field, uint16_t old, uint16_t new)
{
	return (uint16_t)~checksum_fold((uint64_t)(uint16_t)~field + (uint16_t)~old + new);
}

/* The same after n octets, an even number. */
static inline uint16_t checksum_replace(uint16_t field, const void *was, const void *is, uint32_t n)
{
	return checksum_replace16(field, checksum_fold(checksum_octets(was, n)),
				  checksum_fold(checksum_octets(is, n)));
}
