/* What must not pass: replays, bounced packets, clear traffic at protected ports, removed SAs,
 * used-up sequence numbers. */
#include <errno.h>

#include <string.h>

#include "dataplane/checksum.h"
#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

#define ESP_AT (14 + 20) /* in a frame with IPv4 */

static void open_with_set(struct rig_pair *r)
{
	rig_pair_open(r, 4, 1, false);
	rig_pair_meet(r);
	rig_pair_install(r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
}

/* A protected datagram of the phone, taken off the wire. */
static struct rte_mbuf *protected_frame(struct rig_pair *r, const char *text)
{
	struct rte_mbuf *m;

	assert_int_equal(rig_send(r->phone.dp, r->phone.set.id, SA_CLIENT, text, strlen(text)), 0);
	m = rig_pair_capture(r, r->up);
	assert_non_null(m);
	return m;
}

static void put(struct rte_ring *wire, struct rte_mbuf *m)
{
	assert_int_equal(rte_ring_enqueue(wire, m), 0);
}

/* Does the P-CSCF get exactly one datagram with this text? */
static void expect_text(struct rig_pair *r, const char *text)
{
	struct dp_packet pkt;

	assert_true(rig_pair_got(r, &r->pcscf, &pkt));
	assert_int_equal(pkt.len, strlen(text));
	assert_memory_equal(pkt.data, text, pkt.len);
	dp_release(r->pcscf.dp, &pkt, 1);
	assert_false(rig_pair_got(r, &r->pcscf, &pkt));
}

static void expect_nothing(struct rig_pair *r, struct rig_side *side, enum dp_drop reason,
			   uint64_t drops)
{
	struct dp_packet pkt;

	assert_false(rig_pair_got(r, side, &pkt));
	assert_int_equal(rig_drops(side->dp, reason), drops);
}

/* covers: ES-08 */
static void test_replay_is_dropped(void **state)
{
	struct rig_pair r;
	struct rte_mbuf *m, *again;

	(void)state;
	open_with_set(&r);
	m = protected_frame(&r, "once");
	again = rig_copy(m);
	put(r.up, m);
	expect_text(&r, "once");
	put(r.up, again);
	expect_nothing(&r, &r.pcscf, DP_DROP_REPLAY, 1);
	rig_pair_close(&r);
}

/* Both copies are in the engine before either has been checked. covers: ES-08, DP-04 */
static void test_replay_in_one_burst(void **state)
{
	struct rig_pair r;
	struct rte_mbuf *m;
	unsigned i;

	(void)state;
	open_with_set(&r);
	m = protected_frame(&r, "once");
	for (i = 0; i < 20; i++)
		put(r.up, rig_copy(m));
	rte_pktmbuf_free(m);
	expect_text(&r, "once");
	assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_REPLAY), 19);
	rig_pair_close(&r);
}

/* A forged number far ahead does not move the window. covers: DP-05, ES-13 */
static void test_forged_number_moves_nothing(void **state)
{
	struct rte_mbuf *m, *forged;
	struct rig_pair r;

	(void)state;
	open_with_set(&r);
	m = protected_frame(&r, "good");
	forged = rig_copy(m);
	memset(rte_pktmbuf_mtod_offset(forged, uint8_t *, ESP_AT + 4), 0xee, 4);
	put(r.up, forged);
	expect_nothing(&r, &r.pcscf, DP_DROP_BAD_ICV, 1);
	put(r.up, m);
	expect_text(&r, "good");
	rig_pair_close(&r);
}

