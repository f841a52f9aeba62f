/* The host port: TCP protected on its way out and restored on its way in; all else as it is. */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>

#include "dataplane/checksum.h"
#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

#define MAX_TEXT 1400

struct frame {
	uint8_t p[MAX_TEXT + 100];
	size_t n;
};

struct path {
	struct ip_addr src, dst;
	uint16_t sport, dport;
};

static size_t ip_write(uint8_t *at, const struct path *p, uint8_t proto, size_t len)
{
	struct rte_ipv4_hdr ip4 = {.version_ihl = RTE_IPV4_VHL_DEF,
				   .type_of_service = 0x28,
				   .total_length = rte_cpu_to_be_16((uint16_t)(20 + len)),
				   .packet_id = rte_cpu_to_be_16(0x1234),
				   .fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
				   .time_to_live = 61,
				   .next_proto_id = proto};
	struct rte_ipv6_hdr ip6 = {.vtc_flow = rte_cpu_to_be_32(0x62812345),
				   .payload_len = rte_cpu_to_be_16((uint16_t)len),
				   .proto = proto,
				   .hop_limits = 61};

	if (p->src.version == 6) {
		memcpy(ip6.src_addr, p->src.b, 16);
		memcpy(ip6.dst_addr, p->dst.b, 16);
		memcpy(at, &ip6, sizeof(ip6));
		return sizeof(ip6);
	}
	memcpy(&ip4.src_addr, p->src.b, 4);
	memcpy(&ip4.dst_addr, p->dst.b, 4);
	ip4.hdr_checksum = rte_ipv4_cksum(&ip4);
	memcpy(at, &ip4, sizeof(ip4));
	return sizeof(ip4);
}

/* The IP packet of a TCP segment with len octets; its checksum right, or left to hardware. */
static void segment_make(struct frame *f, const struct path *p, size_t len, bool partial)
{
	size_t ip = ip_write(f->p, p, 6, sizeof(struct rte_tcp_hdr) + len);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(f->p + ip);

	*tcp = (struct rte_tcp_hdr){.src_port = rte_cpu_to_be_16(p->sport),
				    .dst_port = rte_cpu_to_be_16(p->dport),
				    .sent_seq = 77,
				    .data_off = 5 << 4,
				    .tcp_flags = RTE_TCP_ACK_FLAG};
	memset(tcp + 1, 'T', len);
	f->n = ip + sizeof(*tcp) + len;
	tcp->cksum = partial ? 0xaaaa : checksum_make(f->p, p->src.version, 6, tcp, f->n - ip);
}

static void host_send(struct rig_side *from, struct rig_side *to, const struct frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool());
	struct rte_ether_hdr *eth =
		(struct rte_ether_hdr *)rte_pktmbuf_append(m, (uint16_t)(sizeof(*eth) + f->n));

	assert_non_null(eth);
	eth->src_addr = from->dp->env.ue.mac;
	eth->dst_addr = to->dp->env.ue.mac;
	eth->ether_type =
		rte_cpu_to_be_16(f->p[0] >> 4 == 6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	memcpy(eth + 1, f->p, f->n);
	assert_int_equal(rte_ring_enqueue(from->host.to, m), 0);
}

/* The next IP packet of this protocol at the host port; n == 0: none. */
static void host_receive(struct rig_side *side, uint8_t proto, struct frame *f)
{
	struct rte_mbuf *m;
	void *next;

	f->n = 0;
	while (f->n == 0 && rte_ring_dequeue(side->host.from, &next) == 0) {
		const uint8_t *ip = rte_pktmbuf_mtod_offset((struct rte_mbuf *)next, uint8_t *, 14);

		m = next;
		if ((ip[0] >> 4 == 4 ? ip[9] : ip[6]) == proto) {
			f->n = rte_pktmbuf_data_len(m) - 14;
			memcpy(f->p, ip, f->n);
		}
		rte_pktmbuf_free(m);
	}
}

static struct path path_of(const struct sa_set *set, enum sa_pair pair)
{
	return (struct path){.src = set->local,
			     .dst = set->remote,
			     .sport = set->local_port[pair],
			     .dport = set->remote_port[pair]};
}

