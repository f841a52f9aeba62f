/* What the process needs of the machine, said clearly before it fails in DPDK's depths. */
#pragma once

#include "control/conf/conf.h"
#include "control/daemon/log.h"

/* Memory for keys may be locked, as far as the kernel lets us. */
void platform_limits(struct log *log);

/* 0, or -EPERM with what is missing and what to do in the log. */
int platform_check(const struct esp_conf *c, struct log *log);

/* 0 or negative errno */
int platform_run_dir(const char *dir, struct log *log);
