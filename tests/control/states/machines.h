/* All machines of control/, for the document and the tests. */
#pragma once

#include "control/base/machine.h"

extern const struct machine *const all_machines[];
extern const unsigned n_all_machines;
