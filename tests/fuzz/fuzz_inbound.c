/*
 * Packets from the UE side through a whole worker: classification, reassembly, ESP, selectors. An
 * input is a row of packets, each a head of three octets (kind, length) and its octets:
 *
 *   RAW      an Ethernet frame, but for the destination address, which is ours
 *   IP       an IP packet; a version nibble of 6 makes it IPv6
 *   SEALED   what is inside ESP, trailer and all: it comes with a good ICV, so the fuzzer gets past
 * it
 *   UDP_ENC  what is inside a datagram to UDP port 4500
 *   TUNNEL   as SEALED, inside UDP, by an SA in tunnel mode; the first octet moves the sender's
 * port HOST     an IP packet of the kernel's
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <sanitizer/lsan_interface.h>

#include "crypto/secret.h"
#include "dataplane/checksum.h"
#include "dataplane/dp.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum kind {
	RAW,
	IP,
	SEALED,
	UDP_ENC,
	TUNNEL,
	HOST,
	KINDS,
};

#define SPI	   0x12345678u
#define SPI_TUNNEL 0x1234567au
#define UDP_PORT   4500
#define MAX_LEN	   1500
#define SIP_PORT   5060
#define HOST_PORT  6000

struct fuzz {
	struct dp *dp;
	struct rte_ring *to, *from_ue, *to_host, *from_host;
	struct esp_engine *engine; /* the sender's */
	struct esp_key key;
	struct sa_set set, tunnel;
	uint32_t seq;
};

static struct fuzz *fuzz; /* libFuzzer hands no context through */

static void port_make(const char *name, struct rte_ring **to, struct rte_ring **from)
{
	char ring[32];

	snprintf(ring, sizeof(ring), "%s-to", name);
	*to = rte_ring_create(ring, 1024, SOCKET_ID_ANY, 0);
	snprintf(ring, sizeof(ring), "%s-from", name);
	*from = rte_ring_create(ring, 1024, SOCKET_ID_ANY, 0);
	if (!*to || !*from || rte_eth_from_rings(name, to, 1, from, 1, 0) < 0)
		abort();
}

static void set_install(struct fuzz *f)
{
	struct sa_set *s = &f->set;

	if (sa_table_reserve_spi(f->dp->sa, SPI, s) < 0)
		abort();
	s->integ = SA_INTEG_HMAC_SHA_1_96;
	s->encr = SA_ENCR_NULL;
	ip_addr_parse(&s->local, "192.0.2.1");
	ip_addr_parse(&s->remote, "192.0.2.9");
	s->spi_out[0] = s->spi_out[1] = SA_SPI_MIN;
	s->local_port[0] = s->local_port[1] = HOST_PORT;
	s->remote_port[0] = s->remote_port[1] = HOST_PORT + 1;
	if (dp_sa_install(f->dp, s) < 0 ||
	    esp_key_expand(&f->key, ESP_BACKEND_OPENSSL, s->integ, s->encr, &s->keys) < 0)
		abort();
}

