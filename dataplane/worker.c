#include "dataplane/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_pause.h>

#include "crypto/secret.h"
#include "dataplane/inbound.h"
#include "dataplane/outbound.h"

/* Empty turns before a worker begins to sleep, and then before it doubles its sleep */
#define IDLE_SPINS   64
#define FRAG_FLOWS   4 /* datagrams under reassembly: one for so many large buffers */
#define FRAG_TIMEOUT 2000

const char *worker_stage_name(enum worker_stage stage)
{
	static const char *const names[WORKER_STAGES] = {
		[WORKER_STAGE_POLL] = "poll",	    [WORKER_STAGE_CLASSIFY] = "classify",
		[WORKER_STAGE_SA] = "sa",	    [WORKER_STAGE_BUILD] = "build",
		[WORKER_STAGE_CRYPTO] = "crypto",   [WORKER_STAGE_OPEN] = "open",
		[WORKER_STAGE_DELIVER] = "deliver",
	};

	return names[stage];
}

/* ---- crypto ------------------------------------------------------------------------------- */

/* Goes on with n finished jobs. */
static void crypto_finished(struct worker *w, unsigned n)
{
	struct pkt *opened[WORKER_BURST], *sealed[WORKER_BURST], *p;
	unsigned i, n_opened = 0, n_sealed = 0;

	w->jobs_back += n;
	for (i = 0; i < n; i++) { /* not seen since they went in */
		p = w->done[i]->user;
		rte_prefetch0(p->in); /* or out */
		rte_prefetch0(p->set);
	}
	for (i = 0; i < n; i++) {
		p = w->done[i]->user;
		if (p->job.inbound)
			opened[n_opened++] = p;
		else
			sealed[n_sealed++] = p;
		if (n_opened == WORKER_BURST) {
			inbound_opened(w, opened, n_opened);
			n_opened = 0;
		}
		if (n_sealed == WORKER_BURST) {
			outbound_sealed(w, sealed, n_sealed);
			n_sealed = 0;
		}
	}
	if (n_opened)
		inbound_opened(w, opened, n_opened);
	if (n_sealed)
		outbound_sealed(w, sealed, n_sealed);
}

/* The same with all that were given last, none having waited: packets of one direction. */
static void crypto_all_finished(struct worker *w, struct pkt **p, unsigned n)
{
	w->jobs_back += n;
	if (p[0]->job.inbound)
		inbound_opened(w, p, n);
	else
		outbound_sealed(w, p, n);
}

void worker_crypto(struct worker *w, struct pkt **p, unsigned n)
{
	struct esp_job *jobs[WORKER_BURST];
	unsigned i, back = 0;

	for (i = 0; i < n; i++)
		jobs[i] = &p[i]->job;
	w->jobs_given += n;
	if (n) {
		w->c.crypto_calls++;
		w->c.crypto_jobs += n;
		w->c.crypto_together += w->jobs_given - w->jobs_back;
		back = esp_engine_submit(w->engine, jobs, n, w->done);
	}
	worker_mark(w, WORKER_STAGE_CRYPTO);
	if (n && w->jobs_back + back == w->jobs_given && back == n) /* just these, still at hand */
		crypto_all_finished(w, p, n);
	else if (back)
		crypto_finished(w, back);
}

static void crypto_flush(struct worker *w)
{
	unsigned n;

	if (!esp_engine_in_flight(w->engine))
		return;
	n = esp_engine_flush(w->engine, w->done);
	w->c.crypto_flushed += n;
	crypto_finished(w, n);
}

/* Has a job been in the engine for too long? Under load they come back by themselves. */
static bool crypto_late(struct worker *w)
{
	if ((int32_t)(w->jobs_back - w->jobs_mark) >= 0) {
		w->jobs_mark = w->jobs_given;
		w->marked = w->now;
	}
	return w->now - w->marked > w->env->flush_tsc;
}

/* ---- one turn ----------------------------------------------------------------------------- */

static unsigned poll_ue(struct worker *w)
{
	struct rte_mbuf *m[WORKER_BURST];
	unsigned n;

	if (w->id >= w->env->ue.queues)
		return inbound_rest(w); /* of what others have handed over */
	n = rte_eth_rx_burst(w->env->ue.id, w->id, m, WORKER_BURST);
	w->c.ue_rx += n;
	worker_mark(w, WORKER_STAGE_POLL);
	if (n)
		inbound_burst(w, m, n);
	else
		n = inbound_rest(w);
	return n;
}

