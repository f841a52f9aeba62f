#include "dataplane/slab.h"

#include <stdint.h>
#include <sys/mman.h>

#include <rte_eal.h>

#include "crypto/secret.h"

#define SLAB_PAGE ((size_t)2 << 20)

static size_t slab_size(size_t n)
{
	return (n + SLAB_PAGE - 1) & ~(SLAB_PAGE - 1);
}

static void *slab_map(size_t n, int flags)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Transparent huge pages only cover whole aligned 2 MB: map more and give back both ends. */
static void *slab_map_aligned(size_t n)
{
	uint8_t *p = slab_map(n + SLAB_PAGE, 0), *start;
	size_t before;

	if (!p)
		return NULL;
	start = (uint8_t *)slab_size((size_t)p);
	before = (size_t)(start - p);
	if (before)
		munmap(p, before);
	if (before < SLAB_PAGE)
		munmap(start + n, SLAB_PAGE - before);
	madvise(start, n, MADV_HUGEPAGE);
	return start;
}

void *slab_alloc(size_t n)
{
	void *p = NULL;

	if (rte_eal_has_hugepages())
		p = slab_map(slab_size(n), MAP_HUGETLB);
	return p ? p : slab_map_aligned(slab_size(n));
}

void slab_free(void *p, size_t n)
{
	if (p)
		munmap(p, slab_size(n));
}

void slab_protect(void *p, size_t n)
{
	/* The lock limit of a plain user is small. The keys are wiped all the same. */
	(void)secret_protect(p, slab_size(n));
}
