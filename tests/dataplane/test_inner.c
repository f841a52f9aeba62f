/* What is inside ESP, and headers on their own: packets made octet by octet, with a good ICV. */
#include <string.h>

#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

#define LOCAL	6000
#define REMOTE	7000
#define UDP_ENC 4500

struct forge {
	struct rig r;
	struct sa_set set;
	struct esp_engine *engine;
	struct esp_key *key;
	uint32_t seq;
	int version;
	bool tunnel;		      /* ESP in UDP */
	uint8_t spoil_at, spoil_with; /* of the outer header */
};

static void forge_open_mode(struct forge *f, int version, enum sa_mode mode)
{
	static struct esp_key key;
	struct dp_config conf = rig_config();
	unsigned pair;

	memset(f, 0, sizeof(*f));
	f->version = version;
	f->tunnel = mode == SA_MODE_UDP_ENC_TUN;
	f->key = &key;
	conf.udp_enc_port = UDP_ENC;
	rig_open(&f->r, "forge", &conf, true, ESP_BACKEND_IPSEC_MB);
	assert_int_equal(dp_sa_reserve(f->r.dp, NULL, 0, &f->set), 0);
	ip_addr_parse(&f->set.local, version == 4 ? "192.0.2.1" : "2001:db8::1");
	ip_addr_parse(&f->set.remote, version == 4 ? "10.0.0.1" : "2001:db8:1::1");
	for (pair = 0; pair < SA_PAIRS; pair++) {
		f->set.local_port[pair] = (uint16_t)(LOCAL + pair);
		f->set.remote_port[pair] = REMOTE;
		f->set.spi_out[pair] = SA_SPI_MIN;
	}
	f->set.mode = mode;
	f->set.tunnel.inner_local = f->set.local;
	f->set.tunnel.inner_remote[0] = f->set.remote;
	assert_int_equal(dp_sa_install(f->r.dp, &f->set), 0);
	assert_int_equal(esp_engine_alloc(&f->engine, ESP_BACKEND_OPENSSL), 0);
	assert_int_equal(esp_key_expand(f->key, ESP_BACKEND_OPENSSL, f->set.integ, f->set.encr,
					&f->set.keys),
			 0);
}

static void forge_open(struct forge *f, int version)
{
	forge_open_mode(f, version, SA_MODE_TRANSPORT);
}

static void forge_close(struct forge *f)
{
	esp_engine_free(f->engine);
	rig_close(&f->r);
}

/* An IP packet from the UE with len octets after the header, which are written later. */
static uint8_t *ip_header(struct forge *f, uint8_t *ip, uint8_t proto, size_t len)
{
	struct rte_ipv4_hdr ip4 = {.version_ihl = RTE_IPV4_VHL_DEF,
				   .total_length = rte_cpu_to_be_16((uint16_t)(20 + len)),
				   .time_to_live = 64,
				   .next_proto_id = proto};
	struct rte_ipv6_hdr ip6 = {.vtc_flow = rte_cpu_to_be_32(0x60000000),
				   .payload_len = rte_cpu_to_be_16((uint16_t)len),
				   .proto = proto,
				   .hop_limits = 64};

	if (f->version == 6) {
		memcpy(ip6.src_addr, f->set.remote.b, 16);
		memcpy(ip6.dst_addr, f->set.local.b, 16);
		memcpy(ip, &ip6, sizeof(ip6));
		return ip + sizeof(ip6);
	}
	memcpy(&ip4.src_addr, f->set.remote.b, 4);
	memcpy(&ip4.dst_addr, f->set.local.b, 4);
	ip4.hdr_checksum = rte_ipv4_cksum(&ip4);
	memcpy(ip, &ip4, sizeof(ip4));
	return ip + sizeof(ip4);
}

/* Sends ESP around these octets, trailer included: their number is a multiple of four. */
static void send_inside(struct forge *f, const uint8_t *inside, size_t len)
{
	rte_be32_t head[2] = {rte_cpu_to_be_32(f->set.spi_in[0]), rte_cpu_to_be_32(++f->seq)};
	struct esp_job *done[1 + ESP_MAX_FLIGHT], job = {.key = f->key}, *jobs[1] = {&job};
	size_t esp_len = sizeof(head) + len + ESP_ICV_LEN;
	struct rte_udp_hdr udp = {.src_port = rte_cpu_to_be_16(UDP_ENC),
				  .dst_port = rte_cpu_to_be_16(UDP_ENC),
				  .dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(udp) + esp_len))};
	uint8_t ip[2000];

	if (f->tunnel) {
		job.esp = ip_header(f, ip, 17, sizeof(udp) + esp_len);
		memcpy(job.esp, &udp, sizeof(udp));
		job.esp += sizeof(udp);
	} else {
		job.esp = ip_header(f, ip, 50, esp_len);
	}
	memcpy(job.esp, head, sizeof(head));
	memcpy(job.esp + sizeof(head), inside, len);
	job.len = (uint16_t)(sizeof(head) + len);
	if (esp_engine_submit(f->engine, jobs, 1, done) == 0)
		esp_engine_flush(f->engine, done);
	ip[f->spoil_at] ^= f->spoil_with;
	rig_ip_in(&f->r, &f->r.ue, f->version, ip, (size_t)(job.esp - ip) + esp_len);
}

