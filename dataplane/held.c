#include <errno.h>
#include <stdlib.h>

#include "dataplane/held.h"

struct held {
	struct rte_mbuf *packet; /* NULL: free */
	uint64_t since_ms;
	uint32_t next; /* in its queue or the free list; 0: last */
};

struct held_pool {
	uint32_t free_head;
	struct held slots[HELD_MAX + 1]; /* the first is unused: 0 is no index */
};

int held_pool_alloc(struct held_pool **pp)
{
	struct held_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	for (uint32_t i = 1; i < HELD_MAX; i++)
		p->slots[i].next = i + 1;
	p->free_head = 1;
	*pp = p;
	return 0;
}

void held_pool_free(struct held_pool *p)
{
	if (!p)
		return;
	for (uint32_t i = 1; i <= HELD_MAX; i++)
		rte_pktmbuf_free(p->slots[i].packet);
	free(p);
}

unsigned held_push(struct held_pool *p, struct held_queue *q, struct rte_mbuf *packet,
		   uint64_t now_ms)
{
	unsigned lost = 0;
	uint32_t i;

	if (q->count == HELD_PER_QUEUE) {
		rte_pktmbuf_free(held_pop(p, q));
		lost = 1;
	}
	i = p->free_head;
	if (!i) {
		rte_pktmbuf_free(packet);
		return 1;
	}
	p->free_head = p->slots[i].next;
	p->slots[i] = (struct held){packet, now_ms, 0};
	if (q->count++)
		p->slots[q->tail].next = i;
	else
		q->head = i;
	q->tail = i;
	return lost;
}

struct rte_mbuf *held_pop(struct held_pool *p, struct held_queue *q)
{
	uint32_t i = q->head;
	struct rte_mbuf *packet;

	if (!q->count)
		return NULL;
	packet = p->slots[i].packet;
	q->head = p->slots[i].next;
	q->count--;
	p->slots[i].packet = NULL;
	p->slots[i].next = p->free_head;
	p->free_head = i;
	return packet;
}

unsigned held_expire(struct held_pool *p, struct held_queue *q, uint64_t since_ms)
{
	unsigned n = 0;

	while (q->count && p->slots[q->head].since_ms < since_ms) {
		rte_pktmbuf_free(held_pop(p, q));
		n++;
	}
	return n;
}
