/* esplanade-bench: benchmarks of the real code, in memory. */
#include <stdlib.h>
#include <string.h>

#include "bench/bench_churn.h"
#include "bench/bench_esp.h"
#include "bench/bench_options.h"
#include "bench/bench_signal.h"
#include "bench/bench_tls.h"
#include "bench/bench_world.h"
#include "crypto/secret.h"

#define EAL_BASE_MB    256
#define EAL_OCTETS_SET 640 /* hash tables of both sides, with growth to a power of two */
#define OCTETS_PER_MB  1048576

static int eal_start(const struct bench_options *o)
{
	struct dp_eal_config eal = {
		.name = "esplanade-bench",
		.memory_mb =
			EAL_BASE_MB + (uint32_t)((uint64_t)o->sas * EAL_OCTETS_SET / OCTETS_PER_MB),
		.workers = o->workers,
	};

	return dp_eal_init(&eal);
}

static int esp_main(const struct bench_options *o)
{
	struct bench_esp_result r;
	struct world *w = NULL;
	int rc = eal_start(o);

	if (rc == 0)
		rc = world_alloc(&w, o, 0);
	if (rc == 0)
		rc = bench_esp(w, o, &r);
	world_free(w);
	if (rc < 0) {
		fprintf(stderr, "esplanade-bench: %s\n", strerror(-rc));
		return 1;
	}
	bench_esp_print(o, &r, stdout);
	return r.verified ? 0 : 1;
}

static int churn_main(const struct bench_options *o)
{
	struct bench_churn_result r;
	struct world *w = NULL;
	int rc = eal_start(o);

	if (rc == 0)
		rc = world_alloc(&w, o, CHURN_SETS);
	if (rc == 0)
		rc = bench_churn(w, o, &r);
	world_free(w);
	if (rc < 0) {
		fprintf(stderr, "esplanade-bench: %s\n", strerror(-rc));
		return 1;
	}
	bench_churn_print(o, &r, stdout);
	return r.verified ? 0 : 1;
}

static int signal_main(const struct bench_options *o)
{
	struct bench_signal_result r;
	struct world *w = NULL;
	int rc = eal_start(o);

	if (rc == 0)
		rc = world_alloc(&w, o, 0);
	if (rc == 0)
		rc = bench_signal(w, o, &r);
	world_free(w);
	if (rc < 0) {
		fprintf(stderr, "esplanade-bench: %s\n", strerror(-rc));
		return 1;
	}
	bench_signal_print(o, &r, stdout);
	return r.verified ? 0 : 1;
}

static int tls_main(const struct bench_options *o)
{
	struct bench_tls_result r;
	int rc = bench_tls(o, &r);

	if (rc < 0) {
		fprintf(stderr, "esplanade-bench: %s\n", strerror(-rc));
		return 1;
	}
	bench_tls_print(o, &r, stdout);
	return r.verified ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct bench_options o;
	char why[256];

	if (bench_options_parse(&o, argc, argv, why, sizeof(why)) < 0) {
		fprintf(stderr, "esplanade-bench: %s\nTry esplanade-bench --help\n", why);
		return 2;
	}
	if (secret_init() < 0) {
		fprintf(stderr, "esplanade-bench: no source of random numbers\n");
		return 1;
	}
	switch (o.command) {
	case BENCH_COMMAND_ESP:
		return esp_main(&o);
	case BENCH_COMMAND_CHURN:
		return churn_main(&o);
	case BENCH_COMMAND_SIGNAL:
		return signal_main(&o);
	case BENCH_COMMAND_TLS:
		return tls_main(&o);
	case BENCH_COMMAND_VERSION:
		puts("esplanade-bench " ESPLANADE_VERSION);
		return 0;
	case BENCH_COMMAND_HELP:
		break;
	}
	bench_options_help(stdout);
	return 0;
}