static void expect_segment(struct rig_pair *r, struct rig_side *from, enum sa_pair pair, size_t len)
{
	struct path path = path_of(&from->set, pair);
	struct frame sent, want, got;

	segment_make(&sent, &path, len, true);
	segment_make(&want, &path, len, false);
	host_send(from, rig_pair_peer(r, from), &sent);
	rig_pair_poll(r);
	host_receive(rig_pair_peer(r, from), 6, &got);
	assert_int_equal(got.n, want.n);
	assert_memory_equal(got.p, want.p, want.n);
}

/* TCP uses both directions of each pair. covers: ES-04, F11 */
static void test_tcp_both_ways(void **state)
{
	struct dp_sa_counters c;
	struct rig_pair r;
	unsigned pair;
	int version;

	(void)state;
	for (version = 4; version <= 6; version += 2) {
		rig_pair_open(&r, version, 1, false);
		rig_pair_meet(&r);
		rig_pair_install(&r, SA_INTEG_HMAC_MD5_96, SA_ENCR_DES_EDE3_CBC);
		for (pair = 0; pair < SA_PAIRS; pair++) {
			expect_segment(&r, &r.phone, pair, 0);
			expect_segment(&r, &r.phone, pair, 700);
			expect_segment(&r, &r.pcscf, pair, 0);
			expect_segment(&r, &r.pcscf, pair, 1350);
			dp_sa_counters(r.phone.dp, r.phone.set.id, pair, false, &c);
			assert_int_equal(c.seq, 2);
			dp_sa_counters(r.phone.dp, r.phone.set.id, !pair, true, &c);
			assert_int_equal(c.seq, 2);
		}
		rig_pair_close(&r);
	}
}

/* One sequence for both protocols: UDP goes on where TCP was. covers: ES-04, HX-15, F11 */
static void test_udp_and_tcp_share_the_sa(void **state)
{
	struct dp_sa_counters c;
	struct dp_packet pkt;
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_meet(&r);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	expect_segment(&r, &r.phone, SA_CLIENT, 100);
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "MESSAGE", 7), 0);
	assert_true(rig_pair_recv(&r, &r.pcscf, &pkt));
	dp_release(r.pcscf.dp, &pkt, 1);
	assert_int_equal(dp_sa_counters(r.pcscf.dp, r.pcscf.set.id, SA_SERVER, true, &c), 0);
	assert_int_equal(c.packets, 2);
	assert_int_equal(c.seq, 2);
	rig_pair_close(&r);
}

/* covers: DP-09, SP-11 */
static void test_tcp_without_sa_stays(void **state)
{
	struct rig_pair r;
	struct path path;
	struct frame f;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_meet(&r);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL);
	path = path_of(&r.phone.set, SA_CLIENT);
	path.dport++; /* a protected port of ours, but no SA to there */
	segment_make(&f, &path, 10, false);
	host_send(&r.phone, &r.pcscf, &f);
	assert_null(rig_pair_capture(&r, r.up));
	assert_int_equal(rig_drops(r.phone.dp, DP_DROP_CLEAR_FROM_PROTECTED), 1);
	path.dport--;
	rig_pair_remove(&r);
	segment_make(&f, &path, 10, false);
	host_send(&r.phone, &r.pcscf, &f);
	assert_null(rig_pair_capture(&r, r.up));
	assert_int_equal(rig_drops(r.phone.dp, DP_DROP_CLEAR_FROM_PROTECTED), 2);
	rig_pair_close(&r);
}

/* covers: SP-11, DP-09 */
static void test_clear_tcp_to_protected_port(void **state)
{
	struct path path;
	struct rig_pair r;
	struct frame f;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_meet(&r);
	path = (struct path){r.phone.addr, r.pcscf.addr, 40, RIG_PORT_PS};
	segment_make(&f, &path, 0, false);
	host_send(&r.phone, &r.pcscf, &f);
	rig_pair_poll(&r);
	host_receive(&r.pcscf, 6, &f);
	assert_int_equal(f.n, 0);
	assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_CLEAR_TO_PROTECTED), 1);
	rig_pair_close(&r);
}

