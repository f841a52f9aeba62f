/* What is too long, or comes in parts: path MTU, DF, MSS, buffers in segments. */
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "tests/dataplane/tunnel_rig.h"
#include "tests/support/test.h"

#define BIG	1200
#define MAX_LEN 1700

static uint64_t lowered(struct dp *dp)
{
	struct dp_counters c;

	dp_worker_counters(dp, 0, &c);
	return c.pmtu_lowered;
}

/* ---- path MTU ----------------------------------------------------------------------------- */

/* A way to one UE: the P-CSCF's side of rig.h, in either mode. */
struct way {
	struct tunnel_rig t;
	struct tunnel_ue ue;
	sa_set_id set;
};

static void way_open(struct way *y, enum sa_mode mode, int outer)
{
	tunnel_open(&y->t, outer, 4, 1);
	if (mode == SA_MODE_TRANSPORT) {
		rig_pair_install(&y->t.pair, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
		y->set = y->t.pair.pcscf.set.id;
		return;
	}
	tunnel_ue_make(&y->t, &y->ue, 7);
	y->ue.pcscf.tunnel.remote_port = y->t.nat.port;
	tunnel_install(&y->t, &y->ue);
	y->set = y->ue.pcscf.id;
}

/* Sends a datagram; returns how many frames it takes, and the first of them. */
static unsigned way_send(struct way *y, struct rte_mbuf **first, size_t *longest)
{
	static const char text[BIG];
	struct rte_mbuf *m;
	unsigned n = 0;

	*longest = 0;
	assert_int_equal(rig_send(y->t.pair.pcscf.dp, y->set, SA_CLIENT, text, sizeof(text)), 0);
	m = tunnel_down(&y->t);
	assert_non_null(m);
	if (first)
		*first = rig_copy(m);
	do {
		n++;
		if (rte_pktmbuf_data_len(m) - 14u > *longest)
			*longest = rte_pktmbuf_data_len(m) - 14u;
		rte_pktmbuf_free(m);
	} while (rte_ring_dequeue(y->t.pair.down, (void **)&m) == 0);
	return n;
}

/* A router's answer to a frame: quoting some of it. */
static void way_icmp(struct way *y, const struct rte_mbuf *about, uint32_t mtu)
{
	const uint8_t *packet = rte_pktmbuf_mtod(about, const uint8_t *) + 14;
	uint8_t frame[14 + 40 + 8 + 120] = {0}, *ip = frame + 14, *icmp;
	bool v4 = packet[0] >> 4 == 4;
	size_t header = v4 ? 20 : 40, quoted = v4 ? 60 : 120;
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool());
	uint16_t sum;

	memcpy(frame, &y->t.pair.pcscf.dp->env.ue.mac, 6);
	frame[12] = v4 ? 0x08 : 0x86;
	frame[13] = v4 ? 0x00 : 0xdd;
	memcpy(ip, packet, header);
	memcpy(ip + (v4 ? 16 : 24), packet + (v4 ? 12 : 8), v4 ? 4 : 16); /* to us */
	ip[v4 ? 15 : 23] ^= 0x55;					  /* from a router */
	ip[v4 ? 9 : 6] = v4 ? 1 : 58;
	ip[v4 ? 6 : 7] = v4 ? 0 : 64;
	ip[v4 ? 2 : 4] = 0;
	ip[v4 ? 3 : 5] = (uint8_t)(v4 ? header + 8 + quoted : 8 + quoted);
	icmp = ip + header;
	icmp[0] = v4 ? 3 : 2;
	icmp[1] = v4 ? 4 : 0;
	icmp[6] = (uint8_t)(mtu >> 8);
	icmp[7] = (uint8_t)mtu;
	memcpy(icmp + 8, packet, quoted);
	if (v4) {
		ip[10] = ip[11] = 0;
		sum = (uint16_t)~rte_raw_cksum(ip, 20);
		memcpy(ip + 10, &sum, 2);
		sum = (uint16_t)~rte_raw_cksum(icmp, 8 + quoted);
	} else {
		sum = checksum_make(ip, 6, 58, icmp, (uint32_t)(8 + quoted));
	}
	memcpy(icmp + 2, &sum, 2);
	memcpy(rte_pktmbuf_append(m, (uint16_t)(14 + header + 8 + quoted)), frame,
	       14 + header + 8 + quoted);
	tunnel_put(&y->t, m);
}

