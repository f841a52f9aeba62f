/* State tables of the S-CSCF (TS 33.203 6.1, TS 24.229 5.4.1). docs/states.md shows them. */
#include "control/scscf/internal.h"

#define NO MACHINE_IMPOSSIBLE

/* ---- registration ------------------------------------------------------------------------- */

static const struct machine_name user_states[USER_STATES] = {
	[USER_NOT_REGISTERED] = {"not registered", "Cx-Put may be under way after a right answer"},
	[USER_CHALLENGED] = {"challenged", "SM4 is sent, reg-await-auth runs"},
	[USER_REGISTERED] = {"registered", "there is a binding"},
	[USER_RECHALLENGED] = {"re-challenged", "the same, and SM4 is sent, reg-await-auth runs"},
};

static const struct machine_name user_events[USER_EVENTS] = {
	[USER_ON_CHALLENGE] = {"SM4", "a REGISTER is challenged with a new vector or nonce"},
	[USER_ON_RIGHT_ANSWER] = {"SM9 right",
				  "the RES expected, inside IPsec; or the Digest expected"},
	[USER_ON_FAILURE] = {"failure", "wrong RES, MAC failure, or reg-await-auth (DF-02, DF-06)"},
	[USER_ON_VOID] = {"void", "a newer challenge takes its place (DF-05), or all ends"},
	[USER_ON_BINDING] = {"binding", "SM10: authenticated; HSS asked if it was not registered"},
	[USER_ON_END] = {"end", "de-registered by UE or network, or expired"},
};

static const char no_challenge[] = "there is no challenge";

static const struct machine_arc user_arcs[USER_STATES * USER_EVENTS] = {
	{USER_NOT_REGISTERED, USER_ON_CHALLENGE, USER_CHALLENGED, NULL},
	{USER_NOT_REGISTERED, USER_ON_RIGHT_ANSWER, NO, "403, or challenged"},
	{USER_NOT_REGISTERED, USER_ON_FAILURE, NO, no_challenge},
	{USER_NOT_REGISTERED, USER_ON_VOID, NO, no_challenge},
	{USER_NOT_REGISTERED, USER_ON_BINDING, USER_REGISTERED, "after SM9 right and Cx-Put"},
	{USER_NOT_REGISTERED, USER_ON_END, USER_NOT_REGISTERED, "Cx-Put that undoes a removal"},

	{USER_CHALLENGED, USER_ON_CHALLENGE, NO, "void comes first"},
	{USER_CHALLENGED, USER_ON_RIGHT_ANSWER, USER_NOT_REGISTERED, "Cx-Put is asked"},
	{USER_CHALLENGED, USER_ON_FAILURE, USER_NOT_REGISTERED, NULL},
	{USER_CHALLENGED, USER_ON_VOID, USER_NOT_REGISTERED, NULL},
	{USER_CHALLENGED, USER_ON_BINDING, USER_RECHALLENGED,
	 "a Cx-Put of the run before ended late"},
	{USER_CHALLENGED, USER_ON_END, USER_CHALLENGED, "a removal of the run before ended late"},

	{USER_REGISTERED, USER_ON_CHALLENGE, USER_RECHALLENGED, NULL},
	{USER_REGISTERED, USER_ON_RIGHT_ANSWER, NO, "403, or challenged"},
	{USER_REGISTERED, USER_ON_FAILURE, NO, no_challenge},
	{USER_REGISTERED, USER_ON_VOID, NO, no_challenge},
	{USER_REGISTERED, USER_ON_BINDING, USER_REGISTERED, "re-registration, or refresh"},
	{USER_REGISTERED, USER_ON_END, USER_NOT_REGISTERED, NULL},

	{USER_RECHALLENGED, USER_ON_CHALLENGE, NO, "void comes first"},
	{USER_RECHALLENGED, USER_ON_RIGHT_ANSWER, USER_REGISTERED, NULL},
	{USER_RECHALLENGED, USER_ON_FAILURE, USER_REGISTERED, "the registration is as it was"},
	{USER_RECHALLENGED, USER_ON_VOID, USER_REGISTERED, NULL},
	{USER_RECHALLENGED, USER_ON_BINDING, USER_RECHALLENGED, "refresh that needs no answer"},
	{USER_RECHALLENGED, USER_ON_END, USER_CHALLENGED, "the UE removed itself meanwhile"},
};

const struct machine user_machine = {"scscf_user", "S-CSCF: a user's registration",
				     user_states,  user_events,
				     user_arcs,	   USER_STATES,
				     USER_EVENTS};

/* ---- re-authentication by the network's wish ---------------------------------------------- */

static const struct machine_name reauth_states[REAUTH_STATES] = {
	[REAUTH_NOT_DUE] = {"not due", "policy alone says what is challenged"},
	[REAUTH_DUE] = {"due", "registration shortened; the next REGISTER is challenged"},
};

static const struct machine_name reauth_events[REAUTH_EVENTS] = {
	[REAUTH_ON_WISH] = {"wish", "`esplanadectl reauth` (TS 33.203 6.1.4)"},
	[REAUTH_ON_REPEAT] = {"repeat", "the shortened registration ended: once more"},
	[REAUTH_ON_DONE] = {"done", "SM9 right, or the registration is over"},
};

static const struct machine_arc reauth_arcs[REAUTH_STATES * REAUTH_EVENTS] = {
	{REAUTH_NOT_DUE, REAUTH_ON_WISH, REAUTH_DUE, NULL},
	{REAUTH_NOT_DUE, REAUTH_ON_REPEAT, NO, "nobody has asked the UE"},
	{REAUTH_NOT_DUE, REAUTH_ON_DONE, REAUTH_NOT_DUE, NULL},

	{REAUTH_DUE, REAUTH_ON_WISH, REAUTH_DUE, "asked again"},
	{REAUTH_DUE, REAUTH_ON_REPEAT, REAUTH_DUE, "`reauth_repeats` times; then de-registered"},
	{REAUTH_DUE, REAUTH_ON_DONE, REAUTH_NOT_DUE, NULL},
};

const struct machine reauth_machine = {
	"scscf_reauth", "S-CSCF: re-authentication by the network's wish",
	reauth_states,	reauth_events,
	reauth_arcs,	REAUTH_STATES,
	REAUTH_EVENTS};

/* ---- stepping ----------------------------------------------------------------------------- */

static int next_of(struct user *u, const struct machine *m, unsigned state, unsigned event)
{
	int next = machine_next(m, state, event);

	if (next < 0)
		u->scscf->impossible++;
	return next;
}

bool user_step(struct user *u, enum user_event event)
{
	int next = next_of(u, &user_machine, u->state, event);

	if (next >= 0)
		u->state = (enum user_state)next;
	u->registered = u->state == USER_REGISTERED || u->state == USER_RECHALLENGED;
	u->challenge.pending = u->state == USER_CHALLENGED || u->state == USER_RECHALLENGED;
	return next >= 0;
}

bool reauth_step(struct user *u, enum reauth_event event)
{
	enum reauth_state state = u->reauth.due ? REAUTH_DUE : REAUTH_NOT_DUE;
	int next = next_of(u, &reauth_machine, state, event);

	if (next >= 0)
		u->reauth.due = next == REAUTH_DUE;
	return next >= 0;
}
