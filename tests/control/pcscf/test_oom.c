/*
 * Every allocation of a story fails once: registration, challenged refresh, failures, calls both
 * ways, de-registration. The stories are those of the fuzzer's corpus, and so is the world that
 * they happen in: it asserts that nothing leaves on a set that is not installed, and that nothing
 * is left in the end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static struct { /* the linker's wrappers have no argument to pass it by */
	unsigned long made, fails;
} allocations;

static int fails_now(void)
{
	return ++allocations.made == allocations.fails;
}

void *__wrap_malloc(size_t n)
{
	return fails_now() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return fails_now() ? NULL : __real_realloc(p, n);
}

/* How many allocations a story makes, the `fails`th of them in vain. */
static unsigned long tell(const uint8_t *story, size_t n, unsigned long fails)
{
	allocations.made = 0;
	allocations.fails = fails;
	LLVMFuzzerTestOneInput(story, n);
	allocations.fails = 0;
	return allocations.made;
}

static size_t story_read(const char *name, uint8_t *buf, size_t cap)
{
	const char *corpus = getenv("FUZZ_CORPUS");
	char path[512];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", corpus ? corpus : "tests/fuzz/corpus/fuzz_pcscf",
		 name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(buf, 1, cap, f);
	fclose(f);
	assert_true(n > 0 && n < cap);
	return n;
}

static void each_allocation_fails_once(void **state)
{
	static const char *const names[] = {"registered", "refresh", "reauth", "failure",   "dereg",
					    "call",	  "called",  "cancel", "abandoned", "raw"};
	static uint8_t story[8192];

	(void)state;
	for (unsigned i = 0; i < N_OF(names); i++) {
		size_t n = story_read(names[i], story, sizeof(story));
		/* the world is there before the story, and is not what is tested here */
		unsigned long first = tell(story, 0, 0), all = tell(story, n, 0);

		assert_true(all > first);
		for (unsigned long k = first + 1; k <= all; k++)
			(void)tell(story, n, k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