static void way_close(struct way *y)
{
	tunnel_close(&y->t);
}

static void path_mtu(enum sa_mode mode, int outer, uint16_t told, uint16_t want)
{
	struct rte_mbuf *frame;
	struct sa_out *out;
	struct way y;
	size_t longest;
	struct dp *dp;

	way_open(&y, mode, outer);
	dp = y.t.pair.pcscf.dp;
	assert_int_equal(way_send(&y, &frame, &longest), 1);
	way_icmp(&y, frame, told);
	assert_int_equal(lowered(dp), 1);
	assert_true(way_send(&y, NULL, &longest) > 1);
	assert_true(longest <= want);
	assert_true(longest > want - 100u);
	way_icmp(&y, frame, told); /* nothing new */
	way_icmp(&y, frame, 1400); /* it only sinks */
	assert_int_equal(lowered(dp), 1);
	/* in time it is tried again */
	out = sa_out_at(&dp->env.sa, sa_slot_of_id(&dp->env.sa, y.set, SA_CLIENT));
	out->pmtu_until = 1;
	assert_int_equal(way_send(&y, NULL, &longest), 1);
	rte_pktmbuf_free(frame);
	way_close(&y);
}

static void test_path_mtu(void **state)
{
	(void)state;
	path_mtu(SA_MODE_TRANSPORT, 4, 1000, 1000);
	path_mtu(SA_MODE_TRANSPORT, 4, 68, 576); /* not below what every path takes */
	path_mtu(SA_MODE_TRANSPORT, 4, 0, 576);	 /* an old router that does not say */
	path_mtu(SA_MODE_UDP_ENC_TUN, 4, 1000, 1000);
	path_mtu(SA_MODE_UDP_ENC_TUN, 6, 1280, 1280);
	path_mtu(SA_MODE_TRANSPORT, 6, 1280, 1280);
}

/* What did not come from us moves nothing. */
static void test_path_mtu_forged(void **state)
{
	static const size_t at[] = {
		14 + 12 + 3,	 /* our address */
		14 + 16 + 3,	 /* the UE's address */
		14 + 20 + 2,	 /* the NAT's port */
		14 + 20 + 8 + 3, /* SPI */
		14 + 20 + 8 + 4, /* sequence number */
		14 + 9,		 /* protocol */
		14 + 7,		 /* not the first fragment */
		14,		 /* no IP header */
	};
	struct rte_mbuf *frame, *wrong;
	struct way y;
	size_t longest, i;

	(void)state;
	way_open(&y, SA_MODE_UDP_ENC_TUN, 4);
	assert_int_equal(way_send(&y, &frame, &longest), 1);
	for (i = 0; i < N_OF(at); i++) {
		wrong = rig_copy(frame);
		rte_pktmbuf_mtod(wrong, uint8_t *)[at[i]] ^= 0x21;
		/* the ICMP itself has to come to us all the same */
		way_icmp(&y, wrong, 1000);
		rte_pktmbuf_free(wrong);
		if (lowered(y.t.pair.pcscf.dp) != 0)
			fail_msg("believed with octet %zu wrong", at[i]);
	}
	way_icmp(&y, frame, 1000);
	assert_int_equal(lowered(y.t.pair.pcscf.dp), 1);
	rte_pktmbuf_free(frame);
	way_close(&y);
}

