/* REGISTERs with a host name in their Via (TS 33.203 7.1 rule 2). */
#include "tests/control/pcscf/rig.h"

static struct rig r;
static struct rig_ue u;

static int setup(void **state)
{
	(void)state;
	rig_init_resolver(&r, NULL, true);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_registered(&r, &u, 0, 600);
	rig_forget(&r);
	rig_ue_fresh(&u);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_end(&r);
	return 0;
}

static void refresh(const char *via_host, const char *branch)
{
	rig_register(&r, &u,
		     &(struct rig_register){.over = u.set,
					    .client = u.client,
					    .via_host = via_host,
					    .branch = branch,
					    .expires = 600});
}

static void answer(const char *first, const char *second)
{
	struct ip_addr a[2];
	unsigned n = 0;

	if (first)
		assert_int_equal(ip_addr_parse(&a[n++], first), 0);
	if (second)
		assert_int_equal(ip_addr_parse(&a[n++], second), 0);
	pcscf_resolved(r.p, r.resolve_id, a, n, r.now);
	mw_run(r.mw, r.now);
}

/* covers: ST-05 */
static void name_of_the_source_is_as_good(void **state)
{
	(void)state;
	refresh("ue-77.visited.test", "z9hG4bKname");
	assert_int_equal(r.resolves, 1);
	assert_string_equal(r.resolve_host, "ue-77.visited.test");
	assert_int_equal(r.core.n + r.ue.n, 0); /* it waits */
	u.cseq--;
	refresh("ue-77.visited.test", "z9hG4bKname"); /* and is repeated */
	assert_int_equal(r.resolves, 1);
	answer("2001:db8::5", "192.0.2.77");
	assert_int_equal(r.core.n, 1);
	assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"yes\""));
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	answer("192.0.2.77", NULL); /* once only */
	assert_int_equal(r.core.n, 1);
}

/* covers: ST-05 */
static void name_of_another_is_refused(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		rig_forget(&r);
		refresh("elsewhere.test", NULL);
		if (i == 0)
			answer("192.0.2.78", "2001:db8::77");
		else if (i == 1)
			answer(NULL, NULL);
		else
			rig_run(&r, 4000); /* no answer: the UE need not wait for the resolver */
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_last_ue(&r)->m.status, 400);
		assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
		assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_VIA_ADDRESS], i + 1);
	}
	rig_forget(&r);
	answer("192.0.2.77", NULL); /* too late */
	assert_int_equal(r.ue.n + r.core.n, 0);
}

static void what_is_no_name_is_not_asked_for(void **state)
{
	static const char *const hosts[] = {"192.0.2.78",    "1.2.3",	 "0x7f.1",
					    "[2001:db8::1]", "a_b.test", "192"};

	(void)state;
	for (unsigned i = 0; i < N_OF(hosts); i++) {
		rig_forget(&r);
		refresh(hosts[i], NULL);
		assert_int_equal(r.resolves, 0);
		assert_int_equal(rig_last_ue(&r)->m.status, 400);
	}
}

/* A flood in clear is bounded, and leaves room for the registered. */
static void lookups_have_a_bound(void **state)
{
	struct rig_ue x;

	(void)state;
	for (unsigned i = 0; i < 60; i++) {
		char name[16], addr[16];

		snprintf(name, sizeof(name), "u%u", i);
		snprintf(addr, sizeof(addr), "10.0.0.%u", i + 1);
		rig_ue_init(&x, name, addr);
		rig_register(&r, &x,
			     &(struct rig_register){
				     .client = x.client, .via_host = "flood.test", .expires = 600});
	}
	assert_int_equal(r.resolves, 48);
	assert_int_equal(rig_last_ue(&r)->m.status, 503);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_OVERLOAD], 12);
	refresh("ue-77.visited.test", NULL);
	assert_int_equal(r.resolves, 49);
	answer("192.0.2.77", NULL);
	assert_int_equal(r.core.n, 1);
	rig_forget(&r);
	rig_run(&r, 4000);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_VIA_ADDRESS], 48);
	r.resolve_result = -EAGAIN;
	rig_forget(&r);
	rig_ue_fresh(&u);
	refresh("ue-77.visited.test", NULL);
	assert_int_equal(rig_last_ue(&r)->m.status, 503);
}

static void set_that_goes_meanwhile(void **state)
{
	(void)state;
	refresh("ue-77.visited.test", NULL);
	assert_int_equal(pcscf_deregister(r.p, sv_of(u.impi), r.now), 0);
	answer("192.0.2.77", NULL);
	assert_int_equal(r.core.n + r.ue.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_UNKNOWN_SET], 1);
}

int main(void)
{
#define WITH_RIG(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_RIG(name_of_the_source_is_as_good),    WITH_RIG(name_of_another_is_refused),
		WITH_RIG(what_is_no_name_is_not_asked_for), WITH_RIG(lookups_have_a_bound),
		WITH_RIG(set_that_goes_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
