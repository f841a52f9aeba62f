/* esplanade: the composition root. Command line and configuration to a running daemon. */
#include <stdio.h>
#include <stdlib.h>

#include "control/daemon/daemon.h"
#include "control/daemon/options.h"
#include "control/daemon/platform.h"

static void fault_print(void *arg, const char *file, unsigned line, const char *text)
{
	(void)arg;
	fprintf(stderr, "%s:%u: %s\n", file, line, text);
}

static int check(const struct options *o)
{
	struct esp_conf conf;

	if (conf_load(&conf, o->conf, o->run_dir, fault_print, NULL))
		return 2;
	conf_free(&conf);
	printf("%s: no faults\n", o->conf);
	return 0;
}

static int run(const struct options *o)
{
	struct daemon *d = calloc(1, sizeof(*d));
	int status = 1;

	if (!d)
		return 1;
	d->log.level = CONF_LOG_INFO;
	if (conf_load(&d->conf, o->conf, o->run_dir, fault_print, NULL)) {
		status = 2;
	} else {
		d->log.level = d->conf.log_level;
		if (!o->run_dir || platform_run_dir(o->run_dir, &d->log) == 0)
			status = daemon_run(d) ? 1 : 0;
	}
	conf_free(&d->conf);
	free(d);
	return status;
}

int main(int argc, char **argv)
{
	struct options o;

	if (options_parse(&o, argc, argv, stderr))
		return 2;
	switch (o.verb) {
	case OPTIONS_RUN:
		return run(&o);
	case OPTIONS_CHECK:
		return check(&o);
	case OPTIONS_KEYS:
		conf_keys_print(stdout);
		return 0;
	case OPTIONS_HELP:
		options_help(stdout);
		return 0;
	case OPTIONS_VERSION:
		puts("esplanade " ESPLANADE_VERSION);
		return 0;
	}
	return 2;
}
