#include "tests/dataplane/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_arp.h>
#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_tcp.h>

#include "crypto/secret.h"
#include "dataplane/checksum.h"

#define RIG_WAIT_MS 3000
#define RIG_RING    4096

static const struct rte_ether_addr wire_mac = {{2, 0, 0, 0, 0, 0x77}};

int rig_start(void **state)
{
	struct dp_eal_config eal = {.name = "esplanade-test", .memory_mb = 512, .workers = 4};

	(void)state;
	if (secret_init() < 0 || dp_eal_init(&eal) < 0)
		return -1;
	return rte_pktmbuf_pool_create("rig", 8191, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY)
		       ? 0
		       : -1;
}

int rig_stop(void **state)
{
	(void)state;
	rte_mempool_free(rig_pool());
	dp_eal_cleanup();
	return 0;
}

struct rte_mempool *rig_pool(void)
{
	return rte_mempool_lookup("rig");
}

/* ---- ports -------------------------------------------------------------------------------- */

struct rte_ring *rig_ring(const char *name)
{
	struct rte_ring *r = rte_ring_create(name, RIG_RING, SOCKET_ID_ANY, 0);

	assert_non_null(r);
	return r;
}

void rig_port_make(struct rig_port *port, const char *name, struct rte_ring *to,
		   struct rte_ring *from)
{
	int id = rte_eth_from_rings(name, &to, 1, &from, 1, 0);

	assert_true(id >= 0);
	port->id = (uint16_t)id;
	port->to = to;
	port->from = from;
	assert_int_equal(rte_eth_dev_get_name_by_port(port->id, port->name), 0);
}

static void ring_free(struct rte_ring *ring)
{
	void *m;

	while (rte_ring_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void rig_port_free(struct rig_port *port)
{
	struct rte_eth_dev_info info;

	assert_int_equal(rte_eth_dev_info_get(port->id, &info), 0);
	rte_eth_dev_close(port->id);
	assert_int_equal(rte_dev_remove(info.device), 0);
}

static void port_make_named(struct rig_port *port, const char *name, const char *kind)
{
	char ring[32], to[40], from[40];

	snprintf(ring, sizeof(ring), "%s%s", name, kind);
	snprintf(to, sizeof(to), "%st", ring);
	snprintf(from, sizeof(from), "%sf", ring);
	rig_port_make(port, ring, rig_ring(to), rig_ring(from));
}

/* ---- one data plane ----------------------------------------------------------------------- */

struct dp_config rig_config(void)
{
	struct dp_config conf = {
		.n_local = 2,
		.sip_port = RIG_SIP_PORT,
		.protected_min = 6000,
		.protected_max = 65535,
		.udp_enc_port = 4500,
		.workers = 1,
		.sa_sets = 64,
		.replay_window = 128,
		.mtu = 1500,
		.idle_sleep_us = 100,
		.buffers = 4095,
	};

	conf.local[0].addr.version = 4; /* every address is ours */
	conf.local[1].addr.version = 6;
	ip_addr_parse(&conf.gateway[0], "192.0.2.254");
	ip_addr_parse(&conf.gateway[1], "2001:db8::fe");
	return conf;
}

void rig_open(struct rig *r, const char *name, struct dp_config *conf, bool with_host,
	      enum esp_backend backend)
{
	memset(r, 0, sizeof(*r));
	r->neighbours = true;
	r->alone = !with_host;
	port_make_named(&r->ue, name, "u");
	conf->ue_port = r->ue.name;
	if (with_host) {
		port_make_named(&r->host, name, "h");
		conf->host_port = r->host.name;
	}
	assert_int_equal(dp_open(&r->dp, conf, backend), 0);
}

static void ring_port_close(struct rig_port *port)
{
	rig_port_free(port);
	ring_free(port->to);
	ring_free(port->from);
}

void rig_close(struct rig *r)
{
	dp_free(r->dp);
	ring_port_close(&r->ue);
	if (!r->alone)
		ring_port_close(&r->host);
}

void rig_poll(struct dp *dp)
{
	unsigned idle = 0, n, i;

	while (idle < 3) {
		for (n = i = 0; i < dp->env.n_workers; i++)
			n += worker_poll(dp->workers[i]);
		idle = n ? 0 : idle + 1;
	}
}

static void frame_in(struct rig_port *port, const void *frame, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool());

	assert_non_null(m);
	assert_non_null(rte_pktmbuf_append(m, (uint16_t)len));
	memcpy(rte_pktmbuf_mtod(m, void *), frame, len);
	assert_int_equal(rte_ring_enqueue(port->to, m), 0);
}

void rig_ip_in(struct rig *r, struct rig_port *port, int version, const void *ip, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool());
	struct rte_ether_hdr *eth;
	bool v6 = version == 6;

	assert_non_null(m);
	eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, (uint16_t)(sizeof(*eth) + len));
	assert_non_null(eth);
	eth->dst_addr = r->dp->env.ue.mac;
	eth->src_addr = wire_mac;
	if (port == &r->host) {
		eth->dst_addr = wire_mac;
		eth->src_addr = r->dp->env.ue.mac;
	}
	eth->ether_type = rte_cpu_to_be_16(v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	if (len)
		memcpy(eth + 1, ip, len);
	assert_int_equal(rte_ring_enqueue(port->to, m), 0);
}

