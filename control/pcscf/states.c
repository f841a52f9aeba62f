/* State tables of the P-CSCF (TS 33.203 7.4.2, 7.4.2a). docs/states.md shows them. */
#include "control/pcscf/internal.h"

/* ---- a REGISTER under way ----------------------------------------------------------------- */

static const struct machine_name run_states[PCSCF_RUN_STATES] = {
	[PCSCF_RUN_NONE] = {"no run", "nothing under way"},
	[PCSCF_RUN_SM1] = {"SM1", "SM2 is at the core"},
	[PCSCF_RUN_SM6] = {"SM6",
			   "the UE is challenged; the new SA set, if there is one, waits for SM7"},
	[PCSCF_RUN_SM7] = {"SM7", "SM8 is at the core"},
};

static const struct machine_name run_events[PCSCF_RUN_EVENTS] = {
	[PCSCF_ON_SM1] = {"SM1", "a REGISTER in clear or on an old set passed all checks"},
	[PCSCF_ON_SM5] = {"SM5", "the core challenges, the new set is made, SM6 goes out"},
	[PCSCF_ON_SM7] = {"SM7", "the answer came on the new set and repeats SM1 and SM6 rightly"},
	[PCSCF_ON_SM7_REFUSED] = {"SM7 refused", "it differs from SM1 or SM6 (SU-12, ER-08)"},
	[PCSCF_ON_SM11] = {"SM11", "2xx to SM8; SM12 goes out on the new set (LP-09..LP-11)"},
	[PCSCF_ON_UNCHALLENGED] = {"2xx to SM2", "the core asks for no authentication (LP-14)"},
	[PCSCF_ON_FAILURE] = {"failure",
			      "any other answer of the core, none, or SM6 cannot be made"},
	[PCSCF_ON_LIFETIME] = {"lifetime",
			       "the temporary lifetime ended (ER-01), or the TLS connection"},
	[PCSCF_ON_NEWER_SM1] = {"newer SM1", "the UE begins again (LP-07, LU-01, ER-06)"},
	[PCSCF_ON_REMOVAL] = {"removal", "the registration is removed by administration"},
};

#define NO MACHINE_IMPOSSIBLE
static const char no_run[] = "there is no run", no_set[] = "no set has been made yet",
		  one_sm1[] = "a newer SM1 begins a run of its own",
		  core_done[] = "the core has answered SM2; SM8 is still to come";

