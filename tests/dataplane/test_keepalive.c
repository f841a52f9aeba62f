/* The queue of sets that are asked for keepalives: nobody waits longer than a period. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataplane/keepalive.h"
#include "tests/support/test.h"

#define SETS   200 /* more than the queue's first size, and it comes round */
#define IDLE_S 8
#define PERIOD (IDLE_S * 500u)
#define TICK   1000u
#define START  5000000u /* of a monotonic clock */
#define UNTIL  (START + 20 * PERIOD)

struct seen {
	uint64_t added, last; /* last: asked, or added */
	unsigned asked;
	bool gone, told; /* told: ask has said that it is gone */
};

struct clock {
	uint64_t now;
	struct seen sets[SETS];
};

/* No earlier than need be, but for the first time: it counts from the tick before it was added. */
static bool ask(void *arg, sa_set_id id)
{
	struct clock *c = arg;
	struct seen *s = &c->sets[id - 1];

	assert_false(s->told);
	if (c->now - s->last > PERIOD + TICK)
		fail_msg("set %u, added at %lu, waited for %lu ms", (unsigned)id,
			 (unsigned long)s->added, (unsigned long)(c->now - s->last));
	assert_true(c->now - s->last >= (s->asked ? PERIOD : PERIOD - TICK));
	s->last = c->now;
	s->asked++;
	s->told = s->gone;
	return !s->gone;
}

/* Between ticks, one by one and many at once. */
static void sets_add(struct keepalive *k, struct clock *c, unsigned *n)
{
	unsigned burst = *n % 7 == 0 ? 9 : 1;

	while (burst-- > 0 && *n < SETS) {
		c->sets[*n].added = c->sets[*n].last = c->now;
		assert_int_equal(keepalive_add(k, ++*n), 0);
	}
}

static void test_nobody_waits_longer(void **state)
{
	static struct clock c;
	struct keepalive k;
	unsigned n = 0, i;

	(void)state;
	keepalive_init(&k, IDLE_S);
	for (c.now = START; c.now <= UNTIL; c.now += TICK / 4) {
		if (c.now % TICK == 0)
			keepalive_tick(&k, c.now, ask, &c);
		else if (c.now < START + 10 * PERIOD)
			sets_add(&k, &c, &n);
	}
	assert_int_equal(n, SETS);
	assert_int_equal(k.n, SETS);
	for (i = 0; i < SETS; i++) /* the last turn, too */
		assert_true(UNTIL - c.sets[i].last <= PERIOD + TICK && c.sets[i].asked >= 9);
	keepalive_free(&k);
}

static void test_gone_fall_out(void **state)
{
	static struct clock c;
	struct keepalive k;
	unsigned n = 0, i;

	(void)state;
	keepalive_init(&k, IDLE_S);
	c.now = START;
	keepalive_tick(&k, c.now, ask, &c);
	while (n < SETS)
		sets_add(&k, &c, &n);
	for (i = 0; i < SETS; i += 2)
		c.sets[i].gone = true;
	for (; c.now <= START + 3 * PERIOD; c.now += TICK)
		keepalive_tick(&k, c.now, ask, &c);
	assert_int_equal(k.n, SETS / 2);
	for (i = 0; i < SETS; i++) {
		assert_int_equal(c.sets[i].asked, i % 2 ? 3 : 1);
		c.sets[i].gone = true;
	}
	c.now += PERIOD - TICK;
	keepalive_tick(&k, c.now, ask, &c);
	assert_int_equal(k.n, 0);
	keepalive_free(&k);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody_waits_longer),
		cmocka_unit_test(test_gone_fall_out),
	};

	return cmocka_run_group_tests_name("dataplane.keepalive", tests, NULL, NULL);
}
