/* What secrets need: memory locked in RAM and left out of core dumps, wiping, comparing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Once per process, before anything else of crypto/: 0 or -EIO. Also turns core dumps of secrets
 * off. */
int secret_init(void);

/* Locks and marks MADV_DONTDUMP memory that somebody else allocated. 0 or negative errno. */
int secret_protect(void *p, size_t n);
/* Can this process lock memory (RLIMIT_MEMLOCK, CAP_IPC_LOCK)? */
bool secret_locked(void);

void secret_wipe(void *p, size_t n);
bool secret_eq(const void *a, const void *b, size_t n); /* constant time */
void secret_random(void *p, size_t n);
