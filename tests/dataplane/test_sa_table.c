/* The SA table: names, install and removal as control sees them, reuse after quiescence. */
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>

#include "crypto/secret.h"
#include "dataplane/tcp_lookup.h"
#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

#define SETS 64

struct table {
	struct sa_table *t;
	const struct sa_view *view;
	struct rte_rcu_qsbr *qsbr; /* with one worker, number 0 */
};

static void table_open(struct table *x, uint32_t sets, uint16_t window)
{
	struct sa_table_conf conf = {.sets = sets, .replay_window = window, .workers = 1};

	x->qsbr = aligned_alloc(64, (rte_rcu_qsbr_get_memsize(1) + 63) & ~(size_t)63);
	assert_non_null(x->qsbr);
	assert_int_equal(rte_rcu_qsbr_init(x->qsbr, 1), 0);
	rte_rcu_qsbr_thread_register(x->qsbr, 0);
	rte_rcu_qsbr_thread_online(x->qsbr, 0);
	conf.qsbr = x->qsbr;
	assert_int_equal(sa_table_alloc(&x->t, &conf), 0);
	x->view = sa_table_view(x->t);
}

static void table_close(struct table *x)
{
	rte_rcu_qsbr_thread_offline(x->qsbr, 0);
	sa_table_free(x->t);
	free(x->qsbr);
}

static void worker_is_quiescent(struct table *x)
{
	rte_rcu_qsbr_quiescent(x->qsbr, 0);
	sa_table_reclaim(x->t);
}

/* Everything but id and SPIs: the n-th UE. */
static void set_fill(struct sa_set *set, uint16_t n)
{
	unsigned pair;

	set->mode = SA_MODE_TRANSPORT;
	set->integ = SA_INTEG_HMAC_SHA_1_96;
	set->encr = SA_ENCR_AES_CBC;
	ip_addr_parse(&set->local, "192.0.2.1");
	ip_addr_parse(&set->remote, "10.0.0.1");
	memset(&set->keys, 0x5a, sizeof(set->keys));
	for (pair = 0; pair < SA_PAIRS; pair++) {
		set->spi_out[pair] = 1000 + pair;
		set->local_port[pair] = (uint16_t)(6000 + pair);
		set->remote_port[pair] = (uint16_t)(10000 + 2 * n + pair);
	}
}

static int install_new(struct table *x, struct sa_set *set, uint16_t n)
{
	int rc;

	memset(set, 0, sizeof(*set));
	rc = sa_table_reserve(x->t, NULL, 0, set);
	set_fill(set, n);
	return rc < 0 ? rc : sa_table_install(x->t, set);
}

/* covers: SP-01 */
static void test_spi_names_its_slot(void **state)
{
	struct sa_set set = {0};
	struct table x;
	unsigned i, pair;

	(void)state;
	table_open(&x, SETS, 128);
	for (i = 0; i < SETS; i++) {
		assert_int_equal(sa_table_reserve(x.t, NULL, 0, &set), 0);
		assert_int_not_equal(set.id, 0);
		for (pair = 0; pair < SA_PAIRS; pair++) {
			assert_true(set.spi_in[pair] >= SA_SPI_MIN);
			assert_int_equal(sa_slot_of_spi(x.view, set.spi_in[pair]),
					 sa_slot_of_id(x.view, set.id, pair));
		}
		assert_int_equal(sa_table_in_use(x.t), i + 1);
	}
	assert_int_equal(sa_table_reserve(x.t, NULL, 0, &set), -ENOSPC);
	table_close(&x);
}

/* Random numbers that the next SPIs will be made of; past the end they are real. */
struct fixed_random {
	const uint32_t *next;
	unsigned n;
};

static struct fixed_random fixed_random;

