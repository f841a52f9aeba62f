/* The P-CSCF's states of a REGISTER under way and of an SA set, and what changes them. */
#pragma once

#include <stdbool.h>

#include "control/base/machine.h"

struct pcscf_run;
struct pcscf_set;

enum pcscf_run_state {
	PCSCF_RUN_NONE,
	PCSCF_RUN_SM1, /* SM2 is at the core */
	PCSCF_RUN_SM6, /* challenged; the new set waits for SM7 */
	PCSCF_RUN_SM7, /* SM8 is at the core */
	PCSCF_RUN_STATES,
};

enum pcscf_run_event {
	PCSCF_ON_SM1,
	PCSCF_ON_SM5,
	PCSCF_ON_SM7,
	PCSCF_ON_SM7_REFUSED,
	PCSCF_ON_SM11,
	PCSCF_ON_UNCHALLENGED,
	PCSCF_ON_FAILURE,
	PCSCF_ON_LIFETIME,
	PCSCF_ON_NEWER_SM1,
	PCSCF_ON_REMOVAL,
	PCSCF_RUN_EVENTS,
};

enum pcscf_set_event { /* roles: pcscf.h */
		       PCSCF_SET_ON_SM6,
		       PCSCF_SET_ON_SM12,
		       PCSCF_SET_ON_SUCCESSOR,
		       PCSCF_SET_ON_END,
		       PCSCF_SET_ON_REMOVAL,
		       PCSCF_SET_EVENTS,
};

extern const struct machine pcscf_run_machine, pcscf_set_machine;

/* false: counted as a fault of ours, the state stays; who called ends the run. */
bool pcscf_run_step(struct pcscf_run *run, enum pcscf_run_event event);
bool pcscf_set_step(struct pcscf_set *s, enum pcscf_set_event event);
