/* `esplanade-ue phone`: one UE, commands from stdin, events on stdout. */
#pragma once

#include "bench/ue_options.h"

int phone_main(const struct load_options *o); /* exit status */
