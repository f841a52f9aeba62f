#include "control/scscf/map.h"

#include <errno.h>
#include <stdlib.h>

#include <sodium.h>

#define MAP_SIZE_FIRST 256
#define MAP_SIZE_LAST  (UINT32_C(1) << 30)

int map_init(struct map *m)
{
	_Static_assert(sizeof(m->secret) == crypto_shorthash_KEYBYTES, "key size");
	*m = (struct map){.size = MAP_SIZE_FIRST};
	m->bucket = calloc(m->size, sizeof(struct map_node *));
	randombytes_buf(m->secret, sizeof(m->secret));
	return m->bucket ? 0 : -ENOMEM;
}

void map_free(struct map *m)
{
	free(m->bucket);
	m->bucket = NULL;
}

static uint64_t hash_of(const struct map *m, struct sv key)
{
	uint64_t hash;

	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)key.p, key.n, m->secret);
	return hash;
}

static struct map_node **bucket_of(struct map_node **bucket, uint32_t size, uint64_t hash)
{
	return &bucket[hash & (size - 1)];
}

/* Equal keys share a chain in order of age: moving nodes from the back keeps it. */
static void chain_move(struct map_node *node, struct map_node **bucket, uint32_t size)
{
	struct map_node *reversed = NULL, *next;

	for (; node; node = next) {
		next = node->next;
		node->next = reversed;
		reversed = node;
	}
	for (node = reversed; node; node = next) {
		struct map_node **place = bucket_of(bucket, size, node->hash);

		next = node->next;
		node->next = *place;
		*place = node;
	}
}

static void grow(struct map *m)
{
	uint32_t size = m->size * 2;
	struct map_node **bucket;

	if (m->size >= MAP_SIZE_LAST)
		return;
	bucket = calloc(size, sizeof(struct map_node *));
	if (!bucket)
		return;
	for (uint32_t i = 0; i < m->size; i++)
		chain_move(m->bucket[i], bucket, size);
	free(m->bucket);
	m->bucket = bucket;
	m->size = size;
}

void map_put(struct map *m, struct map_node *node, struct sv key)
{
	struct map_node **place;

	if (m->n >= m->size)
		grow(m);
	node->key = key;
	node->hash = hash_of(m, key);
	place = bucket_of(m->bucket, m->size, node->hash);
	node->next = *place;
	*place = node;
	m->n++;
}

void map_remove(struct map *m, struct map_node *node)
{
	struct map_node **place = bucket_of(m->bucket, m->size, node->hash);

	while (*place && *place != node)
		place = &(*place)->next;
	if (*place) {
		*place = node->next;
		m->n--;
	}
}

struct map_node *map_find(const struct map *m, struct sv key)
{
	uint64_t hash = hash_of(m, key);
	struct map_node *node = *bucket_of(m->bucket, m->size, hash);

	while (node && !(node->hash == hash && sv_eq(node->key, key)))
		node = node->next;
	return node;
}
