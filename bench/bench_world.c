#include "bench/bench_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "dataplane/buffer_pool.h"
#include "dataplane/owner.h"

#define PORT_PS	 6100 /* ours, server */
#define PORT_PC	 6101
#define PORT_UC	 7000 /* the UEs' */
#define PORT_US	 7001
#define SIP_PORT 5060

#define UDP_ENC_PORT 4500

#define WORLD_PACKETS 8191
#define WORLD_ROOM                                                                                 \
	2432 /* an mbuf then takes no power of two: those meet in the same cache sets              \
	      */
#define BUFFERS	   8191
#define MEET_TRIES 2000
#define FEW_SETS   10000 /* below, other memory outweighs that of the SAs */

/* ---- addresses and keys ------------------------------------------------------------------- */

static void addr_of(struct ip_addr *a, const char *text)
{
	if (ip_addr_parse(a, text) < 0)
		abort(); /* constants of this file */
}

/* 10.0.0.0/8 or fd00:45::/64, from .1 on */
static void ue_addr(const struct world *w, uint32_t number, struct ip_addr *a)
{
	uint32_t be = rte_cpu_to_be_32(number + 1);

	addr_of(a, w->ip == 4 ? "10.0.0.0" : "fd00:45::");
	if (w->ip == 4)
		be |= rte_cpu_to_be_32(10u << 24);
	memcpy(a->b + (w->ip == 4 ? 0 : 12), &be, sizeof(be));
}

uint16_t world_owner(const struct world *w, uint32_t number)
{
	struct ip_addr a;

	ue_addr(w, number, &a);
	return owner_of(&a, w->ours.dp->env.n_workers);
}

void world_keys(uint32_t number, struct sa_keys *keys)
{
	uint8_t *octets = (uint8_t *)keys;
	uint64_t x = number + UINT64_C(0x9e3779b97f4a7c15);

	for (size_t i = 0; i < sizeof(*keys); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		octets[i] = (uint8_t)x;
	}
}

uint64_t world_rss(void)
{
	unsigned long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f)
		return 0;
	if (fscanf(f, "%lu %lu", &size, &resident) != 2)
		resident = 0;
	fclose(f);
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

double world_octets_per_sa(const struct world *w)
{
	if (w->n_sets < FEW_SETS)
		return 0;
	return (double)(w->rss_ours - w->rss_before) / (4.0 * w->n_sets);
}

/* ---- sides -------------------------------------------------------------------------------- */

