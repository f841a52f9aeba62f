#include "crypto/sqn.h"
#include "tests/support/test.h"

#define SQN(seq, ind) ((uint64_t)(seq) << SQN_IND_BITS | (ind))

#define SEQ_MAX (SQN_MAX >> SQN_IND_BITS)

/* covers: AK-04 */
static void card_accepts_by_annex_c(void **state)
{
	/* in order, on one card */
	static const struct {
		uint64_t sqn;
		bool accepted;
		uint64_t highest;
	} t[] = {
		{0, false, 0},
		{SQN(0, 5), false, 0},		 /* SEQ 0 is not above 0 */
		{SQN(10, 1), true, SQN(10, 1)},	 /* first */
		{SQN(10, 1), false, SQN(10, 1)}, /* again */
		{SQN(9, 1), false, SQN(10, 1)},	 /* older, same IND */
		{SQN(9, 2), true, SQN(10, 1)},	 /* older, but IND 2 has seen nothing */
		{SQN(9, 2), false, SQN(10, 1)},
		{SQN(8, 2), false, SQN(10, 1)},
		{SQN(1, 31), true, SQN(10, 1)},
		{SQN(10, 2), true, SQN(10, 2)}, /* same SEQ, higher IND */
		{SQN(11, 0), true, SQN(11, 0)},
		{SQN(12, 0) + SQN(SQN_DELTA, 0), false, SQN(11, 0)}, /* one too far */
		{SQN(11, 7) + SQN(SQN_DELTA, 0), true, SQN(11, 7) + SQN(SQN_DELTA, 0)},
		{SQN(12, 0), true, SQN(11, 7) + SQN(SQN_DELTA, 0)},
		{SQN_MAX + 1, false, SQN(11, 7) + SQN(SQN_DELTA, 0)},
		{UINT64_MAX, false, SQN(11, 7) + SQN(SQN_DELTA, 0)},
	};
	struct sqn_array card = {0};

	(void)state;
	for (unsigned i = 0; i < N_OF(t); i++) {
		if (sqn_accept(&card, t[i].sqn) != t[i].accepted)
			fail_msg("step %u", i);
		if (sqn_highest(&card) != t[i].highest)
			fail_msg("highest after step %u", i);
	}
}

static void card_at_the_end_of_numbers(void **state)
{
	struct sqn_array card = {0};

	(void)state;
	card.seq[30] = SEQ_MAX;
	assert_true(sqn_accept(&card, SQN_MAX));
	assert_int_equal(sqn_highest(&card), SQN_MAX);
	assert_false(sqn_accept(&card, SQN_MAX));
	assert_false(sqn_accept(&card, SQN_MAX + 1));
}

/* covers: AK-04 */
static void network_gives_out_by_annex_c(void **state)
{
	static const struct {
		uint64_t sqn, next;
	} t[] = {
		{0, SQN(1, 1)},
		{SQN(1, 1), SQN(2, 2)},
		{SQN(30, 30), SQN(31, 31)},
		{SQN(31, 31), SQN(32, 0)},
		{SQN(SEQ_MAX - 1, 31), SQN(SEQ_MAX, 0)},
		{SQN(SEQ_MAX, 0), 0},
		{SQN_MAX, 0},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(t); i++)
		if (sqn_next(t[i].sqn) != t[i].next)
			fail_msg("row %u", i);
}

/* covers: AK-04 */
static void network_knows_when_to_resynchronise(void **state)
{
	static const struct {
		uint64_t sqn_he, sqn_ms;
		bool fits;
	} t[] = {
		{0, 0, true},
		{SQN(9, 0), SQN(9, 0), true},
		{SQN(8, 0), SQN(9, 0), false}, /* next is SEQ 9, which the card has */
		{SQN(9, 0), SQN(9, 31), true},
		{SQN(3, 0), SQN(1000, 0), false},
		{SQN(1000, 0), SQN(3, 0), true},
		{SQN(SQN_DELTA, 0), SQN(1, 0), true},
		{SQN(SQN_DELTA, 0), SQN(0, 0), false},
		{SQN_MAX, 0, false},
		{SQN_MAX, SQN_MAX, false}, /* past the end */
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(t); i++)
		if (sqn_next_fits(t[i].sqn_he, t[i].sqn_ms) != t[i].fits)
			fail_msg("row %u", i);
}

/* Vectors fetched ahead and used out of order within the array are all taken, each once. */
static void out_of_order_within_the_array(void **state)
{
	uint64_t sqn[SQN_INDS], next = SQN(100, 17);
	struct sqn_array card = {0};

	(void)state;
	for (unsigned i = 0; i < SQN_INDS; i++)
		sqn[i] = next = sqn_next(next);
	for (unsigned i = SQN_INDS; i-- > 0;)
		assert_true(sqn_accept(&card, sqn[i]));
	for (unsigned i = 0; i < SQN_INDS; i++)
		assert_false(sqn_accept(&card, sqn[i]));
	assert_int_equal(sqn_highest(&card), next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(card_accepts_by_annex_c),
		cmocka_unit_test(card_at_the_end_of_numbers),
		cmocka_unit_test(network_gives_out_by_annex_c),
		cmocka_unit_test(network_knows_when_to_resynchronise),
		cmocka_unit_test(out_of_order_within_the_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
