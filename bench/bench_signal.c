#include "bench/bench_signal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "bench/histogram.h"

#define BURST	    64
#define QUIET_TURNS 64 /* without a packet: nothing is under way any more */
#define NS_IN_S	    1e9
#define MESSAGE	    "MESSAGE sip:p-cscf.example SIP/2.0\r\nCall-ID: %016llx%016llx\r\n"
#define STAMP_AT    (sizeof("MESSAGE sip:p-cscf.example SIP/2.0\r\nCall-ID: ") - 1)
#define STAMP_LEN   32

/* Headers of IPv6 at most, and the message without its filling */
_Static_assert(BENCH_SIGNAL_MIN_SIZE >= 48 + STAMP_AT + STAMP_LEN + 3, "a message fits");

struct signal {
	struct world *world;
	const struct bench_options *o;
	struct bench_signal_result *r;
	struct histogram latency; /* nanoseconds */
	double hz;
	uint64_t random, start;
	uint64_t other; /* arrived, but not as it was sent */
	uint16_t payload;
	char text[BENCH_MAX_SIZE];
};

static uint64_t random_next(struct signal *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

static bool chance(struct signal *s, double percent)
{
	return (double)(random_next(s) >> 11) * 0x1p-53 * 100 < percent;
}

/* ---- the UEs ------------------------------------------------------------------------------ */

/* A SIP request of the size wanted, that says when it was sent and which one it is. */
static int message_send(struct signal *s)
{
	uint32_t ue = (uint32_t)((random_next(s) >> 32) * s->world->n_sets >> 32);
	struct dp_out out = {.set = s->world->sets[ue].peers,
			     .pair = random_next(s) >> 63 ? SA_SERVER : SA_CLIENT};
	struct iovec iov = {s->text, s->payload};
	int n = snprintf(s->text, sizeof(s->text), MESSAGE, (unsigned long long)rte_rdtsc(),
			 (unsigned long long)s->r->sent);
	int rc;

	s->text[n] = '\n';
	rc = dp_send(s->world->peer.dp, &out, &iov, 1);
	if (rc == 0)
		s->r->sent++;
	return rc;
}

/* What is due by now, and a burst at most: who cannot keep up falls behind, which the rate shows.
 */
static int messages_due(struct signal *s)
{
	double elapsed = (double)(rte_rdtsc() - s->start) / s->hz;
	uint64_t due = (uint64_t)(elapsed * s->o->rate);
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < BURST && s->r->sent < due; i++)
		rc = message_send(s);
	return rc == -ENOBUFS ? 0 : rc; /* later */
}

/* ---- the wire ----------------------------------------------------------------------------- */

/* ARP and neighbour discovery are left alone. */
static bool is_protected(const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const uint8_t *ip = (const uint8_t *)(eth + 1);

	if (eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		return true;
	return eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) &&
	       ip[offsetof(struct rte_ipv6_hdr, proto)] != IPPROTO_ICMPV6;
}

static bool wire_put(struct rte_ring *to, struct rte_mbuf *m)
{
	if (m && rte_ring_enqueue(to, m) == 0)
		return true;
	rte_pktmbuf_free(m);
	return false;
}

/* One frame, to which at most one thing happens. */
static void frame_carry(struct signal *s, struct rte_mbuf *m, struct rte_ring *to)
{
	struct rte_mbuf *again;

	if (!is_protected(m)) {
		(void)wire_put(to, m);
	} else if (chance(s, s->o->loss)) {
		s->r->injected_lost++;
		rte_pktmbuf_free(m);
	} else if (chance(s, s->o->damage)) {
		s->r->injected_damaged++;
		rte_pktmbuf_mtod(m, uint8_t *)[rte_pktmbuf_data_len(m) - 1] ^= 1; /* of the ICV */
		(void)wire_put(to, m);
	} else {
		again = chance(s, s->o->replay) ? rte_pktmbuf_copy(m, s->world->pool, 0, UINT32_MAX)
						: NULL;
		(void)wire_put(to, m);
		if (again)
			s->r->injected_replayed += wire_put(to, again);
	}
}

