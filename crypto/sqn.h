/*
 * Sequence numbers of AKA: SQN = SEQ || IND, IND in the five lowest bits (TS 33.102 Annex C.1.1,
 * C.2, with the values of C.3.2: an array of 32).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SQN_IND_BITS 5
#define SQN_INDS     (1 << SQN_IND_BITS)
#define SQN_MAX	     ((UINT64_C(1) << 48) - 1)
#define SQN_DELTA    (UINT64_C(1) << 28) /* largest jump of SEQ that a card takes (C.2.1) */

/* The card's memory: for each IND the highest SEQ accepted. All zero at first. */
struct sqn_array {
	uint64_t seq[SQN_INDS];
};

/* Is sqn fresh (SEQ > SEQ of its IND, and SEQ - SEQ_MS <= DELTA)? If so it is stored. */
bool sqn_accept(struct sqn_array *a, uint64_t sqn);
/* SQN_MS for AUTS: the highest accepted. */
uint64_t sqn_highest(const struct sqn_array *a);
/* The next number the home network gives out: SEQ + 1 and the next IND (C.1.1.1). 0 past the end.
 */
uint64_t sqn_next(uint64_t sqn);
/* Is sqn_next(sqn_he) acceptable to a card at sqn_ms? (C.3.4: if not, resynchronise to sqn_ms.) */
bool sqn_next_fits(uint64_t sqn_he, uint64_t sqn_ms);
