/* State tables of the UE (TS 33.203 7.4.1, 7.4.1a; TS 24.229 5.1.1). docs/states.md shows them. */
#include "control/ue/states.h"

#include "control/ue/ue_internal.h"

#define NO MACHINE_IMPOSSIBLE

/* ---- a REGISTER under way ----------------------------------------------------------------- */

static const struct machine_name run_states[UE_STEPS] = {
	[UE_STEP_NONE] = {"idle", "nothing under way"},
	[UE_STEP_SM1] = {"SM1 sent", "in clear, or on the current set"},
	[UE_STEP_REPORT] = {"AUTN reported",
			    "the REGISTER with AUTS, or without a response (ER-06)"},
	[UE_STEP_SM7] = {"SM7 sent", "on the new set"},
};

static const struct machine_name run_events[UE_RUN_EVENTS] = {
	[UE_RUN_ON_START] = {"start", "registration, refresh, de-registration, or again"},
	[UE_RUN_ON_BAD_AUTN] = {"bad AUTN", "SM6 whose MAC is wrong, or whose SQN is not fresh"},
	[UE_RUN_ON_SM6] = {"SM6", "good, and its Security-Server acceptable: the new SAs are made"},
	[UE_RUN_ON_STALE] = {"stale", "a 401 to SM7 that calls our nonce stale (DF-09, TE-03)"},
	[UE_RUN_ON_2XX] = {"2xx", "SM12; or nobody has challenged SM1"},
	[UE_RUN_ON_TIMEOUT] = {"time-out", "timer F, patience, or the temporary lifetime (LU-14)"},
	[UE_RUN_ON_FAILURE] = {"failure", "another answer, or none of SM6's offers can be taken"},
	[UE_RUN_ON_WIPE] = {"wipe", "a new start takes its place (LU-01, ER-05), or all ends"},
};

static const char not_running[] = "no REGISTER is under way", runs[] = "a start wipes first";

static const struct machine_arc run_arcs[UE_STEPS * UE_RUN_EVENTS] = {
	{UE_STEP_NONE, UE_RUN_ON_START, UE_STEP_SM1, NULL},
	{UE_STEP_NONE, UE_RUN_ON_BAD_AUTN, NO, not_running},
	{UE_STEP_NONE, UE_RUN_ON_SM6, NO, not_running},
	{UE_STEP_NONE, UE_RUN_ON_STALE, NO, not_running},
	{UE_STEP_NONE, UE_RUN_ON_2XX, NO, not_running},
	{UE_STEP_NONE, UE_RUN_ON_TIMEOUT, NO, not_running},
	{UE_STEP_NONE, UE_RUN_ON_FAILURE, UE_STEP_NONE, "it could not even begin again"},
	{UE_STEP_NONE, UE_RUN_ON_WIPE, UE_STEP_NONE, NULL},

	{UE_STEP_SM1, UE_RUN_ON_START, NO, runs},
	{UE_STEP_SM1, UE_RUN_ON_BAD_AUTN, UE_STEP_REPORT, NULL},
	{UE_STEP_SM1, UE_RUN_ON_SM6, UE_STEP_SM7, NULL},
	{UE_STEP_SM1, UE_RUN_ON_STALE, NO, "it is SM6 then"},
	{UE_STEP_SM1, UE_RUN_ON_2XX, UE_STEP_NONE, "refresh without challenge (LU-13)"},
	{UE_STEP_SM1, UE_RUN_ON_TIMEOUT, UE_STEP_NONE, NULL},
	{UE_STEP_SM1, UE_RUN_ON_FAILURE, UE_STEP_NONE, NULL},
	{UE_STEP_SM1, UE_RUN_ON_WIPE, UE_STEP_NONE, NULL},

	{UE_STEP_REPORT, UE_RUN_ON_START, NO, runs},
	{UE_STEP_REPORT, UE_RUN_ON_BAD_AUTN, UE_STEP_REPORT, "twice; then it is a failure"},
	{UE_STEP_REPORT, UE_RUN_ON_SM6, UE_STEP_SM7, NULL},
	{UE_STEP_REPORT, UE_RUN_ON_STALE, NO, "AKA has no stale nonces"},
	{UE_STEP_REPORT, UE_RUN_ON_2XX, UE_STEP_NONE, "refresh without challenge (LU-13)"},
	{UE_STEP_REPORT, UE_RUN_ON_TIMEOUT, UE_STEP_NONE, NULL},
	{UE_STEP_REPORT, UE_RUN_ON_FAILURE, UE_STEP_NONE, NULL},
	{UE_STEP_REPORT, UE_RUN_ON_WIPE, UE_STEP_NONE, NULL},

	{UE_STEP_SM7, UE_RUN_ON_START, NO, runs},
	{UE_STEP_SM7, UE_RUN_ON_BAD_AUTN, NO, "a 401 to SM7 is a failure"},
	{UE_STEP_SM7, UE_RUN_ON_SM6, NO, "a 401 to SM7 is a failure"},
	{UE_STEP_SM7, UE_RUN_ON_STALE, UE_STEP_SM7,
	 "Digest; a few times in a row, then it is a failure"},
	{UE_STEP_SM7, UE_RUN_ON_2XX, UE_STEP_NONE, "SM12: the new set takes over (LU-08)"},
	{UE_STEP_SM7, UE_RUN_ON_TIMEOUT, UE_STEP_NONE, NULL},
	{UE_STEP_SM7, UE_RUN_ON_FAILURE, UE_STEP_NONE, NULL},
	{UE_STEP_SM7, UE_RUN_ON_WIPE, UE_STEP_NONE, NULL},
};

