#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>

#include "dataplane.h"

#define EAL_MAX_ARGS 24
#define EAL_ARG_LEN  512

struct eal_args {
	int n;
	bool overflow;
	char *v[EAL_MAX_ARGS + 1];
	char text[EAL_MAX_ARGS][EAL_ARG_LEN];
};

__attribute__((format(printf, 2, 3))) static void eal_arg(struct eal_args *a, const char *fmt, ...)
{
	va_list ap;
	int len;

	if (a->n == EAL_MAX_ARGS) {
		a->overflow = true;
		return;
	}
	va_start(ap, fmt);
	len = vsnprintf(a->text[a->n], EAL_ARG_LEN, fmt, ap);
	va_end(ap);
	a->overflow |= len < 0 || len >= EAL_ARG_LEN;
	a->v[a->n] = a->text[a->n];
	a->n++;
}

/* The CPUs we may run on, as a list of ranges: "0-3,8-8". */
static int eal_cpu_list(char *list, size_t size)
{
	cpu_set_t cpus;
	size_t len = 0;
	int first, cpu;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return -errno;
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &cpus))
			continue;
		for (first = cpu; cpu + 1 < CPU_SETSIZE && CPU_ISSET(cpu + 1, &cpus); cpu++)
			;
		len += (size_t)snprintf(list + len, size - len, "%s%d-%d", len ? "," : "", first,
					cpu);
		if (len >= size)
			return -E2BIG;
	}
	return 0;
}

static int eal_cores(struct eal_args *a, const struct dp_eal_config *conf)
{
	char cpus[EAL_ARG_LEN / 2];
	int rc;

	if (conf->cores) {
		eal_arg(a, "--lcores=%s", conf->cores);
		return 0;
	}
	rc = eal_cpu_list(cpus, sizeof(cpus));
	if (rc == 0) /* main and workers: threads of their own, each on any CPU */
		eal_arg(a, "--lcores=(0-%u)@(%s)", conf->workers, cpus);
	return rc;
}

static int eal_args_make(struct eal_args *a, const struct dp_eal_config *conf)
{
	int rc;

	eal_arg(a, "%s", conf->name);
	eal_arg(a, "--file-prefix=%s", conf->name);
	eal_arg(a, "--no-telemetry");
	eal_arg(a, "--log-level=*:warning");
	eal_arg(a, "--log-level=pmd.net.tap:critical"); /* complains of what we do not use */
	/* Nothing in the file system: many processes may run beside each other. */
	if (conf->huge_pages) {
		eal_arg(a, "--in-memory");
	} else {
		eal_arg(a, "--no-huge");
		eal_arg(a, "--no-shconf");
		eal_arg(a, "-m");
		eal_arg(a, "%u", conf->memory_mb);
		eal_arg(a, "--iova-mode=va"); /* physical addresses are for root */
	}
	if (conf->pci_allow && conf->pci_allow[0])
		eal_arg(a, "--allow=%s", conf->pci_allow);
	else
		eal_arg(a, "--no-pci");
	rc = eal_cores(a, conf);
	return rc == 0 && a->overflow ? -E2BIG : rc;
}

int dp_eal_init(const struct dp_eal_config *conf)
{
	struct eal_args args = {0};
	int rc = eal_args_make(&args, conf);

	if (rc < 0)
		return rc;
	if (rte_eal_init(args.n, args.v) < 0)
		return rte_errno ? -rte_errno : -EIO;
	if (rte_lcore_count() < 1u + conf->workers) {
		rte_eal_cleanup();
		return -EINVAL;
	}
	return 0;
}

void dp_eal_cleanup(void)
{
	rte_eal_cleanup();
}
