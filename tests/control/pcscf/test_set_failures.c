/* What failed and abandoned authentications leave of the SA sets (TS 33.203 7.3). */
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

/* covers: ER-02, ER-03, ER-05 */
static void wrong_res_of_clear_run_is_told_on_new_set(void **state)
{
	(void)state;
	rig_new_run(&r, &u, 0);
	rig_sm7(&r, &u);
	rig_answer(&r, 403, "%s", "");
	assert_int_equal(rig_last_ue(&r)->m.status, 403);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	assert_int_equal(rig_counters(&r).auth_failures, 1);
	assert_int_equal(rig_counters(&r).pending, 0);
	rig_forget(&r);
	r.serial--;
	rig_sm7(&r, &u); /* the 403 was lost */
	assert_int_equal(rig_last_ue(&r)->m.status, 403);
	rig_request(&r, &u, u.set, "MESSAGE", NULL);
	assert_int_equal(r.core.n, 0);
	rig_run(&r, 33000);
	assert_int_equal(rig_installed(&r), 0);
	assert_int_equal(rig_role_count(&r, &u, PCSCF_SET_ENDING), 0);
}

/* covers: ER-02, ER-04, ER-05 */
static void failure_of_protected_run_takes_old_set(void **state)
{
	static const unsigned statuses[] = {403, 500, 404, 401};
	sa_set_id old;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	for (unsigned i = 0; i < N_OF(statuses); i++) {
		rig_new_run(&r, &u, old);
		rig_sm7(&r, &u);
		rig_answer(&r, statuses[i], "%s", "");
		assert_int_equal(rig_last_ue(&r)->m.status, statuses[i]);
		assert_int_equal(rig_last_ue(&r)->flow.set, old);
		rig_forget(&r);
		r.serial--;
		rig_sm7(&r, &u); /* repeated on the new SA, answered on the old one */
		assert_int_equal(rig_last_ue(&r)->m.status, statuses[i]);
		assert_int_equal(rig_last_ue(&r)->flow.set, old);
		rig_run(&r, 33000);
		assert_int_equal(rig_installed(&r), 1);
		assert_non_null(rig_sa(&r, old));
		rig_forget(&r);
	}
	rig_request(&r, &u, old, "MESSAGE", NULL);
	assert_int_equal(rig_last_core(&r)->m.method, SIP_MESSAGE);
}

/* covers: ER-01, LP-15, LP-07 */
static void no_sm7_ends_by_time_out(void **state)
{
	struct pcscf_registration g;

	(void)state;
	rig_new_run(&r, &u, 0);
	rig_run(&r, 239999);
	assert_int_equal(rig_installed(&r), 1);
	rig_run(&r, 1);
	assert_int_equal(rig_installed(&r), 0);
	assert_int_equal(rig_counters(&r).pending, 0);
	assert_int_equal(rig_counters(&r).timeouts, 1);
	assert_false(rig_registration(&r, &u, &g));
}

/* covers: LP-07, F05, D-31 */
static void abandoned_run_gives_way(void **state)
{
	sa_set_id abandoned;

	(void)state;
	rig_new_run(&r, &u, 0);
	abandoned = u.set;
	rig_new_run(&r, &u, 0);
	assert_null(rig_sa(&r, abandoned));
	assert_int_equal(rig_installed(&r), 1);
	assert_int_equal(rig_counters(&r).pending, 1);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_role_count(&r, &u, PCSCF_SET_CURRENT), 1);
}

/* covers: ER-06, ER-03, F05, F26 */
static void auts_makes_a_new_set_with_its_own_ports(void **state)
{
	sa_set_id first;
	uint16_t port_c;

	(void)state;
	rig_new_run(&r, &u, 0);
	first = u.set;
	rig_ue_fresh(&u);
	port_c = u.ours.port_c;
	rig_register(&r, &u,
		     &(struct rig_register){.client = u.client,
					    .authorization =
						    "nonce=\"" RIG_NONCE "\", response=\"00\", "
						    "auts=\"AAAAAAAAAAAAAAAAAAA=\"",
					    .expires = 600});
	assert_null(rig_sa(&r, first));
	assert_true(rig_holds(rig_last_core(&r), "auts="));
	assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"no\""));
	rig_challenge(&r, &u);
	assert_int_equal(rig_last_ue(&r)->flow.set, 0);
	assert_int_equal(rig_sa(&r, u.set)->remote_port[SA_SERVER], port_c);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_installed(&r), 1);
}

