/* Inside agree/: the grammar below a mechanism (RFC 3329 2.2, RFC 3261 25.1), read strictly. */
#pragma once

#include "sv.h"

#define AGREE_MAX_PARAMS 48 /* per mechanism; more is refused */

struct agree_param {
	struct sv name;
	struct sv value; /* as written; empty with has_value false: a flag */
	bool has_value;
};

/* Takes the mechanism name off *rest. false: there is none. */
bool agree_name_read(struct sv *rest, struct sv *name);
/* Takes ";name" or ";name=value" off *rest. 1: taken, 0: at the end, -EBADMSG */
int agree_param_read(struct sv *rest, struct agree_param *p);
/* Takes the text up to the next comma outside quotes off *rest; false: *rest was at its end. */
bool agree_element_next(struct sv *rest, struct sv *element);
