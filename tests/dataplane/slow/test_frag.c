#include "tests/dataplane/slow/frames_frag.h"

#include <rte_cycles.h>
#include <rte_ip.h>
#include <rte_ether.h>

#include "dataplane/frag.h"

#define MAX_PIECES 8

struct case_ {
	const char *name;
	struct bytes whole;
	const struct bytes *pieces;
	unsigned n;
	uint16_t mtu;
};

static const struct case_ cases[] = {
	{"IPv4", BYTES(whole4), pieces4, RTE_DIM(pieces4), 328},
	{"IPv4 with options", BYTES(whole4_options), pieces4_options, RTE_DIM(pieces4_options),
	 328},
	{"IPv6", BYTES(whole6), pieces6, RTE_DIM(pieces6), 400},
};

static const unsigned orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
				     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

static struct frag *frag_make(const struct rig *rig, unsigned flows)
{
	const struct frag_conf conf = {.large = rig->large, .max_flows = flows, .timeout_ms = 1000};
	struct frag *f = NULL;

	assert_int_equal(frag_alloc(&f, &conf, SOCKET_ID_ANY), 0);
	return f;
}

static struct rte_mbuf *give(struct frag *f, const struct rig *rig, const struct bytes *piece,
			     uint64_t now)
{
	struct rte_mbuf *m = rig_mbuf(rig->pool, piece->p, piece->n);

	assert_true(frag_is_fragment(m));
	return frag_reassemble(f, m, now);
}

/* covers: D-33, F35 */
static void test_reassemble(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 16);

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		for (size_t o = 0; o < RTE_DIM(orders); o++) {
			const struct case_ *c = &cases[i];
			struct rte_mbuf *m;

			print_message("%s, %u %u %u\n", c->name, orders[o][0], orders[o][1],
				      orders[o][2]);
			assert_int_equal(c->n, 3);
			assert_null(give(f, rig, &c->pieces[orders[o][0]], 1));
			assert_null(give(f, rig, &c->pieces[orders[o][1]], 2));
			m = give(f, rig, &c->pieces[orders[o][2]], 3);
			assert_non_null(m);
			assert_false(frag_is_fragment(m));
			assert_true(rte_pktmbuf_headroom(m) >= RTE_PKTMBUF_HEADROOM);
			assert_true(rig_holds(m, c->whole.p, c->whole.n));
			assert_int_equal(rig_in_use(rig), 0);
		}
	}
	assert_int_equal(frag_expire(f, 4), 0);
	frag_free(f);
}

/* Several datagrams at once, their pieces mixed, behind Ethernet padding. */
static void test_reassemble_mixed(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 16);

	for (unsigned p = 0; p < 3; p++) {
		for (size_t i = 0; i < RTE_DIM(cases); i++) {
			const struct bytes *piece = &cases[i].pieces[p];
			struct rte_mbuf *m = rig_mbuf(rig->pool, piece->p, piece->n);

			memset(rte_pktmbuf_append(m, 18), 0xee, 18);
			m = frag_reassemble(f, m, 1);
			if (p == 2)
				assert_true(rig_holds(m, cases[i].whole.p, cases[i].whole.n));
			else
				assert_null(m);
		}
	}
	frag_free(f);
	assert_int_equal(rig_in_use(rig), 0);
}

/* RFC 6946: needs no other, not even one with the same identification. */
static void test_atomic(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 16);
	const struct bytes atomic = BYTES(atomic6);

	assert_true(rig_holds(give(f, rig, &atomic, 1), whole6, sizeof(whole6)));
	frag_free(f);
	assert_int_equal(rig_in_use(rig), 0);
}

/* A fragment header behind another: what comes out never is a fragment again.
 * covers: DP-11 */
static void test_nested(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 16);
	struct rte_mbuf *m = rig_mbuf(rig->pool, atomic6, sizeof(atomic6));

	rte_pktmbuf_mtod(m, uint8_t *)[40] = IPPROTO_FRAGMENT;
	assert_null(frag_reassemble(f, m, 1));
	assert_int_equal(frag_expire(f, 1), 1);
	frag_free(f);
	assert_int_equal(rig_in_use(rig), 0);
}

/* covers: D-33, F35, DP-15 */
static void test_split(void **state)
{
	const struct rig *rig = *state;

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		const struct case_ *c = &cases[i];
		struct rte_mbuf *out[MAX_PIECES], *m = rig_mbuf(rig->large, c->whole.p, c->whole.n);

		print_message("%s\n", c->name);
		assert_int_equal(frag_split(m, c->mtu, 0xdeadbeef, rig->pool, out, MAX_PIECES),
				 c->n);
		for (unsigned p = 0; p < c->n; p++) {
			assert_true(out[p]->pkt_len <= c->mtu);
			assert_true(rte_pktmbuf_headroom(out[p]) >= RTE_ETHER_HDR_LEN);
			assert_true(rig_holds(out[p], c->pieces[p].p, c->pieces[p].n));
		}
		assert_int_equal(rig_in_use(rig), 0);
	}
}