/* An ICMP error about `about`, from the one to whom that was sent; or another ICMP message. */
static void icmp_make(struct frame *f, const struct frame *about, uint8_t type)
{
	bool v6 = about->p[0] >> 4 == 6;
	size_t n = v6 ? 16 : 4, src = v6 ? 8 : 12, ip;
	struct path path = {0};
	uint8_t *icmp;

	path.src.version = path.dst.version = v6 ? 6 : 4;
	memcpy(path.src.b, about->p + src + n, n);
	memcpy(path.dst.b, about->p + src, n);
	ip = ip_write(f->p, &path, v6 ? 58 : 1, 8 + about->n);
	icmp = f->p + ip;
	memset(icmp, 0, 8);
	icmp[0] = type;
	memcpy(icmp + 8, about->p, about->n);
	f->n = ip + 8 + about->n;
}

/* The next ICMP message of this type at the host port, past all neighbour discovery. */
static void icmp_receive(struct rig_side *side, int version, uint8_t type, struct frame *f)
{
	do {
		host_receive(side, version == 4 ? 1 : 58, f);
	} while (f->n && f->p[version == 4 ? 20 : 40] != type);
}

/* Destination options before the TCP header of an IPv6 packet. */
static void options_insert(struct frame *f)
{
	uint16_t len;

	memmove(f->p + 40 + 16, f->p + 40, f->n - 40);
	memset(f->p + 40, 0, 16);
	f->p[40] = f->p[6];
	f->p[41] = 1;
	f->p[6] = 60;
	f->n += 16;
	len = rte_cpu_to_be_16((uint16_t)(f->n - 40));
	memcpy(f->p + 4, &len, 2);
}

static const struct {
	const char *name;
	int version;
	uint8_t type;
	bool options;
	bool dropped;
} errors[] = {
	{"unreachable", 4, 3, false, true},	 {"parameter problem", 4, 12, false, true},
	{"echo request", 4, 8, false, false},	 {"unreachable", 6, 1, false, true},
	{"parameter problem", 6, 4, true, true}, {"echo request", 6, 128, false, false},
};

/*
 * Options and extension headers are not covered by ESP: who adds a bad one to somebody's packet has
 * the kernel quote what was decrypted. That must not go out in clear.
 * covers: SP-11, DP-09
 */
static void test_icmp_shows_nothing(void **state)
{
	struct frame segment, error, got;
	struct path path;
	struct rig_pair r;

	(void)state;
	for (size_t i = 0; i < RTE_DIM(errors); i++) {
		print_message("%s, IPv%d\n", errors[i].name, errors[i].version);
		rig_pair_open(&r, errors[i].version, 1, false);
		rig_pair_meet(&r);
		path = (struct path){r.phone.addr, r.pcscf.addr, 40, RIG_PORT_PS};
		segment_make(&segment, &path, 30, false);
		if (errors[i].options)
			options_insert(&segment);
		icmp_make(&error, &segment, errors[i].type);
		host_send(&r.pcscf, &r.phone, &error);
		rig_pair_poll(&r);
		icmp_receive(&r.phone, errors[i].version, errors[i].type, &got);
		assert_int_equal(got.n, errors[i].dropped ? 0 : error.n);
		assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_CLEAR_FROM_PROTECTED),
				 errors[i].dropped);
		/* of an open port it may be told */
		path.dport = 443;
		segment_make(&segment, &path, 30, false);
		icmp_make(&error, &segment, errors[i].type);
		host_send(&r.pcscf, &r.phone, &error);
		rig_pair_poll(&r);
		icmp_receive(&r.phone, errors[i].version, errors[i].type, &got);
		assert_int_equal(got.n, error.n);
		rig_pair_close(&r);
	}
}