/* covers: ER-06, ER-04 */
static void autn_failure_is_reported_over_the_old_set(void **state)
{
	sa_set_id old;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	rig_new_run(&r, &u, old);
	rig_register(
		&r, &u,
		&(struct rig_register){.over = old,
				       .authorization = "nonce=\"" RIG_NONCE "\", response=\"\"",
				       .expires = 600});
	assert_int_equal(rig_installed(&r), 1);
	assert_int_equal(rig_last_core(&r)->m.method, SIP_REGISTER);
	rig_answer(&r, 403, "%s", "");
	assert_int_equal(rig_last_ue(&r)->flow.set, old);
	assert_int_equal(rig_counters(&r).pending, 0);
	assert_non_null(rig_sa(&r, old));
}

/* covers: ST-06, ST-08 */
static void port_in_use_is_refused(void **state)
{
	struct rig_ue other;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	rig_ue_init(&other, "bob", "192.0.2.77");
	other.ours.port_c = u.ours.port_c - 2;
	rig_ue_fresh(&other);
	rig_forget(&r);
	rig_sm1(&r, &other, 0);
	assert_int_equal(rig_last_ue(&r)->m.status, 400);
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_REFUSED_PORT], 1);
	assert_int_equal(rig_installed(&r), 1);
	/* the same port at another address is another one */
	ip_addr_parse(&other.addr, "192.0.2.78");
	rig_sm1(&r, &other, 0);
	assert_int_equal(r.core.n, 1);
}

/* A challenge cannot make SAs with ports that are in use. */
/* covers: ST-06, LC-02 */
static void challenged_refresh_needs_a_new_port(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	rig_sm1(&r, &u, u.set);
	rig_answer(&r, 401,
		   "WWW-Authenticate: Digest realm=\"h\", nonce=\"" RIG_NONCE
		   "\", algorithm=AKAv1-MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK "\"\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 400);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	assert_int_equal(rig_installed(&r), 1);
	/* a UE that has lost its SAs must not take the port of its lost set either */
	rig_sm1(&r, &u, 0);
	assert_int_equal(rig_last_ue(&r)->m.status, 400);
	assert_int_equal(rig_counters(&r).drops[PCSCF_REFUSED_PORT], 1);
}

/* The challenge of a REGISTER that a newer one has replaced must not make SAs. */
/* covers: F20, F32 */
static void superseded_challenge_is_not_passed(void **state)
{
	const struct rig_message *first;

	(void)state;
	rig_sm1(&r, &u, 0);
	first = rig_last_core(&r);
	rig_ue_fresh(&u);
	rig_sm1(&r, &u, 0);
	rig_answer_to(&r, first, 401,
		      "WWW-Authenticate: Digest realm=\"h\", nonce=\"" RIG_NONCE
		      "\", algorithm=AKAv1-MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK "\"\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 500);
	assert_int_equal(rig_installed(&r), 0);
	rig_challenge(&r, &u);
	assert_int_equal(rig_installed(&r), 1);
}

/* covers: C-09 */
static void failed_install_leaves_nothing(void **state)
{
	(void)state;
	r.install_result = -ENOSPC;
	rig_sm1(&r, &u, 0);
	rig_answer(&r, 401,
		   "WWW-Authenticate: Digest realm=\"h\", nonce=\"" RIG_NONCE
		   "\", algorithm=AKAv1-MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK "\"\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 503);
	assert_false(rig_holds(rig_last_ue(&r), RIG_IK));
	assert_int_equal(rig_installed(&r), 0);
	assert_int_equal(rig_counters(&r).pending, 0);
	r.install_result = 0;
	rig_new_run(&r, &u, 0);
	assert_int_equal(rig_installed(&r), 1);
}

static void exhausted_set_is_limited(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	pcscf_sa_exhausted(r.p, u.set, r.now);
	pcscf_sa_exhausted(r.p, 0xdead, r.now);
	assert_int_equal(rig_lifetime(&r, &u, PCSCF_SET_CURRENT), 240000);
	rig_run(&r, 240000);
	assert_int_equal(rig_installed(&r), 0);
	assert_int_equal(rig_counters(&r).registered, 0); /* not reachable any more */
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(wrong_res_of_clear_run_is_told_on_new_set),
		T(failure_of_protected_run_takes_old_set),
		T(no_sm7_ends_by_time_out),
		T(abandoned_run_gives_way),
		T(auts_makes_a_new_set_with_its_own_ports),
		T(autn_failure_is_reported_over_the_old_set),
		T(port_in_use_is_refused),
		T(challenged_refresh_needs_a_new_port),
		T(superseded_challenge_is_not_passed),
		T(failed_install_leaves_nothing),
		T(exhausted_set_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