/* A fragment is cut again (a router in between would): offsets and the last MF are kept. */
static void test_split_fragment(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 16);
	struct rte_mbuf *whole = NULL;

	for (unsigned p = 0; p < 3; p++) {
		struct rte_mbuf *out[MAX_PIECES];
		unsigned n;

		n = frag_split(rig_mbuf(rig->pool, pieces4[p].p, pieces4[p].n), 200, 0, rig->pool,
			       out, MAX_PIECES);
		assert_true(n == 2);
		for (unsigned i = 0; i < n; i++) {
			assert_null(whole);
			whole = frag_reassemble(f, out[i], 1);
		}
	}
	assert_true(rig_holds(whole, whole4, sizeof(whole4)));
	frag_free(f);
	assert_int_equal(rig_in_use(rig), 0);
}

struct refused_split {
	const char *name;
	struct bytes whole;
	int set_at; /* octet changed first; -1: none */
	uint8_t set_to;
	uint16_t mtu;
	unsigned max_out;
	bool tiny_pool;
};

static const struct refused_split refused[] = {
	{"DF", BYTES(whole4), 6, 0x40, 328, 8, false},
	{"out[] too small", BYTES(whole4), -1, 0, 328, 2, false},
	{"pool empty", BYTES(whole4), -1, 0, 328, 8, true},
	{"pool empty, IPv6", BYTES(whole6), -1, 0, 400, 8, true},
	{"no room for payload", BYTES(whole4), -1, 0, 27, 255, false},
	{"no room for payload, IPv6", BYTES(whole6), -1, 0, 55, 255, false},
	{"fits", BYTES(whole4), -1, 0, sizeof(whole4), 8, false},
	{"header too short", BYTES(whole4), 0, 0x44, 328, 8, false},
	{"option of length 0", BYTES(whole4_options), 21, 0, 328, 8, false},
	{"option too long", BYTES(whole4_options), 25, 40, 328, 8, false},
	{"IPv6 hop-by-hop options", BYTES(whole6), 6, 0, 400, 8, false},
	{"IPv6 fragment", BYTES(atomic6), -1, 0, 400, 8, false},
	{"no IP", BYTES(whole4), 0, 0x05, 328, 8, false},
};

/* covers: DP-11 */
static void test_split_refused(void **state)
{
	const struct rig *rig = *state;

	for (size_t i = 0; i < RTE_DIM(refused); i++) {
		const struct refused_split *c = &refused[i];
		struct rte_mbuf *out[255], *m = rig_mbuf(rig->pool, c->whole.p, c->whole.n);

		print_message("%s\n", c->name);
		if (c->set_at >= 0)
			rte_pktmbuf_mtod(m, uint8_t *)[c->set_at] = c->set_to;
		assert_int_equal(frag_split(m, c->mtu, 1, c->tiny_pool ? rig->tiny : rig->pool, out,
					    c->max_out),
				 0);
		assert_int_equal(m->pkt_len, c->whole.n); /* still ours */
		rte_pktmbuf_free(m);
		assert_int_equal(rig_in_use(rig), 0);
	}
}

/* ---- hostile fragments -------------------------------------------------------------------- */

/* A fragment of an IPv4 or IPv6 packet from scratch; contents are the offset's low octet. */
static struct rte_mbuf *fragment_make(const struct rig *rig, bool v6, uint16_t id, uint32_t offset,
				      uint16_t len, bool more)
{
	uint8_t data[2000] = {0};
	struct rte_ipv4_hdr *ip4 = (void *)data;
	struct rte_ipv6_hdr *ip6 = (void *)data;
	struct rte_ipv6_fragment_ext *ext = (void *)(ip6 + 1);
	size_t header = v6 ? 48 : 20;

	if (v6) {
		ip6->vtc_flow = rte_cpu_to_be_32(6u << 28);
		ip6->payload_len = rte_cpu_to_be_16((uint16_t)(len + 8));
		ip6->proto = IPPROTO_FRAGMENT;
		memset(ip6->src_addr, 1, 16);
		memset(ip6->dst_addr, 2, 16);
		ext->next_header = IPPROTO_ESP;
		ext->frag_data = rte_cpu_to_be_16((uint16_t)(offset | more));
		ext->id = rte_cpu_to_be_32(id);
	} else {
		*ip4 = (struct rte_ipv4_hdr){
			.version_ihl = RTE_IPV4_VHL_DEF,
			.total_length = rte_cpu_to_be_16((uint16_t)(20 + len)),
			.packet_id = rte_cpu_to_be_16(id),
			.fragment_offset = rte_cpu_to_be_16(
				(uint16_t)(offset / 8 | (more ? RTE_IPV4_HDR_MF_FLAG : 0))),
			.next_proto_id = IPPROTO_ESP,
			.src_addr = 1,
			.dst_addr = 2,
		};
	}
	memset(data + header, (int)(offset & 0xff), len);
	return rig_mbuf(rig->pool, data, header + len);
}

