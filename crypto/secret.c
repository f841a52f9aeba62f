#include "crypto/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

int secret_init(void)
{
	/* Keys pass through stacks and packet buffers too, which no MADV_DONTDUMP covers. */
	static const struct rlimit no_core = {0, 0};

	if (sodium_init() < 0 || setrlimit(RLIMIT_CORE, &no_core) != 0)
		return -EIO;
	return 0;
}

void *secret_alloc(size_t n)
{
	/* sodium_malloc() puts the end of the memory at a page's end: keep the start aligned. */
	size_t size = (n + 63) & ~(size_t)63;
	void *p = size < n ? NULL : sodium_malloc(size);

	if (p)
		memset(p, 0, size);
	return p;
}

void secret_free(void *p)
{
	sodium_free(p);
}

int secret_protect(void *p, size_t n)
{
	uintptr_t mask = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
	uintptr_t start = (uintptr_t)p & ~mask;
	size_t size = (((uintptr_t)p + n + mask) & ~mask) - start;

	if (n == 0)
		return 0;
	if (madvise((void *)start, size, MADV_DONTDUMP) != 0 || mlock((void *)start, size) != 0)
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
