/* The slow path as workers see it, stand-alone: frames in, frames out, with its real thread. */
#include "tests/dataplane/slow/frames_responder.h"

#include <time.h>
#include <unistd.h>

#include <rte_arp.h>
#include <rte_cycles.h>
#include <rte_ip.h>

#include "dataplane/slowpath.h"

static const struct rte_ether_addr us = {{2, 0, 0, 0, 0, 0xaa}}, peer = {{2, 0, 0, 0, 0, 0xbb}};

static struct slowpath *slowpath_make(const struct rig *rig, bool gateway)
{
	const struct ip_prefix local[] = {rig_prefix("10.1.0.0", 16),
					  rig_prefix("2001:db8:1::", 64)};
	struct slowpath_conf conf = {
		.local = local,
		.n_local = RTE_DIM(local),
		.mac = us,
		.pool = rig->pool,
		.qsbr = rig->qsbr,
	};
	struct slowpath *s = NULL;

	if (gateway) {
		conf.gateway[0] = rig_addr("10.9.0.1");
		conf.gateway[1] = rig_addr("2001:db8:9::1");
	}
	assert_int_equal(slowpath_alloc(&s, &conf), 0);
	return s;
}

/* The next frame; NULL: none within the time. */
static struct rte_mbuf *next_frame(struct slowpath *s, unsigned ms)
{
	struct rte_mbuf *m;

	for (unsigned i = 0; i <= ms; i++) {
		if (slowpath_frames(s, &m, 1) == 1)
			return m;
		usleep(1000);
	}
	return NULL;
}

/* An IP packet to dst that carries a number. */
static struct rte_mbuf *packet_to(const struct rig *rig, const struct ip_addr *dst, uint8_t number)
{
	struct rte_ipv4_hdr ip4 = {.version_ihl = RTE_IPV4_VHL_DEF};
	struct rte_ipv6_hdr ip6 = {.vtc_flow = rte_cpu_to_be_32(6u << 28)};
	struct rte_mbuf *m;

	memcpy(&ip4.dst_addr, dst->b, 4);
	memcpy(ip6.dst_addr, dst->b, 16);
	m = dst->version == 4 ? rig_mbuf(rig->pool, &ip4, sizeof(ip4))
			      : rig_mbuf(rig->pool, &ip6, sizeof(ip6));
	*rte_pktmbuf_append(m, 1) = (char)number;
	return m;
}

/* At once, although the thread sleeps up to a second when nobody wakes it. */
static void test_answers(void **state)
{
	const struct rig *rig = *state;
	struct slowpath *s = slowpath_make(rig, true);

	usleep(20000);
	assert_true(slowpath_punt(s, rig_mbuf(rig->pool, arp_request, sizeof(arp_request))));
	assert_true(rig_holds(next_frame(s, 400), arp_reply, sizeof(arp_reply)));
	assert_true(slowpath_punt(s, rig_mbuf(rig->pool, ns_group, sizeof(ns_group))));
	assert_true(rig_holds(next_frame(s, 400), na, sizeof(na)));
	assert_true(slowpath_punt(s, rig_mbuf(rig->pool, echo6, sizeof(echo6))));
	assert_true(rig_holds(next_frame(s, 400), echo6_reply, sizeof(echo6_reply)));
	assert_true(slowpath_punt(s, rig_mbuf(rig->pool, udp, sizeof(udp))));
	assert_null(next_frame(s, 50));
	slowpath_free(s);
	assert_int_equal(rig_in_use(rig), 0);
}

struct family {
	const char *dst;
	struct bytes answer;
	uint16_t ether_type;
	unsigned header, dst_at;
};

static const struct family families[] = {
	{"10.200.0.1", BYTES(arp_answer), RTE_ETHER_TYPE_IPV4, 20, 16},
	{"2001:db8:200::1", BYTES(na_answer), RTE_ETHER_TYPE_IPV6, 40, 24},
};

static void check_sent(struct rte_mbuf *m, const struct family *c, const struct ip_addr *dst,
		       uint8_t number)
{
	const struct rte_ether_hdr *eth;

	assert_non_null(m);
	eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	assert_int_equal(m->pkt_len, sizeof(*eth) + c->header + 1);
	assert_true(rte_is_same_ether_addr(&eth->dst_addr, &peer));
	assert_true(rte_is_same_ether_addr(&eth->src_addr, &us));
	assert_int_equal(rte_be_to_cpu_16(eth->ether_type), c->ether_type);
	assert_memory_equal((const uint8_t *)(eth + 1) + c->dst_at, dst->b,
			    dst->version == 4 ? 4 : 16);
	assert_int_equal(((const uint8_t *)(eth + 1))[c->header], number);
	rte_pktmbuf_free(m);
}

