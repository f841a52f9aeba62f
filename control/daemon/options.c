#include "control/daemon/options.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

enum option_id { OPT_CHECK = 256, OPT_KEYS, OPT_RUN_DIR, OPT_VERSION };

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, OPT_CHECK},
	{"keys", no_argument, NULL, OPT_KEYS},
	{"run-dir", required_argument, NULL, OPT_RUN_DIR},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static int wrong(FILE *err, const char *what, const char *text)
{
	fprintf(err, "esplanade: %s%s (see esplanade --help)\n", what, text);
	return -EINVAL;
}

static void option_take(struct options *o, int id)
{
	switch (id) {
	case 'c':
		o->conf = optarg;
		return;
	case OPT_RUN_DIR:
		o->run_dir = optarg;
		return;
	case OPT_CHECK:
		o->verb = OPTIONS_CHECK;
		return;
	case OPT_KEYS:
		o->verb = OPTIONS_KEYS;
		return;
	case OPT_VERSION:
		o->verb = OPTIONS_VERSION;
		return;
	default:
		o->verb = OPTIONS_HELP;
	}
}

int options_parse(struct options *o, int argc, char **argv, FILE *err)
{
	int id;

	memset(o, 0, sizeof(*o));
	optind = 0; /* from the start, also in a second call */
	opterr = 0;
	while ((id = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
		if (id == ':')
			return wrong(err, "expected a value after ", argv[optind - 1]);
		if (id == '?')
			return wrong(err, "unknown option: ", argv[optind - 1]);
		option_take(o, id);
	}
	if (optind < argc)
		return wrong(err, "unexpected: ", argv[optind]);
	if (!o->conf && (o->verb == OPTIONS_RUN || o->verb == OPTIONS_CHECK))
		return wrong(err, "expected -c FILE", "");
	return 0;
}

void options_help(FILE *out)
{
	fputs("usage: esplanade -c FILE [--run-dir DIR]\n"
	      "       esplanade --check -c FILE\n"
	      "\n"
	      "The P-CSCF side of 3GPP TS 33.203 with the I-CSCF, S-CSCF and HSS it needs to run "
	      "by itself:\n"
	      "phones register through it with IMS AKA and talk to it inside IPsec ESP, or with "
	      "SIP "
	      "Digest\n"
	      "inside TLS.\n"
	      "\n"
	      "  -c, --config FILE  configuration; etc/esplanade.conf is a sample\n"
	      "  --check            only checks the configuration: faults as FILE:LINE: text\n"
	      "  --keys             prints every key of the configuration with range and default\n"
	      "  --run-dir DIR      relative paths of the configuration (hss.database, "
	      "control.socket,\n"
	      "                     tls.certificate, tls.key, key files) are below DIR, which is "
	      "made if it\n"
	      "                     is not there\n"
	      "  -h, --help\n"
	      "  --version\n"
	      "\n"
	      "Runs in the foreground and logs to stderr; \"esplanade: ready\" says that the ports "
	      "are up.\n"
	      "SIGTERM and SIGINT end it, SIGHUP reads the TLS certificate again. esplanadectl "
	      "looks into it.\n"
	      "exit status: 0 ended as asked; 1 could not start; 2 wrong usage or configuration\n",
	      out);
}
