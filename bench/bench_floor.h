/*
 * The floor under ESP's cost: the crypto library alone, with packets of the same lengths and the
 * same algorithms, one key, buffers in cache, and its lanes always full.
 */
#pragma once

#include "bench/bench_options.h"

struct floor;

int floor_alloc(struct floor **fp, const struct bench_options *o);
void floor_free(struct floor *f);

/* Processes n packets; returns TSC cycles. */
uint64_t floor_run(struct floor *f, unsigned n);
