/* Inside of ue_options*.c. */
#pragma once

#include "bench/ue_options.h"

/* What is missing or contradicts itself; NULL: nothing. Fills in what follows from the rest. `ip`:
 * of
 * --ip; 0: not given. */
const char *ue_options_complete(struct load_options *o, uint32_t ip);
