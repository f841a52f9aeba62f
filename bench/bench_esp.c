#include "bench/bench_esp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "bench/bench_floor.h"
#include "bench/bench_traffic.h"

/*
 * Pipeline and floor take turns in slices of about 100 us, so what else the machine does
 * hits both; the median over the slices leaves out those in which it was taken away.
 */
#define SLICE_CYCLES 300000
#define MAX_SLICES   100000
#define WARM_GROUPS  64
#define WARM_JOBS    4096
#define FLOOR_JOBS   256
#define WAIT_US	     1000

struct slices {
	double *cycles; /* per packet */
	unsigned n;
};

/* One worker and the thread that drives it. */
struct lane {
	const struct bench_options *o;
	struct traffic traffic;
	struct floor *floor;
	struct slices pipeline, bare, stages[WORKER_STAGES];
	struct worker_clock clock;
	uint64_t packets, drops;
	bool verified;
};

static int double_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int slices_alloc(struct slices *s)
{
	s->cycles = calloc(MAX_SLICES, sizeof(s->cycles[0]));
	return s->cycles ? 0 : -ENOMEM;
}

static double slices_median(struct slices *s)
{
	if (s->n == 0)
		return 0;
	qsort(s->cycles, s->n, sizeof(s->cycles[0]), double_compare);
	return s->cycles[s->n / 2];
}

static void slices_add(struct slices *s, uint64_t cycles, uint64_t packets)
{
	if (packets && s->n < MAX_SLICES)
		s->cycles[s->n++] = (double)cycles / (double)packets;
}

static void pipeline_slice(struct lane *l)
{
	uint64_t cycles = 0, packets = 0;
	unsigned n, i;

	memset(&l->clock, 0, sizeof(l->clock));
	while (cycles < SLICE_CYCLES) {
		cycles += traffic_group(&l->traffic, &n);
		packets += n;
	}
	slices_add(&l->pipeline, cycles, packets);
	for (i = 0; l->o->stages && i < WORKER_STAGES; i++)
		slices_add(&l->stages[i], l->clock.cycles[i], packets);
	l->packets += packets;
}

static void floor_slice(struct lane *l)
{
	uint64_t cycles = 0, packets = 0;

	while (cycles < SLICE_CYCLES) {
		cycles += floor_run(l->floor, FLOOR_JOBS);
		packets += FLOOR_JOBS;
	}
	slices_add(&l->bare, cycles, packets);
}

/* A UE's first packet looks its next hop up; what is measured are those that follow. */
static void warm_up(struct lane *l)
{
	unsigned n;

	for (unsigned i = 0; i < WARM_GROUPS || l->traffic.swept < l->traffic.n_flows; i++)
		(void)traffic_group(&l->traffic, &n);
	(void)floor_run(l->floor, WARM_JOBS);
}

static uint64_t drops_total(const struct worker *w)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < DP_DROP_COUNT; i++)
		n += w->c.drops[i];
	return n;
}

/* Nothing lost, enough compared and nothing wrong. */
static bool lane_verified(struct lane *l)
{
	const struct verify *v = &l->traffic.verify;
	bool all;

	traffic_finish(&l->traffic);
	l->drops = drops_total(l->traffic.worker);
	all = l->traffic.delivered == l->traffic.made && v->checked > 0 && v->wrong == 0;
	all = all && l->drops == 0;
	return all && (!l->o->inbound || traffic_replays_dropped(&l->traffic));
}

static int lane_run(void *arg)
{
	struct lane *l = arg;
	uint64_t end;

	warm_up(l);
	end = rte_rdtsc() + (uint64_t)(l->o->seconds * (double)rte_get_tsc_hz());
	if (l->o->stages)
		l->traffic.worker->clock = &l->clock;
	l->packets = 0;
	do {
		pipeline_slice(l);
		floor_slice(l);
	} while (rte_rdtsc() < end);
	l->traffic.worker->clock = NULL;
	l->verified = lane_verified(l);
	return 0;
}

static int lane_init(struct lane *l, struct world *w, const struct bench_options *o, uint16_t i)
{
	int rc = traffic_init(&l->traffic, w, o, i);

	l->o = o;
	if (rc == 0)
		rc = slices_alloc(&l->pipeline);
	if (rc == 0)
		rc = slices_alloc(&l->bare);
	for (unsigned stage = 0; rc == 0 && stage < WORKER_STAGES; stage++)
		rc = slices_alloc(&l->stages[stage]);
	return rc == 0 ? floor_alloc(&l->floor, o) : rc;
}

static void lane_fini(struct lane *l)
{
	traffic_fini(&l->traffic);
	floor_free(l->floor);
	free(l->pipeline.cycles);
	free(l->bare.cycles);
	for (unsigned stage = 0; stage < WORKER_STAGES; stage++)
		free(l->stages[stage].cycles);
}

static void lane_result(struct lane *l, struct bench_esp_result *r, unsigned lanes)
{
	double hz = (double)rte_get_tsc_hz();
	double cycles = slices_median(&l->pipeline), floor = slices_median(&l->bare);

	r->packets += l->packets;
	r->cycles += cycles / lanes;
	r->floor_cycles += floor / lanes;
	r->mpps += cycles > 0 ? hz / cycles / 1e6 : 0;
	r->floor_mpps += floor > 0 ? hz / floor / 1e6 : 0;
	r->checked += l->traffic.verify.checked;
	r->drops += l->drops;
	r->verified &= l->verified;
	for (unsigned i = 0; i < WORKER_STAGES; i++)
		r->stage_cycles[i] += slices_median(&l->stages[i]) / lanes;
}

/* Each lane on an EAL thread of its own. */
static int lanes_run(struct lane *lanes, unsigned n)
{
	unsigned lcore, i = 0;
	int rc = 0;

	RTE_LCORE_FOREACH_WORKER(lcore)
	{
		if (i < n && rc == 0)
			rc = rte_eal_remote_launch(lane_run, &lanes[i++], lcore);
	}
	RTE_LCORE_FOREACH_WORKER(lcore)
	while (rte_eal_get_lcore_state(lcore) == RUNNING)
		usleep(WAIT_US); /* rte_eal_wait_lcore() would spin on a CPU that they need */
	rte_eal_mp_wait_lcore();
	return i == n ? rc : -EINVAL;
}

int bench_esp(struct world *w, const struct bench_options *o, struct bench_esp_result *r)
{
	struct lane *lanes = calloc(o->workers, sizeof(*lanes));
	int rc = lanes ? 0 : -ENOMEM;
	uint16_t i;

	memset(r, 0, sizeof(*r));
	r->verified = true;
	for (i = 0; rc == 0 && i < o->workers; i++)
		rc = lane_init(&lanes[i], w, o, i);
	if (rc == 0)
		rc = lanes_run(lanes, o->workers);
	for (i = 0; rc == 0 && i < o->workers; i++)
		lane_result(&lanes[i], r, o->workers);
	r->rss = world_rss();
	r->octets_per_sa = world_octets_per_sa(w);
	for (i = 0; lanes && i < o->workers; i++)
		lane_fini(&lanes[i]);
	free(lanes);
	return rc;
}
