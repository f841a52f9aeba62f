/*
 * A worker's guesses which SA a packet of the host belongs to: what was right for the last one with
 * as good as the same ports. A guess is believed only if the SA has just these selectors and
 * sends, so a wrong or old one costs a compare, and then the look-up that it was to spare.
 */
#pragma once

#include <string.h>

#include "dataplane/ip_header.h"
#include "dataplane/packet.h"
#include "dataplane/sa_table.h"

#define SLOT_GUESS_BITS 8

struct slot_guess {
	uint32_t slot[1 << SLOT_GUESS_BITS];
};

/* Where the guess for a packet is; `ports` as in its header. */
static inline uint32_t *slot_guess_at(struct slot_guess *g, const struct pkt *p,
				      const rte_be16_t ports[2])
{
	uint32_t both, peer;

	memcpy(&both, ports, sizeof(both));
	memcpy(&peer, ip_destination_octets(p) + (p->version == 4 ? 0 : 12), sizeof(peer));
	return &g->slot[(both ^ peer) * UINT32_C(0x9e3779b1) >> (32 - SLOT_GUESS_BITS)];
}

/* Is the slot's outbound SA, in transport mode, the one for a packet? */
static inline bool slot_guess_right(const struct sa_view *sa, uint32_t slot, const struct pkt *p,
				    const rte_be16_t ports[2])
{
	const struct sa_shared *s = sa_shared_at(sa, slot / SA_PAIRS);
	const struct sa_out *out = sa_out_at(sa, slot);
	unsigned pair = slot % SA_PAIRS;

	return sa_live(s) && s->mode == SA_MODE_TRANSPORT && out->spi && !out->closed &&
	       s->local_port[pair] == ports[0] && s->remote_port[pair] == ports[1] &&
	       s->remote.version == p->version &&
	       ip_octets_are(ip_destination_octets(p), &s->remote) &&
	       ip_octets_are(ip_source_octets(p), &s->local);
}
