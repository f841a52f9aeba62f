/* Life of the SA sets (TS 33.203 7.4.2a): change-over, failures, refreshes, ends. */
#include "tests/control/pcscf/rig.h"

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

static void new_run(sa_set_id over)
{
	rig_ue_fresh(&u);
	rig_sm1(&r, &u, over);
	rig_challenge(&r, &u);
}

/* A terminating MESSAGE; the set that it went out on. */
static sa_set_id terminate(void)
{
	const char *path = NULL;
	struct rig_message *m = NULL;
	unsigned before = r.ue.n, serial = ++r.serial;

	for (unsigned i = 0; i < r.core.n; i++)
		if (r.core.messages[i].m.method == SIP_REGISTER && r.core.messages[i].m.request)
			m = &r.core.messages[i];
	assert_non_null(m);
	path = rig_field(&r, m, SIP_HDR_PATH);
	rig_from_core(&r,
		      "MESSAGE sip:alice@192.0.2.77:5070 SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKt%u\r\nRoute: %s\r\n"
		      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=b\r\nTo: "
		      "<sip:alice@home.test>\r\n"
		      "Call-ID: t%u\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
		      serial, path, serial);
	assert_int_equal(r.ue.n, before + 1);
	return rig_last_ue(&r)->flow.set;
}

static const struct rig_message *last_register(void)
{
	for (unsigned i = r.core.n; i-- > 0;)
		if (r.core.messages[i].m.request && r.core.messages[i].m.method == SIP_REGISTER)
			return &r.core.messages[i];
	return NULL;
}

static void answer_last(sa_set_id set)
{
	const struct rig_message *m = rig_last_ue(&r);
	struct sip_flow from = rig_flow(&r, &u, set);
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	/* the UE's ports of an older set */
	from.remote.port = rig_sa(&r, set)->remote_port[SA_SERVER];
	sip_reply_begin(&b, &m->m, 200, SV("ue"));
	sip_reply_end(&b, (struct sv){0});
	pcscf_input(r.p, &from, sbuf_sv(&b), r.now);
	mw_run(r.mw, r.now);
}

static unsigned role_count(enum pcscf_set_role role)
{
	struct pcscf_registration g;
	unsigned n = 0;

	if (!rig_registration(&r, &u, &g))
		return 0;
	for (unsigned i = 0; i < g.n_sets; i++)
		n += g.sets[i].role == role;
	return n;
}

static uint64_t lifetime(enum pcscf_set_role role)
{
	struct pcscf_registration g;

	assert_true(rig_registration(&r, &u, &g));
	assert_non_null(rig_set(&g, role));
	return rig_set(&g, role)->expires_at - r.now;
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
	new_run(old);
	assert_int_equal(rig_last_ue(&r)->flow.set, old); /* SM6 */
	assert_int_equal(terminate(), old);
	answer_last(old);
	rig_sm7(&r, &u);
	assert_int_equal(terminate(), old);
	answer_last(old);
	sm8 = last_register();
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
	assert_int_equal(role_count(PCSCF_SET_OLD), 1);
	assert_int_equal(role_count(PCSCF_SET_CURRENT), 1);
	/* until the UE is heard on the new one, the old one goes on */
	assert_int_equal(terminate(), old);
	answer_last(old);
	rig_request(&r, &u, u.set, "MESSAGE", NULL);
	assert_int_equal(role_count(PCSCF_SET_OLD), 0);
	assert_null(rig_sa(&r, old));
	assert_int_equal(rig_installed(&r), 1);
	assert_int_equal(terminate(), u.set);
}

/* covers: LP-12, LP-13, ST-09 */
static void old_set_waits_for_outstanding_responses(void **state)
{
	sa_set_id old;
	unsigned n;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	new_run(old);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
	assert_int_equal(terminate(), old);
	n = r.core.n;
	answer_last(u.set); /* the response must come on the set of its request */
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
	answer_last(old);
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
	new_run(old);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
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
	new_run(0);
	assert_int_equal(rig_last_ue(&r)->flow.set, 0);
	assert_int_equal(terminate(), old);
	rig_sm7(&r, &u);
	assert_non_null(rig_sa(&r, old));
	rig_ok(&r, &u, 600);
	assert_null(rig_sa(&r, old));
	assert_int_equal(rig_installed(&r), 1);
	assert_int_equal(terminate(), u.set);
	assert_int_equal(rig_counters(&r).registered, 1);
	/* the larger of both lifetimes (LP-09) */
	assert_int_equal(lifetime(PCSCF_SET_CURRENT), 3630000);
}

/* covers: LP-09, C-07, ST-14 */
static void lifetime_is_the_larger_one(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	rig_run(&r, 600000);
	new_run(u.set);
	assert_int_equal(lifetime(PCSCF_SET_NEW), 240000);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_int_equal(lifetime(PCSCF_SET_CURRENT), 3030000);
	rig_run(&r, 100000);
	new_run(u.set);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 7200);
	assert_int_equal(lifetime(PCSCF_SET_CURRENT), 7230000);
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
		assert_int_equal(lifetime(PCSCF_SET_CURRENT), 630000);
		assert_int_equal(rig_installed(&r), 1);
	}
	assert_int_equal(rig_counters(&r).refreshes, 3);
	/* what was proposed and not used is free for the next proposal */
	new_run(u.set);
	assert_int_equal(rig_installed(&r), 2);
}

/* covers: IN-01, IN-03, LP-05 */
static void older_set_does_not_make_it_protected(void **state)
{
	sa_set_id old;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	new_run(old);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
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
	new_run(old);
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
	assert_int_equal(role_count(PCSCF_SET_NEW), 1);
	rig_sm7(&r, &u);
	assert_int_equal(r.core.n, 1);
}

