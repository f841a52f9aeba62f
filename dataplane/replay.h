/*
 * Anti-replay service (RFC 4303 3.4.3), 32-bit sequence numbers: a ring of bits, one for each of
 * the last `bits` numbers, of which the newest `window` count.
 *
 * Ring size is a power of two, so the place of a number is a mask; numbers that come into range
 * are cleared when the top moves, so nothing is ever shifted.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define REPLAY_WINDOW_MIN 32
#define REPLAY_WINDOW_MAX 1024
#define REPLAY_WORD_BITS  64

/* The same for all SAs of a table. */
struct replay_size {
	uint32_t window; /* numbers that are told apart, behind and with the highest */
	uint32_t mask;	 /* ring bits - 1 */
};

static inline struct replay_size replay_size(uint32_t window)
{
	uint32_t bits = REPLAY_WORD_BITS;

	while (bits < window)
		bits *= 2;
	return (struct replay_size){.window = window, .mask = bits - 1};
}

static inline uint32_t replay_octets(struct replay_size size)
{
	return (size.mask + 1) / 8;
}

/* Is seq new? `top` is the highest number accepted so far, 0 at first. Number 0 is never sent. */
static inline bool replay_check(struct replay_size size, const uint64_t *ring, uint32_t top,
				uint32_t seq)
{
	uint32_t bit = seq & size.mask;

	if (seq > top)
		return true;
	if (seq == 0 || top - seq >= size.window)
		return false;
	return !(ring[bit / REPLAY_WORD_BITS] >> (bit % REPLAY_WORD_BITS) & 1);
}

/* Clears the bits of the numbers first..first + n - 1; n less than the ring's size. */
static inline void replay_clear(struct replay_size size, uint64_t *ring, uint32_t first, uint32_t n)
{
	while (n > 0) {
		uint32_t bit = first & size.mask, at = bit % REPLAY_WORD_BITS;
		uint32_t part = REPLAY_WORD_BITS - at < n ? REPLAY_WORD_BITS - at : n;

		ring[bit / REPLAY_WORD_BITS] &= ~(UINT64_MAX >> (REPLAY_WORD_BITS - part) << at);
		first += part;
		n -= part;
	}
}

/* Takes a number that replay_check() found new, once its ICV is known to be good. */
static inline void replay_update(struct replay_size size, uint64_t *ring, uint32_t *top,
				 uint32_t seq)
{
	uint32_t bit = seq & size.mask;

	if (seq == *top + 1) { /* in order: its own bit is the only one to come into range */
		*top = seq;
	} else if (seq > *top) {
		if (seq - *top > size.mask)
			memset(ring, 0, replay_octets(size));
		else
			replay_clear(size, ring, *top + 1, seq - *top);
		*top = seq;
	}
	ring[bit / REPLAY_WORD_BITS] |= UINT64_C(1) << (bit % REPLAY_WORD_BITS);
}
