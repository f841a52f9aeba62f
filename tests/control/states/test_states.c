/* The state tables: complete, free of traps, and refusing what they do not have. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/control/states/machines.h"
#include "tests/support/test.h"

static const struct machine_arc *arc_of(const struct machine *m, unsigned state, unsigned event)
{
	return &m->arcs[state * m->n_events + event];
}

/* Every event in every state leads somewhere, or says why it cannot be. */
static void each_event_in_each_state(void **state)
{
	(void)state;
	for (unsigned i = 0; i < n_all_machines; i++) {
		const struct machine *m = all_machines[i];

		for (unsigned s = 0; s < m->n_states; s++)
			for (unsigned e = 0; e < m->n_events; e++) {
				const struct machine_arc *a = arc_of(m, s, e);

				assert_int_equal(a->state, s);
				assert_int_equal(a->event, e);
				if (a->next == MACHINE_IMPOSSIBLE)
					assert_non_null(a->note);
				else
					assert_in_range(a->next, 0, m->n_states - 1);
			}
	}
}

static void each_state_and_event_has_words(void **state)
{
	(void)state;
	for (unsigned i = 0; i < n_all_machines; i++) {
		const struct machine *m = all_machines[i];

		for (unsigned s = 0; s < m->n_states; s++)
			assert_true(m->states[s].name && m->states[s].text);
		for (unsigned e = 0; e < m->n_events; e++)
			assert_true(m->events[e].name && m->events[e].text);
	}
}

/* Bits: the states that can be reached from `start`, itself included. */
static unsigned reachable(const struct machine *m, unsigned start)
{
	unsigned seen = 1U << start, before = 0;

	while (seen != before) {
		before = seen;
		for (unsigned s = 0; s < m->n_states; s++)
			for (unsigned e = 0; seen >> s & 1 && e < m->n_events; e++)
				if (arc_of(m, s, e)->next != MACHINE_IMPOSSIBLE)
					seen |= 1U << arc_of(m, s, e)->next;
	}
	return seen;
}

/* From the first state to every other one, and back: nothing is stuck for ever. */
static void each_state_is_reached_and_left(void **state)
{
	(void)state;
	for (unsigned i = 0; i < n_all_machines; i++) {
		const struct machine *m = all_machines[i];

		assert_true(m->n_states < 32);
		for (unsigned s = 0; s < m->n_states; s++) {
			assert_true(reachable(m, 0) >> s & 1);
			assert_true(reachable(m, s) & 1);
		}
	}
}

/* Each event changes something or is expected somewhere. */
static void each_event_happens(void **state)
{
	(void)state;
	for (unsigned i = 0; i < n_all_machines; i++)
		for (unsigned e = 0; e < all_machines[i]->n_events; e++) {
			bool happens = false;

			for (unsigned s = 0; s < all_machines[i]->n_states; s++)
				happens |=
					arc_of(all_machines[i], s, e)->next != MACHINE_IMPOSSIBLE;
			assert_true(happens);
		}
}

static void step_follows_the_table(void **state)
{
	(void)state;
	unsetenv("ESPLANADE_STRICT");
	for (unsigned i = 0; i < n_all_machines; i++) {
		const struct machine *m = all_machines[i];

		for (unsigned s = 0; s < m->n_states; s++)
			for (unsigned e = 0; e < m->n_events; e++) {
				uint8_t next = arc_of(m, s, e)->next;

				assert_int_equal(machine_next(m, s, e),
						 next == MACHINE_IMPOSSIBLE ? -EPROTO : next);
			}
		assert_int_equal(machine_next(m, m->n_states, 0), -EPROTO);
		assert_int_equal(machine_next(m, 0, m->n_events), -EPROTO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_event_in_each_state),
		cmocka_unit_test(each_state_and_event_has_words),
		cmocka_unit_test(each_state_is_reached_and_left),
		cmocka_unit_test(each_event_happens),
		cmocka_unit_test(step_follows_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
