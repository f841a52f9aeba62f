/* esplanade-bench churn: SA sets come and go while packets flow. */
#pragma once

#include "bench/bench_result.h"
#include "bench/bench_world.h"

/* Sets that churn, beside those that carry packets: room for so many more. */
#define CHURN_SETS 65536

int bench_churn(struct world *w, const struct bench_options *o, struct bench_churn_result *r);
