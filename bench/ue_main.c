/* esplanade-ue: UE simulator and load generator. */
#include <signal.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/phone.h"
#include "bench/subscribers.h"
#include "bench/ue_gateway.h"
#include "bench/ue_load.h"
#include "bench/ue_options.h"
#include "crypto/secret.h"

static int load_main(const struct load_options *o)
{
	struct ue_result *r = calloc(1, sizeof(*r));
	struct load *l = NULL;
	int status = 1;
	bool interrupted;

	if (!r || load_alloc(&l, o) < 0)
		goto out;
	interrupted = load_run(l, r) == -EINTR;
	if (!interrupted && !o->keep)
		load_end(l);
	if (ue_result_print(r, o->json, stdout) == 0 && ue_result_good(r) && !interrupted)
		status = 0;
	if (o->keep && !interrupted)
		load_keep(l);
	if (o->keep || interrupted)
		load_end(l);
out:
	load_free(l);
	free(r);
	return status;
}

static int subscribers_main(const struct subscribers_options *o)
{
	FILE *hss = o->hss ? fopen(o->hss, "we") : NULL;
	int rc = o->hss && !hss ? -EIO : 0;

	if (rc == 0 && o->digest)
		rc = subscribers_digest_write(stdout, hss, o->count, o->first, o->realm);
	else if (rc == 0)
		rc = subscribers_write(stdout, o->count, o->first, o->realm);
	if (hss && fclose(hss) != 0)
		rc = -EIO;
	if (rc == 0)
		return 0;
	fprintf(stderr, "esplanade-ue: cannot write\n");
	return 1;
}

int main(int argc, char **argv)
{
	struct ue_options o;
	char why[256];

	(void)signal(SIGPIPE, SIG_IGN); /* a connection's end is told by its errors */
	if (ue_options_parse(&o, argc, argv, why, sizeof(why)) < 0) {
		fprintf(stderr, "esplanade-ue: %s\nTry esplanade-ue --help\n", why);
		return 2;
	}
	if (secret_init() < 0) {
		fprintf(stderr, "esplanade-ue: no source of random numbers\n");
		return 1;
	}
	switch (o.command) {
	case UE_COMMAND_LOAD:
		return load_main(&o.load);
	case UE_COMMAND_GATEWAY:
		return gateway_main(&o.load);
	case UE_COMMAND_PHONE:
		return phone_main(&o.load);
	case UE_COMMAND_SUBSCRIBERS:
		return subscribers_main(&o.subscribers);
	case UE_COMMAND_VERSION:
		puts("esplanade-ue " ESPLANADE_VERSION);
		return 0;
	case UE_COMMAND_HELP:
		break;
	}
	ue_options_help(stdout);
	return 0;
}