/* The P-CSCF's SPIs are not the UE's, so what comes back to its sender fits no SA. covers: SP-04 */
static void test_bounced_packet_is_unknown(void **state)
{
	uint8_t src[4];
	struct rte_mbuf *m;
	struct rig_pair r;
	uint8_t *frame;

	(void)state;
	open_with_set(&r);
	m = protected_frame(&r, "ping");
	frame = rte_pktmbuf_mtod(m, uint8_t *);
	memcpy(src, frame + 14 + 12, 4);
	memmove(frame + 14 + 12, frame + 14 + 16, 4); /* the header's sum stays */
	memcpy(frame + 14 + 16, src, 4);
	memcpy(frame, frame + 6, 6);
	put(r.down, m);
	expect_nothing(&r, &r.phone, DP_DROP_UNKNOWN_SPI, 1);
	rig_pair_close(&r);
}

static int send_clear(struct rig_pair *r, uint16_t from, uint16_t to)
{
	struct dp_out out = {.local = {r->phone.addr, from}, .remote = {r->pcscf.addr, to}};
	char text[] = "INVITE";
	struct iovec iov = {text, 6};

	return dp_send(r->phone.dp, &out, &iov, 1);
}

/* covers: SP-11, DP-09 */
static void test_clear_to_protected_port(void **state)
{
	struct rig_pair r;

	(void)state;
	open_with_set(&r);
	assert_int_equal(send_clear(&r, RIG_SIP_PORT, RIG_PORT_PS), 0);
	expect_nothing(&r, &r.pcscf, DP_DROP_CLEAR_TO_PROTECTED, 1);
	assert_int_equal(send_clear(&r, RIG_SIP_PORT, RIG_PORT_PC), 0);
	expect_nothing(&r, &r.pcscf, DP_DROP_CLEAR_TO_PROTECTED, 2);
	rig_pair_close(&r);
}

static void host_gets_datagram(struct rig_pair *r, uint16_t port)
{
	void *m = NULL;

	assert_int_equal(send_clear(r, RIG_SIP_PORT, port), 0);
	expect_nothing(r, &r->pcscf, DP_DROP_CLEAR_TO_PROTECTED, 0);
	do { /* ARP frames went before */
		rte_pktmbuf_free(m);
		assert_int_equal(rte_ring_dequeue(r->pcscf.host.from, &m), 0);
	} while (*rte_pktmbuf_mtod_offset((struct rte_mbuf *)m, uint8_t *, 14 + 9) != 17);
	rte_pktmbuf_free(m);
}

/* An open port that is not the SIP port is for the host. covers: SP-12 */
static void test_clear_to_other_port(void **state)
{
	struct rig_pair r;

	(void)state;
	open_with_set(&r);
	host_gets_datagram(&r, 5070);
	r.pcscf.dp->env.sip_port = 0; /* none: port 0 is not it */
	host_gets_datagram(&r, RIG_SIP_PORT);
	host_gets_datagram(&r, 0);
	rig_pair_close(&r);
}

/* A datagram for the host that came in fragments fits the host port. */
static void test_large_to_host(void **state)
{
	static char text[4000];
	struct dp_out out = {0};
	struct iovec iov = {text, sizeof(text)};
	struct rig_pair r;
	unsigned n = 0;
	void *m;

	(void)state;
	open_with_set(&r);
	out.local = (struct ip_endpoint){r.phone.addr, RIG_SIP_PORT};
	out.remote = (struct ip_endpoint){r.pcscf.addr, 5070};
	assert_int_equal(dp_send(r.phone.dp, &out, &iov, 1), 0);
	rig_pair_poll(&r);
	while (rte_ring_dequeue(r.pcscf.host.from, &m) == 0) {
		assert_true(rte_pktmbuf_data_len((struct rte_mbuf *)m) <=
			    r.pcscf.dp->env.host.mtu + 14);
		n += *rte_pktmbuf_mtod_offset((struct rte_mbuf *)m, uint8_t *, 14 + 9) == 17;
		rte_pktmbuf_free(m);
	}
	assert_int_equal(n, 3);
	rig_pair_close(&r);
}

