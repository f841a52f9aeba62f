#include "bench/bench_churn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "bench/bench_traffic.h"

#define LOAD	     0.5 /* of the worker's top rate */
#define TOP_GROUPS   20000
#define LIVE_SETS    4096 /* installed at a time by the storm */
#define SAS_PER_SET  4	  /* two pairs, both ways */
#define WAIT_US	     1000
#define GAP_LONG_US  100
#define FIRST_NUMBER 0x800000 /* UEs that churn have addresses of their own */
#define NUMBERS	     0x100000

/* How much longer than at leisure groups took, in TSC cycles. */
struct gaps {
	uint64_t worst;
	uint64_t long_ones; /* over GAP_LONG_US */
};

/* The worker's side. */
struct forward {
	struct traffic traffic;
	const struct bench_options *o;
	_Atomic int ready, done;
	uint64_t top_cycles; /* of a group, undisturbed */
	struct gaps quiet;   /* before the storm: what the machine does by itself */
	struct gaps storm;
	uint64_t packets, cycles;
	uint64_t drops;
};

/* ---- forwarding --------------------------------------------------------------------------- */

static int cycles_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Median TSC cycles of a group, packets ready to packets out: the top rate. */
static uint64_t top_measure(struct forward *f)
{
	uint64_t *cycles = calloc(TOP_GROUPS, sizeof(*cycles)), median = 0;
	unsigned n;

	for (unsigned i = 0; cycles && i < TOP_GROUPS; i++)
		cycles[i] = traffic_group(&f->traffic, &n);
	if (cycles) {
		qsort(cycles, TOP_GROUPS, sizeof(*cycles), cycles_compare);
		median = cycles[TOP_GROUPS / 2];
	}
	free(cycles);
	return median;
}

static void gap_note(const struct forward *f, struct gaps *g, uint64_t taken)
{
	uint64_t gap = taken > f->top_cycles ? taken - f->top_cycles : 0;

	if (gap > g->worst)
		g->worst = gap;
	g->long_ones += gap > GAP_LONG_US * (rte_get_tsc_hz() / 1000000);
}

/*
 * A group every so often, at a fixed pace. The gap is how much longer than at leisure a group
 * waited and took, from when it was due; it includes whatever else the machine did.
 */
static void forward_paced(struct forward *f, struct gaps *g)
{
	uint64_t start = rte_rdtsc(), due = start, step, end;
	unsigned n;

	step = (uint64_t)((double)f->top_cycles / LOAD);
	end = start + (uint64_t)(f->o->seconds * (double)rte_get_tsc_hz());
	f->packets = 0;
	while (due < end) {
		while (rte_rdtsc() < due)
			worker_poll(f->traffic.worker);
		gap_note(f, g, traffic_group(&f->traffic, &n));
		f->packets += n;
		due += step;
		if (rte_rdtsc() > due + step) /* behind: the generator's time is not the worker's */
			due = rte_rdtsc();
	}
	f->cycles = rte_rdtsc() - start;
}

static int forward_run(void *arg)
{
	struct forward *f = arg;

	f->top_cycles = top_measure(f);
	forward_paced(f, &f->quiet);
	atomic_store(&f->ready, 1);
	forward_paced(f, &f->storm);
	traffic_finish(&f->traffic);
	for (unsigned i = 0; i < DP_DROP_COUNT; i++)
		f->drops += f->traffic.worker->c.drops[i];
	atomic_store(&f->done, 1);
	return 0;
}

/* ---- the storm ---------------------------------------------------------------------------- */

struct storm {
	struct world *world;
	sa_set_id live[LIVE_SETS];
	uint64_t installed, removed;
	uint32_t number;
};

/* One set more, and the oldest one less. */
static int storm_step(struct storm *s)
{
	sa_set_id *place = &s->live[s->installed % LIVE_SETS];
	struct sa_set set;
	int rc;

	if (*place) {
		dp_sa_remove(s->world->ours.dp, *place);
		s->removed++;
		*place = 0;
	}
	rc = world_install_ours(s->world, FIRST_NUMBER + s->number % NUMBERS, &set);
	if (rc < 0)
		return rc;
	*place = set.id;
	s->number++;
	s->installed++;
	return 0;
}

static int storm_run(struct storm *s, struct forward *f, double *seconds)
{
	uint64_t start;
	int rc = 0;

	while (!atomic_load(&f->ready))
		usleep(WAIT_US);
	start = rte_rdtsc();
	while (rc == 0 && !atomic_load(&f->done)) {
		rc = storm_step(s);
		if (rc == -ENOSPC) /* all wait for the workers' next quiescent state */
			rc = 0;
	}
	*seconds = (double)(rte_rdtsc() - start) / (double)rte_get_tsc_hz();
	return rc;
}

/* ---- both --------------------------------------------------------------------------------- */

static void churn_result(struct forward *f, const struct storm *s, struct bench_churn_result *r)
{
	const struct verify *v = &f->traffic.verify;
	double hz = (double)rte_get_tsc_hz();

	r->packets = f->packets;
	r->lost = f->traffic.made - f->traffic.delivered;
	r->sa_ops = (s->installed + s->removed) * SAS_PER_SET;
	r->mpps = (double)f->packets / ((double)f->cycles / hz) / 1e6;
	r->load = r->mpps * 1e6 * (double)f->top_cycles / TRAFFIC_GROUP / hz;
	r->worst_gap_us = (double)f->storm.worst / hz * 1e6;
	r->quiet_gap_us = (double)f->quiet.worst / hz * 1e6;
	r->gaps_long = f->storm.long_ones;
	r->quiet_gaps_long = f->quiet.long_ones;
	r->verified = r->lost == 0 && f->drops == 0 && v->checked > 0 && v->wrong == 0;
}

static int churn_run(struct forward *f, struct storm *s, struct bench_churn_result *r)
{
	unsigned lcore = rte_get_next_lcore(-1, 1, 0);
	int rc = rte_eal_remote_launch(forward_run, f, lcore);

	if (rc < 0)
		return rc;
	rc = storm_run(s, f, &r->seconds);
	while (rte_eal_get_lcore_state(lcore) == RUNNING)
		usleep(WAIT_US);
	rte_eal_wait_lcore(lcore);
	churn_result(f, s, r);
	return rc;
}

int bench_churn(struct world *w, const struct bench_options *o, struct bench_churn_result *r)
{
	struct forward *f = calloc(1, sizeof(*f));
	struct storm *s = calloc(1, sizeof(*s));
	int rc = f && s ? 0 : -ENOMEM;

	memset(r, 0, sizeof(*r));
	if (rc == 0)
		rc = traffic_init(&f->traffic, w, o, 0);
	if (rc == 0) {
		f->o = o;
		s->world = w;
		rc = churn_run(f, s, r);
	}
	if (f)
		traffic_fini(&f->traffic);
	free(f);
	free(s);
	return rc;
}