/* ---- the wire's neighbours ---------------------------------------------------------------- */

struct arp_frame {
	struct rte_ether_hdr eth;
	struct rte_arp_hdr arp;
} __rte_packed __rte_aligned(2);

static void arp_answer(struct rig *r, struct rte_mbuf *m)
{
	struct arp_frame f = *rte_pktmbuf_mtod(m, struct arp_frame *);
	struct rte_arp_ipv4 asked = f.arp.arp_data;

	if (f.arp.arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST))
		return;
	f.eth.dst_addr = f.eth.src_addr;
	f.eth.src_addr = wire_mac;
	f.arp.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	f.arp.arp_data.arp_sha = wire_mac;
	f.arp.arp_data.arp_sip = asked.arp_tip;
	f.arp.arp_data.arp_tha = asked.arp_sha;
	f.arp.arp_data.arp_tip = asked.arp_sip;
	frame_in(&r->ue, &f, sizeof(f));
}

/* Neighbour solicitation or advertisement with one link-layer address option (RFC 4861 4.3, 4.4) */
struct nd_frame {
	struct rte_ether_hdr eth;
	struct rte_ipv6_hdr ip;
	uint8_t type, code;
	uint16_t checksum;
	uint8_t flags[4];
	uint8_t target[16];
	uint8_t option[8];
} __rte_packed __rte_aligned(2);

static void nd_answer(struct rig *r, struct rte_mbuf *m)
{
	const struct nd_frame *asked = rte_pktmbuf_mtod(m, const struct nd_frame *);
	struct nd_frame f = {.type = 136, .flags = {0x60}, .option = {2, 1}};

	if (rte_pktmbuf_data_len(m) < sizeof(f) || asked->type != 135)
		return;
	f.eth.dst_addr = asked->eth.src_addr;
	f.eth.src_addr = wire_mac;
	f.eth.ether_type = asked->eth.ether_type;
	f.ip = asked->ip;
	f.ip.payload_len = rte_cpu_to_be_16(sizeof(f) - sizeof(f.eth) - sizeof(f.ip));
	memcpy(f.ip.src_addr, asked->target, 16);
	memcpy(f.ip.dst_addr, asked->ip.src_addr, 16);
	memcpy(f.target, asked->target, 16);
	memcpy(f.option + 2, &wire_mac, 6);
	f.checksum = checksum_make((uint8_t *)&f.ip, 6, 58, &f.type,
				   sizeof(f) - sizeof(f.eth) - sizeof(f.ip));
	frame_in(&r->ue, &f, sizeof(f));
}