/* A UDP datagram of ten octets and a trailer with two octets of padding: room for 20 and 4. */
static void udp_make(struct forge *f, uint8_t *p)
{
	uint8_t ip[60];
	struct rte_udp_hdr udp = {.src_port = rte_cpu_to_be_16(REMOTE),
				  .dst_port = rte_cpu_to_be_16(LOCAL),
				  .dgram_len = rte_cpu_to_be_16(18)};
	static const uint8_t trailer[] = {1, 2, 3, 4, 4, 17};

	ip_header(f, ip, 17, 18);
	memcpy(p, &udp, sizeof(udp));
	memcpy(p + sizeof(udp), "0123456789", 10);
	memcpy(p + 18, trailer, sizeof(trailer));
	udp.dgram_cksum = checksum_make(ip, (uint8_t)f->version, 17, p, 18);
	memcpy(p, &udp, sizeof(udp));
}

static void expect_good(struct forge *f, size_t len)
{
	struct dp_packet pkt;

	assert_true(rig_recv_wait(&f->r, &pkt));
	assert_int_equal(pkt.len, len);
	dp_release(f->r.dp, &pkt, 1);
}

static void expect_drop(struct forge *f, enum dp_drop reason)
{
	uint64_t before = rig_drops(f->r.dp, reason);
	struct dp_packet pkt;

	assert_false(rig_recv_wait(&f->r, &pkt));
	assert_int_equal(rig_drops(f->r.dp, reason), before + 1);
}

/* RFC 4303 2.4: 1, 2, 3, ... and nothing else. covers: DP-11 */
static void test_padding(void **state)
{
	struct forge f;
	uint8_t in[24], at;

	(void)state;
	forge_open(&f, 4);
	udp_make(&f, in);
	send_inside(&f, in, sizeof(in));
	expect_good(&f, 10);
	for (at = 18; at < 22; at++) {
		udp_make(&f, in);
		in[at] ^= 0x40;
		send_inside(&f, in, sizeof(in));
		expect_drop(&f, DP_DROP_BAD_PADDING);
	}
	udp_make(&f, in);
	in[22] = 23; /* more than there is */
	send_inside(&f, in, sizeof(in));
	expect_drop(&f, DP_DROP_BAD_PADDING);
	forge_close(&f);
}

/* covers: DP-15 */
static void test_udp_checksum(void **state)
{
	struct forge f;
	uint8_t in[24];
	int version;

	(void)state;
	for (version = 4; version <= 6; version += 2) {
		forge_open(&f, version);
		udp_make(&f, in);
		send_inside(&f, in, sizeof(in));
		expect_good(&f, 10);
		in[9] ^= 1;
		send_inside(&f, in, sizeof(in));
		expect_drop(&f, DP_DROP_BAD_UDP);
		udp_make(&f, in);
		in[6] = in[7] = 0; /* none: IPv4 may, IPv6 may not */
		send_inside(&f, in, sizeof(in));
		if (version == 4)
			expect_good(&f, 10);
		else
			expect_drop(&f, DP_DROP_BAD_UDP);
		forge_close(&f);
	}
}

static void test_udp_length(void **state)
{
	static const uint16_t bad[] = {0, 7, 19, 65535};
	struct forge f;
	uint8_t in[24];
	size_t i;

	(void)state;
	forge_open(&f, 4);
	for (i = 0; i < N_OF(bad); i++) {
		udp_make(&f, in);
		in[6] = in[7] = 0;
		in[4] = (uint8_t)(bad[i] >> 8);
		in[5] = (uint8_t)bad[i];
		send_inside(&f, in, sizeof(in));
		expect_drop(&f, DP_DROP_BAD_UDP);
	}
	forge_close(&f);
}

