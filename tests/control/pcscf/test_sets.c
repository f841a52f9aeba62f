/* Life of the SA sets (TS 33.203 7.4.2a): change-over, refreshes, how many there are. */
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

/* covers: LC-01, LC-02, LP-06, LP-11, LP-13, LP-02, AK-11, SP-18, F30, C-33 */
static void protected_change_over(void **state)
{
	const struct rig_message *sm8;
	struct sa_set before, after;
	sa_set_id old;
	unsigned n;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	before = *rig_sa(&r, old);
	rig_new_run(&r, &u, old);
	assert_int_equal(rig_last_ue(&r)->flow.set, old); /* SM6 */
	assert_int_equal(rig_terminate(&r), old);
	rig_answer_last(&r, &u, old);
	rig_sm7(&r, &u);
	assert_int_equal(rig_terminate(&r), old);
	rig_answer_last(&r, &u, old);
	sm8 = rig_last_register(&r);
	n = r.core.n;
	rig_sm7(&r, &u); /* a second SM7, not a repeat: nothing comes of it */
	assert_int_equal(r.core.n, n);
	rig_answer_to(&r, sm8, 200, "Expires: 3600\r\nP-Associated-URI: <sip:alice@home.test>\r\n");
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set); /* SM12 */
	after = *rig_sa(&r, u.set);
	assert_int_equal(before.local_port[SA_SERVER], after.local_port[SA_SERVER]);
	assert_int_equal(before.remote_port[SA_CLIENT], after.remote_port[SA_CLIENT]);
	assert_int_not_equal(before.local_port[SA_CLIENT], after.local_port[SA_CLIENT]);
	assert_int_not_equal(before.remote_port[SA_SERVER], after.remote_port[SA_SERVER]);
	assert_int_equal(rig_role_count(&r, &u, PCSCF_SET_OLD), 1);
	assert_int_equal(rig_role_count(&r, &u, PCSCF_SET_CURRENT), 1);
	/* until the UE is heard on the new one, the old one goes on */
	assert_int_equal(rig_terminate(&r), old);
	rig_answer_last(&r, &u, old);
	rig_request(&r, &u, u.set, "MESSAGE", NULL);
	assert_int_equal(rig_role_count(&r, &u, PCSCF_SET_OLD), 0);
	assert_null(rig_sa(&r, old));
	assert_int_equal(rig_installed(&r), 1);
	assert_int_equal(rig_terminate(&r), u.set);
}

/* covers: LP-12, LP-13, ST-09 */
static void old_set_waits_for_outstanding_responses(void **state)
{
	sa_set_id old;
	unsigned n;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	rig_renewed(&r, &u, old, 3600);
	assert_int_equal(rig_terminate(&r), old);
	n = r.core.n;
	rig_answer_last(&r, &u, u.set); /* the response must come on the set of its request */
	assert_int_equal(r.core.n, n);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_SA], 1);
	rig_request(&r, &u, u.set, "OPTIONS", NULL);
	assert_non_null(rig_sa(&r, old));
	for (unsigned i = r.ue.n; i-- > 0;)
		if (r.ue.messages[i].m.request) {
			r.ue.messages[r.ue.n] = r.ue.messages[i];
			r.ue.n++;
			break;
		}
	rig_answer_last(&r, &u, old);
	assert_int_equal(rig_last_core(&r)->m.status, 200);
	assert_null(rig_sa(&r, old));
	assert_int_equal(rig_installed(&r), 1);
}

/* A request of the UE that is open on the old set is answered there; its repeats find the answer a
 * while longer. */
/* covers: LP-12, LP-13 */
static void response_to_old_request_takes_old_set(void **state)
{
	const struct rig_message *request;
	sa_set_id old;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	rig_request(&r, &u, old, "MESSAGE", NULL);
	request = rig_last_core(&r);
	rig_renewed(&r, &u, old, 3600);
	rig_request(&r, &u, u.set, "OPTIONS", NULL);
	assert_non_null(rig_sa(&r, old));
	rig_answer_to(&r, request, 200, "");
	assert_int_equal(rig_last_ue(&r)->flow.set, old);
	assert_non_null(rig_sa(&r, old));
	rig_run(&r, 33000);
	assert_null(rig_sa(&r, old));
	assert_int_equal(rig_installed(&r), 1);
}

