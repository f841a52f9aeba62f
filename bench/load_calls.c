/* Calls between pairs of UEs: the even one calls, the odd one answers, the caller hangs up. */
#include <errno.h>

#include "bench/ue_load_internal.h"

#define REASONS_PRINTED 5

static bool is_caller(const struct load_ue *u)
{
	return (u - u->load->ues) % 2 == 0;
}

static void ended(struct load *l, const struct load_ue *u, struct sv reason)
{
	if (!l->under_way)
		return;
	l->under_way--;
	if (sv_empty(reason))
		l->calls_completed++;
	else if (l->calls_failed++ < REASONS_PRINTED)
		fprintf(stderr, "esplanade-ue: %s: call: %.*s\n", u->impu, SV_ARG(reason));
}

void load_call_event(struct load_ue *u, enum ue_event event, struct sv text)
{
	struct load *l = u->load;
	uint64_t now = load_clock_us() / 1000;

	if (event == UE_CALL_INCOMING)
		(void)ue_call_accept(u->ue, now);
	else if (event == UE_CALL_ANSWERED && is_caller(u))
		(void)ue_call_end(u->ue, now);
	else if (event == UE_CALL_ANSWERED)
		l->calls_answered++;
	else if (event == UE_CALL_ENDED && is_caller(u))
		ended(l, u, text);
}

static bool pair_is_free(const struct load *l, uint32_t pair)
{
	for (uint32_t i = 2 * pair; i < 2 * pair + 2; i++)
		if (l->ues[i].state != LOAD_REGISTERED ||
		    ue_call_state(l->ues[i].ue) != UE_CALL_NONE)
			return false;
	return true;
}

static void place(struct load *l, uint32_t pair)
{
	const struct load_ue *from = &l->ues[2 * pair], *to = &l->ues[2 * pair + 1];
	int rc = ue_call(from->ue, sv_of(to->impu), load_clock_us() / 1000);

	if (rc == 0) {
		l->calls_placed++;
		l->under_way++;
	} else if (l->calls_failed++ < REASONS_PRINTED) {
		fprintf(stderr, "esplanade-ue: %s: call: %s\n", from->impu, strerror(-rc));
	}
}

/* One turn through the pairs from where the last one stopped. */
static uint32_t place_some(struct load *l, uint32_t begun, uint32_t *pair)
{
	uint32_t pairs = l->o.ues / 2;

	for (uint32_t i = 0; i < pairs && begun < l->o.calls && l->under_way < l->o.window; i++) {
		*pair = (*pair + 1) % pairs;
		if (pair_is_free(l, *pair)) {
			place(l, *pair);
			begun++;
		}
	}
	return begun;
}

void load_calls_run(struct load *l, uint64_t deadline)
{
	uint32_t begun = 0, pair = 0;

	if (l->o.calls == 0)
		return;
	l->under_way = 0;
	while ((begun < l->o.calls || l->under_way) && l->now < deadline && !l->interrupted) {
		begun = place_some(l, begun, &pair);
		load_turn(l, deadline);
	}
}