static const struct machine_arc run_arcs[PCSCF_RUN_STATES * PCSCF_RUN_EVENTS] = {
	{PCSCF_RUN_NONE, PCSCF_ON_SM1, PCSCF_RUN_SM1, NULL},
	{PCSCF_RUN_NONE, PCSCF_ON_SM5, NO, no_run},
	{PCSCF_RUN_NONE, PCSCF_ON_SM7, NO, "discarded: on a set of no run (LP-03)"},
	{PCSCF_RUN_NONE, PCSCF_ON_SM7_REFUSED, NO, no_run},
	{PCSCF_RUN_NONE, PCSCF_ON_SM11, NO, "the response is passed on without a run"},
	{PCSCF_RUN_NONE, PCSCF_ON_UNCHALLENGED, NO, "the response is passed on without a run"},
	{PCSCF_RUN_NONE, PCSCF_ON_FAILURE, NO, "the response is passed on without a run"},
	{PCSCF_RUN_NONE, PCSCF_ON_LIFETIME, NO, no_run},
	{PCSCF_RUN_NONE, PCSCF_ON_NEWER_SM1, NO, no_run},
	{PCSCF_RUN_NONE, PCSCF_ON_REMOVAL, NO, no_run},

	{PCSCF_RUN_SM1, PCSCF_ON_SM1, NO, one_sm1},
	{PCSCF_RUN_SM1, PCSCF_ON_SM5, PCSCF_RUN_SM6, NULL},
	{PCSCF_RUN_SM1, PCSCF_ON_SM7, NO, no_set},
	{PCSCF_RUN_SM1, PCSCF_ON_SM7_REFUSED, NO, no_set},
	{PCSCF_RUN_SM1, PCSCF_ON_SM11, NO, "nothing is authenticated yet"},
	{PCSCF_RUN_SM1, PCSCF_ON_UNCHALLENGED, PCSCF_RUN_NONE, "the proposal is dropped (SP-19)"},
	{PCSCF_RUN_SM1, PCSCF_ON_FAILURE, PCSCF_RUN_NONE, NULL},
	{PCSCF_RUN_SM1, PCSCF_ON_LIFETIME, NO, no_set},
	{PCSCF_RUN_SM1, PCSCF_ON_NEWER_SM1, PCSCF_RUN_NONE, NULL},
	{PCSCF_RUN_SM1, PCSCF_ON_REMOVAL, PCSCF_RUN_NONE, NULL},

	{PCSCF_RUN_SM6, PCSCF_ON_SM1, NO, one_sm1},
	{PCSCF_RUN_SM6, PCSCF_ON_SM5, NO, core_done},
	{PCSCF_RUN_SM6, PCSCF_ON_SM7, PCSCF_RUN_SM7, NULL},
	{PCSCF_RUN_SM6, PCSCF_ON_SM7_REFUSED, PCSCF_RUN_NONE, "the set lingers for repeats"},
	{PCSCF_RUN_SM6, PCSCF_ON_SM11, NO, core_done},
	{PCSCF_RUN_SM6, PCSCF_ON_UNCHALLENGED, NO, core_done},
	{PCSCF_RUN_SM6, PCSCF_ON_FAILURE, NO, core_done},
	{PCSCF_RUN_SM6, PCSCF_ON_LIFETIME, PCSCF_RUN_NONE, "the set goes at once"},
	{PCSCF_RUN_SM6, PCSCF_ON_NEWER_SM1, PCSCF_RUN_NONE, "the set goes at once"},
	{PCSCF_RUN_SM6, PCSCF_ON_REMOVAL, PCSCF_RUN_NONE, NULL},

	{PCSCF_RUN_SM7, PCSCF_ON_SM1, NO, one_sm1},
	{PCSCF_RUN_SM7, PCSCF_ON_SM5, PCSCF_RUN_SM6,
	 "Digest with stale=TRUE (TE-03); any other 401 to SM8 is a failure (ER-02)"},
	{PCSCF_RUN_SM7, PCSCF_ON_SM7, NO, "discarded: a second one is a repeat (LP-03)"},
	{PCSCF_RUN_SM7, PCSCF_ON_SM7_REFUSED, PCSCF_RUN_NONE, "SM8 cannot be sent"},
	{PCSCF_RUN_SM7, PCSCF_ON_SM11, PCSCF_RUN_NONE, "the new set is the current one"},
	{PCSCF_RUN_SM7, PCSCF_ON_UNCHALLENGED, NO, "it was challenged"},
	{PCSCF_RUN_SM7, PCSCF_ON_FAILURE, PCSCF_RUN_NONE, "the set lingers for repeats (ER-05)"},
	{PCSCF_RUN_SM7, PCSCF_ON_LIFETIME, PCSCF_RUN_NONE, "the set goes at once"},
	{PCSCF_RUN_SM7, PCSCF_ON_NEWER_SM1, PCSCF_RUN_NONE, "the set goes at once"},
	{PCSCF_RUN_SM7, PCSCF_ON_REMOVAL, PCSCF_RUN_NONE, NULL},
};

const struct machine pcscf_run_machine = {"pcscf_run",	   "P-CSCF: a REGISTER under way",
					  run_states,	   run_events,
					  run_arcs,	   PCSCF_RUN_STATES,
					  PCSCF_RUN_EVENTS};

/* ---- an SA set ---------------------------------------------------------------------------- */

static const struct machine_name set_roles[PCSCF_SET_ROLES] = {
	[PCSCF_SET_GONE] = {"gone", "not made yet, or removed"},
	[PCSCF_SET_NEW] = {"new", "for SM7 and SM12 only, for the temporary lifetime (LP-02)"},
	[PCSCF_SET_CURRENT] = {"current", "of the last authentication that succeeded"},
	[PCSCF_SET_OLD] = {"old", "in use until the UE is heard on the current one (LP-13)"},
	[PCSCF_SET_ENDING] = {"ending", "for nothing but repeats, `linger` seconds long (F06)"},
};

static const struct machine_name set_events[PCSCF_SET_EVENTS] = {
	[PCSCF_SET_ON_SM6] = {"made",
			      "SM6: SPIs, ports and keys are in the data plane; or SM7 of a UE "
			      "without SAs came on that flow"},
	[PCSCF_SET_ON_SM12] = {"SM12", "has been sent on this set"},
	[PCSCF_SET_ON_SUCCESSOR] = {"successor",
				    "SM12 of a run whose SM1 came on this set (LP-11)"},
	[PCSCF_SET_ON_END] = {"end", "the run failed after SM7, or the registration is over"},
	[PCSCF_SET_ON_REMOVAL] = {"removal", "SAs and entry go together (LC-05)"},
};