static int side_port_make(struct world_side *s, const char *name, uint16_t workers)
{
	char ring[RTE_RING_NAMESIZE];
	int id;

	for (uint16_t i = 0; i < workers; i++) {
		snprintf(ring, sizeof(ring), "%st%u", name, i);
		s->to[i] = rte_ring_create(ring, WORLD_RING, SOCKET_ID_ANY,
					   RING_F_SP_ENQ | RING_F_SC_DEQ);
		snprintf(ring, sizeof(ring), "%sf%u", name, i);
		s->from[i] = rte_ring_create(ring, WORLD_RING, SOCKET_ID_ANY,
					     RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (!s->to[i] || !s->from[i])
			return -ENOMEM;
	}
	id = rte_eth_from_rings(name, s->to, workers, s->from, workers, SOCKET_ID_ANY);
	if (id < 0)
		return -ENOMEM;
	s->port = (uint16_t)id;
	s->has_port = true;
	return 0;
}

static void ring_free(struct rte_ring *ring)
{
	void *m;

	while (ring && rte_ring_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

static void side_close(struct world_side *s)
{
	struct rte_eth_dev_info info;

	dp_free(s->dp);
	if (s->has_port && rte_eth_dev_info_get(s->port, &info) == 0) {
		rte_eth_dev_close(s->port);
		rte_dev_remove(info.device);
	}
	for (unsigned i = 0; i < BENCH_MAX_WORKERS; i++) {
		ring_free(s->to[i]);
		ring_free(s->from[i]);
	}
}

static void prefix_set(struct ip_prefix *p, const char *addr, uint8_t len)
{
	addr_of(&p->addr, addr);
	p->len = len;
}

static int side_open(struct world_side *s, const char *name, struct dp_config *conf)
{
	char device[RTE_ETH_NAME_MAX_LEN];
	int rc = side_port_make(s, name, conf->workers);

	if (rc == 0)
		rc = rte_eth_dev_get_name_by_port(s->port, device);
	if (rc < 0)
		return rc;
	conf->ue_port = device;
	return dp_open(&s->dp, conf, ESP_BACKEND_IPSEC_MB);
}

static struct dp_config config_common(const struct bench_options *o, uint32_t sets)
{
	return (struct dp_config){
		.n_local = 2,
		.sip_port = SIP_PORT,
		.udp_enc_port = UDP_ENC_PORT,
		.protected_min = PORT_PS,
		.protected_max = PORT_US,
		.workers = o->workers,
		.sa_sets = sets,
		.replay_window = 128,
		.mtu = 1500,
		.buffers = BUFFERS,
	};
}

static int ours_open(struct world *w, const struct bench_options *o, uint32_t sets)
{
	struct dp_config conf = config_common(o, sets);

	prefix_set(&conf.local[0], "192.0.2.1", 32);
	prefix_set(&conf.local[1], "2001:db8::1", 128);
	addr_of(&conf.gateway[0], "192.0.2.2");
	addr_of(&conf.gateway[1], "2001:db8::2");
	return side_open(&w->ours, "bo", &conf);
}

static int peer_open(struct world *w, const struct bench_options *o, uint32_t sets)
{
	struct dp_config conf = config_common(o, sets);

	conf.n_local = 4;
	prefix_set(&conf.local[0], "192.0.2.2", 32);
	prefix_set(&conf.local[1], "2001:db8::2", 128);
	prefix_set(&conf.local[2], "10.0.0.0", 8);
	prefix_set(&conf.local[3], "fd00:45::", 64);
	addr_of(&conf.gateway[0], "192.0.2.1");
	addr_of(&conf.gateway[1], "2001:db8::1");
	return side_open(&w->peer, "bp", &conf);
}

/* ---- SA sets ------------------------------------------------------------------------------ */

/* As the P-CSCF sees it (TS 33.203 7.1). The UE's SPIs are known only when its side is installed,
 * and nothing here asks for them: the number serves. */
static void set_fill(const struct world *w, uint32_t number, struct sa_set *set)
{
	set->spi_out[SA_SERVER] = set->spi_out[SA_CLIENT] = number + SA_SPI_MIN;
	addr_of(&set->local, w->ip == 4 ? "192.0.2.1" : "2001:db8::1");
	ue_addr(w, number, &set->remote);
	set->local_port[SA_SERVER] = PORT_PS;
	set->local_port[SA_CLIENT] = PORT_PC;
	set->remote_port[SA_SERVER] = PORT_UC;
	set->remote_port[SA_CLIENT] = PORT_US;
	set->integ = w->integ;
	set->encr = w->encr;
	set->mode = w->mode;
	if (w->mode == SA_MODE_UDP_ENC_TUN)
		set->tunnel = (struct sa_tunnel){
			.remote_port = UDP_ENC_PORT,
			.inner_local = set->local,
			.inner_remote = {set->remote},
		};
	world_keys(number, &set->keys);
}

int world_install_ours(struct world *w, uint32_t number, struct sa_set *set)
{
	int rc;

	memset(set, 0, sizeof(*set));
	rc = dp_sa_reserve(w->ours.dp, NULL, 0, set);
	if (rc < 0)
		return rc;
	set_fill(w, number, set);
	return dp_sa_install(w->ours.dp, set);
}

/* The UE's end of a set: its server pair is our client pair. */
static int set_install_peer(struct world *w, const struct sa_set *ours, struct world_set *to)
{
	struct sa_set set = *ours;
	int rc = dp_sa_reserve(w->peer.dp, NULL, 0, &set);

	if (rc < 0)
		return rc;
	set.local = ours->remote;
	set.remote = ours->local;
	set.tunnel.inner_local = ours->tunnel.inner_remote[0];
	set.tunnel.inner_remote[0] = ours->tunnel.inner_local;
	for (unsigned pair = 0; pair < SA_PAIRS; pair++) {
		set.spi_out[pair] = ours->spi_in[!pair];
		set.local_port[pair] = ours->remote_port[!pair];
		set.remote_port[pair] = ours->local_port[!pair];
	}
	to->peers = set.id;
	return dp_sa_install(w->peer.dp, &set);
}

static int sets_install_ours(struct world *w)
{
	struct sa_set set;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < w->n_sets; i++) {
		rc = world_install_ours(w, i, &set);
		w->sets[i].ours = set.id;
	}
	return rc;
}

/* The peer needs our SPIs: they are read back from our table. */
static int sets_install_peer(struct world *w)
{
	const struct sa_view *sa = &w->ours.dp->env.sa;
	struct sa_set set;
	int rc = 0;

	memset(&set, 0, sizeof(set));
	for (uint32_t i = 0; rc == 0 && i < w->n_sets; i++) {
		set_fill(w, i, &set);
		for (unsigned pair = 0; pair < SA_PAIRS; pair++)
			set.spi_in[pair] =
				sa_in_at(sa, sa_slot_of_id(sa, w->sets[i].ours, pair))->spi;
		rc = set_install_peer(w, &set, &w->sets[i]);
	}
	return rc;
}

/* ---- meeting ------------------------------------------------------------------------------ */

static void frames_move(struct rte_ring *from, struct rte_ring *to)
{
	void *m;

	while (rte_ring_dequeue(from, &m) == 0)
		if (rte_ring_enqueue(to, m) < 0)
			rte_pktmbuf_free(m);
}

void world_exchange(struct world *w)
{
	for (uint16_t i = 0; i < w->ours.dp->env.n_workers; i++) {
		frames_move(w->ours.from[i], w->peer.to[i]);
		frames_move(w->peer.from[i], w->ours.to[i]);
		worker_poll(w->ours.dp->workers[i]);
		worker_poll(w->peer.dp->workers[i]);
	}
}

static bool clear_got(struct dp *dp)
{
	struct dp_packet pkt;

	if (dp_recv(dp, &pkt, 1) == 0)
		return false;
	dp_release(dp, &pkt, 1);
	return true;
}

/* Clear datagrams both ways until they arrive: then both sides know the way. */
static int world_meet(struct world *w)
{
	struct dp_out out = {.local.port = SIP_PORT, .remote.port = SIP_PORT}, back = out;
	char hello[] = "hello";
	struct iovec iov = {hello, sizeof(hello)};
	bool there = false, here = false;

	addr_of(&out.local.addr, w->ip == 4 ? "192.0.2.1" : "2001:db8::1");
	addr_of(&out.remote.addr, w->ip == 4 ? "192.0.2.2" : "2001:db8::2");
	back.local.addr = out.remote.addr;
	back.remote.addr = out.local.addr;
	for (unsigned i = 0; i < MEET_TRIES && !(there && here); i++) {
		if (!there)
			(void)dp_send(w->ours.dp, &out, &iov, 1);
		if (!here)
			(void)dp_send(w->peer.dp, &back, &iov, 1);
		world_exchange(w);
		usleep(1000);
		world_exchange(w);
		there |= clear_got(w->peer.dp);
		here |= clear_got(w->ours.dp);
	}
	for (unsigned i = 0; i < 16; i++) { /* what is still under way */
		world_exchange(w);
		while (clear_got(w->peer.dp) || clear_got(w->ours.dp))
			;
	}
	return there && here ? 0 : -EHOSTUNREACH;
}

/* ---- alloc -------------------------------------------------------------------------------- */

static int world_open(struct world *w, const struct bench_options *o, uint32_t spare)
{
	int rc;

	w->pool = buffer_pool_alloc("bench", WORLD_PACKETS, 0, WORLD_ROOM);
	w->sets = calloc(w->n_sets, sizeof(*w->sets));
	if (!w->pool || !w->sets)
		return -ENOMEM;
	w->rss_before = world_rss();
	rc = ours_open(w, o, w->n_sets + spare);
	if (rc == 0)
		rc = sets_install_ours(w);
	w->rss_ours = world_rss();
	if (rc == 0)
		rc = peer_open(w, o, o->inbound ? w->n_sets : 1);
	if (rc == 0 && o->inbound)
		rc = sets_install_peer(w);
	return rc == 0 ? world_meet(w) : rc;
}

int world_alloc(struct world **wp, const struct bench_options *o, uint32_t spare)
{
	struct world *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->n_sets = (o->sas + SA_PAIRS - 1) / SA_PAIRS;
	if (w->n_sets < o->workers * 4u && o->workers > 1)
		w->n_sets = o->workers * 16u; /* each worker needs some of its own */
	w->ip = o->ip;
	w->mode = o->mode;
	w->integ = o->integ;
	w->encr = o->encr;
	rc = world_open(w, o, spare);
	if (rc < 0)
		world_free(w);
	else
		*wp = w;
	return rc;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	side_close(&w->ours);
	side_close(&w->peer);
	rte_mempool_free(w->pool);
	free(w->sets);
	free(w);
}
