/* SAs keyed by hand: single ones, UDP and TCP alike between the host port and the UE port. */
#include <string.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

#define PORT_OURS  RIG_PORT_PS
#define PORT_PEERS RIG_PORT_UC
#define PAYLOAD	   300
#define FRAME_MAX  400

struct frame {
	uint8_t p[FRAME_MAX];
	size_t n;
};

/* An IPv4 packet of either protocol from one port to the other. */
static void packet_make(struct frame *f, const struct sa_set *set, enum sa_pair pair, uint8_t proto)
{
	size_t head = proto == 6 ? sizeof(struct rte_tcp_hdr) : sizeof(struct rte_udp_hdr);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)f->p;
	uint8_t *l4 = (uint8_t *)(ip + 1);
	rte_be16_t ports[2] = {rte_cpu_to_be_16(set->local_port[pair]),
			       rte_cpu_to_be_16(set->remote_port[pair])};
	uint16_t len = (uint16_t)(head + PAYLOAD), sum;

	memset(f, 0, sizeof(*f));
	f->n = sizeof(*ip) + len;
	*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
				    .total_length = rte_cpu_to_be_16((uint16_t)f->n),
				    .time_to_live = 64,
				    .next_proto_id = proto};
	memcpy(&ip->src_addr, set->local.b, 4);
	memcpy(&ip->dst_addr, set->remote.b, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	memset(l4 + head, 'S', PAYLOAD);
	memcpy(l4, ports, sizeof(ports));
	if (proto == 6)
		((struct rte_tcp_hdr *)l4)->data_off = 5 << 4;
	else
		((struct rte_udp_hdr *)l4)->dgram_len = rte_cpu_to_be_16(len);
	sum = checksum_make(f->p, 4, proto, l4, len);
	if (proto == 6)
		((struct rte_tcp_hdr *)l4)->cksum = sum;
	else
		((struct rte_udp_hdr *)l4)->dgram_cksum = sum;
}

static void host_send(struct rig_pair *r, struct rig_side *from, const struct frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig_pool());
	struct rte_ether_hdr *eth =
		(struct rte_ether_hdr *)rte_pktmbuf_append(m, (uint16_t)(sizeof(*eth) + f->n));

	assert_non_null(eth);
	eth->src_addr = from->dp->env.ue.mac;
	eth->dst_addr = rig_pair_peer(r, from)->dp->env.ue.mac;
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	memcpy(eth + 1, f->p, f->n);
	assert_int_equal(rte_ring_enqueue(from->host.to, m), 0);
}

/* How many packets have come out of the host port; all must be as `want`. */
static unsigned host_got(struct rig_side *side, const struct frame *want)
{
	unsigned n = 0;
	void *next;

	while (rte_ring_dequeue(side->host.from, &next) == 0) {
		struct rte_mbuf *m = next;

		if (rte_pktmbuf_data_len(m) == want->n + 14) {
			assert_memory_equal(rte_pktmbuf_mtod_offset(m, uint8_t *, 14), want->p,
					    want->n);
			n++;
		}
		rte_pktmbuf_free(m);
	}
	return n;
}

/* One SA from the phone to the P-CSCF; its two ends in r->phone.set and r->pcscf.set. */
static void sa_install(struct rig_pair *r, uint32_t spi, uint16_t port, bool anti_replay)
{
	struct sa_set *out = &r->phone.set, *in = &r->pcscf.set;
	enum sa_pair pair;

	memset(out, 0, sizeof(*out));
	memset(in, 0, sizeof(*in));
	assert_int_equal(dp_sa_reserve_manual(r->pcscf.dp, spi, in), 0);
	pair = in->spi_in[SA_CLIENT] ? SA_CLIENT : SA_SERVER;
	assert_int_equal(in->spi_in[pair], spi);
	assert_int_equal(in->spi_in[!pair], 0);
	assert_int_equal(dp_sa_reserve_manual(r->phone.dp, 0, out), 0);
	out->encr = in->encr = SA_ENCR_AES_CBC;
	out->no_anti_replay = in->no_anti_replay = !anti_replay;
	out->spi_out[SA_SERVER] = spi;
	out->local = in->remote = r->phone.addr;
	out->remote = in->local = r->pcscf.addr;
	out->local_port[SA_SERVER] = in->remote_port[pair] = PORT_PEERS;
	out->remote_port[SA_SERVER] = in->local_port[pair] = port;
	memset(&out->keys, 7, sizeof(out->keys));
	in->keys = out->keys;
	assert_int_equal(dp_sa_install(r->pcscf.dp, in), 0);
	assert_int_equal(dp_sa_install(r->phone.dp, out), 0);
}

