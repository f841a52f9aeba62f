/* `esplanade-ue load`: N UEs over one data plane. */
#pragma once

#include "bench/ue_options.h"
#include "bench/ue_result.h"

struct load;

/* Opens the port, reads the subscribers, makes the UEs. A message on stderr and negative errno on
 * failure. */
int load_alloc(struct load **lp, const struct load_options *o);
void load_free(struct load *l);
/* Registers, sends, de-registers. -EINTR: a signal ended it before. *r is filled in any case. */
int load_run(struct load *l, struct ue_result *r);
/* Answers and refreshes until a signal comes. */
void load_keep(struct load *l);
/* De-registers those that are registered, unless the options say otherwise. */
void load_end(struct load *l);
