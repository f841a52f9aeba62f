#include "dataplane/handover.h"

#include <stdio.h>

#include <rte_lcore.h>

#include "dataplane/inbound.h"
#include "dataplane/outbound.h"
#include "dataplane/worker.h"

#define HANDOVER_RING 2048

/*
 * Many producers: in the relaxed mode a worker that the kernel stops in the middle of an enqueue
 * does not hold up the others.
 */
struct rte_ring *handover_ring_alloc(const void *owner)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "ho%p", owner);
	return rte_ring_create_elem(name, sizeof(struct handover_item), HANDOVER_RING,
				    SOCKET_ID_ANY, RING_F_MP_RTS_ENQ | RING_F_SC_DEQ);
}

void handover_ring_free(struct rte_ring *ring)
{
	struct handover_item item;

	while (ring && rte_ring_dequeue_elem(ring, &item, sizeof(item)) == 0)
		rte_pktmbuf_free(item.m);
	rte_ring_free(ring);
}

static void batch_flush(struct worker *w, uint16_t to)
{
	struct handover_batch *b = &w->hand_to[to];
	unsigned sent = rte_ring_enqueue_burst_elem(w->env->workers[to]->handover, b->item,
						    sizeof(b->item[0]), b->n, NULL);
	unsigned i;

	for (i = sent; i < b->n; i++)
		worker_drop(w, b->item[i].m, DP_DROP_RING_FULL);
	b->n = 0;
}

void handover_push(struct worker *w, uint16_t to, struct rte_mbuf *m, enum handover_kind kind)
{
	struct handover_batch *b = &w->hand_to[to];

	if (b->n == HANDOVER_BATCH)
		batch_flush(w, to);
	b->item[b->n++] = (struct handover_item){.m = m, .kind = kind};
}

void handover_flush(struct worker *w)
{
	uint16_t to;

	for (to = 0; to < w->env->n_workers; to++)
		if (w->hand_to[to].n)
			batch_flush(w, to);
}

unsigned handover_poll(struct worker *w)
{
	struct handover_item item[HANDOVER_BATCH];
	struct rte_mbuf *ue[HANDOVER_BATCH], *host[HANDOVER_BATCH];
	unsigned n, i, n_ue = 0, n_host = 0;

	n = rte_ring_dequeue_burst_elem(w->handover, item, sizeof(item[0]), HANDOVER_BATCH, NULL);
	w->c.handover_in += n;
	for (i = 0; i < n; i++) {
		switch ((enum handover_kind)item[i].kind) {
		case HANDOVER_UE_RX:
			ue[n_ue++] = item[i].m;
			break;
		case HANDOVER_HOST_RX:
			host[n_host++] = item[i].m;
			break;
		case HANDOVER_UE_TX:
			tx_ue_raw(w, item[i].m);
			break;
		case HANDOVER_HOST_TX:
			tx_host_raw(w, item[i].m);
			break;
		}
	}
	if (n_ue)
		inbound_burst(w, ue, n_ue);
	if (n_host)
		outbound_host_burst(w, host, n_host);
	return n;
}