/* covers: LP-10, F29 */
static void restarted_ue_registers_in_clear(void **state)
{
	sa_set_id old;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	ip_addr_parse(&u.addr, "192.0.2.99"); /* and from elsewhere, too */
	rig_new_run(&r, &u, 0);
	assert_int_equal(rig_last_ue(&r)->flow.set, 0);
	assert_int_equal(rig_terminate(&r), old);
	rig_sm7(&r, &u);
	assert_non_null(rig_sa(&r, old));
	rig_ok(&r, &u, 600);
	assert_null(rig_sa(&r, old));
	assert_int_equal(rig_installed(&r), 1);
	assert_int_equal(rig_terminate(&r), u.set);
	assert_int_equal(rig_counters(&r).registered, 1);
	/* the larger of both lifetimes (LP-09) */
	assert_int_equal(rig_lifetime(&r, &u, PCSCF_SET_CURRENT), 3630000);
}

/* covers: LP-09, C-07, ST-14 */
static void lifetime_is_the_larger_one(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	rig_run(&r, 600000);
	rig_new_run(&r, &u, u.set);
	assert_int_equal(rig_lifetime(&r, &u, PCSCF_SET_NEW), 240000);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_lifetime(&r, &u, PCSCF_SET_CURRENT), 3030000);
	rig_run(&r, 100000);
	rig_new_run(&r, &u, u.set);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 7200);
	assert_int_equal(rig_lifetime(&r, &u, PCSCF_SET_CURRENT), 7230000);
}

/* covers: LP-14, SP-19, IN-03, IN-06, AK-11 */
static void refresh_without_challenge_extends(void **state)
{
	struct sa_set sa;

	(void)state;
	rig_registered(&r, &u, 0, 600);
	sa = *rig_sa(&r, u.set);
	for (unsigned i = 0; i < 3; i++) {
		rig_run(&r, 300000);
		rig_ue_fresh(&u);
		rig_sm1(&r, &u, u.set);
		assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"yes\""));
		assert_int_equal(rig_counters(&r).pending, 1);
		u.ours.port_c = sa.remote_port[SA_SERVER];
		rig_ok(&r, &u, 600);
		assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
		assert_int_equal(rig_counters(&r).pending, 0);
		assert_int_equal(rig_lifetime(&r, &u, PCSCF_SET_CURRENT), 630000);
		assert_int_equal(rig_installed(&r), 1);
	}
	assert_int_equal(rig_counters(&r).refreshes, 3);
	/* what was proposed and not used is free for the next proposal */
	rig_new_run(&r, &u, u.set);
	assert_int_equal(rig_installed(&r), 2);
}

/* covers: IN-01, IN-03, LP-05 */
static void older_set_does_not_make_it_protected(void **state)
{
	sa_set_id old;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	rig_renewed(&r, &u, old, 3600);
	rig_ue_fresh(&u);
	rig_sm1(&r, &u, old);
	assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"no\""));
	assert_false(rig_holds(rig_last_core(&r), "integrity-protected=\"yes\""));
}

/* covers: IN-02, LP-03, LP-08, ST-09 */
static void sm7_on_another_sa_is_discarded(void **state)
{
	struct rig_register sm7 = {.authorization = "nonce=\"" RIG_NONCE "\", response=\"00\"",
				   .expires = 600};
	sa_set_id old;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	/* the challenge's nonce is new in each run; here they are alike, so end the first one's use
	 */
	rig_new_run(&r, &u, old);
	rig_forget(&r);
	sm7.client = u.client;
	sm7.verify = u.verify;
	sm7.over = old;
	rig_register(&r, &u, &sm7);
	sm7.over = 0;
	rig_register(&r, &u, &sm7);
	assert_int_equal(r.core.n, 0);
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_SA], 2);
	assert_int_equal(rig_role_count(&r, &u, PCSCF_SET_NEW), 1);
	rig_sm7(&r, &u);
	assert_int_equal(r.core.n, 1);
}