uint32_t __real_secret_word(struct secret_words *w);
uint32_t __wrap_secret_word(struct secret_words *w);
uint32_t __wrap_secret_word(struct secret_words *w)
{
	if (fixed_random.n == 0)
		return __real_secret_word(w);
	fixed_random.n--;
	return *fixed_random.next++;
}

static void random_is(const uint32_t *numbers, unsigned n)
{
	fixed_random.next = numbers;
	fixed_random.n = n;
}

/* Below 256 is reserved (RFC 4303 2.1), and a slot does not get the SPI it had last. */
static void test_spi_is_fresh(void **state)
{
	static const uint32_t first[] = {0, 127, 0xaaaaaa00, 128, 0xbbbbbb00};
	static const uint32_t second[] = {0xaaaaaa00, 0xcccccc00, 0xbbbbbb7f, 0xdddddd00};
	struct sa_set set = {0};
	struct table x;

	(void)state;
	table_open(&x, 1, 128); /* one bit of slot */
	random_is(first, N_OF(first));
	assert_int_equal(sa_table_reserve(x.t, NULL, 0, &set), 0);
	assert_int_equal(set.spi_in[0], 0xaaaaaa00);
	assert_int_equal(set.spi_in[1], 0xbbbbbb01);
	sa_table_remove(x.t, set.id);
	random_is(second, N_OF(second));
	assert_int_equal(sa_table_reserve(x.t, NULL, 0, &set), 0);
	assert_int_equal(set.spi_in[0], 0xcccccc00);
	assert_int_equal(set.spi_in[1], 0xbbbbbb7f);
	table_close(&x);
}

static void range_holds(uint32_t min, uint32_t max, uint32_t sets)
{
	struct sa_table_conf conf = {
		.sets = sets, .replay_window = 128, .workers = 1, .spi_min = min, .spi_max = max};
	struct sa_set set = {0};
	struct sa_table *t;
	unsigned i, round;

	assert_int_equal(sa_table_alloc(&t, &conf), 0);
	for (round = 0; round < 20; round++) {
		sa_set_id ids[16];

		for (i = 0; i < sets; i++) {
			assert_int_equal(sa_table_reserve(t, NULL, 0, &set), 0);
			ids[i] = set.id;
			for (unsigned pair = 0; pair < SA_PAIRS; pair++)
				assert_true(set.spi_in[pair] >= min && set.spi_in[pair] <= max);
			assert_int_not_equal(set.spi_in[0], set.spi_in[1]);
		}
		assert_int_equal(sa_table_reserve(t, NULL, 0, &set), -ENOSPC);
		for (i = 0; i < sets; i++)
			sa_table_remove(t, ids[i]);
	}
	sa_table_free(t);
}

/* covers: SP-05 */
static void test_spi_range(void **state)
{
	struct sa_table_conf narrow = {
		.sets = 16, .replay_window = 128, .workers = 1, .spi_min = 1000, .spi_max = 1126};
	struct sa_table *t;

	(void)state;
	range_holds(1000, 1127, 16); /* DP_SPI_ROOM for each */
	range_holds(4096, 8191, 16);
	range_holds(0x80000000, UINT32_MAX, 16);
	range_holds(UINT32_MAX - 200, UINT32_MAX, 16);
	range_holds(300, 0x90000001, 1);
	assert_int_equal(sa_table_alloc(&t, &narrow), -EINVAL);
}

/* The UE offers the very SPIs that we would choose next. covers: SP-03 */
static void test_spi_avoids(void **state)
{
	static const uint32_t numbers[] = {0x1000, 0x2000, 0x3000, 0x2000, 0x4000};
	static const uint32_t avoid[] = {0x1000, 0x2000, 0x2001};
	struct sa_set set = {0};
	struct table x;

	(void)state;
	table_open(&x, 1, 128);
	random_is(numbers, N_OF(numbers));
	assert_int_equal(sa_table_reserve(x.t, avoid, N_OF(avoid), &set), 0);
	assert_int_equal(set.spi_in[0], 0x3000);
	assert_int_equal(set.spi_in[1], 0x4001);
	table_close(&x);
}