/* Is the frame the wire's own business? Then it is answered. */
static bool wire_takes(struct rig *r, struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv6_hdr *ip6 = (const struct rte_ipv6_hdr *)(eth + 1);

	if (eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP)) {
		if (r->neighbours)
			arp_answer(r, m);
		return true;
	}
	if (eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6) || ip6->proto != 58)
		return false;
	if (r->neighbours)
		nd_answer(r, m);
	return true;
}

struct rte_mbuf *rig_ip_out(struct rig *r, struct rig_port *port)
{
	void *m;

	for (;;) {
		rig_poll(r->dp);
		if (rte_ring_dequeue(port->from, &m) < 0)
			return NULL;
		if (port == &r->ue && wire_takes(r, m)) {
			rte_pktmbuf_free(m);
			continue;
		}
		rte_pktmbuf_adj(m, sizeof(struct rte_ether_hdr));
		return m;
	}
}

struct rte_mbuf *rig_ip_wait(struct rig *r, struct rig_port *port)
{
	struct rte_mbuf *m = NULL;
	unsigned ms;

	for (ms = 0; ms < RIG_WAIT_MS; ms++) {
		m = rig_ip_out(r, port);
		if (m)
			break;
		rte_delay_us_sleep(1000);
	}
	return m;
}

bool rig_recv_wait(struct rig *r, struct dp_packet *pkt)
{
	rig_poll(r->dp);
	return dp_recv(r->dp, pkt, 1) == 1;
}

uint64_t rig_drops(struct dp *dp, enum dp_drop reason)
{
	struct dp_counters c;
	uint64_t n = 0;
	unsigned i;

	for (i = 0; i < dp_workers(dp); i++) {
		dp_worker_counters(dp, i, &c);
		n += c.drops[reason];
	}
	return n;
}

uint64_t rig_drops_total(struct dp *dp)
{
	uint64_t n = 0;
	unsigned reason;

	for (reason = 0; reason < DP_DROP_COUNT; reason++)
		n += rig_drops(dp, reason);
	return n;
}

int rig_send(struct dp *dp, sa_set_id set, enum sa_pair pair, const void *data, size_t len)
{
	struct dp_out out = {.set = set, .pair = pair};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)data, .iov_len = len};

	return dp_send(dp, &out, &iov, 1);
}

/* ---- two data planes ---------------------------------------------------------------------- */

static void side_open(struct rig_side *side, const char *name, const char *addr, uint8_t len,
		      struct dp_config *conf)
{
	assert_int_equal(ip_addr_parse(&side->addr, addr), 0);
	port_make_named(&side->host, name, "h");
	conf->host_port = side->host.name;
	conf->ue_port = side->ue.name;
	conf->gateway[0] = conf->gateway[1] = (struct ip_addr){0}; /* all on link */
	conf->n_local = 1;
	conf->local[0].addr = side->addr;
	conf->local[0].len = len;
	assert_int_equal(dp_open(&side->dp, conf, ESP_BACKEND_IPSEC_MB), 0);
}

void rig_pair_open(struct rig_pair *r, int version, uint16_t workers, bool threads)
{
	struct dp_config conf = rig_config();

	memset(r, 0, sizeof(*r));
	r->up = rig_ring("up");
	r->down = rig_ring("down");
	rig_port_make(&r->phone.ue, "phone", r->down, r->up);
	rig_port_make(&r->pcscf.ue, "pcscf", r->up, r->down);
	if (version == 4) {
		side_open(&r->phone, "ph", "10.1.0.0", 16, &conf);
		conf.workers = workers;
		side_open(&r->pcscf, "pc", "10.2.0.0", 32, &conf);
	} else {
		side_open(&r->phone, "ph", "2001:db8:1::", 64, &conf);
		conf.workers = workers;
		side_open(&r->pcscf, "pc", "2001:db8:2::", 128, &conf);
	}
	if (threads) {
		assert_int_equal(dp_start(r->phone.dp), 0);
		assert_int_equal(dp_start(r->pcscf.dp), 0);
	}
}

