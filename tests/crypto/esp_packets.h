/* Packets for tests of ESP engines: buffers, their jobs, and a run through an engine. */
#pragma once

#include "crypto/esp.h"
#include "tests/support/test.h"

#define PACKET_GUARD 16 /* octets behind the ICV that nobody may write */

struct packet {
	struct esp_job job;
	struct esp_key *key;
	uint8_t *octets; /* room for the packet, its ICV and the guard */
	unsigned returned;
};

/* len: SPI through next header. Octets are zero. */
void packet_make(struct packet *p, unsigned len);
void packet_key(struct packet *p, enum esp_backend backend, enum sa_integ integ, enum sa_encr encr,
		const struct sa_keys *raw);
void packet_free(struct packet *p);
bool packet_guard_ok(const struct packet *p);

/*
 * Submits all packets in batches of up to max_batch in one engine, flushes, and checks that each
 * came back exactly once and that the engine counted right.
 */
void packets_run(enum esp_backend backend, struct packet *packets, unsigned n, unsigned max_batch,
		 bool inbound);