static void test_install_refuses(void **state)
{
	struct sa_set good = {0}, set;
	struct table x;

	(void)state;
	table_open(&x, SETS, 128);
	assert_int_equal(sa_table_reserve(x.t, NULL, 0, &good), 0);
	set_fill(&good, 0);
#define REFUSED(change, error)                                                                     \
	do {                                                                                       \
		set = good;                                                                        \
		change;                                                                            \
		assert_int_equal(sa_table_install(x.t, &set), error);                              \
	} while (0)
	REFUSED(set.mode = SA_MODE_UDP_ENC_TUN, -EINVAL); /* no inner addresses */
	REFUSED((set.mode = SA_MODE_UDP_ENC_TUN, set.tunnel.inner_local.version = 4,
		 set.tunnel.inner_remote[0].version = 6),
		-EINVAL);
	REFUSED((set.mode = SA_MODE_UDP_ENC_TUN, set.tunnel.inner_local.version = 4,
		 set.tunnel.inner_remote[0].version = 4, set.tunnel.inner_remote[1].version = 6),
		-EINVAL);
	REFUSED((set.mode = SA_MODE_UDP_ENC_TUN, set.tunnel.inner_local.version = 4,
		 set.tunnel.inner_remote[0].version = 4, set.tunnel.host_alias.version = 6),
		-EINVAL);
	REFUSED(set.mode = SA_MODE_COUNT, -EINVAL);
	REFUSED(set.integ = SA_INTEG_COUNT, -EINVAL);
	REFUSED(set.encr = SA_ENCR_COUNT, -EINVAL);
	REFUSED(set.spi_out[1] = 255, -EINVAL);
	REFUSED(set.spi_in[0]++, -EINVAL);
	REFUSED(set.local_port[0] = 0, -EINVAL);
	REFUSED(set.remote_port[1] = 0, -EINVAL);
	REFUSED(set.remote.version = 6, -EINVAL);
	REFUSED(set.local.version = 0, -EINVAL);
	REFUSED(set.id += SETS, -ESTALE);
	REFUSED(set.id = 0, -ESTALE);
	REFUSED((void)0, 0);
	REFUSED((void)0, -EINVAL); /* twice */
#undef REFUSED
	assert_int_equal(install_new(&x, &set, 0), -EEXIST);
	assert_int_equal(sa_live(sa_shared_at(x.view, 0)), good.id);
	table_close(&x);
}

/* covers: ES-12 */
static void test_peers_may_choose_one_spi(void **state)
{
	struct sa_set a, b;
	struct table x;

	(void)state;
	table_open(&x, SETS, 128);
	assert_int_equal(install_new(&x, &a, 1), 0);
	assert_int_equal(install_new(&x, &b, 2), 0);
	assert_int_equal(a.spi_out[0], b.spi_out[0]);
	assert_int_not_equal(a.spi_in[0], b.spi_in[0]);
	table_close(&x);
}

static bool key_is_wiped(const struct table *x, uint32_t index)
{
	struct esp_key zero;

	memset(&zero, 0, sizeof(zero));
	return memcmp(sa_key_at(x->view, index), &zero, sizeof(zero)) == 0;
}

