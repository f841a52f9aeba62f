/* "show workers": counters, and rates between two readings. */
#pragma once

#include "control/ctl/args.h"
#include "control/ctl/client.h"

/* 0 or negative errno, the reason on stderr. With a->watch_s until somebody ends the program. */
int workers_show(struct client *c, const struct args *a);
