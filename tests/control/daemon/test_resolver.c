/* Names looked up by the loop's threads. */
#include "control/daemon/daemon.h"
#include "tests/support/test.h"

static struct {
	unsigned calls, n;
	uint32_t id;
	struct ip_addr addrs[16];
} last;

void __wrap_pcscf_resolved(struct pcscf *p, uint32_t id, const struct ip_addr *addrs, unsigned n,
			   uint64_t now);
void __wrap_pcscf_resolved(struct pcscf *p, uint32_t id, const struct ip_addr *addrs, unsigned n,
			   uint64_t now)
{
	(void)p;
	(void)now;
	last.calls++;
	last.id = id;
	last.n = n;
	memcpy(last.addrs, addrs, n * sizeof(*addrs));
}

static struct daemon d;

static int setup(void **state)
{
	(void)state;
	memset(&d, 0, sizeof(d));
	memset(&last, 0, sizeof(last));
	assert_int_equal(mw_alloc(&d.mw), 0);
	return uv_loop_init(&d.loop);
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(d.n_lookups, 0);
	assert_null(d.lookups);
	mw_free(d.mw);
	return uv_loop_close(&d.loop);
}

/* covers: ST-05 */
static void a_name_of_the_hosts_file(void **state)
{
	struct ip_addr v4, v6;
	bool found = false;

	(void)state;
	ip_addr_parse(&v4, "127.0.0.1");
	ip_addr_parse(&v6, "::1");
	assert_int_equal(daemon_resolve(&d, "localhost", 77), 0);
	assert_int_equal(last.calls, 0); /* never at once */
	uv_run(&d.loop, UV_RUN_DEFAULT);
	assert_int_equal(last.calls, 1);
	assert_int_equal(last.id, 77);
	for (unsigned i = 0; i < last.n; i++)
		found |= ip_addr_eq(&last.addrs[i], &v4) || ip_addr_eq(&last.addrs[i], &v6);
	assert_true(found);
}

static void lookups_are_bounded_and_end_with_the_daemon(void **state)
{
	unsigned n = 0;

	(void)state;
	while (n < 1000 && daemon_resolve(&d, "localhost", n) == 0)
		n++;
	assert_true(n > 1 && n < 100);
	daemon_resolver_end(&d);
	uv_run(&d.loop, UV_RUN_DEFAULT);
	assert_true(last.calls <= n); /* not those that no thread had begun */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_of_the_hosts_file, setup, teardown),
		cmocka_unit_test_setup_teardown(lookups_are_bounded_and_end_with_the_daemon, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
