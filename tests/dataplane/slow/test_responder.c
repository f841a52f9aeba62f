#include "tests/dataplane/slow/frames_responder.h"

#include "dataplane/responder.h"

static const struct rte_ether_addr us = {{2, 0, 0, 0, 0, 0xaa}}, peer = {{2, 0, 0, 0, 0, 0xbb}};

static struct responder responder(void)
{
	struct responder r = {.mac = us, .n_local = 3};

	r.gateway[0] = rig_addr("10.1.0.1");
	r.local[0] = rig_prefix("192.0.2.7", 32);
	r.local[1] = rig_prefix("10.1.0.0", 16);
	r.local[2] = rig_prefix("2001:db8:1::", 64);
	return r;
}

struct answer_case {
	const char *name;
	struct bytes in, out;
};

static const struct answer_case answers[] = {
	{"ARP request", BYTES(arp_request), BYTES(arp_reply)},
	{"ARP probe", BYTES(arp_probe), BYTES(arp_probe_reply)},
	{"NS to the group", BYTES(ns_group), BYTES(na)},
	{"NS to the address, no option", BYTES(ns_unicast), BYTES(na)},
	{"NS with two options", BYTES(ns_two_options), BYTES(na)},
	{"NS of duplicate address detection", BYTES(ns_dad), BYTES(na_dad)},
	{"echo", BYTES(echo), BYTES(echo_reply)},
	{"echo with padding behind", BYTES(echo_padded), BYTES(echo_reply)},
	{"ICMPv6 echo", BYTES(echo6), BYTES(echo6_reply)},
};

/* covers: DP-15 */
static void test_answers(void **state)
{
	const struct rig *rig = *state;
	struct responder r = responder();

	for (size_t i = 0; i < RTE_DIM(answers); i++) {
		const struct answer_case *c = &answers[i];
		struct rte_mbuf *m = rig_mbuf(rig->pool, c->in.p, c->in.n);
		struct neighbour_claim claim;

		print_message("%s\n", c->name);
		assert_int_equal(responder_take(&r, m, &claim), RESPONDER_ANSWERED);
		assert_true(rig_holds(m, c->out.p, c->out.n));
	}
	assert_int_equal(rig_in_use(rig), 0);
}

struct ignored_case {
	const char *name;
	struct bytes in;
};

static const struct ignored_case ignored[] = {
	{"ARP from our own address", BYTES(arp_as_us)},
	{"ARP with a group as sender", BYTES(arp_group_mac)},
	{"ARP of other hardware", BYTES(arp_token_ring)},
	{"NS that passed a router", BYTES(ns_hop_limit)},
	{"NS, bad checksum", BYTES(ns_checksum)},
	{"NS, code not 0", BYTES(ns_code)},
	{"NS, option of length 0", BYTES(ns_empty_option)},
	{"NS, option longer than the packet", BYTES(ns_long_option)},
	{"NS, DAD with a source option", BYTES(ns_dad_with_option)},
	{"NS, DAD not to the group", BYTES(ns_dad_unicast)},
	{"NS, not ours", BYTES(ns_not_ours)},
	{"NS to a group that is not the target's", BYTES(ns_other_group)},
	{"NA solicited, yet to a group", BYTES(na_solicited_group)},
	{"echo, bad checksum", BYTES(echo_checksum)},
	{"echo, bad IP checksum", BYTES(echo_ip_checksum)},
	{"echo, a fragment", BYTES(echo_fragment)},
	{"echo, not ours", BYTES(echo_not_ours)},
	{"echo from a group", BYTES(echo_from_group)},
	{"echo by broadcast", BYTES(echo_broadcast)},
	{"echo, longer than its frame", BYTES(echo_too_long)},
	{"UDP", BYTES(udp)},
	{"ICMPv6 echo, bad checksum", BYTES(echo6_checksum)},
	{"ICMPv6 echo to all nodes", BYTES(echo6_group)},
};

/* covers: DP-11 */
static void test_ignores(void **state)
{
	const struct rig *rig = *state;
	struct responder r = responder();

	for (size_t i = 0; i < RTE_DIM(ignored); i++) {
		const struct ignored_case *c = &ignored[i];
		struct rte_mbuf *m = rig_mbuf(rig->pool, c->in.p, c->in.n);
		struct neighbour_claim claim;

		print_message("%s\n", c->name);
		assert_int_equal(responder_take(&r, m, &claim), RESPONDER_IGNORED);
		rte_pktmbuf_free(m);
	}
}

struct claim_case {
	const char *name;
	struct bytes in;
	const char *addr;
	bool solicited, mac_stated;
};