static struct sa_out *out_line(struct rig_pair *r)
{
	const struct sa_view *sa = &r->phone.dp->env.sa;

	return sa_out_at(sa, sa_slot_of_id(sa, r->phone.set.id, SA_SERVER));
}

/* SPIs in a row have places of their own; UDP goes to the host, not to control. */
static void test_udp_and_tcp(void **state)
{
	struct dp_packet pkt;
	struct frame f;
	struct rig_pair r;
	uint32_t spi;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	for (spi = 4096; spi < 4100; spi++) {
		sa_install(&r, spi, (uint16_t)(PORT_OURS + spi - 4096), true);
		packet_make(&f, &r.phone.set, SA_SERVER, 17);
		host_send(&r, &r.phone, &f);
		rig_pair_poll(&r);
		assert_int_equal(host_got(&r.pcscf, &f), 1);
		packet_make(&f, &r.phone.set, SA_SERVER, 6);
		host_send(&r, &r.phone, &f);
		rig_pair_poll(&r);
		assert_int_equal(host_got(&r.pcscf, &f), 1);
		assert_int_equal(out_line(&r)->packets, 2);
	}
	assert_int_equal(dp_recv(r.pcscf.dp, &pkt, 1), 0);
	assert_int_equal(rig_drops_total(r.phone.dp) + rig_drops_total(r.pcscf.dp), 0);
	rig_pair_close(&r);
}

/* An SA is one way: nothing goes back by it, and no SPI lets anything in. */
static void test_one_way(void **state)
{
	struct sa_set back;
	struct rig_pair r;
	struct frame f;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	sa_install(&r, 5000, PORT_OURS, true);
	memset(&back, 0, sizeof(back));
	back.local = r.pcscf.addr;
	back.remote = r.phone.addr;
	back.local_port[0] = PORT_OURS;
	back.remote_port[0] = PORT_PEERS;
	packet_make(&f, &back, 0, 17);
	host_send(&r, &r.pcscf, &f);
	rig_pair_poll(&r);
	assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_CLEAR_FROM_PROTECTED), 1);
	assert_int_equal(host_got(&r.phone, &f), 0);
	rig_pair_close(&r);
}

/* Sends one packet, and its ESP packet `copies` times. Returns how often it came out. */
static unsigned repeat(struct rig_pair *r, unsigned copies)
{
	struct rte_mbuf *m;
	struct frame f;
	unsigned i;

	packet_make(&f, &r->phone.set, SA_SERVER, 17);
	host_send(r, &r->phone, &f);
	m = rig_pair_capture(r, r->up);
	assert_non_null(m);
	for (i = 0; i < copies; i++)
		assert_int_equal(rte_ring_enqueue(r->up, rig_copy(m)), 0);
	rte_pktmbuf_free(m);
	rig_pair_poll(r);
	return host_got(&r->pcscf, &f);
}

/* Without the service only if one says so (RFC 4303 3.4.3). covers: ES-08 */
static void test_anti_replay(void **state)
{
	struct dp_sa_counters c;
	struct rig_pair r;
	enum sa_pair pair;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	sa_install(&r, 6000, PORT_OURS, true);
	assert_int_equal(repeat(&r, 100), 1);
	assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_REPLAY), 99);
	sa_install(&r, 6001, PORT_OURS + 1, false);
	pair = r.pcscf.set.spi_in[SA_CLIENT] ? SA_CLIENT : SA_SERVER;
	assert_int_equal(repeat(&r, 100), 100);
	assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_REPLAY), 99);
	assert_int_equal(dp_sa_counters(r.pcscf.dp, r.pcscf.set.id, pair, true, &c), 0);
	assert_int_equal(c.packets, 100);
	assert_int_equal(c.seq, 1);
	rig_pair_close(&r);
}

/* RFC 4303 3.3.3: no number twice, but without anti-replay they come round. */
static void test_numbers_end(void **state)
{
	struct rig_pair r;
	unsigned anti_replay;

	(void)state;
	for (anti_replay = 0; anti_replay < 2; anti_replay++) {
		struct frame f;
		unsigned i;

		rig_pair_open(&r, 4, 1, false);
		sa_install(&r, 7000, PORT_OURS, anti_replay);
		out_line(&r)->seq = UINT32_MAX - 2;
		packet_make(&f, &r.phone.set, SA_SERVER, 17);
		for (i = 0; i < 5; i++)
			host_send(&r, &r.phone, &f);
		rig_pair_poll(&r);
		assert_int_equal(host_got(&r.pcscf, &f), anti_replay ? 2 : 5);
		assert_int_equal(rig_drops(r.phone.dp, DP_DROP_SN_EXHAUSTED), anti_replay ? 3 : 0);
		assert_int_equal(out_line(&r)->seq, anti_replay ? UINT32_MAX : 2);
		rig_pair_close(&r);
	}
}

