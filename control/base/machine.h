/*
 * State machines as tables. Who keeps a state changes it by machine_next() alone, so the table is
 * what the program does; docs/states.md is drawn from it.
 */
#pragma once

#include <stdint.h>

struct machine_name {
	const char *name; /* a word of 3GPP TS 33.203 where it has one */
	const char *text; /* what it means; of events: what has happened */
};

#define MACHINE_IMPOSSIBLE 0xff /* as .next: `note` says why it cannot happen */

struct machine_arc {
	uint8_t state, event, next;
	const char *note; /* NULL: the event says it all */
};

struct machine {
	const char *name; /* "pcscf_run" */
	const char *title;
	const struct machine_name *states, *events;
	const struct machine_arc *arcs; /* one for each state and event, in that order */
	uint8_t n_states, n_events;	/* state 0 is the first */
};

/*
 * Where the event leads. -EPROTO: nowhere, which is a fault of ours: the caller counts it and ends
 * what it does. With ESPLANADE_STRICT in the environment (tests, fuzzers) the program aborts.
 */
int machine_next(const struct machine *m, unsigned state, unsigned event);