void rig_pair_close(struct rig_pair *r)
{
	dp_free(r->phone.dp);
	dp_free(r->pcscf.dp);
	ring_port_close(&r->phone.host);
	ring_port_close(&r->pcscf.host);
	rig_port_free(&r->phone.ue);
	rig_port_free(&r->pcscf.ue);
	ring_free(r->up);
	ring_free(r->down);
}

/* The server pair of one side is the client pair of the other. */
static void sides_fill(struct sa_set *a, struct sa_set *b)
{
	unsigned pair;

	b->local = a->remote;
	b->remote = a->local;
	for (pair = 0; pair < SA_PAIRS; pair++) {
		a->spi_out[pair] = b->spi_in[!pair];
		b->spi_out[pair] = a->spi_in[!pair];
		b->local_port[pair] = a->remote_port[!pair];
		b->remote_port[pair] = a->local_port[!pair];
	}
}

/* The n-th UE's own address */
static struct ip_addr phone_addr(const struct rig_pair *r, uint16_t n)
{
	struct ip_addr addr = r->phone.addr;
	unsigned at = addr.version == 4 ? 2 : 14;

	addr.b[at] = (uint8_t)(n >> 8);
	addr.b[at + 1] = (uint8_t)n;
	return addr;
}

void rig_pair_install_ue(struct rig_pair *r, uint16_t n, enum sa_integ integ, enum sa_encr encr)
{
	struct sa_set *a = &r->phone.set, *b = &r->pcscf.set;

	memset(a, 0, sizeof(*a));
	a->integ = integ;
	a->encr = encr;
	secret_random(&a->keys, sizeof(a->keys));
	*b = *a;
	a->local = phone_addr(r, n);
	a->remote = r->pcscf.addr;
	a->local_port[SA_SERVER] = RIG_PORT_US;
	a->local_port[SA_CLIENT] = RIG_PORT_UC;
	a->remote_port[SA_SERVER] = RIG_PORT_PC;
	a->remote_port[SA_CLIENT] = RIG_PORT_PS;
	assert_int_equal(dp_sa_reserve(r->phone.dp, NULL, 0, a), 0);
	assert_int_equal(dp_sa_reserve(r->pcscf.dp, a->spi_in, SA_PAIRS, b), 0);
	sides_fill(a, b);
	assert_int_equal(dp_sa_install(r->pcscf.dp, b), 0);
	assert_int_equal(dp_sa_install(r->phone.dp, a), 0);
}

void rig_pair_install(struct rig_pair *r, enum sa_integ integ, enum sa_encr encr)
{
	rig_pair_install_ue(r, 1, integ, encr);
}

void rig_pair_remove(struct rig_pair *r)
{
	dp_sa_remove(r->phone.dp, r->phone.set.id);
	dp_sa_remove(r->pcscf.dp, r->pcscf.set.id);
}

static bool has_threads(const struct dp *dp)
{
	return dp->lcore[0] != 0;
}

void rig_pair_poll(struct rig_pair *r)
{
	unsigned i;

	if (has_threads(r->phone.dp))
		return;
	for (i = 0; i < 3; i++) {
		rig_poll(r->phone.dp);
		if (!r->hold)
			rig_poll(r->pcscf.dp);
	}
}

void rig_print(const char *name, struct dp *dp)
{
	struct dp_counters c;
	unsigned i, reason;

	for (i = 0; i < dp_workers(dp); i++) {
		dp_worker_counters(dp, i, &c);
		print_message(
			"%s %u: ue %lu in %lu out, host %lu in %lu out, control %lu up %lu down\n",
			name, i, c.ue_rx, c.ue_tx, c.host_rx, c.host_tx, c.to_control,
			c.from_control);
		for (reason = 0; reason < DP_DROP_COUNT; reason++)
			if (c.drops[reason])
				print_message("  %s %lu\n", dp_drop_name(reason), c.drops[reason]);
	}
}