static const struct claim_case claims[] = {
	{"ARP reply", BYTES(arp_answer), "10.9.0.1", true, true},
	{"ARP request for the gateway's address", BYTES(arp_for_gateway), "10.9.0.1", false, true},
	{"gratuitous ARP", BYTES(arp_gratuitous), "10.9.0.1", false, true},
	{"gratuitous ARP reply", BYTES(arp_gratuitous_reply), "10.9.0.1", false, true},
	{"NA", BYTES(na_answer), "2001:db8:9::1", true, true},
	{"NA without option", BYTES(na_answer_bare), "2001:db8:9::1", true, false},
	{"NA unsolicited", BYTES(na_unsolicited), "2001:db8:9::1", false, true},
};

/* A frame that ends where its memory ends, for an address checker to see. */
static enum responder_verdict take_exact(const struct responder *r, const struct bytes *frame,
					 size_t n)
{
	struct neighbour_claim claim;
	struct rte_mbuf m = {.buf_addr = malloc(n ? n : 1),
			     .buf_len = (uint16_t)n,
			     .data_len = (uint16_t)n,
			     .pkt_len = (uint32_t)n,
			     .nb_segs = 1,
			     .refcnt = 1};
	enum responder_verdict v;

	assert_non_null(m.buf_addr);
	memcpy(m.buf_addr, frame->p, n);
	v = responder_take(r, &m, &claim);
	free(m.buf_addr);
	return v;
}

/* Each frame cut short anywhere: nothing is read beyond, nothing answered.
 * covers: DP-11 */
static void test_truncated(void **state)
{
	struct responder r = responder();

	(void)state;
	for (size_t i = 0; i < RTE_DIM(answers); i++)
		for (size_t n = 0; n < answers[i].in.n; n++)
			if (answers[i].in.p != echo_padded || n < sizeof(echo))
				assert_int_equal(take_exact(&r, &answers[i].in, n),
						 RESPONDER_IGNORED);
	for (size_t i = 0; i < RTE_DIM(claims); i++)
		for (size_t n = 0; n < claims[i].in.n; n++)
			assert_int_equal(take_exact(&r, &claims[i].in, n), RESPONDER_IGNORED);
	for (size_t i = 0; i < RTE_DIM(ignored); i++)
		for (size_t n = 0; n <= ignored[i].in.n; n++)
			assert_int_equal(take_exact(&r, &ignored[i].in, n), RESPONDER_IGNORED);
}

static void test_claims(void **state)
{
	const struct rig *rig = *state;
	struct responder r = responder();

	for (size_t i = 0; i < RTE_DIM(claims); i++) {
		const struct claim_case *c = &claims[i];
		struct rte_mbuf *m = rig_mbuf(rig->pool, c->in.p, c->in.n);
		struct ip_addr addr = rig_addr(c->addr);
		struct neighbour_claim claim;

		print_message("%s\n", c->name);
		assert_int_equal(responder_take(&r, m, &claim), RESPONDER_CLAIMED);
		assert_true(ip_addr_eq(&claim.addr, &addr));
		assert_true(rte_is_same_ether_addr(&claim.mac, &peer));
		assert_int_equal(claim.solicited, c->solicited);
		assert_int_equal(claim.mac_stated, c->mac_stated);
		rte_pktmbuf_free(m);
	}
}

struct question_case {
	const char *target;
	const struct rte_ether_addr *mac;
	struct bytes out;
};

static const struct question_case questions[] = {
	{"10.1.0.1", NULL, BYTES(arp_question)},
	{"10.1.0.1", &peer, BYTES(arp_question_again)},
	{"2001:db8:9::1", NULL, BYTES(ns_question)},
	{"2001:db8:9::1", &peer, BYTES(ns_question_again)},
};

/* covers: DP-15 */
static void test_questions(void **state)
{
	const struct rig *rig = *state;
	struct responder r = responder();

	for (size_t i = 0; i < RTE_DIM(questions); i++) {
		struct ip_addr target = rig_addr(questions[i].target);
		struct rte_mbuf *m = rte_pktmbuf_alloc(rig->pool);

		assert_int_equal(responder_solicit(&r, m, &target, questions[i].mac), 0);
		assert_true(rig_holds(m, questions[i].out.p, questions[i].out.n));
	}
}

static void test_question_without_address(void **state)
{
	const struct rig *rig = *state;
	struct responder r = responder();
	struct ip_addr target = rig_addr("2001:db8:9::1");
	struct rte_mbuf *m = rte_pktmbuf_alloc(rig->pool);

	r.n_local = 2; /* IPv4 only */
	assert_int_equal(responder_solicit(&r, m, &target, NULL), -EADDRNOTAVAIL);
	rte_pktmbuf_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),	  cmocka_unit_test(test_ignores),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_claims),
		cmocka_unit_test(test_questions), cmocka_unit_test(test_question_without_address),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