/* covers: LP-05, LP-03, LP-02 */
static void new_set_carries_only_the_authentication(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	new_run(u.set);
	rig_forget(&r);
	rig_request(&r, &u, u.set, "MESSAGE", NULL);
	rig_sm1(&r, &u, u.set); /* SM1 on a registration SA */
	assert_int_equal(r.core.n, 0);
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_SA], 2);
}

/* covers: ER-02, ER-03, ER-05 */
static void wrong_res_of_clear_run_is_told_on_new_set(void **state)
{
	(void)state;
	new_run(0);
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
	assert_int_equal(role_count(PCSCF_SET_ENDING), 0);
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
		new_run(old);
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
	new_run(0);
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
	new_run(0);
	abandoned = u.set;
	new_run(0);
	assert_null(rig_sa(&r, abandoned));
	assert_int_equal(rig_installed(&r), 1);
	assert_int_equal(rig_counters(&r).pending, 1);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_int_equal(role_count(PCSCF_SET_CURRENT), 1);
}

/* covers: ER-06, ER-03, F05, F26 */
static void auts_makes_a_new_set_with_its_own_ports(void **state)
{
	sa_set_id first;
	uint16_t port_c;

	(void)state;
	new_run(0);
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
	new_run(old);
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

/* covers: ST-07, ST-08, LP-01, C-22 */
static void three_sets_and_no_more(void **state)
{
	sa_set_id first, second;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	first = u.set;
	new_run(first);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
	second = u.set;
	new_run(second); /* heard on the second: the first is idle and goes */
	assert_null(rig_sa(&r, first));
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
	/* old and current; SM1 on the old one leaves both and adds the third */
	new_run(second);
	assert_int_equal(rig_installed(&r), 3);
	assert_int_equal(role_count(PCSCF_SET_OLD), 1);
	assert_int_equal(role_count(PCSCF_SET_CURRENT), 1);
	assert_int_equal(role_count(PCSCF_SET_NEW), 1);
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
	new_run(first);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
	second = u.set;
	new_run(first);
	rig_sm7(&r, &u);
	rig_answer(&r, 403, "%s", "");
	failed = u.set;
	assert_non_null(rig_sa(&r, failed));
	new_run(first);
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
		new_run(first);
		rig_sm7(&r, &u);
		rig_ok(&r, &u, 3600);
		rig_request(&r, &u, u.set, "OPTIONS", NULL);
		new_run(first);
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

/* covers: LP-11 */
static void only_the_set_of_sm1_is_kept(void **state)
{
	sa_set_id first, second;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	first = u.set;
	new_run(first);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
	second = u.set;
	new_run(first);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
	assert_non_null(rig_sa(&r, first));
	assert_null(rig_sa(&r, second));
	assert_int_equal(rig_installed(&r), 2);
	assert_int_equal(terminate(), first);
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
	new_run(0);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_int_equal(lifetime(PCSCF_SET_CURRENT), 3630000);
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

/* A UE that no longer hears the old set: one request is lost, the next goes on the new set. */
/* covers: LP-11, LP-13 */
static void silence_on_the_old_set_ends_its_use(void **state)
{
	sa_set_id old;

	(void)state;
	rig_registered(&r, &u, 0, 3600);
	old = u.set;
	new_run(old);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 3600);
	assert_int_equal(terminate(), old);
	rig_run(&r, 129000);
	assert_int_equal(terminate(), u.set);
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
	new_run(0);
	assert_int_equal(rig_installed(&r), 1);
}

static void exhausted_set_is_limited(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	pcscf_sa_exhausted(r.p, u.set, r.now);
	pcscf_sa_exhausted(r.p, 0xdead, r.now);
	assert_int_equal(lifetime(PCSCF_SET_CURRENT), 240000);
	rig_run(&r, 240000);
	assert_int_equal(rig_installed(&r), 0);
	assert_int_equal(rig_counters(&r).registered, 0); /* not reachable any more */
}

/* covers: LC-05 */
static void administrative_end(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 3600);
	new_run(u.set);
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
		T(protected_change_over),
		T(old_set_waits_for_outstanding_responses),
		T(response_to_old_request_takes_old_set),
		T(restarted_ue_registers_in_clear),
		T(lifetime_is_the_larger_one),
		T(refresh_without_challenge_extends),
		T(older_set_does_not_make_it_protected),
		T(sm7_on_another_sa_is_discarded),
		T(new_set_carries_only_the_authentication),
		T(wrong_res_of_clear_run_is_told_on_new_set),
		T(failure_of_protected_run_takes_old_set),
		T(no_sm7_ends_by_time_out),
		T(abandoned_run_gives_way),
		T(auts_makes_a_new_set_with_its_own_ports),
		T(autn_failure_is_reported_over_the_old_set),
		T(port_in_use_is_refused),
		T(challenged_refresh_needs_a_new_port),
		T(three_sets_and_no_more),
		T(ending_set_makes_room),
		T(run_keeps_the_set_of_its_sm1),
		T(only_the_set_of_sm1_is_kept),
		T(deregistration_is_answered_inside_esp),
		T(expiry_leaves_nothing),
		T(sets_do_not_outlive_the_registration_for_long),
		T(ending_set_takes_no_new_register),
		T(silence_on_the_old_set_ends_its_use),
		T(further_impus_share_the_set),
		T(register_and_deregister_cross),
		T(superseded_challenge_is_not_passed),
		T(failed_install_leaves_nothing),
		T(exhausted_set_is_limited),
		T(administrative_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