/* Nobody on the way can know what a protected port has sent. covers: SP-11, DP-09 */
static void test_icmp_forged(void **state)
{
	struct frame segment, error, got;
	struct path path;
	struct rig_pair r;
	int version;

	(void)state;
	for (version = 4; version <= 6; version += 2) {
		rig_pair_open(&r, version, 1, false);
		rig_pair_meet(&r);
		path = (struct path){r.pcscf.addr, r.phone.addr, RIG_PORT_PS, 40};
		segment_make(&segment, &path, 30, false);
		icmp_make(&error, &segment, version == 4 ? 3 : 1);
		host_send(&r.phone, &r.pcscf, &error);
		rig_pair_poll(&r);
		icmp_receive(&r.pcscf, version, version == 4 ? 3 : 1, &got);
		assert_int_equal(got.n, 0);
		assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_CLEAR_TO_PROTECTED), 1);
		path.sport = 443;
		segment_make(&segment, &path, 30, false);
		icmp_make(&error, &segment, version == 4 ? 3 : 1);
		host_send(&r.phone, &r.pcscf, &error);
		rig_pair_poll(&r);
		icmp_receive(&r.pcscf, version, version == 4 ? 3 : 1, &got);
		assert_int_equal(got.n, error.n);
		rig_pair_close(&r);
	}
}

/* The frame with `n` tags behind its addresses; frees m. */
static struct rte_mbuf *tags_insert(struct rte_mbuf *m, unsigned n, uint16_t tci)
{
	const uint8_t tag[4] = {0x81, 0, (uint8_t)(tci >> 8), (uint8_t)tci};
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t len = rte_pktmbuf_data_len(m);
	struct rte_mbuf *tagged = rte_pktmbuf_alloc(rig_pool());
	uint8_t *to = (uint8_t *)rte_pktmbuf_append(tagged, (uint16_t)(len + n * sizeof(tag)));

	assert_non_null(to);
	memcpy(to, frame, 12);
	for (unsigned i = 0; i < n; i++)
		memcpy(to + 12 + i * sizeof(tag), tag, sizeof(tag));
	memcpy(to + 12 + n * sizeof(tag), frame + 12, len - 12);
	rte_pktmbuf_free(m);
	return tagged;
}

/*
 * Linux takes a tag of VLAN 0 off, whatever its priority, and reads on: so do we, and a protected
 * port stays shut behind it. covers: SP-11, DP-09
 */
static void test_priority_tags(void **state)
{
	struct frame f, got;
	struct rte_mbuf *m;
	struct path path;
	struct rig_pair r;
	unsigned n;

	(void)state;
	for (n = 1; n <= 2; n++) {
		rig_pair_open(&r, 4, 1, false);
		rig_pair_meet(&r);
		path = (struct path){r.phone.addr, r.pcscf.addr, 40, 443};
		segment_make(&f, &path, 10, false);
		host_send(&r.phone, &r.pcscf, &f);
		m = rig_pair_capture(&r, r.up);
		assert_non_null(m);
		m = tags_insert(m, n, 0xe000);
		assert_int_equal(rte_ring_enqueue(r.up, m), 0);
		rig_pair_poll(&r);
		host_receive(&r.pcscf, 6, &got);
		assert_int_equal(got.n, f.n);
		assert_memory_equal(got.p, f.p, f.n);
		host_send(&r.phone, &r.pcscf, &f);
		m = rig_pair_capture(&r, r.up);
		assert_non_null(m);
		*rte_pktmbuf_mtod_offset(m, rte_be16_t *, 14 + 20 + 2) =
			rte_cpu_to_be_16(RIG_PORT_PS);
		m = tags_insert(m, n, 0xe000);
		assert_int_equal(rte_ring_enqueue(r.up, m), 0);
		rig_pair_poll(&r);
		assert_int_equal(rte_ring_count(r.pcscf.host.from), 0);
		assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_CLEAR_TO_PROTECTED), 1);
		/* cut off within the tag */
		host_send(&r.phone, &r.pcscf, &f);
		m = rig_pair_capture(&r, r.up);
		assert_non_null(m);
		m = tags_insert(m, 1, 0);
		rte_pktmbuf_trim(m, (uint16_t)(rte_pktmbuf_data_len(m) - 16));
		assert_int_equal(rte_ring_enqueue(r.up, m), 0);
		rig_pair_poll(&r);
		assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_TRUNCATED), 1);
		rig_pair_close(&r);
	}
}

