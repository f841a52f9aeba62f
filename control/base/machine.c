#include "control/base/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int impossible(const struct machine *m, unsigned state, unsigned event)
{
	if (getenv("ESPLANADE_STRICT")) {
		(void)fprintf(stderr, "%s: event %u in state %u\n", m->name, event, state);
		abort();
	}
	return -EPROTO;
}

int machine_next(const struct machine *m, unsigned state, unsigned event)
{
	const struct machine_arc *a;

	if (state >= m->n_states || event >= m->n_events)
		return impossible(m, state, event);
	a = &m->arcs[state * m->n_events + event];
	if (a->state != state || a->event != event || a->next >= m->n_states)
		return impossible(m, state, event);
	return a->next;
}
