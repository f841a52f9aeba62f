/* Several workers: ownership, hand-over, and sets that come and go while packets flow. */
#include <string.h>

#include <rte_cycles.h>

#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

#define UES    64
#define COPIES 3
#define EACH   8

/* All frames of the phones, taken off the wire. */
static unsigned capture_all(struct rig_pair *r, struct rte_mbuf **m)
{
	struct rte_mbuf *next;
	unsigned n = 0;

	while ((next = rig_pair_capture(r, r->up)) != NULL)
		m[n++] = next;
	return n;
}

static void shuffle(struct rte_mbuf **m, unsigned n)
{
	struct test_random random = {3};
	struct rte_mbuf *swap;
	unsigned i, j;

	for (i = n - 1; i > 0; i--) {
		j = test_random_below(&random, i + 1);
		swap = m[i];
		m[i] = m[j];
		m[j] = swap;
	}
}

static unsigned receive_all(struct rig_pair *r)
{
	struct dp_packet pkt[32];
	unsigned n = 0, got;

	rig_pair_poll(r);
	while ((got = dp_recv(r->pcscf.dp, pkt, N_OF(pkt))) > 0) {
		dp_release(r->pcscf.dp, pkt, got);
		n += got;
		rig_pair_poll(r);
	}
	return n;
}

/*
 * One queue, three workers: each packet, three times and in any order, finds the one worker that
 * owns its UE and is accepted once. covers: DP-04
 */
static void test_each_number_once(void **state)
{
	static struct rte_mbuf *m[UES * EACH * COPIES];
	struct dp_counters c;
	struct rig_pair r;
	unsigned n, i, ue, busy = 0;

	(void)state;
	rig_pair_open(&r, 4, 3, false);
	rig_pair_meet(&r);
	for (ue = 1; ue < UES; ue++) { /* the set with index 0 and all others but one */
		rig_pair_install_ue(&r, (uint16_t)ue, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
		for (i = 0; i < EACH; i++)
			rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, "REGISTER", 8);
		rig_poll(r.phone.dp);
	}
	n = capture_all(&r, m);
	assert_int_equal(n, (UES - 1) * EACH);
	for (i = n; i < n * COPIES; i++)
		m[i] = rig_copy(m[i % n]);
	shuffle(m, n * COPIES);
	for (i = 0; i < n * COPIES; i++) {
		assert_int_equal(rte_ring_enqueue(r.up, m[i]), 0);
		if (i % 300 == 299) /* not more at once than the rings between workers hold */
			rig_poll(r.pcscf.dp);
	}
	assert_int_equal(receive_all(&r), n);
	assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_REPLAY), n * (COPIES - 1));
	for (i = 0; i < 3; i++) {
		dp_worker_counters(r.pcscf.dp, i, &c);
		busy += c.esp_checked > n / 10;
	}
	assert_int_equal(busy, 3);
	rig_pair_close(&r);
}

/* Fragments of one datagram meet at its owner; answers leave by the one queue there is. */
static void test_large_over_workers(void **state)
{
	static char text[9000];
	struct dp_packet pkt;
	struct rig_pair r;
	unsigned ue;

	(void)state;
	rig_pair_open(&r, 6, 3, false);
	rig_pair_meet(&r);
	for (ue = 1; ue < 16; ue++) {
		rig_pair_install_ue(&r, (uint16_t)ue, SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC);
		rig_send(r.phone.dp, r.phone.set.id, SA_CLIENT, text, sizeof(text));
		assert_true(rig_pair_recv(&r, &r.pcscf, &pkt));
		assert_int_equal(pkt.len, sizeof(text));
		dp_release(r.pcscf.dp, &pkt, 1);
		rig_send(r.pcscf.dp, r.pcscf.set.id, SA_CLIENT, text, sizeof(text));
		assert_true(rig_pair_recv(&r, &r.phone, &pkt));
		assert_int_equal(pkt.len, sizeof(text));
		dp_release(r.phone.dp, &pkt, 1);
	}
	assert_int_equal(rig_drops_total(r.pcscf.dp), 0);
	rig_pair_close(&r);
}