/* Clear TCP between open ports passes untouched, and so does a frame that is not IP. */
static void test_others_pass(void **state)
{
	struct path path;
	struct frame f, got;
	struct rte_mbuf *m;
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 6, 1, false);
	rig_pair_meet(&r);
	path = (struct path){r.phone.addr, r.pcscf.addr, 22, 443};
	segment_make(&f, &path, 99, true);
	host_send(&r.phone, &r.pcscf, &f);
	rig_pair_poll(&r);
	host_receive(&r.pcscf, 6, &got);
	assert_int_equal(got.n, f.n);
	assert_memory_equal(got.p, f.p, f.n);
	host_send(&r.phone, &r.pcscf, &f);
	rig_poll(r.phone.dp);
	m = rig_pair_capture(&r, r.up);
	assert_non_null(m);
	*rte_pktmbuf_mtod_offset(m, uint16_t *, 12) = rte_cpu_to_be_16(0x88cc); /* LLDP */
	assert_int_equal(rte_ring_enqueue(r.up, m), 0);
	rig_pair_poll(&r);
	assert_int_equal(rte_ring_count(r.pcscf.host.from), 1);
	assert_int_equal(rig_drops_total(r.pcscf.dp), 0);
	rig_pair_close(&r);
}

/* The kernel's segments, with ESP around them, fit the link: its interface has the smaller MTU. */
static void test_host_mtu_leaves_room(void **state)
{
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	assert_true(r.phone.dp->env.host.mtu + 8 + 16 + 17 + 12 <= 1500);
	rig_pair_meet(&r);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	expect_segment(&r, &r.phone, SA_CLIENT, r.phone.dp->env.host.mtu - 40u);
	assert_int_equal(rig_drops_total(r.phone.dp), 0);
	rig_pair_close(&r);
}

/* Control reads nothing, and its rings are full: TCP passes all the same. covers: DP-01, DP-12 */
static void test_control_stalls(void **state)
{
	struct dp_out out = {0};
	char text[] = "REGISTER";
	struct iovec iov = {text, 8};
	struct frame f, got = {.n = 0};
	struct path path;
	struct rig_pair r;
	unsigned i;

	(void)state;
	rig_pair_open(&r, 4, 1, true);
	rig_pair_meet(&r);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	out.local = (struct ip_endpoint){r.phone.addr, RIG_SIP_PORT};
	out.remote = (struct ip_endpoint){r.pcscf.addr, RIG_SIP_PORT};
	for (i = 0; i < 5000; i++) {
		dp_send(r.phone.dp, &out, &iov, 1);
		if (i % 100 == 0)
			rte_delay_us_sleep(1000);
	}
	path = path_of(&r.phone.set, SA_CLIENT);
	segment_make(&f, &path, 500, false);
	host_send(&r.phone, &r.pcscf, &f);
	for (i = 0; i < 1000 && got.n == 0; i++) {
		rte_delay_us_sleep(1000);
		host_receive(&r.pcscf, 6, &got);
	}
	assert_int_equal(got.n, f.n);
	assert_memory_equal(got.p, f.p, f.n);
	assert_true(rig_drops(r.pcscf.dp, DP_DROP_CONTROL_FULL) > 0);
	rig_pair_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp_both_ways),
		cmocka_unit_test(test_udp_and_tcp_share_the_sa),
		cmocka_unit_test(test_tcp_without_sa_stays),
		cmocka_unit_test(test_clear_tcp_to_protected_port),
		cmocka_unit_test(test_icmp_shows_nothing),
		cmocka_unit_test(test_icmp_forged),
		cmocka_unit_test(test_priority_tags),
		cmocka_unit_test(test_others_pass),
		cmocka_unit_test(test_host_mtu_leaves_room),
		cmocka_unit_test(test_control_stalls),
	};

	return cmocka_run_group_tests_name("dataplane.host", tests, rig_start, rig_stop);
}
