/* The UE's states: of a REGISTER under way, of its registration, of an SA set. */
#pragma once

#include <stdbool.h>

#include "control/base/machine.h"

struct ue;
struct ue_set;

enum ue_step {
	UE_STEP_NONE,
	UE_STEP_SM1,
	UE_STEP_REPORT, /* the REGISTER that tells of a bad AUTN; a 401 to it is a new SM6 */
	UE_STEP_SM7,
	UE_STEPS,
};

enum ue_run_event {
	UE_RUN_ON_START,
	UE_RUN_ON_BAD_AUTN,
	UE_RUN_ON_SM6,
	UE_RUN_ON_STALE,
	UE_RUN_ON_2XX,
	UE_RUN_ON_TIMEOUT,
	UE_RUN_ON_FAILURE,
	UE_RUN_ON_WIPE,
	UE_RUN_EVENTS,
};

enum ue_registration {
	UE_NOT_REGISTERED,
	UE_REGISTERED_SAS,
	UE_REGISTERED_SHORTENED, /* the next authentication is by the network's wish */
	UE_REGISTERED_CLEAR,	 /* without SAs (PO-02) */
	UE_REGISTRATIONS,
};

enum ue_registration_event {
	UE_ON_SM12,
	UE_ON_REFRESH,
	UE_ON_SM12_CLEAR,
	UE_ON_SHORTENED,
	UE_ON_END,
	UE_REGISTRATION_EVENTS,
};

enum ue_set_state {
	UE_SET_FREE,
	UE_SET_PROPOSED, /* SPIs and ports are in a Security-Client; no SA yet */
	UE_SET_NEW,	 /* SAs made at SM6, for messages of the authentication only (LU-02) */
	UE_SET_CURRENT,
	UE_SET_OLD, /* until LU-12 */
	UE_SET_STATES,
};

enum ue_set_event {
	UE_SET_ON_PROPOSAL,
	UE_SET_ON_SM6,
	UE_SET_ON_SM12,
	UE_SET_ON_SUCCESSOR,
	UE_SET_ON_LEAVE,
	UE_SET_ON_REMOVAL,
	UE_SET_EVENTS,
};

extern const struct machine ue_run_machine, ue_registration_machine, ue_set_machine;

/* false: counted as a fault of ours (UE_DROP_IMPOSSIBLE), the state stays; the run shall end. */
bool ue_run_step(struct ue *u, enum ue_run_event event);
/* Sets u->registered, unprotected and reauth, which nobody else does. */
bool ue_registration_step(struct ue *u, enum ue_registration_event event);
bool ue_set_step(struct ue *u, struct ue_set *s, enum ue_set_event event);