/* The same keys and ports, IPv4 inside; the peer's port is free to change. */
static void tunnel_install(struct fuzz *f)
{
	struct sa_set *s = &f->tunnel;

	*s = f->set;
	if (sa_table_reserve_spi(f->dp->sa, SPI_TUNNEL, s) < 0)
		abort();
	s->mode = SA_MODE_UDP_ENC_TUN;
	s->tunnel.follow = true;
	ip_addr_parse(&s->tunnel.inner_local, "192.0.2.1");
	ip_addr_parse(&s->tunnel.inner_remote[0], "10.0.0.9");
	ip_addr_parse(&s->tunnel.inner_remote[1], "10.0.0.8");
	ip_addr_parse(&s->tunnel.host_alias, "100.64.0.1");
	if (dp_sa_install(f->dp, s) < 0)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct dp_eal_config eal = {.name = "fuzz", .memory_mb = 256};
	struct dp_config conf = {
		.ue_port = "net_ring_ue",
		.host_port = "net_ring_host",
		.n_local = 2,
		.local[0].addr.version = 4,
		.local[1].addr.version = 6,
		.sip_port = SIP_PORT,
		.protected_min = HOST_PORT,
		.protected_max = HOST_PORT,
		.udp_enc_port = UDP_PORT,
		.workers = 1,
		.sa_sets = 16,
		.replay_window = 64,
		.mtu = MAX_LEN,
		.buffers = 2047,
	};
	struct fuzz *f = aligned_alloc(64, (sizeof(*f) + 63) & ~(size_t)63);

	(void)argc;
	(void)argv;
	if (!f || secret_init() < 0 || dp_eal_init(&eal) < 0)
		abort();
	memset(f, 0, sizeof(*f));
	__lsan_disable(); /* EAL's memory, where all hangs from, is out of its sight */
	port_make("ue", &f->to, &f->from_ue);
	port_make("host", &f->to_host, &f->from_host);
	if (dp_open(&f->dp, &conf, ESP_BACKEND_OPENSSL) < 0 ||
	    esp_engine_alloc(&f->engine, ESP_BACKEND_OPENSSL) < 0)
		abort();
	set_install(f);
	tunnel_install(f);
	__lsan_enable();
	fuzz = f;
	return 0;
}

/* A buffer; if they leaked there would soon be none. Others may have them for a moment. */
static struct rte_mbuf *buffer(const struct fuzz *f)
{
	struct rte_mbuf *m = NULL;
	unsigned i;

	for (i = 0; i < 3000 && !m; i++) {
		m = rte_pktmbuf_alloc(f->dp->env.pool);
		if (!m)
			rte_delay_us_sleep(1000);
	}
	if (!m)
		abort();
	return m;
}

/* IPv4 header before payload octets. */
static void ipv4_put(const struct fuzz *f, uint8_t *ip, uint8_t proto, size_t payload)
{
	struct rte_ipv4_hdr head = {
		.version_ihl = RTE_IPV4_VHL_DEF, .time_to_live = 64, .next_proto_id = proto};

	memcpy(&head.src_addr, f->set.remote.b, 4);
	memcpy(&head.dst_addr, f->set.local.b, 4);
	head.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(head) + payload));
	head.hdr_checksum = rte_ipv4_cksum(&head);
	memcpy(ip, &head, sizeof(head));
}

/* IPv4 and UDP header to port 4500 before payload octets. Returns their length. */
static size_t udp_enc_put(const struct fuzz *f, uint8_t *ip, uint16_t port, size_t payload)
{
	struct rte_udp_hdr udp = {.src_port = rte_cpu_to_be_16(port),
				  .dst_port = rte_cpu_to_be_16(UDP_PORT),
				  .dgram_len = rte_cpu_to_be_16((uint16_t)(8 + payload))};

	ipv4_put(f, ip, 17, sizeof(udp) + payload);
	memcpy(ip + sizeof(struct rte_ipv4_hdr), &udp, sizeof(udp));
	return sizeof(struct rte_ipv4_hdr) + sizeof(udp);
}

/* ESP with a good ICV around data. Returns its length. */
static size_t seal(struct fuzz *f, uint8_t *at, uint32_t spi, const uint8_t *data, size_t len)
{
	rte_be32_t esp[2] = {rte_cpu_to_be_32(spi), rte_cpu_to_be_32(++f->seq)};
	struct esp_job job = {.key = &f->key, .esp = at};
	struct esp_job *jobs[1] = {&job}, *done[1 + ESP_MAX_FLIGHT];
	unsigned n;

	memcpy(job.esp, esp, sizeof(esp));
	memcpy(job.esp + sizeof(esp), data, len);
	job.len = (uint16_t)(sizeof(esp) + len);
	n = esp_engine_submit(f->engine, jobs, 1, done);
	if (n == 0)
		esp_engine_flush(f->engine, done);
	return sizeof(esp) + len + ESP_ICV_LEN;
}

