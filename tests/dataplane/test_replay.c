/* The window by itself: replay.json, and every distance around its edges. */
#include <string.h>

#include "dataplane/replay.h"
#include "tests/support/vectors.h"

struct sa_window {
	struct replay_size size;
	uint64_t ring[REPLAY_WINDOW_MAX / REPLAY_WORD_BITS];
	uint32_t top;
};

static bool take(struct sa_window *w, uint32_t seq, bool icv_good)
{
	if (!replay_check(w->size, w->ring, w->top, seq) || !icv_good)
		return false;
	replay_update(w->size, w->ring, &w->top, seq);
	return true;
}

/* covers: ES-08, DP-05 */
static void test_replay_vectors(void **state)
{
	json_t *file = vectors_open("replay.json", "ims-replay"), *v, *step;
	struct sa_window w;
	size_t i, j;

	(void)state;
	json_array_foreach(vectors_list(file, "cases"), i, v)
	{
		memset(&w, 0, sizeof(w));
		w.size = replay_size((uint32_t)vectors_number(v, "window"));
		json_array_foreach(vectors_member(v, "steps"), j, step)
		{
			uint32_t seq = (uint32_t)json_integer_value(json_array_get(step, 0));
			bool good = json_integer_value(json_array_get(step, 1));
			bool want = json_integer_value(json_array_get(step, 2));

			if (take(&w, seq, good) != want)
				fail_msg("%s: step %zu, number %u", vectors_id(v), j, seq);
		}
		assert_int_equal(w.top, vectors_number(v, "top"));
	}
	json_decref(file);
}

/* Against the rule, on a memory of every number: all window sizes, small and large jumps. */
static void test_replay_rule(void **state)
{
	static uint8_t seen[1 << 16];
	struct test_random random = {7};
	uint32_t window, i, seq;
	struct sa_window w;
	bool want;

	(void)state;
	for (window = REPLAY_WINDOW_MIN; window <= REPLAY_WINDOW_MAX; window += 32) {
		memset(&w, 0, sizeof(w));
		memset(seen, 0, sizeof(seen));
		w.size = replay_size(window);
		for (i = 0; i < 20000 && w.top < 60000; i++) {
			uint32_t back = test_random_below(&random, window + 8);
			uint32_t ahead = test_random_below(&random, i % 64 ? 4 : window * 2 + 3);

			seq = i % 3 ? w.top + ahead : w.top > back ? w.top - back : 0;
			want = seq >= 1 && !seen[seq] && (seq > w.top || seq + window > w.top);
			assert_int_equal(take(&w, seq, true), want);
			seen[seq] = 1;
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay_vectors),
		cmocka_unit_test(test_replay_rule),
	};

	return cmocka_run_group_tests_name("dataplane.replay", tests, NULL, NULL);
}
