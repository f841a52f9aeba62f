/*
 * The one worker that handles all packets of a UE (design 3.5): chosen by the UE's address, so
 * control, both directions and fragments come to the same answer.
 */
#pragma once

#include <string.h>

#include <rte_jhash.h>

#include "ip.h"

/* In 0..workers - 1; octets is 4 or 16. */
static inline uint16_t owner_of_octets(const uint8_t *remote, unsigned octets, uint16_t workers)
{
	uint32_t part[4] = {0};

	if (workers == 1)
		return 0;
	memcpy(part, remote, octets == 4 ? 4 : 16);
	return (uint16_t)((uint64_t)rte_jhash_32b(part, 4, 0) * workers >> 32);
}

static inline uint16_t owner_of(const struct ip_addr *remote, uint16_t workers)
{
	return owner_of_octets(remote->b, remote->version == 4 ? 4 : 16, workers);
}
