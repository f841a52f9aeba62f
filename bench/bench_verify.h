/*
 * Does the pipeline put out what it should? A sample of packets is opened with the OpenSSL back
 * end, straight from the protected frame, and compared with the plain payload.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "bench/bench_world.h"

#define VERIFY_ROOM 2048

/* A packet that is being watched. */
struct verify {
	const struct world *world;
	struct esp_engine *engine;
	struct rte_mbuf *watched; /* NULL: none */
	uint32_t number;	  /* its UE */
	uint16_t payload_len, frame_len;
	uint8_t payload[VERIFY_ROOM];
	uint8_t frame[VERIFY_ROOM]; /* inbound: as it was on the wire */
	uint64_t checked, wrong;
};

int verify_init(struct verify *v, const struct world *w);
void verify_fini(struct verify *v);

/* Outbound: payload of m, which is about to be sent with a set of UE `number`. */
void verify_watch_payload(struct verify *v, struct rte_mbuf *m, uint32_t number);
/* Its frame has come out. */
void verify_frame(struct verify *v, const struct rte_mbuf *frame);

/* Inbound: a protected frame that is about to go in. */
void verify_watch_frame(struct verify *v, struct rte_mbuf *frame, uint32_t number);
/* Its payload has reached control. */
void verify_payload(struct verify *v, const void *payload, uint32_t len);
