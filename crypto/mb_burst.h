/*
 * Many packets of one direction and one pair of algorithms in one call: the library's own burst
 * calls, which carry nothing from one call to the next. With this many packets they cost less than
 * one job at a time (docs/performance.md); with fewer, lanes stay empty.
 */
#pragma once

#include "crypto/mb_key.h"

#define MB_BURST     64
#define MB_BURST_MIN 32 /* fewer are better off one by one */

struct mb_burst;

/* As mb_manager_alloc(). */
int mb_burst_alloc(struct mb_burst **bp);
void mb_burst_free(struct mb_burst *b);

/* Can this packet be one of a burst? Bursts of the same number are of the same kind. -1: no. */
static inline int mb_burst_kind(const struct esp_job *job)
{
	const struct mb_key *key = mb_key_of(job);

	if (key->hash->alg != IMB_AUTH_HMAC_SHA_1)
		return -1;
	if (key->cipher->mode == IMB_CIPHER_CBC)
		return 2 + job->inbound;
	return key->cipher->mode == IMB_CIPHER_NULL ? job->inbound : -1;
}

#define MB_BURST_KINDS 4

/* Finishes all n <= MB_BURST jobs of that kind: sets their status. */
void mb_burst_run(struct mb_burst *b, unsigned kind, struct esp_job *const *jobs, unsigned n);
