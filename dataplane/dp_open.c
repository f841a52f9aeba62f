/* Opening and closing a data plane: its memory, ports, tables, workers. */
#include "dataplane/dp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_malloc.h>

#include "dataplane/buffer_pool.h"
#include "dataplane/esp_transport.h"

#define POOL_CACHE	 256
#define LARGE_CACHE	 16
#define LARGE_DATAGRAM	 PORT_LARGE_FRAME
#define LARGE_PER_BUFFER 32 /* one large buffer for so many others */
#define LARGE_MIN	 64
#define LARGE_MAX	 2048
#define WHOLE_PER_BUFFER 4 /* the same for ports that hand out whole datagrams */
#define TICK_MS		 100

static bool conf_valid(const struct dp_config *c)
{
	return c->ue_port && c->n_local <= DP_MAX_LOCAL && c->workers >= 1 &&
	       c->workers <= DP_MAX_WORKERS && c->protected_min <= c->protected_max &&
	       c->mtu >= 576 && c->mtu <= 9216 && c->buffers >= 1024;
}

static struct rte_mempool *pool_alloc(const struct dp *dp, const char *what, unsigned n,
				      unsigned cache, unsigned room)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "%s%p", what, (const void *)dp);
	return buffer_pool_alloc(name, n, cache, (uint16_t)(room + RTE_PKTMBUF_HEADROOM));
}

static int dp_pools_alloc(struct dp *dp, const struct dp_config *conf)
{
	unsigned room = conf->mtu + 2u * RTE_PKTMBUF_HEADROOM;
	unsigned large = conf->buffers / LARGE_PER_BUFFER;

	if (room < RTE_MBUF_DEFAULT_DATAROOM)
		room = RTE_MBUF_DEFAULT_DATAROOM;
	if (large < LARGE_MIN)
		large = LARGE_MIN;
	if (large > LARGE_MAX)
		large = LARGE_MAX;

	dp->env.pool = pool_alloc(dp, "pkt", conf->buffers, POOL_CACHE, room);
	dp->env.large = pool_alloc(dp, "big", large, LARGE_CACHE, LARGE_DATAGRAM);
	return dp->env.pool && dp->env.large ? 0 : -ENOMEM;
}

static int dp_qsbr_alloc(struct dp *dp, const struct dp_config *conf)
{
	size_t size = rte_rcu_qsbr_get_memsize(DP_MAX_WORKERS);

	(void)conf;
	dp->env.qsbr = rte_zmalloc("qsbr", size, RTE_CACHE_LINE_SIZE);
	if (!dp->env.qsbr)
		return -ENOMEM;
	return rte_rcu_qsbr_init(dp->env.qsbr, DP_MAX_WORKERS) ? -EINVAL : 0;
}

static int dp_sa_alloc(struct dp *dp, const struct dp_config *conf)
{
	struct sa_table_conf sa = {
		.sets = conf->sa_sets,
		.replay_window = conf->replay_window,
		.workers = conf->workers,
		.spi_min = conf->spi_min,
		.spi_max = conf->spi_max,
		.backend = dp->env.backend,
		.qsbr = dp->env.qsbr,
	};
	int rc = sa_table_alloc(&dp->sa, &sa);

	if (rc < 0)
		return rc;
	dp->env.sa = *sa_table_view(dp->sa);
	dp->env.tcp = sa_table_tcp(dp->sa);
	return 0;
}

/* Buffers for what a port receives. */
static struct rte_mempool *dp_port_pool(struct dp *dp, const struct dp_config *conf,
					const char *device)
{
	if (!port_defragments(device))
		return dp->env.pool;
	if (!dp->whole)
		dp->whole = pool_alloc(dp, "whole", conf->buffers / WHOLE_PER_BUFFER, POOL_CACHE,
				       PORT_LARGE_FRAME);
	return dp->whole;
}

/* The kernel's segments have to leave room for ESP: its interface gets the smaller MTU. */
static int dp_ports_open(struct dp *dp, const struct dp_config *conf)
{
	struct port_conf port = {
		.device = conf->ue_port,
		.queues = conf->workers,
		.mtu = conf->mtu,
		.pool = dp_port_pool(dp, conf, conf->ue_port),
	};
	int rc = port.pool ? port_open(&dp->env.ue, &port) : -ENOMEM;

	if (rc < 0 || !conf->host_port)
		return rc;
	port.device = conf->host_port;
	port.pool = dp_port_pool(dp, conf, conf->host_port);
	if (!port.pool)
		return -ENOMEM;
	port.mtu = (uint16_t)(conf->mtu - ESP_TRANSPORT_MOST);
	port.mac = &dp->env.ue.mac;
	rc = port_open(&dp->env.host, &port);
	dp->env.has_host = rc == 0;
	return rc;
}

static int dp_slowpath_alloc(struct dp *dp, const struct dp_config *conf)
{
	struct slowpath_conf slow = {
		.host_if = dp->env.has_host ? dp->env.host.host_if : 0,
		.gateway = {conf->gateway[0], conf->gateway[1]},
		.local = dp->env.local,
		.n_local = dp->env.n_local,
		.mac = dp->env.ue.mac,
		.pool = dp->env.pool,
		.qsbr = dp->env.qsbr,
	};

	dp->env.own_neighbours = slow.host_if == 0;
	return slowpath_alloc(&dp->env.slowpath, &slow);
}

