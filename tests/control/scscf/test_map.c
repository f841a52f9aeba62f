#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "control/scscf/map.h"

struct item {
	struct map_node node;
	char key[16];
	bool in;
};

/* Against an array of flags, through several doublings. */
static void test_random_use(void **state)
{
	enum { N = 5000 };
	struct item *items = calloc(N, sizeof(*items));
	struct test_random r = {.state = 3};
	struct map m;

	(void)state;
	assert_non_null(items);
	assert_int_equal(map_init(&m), 0);
	for (unsigned i = 0; i < N; i++)
		snprintf(items[i].key, sizeof(items[i].key), "key%u", i);
	for (unsigned step = 0; step < 20 * N; step++) {
		struct item *it = &items[test_random_below(&r, N)];

		if (!it->in)
			map_put(&m, &it->node, sv_of(it->key));
		else if (step % 3 == 0)
			map_remove(&m, &it->node);
		it->in = !it->in || step % 3 != 0;
		assert_ptr_equal(map_find(&m, sv_of(it->key)), it->in ? &it->node : NULL);
	}
	for (unsigned i = 0; i < N; i++)
		assert_ptr_equal(map_find(&m, sv_of(items[i].key)),
				 items[i].in ? &items[i].node : NULL);
	assert_null(map_find(&m, (struct sv){0}));
	map_free(&m);
	free(items);
}

/* The youngest of equal keys is found, also after the map has grown. */
static void test_equal_keys(void **state)
{
	enum { N = 2000 };
	static struct item items[N], old = {.key = "same"}, young = {.key = "same"};
	struct map m;

	(void)state;
	assert_int_equal(map_init(&m), 0);
	map_put(&m, &old.node, sv_of(old.key));
	map_put(&m, &young.node, sv_of(young.key));
	for (unsigned i = 0; i < N; i++) {
		snprintf(items[i].key, sizeof(items[i].key), "key%u", i);
		map_put(&m, &items[i].node, sv_of(items[i].key));
		assert_ptr_equal(map_find(&m, SV("same")), &young.node);
	}
	map_remove(&m, &young.node);
	assert_ptr_equal(map_find(&m, SV("same")), &old.node);
	map_remove(&m, &young.node); /* not in: nothing happens */
	map_remove(&m, &old.node);
	assert_null(map_find(&m, SV("same")));
	assert_int_equal(m.n, N);
	map_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_use),
		cmocka_unit_test(test_equal_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
