#include <stdlib.h>

#include "control/base/timer.h"
#include "tests/support/test.h"

#define MANY 2000

struct probe {
	struct timer t;
	struct timers *ts;
	unsigned fired;
	uint64_t last;
	uint64_t again; /* restart so much later; 0: not */
	struct timer *stops;
};

static void on_fire(struct timer *t, void *arg, uint64_t now)
{
	struct probe *p = arg;

	assert_ptr_equal(t, &p->t);
	assert_false(timer_running(t));
	p->fired++;
	p->last = now;
	if (p->again)
		assert_int_equal(timer_start(p->ts, t, now + p->again, on_fire, p), 0);
	if (p->stops)
		timer_stop(p->ts, p->stops);
}

static void start(struct timers *ts, struct probe *p, uint64_t due)
{
	p->ts = ts;
	assert_int_equal(timer_start(ts, &p->t, due, on_fire, p), 0);
}

static void test_once(void **state)
{
	struct probe p = {0};
	struct timers *ts;

	(void)state;
	assert_int_equal(timers_alloc(&ts), 0);
	assert_true(timers_run(ts, 5) == TIMER_NEVER);
	start(ts, &p, 10);
	assert_true(timer_running(&p.t));
	assert_int_equal(timers_run(ts, 9), 10);
	assert_int_equal(p.fired, 0);
	assert_true(timers_run(ts, 12) == TIMER_NEVER);
	assert_int_equal(p.fired, 1);
	assert_int_equal(p.last, 12);
	assert_int_equal(timers_count(ts), 0);
	timer_stop(ts, &p.t); /* stopping a stopped one is nothing */
	timers_free(ts);
}

static void test_restart_moves(void **state)
{
	struct probe a = {0}, b = {0};
	struct timers *ts;

	(void)state;
	timers_alloc(&ts);
	start(ts, &a, 10);
	start(ts, &b, 20);
	start(ts, &a, 30);
	assert_int_equal(timers_count(ts), 2);
	assert_int_equal(timers_run(ts, 20), 30);
	assert_int_equal(a.fired, 0);
	assert_int_equal(b.fired, 1);
	start(ts, &a, 21);
	assert_true(timers_run(ts, 21) == TIMER_NEVER);
	assert_int_equal(a.fired, 1);
	timers_free(ts);
}

static void test_handlers_start_and_stop(void **state)
{
	struct probe a = {.again = 5}, b = {0};
	struct timers *ts;

	(void)state;
	timers_alloc(&ts);
	a.stops = &b.t;
	start(ts, &a, 10);
	start(ts, &b, 10);
	start(ts, &b, 11);
	assert_int_equal(timers_run(ts, 14), 19); /* b was due too, but a stopped it */
	assert_int_equal(b.fired, 0);
	assert_int_equal(timers_run(ts, 19), 24);
	assert_int_equal(a.fired, 2);
	timers_free(ts);
}

struct owner {
	struct timer t;
	unsigned *freed;
};

static void free_owner(struct timer *t, void *arg, uint64_t now)
{
	struct owner *o = arg;

	(void)t;
	(void)now;
	(*o->freed)++;
	free(o);
}

static void test_handler_frees_owner(void **state)
{
	unsigned freed = 0;
	struct timers *ts;

	(void)state;
	timers_alloc(&ts);
	for (unsigned i = 0; i < 100; i++) {
		struct owner *o = calloc(1, sizeof(*o));

		o->freed = &freed;
		timer_start(ts, &o->t, i, free_owner, o);
	}
	timers_run(ts, 99);
	assert_int_equal(freed, 100);
	timers_free(ts);
}

static void in_order(struct timer *t, void *arg, uint64_t now)
{
	uint64_t *last = arg;

	assert_true(t->due >= *last && t->due <= now);
	*last = t->due;
}

/* Against the plain truth: every running timer due fires, in order, whatever was stopped or moved
 * before. */
static void test_many_in_order(void **state)
{
	struct timer *t = calloc(MANY, sizeof(*t));
	struct test_random r = {7};
	struct timers *ts;
	uint64_t last = 0;
	unsigned running = 0;

	(void)state;
	timers_alloc(&ts);
	for (unsigned i = 0; i < 20 * MANY; i++) {
		unsigned k = test_random_below(&r, MANY);

		if (test_random_below(&r, 3) == 0)
			timer_stop(ts, &t[k]);
		else
			timer_start(ts, &t[k], test_random_below(&r, 10000), in_order, &last);
	}
	for (unsigned i = 0; i < MANY; i++)
		running += timer_running(&t[i]);
	assert_int_equal(timers_count(ts), running);
	for (uint64_t now = 0; now <= 10000; now += 500) {
		uint64_t next = timers_run(ts, now);

		assert_true(next > now);
		for (unsigned i = 0; i < MANY; i++)
			assert_false(timer_running(&t[i]) && t[i].due < next);
	}
	assert_int_equal(timers_count(ts), 0);
	timers_free(ts);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_restart_moves),
		cmocka_unit_test(test_handlers_start_and_stop),
		cmocka_unit_test(test_handler_frees_owner),
		cmocka_unit_test(test_many_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
