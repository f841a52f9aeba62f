/*
 * Packets for one worker of the measured data plane, in groups: made beforehand, carried by
 * worker_poll(), taken away afterwards. Only the middle part is timed.
 *
 * Outbound, what control hands over (payload and SA); inbound, frames that the peer has protected,
 * with sequence numbers that go on, some out of order. Packet buffers are a small stack, reused
 * last in, first out, as a NIC's driver and a pool's cache do.
 */
#pragma once

#include "bench/bench_verify.h"
#include "bench/bench_world.h"

#define TRAFFIC_GROUP	64  /* packets made at a time */
#define TRAFFIC_BUFFERS 768 /* a group, and what two engines hold, with room */

/* An SA in use: its set on the sending side, and the pair. */
struct traffic_flow {
	sa_set_id set;
	uint32_t number; /* of the UE */
	uint8_t pair;
};

struct traffic {
	struct world *world;
	struct worker *worker, *peer;
	uint16_t index; /* of both */
	bool inbound;
	uint16_t payload; /* octets */
	struct traffic_flow *flows;
	uint32_t n_flows;
	uint32_t swept; /* flows that have had their first packet */
	uint64_t random;
	uint64_t groups;
	unsigned n_free;
	struct rte_mbuf *free[TRAFFIC_BUFFERS];
	struct verify verify;
	uint64_t made, delivered; /* packets in all */
};

int traffic_init(struct traffic *t, struct world *w, const struct bench_options *o,
		 uint16_t worker);
void traffic_fini(struct traffic *t);

/* One group through the pipeline. Returns TSC cycles spent in it; *packets: how many came out. */
uint64_t traffic_group(struct traffic *t, unsigned *packets);
/* Lets out what the engine still holds. */
void traffic_finish(struct traffic *t);
/* Sends packets a second time: all must be dropped as replays. Inbound only. */
bool traffic_replays_dropped(struct traffic *t);
