/* Subscribers from the command line or a file to the daemon. */
#pragma once

#include "control/ctl/args.h"
#include "control/ctl/client.h"

/* 0; -EINVAL: the input is wrong; -EIO: the daemon refused some or cannot be reached. Reasons on
 * stderr. */
int subscriber_add(struct client *c, const struct args *a);
int subscriber_password(struct client *c, const struct args *a);
