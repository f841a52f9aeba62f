/* The command line of esplanade. */
#pragma once

#include <stdio.h>

enum options_verb {
	OPTIONS_RUN,
	OPTIONS_CHECK,
	OPTIONS_KEYS,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options {
	enum options_verb verb;
	const char *conf, *run_dir; /* of argv, or NULL */
};

/* 0; or -EINVAL with the reason written to err. */
int options_parse(struct options *o, int argc, char **argv, FILE *err);
void options_help(FILE *out);
