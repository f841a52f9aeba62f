/* Lists that the daemon gives in parts. */
#pragma once

#include "control/ctl/args.h"
#include "control/ctl/client.h"

typedef int list_part_h(void *arg, const json_t *items);

/* Fetches a->offset, a->limit of the list `name` at `path`, part by part. 0 or negative errno. */
int list_fetch(struct client *c, const struct args *a, const char *path, const char *name,
	       list_part_h *part, void *arg);