/* covers: SP-11, DP-09 */
static void test_clear_from_protected_port(void **state)
{
	struct rig_pair r;

	(void)state;
	open_with_set(&r);
	assert_int_equal(send_clear(&r, RIG_PORT_UC, RIG_SIP_PORT), -EPERM);
	assert_int_equal(send_clear(&r, RIG_PORT_US, RIG_PORT_PS), -EPERM);
	assert_null(rig_pair_capture(&r, r.up));
	rig_pair_close(&r);
}

/* covers: DP-07, DP-09 */
static void test_removed_set(void **state)
{
	struct rte_mbuf *m;
	struct rig_pair r;

	(void)state;
	open_with_set(&r);
	m = protected_frame(&r, "late");
	/* one datagram is on its way to the worker when the set goes */
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "gone", 4), 0);
	rig_pair_remove(&r);
	assert_null(rig_pair_capture(&r, r.up));
	assert_int_equal(rig_drops(r.phone.dp, DP_DROP_STALE_SA), 1);
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "gone", 4), -ESTALE);
	put(r.up, m);
	expect_nothing(&r, &r.pcscf, DP_DROP_UNKNOWN_SPI, 1);
	rig_pair_close(&r);
}

/* Until install nothing is taken on a reserved SPI. */
static void test_reserved_set(void **state)
{
	struct sa_set set = {0};
	struct rte_mbuf *m;
	struct rig_pair r;
	uint32_t spi;

	(void)state;
	open_with_set(&r);
	m = protected_frame(&r, "early");
	assert_int_equal(dp_sa_reserve(r.pcscf.dp, NULL, 0, &set), 0);
	spi = rte_cpu_to_be_32(set.spi_in[SA_SERVER]);
	memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, ESP_AT), &spi, sizeof(spi));
	put(r.up, m);
	expect_nothing(&r, &r.pcscf, DP_DROP_UNKNOWN_SPI, 1);
	rig_pair_close(&r);
}

/* A worker is quiescent with nothing in its engine, though packets keep coming. covers: DP-07 */
static void test_quiescent_with_empty_engine(void **state)
{
	struct worker *w;
	struct rig_pair r;
	unsigned i;

	(void)state;
	open_with_set(&r);
	rig_poll(r.phone.dp);
	w = r.phone.dp->workers[0];
	r.phone.dp->env.flush_tsc = UINT64_MAX; /* no flush by time */
	for (i = 0; i < 3; i++)
		rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "x", 1);
	assert_int_equal(worker_poll(w), 3);
	assert_int_equal(esp_engine_in_flight(w->engine), 3);
	dp_sa_remove(r.phone.dp, r.phone.set.id);
	assert_int_equal(send_clear(&r, RIG_SIP_PORT, RIG_SIP_PORT), 0);
	assert_int_equal(worker_poll(w), 1);
	assert_int_equal(esp_engine_in_flight(w->engine), 0);
	rig_pair_close(&r);
}

/* The phone's outbound SAs of a set end, its inbound ones go on. covers: LC-06 */
static void test_half_of_a_set(void **state)
{
	struct dp_packet pkt;
	struct rig_pair r;

	(void)state;
	open_with_set(&r);
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "x", 1), 0);
	dp_sa_remove_outbound(r.phone.dp, r.phone.set.id); /* that one is on its way to a worker */
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "y", 1), -ESTALE);
	assert_true(rig_pair_recv(&r, &r.pcscf, &pkt));
	assert_memory_equal(pkt.data, "x", 1);
	dp_release(r.pcscf.dp, &pkt, 1);
	assert_false(rig_pair_got(&r, &r.pcscf, &pkt));
	assert_int_equal(rig_drops(r.phone.dp, DP_DROP_STALE_SA), 0);
	assert_int_equal(rig_send(r.pcscf.dp, r.pcscf.set.id, SA_CLIENT, "yes", 3), 0);
	assert_true(rig_pair_recv(&r, &r.phone, &pkt));
	assert_int_equal(pkt.set, r.phone.set.id);
	dp_release(r.phone.dp, &pkt, 1);
	assert_int_equal(dp_sa_sets_in_use(r.phone.dp), 1);
	dp_sa_remove(r.phone.dp, r.phone.set.id);
	assert_int_equal(dp_sa_sets_in_use(r.phone.dp), 0);
	rig_pair_close(&r);
}