/* What a worker remembers of an SA says nothing once the SA is gone or another is in its place. */
static void test_memory_is_verified(void **state)
{
	struct rig_pair r;
	struct frame f;
	unsigned i;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	sa_install(&r, 8000, PORT_OURS, true);
	packet_make(&f, &r.phone.set, SA_SERVER, 17);
	host_send(&r, &r.phone, &f);
	rig_pair_poll(&r);
	assert_int_equal(host_got(&r.pcscf, &f), 1);
	dp_sa_remove_outbound(r.phone.dp, r.phone.set.id);
	host_send(&r, &r.phone, &f);
	rig_pair_poll(&r);
	assert_int_equal(rig_drops(r.phone.dp, DP_DROP_CLEAR_FROM_PROTECTED), 1);
	dp_sa_remove(r.phone.dp, r.phone.set.id);
	for (i = 1; i < 40; i++) { /* more than there are places: one of them in the old one */
		rig_pair_poll(&r);
		sa_install(&r, 8000 + i, (uint16_t)(PORT_OURS + i), true);
		host_send(&r, &r.phone, &f);
		rig_pair_poll(&r);
		assert_int_equal(host_got(&r.pcscf, &f), 0);
		assert_int_equal(rig_drops(r.phone.dp, DP_DROP_CLEAR_FROM_PROTECTED), 1 + i);
		dp_sa_remove(r.phone.dp, r.phone.set.id);
		dp_sa_remove(r.pcscf.dp, r.pcscf.set.id);
	}
	rig_pair_close(&r);
}

/* An SPI chosen by others has one place, which none else may have. */
static void test_places(void **state)
{
	struct sa_set set = {0}, other = {0};
	uint32_t sets;
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	sets = (r.pcscf.dp->env.sa.slot_mask + 1) / SA_PAIRS;
	assert_int_equal(dp_sa_reserve_manual(r.pcscf.dp, 255, &set), -EINVAL);
	assert_int_equal(dp_sa_reserve_manual(r.pcscf.dp, 9000, &set), 0);
	assert_true(set.manual);
	assert_int_equal(dp_sa_reserve_manual(r.pcscf.dp, 9000, &other), -EBUSY);
	assert_int_equal(dp_sa_reserve_manual(r.pcscf.dp, 9000 + sets, &other), -EBUSY);
	assert_int_equal(dp_sa_reserve_manual(r.pcscf.dp, 9000 + sets + 1, &other), 0);
	assert_int_equal(dp_sa_sets_in_use(r.pcscf.dp), 2);
	dp_sa_remove(r.pcscf.dp, set.id);
	assert_int_equal(dp_sa_reserve_manual(r.pcscf.dp, 9000 + sets, &set), 0);
	rig_pair_close(&r);
}

/* A set of a registration needs both directions, and anti-replay whatever is said. covers: ES-08 */
static void test_others_are_whole(void **state)
{
	struct sa_set set = {0};
	const struct sa_view *sa;
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	assert_int_equal(dp_sa_reserve(r.phone.dp, NULL, 0, &set), 0);
	set.local = r.phone.addr;
	set.remote = r.pcscf.addr;
	set.local_port[0] = set.local_port[1] = PORT_PEERS;
	set.remote_port[0] = PORT_OURS;
	set.remote_port[1] = PORT_OURS + 1;
	set.spi_out[0] = 300;
	assert_int_equal(dp_sa_install(r.phone.dp, &set), -EINVAL);
	set.spi_out[1] = 301;
	set.no_anti_replay = true;
	assert_int_equal(dp_sa_install(r.phone.dp, &set), 0);
	sa = &r.phone.dp->env.sa;
	assert_int_equal(sa_shared_at(sa, sa_slot_of_id(sa, set.id, 0) / SA_PAIRS)->flags, 0);
	rig_pair_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_udp_and_tcp),	   cmocka_unit_test(test_one_way),
		cmocka_unit_test(test_anti_replay),	   cmocka_unit_test(test_numbers_end),
		cmocka_unit_test(test_memory_is_verified), cmocka_unit_test(test_places),
		cmocka_unit_test(test_others_are_whole),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