const struct machine ue_run_machine = {
	"ue_run",     "UE: a REGISTER under way", run_states, run_events, run_arcs, UE_STEPS,
	UE_RUN_EVENTS};

/* ---- the registration --------------------------------------------------------------------- */

static const struct machine_name registrations[UE_REGISTRATIONS] = {
	[UE_NOT_REGISTERED] = {"not registered", "SM1 goes in clear"},
	[UE_REGISTERED_SAS] = {"registered", "a current set protects everything"},
	[UE_REGISTERED_SHORTENED] = {"shortened", "registered, and the network wants AKA (AK-15)"},
	[UE_REGISTERED_CLEAR] = {"without SAs",
				 "registered; only if the UE's policy lets it (PO-02)"},
};

static const struct machine_name registration_events[UE_REGISTRATION_EVENTS] = {
	[UE_ON_SM12] = {"SM12", "2xx on the new set"},
	[UE_ON_REFRESH] = {"refreshed", "2xx on the current set, not challenged (LU-13)"},
	[UE_ON_SM12_CLEAR] = {"2xx in clear", "to a challenge without Security-Server"},
	[UE_ON_SHORTENED] = {"shortened",
			     "NOTIFY with a shortened registration (TS 24.229 5.1.1.5A)"},
	[UE_ON_END] = {"end", "de-registered by either side, failed, or the lifetime of the SAs"},
};

