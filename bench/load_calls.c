/*
 * Calls: between pairs of UEs, the even one calls, the odd one answers; or each UE calls a peer
 * somewhere else. The caller hangs up.
 */
#include <errno.h>

#include "bench/ue_load_internal.h"

#define REASONS_PRINTED 5

static void ended(struct load *l, struct load_ue *u, struct sv reason)
{
	u->calling = false;
	u->hang_up_at = 0;
	l->calls_open--;
	if (sv_empty(reason))
		l->calls_completed++;
	else if (l->calls_failed++ < REASONS_PRINTED)
		load_complain(u, "call: ", reason);
}

void load_call_event(struct load_ue *u, enum ue_event event, struct sv text)
{
	struct load *l = u->load;
	uint64_t now = load_clock_us() / 1000;

	if (event == UE_CALL_INCOMING)
		(void)ue_call_accept(u->ue, now);
	else if (event == UE_CALL_ANSWERED && u->calling && l->o.talk)
		u->hang_up_at = now + l->o.talk;
	else if (event == UE_CALL_ANSWERED && u->calling)
		(void)ue_call_end(u->ue, now);
	else if (event == UE_CALL_ANSWERED)
		l->calls_answered++;
	else if (event == UE_CALL_ENDED && u->calling)
		ended(l, u, text);
}

/* UEs of a call that are ours */
static uint32_t party(const struct load *l)
{
	return l->o.peer ? 1 : 2;
}

static bool pair_is_free(const struct load *l, uint32_t pair)
{
	for (uint32_t i = party(l) * pair; i < party(l) * (pair + 1); i++)
		if (l->ues[i].state != LOAD_REGISTERED ||
		    ue_call_state(l->ues[i].ue) != UE_CALL_NONE)
			return false;
	return true;
}

static void place(struct load *l, uint32_t pair)
{
	struct load_ue *from = &l->ues[party(l) * pair];
	const char *to = l->o.peer ? l->o.peer : l->ues[2 * pair + 1].impu;
	int rc = ue_call(from->ue, sv_of(to), load_clock_us() / 1000);

	if (rc == 0) {
		from->calling = true;
		l->calls_placed++;
		l->calls_open++;
	} else if (l->calls_failed++ < REASONS_PRINTED) {
		fprintf(stderr, "esplanade-ue: %s: call: %s\n", from->impu, strerror(-rc));
	}
}

/* One turn through the pairs from where the last one stopped. */
static uint32_t place_some(struct load *l, uint32_t begun, uint32_t *pair)
{
	uint32_t pairs = l->o.ues / party(l), most = l->o.call_interval ? begun + 1 : l->o.calls;

	for (uint32_t i = 0; i < pairs && begun < most && l->calls_open < l->o.window; i++) {
		*pair = (*pair + 1) % pairs;
		if (pair_is_free(l, *pair)) {
			place(l, *pair);
			begun++;
		}
	}
	return begun;
}

static void hang_up_some(struct load *l)
{
	for (uint32_t i = 0; l->o.talk && i < l->o.ues; i++)
		if (l->ues[i].hang_up_at && l->ues[i].hang_up_at <= l->now) {
			l->ues[i].hang_up_at = 0;
			(void)ue_call_end(l->ues[i].ue, l->now);
		}
}

/* When something is to be done without being asked by a message. */
static uint64_t next_turn(const struct load *l, uint64_t due, uint64_t deadline)
{
	uint64_t until = due > l->now && due < deadline ? due : deadline;

	return l->o.talk && until > l->now + 20 ? l->now + 20 : until;
}

void load_calls_run(struct load *l, uint64_t deadline)
{
	uint64_t due = l->now + l->o.call_delay * UINT64_C(1000);
	uint32_t begun = 0, pair = 0, before;

	if (l->o.calls == 0)
		return;
	while ((begun < l->o.calls || l->calls_open) && l->now < deadline && !l->interrupted) {
		hang_up_some(l);
		before = begun;
		if (begun < l->o.calls && due <= l->now)
			begun = place_some(l, begun, &pair);
		if (begun > before)
			due += l->o.call_interval;
		load_turn(l, next_turn(l, begun < l->o.calls ? due : deadline, deadline));
	}
}
