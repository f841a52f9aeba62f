/* What only control knows of the SAs: between the files of the SA table, not for others. */
#pragma once

#include "crypto/secret.h"
#include "dataplane/sa_table.h"

#define SA_NONE UINT32_MAX

enum set_state {
	SET_FREE,
	SET_RESERVED,
	SET_INSTALLED,
	SET_RECEIVING, /* without its outbound SAs */
	SET_REMOVED,   /* workers may still be reading it */
};

/* What only control knows of a set. */
struct set_control {
	sa_set_id id;
	uint32_t next; /* in the list it is on */
	int32_t tcp_position[SA_PAIRS];
	uint8_t state;
};

struct set_list {
	uint32_t head, tail;
};

struct sa_table {
	struct sa_view view;
	struct secret_words random;
	struct sa_transforms transforms;
	struct set_control *sets;
	struct tcp_lookup *tcp;
	struct rte_rcu_qsbr *qsbr;
	enum esp_backend backend;
	uint32_t n_sets;
	uint32_t spi_min, spi_max;
	uint16_t workers;
	unsigned in_use;
	struct set_list free;	 /* first in, first out: an SPI rests as long as possible */
	struct set_list removed; /* since the grace period began */
	struct set_list leaving; /* wait for it to end */
	uint64_t grace;
};

static inline bool list_empty(const struct set_list *l)
{
	return l->head == SA_NONE;
}

static inline void list_append(struct sa_table *t, struct set_list *l, uint32_t i)
{
	t->sets[i].next = SA_NONE;
	if (list_empty(l))
		l->head = i;
	else
		t->sets[l->tail].next = i;
	l->tail = i;
}

static inline uint32_t list_take(struct sa_table *t, struct set_list *l)
{
	uint32_t i = l->head;

	if (i != SA_NONE)
		l->head = t->sets[i].next;
	return i;
}

static inline uint32_t index_of_id(const struct sa_table *t, sa_set_id id)
{
	return id & (t->n_sets - 1);
}

/* The set that id names, if it does in one of the states from..to. */
static inline struct set_control *set_of_id(const struct sa_table *t, sa_set_id id, uint8_t from,
					    uint8_t to)
{
	struct set_control *c = &t->sets[index_of_id(t, id)];

	return id != 0 && c->id == id && c->state >= from && c->state <= to ? c : NULL;
}

/* Entries of a set that is installed, for segments of the host (sa_tcp.c). A worker that finds one
 * before the set is live treats it as unknown. */
int sa_set_tcp_add(struct sa_table *t, uint32_t i);
void sa_set_tcp_remove(struct sa_table *t, uint32_t i);
/* Once no worker can hold one any more. */
void sa_set_tcp_release(struct sa_table *t, uint32_t i);
