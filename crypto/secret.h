/* What secrets need: memory locked in RAM and left out of core dumps, wiping, comparing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once per process, before anything else of crypto/: 0 or -EIO. Turns core dumps off, and locks all
 * memory of the process as it is touched, if it may lock without limit (root, CAP_IPC_LOCK). */
int secret_init(void);

/* Locks and marks MADV_DONTDUMP memory that somebody else allocated. 0 or negative errno. */
int secret_protect(void *p, size_t n);
/* Can this process lock memory (RLIMIT_MEMLOCK, CAP_IPC_LOCK)? */
bool secret_locked(void);

void secret_wipe(void *p, size_t n);
bool secret_eq(const void *a, const void *b, size_t n); /* constant time */
void secret_random(void *p, size_t n);

/* Random numbers fetched many at a time, for who needs one often: zero it at first. */
struct secret_words {
	unsigned left;
	uint32_t words[256];
};

uint32_t secret_word(struct secret_words *w);
