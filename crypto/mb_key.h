/*
 * Keys as the ipsec-mb back end keeps them in a struct esp_key, and what its algorithms are to the
 * library. Between esp_ipsec_mb.c and mb_burst.c.
 */
#pragma once

#define NO_COMPAT_IMB_API_053 /* its short names (CBC, DES, NULL_HASH) are not for us */
#include <intel-ipsec-mb.h>

#include "crypto/esp_engine.h"

#define MB_AES_SCHED (11 * IMB_AES_BLOCK_SIZE)
#define MB_DES_WORDS (IMB_DES_KEY_SCHED_SIZE / 8)

struct mb_engine;
struct mb_key;

struct mb_hash {
	IMB_HASH_ALG alg;
	void (*one_block)(const void *block, void *state);
};

struct mb_cipher {
	IMB_CIPHER_MODE mode;
	uint8_t key_len, iv_len, block_len;
	struct esp_key_lines key_in, key_out; /* as in struct esp_suite */
	void (*schedule)(struct mb_key *key, const uint8_t *raw);
	void (*key_set)(struct mb_engine *e, unsigned slot, IMB_JOB *j, const struct mb_key *key);
};

/*
 * Position-independent, so a key may be copied. All that is hot for integrity is in the first cache
 * line; an outbound packet then reads the lines of enc, an inbound one those of dec.
 */
struct __attribute__((may_alias)) mb_key {
	_Alignas(64) uint8_t opad[20]; /* HMAC state after the outer, inner padded key */
	const struct mb_cipher *cipher;
	_Alignas(16) uint8_t ipad[20];
	const struct mb_hash *hash;
	union {
		struct {
			_Alignas(64) uint8_t enc[MB_AES_SCHED];
			_Alignas(64) uint8_t dec[MB_AES_SCHED];
		} aes;
		_Alignas(64) uint64_t des[3][MB_DES_WORDS];
	};
};

_Static_assert(sizeof(struct mb_key) <= sizeof(struct esp_key), "room in the caller's slab");

static inline const struct mb_key *mb_key_of(const struct esp_job *job)
{
	return (const struct mb_key *)job->key;
}

/* The lines that the packet's direction reads. Brought close when the SA was found; since then
 * other packets have passed, and the wide lanes read many schedules at once. */
static inline void mb_key_prefetch(const struct esp_job *job)
{
	const struct mb_cipher *cipher = mb_key_of(job)->cipher;
	const struct esp_key_lines *lines = job->inbound ? &cipher->key_in : &cipher->key_out;
	const uint8_t *at = job->key->opaque + lines->from * 64;

	for (unsigned i = 0; i < lines->n; i++)
		__builtin_prefetch(at + i * 64);
}
