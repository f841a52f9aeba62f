/* Lines for people, on stderr. Never secrets, and never more than some per second. */
#pragma once

#include "control/conf/conf.h"

struct log {
	enum conf_level level; /* least weight that is written */
	uint64_t second;       /* of the lines counted */
	unsigned lines, held_back;
};

__attribute__((format(printf, 3, 4))) void log_line(struct log *l, enum conf_level level,
						    const char *fmt, ...);
