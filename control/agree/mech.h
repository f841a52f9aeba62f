/* Inside agree/: one mechanism. */
#pragma once

#include "control/agree/agree.h"

/* Reads one element of the list, all of it. -EBADMSG: any error of grammar or value, anything
 * missing. */
int agree_mech_read(struct agree_mech *m, struct sv element);
