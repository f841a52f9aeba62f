/* Results of esplanade-bench: text, or the JSON objects of the design, section 6. */
#pragma once

#include "bench/bench_options.h"
#include "dataplane/worker.h"

struct bench_esp_result {
	uint64_t packets;
	double mpps, floor_mpps;     /* all workers together */
	double cycles, floor_cycles; /* per packet of one worker; medians of slices */
	double stage_cycles[WORKER_STAGES];
	uint64_t checked; /* packets compared with the other back end */
	uint64_t drops;
	uint64_t rss;
	double octets_per_sa; /* 0: too few SAs to tell */
	bool verified;
};

struct bench_churn_result {
	uint64_t packets, lost, sa_ops;
	double seconds, load, mpps;	     /* load: part of the top rate */
	double worst_gap_us, quiet_gap_us;   /* with SAs that come and go; before, without */
	uint64_t gaps_long, quiet_gaps_long; /* over 100 us */
	bool verified;
};

struct bench_signal_result {
	uint64_t sent, received;
	uint64_t injected_lost, injected_replayed, injected_damaged; /* packets, by the wire */
	uint64_t replay_drops, icv_failures, other_drops;	     /* by the data plane */
	double seconds, p50_us, p99_us; /* from dp_send() of the UE to dp_recv() of the P-CSCF */
	bool verified;			/* it dropped what was injected, and nothing else */
};

void bench_signal_print(const struct bench_options *o, const struct bench_signal_result *r,
			FILE *f);
void bench_esp_print(const struct bench_options *o, const struct bench_esp_result *r, FILE *f);
void bench_churn_print(const struct bench_options *o, const struct bench_churn_result *r, FILE *f);
