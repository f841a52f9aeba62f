/*
 * Timers on a clock that the caller moves: so state machines run on real time in the daemon and on
 * simulated time in tests. Milliseconds of any monotonic clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

struct timer;
typedef void timer_h(struct timer *t, void *arg, uint64_t now);

/* Embedded in its owner; zeroed memory is a stopped timer. */
struct timer {
	uint64_t due;
	timer_h *handler;
	void *arg;
	uint32_t place; /* in the heap, 1-based; 0: stopped */
};

struct timers; /* a heap of running timers */

int timers_alloc(struct timers **tp);
void timers_free(struct timers *ts); /* running timers are just forgotten */

/* (Re)starts t to call handler(t, arg, now) once at `due`. The handler may start and stop any timer
 * and free its own owner. -ENOMEM */
int timer_start(struct timers *ts, struct timer *t, uint64_t due, timer_h *handler, void *arg);
void timer_stop(struct timers *ts, struct timer *t);
static inline bool timer_running(const struct timer *t)
{
	return t->place != 0;
}

/* Calls what is due at `now`, in order of due time; returns the next due time or TIMER_NEVER. */
uint64_t timers_run(struct timers *ts, uint64_t now);
uint64_t timers_now(const struct timers *ts); /* of the last timers_run(); 0: there was none */
unsigned timers_count(const struct timers *ts);
