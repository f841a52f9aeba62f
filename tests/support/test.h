/* cmocka with the headers it wants first, and what every test here needs. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Pseudo-random numbers that are the same in each run: a failure can be repeated. */
struct test_random {
	uint64_t state;
};

uint32_t test_random(struct test_random *r);
/* 0 .. n - 1 */
uint32_t test_random_below(struct test_random *r, uint32_t n);
void test_random_fill(struct test_random *r, void *p, size_t n);
