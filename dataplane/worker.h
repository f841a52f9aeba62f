/*
 * A worker: everything one thread needs to carry packets from port to port and to control, run to
 * completion. worker_poll() is one turn of its loop; it runs without a thread just as well.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <rte_rcu_qsbr.h>
#include <rte_udp.h>

#include "crypto/esp.h"
#include "dataplane.h"
#include "dataplane/control_ring.h"
#include "dataplane/frag.h"
#include "dataplane/handover.h"
#include "dataplane/packet.h"
#include "dataplane/pmtu.h"
#include "dataplane/port.h"
#include "dataplane/sa_table.h"
#include "dataplane/slot_guess.h"
#include "dataplane/slowpath.h"
#include "dataplane/tcp_lookup.h"
#include "dataplane/tx.h"

#define WORKER_BURST	64
#define WORKER_PREFETCH 4 /* frames ahead */
/* One burst in each stage's hands beside those in the crypto engine */
#define WORKER_PKTS (ESP_MAX_FLIGHT + 5 * WORKER_BURST)
/* A packet does not wait longer than twice this for others to fill the lanes of the engine. */
#define WORKER_FLUSH_US 25

/* Where a worker's time goes, for who wants to know. */
enum worker_stage {
	WORKER_STAGE_POLL, /* rings, ports, and what belongs to no other stage */
	WORKER_STAGE_CLASSIFY,
	WORKER_STAGE_SA,    /* look-up; inbound also length and replay check */
	WORKER_STAGE_BUILD, /* outbound: UDP and IP header, ESP header, IV, trailer */
	WORKER_STAGE_CRYPTO,
	WORKER_STAGE_OPEN, /* inbound: ICV, replay update, trailer, selectors */
	WORKER_STAGE_DELIVER,
	WORKER_STAGES,
};

/* Of a burst, not of a packet: what is between two marks belongs to the stage that ends there. */
struct worker_clock {
	uint64_t last;
	uint64_t cycles[WORKER_STAGES];
};

const char *worker_stage_name(enum worker_stage stage);

/* What the workers of one data plane share; nothing of it changes while they run. */
struct worker_env {
	struct sa_view sa;
	const struct tcp_lookup *tcp;
	struct slowpath *slowpath;
	struct rte_rcu_qsbr *qsbr;
	struct rte_mempool *pool;  /* packets up to the MTU */
	struct rte_mempool *large; /* whole datagrams */
	enum esp_backend backend;
	struct port ue, host;
	bool has_host;
	bool own_neighbours; /* slow path resolves next hops by its own ARP and ND */
	struct ip_prefix local[DP_MAX_LOCAL];
	unsigned n_local;
	rte_be16_t sip_port;	 /* 0: none */
	rte_be16_t udp_enc_port; /* 0: none */
	uint16_t protected_min, protected_max;
	uint32_t idle_sleep_us;
	uint64_t flush_tsc, tick_tsc;
	struct control_wake *wake;
	struct worker **workers;
	uint16_t n_workers;
};

struct worker {
	const struct worker_env *env;
	uint16_t id;
	uint16_t ue_sender, host_sender; /* worker whose queue of that port we send by; often we */
	struct esp_engine *engine;
	struct iv_stream *iv;		/* the engine's */
	struct frag *frag, *frag_inner; /* on the wire; in tunnels */
	struct pmtu *pmtu;
	uint64_t now; /* TSC at the start of this turn */
	/* Jobs given to the engine, and back from it (in about that order). When as many have come
	 * back as had been given at `marked`, none in flight is older than that. */
	uint32_t jobs_given, jobs_back, jobs_mark;
	uint64_t marked;
	uint64_t next_tick;
	uint64_t quiescent_token; /* last reported */
	bool registered;	  /* with the QSBR */
	uint64_t noted;		  /* by pmtu_note(), last */
	uint16_t ip_id;
	uint32_t fragment_id;
	unsigned n_free; /* packet contexts */
	struct pkt *free[WORKER_PKTS];
	struct tx_batch tx_ue, tx_host;
	struct tx_link link; /* at the UE port */
	struct control_ring control;
	/* Taken from control, to be carried in the next turn; and the burst before. */
	struct control_out ahead[2][WORKER_BURST];
	unsigned n_ahead;
	uint8_t ahead_at;
	/* ESP received, with its SA's lines on their way; and the burst that is being opened. */
	struct pkt *esp_ahead[2][WORKER_BURST];
	unsigned n_esp_ahead;
	uint8_t esp_ahead_at;
	struct handover_batch *hand_to; /* by worker */
	struct slot_guess guess;
	sa_set_id last_set; /* of the last packet sent: they come in trains */
	struct esp_job *done[WORKER_BURST + ESP_MAX_FLIGHT];
	struct worker_clock *clock; /* NULL: nobody asks */
	struct dp_counters c __rte_cache_aligned;
	struct pkt pkts[WORKER_PKTS] __rte_cache_aligned;
	/* What other threads look at: nobody writes this line while packets flow. */
	_Atomic bool stop __rte_cache_aligned;
	struct rte_ring *handover; /* to this worker */
};

/* Two workers never write to one line, and none writes what another reads for each packet. */
_Static_assert(sizeof(struct worker) % RTE_CACHE_LINE_SIZE == 0, "no line with a neighbour");
_Static_assert(offsetof(struct worker, c) % RTE_CACHE_LINE_SIZE == 0, "counters: own lines");
_Static_assert(offsetof(struct worker, stop) % RTE_CACHE_LINE_SIZE == 0 &&
		       offsetof(struct worker, pkts) + sizeof(struct pkt) * WORKER_PKTS <=
			       offsetof(struct worker, stop) &&
		       offsetof(struct worker, handover) / RTE_CACHE_LINE_SIZE ==
			       offsetof(struct worker, stop) / RTE_CACHE_LINE_SIZE,
	       "a line for others, apart from what the worker writes");