/* From "no MAC address" over the question and the answer to the packets that waited.
 * covers: DP-15 */
static void test_resolves_gateway(void **state)
{
	const struct rig *rig = *state;

	for (size_t i = 0; i < RTE_DIM(families); i++) {
		const struct family *c = &families[i];
		struct slowpath *s = slowpath_make(rig, true);
		struct ip_addr dst = rig_addr(c->dst);
		struct next_hop_cache cache = {0};
		struct rte_ether_addr mac;

		print_message("%s\n", c->dst);
		assert_int_equal(slowpath_next_hop(s, &dst, &cache, &mac), -EAGAIN);
		assert_true(slowpath_hold(s, packet_to(rig, &dst, 1)));
		assert_true(slowpath_hold(s, packet_to(rig, &dst, 2)));
		rte_pktmbuf_free(next_frame(s, 2000)); /* the question: see test_responder */
		assert_null(next_frame(s, 100));
		assert_true(slowpath_punt(s, rig_mbuf(rig->pool, c->answer.p, c->answer.n)));
		check_sent(next_frame(s, 2000), c, &dst, 1);
		check_sent(next_frame(s, 2000), c, &dst, 2);
		assert_int_equal(slowpath_next_hop(s, &dst, &cache, &mac), 0);
		assert_true(rte_is_same_ether_addr(&mac, &peer));
		assert_int_equal(slowpath_unresolved_drops(s), 0);
		slowpath_free(s);
		assert_int_equal(rig_in_use(rig), 0);
	}
}

/* Without a gateway each destination is asked for itself. */
static void test_on_link(void **state)
{
	const struct rig *rig = *state;
	struct slowpath *s = slowpath_make(rig, false);
	struct ip_addr dst = rig_addr("10.9.0.1"), other = rig_addr("10.9.0.2");
	struct next_hop_cache cache = {0}, other_cache = {0};
	struct rte_ether_addr mac;
	struct rte_mbuf *m;

	assert_true(slowpath_hold(s, packet_to(rig, &dst, 1)));
	m = next_frame(s, 2000);
	assert_non_null(m);
	assert_memory_equal(rte_pktmbuf_mtod_offset(m, uint8_t *, 38), dst.b, 4); /* target */
	rte_pktmbuf_free(m);
	assert_true(slowpath_punt(s, rig_mbuf(rig->pool, arp_answer, sizeof(arp_answer))));
	check_sent(next_frame(s, 2000), &families[0], &dst, 1);
	assert_int_equal(slowpath_next_hop(s, &dst, &cache, &mac), 0);
	assert_int_equal(slowpath_next_hop(s, &other, &other_cache, &mac), -EAGAIN);
	slowpath_free(s);
	assert_int_equal(rig_in_use(rig), 0);
}

/* An answer nobody asked for. */
static void test_spoofed(void **state)
{
	const struct rig *rig = *state;
	struct slowpath *s = slowpath_make(rig, true);
	struct ip_addr dst = rig_addr("10.200.0.1");
	struct next_hop_cache cache = {0};
	struct rte_ether_addr mac;

	assert_true(slowpath_punt(s, rig_mbuf(rig->pool, arp_answer, sizeof(arp_answer))));
	assert_null(next_frame(s, 100));
	assert_int_equal(slowpath_next_hop(s, &dst, &cache, &mac), -EAGAIN);
	slowpath_free(s);
	assert_int_equal(rig_in_use(rig), 0);
}

/* No answer: asked again each second, packets dropped after one and counted. */
static void test_unresolved(void **state)
{
	const struct rig *rig = *state;
	struct slowpath *s = slowpath_make(rig, true);
	struct ip_addr dst = rig_addr("10.200.0.1");
	struct rte_mbuf *m;
	uint64_t start = rte_get_tsc_cycles();

	assert_true(slowpath_hold(s, packet_to(rig, &dst, 1)));
	for (unsigned i = 0; i < 2; i++) {
		m = next_frame(s, 3000);
		assert_non_null(m);
		rte_pktmbuf_free(m);
	}
	assert_true(rte_get_tsc_cycles() - start >= rte_get_tsc_hz() * 9 / 10);
	assert_int_equal(slowpath_unresolved_drops(s), 1);
	assert_int_equal(rig_in_use(rig), 0);
	slowpath_free(s);
}