static unsigned poll_host(struct worker *w)
{
	struct rte_mbuf *m[WORKER_BURST];
	unsigned n;

	if (!w->env->has_host || w->id >= w->env->host.queues)
		return 0;
	n = rte_eth_rx_burst(w->env->host.id, w->id, m, WORKER_BURST);
	w->c.host_rx += n;
	if (n)
		outbound_host_burst(w, m, n);
	return n;
}

static unsigned control_rest(struct worker *w)
{
	unsigned n = w->n_ahead;

	w->n_ahead = 0;
	if (n)
		outbound_control_burst(w, w->ahead[w->ahead_at], n);
	return n;
}

/*
 * A full burst is carried in the next turn: while the one before is carried, the lines of its SAs
 * come into cache. With less to do there is no reason to wait.
 */
static unsigned poll_control(struct worker *w)
{
	struct control_out *next = w->ahead[!w->ahead_at];
	unsigned rest, n = rte_ring_sc_dequeue_burst_elem(w->control.out, next, sizeof(next[0]),
							  WORKER_BURST, NULL);

	outbound_control_prefetch(w, next, n);
	worker_mark(w, WORKER_STAGE_POLL);
	rest = control_rest(w);
	w->ahead_at = !w->ahead_at;
	w->n_ahead = n;
	if (n < WORKER_BURST)
		(void)control_rest(w);
	return n ? n : rest;
}

static unsigned poll_slowpath(struct worker *w)
{
	struct rte_mbuf *m[WORKER_BURST];
	unsigned n, i;

	if (w->id != 0)
		return 0;
	n = slowpath_frames(w->env->slowpath, m, WORKER_BURST);
	for (i = 0; i < n; i++)
		tx_ue_frame(w, m[i]);
	return n;
}

/*
 * Packets in the engine hold pointers to their SAs, so a worker is quiescent only with none in
 * flight: when control waits for that, the engine is emptied.
 */
static void report_quiescent(struct worker *w)
{
	uint64_t token = __atomic_load_n(&w->env->qsbr->token, __ATOMIC_ACQUIRE);

	if (likely(token == w->quiescent_token))
		return;
	crypto_flush(w);
	rte_rcu_qsbr_quiescent(w->env->qsbr, w->id);
	w->quiescent_token = token;
}

static void tick(struct worker *w)
{
	if (w->now < w->next_tick)
		return;
	w->next_tick = w->now + w->env->tick_tsc;
	w->c.drops[DP_DROP_FRAGMENT] += frag_expire(w->frag, w->now);
	if (w->frag_inner)
		w->c.drops[DP_DROP_FRAGMENT] += frag_expire(w->frag_inner, w->now);
}

unsigned worker_poll(struct worker *w)
{
	unsigned n;

	w->now = rte_rdtsc();
	if (unlikely(w->clock))
		w->clock->last = w->now;
	w->link.hop.index = TX_NO_HOP; /* next hops may have changed */
	n = poll_ue(w);
	n += handover_poll(w);
	n += poll_host(w);
	n += poll_control(w);
	n += poll_slowpath(w);
	if (n == 0 || crypto_late(w))
		crypto_flush(w);
	report_quiescent(w);
	tx_flush(w);
	handover_flush(w);
	control_ring_flush(w);
	tick(w);
	worker_mark(w, WORKER_STAGE_POLL);
	w->c.polls++;
	w->c.empty_polls += n == 0;
	return n;
}

/* ---- the thread --------------------------------------------------------------------------- */

struct idle {
	unsigned turns;
	uint32_t sleep_us;
};

/* Spins a little, then sleeps: short at first, doubling up to what the configuration allows. */
static void idle_wait(struct worker *w, struct idle *idle)
{
	struct timespec ts;

	if (w->env->idle_sleep_us == 0 || idle->turns++ < IDLE_SPINS) {
		rte_pause();
		return;
	}
	idle->sleep_us = idle->sleep_us ? idle->sleep_us * 2 : 1;
	if (idle->sleep_us > w->env->idle_sleep_us)
		idle->sleep_us = w->env->idle_sleep_us;
	ts = (struct timespec){.tv_sec = idle->sleep_us / US_PER_S,
			       .tv_nsec = idle->sleep_us % US_PER_S * 1000};
	w->c.sleeps++;
	nanosleep(&ts, NULL);
}

