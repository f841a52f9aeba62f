/*
 * Which sequence numbers of those reserved in the store are given out. A bounded, direct-mapped
 * table: what falls out costs its subscriber the rest of its block, no more.
 */
#pragma once

#include <stdint.h>

#define SQN_CACHE_SIZE                                                                             \
	(UINT32_C(1) << 20) /* entries; a power of two. Untouched ones take no memory */

struct sqn_cache_entry {
	int64_t id;	   /* of the subscriber; 0: free */
	uint64_t reserved; /* the stored SQN that `given` belongs to */
	uint64_t given;	   /* the highest given out */
};

struct sqn_cache {
	struct sqn_cache_entry *entry;
};

int sqn_cache_alloc(struct sqn_cache *c); /* -ENOMEM */
void sqn_cache_free(struct sqn_cache *c);
/* The highest number given out to subscriber id whose stored SQN is `stored`; without memory of it,
 * all. */
uint64_t sqn_cache_given(const struct sqn_cache *c, int64_t id, uint64_t stored);
void sqn_cache_put(struct sqn_cache *c, int64_t id, uint64_t stored, uint64_t given);
void sqn_cache_forget(struct sqn_cache *c, int64_t id);