static const char no_entry[] = "it has no entry";

static const struct machine_arc set_arcs[PCSCF_SET_ROLES * PCSCF_SET_EVENTS] = {
	{PCSCF_SET_GONE, PCSCF_SET_ON_SM6, PCSCF_SET_NEW, NULL},
	{PCSCF_SET_GONE, PCSCF_SET_ON_SM12, NO, no_entry},
	{PCSCF_SET_GONE, PCSCF_SET_ON_SUCCESSOR, NO, no_entry},
	{PCSCF_SET_GONE, PCSCF_SET_ON_END, NO, no_entry},
	{PCSCF_SET_GONE, PCSCF_SET_ON_REMOVAL, NO, no_entry},

	{PCSCF_SET_NEW, PCSCF_SET_ON_SM6, NO, "SM6 is sent once"},
	{PCSCF_SET_NEW, PCSCF_SET_ON_SM12, PCSCF_SET_CURRENT, NULL},
	{PCSCF_SET_NEW, PCSCF_SET_ON_SUCCESSOR, NO, "no SM1 is taken on a new set"},
	{PCSCF_SET_NEW, PCSCF_SET_ON_END, PCSCF_SET_ENDING, "SM7 refused, or failure"},
	{PCSCF_SET_NEW, PCSCF_SET_ON_REMOVAL, PCSCF_SET_GONE, "newer SM1, or lifetime (ER-01)"},

	{PCSCF_SET_CURRENT, PCSCF_SET_ON_SM6, NO, "SM6 makes a set of its own"},
	{PCSCF_SET_CURRENT, PCSCF_SET_ON_SM12, NO, "SM12 was sent already"},
	{PCSCF_SET_CURRENT, PCSCF_SET_ON_SUCCESSOR, PCSCF_SET_OLD, NULL},
	{PCSCF_SET_CURRENT, PCSCF_SET_ON_END, PCSCF_SET_ENDING, "de-registered"},
	{PCSCF_SET_CURRENT, PCSCF_SET_ON_REMOVAL, PCSCF_SET_GONE,
	 "lifetime (ST-14), or SM12 of a run whose SM1 came in clear (LP-10)"},

	{PCSCF_SET_OLD, PCSCF_SET_ON_SM6, NO, "SM6 makes a set of its own"},
	{PCSCF_SET_OLD, PCSCF_SET_ON_SM12, PCSCF_SET_CURRENT,
	 "a UE without SAs has come back to it"},
	{PCSCF_SET_OLD, PCSCF_SET_ON_SUCCESSOR, PCSCF_SET_OLD, "the UE never used the current one"},
	{PCSCF_SET_OLD, PCSCF_SET_ON_END, PCSCF_SET_ENDING, "de-registered"},
	{PCSCF_SET_OLD, PCSCF_SET_ON_REMOVAL, PCSCF_SET_GONE,
	 "the UE is heard on the current set and nothing is outstanding (LP-13), or lifetime"},

	{PCSCF_SET_ENDING, PCSCF_SET_ON_SM6, NO, "SM6 makes a set of its own"},
	{PCSCF_SET_ENDING, PCSCF_SET_ON_SM12, NO, "the run has ended"},
	{PCSCF_SET_ENDING, PCSCF_SET_ON_SUCCESSOR, NO, "the registration of that run is over"},
	{PCSCF_SET_ENDING, PCSCF_SET_ON_END, PCSCF_SET_ENDING, "a repeat of the end"},
	{PCSCF_SET_ENDING, PCSCF_SET_ON_REMOVAL, PCSCF_SET_GONE,
	 "`linger` is over, or its place or port is wanted"},
};

const struct machine pcscf_set_machine = {"pcscf_set",	   "P-CSCF: role of an SA set",
					  set_roles,	   set_events,
					  set_arcs,	   PCSCF_SET_ROLES,
					  PCSCF_SET_EVENTS};

/* ---- stepping ----------------------------------------------------------------------------- */

bool pcscf_run_step(struct pcscf_run *run, enum pcscf_run_event event)
{
	int next = machine_next(&pcscf_run_machine, run->state, event);

	if (next >= 0)
		run->state = (enum pcscf_run_state)next;
	else
		run->reg->p->counters.impossible++;
	return next >= 0;
}

bool pcscf_set_step(struct pcscf_set *s, enum pcscf_set_event event)
{
	int next = machine_next(&pcscf_set_machine, s->role, event);

	if (next >= 0)
		s->role = (enum pcscf_set_role)next;
	else
		s->reg->p->counters.impossible++;
	return next >= 0;
}
