/* De-registration and expiry: SA sets linger for repeats, and then go. */
#include "tests/control/pcscf/sets.h"

static struct rig r;
static struct rig_ue u;

static int setup(void **state)
{
	(void)state;
	rig_init(&r, NULL);
	rig_ue_init(&u, "alice", "192.0.2.77");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_end(&r);
	return 0;
}

static void deregister(sa_set_id set, const char *contact, const char *extra)
{
	rig_register(&r, &u,
		     &(struct rig_register){
			     .over = set, .contact = contact, .extra = extra, .expires = 0});
}

/* covers: F06, F07, F08, SP-18 */
static void deregistration_is_answered_inside_esp(void **state)
{
	static const char *const contacts[] = {NULL, "*"};
	struct pcscf_registration g;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		rig_registered(&r, &u, 0, 3600);
		deregister(u.set, contacts[i], i ? "Expires: 0\r\n" : NULL);
		rig_answer(&r, 200, "%s", "");
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
		assert_int_equal(rig_counters(&r).registered, 0);
		assert_int_equal(rig_installed(&r), 1);
		r.serial--;
		deregister(u.set, contacts[i], i ? "Expires: 0\r\n" : NULL);
		assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
		rig_run(&r, 32000);
		assert_int_equal(rig_installed(&r), 0);
		assert_false(rig_registration(&r, &u, &g));
		rig_ue_fresh(&u);
		rig_forget(&r);
		rig_run(&r, 200000);
	}
	assert_int_equal(rig_counters(&r).deregistrations, 2);
	assert_int_equal(rig_counters(&r).transactions, 0);
}

/* covers: F07, LP-15, LC-05 */
static void expiry_leaves_nothing(void **state)
{
	struct pcscf_registration g;

	(void)state;
	rig_registered(&r, &u, 0, 600);
	rig_run(&r, 600000);
	assert_int_equal(rig_counters(&r).registered, 0);
	rig_forget(&r);
	rig_request(&r, &u, u.set, "MESSAGE", NULL);
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_NOT_REGISTERED], 1);
	rig_run(&r, 30000);
	assert_int_equal(rig_installed(&r), 0);
	assert_false(rig_registration(&r, &u, &g));
	assert_int_equal(rig_counters(&r).sets, 0);
}

/* The larger lifetime of LP-09 does not keep SAs that no registration needs. */
/* covers: F07 */
static void sets_do_not_outlive_the_registration_for_long(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	rig_new_run(&r, &u, 0);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_lifetime(&r, &u, PCSCF_SET_CURRENT), 3630000);
	rig_run(&r, 600000);
	assert_int_equal(rig_installed(&r), 1);
	rig_run(&r, 30000);
	assert_int_equal(rig_installed(&r), 0);
}

/* covers: LP-03, F06 */
static void ending_set_takes_no_new_register(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	deregister(u.set, NULL, NULL);
	rig_answer(&r, 200, "%s", "");
	rig_forget(&r);
	rig_ue_fresh(&u);
	rig_sm1(&r, &u, u.set);
	assert_int_equal(r.core.n, 0);
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_SA], 1);
	/* in clear it comes back at once, even with the port of the set that ends */
	u.ours.port_c = rig_sa(&r, u.set)->remote_port[SA_SERVER] - 2;
	rig_ue_fresh(&u);
	rig_registered(&r, &u, 0, 600);
	assert_int_equal(rig_installed(&r), 1);
}

/* covers: F20 */
static void register_and_deregister_cross(void **state)
{
	const struct rig_message *refresh, *leave;

	(void)state;
	for (unsigned order = 0; order < 2; order++) {
		rig_registered(&r, &u, 0, 3600);
		rig_ue_fresh(&u);
		rig_sm1(&r, &u, u.set);
		refresh = rig_last_core(&r);
		deregister(u.set, NULL, NULL);
		leave = rig_last_core(&r);
		rig_answer_to(&r, order ? leave : refresh, 200, order ? "" : "Expires: 600\r\n");
		rig_answer_to(&r, order ? refresh : leave, 200, order ? "Expires: 600\r\n" : "");
		assert_int_equal(rig_counters(&r).registered, 0);
		assert_int_equal(rig_counters(&r).pending, 0);
		rig_run(&r, 300000);
		assert_int_equal(rig_installed(&r), 0);
		rig_forget(&r);
		rig_ue_fresh(&u);
	}
}

/* covers: LC-05 */
static void administrative_end(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	rig_new_run(&r, &u, u.set);
	rig_sm7(&r, &u);
	rig_request(&r, &u, u.set - 1, "MESSAGE", NULL);
	assert_int_equal(pcscf_deregister(r.p, SV("nobody@home.test"), r.now), -ENOENT);
	assert_int_equal(pcscf_deregister(r.p, sv_of(u.impi), r.now), 0);
	assert_int_equal(rig_installed(&r), 0);
	assert_int_equal(rig_counters(&r).registered, 0);
	assert_int_equal(rig_counters(&r).pending, 0);
	rig_forget(&r);
	rig_run(&r, 1000000); /* open transactions end without a word on removed SAs */
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(rig_counters(&r).transactions, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(deregistration_is_answered_inside_esp),
		T(expiry_leaves_nothing),
		T(sets_do_not_outlive_the_registration_for_long),
		T(ending_set_takes_no_new_register),
		T(register_and_deregister_cross),
		T(administrative_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