/* A set of another peer, with the same SPIs at that end. */
static sa_set_id twin_install(struct way *y)
{
	struct dp *dp = y->t.pair.pcscf.dp;
	struct sa_set set = y->t.pair.pcscf.set;

	set.remote = tunnel_public(&y->t, 9);
	assert_int_equal(dp_sa_reserve(dp, NULL, 0, &set), 0);
	assert_int_equal(dp_sa_install(dp, &set), 0);
	return set.id;
}

/* Two peers may have chosen one SPI: what is said about a packet is about its sender's path. */
static void test_path_mtu_same_spi(void **state)
{
	struct rte_mbuf *frame;
	sa_set_id sets[2];
	struct way y;
	size_t longest;
	unsigned i;

	(void)state;
	way_open(&y, SA_MODE_TRANSPORT, 4);
	sets[0] = y.set;
	sets[1] = twin_install(&y);
	assert_int_equal(way_send(&y, NULL, &longest), 1);
	for (i = 0; i < 2; i++) {
		y.set = sets[!i];
		assert_int_equal(way_send(&y, &frame, &longest), 1);
		way_icmp(&y, frame, 1000);
		assert_int_equal(lowered(y.t.pair.pcscf.dp), i + 1);
		assert_true(way_send(&y, NULL, &longest) > 1);
		assert_true(longest <= 1000);
		rte_pktmbuf_free(frame);
	}
	way_close(&y);
}

/* ---- the host's packets ------------------------------------------------------------------- */

static void host_packet(struct rig_side *side, uint8_t *ip, size_t len, unsigned segments)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool()), *next;
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, sizeof(*eth));
	size_t part = len / segments, at = 0;
	unsigned i;

	*eth = (struct rte_ether_hdr){.dst_addr.addr_bytes = {255, 255, 255, 255, 255, 255}};
	eth->ether_type =
		rte_cpu_to_be_16(ip[0] >> 4 == 6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	for (i = 0; i < segments; i++) {
		size_t n = i + 1 < segments ? part : len - at;

		next = i == 0 ? m : rte_pktmbuf_alloc(rig_pool());
		memcpy(rte_pktmbuf_append(next, (uint16_t)n), ip + at, n);
		if (i)
			assert_int_equal(rte_pktmbuf_chain(m, next), 0);
		else
			m->pkt_len = m->data_len;
		at += n;
	}
	assert_int_equal(rte_ring_enqueue(side->host.to, m), 0);
	rig_poll(side->dp);
}

/* TCP from the P-CSCF's host to the UE of rig_pair_install(); returns its length. */
static size_t segment_make(struct rig_pair *r, uint8_t *at, size_t len, bool df, uint8_t flags)
{
	const struct sa_set *set = &r->pcscf.set;
	bool v4 = set->local.version == 4;
	size_t header = v4 ? 20 : 40;
	struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)at;
	struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)at;
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(at + header);

	memset(at, 0, MAX_LEN);
	if (v4) {
		ip4->version_ihl = RTE_IPV4_VHL_DEF;
		ip4->total_length = rte_cpu_to_be_16((uint16_t)len);
		ip4->fragment_offset = df ? rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG) : 0;
		ip4->time_to_live = 64;
		ip4->next_proto_id = 6;
		memcpy(&ip4->src_addr, set->local.b, 4);
		memcpy(&ip4->dst_addr, set->remote.b, 4);
		ip4->hdr_checksum = rte_ipv4_cksum(ip4);
	} else {
		ip6->vtc_flow = rte_cpu_to_be_32(0x60000000);
		ip6->payload_len = rte_cpu_to_be_16((uint16_t)(len - 40));
		ip6->proto = 6;
		ip6->hop_limits = 64;
		memcpy(ip6->src_addr, set->local.b, 16);
		memcpy(ip6->dst_addr, set->remote.b, 16);
	}
	tcp->src_port = rte_cpu_to_be_16(RIG_PORT_PS);
	tcp->dst_port = rte_cpu_to_be_16(RIG_PORT_UC);
	tcp->data_off = 6 << 4;
	tcp->tcp_flags = flags;
	return len;
}

