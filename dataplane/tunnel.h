/*
 * What a set in UDP-encapsulated tunnel mode has more (RFC 3948, TS 33.203 Annex M): both ends of
 * the inner packets, and where the peer is now.
 *
 * Control fills it before the set is live; from then on the set's owner alone writes it, and alone
 * reads it but for inner_local and host: those never change, and control finds the set's entries of
 * TCP by them when it removes it (sa_tcp.c).
 */
#pragma once

#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_common.h>

#include "ip.h"

#define TUNNEL_FOLLOW 1 /* the peer may move */
#define TUNNEL_FIXED  2 /* its inner address is known */
#define TUNNEL_UNTOLD 4 /* control has to be told where it is */
#define TUNNEL_HEARD  8 /* control has been told once */

struct tunnel {
	struct ip_addr peer; /* outer address */
	struct ip_addr inner_local, inner_remote;
	rte_be16_t peer_port; /* outer; 0: not known */
	uint8_t flags;
	uint8_t sent; /* something, since a keepalive was last due */
	/* second line */
	struct ip_addr inner_other; /* inner address the peer may have as well, while not fixed */
	struct ip_addr host;	    /* the peer's address in the host's eyes */
} __rte_aligned(64);

_Static_assert(offsetof(struct tunnel, inner_other) == 64, "all that each packet needs: one line");