/* What cannot be held is refused or dropped and counted.
 * covers: DP-11 */
static void test_bad_packets(void **state)
{
	const struct rig *rig = *state;
	struct slowpath *s = slowpath_make(rig, true);
	struct ip_addr group = rig_addr("224.0.0.5");
	struct rte_mbuf *m = packet_to(rig, &group, 1);

	assert_true(slowpath_hold(s, m)); /* a group is no next hop */
	assert_true(slowpath_hold(s, rig_mbuf(rig->pool, "\x45", 1)));
	assert_true(slowpath_hold(s, rig_mbuf(rig->pool, "", 0)));
	for (unsigned i = 0; i < 2000 && slowpath_unresolved_drops(s) < 3; i++)
		usleep(1000);
	assert_int_equal(slowpath_unresolved_drops(s), 3);
	m = packet_to(rig, &group, 1);
	m->data_off = RTE_ETHER_HDR_LEN - 1; /* no room for the header */
	assert_false(slowpath_hold(s, m));
	rte_pktmbuf_free(m);
	slowpath_free(s);
	assert_int_equal(rig_in_use(rig), 0);
}

/* The thread sleeps when it has nothing to do, and when it is flooded no packet is lost track of.
 */
static void test_flood(void **state)
{
	const struct rig *rig = *state;
	struct slowpath *s = slowpath_make(rig, true);
	struct ip_addr dst = rig_addr("10.200.0.1");
	uint64_t held = 0;

	for (unsigned i = 0; i < 20000; i++) {
		struct rte_mbuf *m = rte_pktmbuf_alloc(rig->pool);

		if (!m)
			continue;
		rte_pktmbuf_free(m);
		m = packet_to(rig, &dst, 0);
		if (slowpath_hold(s, m))
			held++;
		else
			rte_pktmbuf_free(m);
	}
	for (unsigned i = 0; i < 3000 && slowpath_unresolved_drops(s) < held; i++)
		usleep(1000);
	assert_int_equal(slowpath_unresolved_drops(s), held);
	slowpath_free(s);
	assert_int_equal(rig_in_use(rig), 0);
}

static void test_sleeps(void **state)
{
	struct slowpath *s = slowpath_make(*state, true);
	struct timespec before, after;

	usleep(50000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	usleep(1000000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	assert_true((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec <
		    20000000);
	slowpath_free(s);
}

static void test_conf(void **state)
{
	const struct rig *rig = *state;
	struct slowpath_conf conf = {.pool = rig->pool};
	struct slowpath *s = NULL;

	assert_int_equal(slowpath_alloc(&s, &conf), -EINVAL);
	conf = (struct slowpath_conf){.qsbr = rig->qsbr};
	assert_int_equal(slowpath_alloc(&s, &conf), -EINVAL);
	assert_null(s);
	slowpath_free(s);
}

/* With a kernel: reading its tables needs no root. The loopback interface has no next hops. */
static void test_mirror_of_loopback(void **state)
{
	const struct rig *rig = *state;
	struct slowpath_conf conf = {.host_if = 1, .mac = us, .pool = rig->pool, .qsbr = rig->qsbr};
	struct slowpath *s = NULL;
	struct ip_addr dst = rig_addr("203.0.113.1");
	struct next_hop_cache cache = {0};
	struct rte_ether_addr mac;
	struct rte_mbuf *m = rig_mbuf(rig->pool, arp_request, sizeof(arp_request));

	assert_int_equal(slowpath_alloc(&s, &conf), 0);
	assert_int_equal(slowpath_next_hop(s, &dst, &cache, &mac), -ENETUNREACH);
	assert_false(slowpath_punt(s, m)); /* the kernel's business */
	rte_pktmbuf_free(m);
	slowpath_free(s);
	assert_int_equal(rig_in_use(rig), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),	   cmocka_unit_test(test_resolves_gateway),
		cmocka_unit_test(test_on_link),	   cmocka_unit_test(test_spoofed),
		cmocka_unit_test(test_unresolved), cmocka_unit_test(test_bad_packets),
		cmocka_unit_test(test_flood),	   cmocka_unit_test(test_sleeps),
		cmocka_unit_test(test_conf),	   cmocka_unit_test(test_mirror_of_loopback),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