static struct rte_mbuf *host_next(struct rig_side *side)
{
	const struct rte_ether_hdr *eth;
	void *m;

	rig_poll(side->dp);
	while (rte_ring_dequeue(side->host.from, &m) == 0) {
		eth = rte_pktmbuf_mtod((struct rte_mbuf *)m, const struct rte_ether_hdr *);
		if (eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) &&
		    !(((const uint8_t *)(eth + 1))[0] >> 4 == 6 &&
		      ((const uint8_t *)(eth + 1))[40] >= 133))
			return m;
		rte_pktmbuf_free(m);
	}
	return NULL;
}

/* Must not be cut and does not fit: the host is told how much does. */
static void too_big(int version)
{
	uint8_t packet[MAX_LEN], *ip;
	struct rte_mbuf *m;
	struct tunnel_rig t;
	size_t header = version == 4 ? 20 : 40;
	unsigned max;

	tunnel_open(&t, version, 4, 1);
	rig_pair_install(&t.pair, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	host_packet(&t.pair.pcscf, packet, segment_make(&t.pair, packet, 1490, true, 0), 1);
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_TOO_BIG), 1);
	m = host_next(&t.pair.pcscf);
	assert_non_null(m);
	ip = rte_pktmbuf_mtod(m, uint8_t *) + 14;
	assert_int_equal(ip[header], version == 4 ? 3 : 2);
	assert_int_equal(ip[header + 1], version == 4 ? 4 : 0);
	max = (unsigned)(ip[header + 6] << 8 | ip[header + 7]);
	if (version == 4) {
		assert_int_equal(rte_raw_cksum(ip, 20), 0xffff);
		assert_int_equal(rte_raw_cksum(ip + 20, rte_pktmbuf_data_len(m) - 34u), 0xffff);
	} else {
		assert_int_equal(checksum_sum(ip, 6, 58, ip + 40, rte_pktmbuf_data_len(m) - 54u),
				 0xffff);
	}
	assert_memory_equal(ip + header + 8, packet, 40);
	rte_pktmbuf_free(m);
	/* that much fits, in one frame, and one octet more does not */
	host_packet(&t.pair.pcscf, packet, segment_make(&t.pair, packet, max, true, 0), 1);
	assert_int_equal(rig_drops_total(t.pair.pcscf.dp), 1);
	assert_null(host_next(&t.pair.pcscf));
	host_packet(&t.pair.pcscf, packet, segment_make(&t.pair, packet, max + 1, true, 0), 1);
	assert_int_equal(rig_drops(t.pair.pcscf.dp, DP_DROP_TOO_BIG), 2);
	if (version == 4) { /* may be cut */
		host_packet(&t.pair.pcscf, packet, segment_make(&t.pair, packet, 1490, false, 0),
			    1);
		assert_int_equal(rig_drops_total(t.pair.pcscf.dp), 2);
	}
	tunnel_close(&t);
}

static void test_too_big(void **state)
{
	(void)state;
	too_big(4);
	too_big(6);
}

/* What a TCP packet of the host becomes on the wire; the phone's host gets it whole. */
static void narrow_pass(struct way *y, size_t len, uint16_t mtu)
{
	struct rig_pair *r = &y->t.pair;
	uint8_t packet[MAX_LEN];
	struct rte_mbuf *m;
	void *frames[4];
	const uint8_t *ip;
	unsigned n = 0, i;

	host_packet(&r->pcscf, packet, segment_make(r, packet, len, true, 0), 1);
	while (n < N_OF(frames) && rte_ring_dequeue(r->down, &frames[n]) == 0)
		n++;
	if (n == 0)
		fail_msg("%zu octets do not pass %u", len, mtu);
	for (i = 0; i < n; i++) {
		assert_true(rte_pktmbuf_data_len((struct rte_mbuf *)frames[i]) <= 14u + mtu);
		assert_int_equal(rte_ring_enqueue(r->down, frames[i]), 0);
	}
	assert_null(host_next(&r->pcscf)); /* it is not told */
	m = host_next(&r->phone);
	assert_non_null(m);
	ip = rte_pktmbuf_mtod(m, const uint8_t *) + 14;
	assert_int_equal(rte_pktmbuf_data_len(m), 14 + len);
	assert_int_equal(rte_raw_cksum(ip, 20), 0xffff);
	assert_int_equal(checksum_sum(ip, 4, 6, ip + 20, (uint32_t)len - 20), 0xffff);
	rte_pktmbuf_free(m);
}

