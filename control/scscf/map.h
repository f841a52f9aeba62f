/* Hash map from text to what the node is embedded in. Keyed hash: its order cannot be forced from
 * outside. */
#pragma once

#include <stdint.h>

#include "sv.h"

struct map_node {
	struct map_node *next;
	struct sv key; /* owned by the embedder, lives as long as the node is in */
	uint64_t hash;
};

struct map {
	struct map_node **bucket;
	uint32_t size, n; /* buckets (a power of two), nodes */
	unsigned char secret[16];
};

int map_init(struct map *m);  /* -ENOMEM */
void map_free(struct map *m); /* the buckets only */
/* Of nodes with equal keys the last put is found. Never fails: without memory to grow it just gets
 * slower. */
void map_put(struct map *m, struct map_node *node, struct sv key);
void map_remove(struct map *m, struct map_node *node);
struct map_node *map_find(const struct map *m, struct sv key);
