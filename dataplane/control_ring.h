/*
 * Between a worker and control: rings with one producer and one consumer each, that carry 16 octets
 * beside the packet's buffer; all else is in that. What came protected has a ring of its own, so a
 * flood of clear datagrams cannot crowd it out.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane.h"

#define CONTROL_BATCH 64

/*
 * A datagram from control on its way to a worker: the UDP payload. Control sums it up while it is
 * in its cache, so the worker need not read it before encryption.
 */
struct control_out {
	struct rte_mbuf *m;   /* NULL: the set is due for a keepalive */
	sa_set_id set;	      /* 0: in clear, between the ends at the start of the buffer */
	uint16_t payload_sum; /* Internet checksum, not complemented */
	uint8_t pair;	      /* with a set */
};

/* Of a clear datagram, where no header will be written. */
struct control_ends {
	struct ip_endpoint local, remote;
};

static inline struct control_ends *control_ends_of(struct rte_mbuf *m)
{
	return m->buf_addr;
}

/* The other way: the buffer's data is what follows the UDP header. */
struct control_in {
	struct rte_mbuf *m;
	sa_set_id set;
	uint16_t ip_at; /* where in the buffer the IP header is, of which the addresses are read */
	uint8_t pair;
	uint8_t version;
};

_Static_assert(sizeof(struct control_out) == 16 && sizeof(struct control_in) == 16,
	       "what a ring copies at once");

/* Datagrams that a worker has for control and will pass on at the end of its turn. */
struct control_batch {
	struct rte_ring *ring; /* of struct control_in */
	unsigned n;
	struct control_in pkt[CONTROL_BATCH];
};

struct control_ring {
	struct control_batch secured, clear;
	struct rte_ring *out;	 /* of struct control_out */
	struct rte_ring *events; /* of struct dp_event */
};

/* Wakes control from its event loop: a write() only if it has armed itself. */
struct control_wake {
	int fd;
	_Atomic bool armed;
};

int control_wake_init(struct control_wake *wake);
void control_wake_close(struct control_wake *wake);
void control_wake_disarm(struct control_wake *wake);

int control_ring_alloc(struct control_ring *r);
/* With the packets still in it. */
void control_ring_free(struct control_ring *r);

/* ---- control's side ----------------------------------------------------------------------- */

unsigned control_ring_recv(struct control_ring *r, bool secured, struct dp_packet *pkts,
			   unsigned n);
bool control_ring_send(struct control_ring *r, const struct control_out *out);
bool control_ring_waiting(const struct control_ring *r);

/* ---- a worker's side ---------------------------------------------------------------------- */

struct worker;

/* control_ring_push() is in worker.h. */
void control_ring_batch_flush(struct worker *w, struct control_batch *b);
void control_ring_flush(struct worker *w);
/* false: ring full, try again with a later packet */
bool control_ring_event(struct worker *w, const struct dp_event *event);