static void path_lower_to(struct way *y, uint16_t mtu)
{
	struct rte_mbuf *frame;
	size_t longest;

	way_open(y, SA_MODE_TRANSPORT, 4);
	assert_int_equal(way_send(y, &frame, &longest), 1);
	way_icmp(y, frame, mtu);
	assert_int_equal(lowered(y->t.pair.pcscf.dp), 1);
	rte_pktmbuf_free(frame);
	frame = host_next(&y->t.pair.pcscf); /* the host gets the router's ICMP, too */
	assert_non_null(frame);
	rte_pktmbuf_free(frame);
}

/* No host lets itself be told so little: what must not be cut is cut all the same. */
static void test_narrow_path(void **state)
{
	static const uint16_t mtus[] = {576, 590};
	struct way y;
	size_t len, i;

	(void)state;
	for (i = 0; i < N_OF(mtus); i++) {
		path_lower_to(&y, mtus[i]);
		for (len = 500; len <= 560; len++)
			narrow_pass(&y, len, mtus[i]);
		assert_int_equal(rig_drops_total(y.t.pair.pcscf.dp), 0);
		way_close(&y);
	}
}

/* 600 - 20 - 8 - 16 - 12: whole blocks, less trailer, and the IP header: the host may be told. */
static void test_narrow_path_told(void **state)
{
	uint8_t packet[MAX_LEN];
	const uint8_t *ip;
	struct rte_mbuf *m;
	struct way y;

	(void)state;
	path_lower_to(&y, 600);
	narrow_pass(&y, 562, 600);
	host_packet(&y.t.pair.pcscf, packet, segment_make(&y.t.pair, packet, 563, true, 0), 1);
	assert_int_equal(rig_drops(y.t.pair.pcscf.dp, DP_DROP_TOO_BIG), 1);
	m = host_next(&y.t.pair.pcscf);
	assert_non_null(m);
	ip = rte_pktmbuf_mtod(m, const uint8_t *) + 14;
	assert_int_equal(ip[20] << 8 | ip[21], 0x0304);
	assert_int_equal(ip[26] << 8 | ip[27], 562);
	rte_pktmbuf_free(m);
	way_close(&y);
}

/* ---- to the host --------------------------------------------------------------------------- */

/* An echo request of a UE's with DF, which fills the UE port's MTU, as its frame. */
static struct rte_mbuf *echo_make(const struct rig_pair *r, uint8_t *data, size_t len)
{
	struct rte_ipv4_hdr ip = {.version_ihl = RTE_IPV4_VHL_DEF,
				  .total_length = rte_cpu_to_be_16((uint16_t)(20 + len)),
				  .packet_id = rte_cpu_to_be_16(0x4711),
				  .fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG),
				  .time_to_live = 9,
				  .next_proto_id = 1};
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool());
	uint8_t *at = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(14 + 20 + len));
	size_t i;

	for (i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 7);
	data[0] = 8;
	memcpy(&ip.src_addr, r->phone.addr.b, 4);
	memcpy(&ip.dst_addr, r->pcscf.addr.b, 4);
	ip.hdr_checksum = rte_ipv4_cksum(&ip);
	memcpy(at, &r->pcscf.dp->env.ue.mac, 6);
	memset(at + 6, 2, 6);
	memcpy(at + 12, "\x08", 2);
	memcpy(at + 14, &ip, 20);
	memcpy(at + 34, data, len);
	return m;
}