/* covers: LP-05, LP-03, LP-02 */
static void new_set_carries_only_the_authentication(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	rig_new_run(&r, &u, u.set);
	rig_forget(&r);
	rig_request(&r, &u, u.set, "MESSAGE", NULL);
	rig_sm1(&r, &u, u.set); /* SM1 on a registration SA */
	assert_int_equal(r.core.n, 0);
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_SA], 2);
}

/* covers: ST-07, ST-08, LP-01, C-22 */
static void three_sets_and_no_more(void **state)
{
	sa_set_id first, second;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	first = u.set;
	rig_renewed(&r, &u, first, 3600);
	second = u.set;
	rig_new_run(&r, &u, second); /* heard on the second: the first is idle and goes */
	assert_null(rig_sa(&r, first));
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
	/* old and current; SM1 on the old one leaves both and adds the third */
	rig_new_run(&r, &u, second);
	assert_int_equal(rig_installed(&r), 3);
	assert_int_equal(rig_role_count(&r, &u, PCSCF_SET_OLD), 1);
	assert_int_equal(rig_role_count(&r, &u, PCSCF_SET_CURRENT), 1);
	assert_int_equal(rig_role_count(&r, &u, PCSCF_SET_NEW), 1);
	rig_sm7(&r, &u);
	rig_forget(&r);
	rig_ue_fresh(&u);
	rig_sm1(&r, &u, second);
	assert_int_equal(rig_last_ue(&r)->m.status, 491);
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_installed(&r), 3);
}

/* What only waits for repeats gives its place to a new set. */
/* covers: ST-07 */
static void ending_set_makes_room(void **state)
{
	sa_set_id first, second, failed;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	first = u.set;
	rig_renewed(&r, &u, first, 3600);
	second = u.set;
	rig_new_run(&r, &u, first);
	rig_sm7(&r, &u);
	rig_answer(&r, 403, "%s", "");
	failed = u.set;
	assert_non_null(rig_sa(&r, failed));
	rig_new_run(&r, &u, first);
	assert_null(rig_sa(&r, failed));
	assert_non_null(rig_sa(&r, second));
	assert_int_equal(rig_installed(&r), 3);
}

/* The set that SM1 came on is kept for the run's sake though nothing else needs it any more
 * (LP-11). */
/* covers: LP-11, LP-13, ER-04 */
static void run_keeps_the_set_of_its_sm1(void **state)
{
	sa_set_id first;

	(void)state;
	for (unsigned ok = 0; ok < 2; ok++) {
		rig_registered(&r, &u, 0, 3600);
		first = u.set;
		rig_request(&r, &u, first, "MESSAGE",
			    NULL); /* keeps the first set after the change-over */
		rig_renewed(&r, &u, first, 3600);
		rig_request(&r, &u, u.set, "OPTIONS", NULL);
		rig_new_run(&r, &u, first);
		for (unsigned i = 0; i < r.core.n; i++)
			if (r.core.messages[i].m.method == SIP_MESSAGE)
				rig_answer_to(&r, &r.core.messages[i], 200, "");
		rig_run(&r, 40000);
		assert_non_null(rig_sa(&r, first));
		rig_sm7(&r, &u);
		rig_answer(&r, ok ? 200 : 403, "%s", ok ? "Expires: 600\r\n" : "");
		assert_int_equal(rig_last_ue(&r)->flow.set, ok ? u.set : first);
		assert_int_equal(rig_sa(&r, first) != NULL, ok);
		pcscf_deregister(r.p, sv_of(u.impi), r.now);
		rig_forget(&r);
		rig_ue_fresh(&u);
	}
}

