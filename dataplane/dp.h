/* A data plane from the inside: for dp.c, tests and benchmarks. */
#pragma once

#include "dataplane.h"
#include "dataplane/keepalive.h"
#include "dataplane/worker.h"

struct dp {
	struct worker_env env;
	struct sa_table *sa;
	struct rte_mempool *whole; /* for ports that hand out whole datagrams; else NULL */
	struct control_wake wake;
	struct keepalive keepalive;
	struct worker *workers[DP_MAX_WORKERS];
	unsigned lcore[DP_MAX_WORKERS]; /* that runs it; 0: none */
	uint64_t bad_udp;		/* protected datagrams that control dropped */
	uint16_t next;			/* worker whose datagrams control reads first */
};

/* dp_alloc() without starting the workers: their owner calls worker_poll(). */
int dp_open(struct dp **dpp, const struct dp_config *conf, enum esp_backend backend);