/* covers: DP-07 */
static void test_remove_waits_for_workers(void **state)
{
	struct dp_sa_counters counters;
	struct sa_set set, other;
	struct table x;
	unsigned i;

	(void)state;
	table_open(&x, 1, 128);
	assert_int_equal(install_new(&x, &set, 1), 0);
	assert_int_equal(sa_live(sa_shared_at(x.view, 0)), set.id);
	sa_table_remove(x.t, set.id);
	/* out of use at once ... */
	assert_int_equal(sa_live(sa_shared_at(x.view, 0)), 0);
	assert_int_equal(sa_table_in_use(x.t), 0);
	assert_int_equal(sa_table_counters(x.t, set.id, SA_SERVER, true, &counters), -ENOENT);
	/* ... but neither wiped nor given out again while the worker may hold it */
	for (i = 0; i < 3; i++)
		assert_int_equal(install_new(&x, &other, 1), -ENOSPC);
	assert_false(key_is_wiped(&x, 0));
	worker_is_quiescent(&x);
	assert_true(key_is_wiped(&x, 0));
	assert_int_equal(install_new(&x, &other, 1), 0);
	assert_int_not_equal(other.id, set.id);
	sa_table_remove(x.t, set.id); /* stale: does nothing */
	assert_int_equal(sa_live(sa_shared_at(x.view, 0)), other.id);
	table_close(&x);
}

/* A removal during a grace period is not covered by it. */
static void test_remove_in_grace_period(void **state)
{
	struct sa_set a, b;
	struct table x;

	(void)state;
	table_open(&x, 2, 128);
	assert_int_equal(install_new(&x, &a, 1), 0);
	assert_int_equal(install_new(&x, &b, 2), 0);
	sa_table_remove(x.t, a.id);
	sa_table_remove(x.t, b.id);
	worker_is_quiescent(&x);
	assert_true(key_is_wiped(&x, 0));
	assert_false(key_is_wiped(&x, 1));
	worker_is_quiescent(&x);
	assert_true(key_is_wiped(&x, 1));
	table_close(&x);
}

static void test_tcp_lookup_follows(void **state)
{
	struct tcp_key key;
	struct sa_set set;
	struct table x;
	unsigned pair, turn;

	(void)state;
	table_open(&x, 4, 128);
	for (turn = 0; turn < 200; turn++) { /* many more than there are places */
		assert_int_equal(install_new(&x, &set, 1), 0);
		for (pair = 0; pair < SA_PAIRS; pair++) {
			tcp_key_make(&key, &set.local, &set.remote,
				     rte_cpu_to_be_16(set.local_port[pair]),
				     rte_cpu_to_be_16(set.remote_port[pair]));
			assert_int_equal(tcp_lookup_find(sa_table_tcp(x.t), &key),
					 sa_slot_of_id(x.view, set.id, pair));
		}
		sa_table_remove(x.t, set.id);
		assert_int_equal(tcp_lookup_find(sa_table_tcp(x.t), &key), -ENOENT);
		worker_is_quiescent(&x);
		worker_is_quiescent(&x);
	}
	table_close(&x);
}

static void test_reserve_spi(void **state)
{
	struct sa_set set = {0}, other = {0};
	struct table x;
	unsigned i;

	(void)state;
	table_open(&x, SETS, 128);
	assert_int_equal(sa_table_reserve_spi(x.t, 0xdeadbeef, &set), 0);
	assert_int_equal(set.spi_in[1], 0xdeadbeef);
	assert_int_equal(set.spi_in[0], 0);
	assert_int_equal(sa_table_reserve_spi(x.t, 0xdeadbeef ^ SETS, &other), -EBUSY);
	assert_int_equal(sa_table_reserve_spi(x.t, 255, &other), -EINVAL);
	for (i = 1; i < SETS; i++) /* the list has lost none */
		assert_int_equal(sa_table_reserve(x.t, NULL, 0, &other), 0);
	assert_int_equal(sa_table_reserve(x.t, NULL, 0, &other), -ENOSPC);
	set_fill(&set, 3);
	assert_int_equal(sa_table_install(x.t, &set), 0);
	table_close(&x);
}

