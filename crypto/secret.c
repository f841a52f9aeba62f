#include "crypto/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * Keys pass through heap, stacks and packet buffers too: all pages are locked as they are touched.
 * Only without a limit, since with one, later allocations would fail at it.
 */
static void lock_all(void)
{
	static const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit now;

	(void)setrlimit(RLIMIT_MEMLOCK, &all);
	if (getrlimit(RLIMIT_MEMLOCK, &now) == 0 && now.rlim_cur == RLIM_INFINITY)
		(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

int secret_init(void)
{
	/* No MADV_DONTDUMP covers heap, stacks and packet buffers. */
	static const struct rlimit no_core = {0, 0};

	if (sodium_init() < 0 || setrlimit(RLIMIT_CORE, &no_core) != 0)
		return -EIO;
	lock_all();
	return 0;
}

int secret_protect(void *p, size_t n)
{
	uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t start = (uintptr_t)p & ~mask;
	size_t size = (((uintptr_t)p + n + mask) & ~mask) - start;

	if (n == 0)
		return 0;
	if (madvise((void *)start, size, MADV_DONTDUMP) != 0 ||
	    mlock2((void *)start, size, MLOCK_ONFAULT) != 0)
		return -errno;
	return 0;
}

bool secret_locked(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool locked;

	if (p == MAP_FAILED)
		return false;
	locked = mlock(p, page) == 0;
	munmap(p, page);
	return locked;
}

void secret_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}

bool secret_eq(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

void secret_random(void *p, size_t n)
{
	randombytes_buf(p, n);
}

uint32_t secret_word(struct secret_words *w)
{
	if (w->left == 0) {
		secret_random(w->words, sizeof(w->words));
		w->left = sizeof(w->words) / sizeof(w->words[0]);
	}
	return w->words[--w->left];
}