/* covers: DP-08, SP-08 */
static void test_selectors(void **state)
{
	static const struct {
		uint8_t at, with;
		enum dp_drop reason;
	} cases[] = {
		{0, 0xff, DP_DROP_SELECTOR},
		{1, 0xff, DP_DROP_SELECTOR},
		{2, 0xff, DP_DROP_SELECTOR},
		{3, 1, DP_DROP_SELECTOR}, /* the other pair's port */
		{23, 1, DP_DROP_BAD_NEXT_HEADER},
		{23, 132, DP_DROP_BAD_NEXT_HEADER},
		{23, 4, DP_DROP_BAD_NEXT_HEADER},
		{23, 59, DP_DROP_DUMMY},
	};
	struct forge f;
	uint8_t in[24];
	size_t i;

	(void)state;
	forge_open(&f, 4);
	for (i = 0; i < N_OF(cases); i++) {
		udp_make(&f, in);
		if (cases[i].at == 23)
			in[23] = cases[i].with;
		else
			in[cases[i].at] ^= cases[i].with;
		send_inside(&f, in, sizeof(in));
		expect_drop(&f, cases[i].reason);
	}
	forge_close(&f);
}

/* In a tunnel: an IP packet around udp_make()'s. Returns the length. */
static size_t inner_make(struct forge *f, uint8_t *p)
{
	uint8_t *udp = ip_header(f, p, 17, 18);

	udp_make(f, udp);
	udp[23] = f->version == 4 ? 4 : 41;
	return (size_t)(udp + 24 - p);
}

static void inner_sum(uint8_t *p)
{
	struct rte_ipv4_hdr ip;

	memcpy(&ip, p, sizeof(ip));
	ip.hdr_checksum = 0;
	ip.hdr_checksum = rte_ipv4_cksum(&ip);
	memcpy(p, &ip, sizeof(ip));
}

/* The header that nobody has authenticated. covers: DP-08 */
static void test_outer_header(void **state)
{
	static const struct {
		enum sa_mode mode;
		uint8_t at, with;
		enum dp_drop reason;
	} cases[] = {
		{SA_MODE_TRANSPORT, 10, 1, DP_DROP_BAD_IP}, /* its checksum */
		{SA_MODE_TRANSPORT, 8, 1, DP_DROP_BAD_IP},
		{SA_MODE_TRANSPORT, 15, 1, DP_DROP_BAD_IP}, /* source, checksum as it was */
		{SA_MODE_TRANSPORT, 0, 0x20, DP_DROP_BAD_IP},
		{SA_MODE_UDP_ENC_TUN, 25, 1, DP_DROP_BAD_UDP}, /* length */
		{SA_MODE_UDP_ENC_TUN, 26, 1, DP_DROP_BAD_UDP}, /* checksum, which may be none */
	};
	struct forge f;
	uint8_t in[80];
	size_t i, len;

	(void)state;
	for (i = 0; i < N_OF(cases); i++) {
		forge_open_mode(&f, 4, cases[i].mode);
		udp_make(&f, in);
		len = f.tunnel ? inner_make(&f, in) : 24;
		f.spoil_at = cases[i].at;
		f.spoil_with = cases[i].with;
		send_inside(&f, in, len);
		expect_drop(&f, cases[i].reason);
		f.spoil_with = 0;
		send_inside(&f, in, len);
		expect_good(&f, 10);
		forge_close(&f);
	}
}

/* What a tunnel's peer sends inside is held against the set, header by header.
 * covers: DP-08, SP-08, NM-07 */
static void test_inner_header(void **state)
{
	static const struct {
		int version;
		uint8_t at, with;
		bool sum; /* made right again */
		enum dp_drop reason;
	} cases[] = {
		{4, 10, 1, false, DP_DROP_BAD_INNER}, /* its checksum */
		{4, 8, 1, false, DP_DROP_BAD_INNER},  /* its TTL */
		{4, 15, 2, true, DP_DROP_SELECTOR},   /* source */
		{4, 19, 2, true, DP_DROP_SELECTOR},   /* destination */
		{4, 3, 64, true, DP_DROP_BAD_INNER},  /* longer than there is */
		{4, 0, 0x10, true, DP_DROP_BAD_INNER},
		{4, 9, 17 ^ 132, true, DP_DROP_SELECTOR}, /* SCTP */
		{6, 23, 2, false, DP_DROP_SELECTOR},	  /* source */
		{6, 39, 2, false, DP_DROP_SELECTOR},	  /* destination */
		{6, 5, 64, false, DP_DROP_BAD_INNER},
		{6, 0, 0x10, false, DP_DROP_BAD_INNER},
		{6, 6, 17 ^ 132, false, DP_DROP_SELECTOR},
	};
	struct forge f;
	uint8_t in[80];
	size_t i, len;

	(void)state;
	for (int version = 4; version <= 6; version += 2) {
		forge_open_mode(&f, version, SA_MODE_UDP_ENC_TUN);
		for (i = 0; i < N_OF(cases); i++) {
			if (cases[i].version != version)
				continue;
			len = inner_make(&f, in);
			send_inside(&f, in, len);
			expect_good(&f, 10);
			in[cases[i].at] ^= cases[i].with;
			if (cases[i].sum)
				inner_sum(in);
			send_inside(&f, in, len);
			expect_drop(&f, cases[i].reason);
		}
		forge_close(&f);
	}
}

