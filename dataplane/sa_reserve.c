/* Taking a free set: its id, and SPIs that nobody has had of late. */
#include <errno.h>
#include <string.h>

#include "dataplane/sa_table_control.h"

#define SPI_TRIES 1000

/* Takes one out of the middle: walks the list, for sa_table_reserve_spi() only. */
static void list_extract(struct sa_table *t, struct set_list *l, uint32_t i)
{
	uint32_t at = l->head, before = SA_NONE;

	while (at != i) {
		before = at;
		at = t->sets[at].next;
	}
	if (before == SA_NONE)
		l->head = t->sets[i].next;
	else
		t->sets[before].next = t->sets[i].next;
	if (l->tail == i)
		l->tail = before;
}

/* The part of an id above the index counts; it skips 0, so that no id is 0. */
static sa_set_id id_next(const struct sa_table *t, sa_set_id id)
{
	id += t->n_sets;
	return id < t->n_sets ? id + t->n_sets : id;
}

static bool spi_usable(uint32_t spi, uint32_t old, const uint32_t *avoid, unsigned n_avoid)
{
	unsigned i;

	if (spi == old)
		return false;
	for (i = 0; i < n_avoid; i++)
		if (avoid[i] == spi)
			return false;
	return true;
}

/*
 * A random SPI of our range for the slot, not the one it had last. The range holds DP_SPI_ROOM of
 * them or more. 0: cannot be had.
 */
static uint32_t spi_choose(struct sa_table *t, uint32_t slot, const uint32_t *avoid,
			   unsigned n_avoid)
{
	uint32_t old = sa_in_at(&t->view, slot)->spi, spi, mask = t->view.slot_mask;
	uint32_t low = sa_spi_of_slot(&t->view, slot);
	uint32_t least = t->spi_min + ((low - t->spi_min) & mask);
	uint32_t more = (t->spi_max - least) / (mask + 1); /* as many beside the least */
	unsigned tries;

	for (tries = 0; tries < SPI_TRIES; tries++) {
		spi = secret_word(&t->random);
		if (more < UINT32_MAX / (mask + 1) / 2) /* trying would take too long */
			spi = least + spi % (more + 1) * (mask + 1);
		else
			spi = (spi & ~mask) | low;
		if (spi >= least && spi <= t->spi_max && spi_usable(spi, old, avoid, n_avoid))
			return spi;
	}
	return 0;
}

/* ---- reserve ------------------------------------------------------------------------------ */

static void set_reserve(struct sa_table *t, uint32_t i, struct sa_set *set)
{
	struct set_control *c = &t->sets[i];
	unsigned pair;

	c->id = id_next(t, c->id);
	c->state = SET_RESERVED;
	c->tcp_position[SA_SERVER] = c->tcp_position[SA_CLIENT] = -1;
	t->in_use++;
	set->id = c->id;
	for (pair = 0; pair < SA_PAIRS; pair++)
		__atomic_store_n(&sa_in_at(&t->view, i * SA_PAIRS + pair)->spi, set->spi_in[pair],
				 __ATOMIC_RELAXED);
}

int sa_table_reserve(struct sa_table *t, const uint32_t *avoid, unsigned n_avoid,
		     struct sa_set *set)
{
	uint32_t i;
	unsigned pair;

	sa_table_reclaim(t);
	i = t->free.head;
	if (i == SA_NONE)
		return -ENOSPC;
	for (pair = 0; pair < SA_PAIRS; pair++) {
		set->spi_in[pair] = spi_choose(t, i * SA_PAIRS + pair, avoid, n_avoid);
		if (set->spi_in[pair] == 0)
			return -ENOSPC;
	}
	list_take(t, &t->free);
	set_reserve(t, i, set);
	return 0;
}

int sa_table_reserve_spi(struct sa_table *t, uint32_t spi, struct sa_set *set)
{
	uint32_t slot = sa_slot_of_spi(&t->view, spi), i = slot / SA_PAIRS;

	if (spi < SA_SPI_MIN)
		return -EINVAL;
	sa_table_reclaim(t);
	if (t->sets[i].state != SET_FREE)
		return -EBUSY;
	list_extract(t, &t->free, i);
	memset(set->spi_in, 0, sizeof(set->spi_in));
	set->spi_in[slot % SA_PAIRS] = spi;
	set_reserve(t, i, set);
	return 0;
}

int sa_table_reserve_none(struct sa_table *t, struct sa_set *set)
{
	uint32_t i;

	sa_table_reclaim(t);
	i = list_take(t, &t->free);
	if (i == SA_NONE)
		return -ENOSPC;
	memset(set->spi_in, 0, sizeof(set->spi_in));
	set_reserve(t, i, set);
	return 0;
}