_Static_assert(sizeof(struct pkt) % RTE_CACHE_LINE_SIZE == 0, "packets: own lines");
_Static_assert(sizeof(struct sa_block) % RTE_CACHE_LINE_SIZE == 0 &&
		       sizeof(struct tunnel) % RTE_CACHE_LINE_SIZE == 0,
	       "sets of different owners: own lines");

int worker_alloc(struct worker **wp, const struct worker_env *env, uint16_t id);
void worker_free(struct worker *w);

/* One turn: takes what is there, at most a burst from each source. Returns packets taken. */
unsigned worker_poll(struct worker *w);
/* Turns until w->stop; body of the worker's thread (lcore_function_t). */
int worker_run(void *worker);

/* ---- for the stages ----------------------------------------------------------------------- */

static inline void worker_drop(struct worker *w, struct rte_mbuf *m, enum dp_drop reason)
{
	w->c.drops[reason]++;
	rte_pktmbuf_free(m);
}

static inline void worker_mark(struct worker *w, enum worker_stage stage)
{
	uint64_t now;

	if (likely(!w->clock))
		return;
	now = rte_rdtsc();
	w->clock->cycles[stage] += now - w->clock->last;
	w->clock->last = now;
}

/* Never NULL: WORKER_PKTS suffices while every stage gives back what it took. */
static inline struct pkt *pkt_get(struct worker *w, struct rte_mbuf *m)
{
	struct pkt *p = w->free[--w->n_free];

	p->m = m;
	p->set = NULL;
	p->id = 0;
	p->fragment = false;
	p->udp_enc = false;
	p->l2_done = false;
	p->reason = 0;
	return p;
}

static inline void pkt_put(struct worker *w, struct pkt *p)
{
	w->free[w->n_free++] = p;
}

/* To control: a packet with its UDP header, checked; p->set and id: of its SA set, NULL and 0 in
 * clear. */
static inline void control_ring_push(struct worker *w, struct pkt *p, const struct rte_udp_hdr *udp)
{
	struct control_batch *b = p->set ? &w->control.secured : &w->control.clear;
	struct rte_mbuf *m = p->m;

	if (unlikely(b->n == CONTROL_BATCH))
		control_ring_batch_flush(w, b);
	m->data_off = (uint16_t)((const uint8_t *)(udp + 1) - (uint8_t *)m->buf_addr);
	b->pkt[b->n++] = (struct control_in){
		.m = m,
		.set = p->id,
		.ip_at = (uint16_t)(p->ip - (uint8_t *)m->buf_addr),
		.pair = (uint8_t)(p->slot % SA_PAIRS),
		.version = p->version,
	};
	pkt_put(w, p);
}

static inline void pkt_drop(struct worker *w, struct pkt *p, enum dp_drop reason)
{
	worker_drop(w, p->m, reason);
	pkt_put(w, p);
}

/* Runs a stage over a burst; what it drops is gone, the rest closes up. Returns how many. */
static __rte_always_inline unsigned pkt_filter(struct worker *w, struct pkt **p, unsigned n,
					       sa_packet_fn *stage)
{
	unsigned i, kept = 0;

	for (i = 0; i < n; i++) {
		int reason = stage(w, p[i]);

		if (likely(reason == PKT_KEEP))
			p[kept++] = p[i];
		else if (reason == PKT_TAKEN)
			pkt_put(w, p[i]);
		else
			pkt_drop(w, p[i], (enum dp_drop)reason);
	}
	return kept;
}

static inline bool worker_port_protected(const struct worker *w, rte_be16_t port)
{
	uint16_t host = rte_be_to_cpu_16(port);

	return host >= w->env->protected_min && host <= w->env->protected_max;
}

static inline bool worker_addr_local(const struct worker *w, const struct ip_addr *addr)
{
	unsigned i;

	for (i = 0; i < w->env->n_local; i++)
		if (ip_prefix_holds(&w->env->local[i], addr))
			return true;
	return false;
}

/* tx_ue_frame(), inline for what is short and goes by our own queue. */
static inline void tx_ue_frame_quick(struct worker *w, struct rte_mbuf *m)
{
	if (likely(rte_pktmbuf_data_len(m) <= w->env->ue.mtu + sizeof(struct rte_ether_hdr) &&
		   w->ue_sender == w->id && w->tx_ue.n < TX_BATCH))
		w->tx_ue.m[w->tx_ue.n++] = m;
	else
		tx_ue_frame(w, m);
}

/* tx_host_frame() likewise, of UDP and TCP: there is no ARP and the like in it. */
static inline void tx_host_frame_quick(struct worker *w, struct rte_mbuf *m)
{
	if (likely(rte_pktmbuf_data_len(m) <= w->env->host.mtu + sizeof(struct rte_ether_hdr) &&
		   w->env->has_host && w->host_sender == w->id && w->tx_host.n < TX_BATCH))
		w->tx_host.m[w->tx_host.n++] = m;
	else
		tx_host_frame(w, m);
}

/* Gives the packets' jobs to the engine, and goes on with those that come out. n <= WORKER_BURST.
 */
void worker_crypto(struct worker *w, struct pkt **p, unsigned n);
