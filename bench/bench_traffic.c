#include "bench/bench_traffic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ring.h>

#include "dataplane/checksum.h"

#define SAMPLE_GROUPS 16  /* one packet of so many groups is verified */
#define SWAP_EVERY    8	  /* of so many neighbours, two change places: the window is in use */
#define HEADROOM      192 /* Ethernet, two IPv6 headers, UDP twice, ESP header, IV */

static uint64_t random_next(struct traffic *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return t->random;
}

/* One of all at random; before that, each once. */
static const struct traffic_flow *flow_pick(struct traffic *t)
{
	if (t->swept < t->n_flows)
		return &t->flows[t->swept++];
	return &t->flows[(random_next(t) >> 32) * t->n_flows >> 32];
}

/* ---- buffers ------------------------------------------------------------------------------ */

static struct rte_mbuf *buffer_get(struct traffic *t)
{
	struct rte_mbuf *m = t->free[--t->n_free];

	m->data_off = HEADROOM;
	m->data_len = t->payload;
	m->pkt_len = t->payload;
	return m;
}

static void buffer_put(struct traffic *t, struct rte_mbuf *m)
{
	t->free[t->n_free++] = m;
}

static int buffers_alloc(struct traffic *t)
{
	for (t->n_free = 0; t->n_free < TRAFFIC_BUFFERS; t->n_free++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(t->world->pool);

		if (!m)
			return -ENOMEM;
		for (unsigned i = 0; i < m->buf_len; i++)
			((uint8_t *)m->buf_addr)[i] = (uint8_t)random_next(t);
		t->free[t->n_free] = m;
	}
	return 0;
}

/* ---- sending ------------------------------------------------------------------------------ */

/* A group of datagrams into the ring that a worker reads from control. Our own: one is watched. */
static void datagrams_send(struct traffic *t, struct worker *to, bool watch)
{
	for (unsigned i = 0; i < TRAFFIC_GROUP; i++) {
		const struct traffic_flow *flow = flow_pick(t);
		struct control_out out = {.set = flow->set, .pair = flow->pair};

		out.m = buffer_get(t);
		out.payload_sum =
			checksum_fold(checksum_octets(rte_pktmbuf_mtod(out.m, void *), t->payload));
		if (watch && i == TRAFFIC_GROUP / 2)
			verify_watch_payload(&t->verify, out.m, flow->number);
		if (!control_ring_send(&to->control, &out))
			buffer_put(t, out.m);
		else
			t->made++;
	}
}

static bool is_ours(const struct traffic *t, const struct rte_mbuf *m)
{
	return m->pool == t->world->pool;
}

/* The UE that a frame of the peer comes from: last four octets of its source address. */
static uint32_t frame_number(const struct traffic *t, const struct rte_mbuf *m)
{
	uint32_t be;
	unsigned at = t->world->ip == 4 ? 14 + 12 : 14 + 8 + 12;

	memcpy(&be, rte_pktmbuf_mtod_offset(m, const uint8_t *, at), sizeof(be));
	return (rte_be_to_cpu_32(be) & 0xffffff) - 1;
}

/* Takes the peer's frames off the wire and puts them before our port, some out of order. */
static void frames_forward(struct traffic *t, bool watch)
{
	struct rte_mbuf *m[2 * TRAFFIC_GROUP], *keep;
	unsigned i, n = rte_ring_sc_dequeue_burst(t->world->peer.from[t->index], (void **)m,
						  2 * TRAFFIC_GROUP, NULL);

	for (i = SWAP_EVERY; i < n; i += SWAP_EVERY) {
		keep = m[i - 1];
		m[i - 1] = m[i];
		m[i] = keep;
	}
	if (watch && n && is_ours(t, m[n / 2]))
		verify_watch_frame(&t->verify, m[n / 2], frame_number(t, m[n / 2]));
	for (i = 0; i < n; i++)
		if (rte_ring_sp_enqueue(t->world->ours.to[t->index], m[i]) < 0)
			rte_pktmbuf_free(m[i]);
}

static void group_make(struct traffic *t)
{
	bool watch = t->groups++ % SAMPLE_GROUPS == 0;

	if (!t->inbound) {
		datagrams_send(t, t->worker, watch);
		return;
	}
	datagrams_send(t, t->peer, false);
	while (worker_poll(t->peer)) /* the last turn finds nothing, and empties the engine */
		;
	frames_forward(t, watch);
}

/* ---- receiving ---------------------------------------------------------------------------- */

