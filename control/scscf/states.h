/* The S-CSCF's states of a user, and what changes them. */
#pragma once

#include <stdbool.h>

#include "control/base/machine.h"

struct user;

enum user_state {
	USER_NOT_REGISTERED,
	USER_CHALLENGED,
	USER_REGISTERED,
	USER_RECHALLENGED, /* registered, and challenged */
	USER_STATES,
};

enum user_event {
	USER_ON_CHALLENGE,
	USER_ON_RIGHT_ANSWER,
	USER_ON_FAILURE,
	USER_ON_VOID,
	USER_ON_BINDING,
	USER_ON_END,
	USER_EVENTS,
};

enum reauth_state { REAUTH_NOT_DUE, REAUTH_DUE, REAUTH_STATES };
enum reauth_event { REAUTH_ON_WISH, REAUTH_ON_REPEAT, REAUTH_ON_DONE, REAUTH_EVENTS };

extern const struct machine user_machine, reauth_machine;

/* Sets u->registered and u->challenge.pending, which nobody else does. false: counted as a fault of
 * ours, the state stays. */
bool user_step(struct user *u, enum user_event event);
/* Likewise u->reauth.due. */
bool reauth_step(struct user *u, enum reauth_event event);
