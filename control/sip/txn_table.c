#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/sip/txn_table.h"

#define FIRST_BUCKETS 64u

/* A key is a hash: any of its bits are good. */
static struct txn_node **bucket(const struct txn_table *t, const struct txn_key *key)
{
	uint32_t bits;

	memcpy(&bits, key->b, sizeof(bits));
	return &t->buckets[bits & (t->n_buckets - 1)];
}

static bool same(const struct txn_key *a, const struct txn_key *b)
{
	return memcmp(a->b, b->b, TXN_KEY) == 0;
}

static void move_all(struct txn_table *to, const struct txn_table *from)
{
	for (uint32_t i = 0; i < from->n_buckets; i++) {
		struct txn_node *node = from->buckets[i], *next;

		for (; node; node = next) {
			struct txn_node **b = bucket(to, &node->key);

			next = node->next;
			node->next = *b;
			*b = node;
		}
	}
}

/* Twice as many buckets as soon as there is less than one per node. */
static int grow(struct txn_table *t)
{
	struct txn_table bigger = {.n_buckets = t->n_buckets ? t->n_buckets * 2 : FIRST_BUCKETS};

	if (t->n < t->n_buckets || t->n_buckets > UINT32_MAX / 4)
		return 0;
	bigger.buckets = calloc(bigger.n_buckets, sizeof(struct txn_node *));
	if (!bigger.buckets) /* crowded is still better than refused */
		return t->n_buckets ? 0 : -ENOMEM;
	move_all(&bigger, t);
	bigger.n = t->n;
	free(t->buckets);
	*t = bigger;
	return 0;
}

struct txn_node *txn_table_find(const struct txn_table *t, const struct txn_key *key)
{
	struct txn_node *node = t->n ? *bucket(t, key) : NULL;

	while (node && !same(&node->key, key))
		node = node->next;
	return node;
}

int txn_table_add(struct txn_table *t, struct txn_node *node)
{
	struct txn_node **b;

	if (txn_table_find(t, &node->key))
		return -EEXIST;
	if (grow(t))
		return -ENOMEM;
	b = bucket(t, &node->key);
	node->next = *b;
	*b = node;
	t->n++;
	return 0;
}

void txn_table_remove(struct txn_table *t, struct txn_node *node)
{
	struct txn_node **b = bucket(t, &node->key);

	while (*b != node)
		b = &(*b)->next;
	*b = node->next;
	t->n--;
}

struct txn_node *txn_table_left(const struct txn_table *t, uint32_t *at)
{
	while (*at < t->n_buckets && !t->buckets[*at])
		++*at;
	return *at < t->n_buckets ? t->buckets[*at] : NULL;
}

void txn_table_free(struct txn_table *t)
{
	free(t->buckets);
	*t = (struct txn_table){0};
}
