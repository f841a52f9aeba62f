#include "bench/histogram.h"

#define SUB_BITS 5 /* 32 buckets per octave, once past the first 64 values */
#define SUBS	 (1u << SUB_BITS)

static unsigned bucket_of(uint64_t v)
{
	unsigned shift;

	if (v < 2 * SUBS)
		return (unsigned)v;
	shift = 63u - (unsigned)__builtin_clzll(v) - SUB_BITS;
	return SUBS * shift + (unsigned)(v >> shift);
}

/* The largest value in the bucket. */
static uint64_t bucket_top(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * SUBS)
		return bucket;
	shift = bucket / SUBS - 1;
	return ((uint64_t)(bucket % SUBS + SUBS + 1) << shift) - 1;
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->buckets[bucket_of(value)]++;
	h->count++;
}

uint64_t histogram_percentile(const struct histogram *h, unsigned percent)
{
	uint64_t rank = (h->count * percent + 99) / 100, seen = 0;

	if (rank == 0)
		rank = 1;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS && h->count; i++) {
		seen += h->buckets[i];
		if (seen >= rank)
			return bucket_top(i);
	}
	return 0;
}
