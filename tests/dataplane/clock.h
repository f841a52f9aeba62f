/* Before all else of a source: its TSC is the one of test_lifetime.c, which can run ahead. */
#pragma once

#include <stdint.h>

#include <rte_cycles.h>

uint64_t clock_tsc(void);

#define rte_rdtsc clock_tsc