/* The host port has one queue too: segments of all UEs get there. */
static void test_tcp_over_workers(void **state)
{
	struct sa_set *set;
	struct rig_pair r;
	unsigned ue;

	(void)state;
	rig_pair_open(&r, 4, 3, false);
	rig_pair_meet(&r);
	rig_poll(r.pcscf.dp);
	for (ue = 1; ue < 16; ue++) {
		rig_pair_install_ue(&r, (uint16_t)ue, SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC);
		set = &r.phone.set;
		rig_segment(&r.phone, &set->local, &set->remote, RIG_PORT_UC, RIG_PORT_PS);
		set = &r.pcscf.set;
		rig_segment(&r.pcscf, &set->local, &set->remote, RIG_PORT_PC, RIG_PORT_US);
		rig_pair_poll(&r);
	}
	assert_int_equal(rig_segments(&r.pcscf), 15);
	assert_int_equal(rig_segments(&r.phone), 15);
	rig_pair_close(&r);
}

/* ---- with threads ------------------------------------------------------------------------- */

static void drain(struct rig_side *side, uint64_t *got, uint64_t *wrong)
{
	struct dp_packet pkt[32];
	unsigned n, i;

	while ((n = dp_recv(side->dp, pkt, N_OF(pkt))) > 0) {
		for (i = 0; i < n; i++)
			*wrong += pkt[i].set && (pkt[i].len != 64 || pkt[i].data[0] != 'M');
		*got += n;
		dp_release(side->dp, pkt, n);
	}
}

/*
 * Sets are installed and removed in a tight loop while every one carries packets: what arrives is
 * right, and what does not is counted as unknown or stale. covers: DP-06, DP-07
 */
static void test_removal_under_load(void **state)
{
	static struct sa_set phone[UES], pcscf[UES];
	char text[64];
	uint64_t until, got = 0, wrong = 0, sent = 0, changes = 0, lost;
	struct test_random random = {5};
	struct rig_pair r;
	unsigned ue;

	(void)state;
	memset(text, 'M', sizeof(text));
	rig_pair_open(&r, 4, 2, true);
	rig_pair_meet(&r);
	for (ue = 0; ue < UES - 16; ue++) {
		rig_pair_install_ue(&r, (uint16_t)(ue + 1), SA_INTEG_HMAC_SHA_1_96, ue % 3);
		phone[ue] = r.phone.set;
		pcscf[ue] = r.pcscf.set;
	}
	until = rte_rdtsc() + 2 * rte_get_tsc_hz();
	while (rte_rdtsc() < until) {
		ue = test_random_below(&random, UES - 16);
		sent += rig_send(r.phone.dp, phone[ue].id, SA_CLIENT, text, sizeof(text)) == 0;
		drain(&r.pcscf, &got, &wrong);
		if (sent % 4)
			continue;
		r.phone.set = phone[ue];
		r.pcscf.set = pcscf[ue];
		rig_pair_remove(&r);
		do { /* places come back when the workers have been quiescent */
			drain(&r.pcscf, &got, &wrong);
			drain(&r.phone, &got, &wrong);
		} while (!rig_pair_room(&r));
		rig_pair_install_ue(&r, (uint16_t)(ue + 1), SA_INTEG_HMAC_SHA_1_96, ue % 3);
		phone[ue] = r.phone.set;
		pcscf[ue] = r.pcscf.set;
		changes++;
	}
	rte_delay_us_sleep(20000);
	drain(&r.pcscf, &got, &wrong);
	lost = rig_drops_total(r.phone.dp) + rig_drops_total(r.pcscf.dp);
	print_message("%lu sent, %lu received, %lu dropped, %lu sets changed\n", sent, got, lost,
		      changes);
	assert_int_equal(wrong, 0);
	assert_true(changes > 100 && got > 100);
	assert_int_equal(got + lost, sent);
	assert_int_equal(dp_sa_sets_in_use(r.phone.dp), UES - 16);
	assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_BAD_ICV), 0);
	assert_int_equal(rig_drops(r.pcscf.dp, DP_DROP_REPLAY), 0);
	rig_pair_close(&r);
}

