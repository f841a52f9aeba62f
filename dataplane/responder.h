/*
 * Stand-alone: what a host does on Ethernet, for many addresses and as little as possible. Answers
 * ARP requests, neighbour solicitations and echo requests for the local prefixes, and makes the
 * requests by which we resolve others. Keeps no state; what it reads is hostile.
 */
#pragma once

#include <rte_mbuf.h>

#include "dataplane/neighbour.h"

#define RESPONDER_MAX_LOCAL 64

struct responder {
	struct rte_ether_addr mac;
	struct ip_addr gateway[2]; /* never ours, even if a local prefix holds them */
	struct ip_prefix local[RESPONDER_MAX_LOCAL];
	unsigned n_local;
};

enum responder_verdict {
	RESPONDER_IGNORED,
	RESPONDER_ANSWERED, /* the frame was turned into the answer */
	RESPONDER_CLAIMED,  /* it says where an address lives */
};

/* Reads a frame, writable and of any content. Fills claim if RESPONDER_CLAIMED. */
enum responder_verdict responder_take(const struct responder *r, struct rte_mbuf *frame,
				      struct neighbour_claim *claim);

/*
 * Makes an ARP request or neighbour solicitation for target in an empty frame; mac: only to its
 * known owner, NULL: to all it may concern. -EADDRNOTAVAIL: no local address to ask from; -ENOBUFS:
 * frame too small.
 */
int responder_solicit(const struct responder *r, struct rte_mbuf *frame,
		      const struct ip_addr *target, const struct rte_ether_addr *mac);
