/* Sending: Ethernet header, fragmentation, and frames collected into bursts for the ports. */
#pragma once

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "dataplane/slowpath.h"
#include "ip.h"

#define TX_BATCH 64

struct worker;

/* The Ethernet header of the last packet: most UEs are behind the same router. Good for a turn. */
struct tx_link {
	struct next_hop_cache hop; /* no cache holds TX_NO_HOP */
	struct rte_ether_hdr eth;
};

#define TX_NO_HOP UINT32_MAX /* as index */

struct tx_batch {
	unsigned n;
	struct rte_mbuf *m[TX_BATCH];
};

/*
 * An IP packet (data at the IP header) to the UE side: next hop, Ethernet header, fragments if it
 * is larger than the MTU. Takes the packet.
 */
void tx_ue_packet(struct worker *w, struct rte_mbuf *m, const struct ip_addr *dst,
		  struct next_hop_cache *cache);
/* Only the Ethernet header. 0; -EAGAIN, -ENETUNREACH as slowpath_next_hop(); -ENOBUFS: no room. */
int tx_ue_header(struct worker *w, struct rte_mbuf *m, const struct ip_addr *dst,
		 struct next_hop_cache *cache);
/* A frame whose Ethernet header is right already, of any length. */
void tx_ue_frame(struct worker *w, struct rte_mbuf *m);
/* A complete frame of at most the MTU. */
void tx_ue_raw(struct worker *w, struct rte_mbuf *m);

/* A frame to the host: to the host port, or stand-alone to the slow path if it is for that. */
void tx_host_frame(struct worker *w, struct rte_mbuf *m);
void tx_host_raw(struct worker *w, struct rte_mbuf *m);

/* Puts an Ethernet header before an IP packet from the UE side, as the host wants to see it. */
void tx_host_header(struct worker *w, struct rte_mbuf *m);

void tx_flush(struct worker *w);
