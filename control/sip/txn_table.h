/* Inside sip/: transactions by key. The nodes stand in their owners; the table owns its buckets
 * only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TXN_KEY 16

/*
 * A keyed hash of all that identifies a transaction, under a secret of this process: of one size
 * whatever the peer sends, and nobody can make two of them collide or fill one bucket.
 */
struct txn_key {
	uint8_t b[TXN_KEY];
};

struct txn_node {
	struct txn_node *next; /* in its bucket */
	struct txn_key key;
};

struct txn_table { /* zeroed: empty */
	struct txn_node **buckets;
	uint32_t n_buckets; /* 0 or a power of two */
	uint32_t n;
};

int txn_table_add(struct txn_table *t, struct txn_node *node); /* -EEXIST, -ENOMEM */
void txn_table_remove(struct txn_table *t, struct txn_node *node);
struct txn_node *txn_table_find(const struct txn_table *t, const struct txn_key *key);
/* One of those left, to empty the table with: *at is 0 at first. NULL: none left. */
struct txn_node *txn_table_left(const struct txn_table *t, uint32_t *at);
void txn_table_free(struct txn_table *t);
