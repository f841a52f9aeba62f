/*
 * SAs on clocks that run ahead: TSC of the workers (clock.h), monotonic time of the slow path,
 * time given to dp_keepalive(). The data plane has no lifetime of SAs: what control has installed
 * stays as long as TS 33.203 7.1 wants it, 4294967295 s, unless control removes it.
 */
#include "tests/dataplane/clock.h"

#undef rte_rdtsc

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

#define SA_LIFE	   4294967295u
#define SLOW_TURNS 4 /* of the two slow paths: after so many each has seen the new time */
#define POLLS	   2000

static struct {
	_Atomic uint64_t ahead_s;
	_Atomic unsigned tsc_reads, time_reads;
} skew;

uint64_t clock_tsc(void)
{
	skew.tsc_reads++;
	return rte_rdtsc() + skew.ahead_s * rte_get_tsc_hz();
}

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = __real_clock_gettime(id, ts);

	ts->tv_sec += (time_t)skew.ahead_s;
	skew.time_reads++;
	return rc;
}

/* A datagram each way on the set. */
static void expect_alive(struct rig_pair *r)
{
	static const char text[] = "still here";
	struct dp_packet pkt;
	unsigned i;

	for (i = 0; i < 2; i++) {
		struct rig_side *from = i ? &r->pcscf : &r->phone, *to = rig_pair_peer(r, from);

		assert_int_equal(rig_send(from->dp, from->set.id, SA_CLIENT, text, sizeof(text)),
				 0);
		assert_true(rig_pair_recv(r, to, &pkt));
		assert_int_equal(pkt.set, to->set.id);
		assert_memory_equal(pkt.data, text, sizeof(text));
		dp_release(to->dp, &pkt, 1);
	}
	assert_int_equal(dp_sa_sets_in_use(r->phone.dp), 1);
	assert_int_equal(dp_sa_sets_in_use(r->pcscf.dp), 1);
}

/* Moves all clocks, and lets everybody see it who might look at them. */
static void time_is(struct rig_pair *r, uint64_t ahead_s)
{
	unsigned tsc = skew.tsc_reads, turns, i;

	skew.ahead_s = ahead_s;
	dp_keepalive(r->phone.dp, ahead_s * 1000);
	dp_keepalive(r->pcscf.dp, ahead_s * 1000);
	for (i = 0; i < POLLS; i++)
		rig_pair_poll(r);
	assert_true(skew.tsc_reads - tsc >= POLLS);
	turns = skew.time_reads;
	for (i = 0; i < 3000 && skew.time_reads - turns < SLOW_TURNS; i++)
		rte_delay_us_sleep(1000);
	assert_true(skew.time_reads - turns >= SLOW_TURNS);
}

/* Afterwards neither side sends, and what was still sent to a removed SA is not known. */
static void expect_removed(struct rig_pair *r)
{
	static const char text[] = "too late";
	uint64_t unknown = rig_drops(r->pcscf.dp, DP_DROP_UNKNOWN_SPI);
	struct dp_packet pkt;

	dp_sa_remove(r->pcscf.dp, r->pcscf.set.id);
	assert_int_equal(dp_sa_sets_in_use(r->pcscf.dp), 0);
	assert_int_equal(rig_send(r->pcscf.dp, r->pcscf.set.id, SA_CLIENT, text, sizeof(text)),
			 -ESTALE);
	assert_int_equal(rig_send(r->phone.dp, r->phone.set.id, SA_CLIENT, text, sizeof(text)), 0);
	assert_false(rig_pair_got(r, &r->pcscf, &pkt));
	assert_int_equal(rig_drops(r->pcscf.dp, DP_DROP_UNKNOWN_SPI), unknown + 1);
	dp_sa_remove(r->phone.dp, r->phone.set.id);
	assert_int_equal(rig_send(r->phone.dp, r->phone.set.id, SA_CLIENT, text, sizeof(text)),
			 -ESTALE);
}

/* covers: ES-11 */
static void test_only_control_ends_an_sa(void **state)
{
	static const uint64_t times[] = {3600, 365 * 86400u, SA_LIFE};
	struct rig_pair r;
	size_t i;

	(void)state;
	rig_pair_open(&r, 6, 1, false);
	rig_pair_install(&r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	expect_alive(&r);
	for (i = 0; i < N_OF(times); i++) {
		time_is(&r, times[i]);
		expect_alive(&r);
	}
	expect_removed(&r);
	rig_pair_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_control_ends_an_sa),
	};

	return cmocka_run_group_tests_name("dataplane.lifetime", tests, rig_start, rig_stop);
}
