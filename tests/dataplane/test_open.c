/* Opening and closing: what the configuration may ask for, and nothing left behind when it fails.
 */
#include <errno.h>

#include "tests/dataplane/rig.h"
#include "tests/support/test.h"

static struct rig_port ring_port(void)
{
	struct rig_port port;

	rig_port_make(&port, "open", rig_ring("open-to"), rig_ring("open-from"));
	return port;
}

static void ring_port_done(struct rig_port *port)
{
	rig_port_free(port);
	rte_ring_free(port->to);
	rte_ring_free(port->from);
}

static void test_refused(void **state)
{
	struct rig_port port = ring_port();
	struct dp_config good = rig_config(), conf;
	struct dp *dp = NULL;

	(void)state;
	good.ue_port = port.name;
#define REFUSED(change, error)                                                                     \
	do {                                                                                       \
		conf = good;                                                                       \
		change;                                                                            \
		assert_int_equal(dp_alloc(&dp, &conf), error);                                     \
		assert_null(dp);                                                                   \
	} while (0)
	REFUSED(conf.ue_port = NULL, -EINVAL);
	REFUSED(conf.workers = 0, -EINVAL);
	REFUSED(conf.workers = DP_MAX_WORKERS + 1, -EINVAL);
	REFUSED(conf.workers = 5, -EINVAL); /* the EAL has four */
	REFUSED(conf.sa_sets = 0, -EINVAL);
	REFUSED(conf.sa_sets = 4194305, -EINVAL);
	REFUSED(conf.replay_window = 31, -EINVAL);
	REFUSED(conf.replay_window = 1025, -EINVAL);
	REFUSED(conf.mtu = 500, -EINVAL);
	REFUSED(conf.n_local = DP_MAX_LOCAL + 1, -EINVAL);
	REFUSED(conf.protected_max = 5999, -EINVAL);
	REFUSED(conf.buffers = 1000000, -ENOMEM);
#undef REFUSED
	ring_port_done(&port);
}

static void test_unknown_device(void **state)
{
	struct dp_config conf = rig_config();
	struct dp *dp = NULL;

	(void)state;
	conf.ue_port = "no_such_device0";
	assert_true(dp_alloc(&dp, &conf) < 0);
	conf.ue_port = "";
	assert_true(dp_alloc(&dp, &conf) < 0);
	assert_null(dp);
}

/* Devices by their arguments; opened, closed, and again. */
static void test_made_device(void **state)
{
	struct dp_config conf = rig_config();
	struct dp *dp;
	unsigned i;

	(void)state;
	conf.ue_port = "net_null0,size=64,no-rx=1";
	for (i = 0; i < 3; i++) {
		assert_int_equal(dp_alloc(&dp, &conf), 0);
		assert_int_equal(dp_workers(dp), 1);
		dp_free(dp);
	}
}

static void test_all_windows(void **state)
{
	static const uint16_t windows[] = {32, 100, 128, 1024};
	struct rig_port port = ring_port();
	struct dp_config conf = rig_config();
	struct dp *dp;
	size_t i;

	(void)state;
	conf.ue_port = port.name;
	for (i = 0; i < N_OF(windows); i++) {
		conf.replay_window = windows[i];
		assert_int_equal(dp_open(&dp, &conf, ESP_BACKEND_IPSEC_MB), 0);
		assert_int_equal(dp->env.sa.replay.window, (windows[i] + 31) / 32 * 32);
		dp_free(dp);
	}
	ring_port_done(&port);
}

static void test_drop_names(void **state)
{
	unsigned i, j;

	(void)state;
	for (i = 0; i < DP_DROP_COUNT; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(dp_drop_name(i), dp_drop_name(j));
	assert_string_equal(dp_drop_name(DP_DROP_BAD_ICV), "bad_icv");
	assert_string_equal(dp_drop_name(DP_DROP_COUNT), "unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),	    cmocka_unit_test(test_unknown_device),
		cmocka_unit_test(test_made_device), cmocka_unit_test(test_all_windows),
		cmocka_unit_test(test_drop_names),
	};

	return cmocka_run_group_tests_name("dataplane.open", tests, rig_start, rig_stop);
}