/* A dummy or a refused packet has used its number all the same. covers: ES-08 */
static void test_refused_number_is_used(void **state)
{
	struct forge f;
	uint8_t in[24];

	(void)state;
	forge_open(&f, 4);
	udp_make(&f, in);
	in[23] = 59;
	send_inside(&f, in, sizeof(in));
	expect_drop(&f, DP_DROP_DUMMY);
	f.seq--;
	udp_make(&f, in);
	send_inside(&f, in, sizeof(in));
	expect_drop(&f, DP_DROP_REPLAY);
	forge_close(&f);
}

static void send_clear(struct forge *f, void (*change)(uint8_t *ip))
{
	uint8_t ip[100], *udp = ip_header(f, ip, 17, 8);
	struct rte_udp_hdr head = {.src_port = 1,
				   .dst_port = rte_cpu_to_be_16(RIG_SIP_PORT),
				   .dgram_len = rte_cpu_to_be_16(8)};

	memcpy(udp, &head, sizeof(head));
	change(ip);
	rig_ip_in(&f->r, &f->r.ue, f->version, ip, (size_t)(udp - ip) + 8);
}

static void nothing(uint8_t *ip)
{
	(void)ip;
}

static void ttl(uint8_t *ip)
{
	ip[8]--;
}

static void longer(uint8_t *ip)
{
	ip[3]++;
}

static void other_version(uint8_t *ip)
{
	ip[0] = 0x65;
}

/* covers: DP-11 */
static void test_ip_header(void **state)
{
	struct forge f;

	(void)state;
	forge_open(&f, 4);
	send_clear(&f, nothing);
	expect_good(&f, 0);
	send_clear(&f, ttl); /* and the checksum as it was */
	expect_drop(&f, DP_DROP_BAD_IP);
	send_clear(&f, longer);
	expect_drop(&f, DP_DROP_TRUNCATED);
	send_clear(&f, other_version);
	expect_drop(&f, DP_DROP_BAD_IP);
	forge_close(&f);
}

/* n destination options before UDP */
static void send_chain(struct forge *f, unsigned n)
{
	uint8_t ip[400], *p = ip_header(f, ip, 60, 8 * n + 8);
	struct rte_udp_hdr head = {.dst_port = rte_cpu_to_be_16(RIG_SIP_PORT),
				   .dgram_len = rte_cpu_to_be_16(8)};
	unsigned i;

	for (i = 0; i < n; i++, p += 8)
		memcpy(p, (uint8_t[]){i + 1 < n ? 60 : 17, 0, 1, 4, 0, 0, 0, 0}, 8);
	memcpy(p, &head, sizeof(head));
	head.dgram_cksum = checksum_make(ip, 6, 17, p, 8);
	memcpy(p, &head, sizeof(head));
	rig_ip_in(&f->r, &f->r.ue, 6, ip, (size_t)(p - ip) + 8);
}

static void test_extension_headers_are_few(void **state)
{
	struct forge f;

	(void)state;
	forge_open(&f, 6);
	send_chain(&f, 1);
	expect_good(&f, 0);
	send_chain(&f, 8);
	expect_good(&f, 0);
	send_chain(&f, 9);
	expect_drop(&f, DP_DROP_BAD_IP);
	forge_close(&f);
}

/* A frame for somebody else's MAC address is not ours to look at. */
static void test_other_mac(void **state)
{
	struct forge f;
	uint8_t in[24];

	(void)state;
	forge_open(&f, 4);
	udp_make(&f, in);
	f.r.dp->env.ue.mac.addr_bytes[5] ^= 1;
	send_clear(&f, nothing);
	f.r.dp->env.ue.mac.addr_bytes[5] ^= 1;
	expect_drop(&f, DP_DROP_NOT_FOR_US);
	f.r.dp->env.ue.mac.addr_bytes[5] ^= 1;
	send_inside(&f, in, sizeof(in));
	f.r.dp->env.ue.mac.addr_bytes[5] ^= 1;
	expect_drop(&f, DP_DROP_NOT_FOR_US);
	forge_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_udp_checksum),
		cmocka_unit_test(test_udp_length),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_outer_header),
		cmocka_unit_test(test_inner_header),
		cmocka_unit_test(test_refused_number_is_used),
		cmocka_unit_test(test_ip_header),
		cmocka_unit_test(test_extension_headers_are_few),
		cmocka_unit_test(test_other_mac),
	};

	return cmocka_run_group_tests_name("dataplane.inner", tests, rig_start, rig_stop);
}
