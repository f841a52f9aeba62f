/* Writes docs/states.md to standard output, from the tables that the roles run on. */
#include <ctype.h>
#include <stdio.h>

#include "tests/control/states/machines.h"

static const struct machine_name *state_of(const struct machine *m, unsigned i)
{
	return &m->states[i];
}

/* An identifier of Mermaid's */
static void id_print(const struct machine *m, unsigned state)
{
	for (const char *c = state_of(m, state)->name; *c; c++)
		putchar(isalnum((unsigned char)*c) ? *c : '_');
}

/* All events that lead from one state to another, as one arrow. */
static void arrow_print(const struct machine *m, unsigned from, unsigned to)
{
	const char *separator = " : ";

	for (unsigned e = 0; e < m->n_events; e++) {
		if (m->arcs[from * m->n_events + e].next != to)
			continue;
		if (separator[1] == ':') {
			printf("    ");
			id_print(m, from);
			printf(" --> ");
			id_print(m, to);
		}
		printf("%s%s", separator, m->events[e].name);
		separator = ", ";
	}
	if (separator[1] != ':')
		putchar('\n');
}

static void chart_print(const struct machine *m)
{
	printf("```mermaid\nstateDiagram-v2\n");
	for (unsigned s = 0; s < m->n_states; s++) {
		printf("    state \"%s\" as ", state_of(m, s)->name);
		id_print(m, s);
		putchar('\n');
	}
	printf("    [*] --> ");
	id_print(m, 0);
	putchar('\n');
	for (unsigned from = 0; from < m->n_states; from++)
		for (unsigned to = 0; to < m->n_states; to++)
			if (from != to)
				arrow_print(m, from, to);
	printf("```\n\n");
}

static void names_print(const char *heading, const struct machine_name *names, unsigned n)
{
	printf("| %s | |\n|---|---|\n", heading);
	for (unsigned i = 0; i < n; i++)
		printf("| %s | %s |\n", names[i].name, names[i].text);
	putchar('\n');
}

static void arcs_print(const struct machine *m)
{
	printf("| In state | event | leads to | |\n|---|---|---|---|\n");
	for (unsigned i = 0; i < m->n_states * m->n_events; i++) {
		const struct machine_arc *a = &m->arcs[i];

		if (a->next != MACHINE_IMPOSSIBLE)
			printf("| %s | %s | %s | %s |\n", state_of(m, a->state)->name,
			       m->events[a->event].name, state_of(m, a->next)->name,
			       a->note ? a->note : "");
	}
	putchar('\n');
}

static void impossible_print(const struct machine *m)
{
	printf("<details><summary>What cannot happen, and why</summary>\n\n| In state | event | |\n"
	       "|---|---|---|\n");
	for (unsigned i = 0; i < m->n_states * m->n_events; i++) {
		const struct machine_arc *a = &m->arcs[i];

		if (a->next == MACHINE_IMPOSSIBLE)
			printf("| %s | %s | %s |\n", state_of(m, a->state)->name,
			       m->events[a->event].name, a->note);
	}
	printf("\n</details>\n");
}

int main(void)
{
	printf("# States of UE, P-CSCF and S-CSCF\n\n"
	       "Made by `scripts/states` from the tables that the programs run on "
	       "(`control/ue/states.c`, `control/pcscf/states.c`, `control/scscf/states.c`); do "
	       "not edit. SM1..SM12 are the messages of TS 33.203 6.1.1; LU-, LP-, ER-.. are "
	       "requirements (docs/conformance.md). An arrow back to its own state is in the table "
	       "only.\n");
	for (unsigned i = 0; i < n_all_machines; i++) {
		const struct machine *m = all_machines[i];

		printf("\n## %s\n\n", m->title);
		chart_print(m);
		names_print("State", m->states, m->n_states);
		names_print("Event", m->events, m->n_events);
		arcs_print(m);
		impossible_print(m);
	}
	return 0;
}
