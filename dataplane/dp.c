/* The data plane as control sees it (dataplane.h). */
#include "dataplane/dp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_udp.h>

#include "dataplane/buffer_pool.h"
#include "dataplane/checksum.h"
#include "dataplane/owner.h"

#define POOL_CACHE	 256
#define LARGE_CACHE	 16
#define LARGE_DATAGRAM	 PORT_LARGE_FRAME
#define LARGE_PER_BUFFER 32 /* one large buffer for so many others */
#define LARGE_MIN	 64
#define LARGE_MAX	 2048
#define WHOLE_PER_BUFFER 4 /* the same for ports that hand out whole datagrams */
#define TICK_MS		 100
/* SPI, sequence number, IV, padding and trailer, ICV: what ESP adds at most */
#define ESP_MAX_OVERHEAD (ESP_HEADER_LEN + ESP_MAX_IV + 17 + ESP_ICV_LEN)
/*
 * Before the UDP payload: Ethernet, outer IPv6 and UDP, ESP header, IV, IPv6, UDP: 134. After it:
 * padding, trailer, ICV.
 */
#define SEND_HEADROOM (RTE_PKTMBUF_HEADROOM + 32)
#define SEND_TAILROOM 32

_Static_assert(SEND_HEADROOM >= 134 && SEND_HEADROOM >= sizeof(struct control_ends) + 62,
	       "a clear datagram's headers, IPv6, leave its ends alone");

/* ---- open --------------------------------------------------------------------------------- */

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
	port.mtu = (uint16_t)(conf->mtu - ESP_MAX_OVERHEAD);
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

/* ---- SA sets ------------------------------------------------------------------------------ */

int dp_sa_reserve(struct dp *dp, const uint32_t *avoid, unsigned n_avoid, struct sa_set *set)
{
	return sa_table_reserve(dp->sa, avoid, n_avoid, set);
}

int dp_sa_reserve_manual(struct dp *dp, uint32_t spi, struct sa_set *set)
{
	int rc = spi ? sa_table_reserve_spi(dp->sa, spi, set) : sa_table_reserve_none(dp->sa, set);

	set->manual = true;
	return rc;
}

int dp_sa_install(struct dp *dp, const struct sa_set *set)
{
	bool tunnel = set->mode == SA_MODE_UDP_ENC_TUN;
	int rc = tunnel && !dp->env.udp_enc_port ? -ENOTSUP : sa_table_install(dp->sa, set);

	if (rc < 0 || !tunnel || !set->tunnel.keepalive)
		return rc;
	rc = keepalive_add(&dp->keepalive, set->id);
	if (rc < 0)
		sa_table_remove(dp->sa, set->id);
	return rc;
}

void dp_sa_remove(struct dp *dp, sa_set_id id)
{
	sa_table_remove(dp->sa, id);
}

void dp_sa_remove_outbound(struct dp *dp, sa_set_id id)
{
	sa_table_remove_outbound(dp->sa, id);
}

int dp_sa_counters(struct dp *dp, sa_set_id id, enum sa_pair pair, bool inbound,
		   struct dp_sa_counters *c)
{
	return sa_table_counters(dp->sa, id, pair, inbound, c);
}

unsigned dp_sa_sets_in_use(struct dp *dp)
{
	return sa_table_in_use(dp->sa);
}

/* ---- datagrams ---------------------------------------------------------------------------- */

static unsigned recv_kind(struct dp *dp, bool secured, struct dp_packet *pkts, unsigned n)
{
	unsigned got = 0, i;

	for (i = 0; i < dp->env.n_workers && got < n; i++) {
		struct worker *w = dp->workers[(dp->next + i) % dp->env.n_workers];

		got += control_ring_recv(&w->control, secured, pkts + got, n - got);
	}
	return got;
}

/* As the peer has summed it up: over the addresses and ports that both ends of the SA know. */
static bool datagram_sum_right(const struct dp_packet *pkt)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)pkt->data - 1;
	uint64_t sum = rte_cpu_to_be_16(IPPROTO_UDP) + (uint64_t)udp->dgram_len;
	bool v4 = pkt->local.addr.version == 4;

	if (udp->dgram_cksum == 0) /* "none" is for IPv4 only (RFC 8200 8.1) */
		return v4;
	sum += checksum_octets(pkt->local.addr.b, v4 ? 4 : 16);
	sum += checksum_octets(pkt->remote.addr.b, v4 ? 4 : 16);
	sum += checksum_octets(udp, rte_be_to_cpu_16(udp->dgram_len));
	return checksum_fold(sum) == 0xffff;
}

/* What the workers have left to us of protected datagrams: the first to read all of the payload. */
static unsigned recv_filter(struct dp *dp, struct dp_packet *pkts, unsigned n)
{
	unsigned i, kept = 0;

	for (i = 0; i < n; i++) {
		if (likely(datagram_sum_right(&pkts[i]))) {
			pkts[kept++] = pkts[i];
			continue;
		}
		dp->bad_udp++;
		rte_pktmbuf_free(pkts[i].buf);
	}
	return kept;
}

unsigned dp_recv(struct dp *dp, struct dp_packet *pkts, unsigned n)
{
	unsigned got = recv_filter(dp, pkts, recv_kind(dp, true, pkts, n));

	got += recv_kind(dp, false, pkts + got, n - got);
	dp->next = (uint16_t)((dp->next + 1) % dp->env.n_workers);
	sa_table_reclaim(dp->sa);
	return got;
}