/* Large windows live outside the SA's line: neighbours must not share octets. */
static void test_windows_are_apart(void **state)
{
	static const uint16_t windows[] = {32, 64, 128, 256, 288, 512, 1024};
	struct table x;
	size_t i;

	(void)state;
	for (i = 0; i < N_OF(windows); i++) {
		table_open(&x, 4, windows[i]);
		assert_true((uint8_t *)sa_window(x.view, 1) - (uint8_t *)sa_window(x.view, 0) >=
			    windows[i] / 8);
		assert_int_equal(x.view->replay.window, windows[i]);
		memset(sa_window(x.view, 7), 0xff, replay_octets(x.view->replay));
		assert_int_equal(*sa_window(x.view, 6), 0);
		table_close(&x);
	}
}

/* Every slot taken, and a million names later still each finds its own. */
static void test_churn(void **state)
{
	struct test_random random = {11};
	struct sa_set sets[SETS];
	struct table x;
	unsigned i, n;

	(void)state;
	table_open(&x, SETS, 128);
	for (i = 0; i < SETS - 8; i++)
		assert_int_equal(install_new(&x, &sets[i], (uint16_t)i), 0);
	for (n = 0; n < 5000; n++) {
		i = test_random_below(&random, SETS - 8);
		assert_int_equal(sa_live(sa_shared_at(x.view, sets[i].id & (SETS - 1))),
				 sets[i].id);
		sa_table_remove(x.t, sets[i].id);
		worker_is_quiescent(&x);
		assert_int_equal(install_new(&x, &sets[i], (uint16_t)i), 0);
		assert_int_equal(sa_table_in_use(x.t), SETS - 8);
	}
	table_close(&x);
}

/* covers: LC-05, LC-06 */
static void test_outbound_goes_first(void **state)
{
	struct dp_sa_counters c;
	struct sa_set set, other;
	struct table x;

	(void)state;
	table_open(&x, SETS, 128);
	assert_int_equal(install_new(&x, &set, 0), 0);
	sa_table_remove_outbound(x.t, set.id);
	for (unsigned pair = 0; pair < SA_PAIRS; pair++) {
		uint32_t slot = sa_slot_of_id(x.view, set.id, pair);

		assert_true(sa_out_at(x.view, slot)->closed);
		assert_int_equal(sa_in_at(x.view, slot)->spi, set.spi_in[pair]);
		assert_int_equal(sa_table_counters(x.t, set.id, pair, true, &c), 0);
		assert_int_equal(sa_table_counters(x.t, set.id, pair, false, &c), -ENOENT);
	}
	assert_int_equal(sa_live(sa_shared_at(x.view, set.id & (SETS - 1))), set.id);
	assert_int_equal(sa_table_install(x.t, &set), -EINVAL);
	/* its ports may be used again, and the end of the first does not touch the second */
	assert_int_equal(install_new(&x, &other, 0), 0);
	sa_table_remove_outbound(x.t, set.id);
	sa_table_remove(x.t, set.id);
	worker_is_quiescent(&x);
	worker_is_quiescent(&x);
	assert_int_equal(install_new(&x, &set, 0), -EEXIST);
	sa_table_remove(x.t, set.id);
	sa_table_remove(x.t, other.id);
	assert_int_equal(sa_table_in_use(x.t), 0);
	assert_int_equal(sa_table_counters(x.t, other.id, SA_SERVER, true, &c), -ENOENT);
	table_close(&x);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spi_names_its_slot),
		cmocka_unit_test(test_spi_is_fresh),
		cmocka_unit_test(test_spi_range),
		cmocka_unit_test(test_outbound_goes_first),
		cmocka_unit_test(test_spi_avoids),
		cmocka_unit_test(test_install_refuses),
		cmocka_unit_test(test_peers_may_choose_one_spi),
		cmocka_unit_test(test_remove_waits_for_workers),
		cmocka_unit_test(test_remove_in_grace_period),
		cmocka_unit_test(test_tcp_lookup_follows),
		cmocka_unit_test(test_reserve_spi),
		cmocka_unit_test(test_windows_are_apart),
		cmocka_unit_test(test_churn),
	};

	return cmocka_run_group_tests_name("dataplane.sa_table", tests, rig_start, rig_stop);
}
