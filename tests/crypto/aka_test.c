/* Network and card together: authentication, replay, resynchronisation. */
#include <string.h>

#include "crypto/aka.h"
#include "tests/support/test.h"

static const uint8_t amf[2] = {0x80, 0x00};

static void subscriber_make(struct milenage_key *key, struct test_random *r)
{
	test_random_fill(r, key, sizeof(*key));
}

/* covers: AK-01, AK-03 */
static void both_sides_agree(void **state)
{
	struct test_random r = {1};
	struct sqn_array card = {0};
	struct milenage_key key;
	uint64_t sqn = 0;

	(void)state;
	subscriber_make(&key, &r);
	for (unsigned i = 0; i < 200; i++) {
		uint8_t rand[16];
		struct aka_vector av;
		struct aka_answer a;

		test_random_fill(&r, rand, sizeof(rand));
		sqn = sqn_next(sqn);
		aka_vector_make(&av, &key, amf, sqn, rand);
		assert_int_equal(aka_card_answer(&a, &key, &card, av.rand, av.autn), AKA_OK);
		assert_memory_equal(a.res, av.xres, sizeof(a.res));
		assert_memory_equal(a.ck, av.ck, sizeof(a.ck));
		assert_memory_equal(a.ik, av.ik, sizeof(a.ik));
		assert_memory_equal(av.autn + 6, amf, sizeof(amf));
	}
}

/* One wrong bit of any key, RAND or AUTN is a MAC failure and leaves the card as it was. */
/* covers: AK-01 */
static void any_wrong_bit_is_a_mac_failure(void **state)
{
	struct test_random r = {2};
	struct milenage_key key;
	struct aka_vector av;
	uint8_t rand[16];

	(void)state;
	subscriber_make(&key, &r);
	test_random_fill(&r, rand, sizeof(rand));
	aka_vector_make(&av, &key, amf, sqn_next(0), rand);
	for (unsigned bit = 0; bit < 4 * 128; bit++) {
		uint8_t in[64], before[sizeof(struct sqn_array)];
		struct sqn_array card = {0};
		struct milenage_key wrong;
		struct aka_answer a;

		memcpy(in, key.k, 16);
		memcpy(in + 16, key.opc, 16);
		memcpy(in + 32, av.rand, 16);
		memcpy(in + 48, av.autn, 16);
		in[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memcpy(wrong.k, in, 16);
		memcpy(wrong.opc, in + 16, 16);
		memcpy(before, &card, sizeof(before));
		assert_int_equal(aka_card_answer(&a, &wrong, &card, in + 32, in + 48),
				 AKA_MAC_FAILURE);
		assert_memory_equal(&card, before, sizeof(before));
	}
}

/* covers: AK-04 */
static void old_autn_leads_to_resynchronisation(void **state)
{
	struct test_random r = {3};
	struct sqn_array card = {0};
	struct milenage_key key;
	struct aka_vector av;
	struct aka_answer a;
	uint8_t rand[16];
	uint64_t sqn_he = 0, sqn_ms;

	(void)state;
	subscriber_make(&key, &r);
	assert_true(sqn_accept(&card, UINT64_C(1000) << SQN_IND_BITS | 3));
	/* the network has lost its counter: what it sends was used long ago */
	card.seq[1] = 999;
	test_random_fill(&r, rand, sizeof(rand));
	aka_vector_make(&av, &key, amf, sqn_next(sqn_he), rand);
	assert_int_equal(aka_card_answer(&a, &key, &card, av.rand, av.autn), AKA_SYNC_FAILURE);
	assert_int_equal(aka_auts_check(&sqn_ms, &key, av.rand, a.auts), AKA_OK);
	assert_int_equal(sqn_ms, UINT64_C(1000) << SQN_IND_BITS | 3);
	assert_false(sqn_next_fits(sqn_he, sqn_ms));
	sqn_he = sqn_ms;
	test_random_fill(&r, rand, sizeof(rand));
	aka_vector_make(&av, &key, amf, sqn_next(sqn_he), rand);
	assert_int_equal(aka_card_answer(&a, &key, &card, av.rand, av.autn), AKA_OK);
}

/* covers: AK-04 */
static void damaged_auts_is_refused(void **state)
{
	struct test_random r = {4};
	struct sqn_array card = {0};
	struct milenage_key key;
	struct aka_vector av;
	struct aka_answer a;
	uint8_t rand[16];
	uint64_t sqn_ms = 7;

	(void)state;
	subscriber_make(&key, &r);
	test_random_fill(&r, rand, sizeof(rand));
	aka_vector_make(&av, &key, amf, 1, rand); /* SEQ 0 is never fresh */
	assert_int_equal(aka_card_answer(&a, &key, &card, av.rand, av.autn), AKA_SYNC_FAILURE);
	for (unsigned bit = 0; bit < 14 * 8; bit++) {
		a.auts[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(aka_auts_check(&sqn_ms, &key, av.rand, a.auts), AKA_MAC_FAILURE);
		assert_int_equal(sqn_ms, 7);
		a.auts[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(aka_auts_check(&sqn_ms, &key, av.rand, a.auts), AKA_OK);
	assert_int_equal(sqn_ms, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_agree),
		cmocka_unit_test(any_wrong_bit_is_a_mac_failure),
		cmocka_unit_test(old_autn_leads_to_resynchronisation),
		cmocka_unit_test(damaged_auts_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
