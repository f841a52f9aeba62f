/* Packets that wait for their next hop: queues over one bounded pool. */
#pragma once

#include <rte_mbuf.h>

#define HELD_MAX       4096 /* packets in all */
#define HELD_PER_QUEUE 256

struct held_pool;

struct held_queue { /* zero: empty */
	uint32_t head, tail;
	uint32_t count;
};

int held_pool_alloc(struct held_pool **pp);
void held_pool_free(struct held_pool *p); /* with the packets still in it */

/*
 * Takes the packet. Returns how many packets were lost by that: the oldest of a full queue (RFC
 * 4861 7.2.2), or this one if the pool is empty.
 */
unsigned held_push(struct held_pool *p, struct held_queue *q, struct rte_mbuf *packet,
		   uint64_t now_ms);

/* The oldest, now the caller's; NULL: empty. */
struct rte_mbuf *held_pop(struct held_pool *p, struct held_queue *q);

/* Frees what came before since_ms; returns how many. */
unsigned held_expire(struct held_pool *p, struct held_queue *q, uint64_t since_ms);
