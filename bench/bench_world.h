/*
 * What the benchmarks of the data plane run on: the data plane that is measured ("ours", a P-CSCF)
 * and the UEs' side ("peer", a second data plane), joined by memory. Workers have no threads of
 * their own: whoever measures calls worker_poll().
 */
#pragma once

#include "bench/bench_options.h"
#include "dataplane/dp.h"

#define WORLD_RING 4096

/* One data plane with its UE port; a pair of rings per worker, seen from outside. */
struct world_side {
	struct dp *dp;
	struct rte_ring *to[BENCH_MAX_WORKERS], *from[BENCH_MAX_WORKERS];
	uint16_t port;
	bool has_port;
};

/* An SA set, installed on both sides. */
struct world_set {
	sa_set_id ours, peers;
};

struct world {
	struct world_side ours, peer;
	struct rte_mempool *pool; /* packets of the benchmark, and only those */
	struct world_set *sets;
	uint32_t n_sets;
	uint64_t rss_before, rss_ours; /* resident octets without, and with our data plane's SAs */
	uint8_t ip;
	enum sa_mode mode;
	enum sa_integ integ;
	enum sa_encr encr;
};

/* Sets for o->sas SAs of one direction, plus `spare` places for more. Negative errno. */
int world_alloc(struct world **wp, const struct bench_options *o, uint32_t spare);
void world_free(struct world *w);

/* Keys of the UE with that number. */
void world_keys(uint32_t number, struct sa_keys *keys);
/* Reserves and installs the set of that UE on our side; *set is what was installed. */
int world_install_ours(struct world *w, uint32_t number, struct sa_set *set);
/* The worker of ours that owns that UE */
uint16_t world_owner(const struct world *w, uint32_t number);

/* Which octets of the SA table and all that belongs to it fall to one SA; 0: too few to tell. */
double world_octets_per_sa(const struct world *w);
uint64_t world_rss(void);

/* Frames of the two slow paths (ARP, ND) to the other side. */
void world_exchange(struct world *w);