/* And when a newer SM1 comes on it instead of SM7, for that one's. */
/* covers: LP-07, LP-11 */
static void next_run_keeps_the_set_too(void **state)
{
	sa_set_id first, second;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	first = u.set;
	rig_renewed(&r, &u, first, 3600);
	second = u.set;
	rig_new_run(&r, &u, first);
	rig_request(&r, &u, second, "OPTIONS", NULL);
	rig_answer(&r, 200, "%s", "");
	rig_run(&r, 40000);
	rig_new_run(&r, &u, first);
	assert_non_null(rig_sa(&r, first));
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
	assert_int_equal(rig_counters(&r).impossible, 0);
}

/* covers: LP-11 */
static void only_the_set_of_sm1_is_kept(void **state)
{
	sa_set_id first, second;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	first = u.set;
	rig_renewed(&r, &u, first, 3600);
	second = u.set;
	rig_renewed(&r, &u, first, 3600);
	assert_non_null(rig_sa(&r, first));
	assert_null(rig_sa(&r, second));
	assert_int_equal(rig_installed(&r), 2);
	assert_int_equal(rig_terminate(&r), first);
}

/* A UE that no longer hears the old set: one request is lost, the next goes on the new set. */
/* covers: LP-11, LP-13 */
static void silence_on_the_old_set_ends_its_use(void **state)
{
	sa_set_id old;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	rig_renewed(&r, &u, old, 3600);
	assert_int_equal(rig_terminate(&r), old);
	rig_run(&r, 129000);
	assert_int_equal(rig_terminate(&r), u.set);
	assert_null(rig_sa(&r, old));
}

/* The UE repeats the ports it has: nothing is wrong with that while it is not challenged. */
/* covers: AK-10, C-21, LP-04 */
static void further_impus_share_the_set(void **state)
{
	struct pcscf_registration g;

	(void)state;
	rig_registered(&r, &u, 0, 600);
	for (unsigned i = 0; i < 2; i++) {
		rig_register(&r, &u,
			     &(struct rig_register){.over = u.set,
						    .client = u.client,
						    .to = i ? "sip:work@home.test"
							    : "sip:club@home.test",
						    .expires = 600});
		rig_answer(&r, 200, "P-Associated-URI: <sip:%s@home.test>\r\nExpires: 600\r\n",
			   i ? "work" : "club");
	}
	assert_true(rig_registration(&r, &u, &g));
	assert_int_equal(g.n_impus, 4);
	assert_int_equal(g.n_sets, 1);
	rig_forget(&r);
	rig_request(&r, &u, u.set, "MESSAGE", "P-Preferred-Identity: <sip:club@home.test>\r\n");
	assert_true(rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:club@home.test>"));
	/* one of them leaves: the others and the SAs stay */
	rig_register(
		&r, &u,
		&(struct rig_register){.over = u.set, .to = "sip:club@home.test", .expires = 0});
	rig_answer(&r, 200, "%s", "");
	assert_true(rig_registration(&r, &u, &g));
	assert_int_equal(g.n_impus, 3);
	assert_int_equal(g.n_sets, 1);
	assert_int_equal(g.sets[0].role, PCSCF_SET_CURRENT);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(protected_change_over),
		T(old_set_waits_for_outstanding_responses),
		T(response_to_old_request_takes_old_set),
		T(restarted_ue_registers_in_clear),
		T(lifetime_is_the_larger_one),
		T(refresh_without_challenge_extends),
		T(older_set_does_not_make_it_protected),
		T(sm7_on_another_sa_is_discarded),
		T(new_set_carries_only_the_authentication),
		T(three_sets_and_no_more),
		T(ending_set_makes_room),
		T(run_keeps_the_set_of_its_sm1),
		T(next_run_keeps_the_set_too),
		T(only_the_set_of_sm1_is_kept),
		T(silence_on_the_old_set_ends_its_use),
		T(further_impus_share_the_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
