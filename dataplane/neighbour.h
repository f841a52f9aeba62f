/*
 * The life of a neighbour: asked for when a packet waits for it, resolved, checked now and then
 * while in use, forgotten. Knows nothing of how one asks: ARP and ND frames, or the kernel.
 * Single-threaded and without a clock; `now_ms` is any steady time.
 */
#pragma once

#include "dataplane/nexthop.h"

struct neighbour_table;

#define NEIGHBOUR_HOLD_MS  1000	 /* a packet waits at most this long */
#define NEIGHBOUR_ASK_MS   1000	 /* between two requests (RFC 4861 10, RETRANS_TIMER) */
#define NEIGHBOUR_TRIES	   3	 /* requests without answer */
#define NEIGHBOUR_CHECK_MS 30000 /* REACHABLE_TIME */
#define NEIGHBOUR_IDLE_MS  300000

struct neighbour_conf {
	struct nexthop_table *hops;
	bool mirror; /* the kernel resolves and forgets; we only ask it to, and follow */
	void *arg;
	/* mac: known so far, to ask only its owner; NULL: ask all */
	void (*ask)(void *arg, const struct ip_addr *addr, const struct rte_ether_addr *mac);
	/* Takes an IP packet that waited. */
	void (*send)(void *arg, struct rte_mbuf *packet, const struct rte_ether_addr *mac);
};

int neighbour_table_alloc(struct neighbour_table **tp, const struct neighbour_conf *conf);
void neighbour_table_free(struct neighbour_table *t);

/* Takes a packet for the neighbour addr: sends it when that is resolved, or frees it. */
void neighbour_hold(struct neighbour_table *t, const struct ip_addr *addr, struct rte_mbuf *packet,
		    uint64_t now_ms);

/* What a frame claims about an address. */
struct neighbour_claim {
	struct ip_addr addr;
	struct rte_ether_addr mac;
	bool solicited;	 /* sent to us, as an answer */
	bool mac_stated; /* by the message; false: merely where the frame came from */
};

/*
 * Stand-alone: believed only if we asked for just this and the address is unresolved, or as
 * confirmation of what we know. A contradiction makes us ask the known owner.
 */
void neighbour_learn(struct neighbour_table *t, const struct neighbour_claim *claim,
		     uint64_t now_ms);

/* Mirror: the kernel has this MAC address for addr; NULL: none. */
void neighbour_set(struct neighbour_table *t, const struct ip_addr *addr,
		   const struct rte_ether_addr *mac, uint64_t now_ms);

/* Mirror: around the neighbour_set() calls of a complete list; the others are gone. */
void neighbour_list_begin(struct neighbour_table *t);
void neighbour_list_end(struct neighbour_table *t);

/* Does what is due. Returns in how many milliseconds it wants to be called again. */
unsigned neighbour_tick(struct neighbour_table *t, uint64_t now_ms);

uint64_t neighbour_drops(const struct neighbour_table *t); /* packets given up; from any thread */