static const struct machine_arc registration_arcs[UE_REGISTRATIONS * UE_REGISTRATION_EVENTS] = {
	{UE_NOT_REGISTERED, UE_ON_SM12, UE_REGISTERED_SAS, NULL},
	{UE_NOT_REGISTERED, UE_ON_REFRESH, NO, "there is no current set"},
	{UE_NOT_REGISTERED, UE_ON_SM12_CLEAR, UE_REGISTERED_CLEAR, NULL},
	{UE_NOT_REGISTERED, UE_ON_SHORTENED, NO, "it is no news then"},
	{UE_NOT_REGISTERED, UE_ON_END, UE_NOT_REGISTERED, NULL},

	{UE_REGISTERED_SAS, UE_ON_SM12, UE_REGISTERED_SAS, "re-registration"},
	{UE_REGISTERED_SAS, UE_ON_REFRESH, UE_REGISTERED_SAS, NULL},
	{UE_REGISTERED_SAS, UE_ON_SM12_CLEAR, NO, "who has SAs insists on SAs"},
	{UE_REGISTERED_SAS, UE_ON_SHORTENED, UE_REGISTERED_SHORTENED, NULL},
	{UE_REGISTERED_SAS, UE_ON_END, UE_NOT_REGISTERED, NULL},

	{UE_REGISTERED_SHORTENED, UE_ON_SM12, UE_REGISTERED_SAS, "old SAs shall go soon (AK-17)"},
	{UE_REGISTERED_SHORTENED, UE_ON_REFRESH, UE_REGISTERED_SAS, NULL},
	{UE_REGISTERED_SHORTENED, UE_ON_SM12_CLEAR, NO, "who has SAs insists on SAs"},
	{UE_REGISTERED_SHORTENED, UE_ON_SHORTENED, UE_REGISTERED_SHORTENED, "never longer"},
	{UE_REGISTERED_SHORTENED, UE_ON_END, UE_NOT_REGISTERED, NULL},

	{UE_REGISTERED_CLEAR, UE_ON_SM12, UE_REGISTERED_SAS, "the network has come to offer SAs"},
	{UE_REGISTERED_CLEAR, UE_ON_REFRESH, NO, "there is no current set"},
	{UE_REGISTERED_CLEAR, UE_ON_SM12_CLEAR, UE_REGISTERED_CLEAR, NULL},
	{UE_REGISTERED_CLEAR, UE_ON_SHORTENED, UE_REGISTERED_CLEAR, "there are no SAs to replace"},
	{UE_REGISTERED_CLEAR, UE_ON_END, UE_NOT_REGISTERED, NULL},
};

const struct machine ue_registration_machine = {
	"ue_registration", "UE: its registration", registrations,	  registration_events,
	registration_arcs, UE_REGISTRATIONS,	   UE_REGISTRATION_EVENTS};

/* ---- an SA set ---------------------------------------------------------------------------- */

static const struct machine_name set_states[UE_SET_STATES] = {
	[UE_SET_FREE] = {"free", "no set"},
	[UE_SET_PROPOSED] = {"proposed", "SPIs and ports are in SM1's Security-Client; no SA yet"},
	[UE_SET_NEW] = {"new", "for SM7 and SM12 only, for the temporary lifetime (LU-02, LU-04)"},
	[UE_SET_CURRENT] = {"current", "for all that the UE sends (LU-09)"},
	[UE_SET_OLD] = {"old",
			"for transactions begun on it; their requests, then only answers (LU-10)"},
};

static const struct machine_name set_events[UE_SET_EVENTS] = {
	[UE_SET_ON_PROPOSAL] = {"proposal", "SM1 is written"},
	[UE_SET_ON_SM6] = {"SM6", "SAs are in the data plane, before SM7 goes out"},
	[UE_SET_ON_SM12] = {"SM12", "accepted on this set (LU-08)"},
	[UE_SET_ON_SUCCESSOR] = {"successor", "SM12 of a run whose SM1 went on this set"},
	[UE_SET_ON_LEAVE] = {"leave",
			     "the network de-registered by a NOTIFY that came on this set"},
	[UE_SET_ON_REMOVAL] = {"removal", "SAs and entry go together"},
};

static const char no_set[] = "there is no set", other_set[] = "each proposal is a set of its own",
		  no_sa[] = "it has no SAs", has_sas[] = "its SAs are made";

