#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "tests/support/test.h"

/* Does the kernel's line "VmFlags:" of the mapping that holds p have this two-letter flag? */
static bool mapping_has_flag(const void *p, const char *flag)
{
	FILE *f = fopen("/proc/self/smaps", "r");
	unsigned long start, end;
	bool inside = false, found = false;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = (unsigned long)p >= start && (unsigned long)p < end;
		else if (inside && strncmp(line, "VmFlags:", 8) == 0)
			found = strstr(line, flag) != NULL;
	}
	fclose(f);
	return found;
}

/* Not so under a lock limit, nor under the address sanitizer, whose mlock() does nothing. */
static bool locking_works(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool works;

	assert_ptr_not_equal(p, MAP_FAILED);
	works = mlock(p, page) == 0 && mapping_has_flag(p, " lo");
	munmap(p, page);
	return works;
}

static void init_turns_core_dumps_off(void **state)
{
	struct rlimit limit;

	(void)state;
	assert_int_equal(secret_init(), 0);
	assert_int_equal(secret_init(), 0);
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	assert_int_equal(limit.rlim_cur, 0);
}

static void protects_memory_of_others(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *p =
		mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(p, MAP_FAILED);
	assert_false(mapping_has_flag(p + page, " dd"));
	if (locking_works()) {
		assert_true(secret_locked());
		/* from within the second page into the third */
		assert_int_equal(secret_protect(p + page + 100, page), 0);
		assert_true(mapping_has_flag(p + page, " lo"));
		assert_true(mapping_has_flag(p + 2 * page, " lo"));
	}
	secret_protect(p + page + 100, page);
	assert_true(mapping_has_flag(p + page, " dd"));
	assert_true(mapping_has_flag(p + 2 * page, " dd"));
	assert_false(mapping_has_flag(p + 3 * page, " dd"));
	assert_int_equal(secret_protect(p, 0), 0);
	munmap(p, 4 * page);
	assert_int_equal(secret_protect(p, page), -ENOMEM); /* nothing there any more */
}

static void compares_and_wipes(void **state)
{
	uint8_t a[40], b[40];

	(void)state;
	secret_random(a, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(secret_eq(a, b, sizeof(a)));
	assert_true(secret_eq(a, b, 0));
	for (unsigned i = 0; i < sizeof(a); i++) {
		b[i] ^= 1;
		assert_false(secret_eq(a, b, sizeof(a)));
		b[i] ^= 1;
	}
	secret_wipe(a + 1, sizeof(a) - 2);
	assert_int_equal(a[0], b[0]);
	assert_int_equal(a[39], b[39]);
	for (unsigned i = 1; i < sizeof(a) - 1; i++)
		assert_int_equal(a[i], 0);
}

static void random_differs(void **state)
{
	uint8_t a[32] = {0}, b[32] = {0};

	(void)state;
	secret_random(a, sizeof(a));
	secret_random(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
	memset(b, 7, sizeof(b));
	secret_random(b + 8, 16);
	for (unsigned i = 0; i < 8; i++)
		assert_true(b[i] == 7 && b[31 - i] == 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_turns_core_dumps_off),
		cmocka_unit_test(protects_memory_of_others),
		cmocka_unit_test(compares_and_wipes),
		cmocka_unit_test(random_differs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
