#include "dataplane/control_ring.h"

#include <errno.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_prefetch.h>
#include <rte_udp.h>

#include "dataplane/ip_header.h"
#include "dataplane/worker.h"

#define RING_SECURED 4096
#define RING_CLEAR   1024
#define RING_OUT     4096
#define RING_EVENTS  1024

/* ---- waking control ----------------------------------------------------------------------- */

int control_wake_init(struct control_wake *wake)
{
	wake->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return wake->fd < 0 ? -errno : 0;
}

void control_wake_close(struct control_wake *wake)
{
	if (wake->fd >= 0)
		close(wake->fd);
	wake->fd = -1;
}

void control_wake_disarm(struct control_wake *wake)
{
	eventfd_t count;

	atomic_store(&wake->armed, false);
	(void)eventfd_read(wake->fd, &count);
}

/* Against control's "armed = true; is a ring waiting?": one of the two sees the other's store. */
static void control_wake_up(struct control_wake *wake)
{
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&wake->armed, memory_order_relaxed) &&
	    atomic_exchange(&wake->armed, false))
		(void)eventfd_write(wake->fd, 1);
}

/* ---- alloc -------------------------------------------------------------------------------- */

static struct rte_ring *ring_alloc(const void *owner, const char *what, unsigned esize, unsigned n)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s%p", what, owner);
	return rte_ring_create_elem(name, esize, n, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
}

int control_ring_alloc(struct control_ring *r)
{
	r->secured.ring = ring_alloc(r, "up", sizeof(struct control_in), RING_SECURED);
	r->clear.ring = ring_alloc(r, "cl", sizeof(struct control_in), RING_CLEAR);
	r->out = ring_alloc(r, "dn", sizeof(struct control_out), RING_OUT);
	r->events = ring_alloc(r, "ev", sizeof(struct dp_event), RING_EVENTS);
	if (!r->secured.ring || !r->clear.ring || !r->out || !r->events)
		return rte_errno ? -rte_errno : -ENOMEM;
	return 0;
}

static void batch_free(struct control_batch *b)
{
	struct control_in pkt;

	while (b->ring && rte_ring_sc_dequeue_elem(b->ring, &pkt, sizeof(pkt)) == 0)
		rte_pktmbuf_free(pkt.m);
	while (b->n > 0)
		rte_pktmbuf_free(b->pkt[--b->n].m);
	rte_ring_free(b->ring);
}

void control_ring_free(struct control_ring *r)
{
	struct control_out out;

	batch_free(&r->secured);
	batch_free(&r->clear);
	while (r->out && rte_ring_sc_dequeue_elem(r->out, &out, sizeof(out)) == 0)
		rte_pktmbuf_free(out.m);
	rte_ring_free(r->out);
	rte_ring_free(r->events);
}

/* ---- control's side ----------------------------------------------------------------------- */

/* The worker has held addresses and ports against the SA, if there is one. */
static void packet_fill(struct dp_packet *pkt, const struct control_in *in)
{
	const uint8_t *ip = (const uint8_t *)in->m->buf_addr + in->ip_at;
	const struct rte_udp_hdr *udp = rte_pktmbuf_mtod(in->m, const struct rte_udp_hdr *) - 1;

	pkt->data = (const char *)(udp + 1);
	pkt->len = rte_be_to_cpu_16(udp->dgram_len) - (uint32_t)sizeof(*udp);
	pkt->pair = in->pair;
	pkt->set = in->set;
	ip_addr_set(&pkt->local.addr, in->version, ip + (in->version == 4 ? 16 : 24));
	ip_addr_set(&pkt->remote.addr, in->version, ip + (in->version == 4 ? 12 : 8));
	pkt->local.port = rte_be_to_cpu_16(udp->dst_port);
	pkt->remote.port = rte_be_to_cpu_16(udp->src_port);
	pkt->buf = in->m;
}

static unsigned batch_recv(struct rte_ring *ring, struct dp_packet *pkts, unsigned n)
{
	struct control_in in[CONTROL_BATCH];
	unsigned i;

	n = rte_ring_sc_dequeue_burst_elem(ring, in, sizeof(in[0]), RTE_MIN(n, RTE_DIM(in)), NULL);
	for (i = 0; i < n; i++)
		rte_prefetch0(in[i].m);
	for (i = 0; i < n; i++)
		rte_prefetch0((const uint8_t *)in[i].m->buf_addr + in[i].ip_at);
	for (i = 0; i < n; i++)
		packet_fill(&pkts[i], &in[i]);
	return n;
}

unsigned control_ring_recv(struct control_ring *r, bool secured, struct dp_packet *pkts, unsigned n)
{
	struct rte_ring *ring = secured ? r->secured.ring : r->clear.ring;
	unsigned got = 0, now;

	do {
		now = batch_recv(ring, pkts + got, n - got);
		got += now;
	} while (now > 0 && got < n);
	return got;
}

bool control_ring_send(struct control_ring *r, const struct control_out *out)
{
	return rte_ring_sp_enqueue_elem(r->out, (void *)(uintptr_t)out, sizeof(*out)) == 0;
}

bool control_ring_waiting(const struct control_ring *r)
{
	return !rte_ring_empty(r->secured.ring) || !rte_ring_empty(r->clear.ring) ||
	       !rte_ring_empty(r->events);
}

/* ---- a worker's side ---------------------------------------------------------------------- */

void control_ring_batch_flush(struct worker *w, struct control_batch *b)
{
	unsigned sent =
		rte_ring_sp_enqueue_burst_elem(b->ring, b->pkt, sizeof(b->pkt[0]), b->n, NULL);
	unsigned i;

	for (i = sent; i < b->n; i++)
		worker_drop(w, b->pkt[i].m, DP_DROP_CONTROL_FULL);
	w->c.to_control += sent;
	b->n = 0;
}

void control_ring_flush(struct worker *w)
{
	struct control_ring *r = &w->control;

	if (r->secured.n + r->clear.n == 0)
		return;
	control_ring_batch_flush(w, &r->secured);
	control_ring_batch_flush(w, &r->clear);
	control_wake_up(w->env->wake);
}

bool control_ring_event(struct worker *w, const struct dp_event *event)
{
	if (rte_ring_sp_enqueue_elem(w->control.events, (void *)(uintptr_t)event, sizeof(*event)) <
	    0)
		return false;
	control_wake_up(w->env->wake);
	return true;
}