static const struct machine_arc set_arcs[UE_SET_STATES * UE_SET_EVENTS] = {
	{UE_SET_FREE, UE_SET_ON_PROPOSAL, UE_SET_PROPOSED, NULL},
	{UE_SET_FREE, UE_SET_ON_SM6, NO, no_set},
	{UE_SET_FREE, UE_SET_ON_SM12, NO, no_set},
	{UE_SET_FREE, UE_SET_ON_SUCCESSOR, NO, no_set},
	{UE_SET_FREE, UE_SET_ON_LEAVE, NO, no_set},
	{UE_SET_FREE, UE_SET_ON_REMOVAL, NO, no_set},

	{UE_SET_PROPOSED, UE_SET_ON_PROPOSAL, NO, other_set},
	{UE_SET_PROPOSED, UE_SET_ON_SM6, UE_SET_NEW, NULL},
	{UE_SET_PROPOSED, UE_SET_ON_SM12, NO, no_sa},
	{UE_SET_PROPOSED, UE_SET_ON_SUCCESSOR, NO, no_sa},
	{UE_SET_PROPOSED, UE_SET_ON_LEAVE, NO, no_sa},
	{UE_SET_PROPOSED, UE_SET_ON_REMOVAL, UE_SET_FREE, "nobody took it (SP-19), or wiped"},

	{UE_SET_NEW, UE_SET_ON_PROPOSAL, NO, other_set},
	{UE_SET_NEW, UE_SET_ON_SM6, NO, has_sas},
	{UE_SET_NEW, UE_SET_ON_SM12, UE_SET_CURRENT, NULL},
	{UE_SET_NEW, UE_SET_ON_SUCCESSOR, NO, "only a current set has one"},
	{UE_SET_NEW, UE_SET_ON_LEAVE, NO, "no NOTIFY is taken on it (LU-02)"},
	{UE_SET_NEW, UE_SET_ON_REMOVAL, UE_SET_FREE,
	 "the run failed, or temporary lifetime (LU-14)"},

	{UE_SET_CURRENT, UE_SET_ON_PROPOSAL, NO, other_set},
	{UE_SET_CURRENT, UE_SET_ON_SM6, NO, has_sas},
	{UE_SET_CURRENT, UE_SET_ON_SM12, NO, "SM12 was accepted already"},
	{UE_SET_CURRENT, UE_SET_ON_SUCCESSOR, UE_SET_OLD, NULL},
	{UE_SET_CURRENT, UE_SET_ON_LEAVE, UE_SET_OLD, "until that NOTIFY's transaction ends"},
	{UE_SET_CURRENT, UE_SET_ON_REMOVAL, UE_SET_FREE,
	 "de-registered, lifetime (LU-14), or SM12 of a run in clear"},

	{UE_SET_OLD, UE_SET_ON_PROPOSAL, NO, other_set},
	{UE_SET_OLD, UE_SET_ON_SM6, NO, has_sas},
	{UE_SET_OLD, UE_SET_ON_SM12, NO, "SM12 was accepted already"},
	{UE_SET_OLD, UE_SET_ON_SUCCESSOR, NO, "only a current set has one"},
	{UE_SET_OLD, UE_SET_ON_LEAVE, UE_SET_OLD, "until that NOTIFY's transaction ends"},
	{UE_SET_OLD, UE_SET_ON_REMOVAL, UE_SET_FREE,
	 "heard on the current set with nothing outstanding here (LU-12), or lifetime"},
};

const struct machine ue_set_machine = {"ue_set", "UE: an SA set", set_states,	set_events,
				       set_arcs, UE_SET_STATES,	  UE_SET_EVENTS};

/* ---- stepping ----------------------------------------------------------------------------- */

static int next_of(struct ue *u, const struct machine *m, unsigned state, unsigned event)
{
	int next = machine_next(m, state, event);

	if (next < 0)
		u->drops[UE_DROP_IMPOSSIBLE]++;
	return next;
}

bool ue_run_step(struct ue *u, enum ue_run_event event)
{
	int next = next_of(u, &ue_run_machine, u->run.step, event);

	if (next >= 0)
		u->run.step = (enum ue_step)next;
	return next >= 0;
}

bool ue_registration_step(struct ue *u, enum ue_registration_event event)
{
	int next = next_of(u, &ue_registration_machine, u->registration, event);

	if (next >= 0)
		u->registration = (enum ue_registration)next;
	u->registered = u->registration != UE_NOT_REGISTERED;
	u->unprotected = u->registration == UE_REGISTERED_CLEAR;
	u->reauth = u->registration == UE_REGISTERED_SHORTENED;
	return next >= 0;
}

bool ue_set_step(struct ue *u, struct ue_set *s, enum ue_set_event event)
{
	int next = next_of(u, &ue_set_machine, s->state, event);

	if (next >= 0)
		s->state = (enum ue_set_state)next;
	return next >= 0;
}
