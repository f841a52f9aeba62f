/* Percentiles, against sorting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/histogram.h"

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The exact value, or up to a 32nd more. */
static void assert_near(uint64_t got, uint64_t exact)
{
	assert_true(got >= exact);
	assert_true(got - exact <= exact / 32);
}

static void against_sorting(void **state)
{
	static uint64_t values[5000];
	struct histogram *h = calloc(1, sizeof(*h));
	unsigned seed = 7;
	const unsigned n = sizeof(values) / sizeof(values[0]);

	(void)state;
	assert_non_null(h);
	for (unsigned i = 0; i < n; i++) {
		values[i] = (uint64_t)rand_r(&seed) << rand_r(&seed) % 33 >> 16;
		histogram_add(h, values[i]);
	}
	qsort(values, n, sizeof(values[0]), by_size);
	assert_int_equal(h->count, n);
	assert_near(histogram_percentile(h, 50), values[n / 2 - 1]);
	assert_near(histogram_percentile(h, 99), values[n * 99 / 100 - 1]);
	assert_near(histogram_percentile(h, 100), values[n - 1]);
	free(h);
}

static void edges(void **state)
{
	static const uint64_t values[] = {0,   1,   63,	 64,   65,   127,	 128,
					  129, 255, 256, 4095, 4096, UINT32_MAX, UINT64_MAX};

	(void)state;
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct histogram *h = calloc(1, sizeof(*h));

		assert_non_null(h);
		assert_int_equal(histogram_percentile(h, 50), 0);
		histogram_add(h, values[i]);
		assert_near(histogram_percentile(h, 0), values[i]);
		assert_near(histogram_percentile(h, 50), values[i]);
		assert_near(histogram_percentile(h, 99), values[i]);
		free(h);
	}
}

static void few_values(void **state)
{
	struct histogram *h = calloc(1, sizeof(*h));

	(void)state;
	assert_non_null(h);
	for (uint64_t v = 1; v <= 4; v++)
		histogram_add(h, v);
	assert_int_equal(histogram_percentile(h, 50), 2);
	assert_int_equal(histogram_percentile(h, 51), 3);
	assert_int_equal(histogram_percentile(h, 99), 4);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(against_sorting),
		cmocka_unit_test(edges),
		cmocka_unit_test(few_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
