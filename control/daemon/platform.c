#include "control/daemon/platform.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/capability.h>

#include "crypto/secret.h"

void platform_limits(struct log *log)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit l;

	if (setrlimit(RLIMIT_MEMLOCK, &all) != 0 && getrlimit(RLIMIT_MEMLOCK, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &l);
	}
	if (getrlimit(RLIMIT_NOFILE, &l) == 0) { /* one for each TCP connection */
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	if (!secret_locked())
		log_line(log, CONF_LOG_WARNING,
			 "memory cannot be locked: keys may reach swap (CAP_IPC_LOCK or "
			 "LimitMEMLOCK=infinity helps)");
}

/* The effective capabilities; 0 if the kernel does not tell. */
static uint64_t capabilities(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long caps = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (f)
		fclose(f);
	return caps;
}

static unsigned long huge_pages_total(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	unsigned long n = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "HugePages_Total: %lu", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

static bool port_is(const char *port, const char *driver)
{
	return port && strncmp(port, driver, strlen(driver)) == 0;
}

static int need(struct log *log, uint64_t caps, unsigned cap, const char *name, const char *what)
{
	if (caps & (UINT64_C(1) << cap))
		return 0;
	log_line(log, CONF_LOG_ERROR,
		 "%s needs %s: run as root, or give the service AmbientCapabilities=%s", what, name,
		 name);
	return -EPERM;
}

int platform_check(const struct esp_conf *c, struct log *log)
{
	uint64_t caps = capabilities();
	int err = 0;

	if (port_is(c->ue_port, "net_af_packet") || port_is(c->host_port, "net_af_packet"))
		err |= need(log, caps, CAP_NET_RAW, "CAP_NET_RAW", "net_af_packet");
	if (port_is(c->host_port, "net_tap") || port_is(c->ue_port, "net_tap"))
		err |= need(log, caps, CAP_NET_ADMIN, "CAP_NET_ADMIN", "net_tap");
	if (c->huge_pages && huge_pages_total() == 0) {
		log_line(log, CONF_LOG_ERROR,
			 "no huge pages are reserved: reserve some (echo 512 > "
			 "/proc/sys/vm/nr_hugepages, or scripts/dpdk-bind), or set "
			 "dataplane.huge_pages = false");
		err = -EPERM;
	}
	return err ? -EPERM : 0;
}

int platform_run_dir(const char *dir, struct log *log)
{
	if (mkdir(dir, 0700) == 0 || errno == EEXIST)
		return 0;
	log_line(log, CONF_LOG_ERROR, "%s: %s", dir, strerror(errno));
	return -errno;
}
