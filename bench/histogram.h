/* Durations by size, about 3 % apart: percentiles of any number of values in little memory. */
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 1920 /* all of 64 bits */

struct histogram { /* zeroed memory is empty */
	uint64_t count;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *h, uint64_t value);
/* The least value that `percent` of all values do not exceed, up to the width of its bucket; 0 if
 * empty. */
uint64_t histogram_percentile(const struct histogram *h, unsigned percent);
