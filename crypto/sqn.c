#include "crypto/sqn.h"

#define SEQ_MAX (SQN_MAX >> SQN_IND_BITS)

static uint64_t sqn_seq(uint64_t sqn)
{
	return sqn >> SQN_IND_BITS;
}

static unsigned sqn_ind(uint64_t sqn)
{
	return sqn & (SQN_INDS - 1);
}

uint64_t sqn_highest(const struct sqn_array *a)
{
	uint64_t highest = 0;

	/* SEQ 0 is never accepted, so 0 in the array means none yet under that IND. */
	for (unsigned ind = 0; ind < SQN_INDS; ind++) {
		uint64_t sqn = a->seq[ind] << SQN_IND_BITS | ind;

		if (a->seq[ind] > 0 && sqn > highest)
			highest = sqn;
	}
	return highest;
}

bool sqn_accept(struct sqn_array *a, uint64_t sqn)
{
	uint64_t seq = sqn_seq(sqn), seq_ms = sqn_seq(sqn_highest(a));

	if (sqn > SQN_MAX || seq <= a->seq[sqn_ind(sqn)])
		return false;
	if (seq > seq_ms && seq - seq_ms > SQN_DELTA)
		return false;
	a->seq[sqn_ind(sqn)] = seq;
	return true;
}

uint64_t sqn_next(uint64_t sqn)
{
	uint64_t seq = sqn_seq(sqn) + 1;

	if (seq > SEQ_MAX)
		return 0;
	return seq << SQN_IND_BITS | (sqn_ind(sqn) + 1) % SQN_INDS;
}

bool sqn_next_fits(uint64_t sqn_he, uint64_t sqn_ms)
{
	uint64_t seq = sqn_seq(sqn_next(sqn_he)), seq_ms = sqn_seq(sqn_ms);

	/* We know the card's highest SEQ only, not the one of each IND: above it is safe for all.
	 */
	return seq > seq_ms && seq - seq_ms <= SQN_DELTA;
}