static int dp_workers_alloc(struct dp *dp, const struct dp_config *conf)
{
	uint16_t i;
	int rc = 0;

	(void)conf;
	for (i = 0; rc == 0 && i < dp->env.n_workers; i++)
		rc = worker_alloc(&dp->workers[i], &dp->env, i);
	return rc;
}

static void dp_env_init(struct dp *dp, const struct dp_config *conf, enum esp_backend backend)
{
	struct worker_env *env = &dp->env;

	env->backend = backend;
	env->workers = dp->workers;
	env->n_workers = conf->workers;
	env->wake = &dp->wake;
	env->n_local = conf->n_local;
	memcpy(env->local, conf->local, sizeof(env->local));
	env->sip_port = rte_cpu_to_be_16(conf->sip_port);
	env->udp_enc_port = rte_cpu_to_be_16(conf->udp_enc_port);
	env->protected_min = conf->protected_min;
	env->protected_max = conf->protected_max;
	env->idle_sleep_us = conf->idle_sleep_us;
	env->flush_tsc = rte_get_tsc_hz() * WORKER_FLUSH_US / US_PER_S;
	env->tick_tsc = rte_get_tsc_hz() * TICK_MS / MS_PER_S;
}

static int dp_wake_init(struct dp *dp, const struct dp_config *conf)
{
	(void)conf;
	return control_wake_init(&dp->wake);
}

/* In this order: each uses what is before it. */
static int dp_parts_open(struct dp *dp, const struct dp_config *conf)
{
	static const struct {
		const char *name;
		int (*open)(struct dp *dp, const struct dp_config *conf);
	} parts[] = {
		{"wake-up", dp_wake_init},     {"packet buffers", dp_pools_alloc},
		{"RCU", dp_qsbr_alloc},	       {"SA table", dp_sa_alloc},
		{"ports", dp_ports_open},      {"slow path", dp_slowpath_alloc},
		{"workers", dp_workers_alloc},
	};
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < RTE_DIM(parts); i++)
		rc = parts[i].open(dp, conf);
	if (rc < 0)
		rte_log(RTE_LOG_ERR, RTE_LOGTYPE_USER1, "data plane: %s: %s%s\n", parts[i - 1].name,
			strerror(-rc),
			rc == -ENOMEM ? " (more EAL memory, or fewer buffers and SA sets)" : "");
	return rc;
}

int dp_open(struct dp **dpp, const struct dp_config *conf, enum esp_backend backend)
{
	struct dp *dp;
	int rc;

	if (!conf_valid(conf))
		return -EINVAL;
	dp = calloc(1, sizeof(*dp));
	if (!dp)
		return -ENOMEM;
	dp->wake.fd = -1;
	dp_env_init(dp, conf, backend);
	keepalive_init(&dp->keepalive, conf->keepalive_s);
	rc = dp_parts_open(dp, conf);
	if (rc < 0)
		dp_free(dp);
	else
		*dpp = dp;
	return rc;
}

static unsigned lcore_idle(void)
{
	unsigned lcore;

	RTE_LCORE_FOREACH_WORKER(lcore)
	if (rte_eal_get_lcore_state(lcore) == WAIT)
		return lcore;
	return 0;
}

int dp_start(struct dp *dp)
{
	uint16_t i;
	int rc;

	for (i = 0; i < dp->env.n_workers; i++) {
		unsigned lcore = lcore_idle();

		if (lcore == 0)
			return -EINVAL; /* more workers than the EAL has */
		rc = rte_eal_remote_launch(worker_run, dp->workers[i], lcore);
		if (rc < 0)
			return rc;
		dp->lcore[i] = lcore;
	}
	return 0;
}

int dp_prepare(struct dp **dpp, const struct dp_config *conf)
{
	return dp_open(dpp, conf, ESP_BACKEND_IPSEC_MB);
}

int dp_alloc(struct dp **dpp, const struct dp_config *conf)
{
	struct dp *dp;
	int rc = dp_prepare(&dp, conf);

	if (rc < 0)
		return rc;
	rc = dp_start(dp);
	if (rc < 0)
		dp_free(dp);
	else
		*dpp = dp;
	return rc;
}

static void dp_stop(struct dp *dp)
{
	uint16_t i;

	for (i = 0; i < dp->env.n_workers; i++)
		if (dp->lcore[i])
			atomic_store(&dp->workers[i]->stop, true);
	for (i = 0; i < dp->env.n_workers; i++)
		if (dp->lcore[i])
			rte_eal_wait_lcore(dp->lcore[i]);
}

void dp_free(struct dp *dp)
{
	uint16_t i;

	if (!dp)
		return;
	dp_stop(dp);
	slowpath_free(dp->env.slowpath);
	for (i = 0; i < dp->env.n_workers; i++)
		worker_free(dp->workers[i]);
	port_close(&dp->env.host);
	port_close(&dp->env.ue);
	sa_table_free(dp->sa);
	rte_free(dp->env.qsbr);
	rte_mempool_free(dp->whole);
	rte_mempool_free(dp->env.large);
	rte_mempool_free(dp->env.pool);
	control_wake_close(&dp->wake);
	keepalive_free(&dp->keepalive);
	free(dp);
}