/* A worker without work is not a busy core. */
static void test_idle_workers_sleep(void **state)
{
	struct dp_counters c, later;
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 4, 1, true);
	rig_pair_meet(&r);
	rte_delay_us_sleep(50000);
	dp_worker_counters(r.phone.dp, 0, &c);
	rte_delay_us_sleep(100000);
	dp_worker_counters(r.phone.dp, 0, &later);
	assert_true(later.sleeps > c.sleeps);
	assert_true(later.polls - c.polls < 3000); /* 100 us each, not a busy core */
	assert_int_equal(later.polls - c.polls, later.empty_polls - c.empty_polls);
	rig_pair_close(&r);
}

static bool lines_apart(const void *a, size_t a_len, const void *b, size_t b_len)
{
	uintptr_t from = (uintptr_t)a / RTE_CACHE_LINE_SIZE,
		  other = (uintptr_t)b / RTE_CACHE_LINE_SIZE;

	return ((uintptr_t)a + a_len - 1) / RTE_CACHE_LINE_SIZE < other ||
	       ((uintptr_t)b + b_len - 1) / RTE_CACHE_LINE_SIZE < from;
}

/*
 * What each worker writes for its packets shares no cache line with what another one writes or
 * looks at: contexts and counters, batches for others, rings' ends. Sets have whole lines.
 */
static void test_nothing_shared(void **state)
{
	const size_t batches = 3 * sizeof(struct handover_batch);
	struct rig_pair r;

	(void)state;
	rig_pair_open(&r, 4, 3, false);
	for (unsigned i = 0; i < 3; i++) {
		const struct worker *w = r.pcscf.dp->workers[i];
		const struct rte_ring *ring = w->handover;

		assert_int_equal((uintptr_t)w % RTE_CACHE_LINE_SIZE, 0);
		assert_int_equal((uintptr_t)w->hand_to % RTE_CACHE_LINE_SIZE, 0);
		assert_true(lines_apart(&ring->prod, sizeof(ring->prod), &ring->cons,
					sizeof(ring->cons)));
		assert_true(lines_apart(&w->stop, 1, &w->c, sizeof(w->c)));
		for (unsigned k = 0; k < i; k++) {
			const struct worker *v = r.pcscf.dp->workers[k];

			assert_ptr_not_equal(w->engine, v->engine);
			assert_ptr_not_equal(w->iv, v->iv);
			assert_true(lines_apart(w, sizeof(*w), v, sizeof(*v)));
			assert_true(lines_apart(w->hand_to, batches, v->hand_to, batches));
			assert_true(lines_apart(w->pmtu, 1, v->pmtu, 1));
			assert_true(lines_apart(w->frag, 1, v->frag, 1));
		}
	}
	assert_int_equal((uintptr_t)r.pcscf.dp->env.sa.blocks % RTE_CACHE_LINE_SIZE, 0);
	assert_int_equal((uintptr_t)r.pcscf.dp->env.sa.tunnels % RTE_CACHE_LINE_SIZE, 0);
	rig_pair_close(&r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_number_once),
		cmocka_unit_test(test_large_over_workers),
		cmocka_unit_test(test_nothing_shared),
		cmocka_unit_test(test_tcp_over_workers),
		cmocka_unit_test(test_removal_under_load),
		cmocka_unit_test(test_idle_workers_sleep),
	};

	return cmocka_run_group_tests_name("dataplane.workers", tests, rig_start, rig_stop);
}
