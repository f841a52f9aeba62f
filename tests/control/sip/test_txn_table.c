#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/sip/txn_table.h"
#include "tests/support/test.h"

#define MANY 5000

/* The first octets choose the bucket: equal ones make one long chain. */
static struct txn_key key(uint32_t bucket, uint32_t number)
{
	struct txn_key k = {{0}};

	memcpy(k.b, &bucket, sizeof(bucket));
	memcpy(k.b + 12, &number, sizeof(number));
	return k;
}

static void run(bool one_bucket)
{
	struct txn_node *nodes = calloc(MANY, sizeof(*nodes)), copy;
	struct txn_table t = {0};
	struct test_random r = {3};
	uint32_t in = 0, at = 0;

	assert_null(txn_table_find(&t, &nodes[0].key));
	for (uint32_t i = 0; i < MANY; i++) {
		nodes[i].key = key(one_bucket ? 7 : i * 3, i);
		assert_int_equal(txn_table_add(&t, &nodes[i]), 0);
		copy = nodes[i];
		assert_int_equal(txn_table_add(&t, &copy), -EEXIST);
	}
	assert_int_equal(t.n, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		struct txn_key k = nodes[i].key;

		assert_ptr_equal(txn_table_find(&t, &k), &nodes[i]);
		if (test_random_below(&r, 2))
			txn_table_remove(&t, &nodes[i]);
		else
			in++;
		if (!txn_table_find(&t, &k))
			nodes[i].key = key(0, UINT32_MAX);
	}
	assert_int_equal(t.n, in);
	for (struct txn_node *node; (node = txn_table_left(&t, &at)); in--)
		txn_table_remove(&t, node);
	assert_int_equal(in, 0);
	assert_int_equal(t.n, 0);
	txn_table_free(&t);
	free(nodes);
}

static void test_spread(void **state)
{
	(void)state;
	run(false);
}

static void test_one_chain(void **state)
{
	(void)state;
	run(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spread),
		cmocka_unit_test(test_one_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