static void wire_carry(struct signal *s, uint16_t queue)
{
	void *m;

	while (rte_ring_dequeue(s->world->peer.from[queue], &m) == 0)
		frame_carry(s, m, s->world->ours.to[queue]);
	while (rte_ring_dequeue(s->world->ours.from[queue], &m) == 0)
		(void)wire_put(s->world->peer.to[queue], m);
}

/* ---- the P-CSCF --------------------------------------------------------------------------- */

static void message_take(struct signal *s, const struct dp_packet *pkt)
{
	char stamp[STAMP_LEN / 2 + 1] = "";
	uint64_t sent, now = rte_rdtsc();

	if (!pkt->set || pkt->len != s->payload) {
		s->other++;
		return;
	}
	memcpy(stamp, pkt->data + STAMP_AT, STAMP_LEN / 2);
	sent = strtoull(stamp, NULL, 16);
	histogram_add(&s->latency, (uint64_t)((double)(now - sent) / s->hz * NS_IN_S));
	s->r->received++;
}

static unsigned messages_take(struct signal *s)
{
	struct dp_packet pkt[BURST];
	unsigned n, i, got = 0;

	while ((n = dp_recv(s->world->ours.dp, pkt, BURST)) > 0) {
		for (i = 0; i < n; i++)
			message_take(s, &pkt[i]);
		dp_release(s->world->ours.dp, pkt, n);
		got += n;
	}
	return got;
}

/* ---- run ---------------------------------------------------------------------------------- */

/* One turn of everything; returns packets seen. */
static unsigned turn(struct signal *s)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < s->o->workers; i++) {
		n += worker_poll(s->world->peer.dp->workers[i]);
		wire_carry(s, i);
		n += worker_poll(s->world->ours.dp->workers[i]);
	}
	return n + messages_take(s);
}

static void drops_add(struct signal *s, int64_t sign)
{
	struct bench_signal_result *r = s->r;
	struct dp_counters c;

	for (uint16_t i = 0; i < s->o->workers; i++) {
		dp_worker_counters(s->world->ours.dp, i, &c);
		for (unsigned d = 0; d < DP_DROP_COUNT; d++) {
			uint64_t *to = d == DP_DROP_REPLAY    ? &r->replay_drops
				       : d == DP_DROP_BAD_ICV ? &r->icv_failures
							      : &r->other_drops;

			*to += (uint64_t)sign * c.drops[d];
		}
	}
}

static int signal_run(struct signal *s)
{
	uint64_t end = s->start + (uint64_t)(s->o->seconds * s->hz);
	unsigned quiet = 0;
	int rc = 0;

	while (rc == 0 && rte_rdtsc() < end) {
		rc = messages_due(s);
		(void)turn(s);
	}
	s->r->seconds = (double)(rte_rdtsc() - s->start) / s->hz;
	while (rc == 0 && quiet < QUIET_TURNS)
		quiet = turn(s) ? 0 : quiet + 1;
	return rc;
}

static void signal_judge(struct signal *s)
{
	struct bench_signal_result *r = s->r;
	uint64_t gone = r->injected_lost + r->injected_damaged;

	r->p50_us = (double)histogram_percentile(&s->latency, 50) / 1000;
	r->p99_us = (double)histogram_percentile(&s->latency, 99) / 1000;
	r->verified = r->sent > 0 && s->other == 0 && r->received + gone == r->sent &&
		      r->replay_drops == r->injected_replayed &&
		      r->icv_failures == r->injected_damaged && r->other_drops == 0;
}

int bench_signal(struct world *w, const struct bench_options *o, struct bench_signal_result *r)
{
	struct signal *s = calloc(1, sizeof(*s));
	int rc;

	memset(r, 0, sizeof(*r));
	if (!s)
		return -ENOMEM;
	s->world = w;
	s->o = o;
	s->r = r;
	s->hz = (double)rte_get_tsc_hz();
	s->random = UINT64_C(0x9e3779b97f4a7c15);
	s->payload = (uint16_t)(o->size - bench_plain_headers(o->ip));
	memset(s->text, ' ', sizeof(s->text));
	drops_add(s, -1);
	s->start = rte_rdtsc();
	rc = signal_run(s);
	drops_add(s, 1);
	signal_judge(s);
	free(s);
	return rc;
}