/* The host port is the narrower one, by what ESP adds; nobody outside can know, or be told. */
static void test_df_to_host(void **state)
{
	uint8_t data[1480], got[1480];
	struct rte_ipv4_hdr ip;
	struct tunnel_rig t;
	struct rte_mbuf *m;
	unsigned at = 0, n = 0, field;
	uint16_t mtu;

	(void)state;
	tunnel_open(&t, 4, 4, 1);
	mtu = t.pair.pcscf.dp->env.host.mtu;
	assert_true(mtu < 1500);
	tunnel_put(&t, echo_make(&t.pair, data, sizeof(data)));
	assert_int_equal(rig_drops_total(t.pair.pcscf.dp), 0);
	while ((m = host_next(&t.pair.pcscf)) != NULL) {
		memcpy(&ip, rte_pktmbuf_mtod_offset(m, void *, 14), 20);
		assert_true(rte_pktmbuf_data_len(m) <= 14 + mtu);
		assert_int_equal(rte_pktmbuf_data_len(m), 14 + rte_be_to_cpu_16(ip.total_length));
		assert_int_equal(rte_raw_cksum(&ip, 20), 0xffff);
		assert_int_equal(ip.packet_id, rte_cpu_to_be_16(0x4711));
		field = rte_be_to_cpu_16(ip.fragment_offset);
		assert_int_equal((field & 0x1fff) * 8, at);
		n = rte_pktmbuf_data_len(m) - 34u;
		assert_int_equal(field & 0xe000, at + n < sizeof(data) ? RTE_IPV4_HDR_MF_FLAG : 0);
		memcpy(got + at, rte_pktmbuf_mtod_offset(m, void *, 34), n);
		at += n;
		rte_pktmbuf_free(m);
	}
	assert_int_equal(at, sizeof(data));
	assert_memory_equal(got, data, sizeof(data));
	tunnel_close(&t);
}

/* ---- MSS ---------------------------------------------------------------------------------- */

/* A SYN with option octets, from the P-CSCF's host; what the phone's host gets of its MSS at `at`.
 */
static unsigned syn(struct rig_pair *r, const uint8_t *options, size_t at)
{
	uint8_t packet[MAX_LEN];
	size_t header = r->pcscf.set.local.version == 4 ? 20 : 40;
	size_t len = segment_make(r, packet, header + 28, true, RTE_TCP_SYN_FLAG), total;
	struct rte_mbuf *m;
	const uint8_t *ip;
	unsigned mss;

	packet[header + 12] = 7 << 4;
	memcpy(packet + header + 20, options, 8);
	host_packet(&r->pcscf, packet, len, 1);
	rig_pair_poll(r);
	rig_poll(r->phone.dp);
	m = host_next(&r->phone);
	assert_non_null(m);
	ip = rte_pktmbuf_mtod(m, const uint8_t *) + 14;
	total = rte_pktmbuf_data_len(m) - 14u;
	assert_int_equal(total, len);
	assert_int_equal(checksum_sum(ip, ip[0] >> 4, 6, ip + header, 28), 0xffff);
	mss = (unsigned)(ip[header + 20 + at] << 8 | ip[header + 20 + at + 1]);
	rte_pktmbuf_free(m);
	return mss;
}

/* Here the sender's side clamps; and where its path is the narrower one, the receiver's. */
static void mss(int version, unsigned max, unsigned narrow)
{
	struct tunnel_rig t;

	tunnel_open(&t, version, 4, 1);
	t.pair.hold = false;
	rig_pair_install(&t.pair, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){2, 4, 0x05, 0xb4}, 2), max);
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){1, 2, 4, 0x05, 0xb4}, 3), max);
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){1, 1, 1, 1, 2, 4, 0x05, 0xb4}, 6), max);
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){2, 4, 0x02, 0x18}, 2), 536);
	/* malformed or none: as it is */
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){2, 3, 0x05, 0xb4}, 2), 1460);
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){3, 0, 2, 4, 0x05, 0xb4}, 4), 1460);
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){3, 9, 2, 4, 0x05, 0xb4}, 4), 1460);
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){0, 2, 4, 0x05, 0xb4}, 3), 1460);
	t.pair.phone.dp->env.ue.mtu = 1400;
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){2, 4, 0x05, 0xb4}, 2), narrow);
	assert_int_equal(syn(&t.pair, (const uint8_t[8]){1, 2, 4, 0x05, 0xb4}, 3), narrow);
	tunnel_close(&t);
}

