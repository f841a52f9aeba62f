/*
 * ESP transforms in batches: encrypt and authenticate, or check and decrypt, many packets of many
 * SAs at once (RFC 4303 with RFC 2403, 2404, 2410, 2451, 3602).
 *
 * The caller has laid out the packet: SPI, sequence number, IV, payload, padding, pad length, next
 * header, room for the ICV. An engine works on it in place.
 *
 * One engine per thread. Jobs stay inside it until a lane is full or somebody flushes, and come
 * back in any order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sa.h"

#define ESP_HEADER_LEN 8 /* SPI and sequence number */
#define ESP_ICV_LEN    12
#define ESP_MAX_IV     16
#define ESP_MAX_FLIGHT 256 /* jobs one engine may hold */

enum esp_backend {
	ESP_BACKEND_IPSEC_MB, /* intel-ipsec-mb multi-buffer: the fast path */
	ESP_BACKEND_OPENSSL,  /* libcrypto: the reference */
};

/* Cache lines of a struct esp_key that a packet of one direction reads beside the first. */
struct esp_key_lines {
	uint8_t from, n;
};

/* What one (integ, encr) pair means for the packet layout. */
struct esp_suite {
	uint8_t iv_len;	   /* octets, 0 for NULL */
	uint8_t block_len; /* padding aligns to this: 4, 8 or 16 */
	uint8_t integ_key_len, encr_key_len;
	struct esp_key_lines key_in, key_out;
};

const struct esp_suite *esp_suite(enum sa_integ integ, enum sa_encr encr);

/*
 * Expanded keys of one SA set, both directions: integrity state and key schedules in the form that
 * one back end wants. Lives in the caller's slab; 64-octet aligned.
 */
struct esp_key {
	_Alignas(64) uint8_t opaque[448];
};

/* 0, or -EINVAL for an unknown algorithm. */
int esp_key_expand(struct esp_key *key, enum esp_backend backend, enum sa_integ integ,
		   enum sa_encr encr, const struct sa_keys *raw);
void esp_key_wipe(struct esp_key *key);

enum esp_status {
	ESP_OK,
	ESP_BAD_ICV, /* contents of the packet are undefined now */
	ESP_ERROR,   /* back end refused: length not whole blocks, ... */
};

struct esp_job {
	const struct esp_key *key;
	uint8_t *esp;	/* at the SPI */
	uint16_t len;	/* SPI through next header, without the ICV that follows */
	bool inbound;	/* false: encrypt, write ICV; true: check ICV, decrypt */
	uint8_t status; /* enum esp_status, when it comes back */
	void *user;
};

struct esp_engine;
struct iv_stream;

/* 0; or negative errno (-ENOTSUP: the back end has nothing for this processor), and *ep is NULL. */
int esp_engine_alloc(struct esp_engine **ep, enum esp_backend backend);
void esp_engine_free(struct esp_engine *e);

/*
 * Takes n jobs; stores those that are finished now, old or new, in done[] (room for
 * n + ESP_MAX_FLIGHT) and returns how many. Jobs and packets stay untouched by the caller until
 * they come back.
 */
unsigned esp_engine_submit(struct esp_engine *e, struct esp_job *const *jobs, unsigned n,
			   struct esp_job **done);
/* Finishes all; done[] has room for ESP_MAX_FLIGHT. */
unsigned esp_engine_flush(struct esp_engine *e, struct esp_job **done);
unsigned esp_engine_in_flight(const struct esp_engine *e);

/* Unpredictable octets for IVs, from a buffered stream of the engine's own (crypto/iv_stream.h). */
struct iv_stream *esp_engine_ivs(struct esp_engine *e);
