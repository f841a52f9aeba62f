/* Control's side: waking up, both kinds of datagrams, and what a flood may not do. */
#include <poll.h>
#include <string.h>

#include <rte_cycles.h>

#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

static bool readable(struct dp *dp, int timeout_ms)
{
	struct pollfd fd = {.fd = dp_fd(dp), .events = POLLIN};

	return poll(&fd, 1, timeout_ms) == 1;
}

static void clear_to(struct rig_pair *r, unsigned n)
{
	struct dp_out out = {.local = {r->phone.addr, RIG_SIP_PORT},
			     .remote = {r->pcscf.addr, RIG_SIP_PORT}};
	char text[] = "REGISTER";
	struct iovec iov = {text, 8};

	while (n-- > 0)
		assert_int_equal(dp_send(r->phone.dp, &out, &iov, 1), 0);
}

static unsigned receive_all(struct rig_pair *r)
{
	struct dp_packet pkt[64];
	unsigned n = 0, got;

	while ((got = dp_recv(r->pcscf.dp, pkt, N_OF(pkt))) > 0) {
		dp_release(r->pcscf.dp, pkt, got);
		n += got;
	}
	return n;
}

static void test_arm_and_wake(void **state)
{
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_meet(&r);
	assert_false(readable(r.pcscf.dp, 0));
	/* not armed: nobody is told */
	clear_to(&r, 1);
	rig_pair_poll(&r);
	assert_false(readable(r.pcscf.dp, 0));
	/* waiting: cannot be armed */
	assert_false(dp_arm(r.pcscf.dp));
	assert_int_equal(receive_all(&r), 1);
	assert_true(dp_arm(r.pcscf.dp));
	assert_false(readable(r.pcscf.dp, 0));
	clear_to(&r, 3);
	rig_pair_poll(&r);
	assert_true(readable(r.pcscf.dp, 0));
	dp_disarm(r.pcscf.dp);
	assert_false(readable(r.pcscf.dp, 0));
	assert_int_equal(receive_all(&r), 3);
	rig_pair_close(&r);
}

static void test_event_wakes(void **state)
{
	struct dp_event event;
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL);
	sa_out_at(&r.phone.dp->env.sa,
		  sa_slot_of_id(&r.phone.dp->env.sa, r.phone.set.id, SA_CLIENT))
		->seq = 0xf0000000;
	assert_true(dp_arm(r.phone.dp));
	rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "x", 1);
	rig_pair_poll(&r);
	assert_true(readable(r.phone.dp, 0));
	dp_disarm(r.phone.dp);
	assert_false(dp_arm(r.phone.dp));
	assert_int_equal(dp_events(r.phone.dp, &event, 1), 1);
	assert_true(dp_arm(r.phone.dp));
	rig_pair_close(&r);
}

/* With workers on their threads: each datagram wakes a sleeping control. */
static void test_wake_by_thread(void **state)
{
	struct rig_pair r;
	unsigned i, got = 0, woken = 0;

	(void)state;
	rig_pair_open(&r, 4, 2, true);
	rig_pair_meet(&r);
	for (i = 0; i < 200; i++) {
		if (dp_arm(r.pcscf.dp)) {
			clear_to(&r, 1);
			woken += readable(r.pcscf.dp, 1000);
			dp_disarm(r.pcscf.dp);
		}
		got += receive_all(&r);
	}
	assert_int_equal(woken, 200);
	assert_int_equal(got, 200);
	rig_pair_close(&r);
}

/* Clear datagrams fill their ring, and then only clear ones are lost. covers: DP-12 */
static void test_clear_flood(void **state)
{
	struct dp_packet pkt[4];
	struct rig_pair r;
	unsigned i;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_meet(&r);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	for (i = 0; i < 30; i++) {
		clear_to(&r, 50);
		rig_pair_poll(&r);
	}
	assert_true(rig_drops(r.pcscf.dp, DP_DROP_CONTROL_FULL) > 0);
	assert_int_equal(rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "good", 4), 0);
	rig_pair_poll(&r);
	assert_int_equal(dp_recv(r.pcscf.dp, pkt, N_OF(pkt)), N_OF(pkt));
	assert_int_equal(pkt[0].set, r.pcscf.set.id); /* and it comes first */
	assert_int_equal(pkt[1].set, 0);
	dp_release(r.pcscf.dp, pkt, N_OF(pkt));
	assert_int_equal(receive_all(&r) + N_OF(pkt) - 1 +
				 rig_drops(r.pcscf.dp, DP_DROP_CONTROL_FULL),
			 30 * 50);
	rig_pair_close(&r);
}

/* A control that has stopped does not stop the host's traffic, and no buffer is lost. */
static void test_no_buffer_is_lost(void **state)
{
	struct rig_pair r;
	unsigned before, i;

	(void)state;
	rig_pair_open(&r, 4, 1, false);
	rig_pair_meet(&r);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	rig_pair_poll(&r);
	before = rte_mempool_avail_count(r.phone.dp->env.pool);
	for (i = 0; i < 200; i++) {
		static char text[4000];

		clear_to(&r, 40);
		rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, text, 40 * (i % 100));
		rig_pair_poll(&r);
	}
	receive_all(&r);
	rig_pair_poll(&r);
	assert_int_equal(rte_mempool_avail_count(r.phone.dp->env.pool), before);
	assert_int_equal(rte_mempool_in_use_count(r.phone.dp->env.large), 0);
	assert_int_equal(rte_mempool_in_use_count(r.pcscf.dp->env.large), 0);
	rig_pair_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arm_and_wake),	  cmocka_unit_test(test_event_wakes),
		cmocka_unit_test(test_wake_by_thread),	  cmocka_unit_test(test_clear_flood),
		cmocka_unit_test(test_no_buffer_is_lost),
	};

	return cmocka_run_group_tests_name("dataplane.control", tests, rig_start, rig_stop);
}