/* 1500 - header - 8 - 16 - 12: whole blocks, less trailer and TCP header */
static void test_mss(void **state)
{
	(void)state;
	mss(4, 1440 - 2 - 20, 1344 - 2 - 20);
	mss(6, 1424 - 2 - 20, 1312 - 2 - 20);
}

/* ---- segments ----------------------------------------------------------------------------- */

static struct dp_counters counters(struct dp *dp)
{
	struct dp_counters c;

	dp_worker_counters(dp, 0, &c);
	return c;
}

/* The frame in n buffers. */
static struct rte_mbuf *in_segments(struct rte_mbuf *whole, unsigned n)
{
	struct rte_mbuf *head = NULL, *m;
	uint16_t len = rte_pktmbuf_data_len(whole), at = 0, part;
	unsigned i;

	for (i = 0; i < n; i++) {
		part = i + 1 < n ? (uint16_t)(len / n) : (uint16_t)(len - at);
		m = rte_pktmbuf_alloc(rig_pool());
		memcpy(rte_pktmbuf_append(m, part), rte_pktmbuf_mtod(whole, uint8_t *) + at, part);
		at = (uint16_t)(at + part);
		if (head)
			assert_int_equal(rte_pktmbuf_chain(head, m), 0);
		else
			head = m;
	}
	rte_pktmbuf_free(whole);
	return head;
}

static void test_segments(void **state)
{
	uint8_t packet[MAX_LEN];
	struct dp_packet pkt;
	struct rte_mbuf *m;
	struct rig_pair r;
	unsigned n;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_meet(&r);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	r.hold = true;
	for (n = 2; n <= 20; n += 6) { /* from the UE */
		assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, packet, 500), 0);
		m = rig_pair_capture(&r, r.up);
		assert_non_null(m);
		assert_int_equal(rte_ring_enqueue(r.up, in_segments(m, n)), 0);
		rig_poll(r.pcscf.dp);
		assert_int_equal(dp_recv(r.pcscf.dp, &pkt, 1), 1);
		assert_int_equal(pkt.len, 500);
		assert_memory_equal(pkt.data, packet, 500);
		dp_release(r.pcscf.dp, &pkt, 1);
	}
	assert_int_equal(counters(r.pcscf.dp).joined, 4);
	/* from the host: room for ESP is there as well */
	host_packet(&r.pcscf, packet, segment_make(&r, packet, 1400, true, 0), 3);
	assert_int_equal(counters(r.pcscf.dp).joined, 5);
	assert_int_equal(rig_drops_total(r.pcscf.dp), 0);
	rig_poll(r.phone.dp);
	m = host_next(&r.phone);
	assert_non_null(m);
	assert_int_equal(rte_pktmbuf_data_len(m), 14 + 1400);
	rte_pktmbuf_free(m);
	rig_pair_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_mtu),	  cmocka_unit_test(test_path_mtu_forged),
		cmocka_unit_test(test_path_mtu_same_spi), cmocka_unit_test(test_narrow_path),
		cmocka_unit_test(test_narrow_path_told),  cmocka_unit_test(test_df_to_host),
		cmocka_unit_test(test_too_big),		  cmocka_unit_test(test_mss),
		cmocka_unit_test(test_segments),
	};

	return cmocka_run_group_tests_name("dataplane.size", tests, rig_start, rig_stop);
}
