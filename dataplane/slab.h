/*
 * Zeroed memory for the big tables: huge pages where the system has them (explicit or transparent),
 * locked and left out of core dumps as far as the process may.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void *slab_alloc(size_t n); /* NULL: out of memory */
void slab_free(void *p, size_t n);
/* For slabs that hold keys: best effort, the lock limit may stand against it. */
void slab_protect(void *p, size_t n);