static struct sa_out *phone_line(struct rig_pair *r)
{
	const struct sa_view *sa = &r->phone.dp->env.sa;

	return sa_out_at(sa, sa_slot_of_id(sa, r->phone.set.id, SA_CLIENT));
}

static void expect_event(struct rig_pair *r, enum dp_event_type type)
{
	struct dp_event event = {0};

	assert_int_equal(dp_events(r->phone.dp, &event, 1), 1);
	assert_int_equal(event.type, type);
	assert_int_equal(event.set, r->phone.set.id);
	assert_int_equal(event.pair, SA_CLIENT);
	assert_int_equal(dp_events(r->phone.dp, &event, 1), 0);
}

/* Number on the wire of the next packet; 0: none comes. */
static uint32_t next_number(struct rig_pair *r)
{
	struct rte_mbuf *m;
	rte_be32_t seq;

	assert_int_equal(rig_send(r->phone.dp, r->phone.set.id, SA_CLIENT, "x", 1), 0);
	m = rig_pair_capture(r, r->up);
	if (!m)
		return 0;
	memcpy(&seq, rte_pktmbuf_mtod_offset(m, uint8_t *, ESP_AT + 4), sizeof(seq));
	rte_pktmbuf_free(m);
	return rte_be_to_cpu_32(seq);
}

/* covers: DP-10 */
static void test_sequence_numbers_end(void **state)
{
	struct dp_event event;
	struct rig_pair r;

	(void)state;
	open_with_set(&r);
	assert_int_equal(next_number(&r), 1);
	assert_int_equal(next_number(&r), 2);
	phone_line(&r)->seq = 0xefffffff;
	assert_int_equal(next_number(&r), 0xf0000000);
	assert_int_equal(dp_events(r.phone.dp, &event, 1), 0);
	assert_int_equal(next_number(&r), 0xf0000001);
	expect_event(&r, DP_EVENT_SN_NEAR_END);
	assert_int_equal(next_number(&r), 0xf0000002);
	assert_int_equal(dp_events(r.phone.dp, &event, 1), 0); /* once */
	phone_line(&r)->seq = 0xfffffffd;
	assert_int_equal(next_number(&r), 0xfffffffe);
	assert_int_equal(dp_events(r.phone.dp, &event, 1), 0);
	assert_int_equal(next_number(&r), 0xffffffff);
	expect_event(&r, DP_EVENT_SN_END);
	assert_int_equal(next_number(&r), 0);
	assert_int_equal(next_number(&r), 0);
	assert_int_equal(rig_drops(r.phone.dp, DP_DROP_SN_EXHAUSTED), 2);
	assert_int_equal(phone_line(&r)->seq, 0xffffffff);
	rig_pair_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay_is_dropped),
		cmocka_unit_test(test_replay_in_one_burst),
		cmocka_unit_test(test_forged_number_moves_nothing),
		cmocka_unit_test(test_bounced_packet_is_unknown),
		cmocka_unit_test(test_clear_to_protected_port),
		cmocka_unit_test(test_clear_to_other_port),
		cmocka_unit_test(test_large_to_host),
		cmocka_unit_test(test_clear_from_protected_port),
		cmocka_unit_test(test_removed_set),
		cmocka_unit_test(test_reserved_set),
		cmocka_unit_test(test_quiescent_with_empty_engine),
		cmocka_unit_test(test_half_of_a_set),
		cmocka_unit_test(test_sequence_numbers_end),
	};

	return cmocka_run_group_tests_name("dataplane.policy", tests, rig_start, rig_stop);
}
