#include <errno.h>
#include <stdlib.h>

#include "control/base/timer.h"

/* The due time stands in the heap too: sifting does not touch the timers that it passes. */
struct entry {
	uint64_t due;
	struct timer *t;
};

struct timers {
	struct entry *heap; /* heap[1] is due next; children of i are 2i and 2i + 1 */
	uint64_t now;	    /* of the last run */
	uint32_t n, cap;    /* running timers; places, not counting heap[0] */
};

int timers_alloc(struct timers **tp)
{
	struct timers *ts = calloc(1, sizeof(*ts));

	if (!ts)
		return -ENOMEM;
	*tp = ts;
	return 0;
}

void timers_free(struct timers *ts)
{
	if (!ts)
		return;
	free(ts->heap);
	free(ts);
}

static void heap_set(struct timers *ts, uint32_t i, struct entry e)
{
	ts->heap[i] = e;
	e.t->place = i;
}

static void sift_up(struct timers *ts, uint32_t i, struct entry e)
{
	while (i > 1 && e.due < ts->heap[i / 2].due) {
		heap_set(ts, i, ts->heap[i / 2]);
		i /= 2;
	}
	heap_set(ts, i, e);
}

static void sift_down(struct timers *ts, uint32_t i, struct entry e)
{
	uint32_t child;

	while ((child = 2 * i) <= ts->n) {
		if (child < ts->n && ts->heap[child + 1].due < ts->heap[child].due)
			child++;
		if (e.due <= ts->heap[child].due)
			break;
		heap_set(ts, i, ts->heap[child]);
		i = child;
	}
	heap_set(ts, i, e);
}

/* Puts e at place i, wherever it must go from there. */
static void heap_settle(struct timers *ts, uint32_t i, struct entry e)
{
	if (i > 1 && e.due < ts->heap[i / 2].due)
		sift_up(ts, i, e);
	else
		sift_down(ts, i, e);
}

static int heap_reserve(struct timers *ts)
{
	uint32_t cap = ts->cap ? ts->cap * 2 : 63;
	struct entry *heap;

	if (ts->n < ts->cap)
		return 0;
	if (ts->cap > UINT32_MAX / 2 - 1)
		return -ENOMEM;
	heap = realloc(ts->heap, (cap + (size_t)1) * sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	ts->heap = heap;
	ts->cap = cap;
	return 0;
}

int timer_start(struct timers *ts, struct timer *t, uint64_t due, timer_h *handler, void *arg)
{
	if (!t->place && heap_reserve(ts))
		return -ENOMEM;
	t->due = due;
	t->handler = handler;
	t->arg = arg;
	if (t->place)
		heap_settle(ts, t->place, (struct entry){due, t});
	else
		sift_up(ts, ++ts->n, (struct entry){due, t});
	return 0;
}

void timer_stop(struct timers *ts, struct timer *t)
{
	uint32_t i = t->place;
	struct entry last;

	if (!i)
		return;
	t->place = 0;
	last = ts->heap[ts->n--];
	if (last.t != t)
		heap_settle(ts, i, last);
}

uint64_t timers_now(const struct timers *ts)
{
	return ts->now;
}

uint64_t timers_run(struct timers *ts, uint64_t now)
{
	ts->now = now;
	while (ts->n && ts->heap[1].due <= now) {
		struct timer *t = ts->heap[1].t;

		timer_stop(ts, t);
		t->handler(t, t->arg, now);
	}
	return ts->n ? ts->heap[1].due : TIMER_NEVER;
}

unsigned timers_count(const struct timers *ts)
{
	return ts->n;
}