static unsigned frames_take(struct traffic *t)
{
	struct rte_mbuf *m[WORKER_BURST];
	struct rte_ring *wire = t->world->ours.from[t->index];
	unsigned n, i, got = 0;

	while ((n = rte_ring_sc_dequeue_burst(wire, (void **)m, WORKER_BURST, NULL)) != 0) {
		for (i = 0; i < n; i++) {
			if (!is_ours(t, m[i])) {
				if (rte_ring_sp_enqueue(t->world->peer.to[t->index], m[i]) < 0)
					rte_pktmbuf_free(m[i]);
				continue;
			}
			if (m[i] == t->verify.watched)
				verify_frame(&t->verify, m[i]);
			buffer_put(t, m[i]);
			got++;
		}
	}
	return got;
}

static unsigned datagrams_take(struct traffic *t)
{
	struct dp_packet pkt[WORKER_BURST];
	unsigned n, i, got = 0;

	while ((n = control_ring_recv(&t->worker->control, true, pkt, WORKER_BURST)) != 0) {
		for (i = 0; i < n; i++) {
			if (pkt[i].buf == t->verify.watched)
				verify_payload(&t->verify, pkt[i].data, pkt[i].len);
			buffer_put(t, pkt[i].buf);
		}
		got += n;
	}
	return got;
}

static unsigned group_take(struct traffic *t)
{
	unsigned n = t->inbound ? datagrams_take(t) : frames_take(t);

	if (t->inbound) /* answers to the peer's ARP and ND */
		(void)frames_take(t);
	else if (t->groups % SAMPLE_GROUPS == 0)
		worker_poll(t->peer);
	t->delivered += n;
	return n;
}

/* ---- groups ------------------------------------------------------------------------------- */

uint64_t traffic_group(struct traffic *t, unsigned *packets)
{
	uint64_t before = rte_rdtsc(), start, end;
	unsigned n = 0;

	group_make(t);
	start = rte_rdtsc();
	t->worker->marked += start - before; /* its clock stood still while we made packets */
	while (n < TRAFFIC_GROUP)
		n += worker_poll(t->worker);
	end = rte_rdtsc();
	*packets = group_take(t);
	t->worker->marked += rte_rdtsc() - end;
	return end - start;
}

void traffic_finish(struct traffic *t)
{
	for (unsigned i = 0; i < 4; i++) {
		(void)worker_poll(t->worker);
		(void)group_take(t);
	}
}

static uint64_t replay_drops(const struct traffic *t)
{
	return t->worker->c.drops[DP_DROP_REPLAY];
}

bool traffic_replays_dropped(struct traffic *t)
{
	uint64_t before = replay_drops(t);
	unsigned n = 0;
	struct rte_mbuf *m;
	void *frame;

	datagrams_send(t, t->peer, false);
	while (worker_poll(t->peer))
		;
	while (rte_ring_dequeue(t->world->peer.from[t->index], &frame) == 0) {
		m = is_ours(t, frame) ? rte_pktmbuf_copy(frame, t->world->pool, 0, UINT32_MAX)
				      : NULL;
		(void)rte_ring_enqueue(t->world->ours.to[t->index], frame);
		if (m && rte_ring_enqueue(t->world->ours.to[t->index], m) == 0)
			n++;
	}
	while (worker_poll(t->worker))
		;
	traffic_finish(t);
	return n > 0 && replay_drops(t) - before == n;
}

/* ---- init --------------------------------------------------------------------------------- */

/* SAs of this worker's UEs, o->sas of them in all; with several workers an even share. */
static int flows_make(struct traffic *t, const struct bench_options *o)
{
	uint32_t share = (o->sas + o->workers - 1) / o->workers;

	t->flows = calloc(share, sizeof(*t->flows));
	if (!t->flows)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->world->n_sets && t->n_flows < share; i++) {
		const struct world_set *set = &t->world->sets[i];

		if (world_owner(t->world, i) != t->index)
			continue;
		for (uint8_t pair = 0; pair < SA_PAIRS && t->n_flows < share; pair++)
			t->flows[t->n_flows++] = (struct traffic_flow){
				.set = t->inbound ? set->peers : set->ours,
				.number = i,
				.pair = pair,
			};
	}
	return t->n_flows ? 0 : -EINVAL;
}

int traffic_init(struct traffic *t, struct world *w, const struct bench_options *o, uint16_t worker)
{
	int rc;

	memset(t, 0, sizeof(*t));
	t->world = w;
	t->worker = w->ours.dp->workers[worker];
	t->peer = w->peer.dp->workers[worker];
	t->index = worker;
	t->inbound = o->inbound;
	t->payload = (uint16_t)(o->size - bench_plain_headers(o->ip));
	t->random = UINT64_C(0x2545f4914f6cdd1d) + worker;
	rc = flows_make(t, o);
	if (rc == 0)
		rc = buffers_alloc(t);
	if (rc == 0)
		rc = verify_init(&t->verify, w);
	return rc;
}

void traffic_fini(struct traffic *t)
{
	while (t->n_free > 0)
		rte_pktmbuf_free(t->free[--t->n_free]);
	verify_fini(&t->verify);
	free(t->flows);
}