/* What is behind the Ethernet header; returns its length. */
static size_t ip_put(struct fuzz *f, enum kind kind, uint8_t *ip, const uint8_t *data, size_t len)
{
	size_t head = sizeof(struct rte_ipv4_hdr), esp;

	switch (kind) {
	case SEALED:
		esp = seal(f, ip + head, SPI, data, len);
		ipv4_put(f, ip, 50, esp);
		return head + esp;
	case UDP_ENC:
		head = udp_enc_put(f, ip, 999, len);
		memcpy(ip + head, data, len);
		return head + len;
	case TUNNEL:
		esp = seal(f, ip + head + 8, SPI_TUNNEL, data, len);
		head = udp_enc_put(f, ip, len ? data[0] : 0, esp);
		return head + esp;
	default:
		memcpy(ip, data, len);
		return len;
	}
}

static void packet_put(struct fuzz *f, enum kind kind, const uint8_t *data, size_t len)
{
	struct rte_mbuf *m = buffer(f);
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	bool v6 = len > 0 && data[0] >> 4 == 6;
	size_t total = len;

	memset(eth, 0, sizeof(*eth));
	if (kind == RAW) {
		memcpy(eth, data, len);
	} else {
		v6 = v6 && (kind == IP || kind == HOST);
		eth->ether_type = rte_cpu_to_be_16(v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
		total = sizeof(*eth) + ip_put(f, kind, (uint8_t *)(eth + 1), data, len);
	}
	eth->dst_addr = f->dp->env.ue.mac;
	rte_pktmbuf_append(m, (uint16_t)total);
	if (rte_ring_enqueue(kind == HOST ? f->to_host : f->to, m) < 0)
		abort();
}

static void ring_drain(struct rte_ring *ring)
{
	void *m;

	while (rte_ring_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
}

static uint64_t outcomes(const struct dp_counters *c)
{
	uint64_t n = c->to_control + c->host_tx + c->keepalives_in;
	unsigned reason;

	for (reason = 0; reason < DP_DROP_COUNT; reason++)
		n += c->drops[reason];
	return n;
}

/* Turns until all is done; nothing clear may have come from a protected port's place. */
static void work(struct fuzz *f)
{
	struct worker *w = f->dp->workers[0];
	struct dp_packet pkt[16];
	unsigned n, i, idle = 0;

	while (idle < 2) {
		idle = worker_poll(w) ? 0 : idle + 1;
		ring_drain(f->from_ue);
		ring_drain(f->from_host);
		while ((n = dp_recv(f->dp, pkt, 16)) > 0) {
			for (i = 0; i < n; i++) {
				assert(pkt[i].set || pkt[i].local.port == SIP_PORT);
				assert(!pkt[i].set || (pkt[i].local.port == HOST_PORT &&
						       pkt[i].remote.port == HOST_PORT + 1));
				assert(pkt[i].len <= PORT_LARGE_FRAME);
			}
			dp_release(f->dp, pkt, n);
		}
	}
	assert(esp_engine_in_flight(w->engine) == 0 && w->n_free == WORKER_PKTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz *f = fuzz;
	struct worker *w = f->dp->workers[0];
	uint64_t before = outcomes(&w->c), packets = 0;

	while (size > 3 && packets < 64) {
		size_t len = (size_t)(data[1] << 8 | data[2]) % (MAX_LEN - 60);

		data += 3;
		size -= 3;
		len = len < size ? len : size;
		packet_put(f, data[-3] % KINDS, data, len);
		data += len;
		size -= len;
		packets++;
	}
	work(f);
	w->c.drops[DP_DROP_FRAGMENT] += frag_expire(w->frag, rte_rdtsc() + 60 * rte_get_tsc_hz());
	/* Each packet has one fate, but for fragments, which share one or are cut again. */
	if (w->c.drops[DP_DROP_FRAGMENT] == 0 && !w->c.host_tx)
		assert(outcomes(&w->c) - before <= packets);
	return 0;
}