void dp_release(struct dp *dp, struct dp_packet *pkts, unsigned n)
{
	unsigned i;

	(void)dp;
	for (i = 0; i < n; i++)
		rte_pktmbuf_free(pkts[i].buf);
}

/* Which worker sends it; negative if it must not be sent. */
static int send_worker(const struct dp *dp, const struct dp_out *out)
{
	const struct sa_shared *set;

	if (out->set) {
		set = sa_shared_at(&dp->env.sa, sa_slot_of_id(&dp->env.sa, out->set, 0) / SA_PAIRS);
		if (out->pair >= SA_PAIRS)
			return -EINVAL;
		return sa_live(set) == out->set ? set->owner : -ESTALE;
	}
	if (out->local.port >= dp->env.protected_min && out->local.port <= dp->env.protected_max)
		return -EPERM;
	if (out->remote.addr.version == 0 || out->remote.addr.version != out->local.addr.version)
		return -EINVAL;
	return owner_of(&out->remote.addr, dp->env.n_workers);
}

static size_t iov_octets(const struct iovec *iov, unsigned n_iov)
{
	size_t len = 0;
	unsigned i;

	for (i = 0; i < n_iov; i++)
		len += iov[i].iov_len;
	return len;
}

static bool send_fits(const struct rte_mempool *pool, size_t len)
{
	return len + SEND_HEADROOM + SEND_TAILROOM <=
	       rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool);
}

static int send_copy(struct dp *dp, const struct iovec *iov, unsigned n_iov,
		     struct control_out *item)
{
	size_t len = iov_octets(iov, n_iov);
	struct rte_mempool *pool = send_fits(dp->env.pool, len) ? dp->env.pool : dp->env.large;
	struct rte_mbuf *m;
	char *to;
	unsigned i;

	if (!send_fits(pool, len))
		return -EMSGSIZE;
	m = rte_pktmbuf_alloc(pool);
	if (!m)
		return -ENOBUFS;
	m->data_off = SEND_HEADROOM;
	to = rte_pktmbuf_append(m, (uint16_t)len);
	for (i = 0; i < n_iov; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	item->m = m;
	item->payload_sum =
		checksum_fold(checksum_octets(rte_pktmbuf_mtod(m, void *), (uint32_t)len));
	return 0;
}

/* keepalive_tick()'s: a set that is due goes to its owner. */
static bool keepalive_ask(void *arg, sa_set_id id)
{
	struct dp *dp = arg;
	struct control_out item = {.set = id};
	int worker = send_worker(dp, &(struct dp_out){.set = id});

	if (worker < 0)
		return false;
	(void)control_ring_send(&dp->workers[worker]->control, &item); /* full: it is not idle */
	return true;
}

void dp_keepalive(struct dp *dp, uint64_t now_ms)
{
	keepalive_tick(&dp->keepalive, now_ms, keepalive_ask, dp);
}

int dp_send(struct dp *dp, const struct dp_out *out, const struct iovec *iov, unsigned n_iov)
{
	struct control_out item = {.set = out->set, .pair = out->pair};
	int worker = send_worker(dp, out);
	int rc = worker < 0 ? worker : send_copy(dp, iov, n_iov, &item);

	if (rc < 0)
		return rc;
	if (!out->set)
		*control_ends_of(item.m) = (struct control_ends){out->local, out->remote};
	if (control_ring_send(&dp->workers[worker]->control, &item))
		return 0;
	rte_pktmbuf_free(item.m);
	return -ENOBUFS;
}

/* ---- events and waiting ------------------------------------------------------------------- */

unsigned dp_events(struct dp *dp, struct dp_event *ev, unsigned n)
{
	unsigned got = 0, i;

	for (i = 0; i < dp->env.n_workers && got < n; i++)
		got += rte_ring_sc_dequeue_burst_elem(dp->workers[i]->control.events, ev + got,
						      sizeof(*ev), n - got, NULL);
	return got;
}

int dp_fd(struct dp *dp)
{
	return dp->wake.fd;
}

static bool dp_waiting(const struct dp *dp)
{
	uint16_t i;

	for (i = 0; i < dp->env.n_workers; i++)
		if (control_ring_waiting(&dp->workers[i]->control))
			return true;
	return false;
}

bool dp_arm(struct dp *dp)
{
	sa_table_reclaim(dp->sa);
	atomic_store(&dp->wake.armed, true);
	atomic_thread_fence(memory_order_seq_cst);
	if (!dp_waiting(dp))
		return true;
	dp_disarm(dp);
	return false;
}

void dp_disarm(struct dp *dp)
{
	control_wake_disarm(&dp->wake);
}

/* ---- counters ----------------------------------------------------------------------------- */

uint64_t dp_clock(uint64_t *hz)
{
	*hz = rte_get_tsc_hz();
	return rte_rdtsc();
}

unsigned dp_workers(struct dp *dp)
{
	return dp->env.n_workers;
}

void dp_worker_counters(struct dp *dp, unsigned worker, struct dp_counters *c)
{
	*c = dp->workers[worker]->c; /* words that only grow: a torn set of them does no harm */
	if (worker != 0)
		return;
	c->drops[DP_DROP_BAD_UDP] += dp->bad_udp;
	c->drops[DP_DROP_NO_NEXT_HOP] += slowpath_unresolved_drops(dp->env.slowpath);
}
