/*
 * Which tunnels are due for a keepalive. All have the same period, counted from the tick at which
 * they were asked or before they came, so a queue in that order is in the order of time, too; sets
 * that are gone fall out when their turn comes. Belongs to control's thread; the worker that owns a
 * set decides whether it was idle.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sa.h"

struct keepalive {
	struct keepalive_entry *entries; /* a ring */
	uint32_t size, head, n;
	uint64_t period_ms;
	uint64_t now_ms; /* of the last tick; 0: there was none */
};

struct keepalive_entry {
	uint64_t due_ms;
	sa_set_id id;
};

/* Half of idle_s: a set that was busy when asked is asked again before idle_s has passed. */
void keepalive_init(struct keepalive *k, uint16_t idle_s);
void keepalive_free(struct keepalive *k);
/* It is asked within a period for the first time, as ticks allow. 0 or -ENOMEM. */
int keepalive_add(struct keepalive *k, sa_set_id id);
/* For each that is due: ask returns false if the set is gone. */
void keepalive_tick(struct keepalive *k, uint64_t now_ms, bool (*ask)(void *arg, sa_set_id id),
		    void *arg);
