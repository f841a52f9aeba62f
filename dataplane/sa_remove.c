/* Taking SAs away, and giving their places back when no worker can hold them any more. */
#include <string.h>

#include "dataplane/sa_table_control.h"

void sa_table_remove_outbound(struct sa_table *t, sa_set_id id)
{
	struct set_control *c = set_of_id(t, id, SET_INSTALLED, SET_INSTALLED);
	uint32_t i = index_of_id(t, id);
	unsigned pair;

	if (!c)
		return;
	for (pair = 0; pair < SA_PAIRS; pair++)
		__atomic_store_n(&sa_out_at(&t->view, i * SA_PAIRS + pair)->closed, 1,
				 __ATOMIC_RELAXED);
	sa_set_tcp_remove(t, i); /* the positions are released with the rest of the set */
	c->state = SET_RECEIVING;
}

void sa_table_remove(struct sa_table *t, sa_set_id id)
{
	struct set_control *c = set_of_id(t, id, SET_RESERVED, SET_RECEIVING);
	uint32_t i = index_of_id(t, id);

	if (!c)
		return;
	t->in_use--;
	if (c->state == SET_RESERVED) { /* no worker ever saw it */
		c->state = SET_FREE;
		list_append(t, &t->free, i);
		return;
	}
	atomic_store_explicit(&sa_shared_at(&t->view, i)->live, 0, memory_order_seq_cst);
	if (c->state == SET_INSTALLED)
		sa_set_tcp_remove(t, i);
	c->state = SET_REMOVED;
	list_append(t, &t->removed, i);
	sa_table_reclaim(t);
}

static void set_reclaim(struct sa_table *t, uint32_t i)
{
	sa_set_tcp_release(t, i);
	esp_key_wipe(sa_key_at(&t->view, i));
	t->sets[i].state = SET_FREE;
	list_append(t, &t->free, i);
}

/* Removals are collected while a grace period runs, and share the next one. */
void sa_table_reclaim(struct sa_table *t)
{
	uint32_t i;

	if (!list_empty(&t->leaving) && rte_rcu_qsbr_check(t->qsbr, t->grace, false) == 1)
		while ((i = list_take(t, &t->leaving)) != SA_NONE)
			set_reclaim(t, i);
	if (list_empty(&t->leaving) && !list_empty(&t->removed)) {
		t->leaving = t->removed;
		t->removed = (struct set_list){SA_NONE, SA_NONE};
		t->grace = rte_rcu_qsbr_start(t->qsbr);
	}
}