struct hostile_piece {
	uint32_t offset;
	uint16_t len;
	bool more;
};

struct hostile {
	const char *name;
	struct hostile_piece pieces[4];
	unsigned n;
};

static const struct hostile hostile[] = {
	{"overlap", {{0, 96, true}, {48, 96, true}, {144, 96, false}}, 3},
	{"overlap that adds up to the length",
	 {{0, 96, true}, {48, 48, true}, {144, 48, false}},
	 3},
	{"contained", {{0, 144, true}, {48, 48, true}, {144, 48, false}}, 3},
	{"first twice", {{0, 96, true}, {0, 96, true}, {96, 48, false}}, 3},
	{"last twice", {{96, 48, false}, {96, 48, false}, {0, 96, true}}, 3},
	{"two different ends", {{96, 48, false}, {192, 48, false}, {0, 96, true}}, 3},
	{"beyond the end", {{0, 96, true}, {96, 48, false}, {144, 48, true}}, 0},
	{"tiny first", {{0, 8, true}, {8, 96, false}}, 2},
	{"not in units of 8", {{0, 97, true}, {96, 96, false}}, 2},
	{"beyond 65535", {{65528, 200, false}, {0, 96, true}}, 2},
	{"beyond our buffers", {{9952, 200, false}, {0, 96, true}}, 2},
};

/* covers: DP-11 */
static void test_hostile(void **state)
{
	const struct rig *rig = *state;

	for (size_t i = 0; i < 2 * RTE_DIM(hostile); i++) {
		const struct hostile *c = &hostile[i / 2];
		struct frag *f = frag_make(rig, 16);

		print_message("%s, IPv%d\n", c->name, i % 2 ? 6 : 4);
		for (unsigned p = 0; p < c->n; p++)
			assert_null(
				frag_reassemble(f,
						fragment_make(rig, i % 2, 7, c->pieces[p].offset,
							      c->pieces[p].len, c->pieces[p].more),
						1));
		/* each given up at once or by the clock, counted, and nothing kept */
		if (c->n)
			assert_true(frag_expire(f, rte_get_tsc_hz() * 5) >= 1);
		assert_int_equal(rig_in_use(rig), 0);
		frag_free(f);
	}
}

/* More pieces than a datagram may have. */
static void test_too_many_pieces(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 16);

	for (unsigned i = 0; i < RTE_LIBRTE_IP_FRAG_MAX_FRAG; i++)
		assert_null(frag_reassemble(f, fragment_make(rig, false, 7, i * 48, 48, true), 1));
	assert_int_equal(rig_in_use(rig), 0);
	assert_int_equal(frag_expire(f, 1), 1);
	frag_free(f);
}

/* More datagrams than there is room for: the new ones are refused, the old ones finish. */
static void test_too_many_datagrams(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 16);
	unsigned whole = 0, given_up;

	for (uint16_t id = 0; id < 100; id++)
		assert_null(frag_reassemble(f, fragment_make(rig, id & 1, id, 0, 48, true), 1));
	given_up = frag_expire(f, 1);
	assert_int_equal(given_up, 100 - 16);
	for (uint16_t id = 0; id < 100; id++) {
		struct rte_mbuf *m = fragment_make(rig, id & 1, id, 48, 48, false);

		m = frag_reassemble(f, m, 2);
		whole += m != NULL;
		rte_pktmbuf_free(m);
	}
	assert_true(whole >= 1 && whole <= 16);
	frag_free(f);
	assert_int_equal(rig_in_use(rig), 0);
}

/* A trickle of first pieces fills the table: it must not keep others out until the time-out. */
/* covers: DP-11 */
static void test_crowd(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 16);
	uint64_t ms = rte_get_tsc_hz() / 1000;

	for (uint16_t id = 0; id < 64; id++)
		assert_null(frag_reassemble(f, fragment_make(rig, true, id, 0, 48, true), 1));
	/* all at once: who was there first stays */
	assert_int_equal(frag_expire(f, ms), 64 - 16);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t now = (150 + i) * ms;
		uint16_t id = (uint16_t)(1000 + i);
		struct rte_mbuf *m;

		assert_null(frag_reassemble(f, fragment_make(rig, true, id, 0, 48, true), now));
		m = frag_reassemble(f, fragment_make(rig, true, id, 48, 48, false), now);
		assert_non_null(m);
		rte_pktmbuf_free(m);
	}
	assert_int_equal(frag_expire(f, 155 * ms), 16);
	assert_int_equal(rig_in_use(rig), 0);
	frag_free(f);
}