bool rig_pair_got(struct rig_pair *r, struct rig_side *side, struct dp_packet *pkt)
{
	rig_pair_poll(r);
	return dp_recv(side->dp, pkt, 1) == 1;
}

struct rte_mbuf *rig_pair_capture(struct rig_pair *r, struct rte_ring *wire)
{
	void *m;

	rig_poll(r->phone.dp);
	return rte_ring_dequeue(wire, &m) == 0 ? m : NULL;
}

struct rte_mbuf *rig_copy(struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, rig_pool(), 0, UINT32_MAX);

	assert_non_null(copy);
	return copy;
}

void rig_pair_meet(struct rig_pair *r)
{
	struct dp_out out = {.local = {r->phone.addr, RIG_SIP_PORT},
			     .remote = {r->pcscf.addr, RIG_SIP_PORT}};
	struct dp_packet pkt;
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct rig_side *from = i ? &r->pcscf : &r->phone;
		struct ip_endpoint swap = out.local;

		assert_int_equal(dp_send(from->dp, &out, NULL, 0), 0);
		assert_true(rig_pair_recv(r, rig_pair_peer(r, from), &pkt));
		dp_release(rig_pair_peer(r, from)->dp, &pkt, 1);
		out.local = out.remote;
		out.remote = swap;
	}
}

bool rig_pair_recv(struct rig_pair *r, struct rig_side *side, struct dp_packet *pkt)
{
	unsigned ms;

	for (ms = 0; ms < RIG_WAIT_MS; ms++) {
		rig_pair_poll(r);
		if (dp_recv(side->dp, pkt, 1) == 1)
			return true;
		rte_delay_us_sleep(1000);
	}
	rig_print("phone", r->phone.dp);
	rig_print("pcscf", r->pcscf.dp);
	return false;
}

struct rig_side *rig_pair_peer(struct rig_pair *r, struct rig_side *side)
{
	return side == &r->phone ? &r->pcscf : &r->phone;
}

bool rig_pair_room(struct rig_pair *r)
{
	struct sa_set a = {0}, b = {0};
	bool room = dp_sa_reserve(r->phone.dp, NULL, 0, &a) == 0 &&
		    dp_sa_reserve(r->pcscf.dp, NULL, 0, &b) == 0;

	dp_sa_remove(r->phone.dp, a.id);
	dp_sa_remove(r->pcscf.dp, b.id);
	return room;
}

void rig_segment(struct rig_side *side, const struct ip_addr *src, const struct ip_addr *dst,
		 uint16_t sport, uint16_t dport)
{
	struct {
		struct rte_ether_hdr eth;
		struct rte_ipv4_hdr ip;
		struct rte_tcp_hdr tcp;
	} __rte_packed __rte_aligned(2) f = {
		.eth = {.dst_addr = wire_mac,
			.src_addr = side->dp->env.ue.mac,
			.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)},
		.ip = {.version_ihl = RTE_IPV4_VHL_DEF,
		       .total_length = rte_cpu_to_be_16(40),
		       .time_to_live = 64,
		       .next_proto_id = 6},
		.tcp = {.src_port = rte_cpu_to_be_16(sport),
			.dst_port = rte_cpu_to_be_16(dport),
			.data_off = 5 << 4},
	};
	struct rig_port *host = &side->host;

	f.eth.dst_addr.addr_bytes[0] = 3; /* multicast: whoever is at the other end takes it */
	memcpy(&f.ip.src_addr, src->b, 4);
	memcpy(&f.ip.dst_addr, dst->b, 4);
	f.ip.hdr_checksum = rte_ipv4_cksum(&f.ip);
	frame_in(host, &f, sizeof(f));
}

unsigned rig_segments(struct rig_side *side)
{
	unsigned n = 0;
	void *m;

	while (rte_ring_dequeue(side->host.from, &m) == 0) {
		n += *rte_pktmbuf_mtod_offset((struct rte_mbuf *)m, uint8_t *, 14 + 9) == 6;
		rte_pktmbuf_free(m);
	}
	return n;
}
