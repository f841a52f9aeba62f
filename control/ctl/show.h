/* What esplanadectl prints of what the daemon tells. */
#pragma once

#include "control/ctl/args.h"
#include "control/ctl/client.h"

/* Any "show" or "subscriber list". 0 or negative errno, the reason on stderr. */
int show(struct client *c, const struct args *a);