int worker_run(void *worker)
{
	struct worker *w = worker;
	struct idle idle = {0};
	uint64_t before = 0;
	unsigned n = 0;

	/* The kernel adds 50 us to each sleep otherwise. */
	(void)prctl(PR_SET_TIMERSLACK, 1);
	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		bool busy = n > 0;

		n = worker_poll(w);
		if (busy) /* the turn before: it ended where this one began */
			w->c.busy_cycles += w->now - before;
		before = w->now;
		if (n)
			idle = (struct idle){0};
		else
			idle_wait(w, &idle);
	}
	return 0;
}

/* ---- alloc -------------------------------------------------------------------------------- */

static uint16_t sender(const struct port *port, uint16_t id)
{
	return port->queues ? (uint16_t)(id % port->queues) : id;
}

static int worker_parts_alloc(struct worker *w)
{
	const struct worker_env *env = w->env;
	struct frag_conf frag = {
		.large = env->large,
		.max_flows = env->large->size / FRAG_FLOWS,
		.timeout_ms = FRAG_TIMEOUT,
	};
	int rc = esp_engine_alloc(&w->engine, env->backend);

	if (rc == 0)
		w->iv = esp_engine_ivs(w->engine);
	if (rc == 0)
		rc = frag_alloc(&w->frag, &frag, SOCKET_ID_ANY);
	if (rc == 0 && env->udp_enc_port)
		rc = frag_alloc(&w->frag_inner, &frag, SOCKET_ID_ANY);
	if (rc == 0)
		rc = pmtu_alloc(&w->pmtu);
	if (rc == 0)
		rc = control_ring_alloc(&w->control);
	if (rc < 0)
		return rc;
	w->handover = handover_ring_alloc(w);
	/* No line of it belongs to another worker, too: not from the heap. */
	w->hand_to =
		rte_zmalloc("hand_to", env->n_workers * sizeof(*w->hand_to), RTE_CACHE_LINE_SIZE);
	return w->handover && w->hand_to ? 0 : -ENOMEM;
}

int worker_alloc(struct worker **wp, const struct worker_env *env, uint16_t id)
{
	struct worker *w = rte_zmalloc("worker", sizeof(*w), RTE_CACHE_LINE_SIZE);
	unsigned i;
	int rc;

	if (!w)
		return -ENOMEM;
	w->env = env;
	w->id = id;
	w->link.eth.src_addr = env->ue.mac;
	w->ue_sender = sender(&env->ue, id);
	w->host_sender = sender(&env->host, id);
	secret_random(&w->ip_id, sizeof(w->ip_id));
	secret_random(&w->fragment_id, sizeof(w->fragment_id));
	for (i = 0; i < WORKER_PKTS; i++) {
		w->pkts[i].job.user = &w->pkts[i];
		pkt_put(w, &w->pkts[i]);
	}
	rc = worker_parts_alloc(w);
	if (rc < 0) {
		worker_free(w);
		return rc;
	}
	rte_rcu_qsbr_thread_register(env->qsbr, id);
	rte_rcu_qsbr_thread_online(env->qsbr, id);
	w->registered = true;
	*wp = w;
	return 0;
}

static void worker_drain(struct worker *w)
{
	unsigned n = esp_engine_flush(w->engine, w->done), i;

	for (i = 0; i < n; i++) {
		struct pkt *p = w->done[i]->user;

		rte_pktmbuf_free(p->m);
	}
	for (i = 0; i < w->n_esp_ahead; i++)
		rte_pktmbuf_free(w->esp_ahead[w->esp_ahead_at][i]->m);
	for (i = 0; i < w->n_ahead; i++)
		rte_pktmbuf_free(w->ahead[w->ahead_at][i].m);
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->engine)
		worker_drain(w);
	if (w->registered) {
		(void)rte_rcu_qsbr_thread_offline(w->env->qsbr, w->id);
		(void)rte_rcu_qsbr_thread_unregister(w->env->qsbr, w->id);
	}
	esp_engine_free(w->engine);
	frag_free(w->frag);
	frag_free(w->frag_inner);
	pmtu_free(w->pmtu);
	control_ring_free(&w->control);
	handover_ring_free(w->handover);
	rte_free(w->hand_to);
	rte_free(w);
}
