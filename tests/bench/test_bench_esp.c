/* Short runs of the benchmarks themselves: do they find their own output right? */
#include <string.h>

#include "bench/bench_churn.h"
#include "bench/bench_esp.h"
#include "bench/bench_signal.h"
#include "bench/bench_verify.h"
#include "crypto/secret.h"
#include "tests/support/test.h"

static int start(void **state)
{
	struct dp_eal_config eal = {.name = "esplanade-test", .memory_mb = 384, .workers = 2};

	(void)state;
	return secret_init() < 0 || dp_eal_init(&eal) < 0 ? -1 : 0;
}

static int stop(void **state)
{
	(void)state;
	dp_eal_cleanup();
	return 0;
}

static struct bench_options options(void)
{
	return (struct bench_options){
		.ip = 4,
		.encr = SA_ENCR_AES_CBC,
		.size = 512,
		.sas = 10,
		.seconds = 0.05,
		.workers = 1,
	};
}

static void esp_check(const struct bench_options *o)
{
	struct bench_esp_result r;
	struct world *w = NULL;

	assert_int_equal(world_alloc(&w, o, 0), 0);
	assert_int_equal(bench_esp(w, o, &r), 0);
	world_free(w);
	if (!r.verified)
		bench_esp_print(o, &r, stderr);
	assert_true(r.verified);
	assert_true(r.packets > 0 && r.checked > 0);
	assert_true(r.mpps > 0 && r.floor_mpps > 0);
}

static void test_suites(void **state)
{
	struct bench_options o = options();

	(void)state;
	for (unsigned i = 0; i < SA_INTEG_COUNT * SA_ENCR_COUNT * 4; i++) {
		o.inbound = i & 1;
		o.ip = i & 2 ? 6 : 4;
		o.integ = (enum sa_integ)(i / 4 % SA_INTEG_COUNT);
		o.encr = (enum sa_encr)(i / 4 / SA_INTEG_COUNT);
		esp_check(&o);
	}
}

static void test_sizes(void **state)
{
	static const uint16_t sizes[] = {64, 65, 79, 80, 1408};
	struct bench_options o = options();

	(void)state;
	for (unsigned i = 0; i < N_OF(sizes) * 2; i++) {
		o.inbound = i & 1;
		o.size = sizes[i / 2];
		esp_check(&o);
	}
}

static void test_workers(void **state)
{
	struct bench_options o = options();

	(void)state;
	o.workers = 2;
	o.sas = 1000;
	for (unsigned i = 0; i < 2; i++) {
		o.inbound = i & 1;
		esp_check(&o);
	}
}

/* A packet that is not what was sent must be found. */
static void test_finds_damage(void **state)
{
	struct bench_options o = options();
	struct world *w = NULL;
	struct verify v = {0};
	struct rte_mbuf *m;

	(void)state;
	assert_int_equal(world_alloc(&w, &o, 0), 0);
	assert_int_equal(verify_init(&v, w), 0);
	m = rte_pktmbuf_alloc(w->pool);
	assert_non_null(m);
	assert_non_null(rte_pktmbuf_append(m, 200));
	memset(rte_pktmbuf_mtod(m, void *), 0, 200);
	verify_watch_payload(&v, m, 0);
	verify_frame(&v, m);
	assert_int_equal(v.checked, 1);
	assert_int_equal(v.wrong, 1);
	rte_pktmbuf_free(m);
	verify_fini(&v);
	world_free(w);
}

static void test_churn(void **state)
{
	struct bench_options o = options();
	struct bench_churn_result r;
	struct world *w = NULL;

	(void)state;
	assert_int_equal(world_alloc(&w, &o, CHURN_SETS), 0);
	assert_int_equal(bench_churn(w, &o, &r), 0);
	world_free(w);
	assert_true(r.verified);
	assert_int_equal(r.lost, 0);
	assert_true(r.sa_ops > 0);
}

static void signal_check(const struct bench_options *o, struct bench_signal_result *r)
{
	struct world *w = NULL;

	assert_int_equal(world_alloc(&w, o, 0), 0);
	assert_int_equal(bench_signal(w, o, r), 0);
	world_free(w);
	if (!r->verified)
		bench_signal_print(o, r, stderr);
	assert_true(r->verified);
	assert_true(r->sent > 100);
	assert_true(r->p50_us > 0 && r->p99_us >= r->p50_us);
}

/* Loss, replays and damage that were injected are what the report says, no more and no less. */
/* covers: DP-13 */
static void test_signal(void **state)
{
	struct bench_options o = options();
	struct bench_signal_result r;

	(void)state;
	o.inbound = true;
	o.seconds = 0.3;
	o.rate = 20000;
	for (unsigned i = 0; i < 4; i++) {
		o.ip = i & 1 ? 6 : 4;
		o.workers = i & 2 ? 2 : 1;
		o.loss = o.replay = o.damage = 0;
		signal_check(&o, &r);
		assert_int_equal(r.received, r.sent);
		assert_int_equal(r.replay_drops + r.icv_failures + r.injected_lost, 0);
		o.loss = 10;
		o.replay = 5;
		o.damage = 5;
		signal_check(&o, &r);
		assert_true(r.received < r.sent);
		assert_in_range(r.injected_lost, r.sent / 20, r.sent / 5);
		assert_in_range(r.replay_drops, r.sent / 50, r.sent / 10);
		assert_in_range(r.icv_failures, r.sent / 50, r.sent / 10);
	}
}

/* A rate far below what is possible is kept; time passes even with nothing to do. */
static void test_signal_rate(void **state)
{
	struct bench_options o = options();
	struct bench_signal_result r;

	(void)state;
	o.inbound = true;
	o.seconds = 1;
	o.rate = 500;
	signal_check(&o, &r);
	assert_in_range(r.sent, 350, 501); /* a busy machine may be late */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signal),	cmocka_unit_test(test_signal_rate),
		cmocka_unit_test(test_suites),	cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_workers), cmocka_unit_test(test_finds_damage),
		cmocka_unit_test(test_churn),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
