/* Two data planes joined by rings, a phone's and a P-CSCF's: datagrams in clear and protected. */
#include <string.h>

#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

static void fill(uint8_t *p, size_t n)
{
	struct test_random random = {n + 1};

	test_random_fill(&random, p, n);
}

static void expect_clear(struct rig_pair *r, size_t len)
{
	static uint8_t text[9000];
	struct dp_out out = {.local = {r->phone.addr, RIG_SIP_PORT},
			     .remote = {r->pcscf.addr, RIG_SIP_PORT}};
	struct iovec iov[2] = {{text, len / 3}, {text + len / 3, len - len / 3}};
	struct dp_packet pkt;

	fill(text, len);
	assert_int_equal(dp_send(r->phone.dp, &out, iov, 2), 0);
	assert_true(rig_pair_recv(r, &r->pcscf, &pkt));
	assert_int_equal(pkt.len, len);
	assert_memory_equal(pkt.data, text, len);
	assert_int_equal(pkt.set, 0);
	assert_true(ip_endpoint_eq(&pkt.local, &out.remote));
	assert_true(ip_endpoint_eq(&pkt.remote, &out.local));
	dp_release(r->pcscf.dp, &pkt, 1);
}

static void test_clear(void **state)
{
	static const size_t lengths[] = {0, 1, 800, 1472, 1473, 4000, 9000};
	struct rig_pair r;
	int version;
	size_t i;

	(void)state;
	for (version = 4; version <= 6; version += 2) {
		rig_pair_open(&r, version, 1, false);
		for (i = 0; i < N_OF(lengths); i++)
			expect_clear(&r, lengths[i]);
		rig_pair_close(&r);
	}
}

/* Over UDP each side sends by its client pair, and the other receives by its server pair. */
static void expect_protected(struct rig_pair *r, struct rig_side *from, size_t len)
{
	static uint8_t text[9000];
	struct rig_side *to = rig_pair_peer(r, from);
	struct dp_packet pkt;

	fill(text, len);
	assert_int_equal(rig_send(from->dp, from->set.id, SA_CLIENT, text, len), 0);
	assert_true(rig_pair_recv(r, to, &pkt));
	assert_int_equal(pkt.len, len);
	assert_memory_equal(pkt.data, text, len);
	assert_int_equal(pkt.set, to->set.id);
	assert_int_equal(pkt.pair, SA_SERVER);
	assert_int_equal(pkt.local.port, to->set.local_port[SA_SERVER]);
	assert_int_equal(pkt.remote.port, to->set.remote_port[SA_SERVER]);
	assert_true(ip_addr_eq(&pkt.local.addr, &to->set.local));
	assert_true(ip_addr_eq(&pkt.remote.addr, &to->set.remote));
	dp_release(to->dp, &pkt, 1);
}

static void expect_counters(struct rig_side *side, bool inbound, uint32_t packets)
{
	enum sa_pair pair = inbound ? SA_SERVER : SA_CLIENT;
	struct dp_sa_counters c;

	assert_int_equal(dp_sa_counters(side->dp, side->set.id, pair, inbound, &c), 0);
	assert_int_equal(c.packets, packets);
	assert_int_equal(c.seq, packets);
	assert_true(c.bytes > packets);
	assert_int_equal(dp_sa_counters(side->dp, side->set.id, !pair, inbound, &c), 0);
	assert_int_equal(c.packets, 0);
}

static void run_suite(struct rig_pair *r, enum sa_integ integ, enum sa_encr encr)
{
	static const size_t lengths[] = {0, 1, 13, 14, 15, 16, 800, 1400, 1401, 1450, 1500, 9000};
	size_t i;

	rig_pair_install(r, integ, encr);
	for (i = 0; i < N_OF(lengths); i++) {
		expect_protected(r, &r->phone, lengths[i]);
		expect_protected(r, &r->pcscf, lengths[i]);
	}
	expect_counters(&r->phone, false, N_OF(lengths));
	expect_counters(&r->phone, true, N_OF(lengths));
	expect_counters(&r->pcscf, false, N_OF(lengths));
	expect_counters(&r->pcscf, true, N_OF(lengths));
	rig_pair_remove(r);
}

/* covers: ES-01, DP-03, DP-15 */
static void test_all_suites(void **state)
{
	enum sa_integ integ;
	enum sa_encr encr;
	struct rig_pair r;
	int version;

	(void)state;
	for (version = 4; version <= 6; version += 2) {
		rig_pair_open(&r, version, 1, false);
		for (integ = 0; integ < SA_INTEG_COUNT; integ++)
			for (encr = 0; encr < SA_ENCR_COUNT; encr++)
				run_suite(&r, integ, encr);
		assert_int_equal(rig_drops_total(r.phone.dp), 0);
		assert_int_equal(rig_drops_total(r.pcscf.dp), 0);
		assert_int_equal(dp_sa_sets_in_use(r.phone.dp), 0);
		assert_int_equal(dp_sa_sets_in_use(r.pcscf.dp), 0);
		rig_pair_close(&r);
	}
}

/* Nothing but ESP is on the wire, and each packet fits the link. covers: ES-01 */
static void test_wire_shows_esp_only(void **state)
{
	static const char text[] = "MESSAGE sip:bob@example.test SIP/2.0\r\n";
	struct rte_mbuf *m;
	struct rig_pair r;
	const uint8_t *ip;
	unsigned n = 0;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_meet(&r);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, text, sizeof(text)), 0);
	while ((m = rig_pair_capture(&r, r.up)) != NULL) {
		ip = rte_pktmbuf_mtod_offset(m, const uint8_t *, 14);
		assert_int_equal(ip[9], 50);
		assert_null(memmem(ip, rte_pktmbuf_data_len(m) - 14, "sip:bob", 7));
		rte_pktmbuf_free(m);
		n++;
	}
	assert_int_equal(n, 1);
	rig_pair_close(&r);
}

/* covers: DP-15 */
static void test_large_is_cut_to_the_mtu(void **state)
{
	static char text[9000];
	struct rte_mbuf *m;
	struct rig_pair r;
	unsigned n = 0;

	(void)state;
	rig_pair_open(&r, 6, 1, false);
	rig_pair_meet(&r);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	expect_protected(&r, &r.phone, 100); /* resolves the next hop */
	rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, text, sizeof(text));
	while ((m = rig_pair_capture(&r, r.up)) != NULL) {
		assert_true(rte_pktmbuf_data_len(m) <= 1514);
		rte_pktmbuf_free(m);
		n++;
	}
	assert_int_equal(n, 7);
	rig_pair_close(&r);
}

static void test_send_refuses(void **state)
{
	static uint8_t text[20000];
	struct iovec iov = {text, sizeof(text)};
	struct dp_out out = {0};
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, text, sizeof(text)),
			 -EMSGSIZE);
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id + 64, SA_CLIENT, text, 1), -ESTALE);
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_PAIRS, text, 1), -EINVAL);
	out.local = (struct ip_endpoint){r.phone.addr, RIG_SIP_PORT};
	assert_int_equal(dp_send(r.phone.dp, &out, &iov, 1), -EINVAL);
	rig_pair_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clear),
		cmocka_unit_test(test_all_suites),
		cmocka_unit_test(test_wire_shows_esp_only),
		cmocka_unit_test(test_large_is_cut_to_the_mtu),
		cmocka_unit_test(test_send_refuses),
	};

	return cmocka_run_group_tests_name("dataplane.pair", tests, rig_start, rig_stop);
}
