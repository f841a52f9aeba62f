/*
 * Everything about neighbours and next hops that is not per packet, on a thread of its own: so the
 * workers neither make system calls nor wait.
 *
 * With a host port it mirrors the kernel's routes and neighbours (rtnetlink) and has the kernel
 * resolve what is missing. Stand-alone (UE simulator) it answers ARP, ND and echo requests for the
 * local prefixes, and resolves next hops itself.
 *
 * Workers read the tables lock-free; the thread is their only writer.
 */
#pragma once

#include <string.h>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_rcu_qsbr.h>

#include "ip.h"

struct slowpath;

struct slowpath_conf {
	unsigned host_if; /* kernel's interface index of the host port; 0: stand alone */
	struct ip_addr
		gateway[2]; /* stand-alone: next hop for IPv4, IPv6; version 0: all on link */
	const struct ip_prefix *local; /* copied */
	unsigned n_local;
	struct rte_ether_addr mac; /* of the UE port */
	struct rte_mempool *pool;  /* for frames it makes itself */
	struct rte_rcu_qsbr *qsbr; /* the workers' */
};

int slowpath_alloc(struct slowpath **sp, const struct slowpath_conf *conf);
void slowpath_free(struct slowpath *s);

/* A worker's memory of one look-up, kept beside an SA or a flow; zero it at first. */
struct next_hop_cache {
	uint32_t generation;
	uint32_t index;
};

static inline bool next_hop_cache_eq(const struct next_hop_cache *a, const struct next_hop_cache *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x == y;
}

/* ---- for workers, lock-free --------------------------------------------------------------- */

/*
 * MAC address of the next hop towards dst. A valid cache spares the look-up. 0; -EAGAIN: known but
 * not resolved, give the packet to slowpath_hold(); -ENETUNREACH: no route.
 */
int slowpath_next_hop(struct slowpath *s, const struct ip_addr *dst, struct next_hop_cache *cache,
		      struct rte_ether_addr *mac);

/*
 * Takes an IP packet (with headroom for, but without Ethernet header) whose next hop is being
 * resolved; sends it by slowpath_frames() once resolved, frees it after a second. false: refused,
 * still the caller's.
 */
bool slowpath_hold(struct slowpath *s, struct rte_mbuf *packet);

/* Stand-alone: takes a frame for the host (ARP, ND, ICMP). false: refused, still the caller's. */
bool slowpath_punt(struct slowpath *s, struct rte_mbuf *frame);

/* Up to n complete Ethernet frames to transmit at the UE port; called by one worker only. */
unsigned slowpath_frames(struct slowpath *s, struct rte_mbuf **frames, unsigned n);

/* Packets it gave up: no answer from the next hop. */
uint64_t slowpath_unresolved_drops(const struct slowpath *s);
