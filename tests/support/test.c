#include "tests/support/test.h"

/* A 64-bit linear congruential generator (multiplier of Knuth's MMIX), upper half. */
uint32_t test_random(struct test_random *r)
{
	r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(r->state >> 32);
}

uint32_t test_random_below(struct test_random *r, uint32_t n)
{
	return (uint32_t)(((uint64_t)test_random(r) * n) >> 32);
}

void test_random_fill(struct test_random *r, void *p, size_t n)
{
	uint8_t *out = p;

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(test_random(r) >> 24);
}
