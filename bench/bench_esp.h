/* esplanade-bench esp: the pipeline of a worker against the bare crypto library. */
#pragma once

#include "bench/bench_result.h"
#include "bench/bench_world.h"

/* The data planes are open; 0 or negative errno. */
int bench_esp(struct world *w, const struct bench_options *o, struct bench_esp_result *r);
