/* Addresses of the simulated UEs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/pool.h"

static void check(const char *prefix, uint32_t n, uint32_t i, const char *expected)
{
	struct ip_prefix p;
	struct pool pool;
	struct ip_addr a;
	char text[IP_ADDR_STRLEN];

	assert_int_equal(pool_prefix_parse(&p, prefix), 0);
	assert_int_equal(pool_init(&pool, &p, n), 0);
	pool_addr(&pool, i, &a);
	assert_string_equal(ip_addr_format(&a, text), expected);
	assert_int_equal(pool_index(&pool, &a), i);
	pool_addr(&pool, n, &a);
	assert_int_equal(pool_index(&pool, &a), -ENOENT);
}

static void there_and_back(void **state)
{
	(void)state;
	check("10.45.0.0/16", 65535, 0, "10.45.0.1");
	check("10.45.0.0/16", 65534, 255, "10.45.1.0");
	check("10.0.0.0/8", 1000000, 999999, "10.15.66.64");
	check("fd00:45::/64", 2000, 1999, "fd00:45::7d0");
	check("fd00:45::/112", 65535, 65534, "fd00:45::ffff");
}

static void limits(void **state)
{
	struct ip_prefix p;
	struct pool pool;
	struct ip_addr a;

	(void)state;
	assert_int_equal(pool_prefix_parse(&p, "10.45.0.0/30"), 0);
	assert_int_equal(pool_init(&pool, &p, 3), 0);
	assert_int_equal(pool_init(&pool, &p, 4), -ENOSPC);
	assert_int_equal(pool_prefix_parse(&p, "fd00::/64"), 0);
	assert_int_equal(pool_init(&pool, &p, UINT32_MAX), 0);
	assert_int_equal(pool_init(&pool, &p, 10), 0);
	ip_addr_parse(&a, "fd00::");
	assert_int_equal(pool_index(&pool, &a), -ENOENT);
	ip_addr_parse(&a, "fd01::1");
	assert_int_equal(pool_index(&pool, &a), -ENOENT);
	ip_addr_parse(&a, "10.0.0.1");
	assert_int_equal(pool_index(&pool, &a), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
