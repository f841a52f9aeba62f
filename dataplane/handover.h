/*
 * From worker to worker: packets that belong to another one (their owner), or that have to leave by
 * a port where only another one has a queue.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#define HANDOVER_BATCH 64

struct worker;

enum handover_kind {
	HANDOVER_UE_RX,	  /* frame from the UE port, to be classified by its owner */
	HANDOVER_HOST_RX, /* the same from the host port */
	HANDOVER_UE_TX,	  /* frame to send at the UE port */
	HANDOVER_HOST_TX,
};

struct handover_item {
	struct rte_mbuf *m;
	uint64_t kind;
};

struct handover_batch {
	unsigned n;
	struct handover_item item[HANDOVER_BATCH];
};

struct rte_ring *handover_ring_alloc(const void *owner);
void handover_ring_free(struct rte_ring *ring); /* with the packets in it */

/* Passed on at the end of the turn, by handover_flush(). */
void handover_push(struct worker *w, uint16_t to, struct rte_mbuf *m, enum handover_kind kind);
void handover_flush(struct worker *w);
/* Goes on with what others have handed to w. Returns packets taken. */
unsigned handover_poll(struct worker *w);
