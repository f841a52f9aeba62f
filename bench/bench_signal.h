/*
 * DP-13: a population of UEs with valid SA sets sends protected signalling at a chosen rate through
 * both data planes, over a wire in memory that loses, repeats and damages packets. What arrives,
 * what is dropped and why is counted and compared with what was injected.
 */
#pragma once

#include "bench/bench_options.h"
#include "bench/bench_result.h"
#include "bench/bench_world.h"

/* The world has to be one for inbound traffic. 0 or negative errno. */
int bench_signal(struct world *w, const struct bench_options *o, struct bench_signal_result *r);