/*
 * Pieces that add up to the length but leave a hole: some are chained when it is found. They must
 * not count as waiting for ever, or the crowd's short patience becomes everybody's.
 * covers: DP-11
 */
static void test_holes_are_forgotten(void **state)
{
	static const struct hostile_piece pieces[] = {
		{0, 48, true}, {96, 48, true}, {96, 48, true}, {144, 56, false}};
	const struct rig *rig = *state;
	uint64_t ms = rte_get_tsc_hz() / 1000;

	for (unsigned v6 = 0; v6 < 2; v6++) {
		struct frag *f = frag_make(rig, 16);
		struct rte_mbuf *m;

		for (uint16_t id = 0; id < 64; id++)
			for (size_t i = 0; i < RTE_DIM(pieces); i++)
				assert_null(frag_reassemble(
					f,
					fragment_make(rig, v6, id, pieces[i].offset, pieces[i].len,
						      pieces[i].more),
					1));
		assert_int_equal(rig_in_use(rig), 0);
		assert_int_equal(frag_expire(f, ms), 64);
		assert_null(frag_reassemble(f, fragment_make(rig, v6, 999, 0, 48, true), ms));
		assert_null(
			frag_reassemble(f, fragment_make(rig, v6, 1000, 0, 48, true), 500 * ms));
		m = frag_reassemble(f, fragment_make(rig, v6, 999, 48, 48, false), 500 * ms);
		assert_non_null(m);
		rte_pktmbuf_free(m);
		frag_free(f);
	}
}

static void test_timeout(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 400);
	uint64_t second = rte_get_tsc_hz();

	for (uint16_t id = 0; id < 390; id++)
		assert_null(frag_reassemble(f, fragment_make(rig, id & 1, id, 0, 48, true), 1));
	frag_expire(f, 1);
	assert_int_equal(frag_expire(f, second / 2), 0);
	assert_true(rig_in_use(rig) >= 300);
	assert_true(frag_expire(f, second * 2) >= 300);
	assert_int_equal(rig_in_use(rig), 0);
	frag_free(f);
}

/* No buffer for the whole: given up, nothing leaks. */
static void test_no_large_buffer(void **state)
{
	struct rig *rig = *state;
	struct rte_mbuf *taken[31];
	struct frag *f = frag_make(rig, 16);

	assert_int_equal(rte_pktmbuf_alloc_bulk(rig->large, taken, 31), 0);
	for (unsigned p = 0; p < 3; p++)
		assert_null(give(f, rig, &pieces4[p], 1));
	rte_pktmbuf_free_bulk(taken, 31);
	assert_int_equal(frag_expire(f, 1), 1);
	frag_free(f);
	assert_int_equal(rig_in_use(rig), 0);
}

/* Cut short anywhere, and each header octet changed: refused or waiting, but no harm.
 * covers: DP-11 */
static void test_damaged(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = frag_make(rig, 16);

	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		const struct bytes *piece = &cases[i].pieces[0];

		for (size_t n = 0; n < piece->n; n++)
			rte_pktmbuf_free(frag_reassemble(f, rig_mbuf(rig->pool, piece->p, n), n));
		for (size_t n = 0; n < 48 * 256; n++) {
			struct rte_mbuf *m = rig_mbuf(rig->pool, piece->p, piece->n);

			rte_pktmbuf_mtod(m, uint8_t *)[n / 256] ^= (uint8_t)n;
			rte_pktmbuf_free(frag_reassemble(f, m, n));
		}
	}
	frag_free(f);
	assert_int_equal(rig_in_use(rig), 0);
}

static void test_conf(void **state)
{
	const struct rig *rig = *state;
	struct frag *f = NULL;
	struct frag_conf conf = {.large = rig->large, .timeout_ms = 1};

	assert_int_equal(frag_alloc(&f, &conf, SOCKET_ID_ANY), -EINVAL);
	conf = (struct frag_conf){.large = rig->large, .max_flows = 1};
	assert_int_equal(frag_alloc(&f, &conf, SOCKET_ID_ANY), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reassemble),	cmocka_unit_test(test_reassemble_mixed),
		cmocka_unit_test(test_atomic),		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_split),		cmocka_unit_test(test_split_fragment),
		cmocka_unit_test(test_split_refused),	cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_too_many_pieces), cmocka_unit_test(test_too_many_datagrams),
		cmocka_unit_test(test_crowd),		cmocka_unit_test(test_holes_are_forgotten),
		cmocka_unit_test(test_timeout),		cmocka_unit_test(test_no_large_buffer),
		cmocka_unit_test(test_damaged),		cmocka_unit_test(test_conf),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
