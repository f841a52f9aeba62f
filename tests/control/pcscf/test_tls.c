/* UEs that authenticate by Digest and agree on TLS (TS 33.203 Annex O): SM1 to SM12. */
#include "control/base/parse.h"
#include "tests/control/pcscf/tls.h"

static void tls_first(struct pcscf_conf *c)
{
	memmove(c->choices + 1, c->choices, c->n_choices * sizeof(c->choices[0]));
	c->choices[0] = (struct agree_choice){.type = AGREE_TLS};
	c->n_choices++;
}

static void tls_relaxed(struct pcscf_conf *c)
{
	tls_last(c);
	c->ipsec_required = false;
}

/* SM1 to SM12, then a refresh. covers: IN-07, TS-01, TS-03, TS-08, TM-01, DT-04, DT-06, C-06 */
static void registers_over_tls(void **state)
{
	struct pcscf_registration g;
	const struct pcscf_set_info *s;
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_register(&r, &u, &(struct rig_register){.client = "tls;q=0.1", .expires = 600});
	assert_false(rig_holds(rig_last_core(&r), "integrity-protected"));
	assert_false(rig_holds(rig_last_core(&r), "Security-"));
	rig_challenge_digest(&r, &u, "");
	assert_true(sv_has_prefix(sv_of(u.verify), SV("tls;q=0.9")));
	assert_int_equal(rig_installed(&r), 0);
	rig_register(&r, &u,
		     &(struct rig_register){.client = "tls;q=0.1",
					    .verify = u.verify,
					    .authorization = RIG_ANSWER,
					    .expires = 600,
					    .session = 7});
	assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"tls-pending\""));
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	assert_int_equal(rig_last_ue(&r)->flow.session, 7);
	assert_int_equal(rig_installed(&r), 0);

	/* the five items */
	assert_true(rig_registration(&r, &u, &g));
	s = rig_set(&g, PCSCF_SET_CURRENT);
	assert_non_null(s);
	assert_int_equal(s->kind, PCSCF_TLS);
	assert_true(ip_addr_eq(&s->flow.remote.addr, &u.addr));
	assert_int_equal(s->flow.remote.port, 33007);
	assert_int_equal(s->flow.session, 7);
	assert_true(sv_eq(g.impi, sv_of(u.impi)));
	assert_int_equal(g.n_impus, 2);

	rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600, .session = 7});
	assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"tls-yes\""));
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_last_ue(&r)->flow.session, 7);
	rig_run(&r, 400000);
	assert_true(pcscf_has_registered(r.p, sv_of(u.impi)));
	assert_int_equal(r.hang_ups, 0);
	rig_end(&r);
}

/* Both have both: the P-CSCF's preference has the highest q, and no other as high. covers: TS-03,
 * DT-07 */
static void who_is_preferred_has_the_highest_q(void **state)
{
	static void (*const tweaks[])(struct pcscf_conf *) = {tls_last, tls_first};
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char both[1100];

		rig_init(&r, tweaks[i]);
		rig_ue_init(&u, "alice", "192.0.2.77");
		snprintf(both, sizeof(both), "tls, %s", u.client);
		rig_register(&r, &u, &(struct rig_register){.client = both, .expires = 600});
		/* what leads to AKA says so, what leads to Digest says nothing (D-18) */
		assert_int_equal(rig_holds(rig_last_core(&r), "integrity-protected"), i == 0);
		if (i == 0)
			rig_challenge(&r, &u);
		else
			rig_challenge_digest(&r, &u, "");
		assert_true(sv_has_prefix(sv_of(u.verify),
					  i ? SV("tls;q=0.9") : SV("ipsec-3gpp;q=0.9")));
		if (i)
			assert_string_equal(u.verify, "tls;q=0.9");
		else
			assert_non_null(strstr(u.verify, "tls;q=0.6"));
		assert_int_equal(rig_installed(&r), i == 0);
		rig_end(&r);
	}
}

/* AKA goes with IPsec and Digest with TLS, whatever was preferred; what does not is refused.
 * covers: C-32, TL-03, DN-03 */
static void challenge_decides_between_common_ones(void **state)
{
	static const struct {
		bool tls_first, aka, offers_tls, offers_ipsec;
		unsigned status;
		unsigned sets;
	} rows[] = {
		{false, true, true, true, 401, 1},  {true, true, true, true, 401, 1},
		{false, false, true, true, 401, 0}, {true, false, true, true, 401, 0},
		{false, true, true, false, 403, 0}, {false, false, false, true, 403, 0},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct rig r;
		struct rig_ue u;
		char client[1100];

		rig_init(&r, rows[i].tls_first ? tls_first : tls_last);
		rig_ue_init(&u, "alice", "192.0.2.77");
		snprintf(client, sizeof(client), "%s%s%s", rows[i].offers_tls ? "tls" : "",
			 rows[i].offers_tls && rows[i].offers_ipsec ? ", " : "",
			 rows[i].offers_ipsec ? u.client : "");
		rig_register(&r, &u, &(struct rig_register){.client = client, .expires = 600});
		if (rows[i].aka)
			rig_answer(
				&r, 401,
				"WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_NONCE
				"\", algorithm=AKAv1-MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK
				"\"\r\n");
		else
			rig_challenge_digest(&r, &u, "");
		assert_int_equal(rig_last_ue(&r)->m.status, rows[i].status);
		assert_int_equal(rig_installed(&r), rows[i].sets);
		assert_int_equal(rig_dropped(&r, PCSCF_REFUSED_PAIRING), rows[i].status == 403);
		if (rows[i].status == 401)
			assert_true(sv_has_prefix(
				sip_msg_value(&rig_last_ue(&r)->m, SIP_HDR_SECURITY_SERVER),
				rows[i].aka ? SV("ipsec-3gpp;q=0.9") : SV("tls;q=0.9")));
		rig_end(&r);
	}
}

/* Where it is off, and where it may not be. covers: TL-01, TL-02, TE-05, DN-02 */
static void tls_is_not_selected(void **state)
{
	static const struct {
		void (*tweak)(struct pcscf_conf *);
		const char *extra;
		unsigned status;
	} rows[] = {
		{NULL, NULL, 494},
		{tls_last, "P-Access-Network-Info: 3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=1\r\n",
		 494},
		{tls_last,
		 "P-Access-Network-Info: IEEE-802.11\r\n"
		 "P-Access-Network-Info: 3gpp-UTRAN-TDD\r\n",
		 494},
		{tls_last, "P-Access-Network-Info: IEEE-802.11, 3GPP-NR-FDD\r\n", 494},
		{tls_last, "P-Access-Network-Info: IEEE-802.11\r\n", 0},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct rig r;
		struct rig_ue u;

		rig_init(&r, rows[i].tweak);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u,
			     &(struct rig_register){
				     .client = "tls", .extra = rows[i].extra, .expires = 600});
		assert_int_equal(r.core.n, rows[i].status == 0);
		if (rows[i].status) {
			assert_int_equal(rig_last_ue(&r)->m.status, rows[i].status);
			assert_true(rig_holds(rig_last_ue(&r), "Security-Server: ipsec-3gpp"));
			assert_false(rig_holds(rig_last_ue(&r), "tls;"));
			assert_int_equal(rig_dropped(&r, PCSCF_REFUSED_AGREEMENT), 1);
		}
		rig_end(&r);
	}
}

/* What is wrong with an SM7 is refused, and the right one is taken all the same. covers: TS-05,
 * PO-03, TL-10 */
static void sm7_must_be_right_and_inside_tls(void **state)
{
	static const struct {
		uint64_t session;
		const char *client, *verify, *extra;
		enum pcscf_drop reason;
		unsigned status;
	} rows[] = {
		{0, "tls", "", NULL, PCSCF_REFUSED_CLEAR, 494},
		{7, "tls", NULL, NULL, PCSCF_REFUSED_VERIFY, 494},
		{7, NULL, "", NULL, PCSCF_REFUSED_VERIFY, 494},
		{7, "tls;q=0.5", "", NULL, PCSCF_REFUSED_VERIFY, 494},
		{7, "tls", "tls;q=0.8", NULL, PCSCF_REFUSED_VERIFY, 494},
		{7, "tls", "tls;q=0.9, digest;q=0.8", NULL, PCSCF_REFUSED_VERIFY, 494},
		{7, "tls", "", "P-Access-Network-Info: 3GPP-NR-FDD\r\n", PCSCF_REFUSED_VERIFY, 403},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct rig r;
		struct rig_ue u;

		rig_init(&r, tls_last);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600});
		rig_challenge_digest(&r, &u, "");
		rig_forget(&r);
		rig_register(&r, &u,
			     &(struct rig_register){.client = rows[i].client,
						    .verify = rows[i].verify && !*rows[i].verify
								      ? u.verify
								      : rows[i].verify,
						    .authorization = RIG_ANSWER,
						    .extra = rows[i].extra,
						    .expires = 600,
						    .session = rows[i].session});
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_last_ue(&r)->m.status, rows[i].status);
		assert_int_equal(rig_dropped(&r, rows[i].reason), 1);
		tls_sm7(&r, &u, 8);
		rig_ok(&r, &u, 600);
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		rig_end(&r);
	}
}

/* TLS before SIP: the headers are exchanged all the same. covers: PO-03, DT-01, TL-10 */
static void tls_before_sip(void **state)
{
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_register(&r, &u, &(struct rig_register){.expires = 600, .session = 7});
	assert_int_equal(rig_last_ue(&r)->m.status, 421);
	assert_true(rig_holds(rig_last_ue(&r), "Security-Server: tls;q=0.9\r\n"));
	/* a response from elsewhere binds nothing */
	rig_register(&r, &u,
		     &(struct rig_register){.client = "tls",
					    .authorization = RIG_ANSWER,
					    .expires = 600,
					    .session = 7});
	assert_int_equal(rig_last_ue(&r)->m.status, 494);
	assert_int_equal(r.core.n, 0);
	/* IPsec does not go into it */
	rig_register(&r, &u,
		     &(struct rig_register){.client = u.client, .expires = 600, .session = 7});
	assert_int_equal(rig_last_ue(&r)->m.status, 494);
	assert_int_equal(r.core.n, 0);

	rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600, .session = 7});
	assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"tls-pending\""));
	rig_challenge_digest(&r, &u, "");
	assert_int_equal(rig_last_ue(&r)->flow.session, 7);
	rig_register(&r, &u,
		     &(struct rig_register){.client = "tls",
					    .verify = "tls;q=0.8",
					    .authorization = RIG_ANSWER,
					    .expires = 600,
					    .session = 7});
	assert_int_equal(rig_last_ue(&r)->m.status, 494);
	tls_sm7(&r, &u, 7);
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	rig_end(&r);
}

/* Clients that know no security agreement, where the policy lets them in. */
static void without_agreement_if_the_policy_says_so(void **state)
{
	struct pcscf_registration g;
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned vouched = 0; vouched < 2; vouched++) {
		rig_init(&r, tls_relaxed);
		rig_ue_init(&u, "alice", "192.0.2.77");
		if (!vouched) {
			rig_register(&r, &u, &(struct rig_register){.expires = 600, .session = 7});
			rig_challenge_digest(&r, &u, "");
			assert_int_equal(rig_last_ue(&r)->m.status, 401);
			assert_false(rig_holds(rig_last_ue(&r), "Security-Server"));
		}
		rig_register(&r, &u,
			     &(struct rig_register){
				     .authorization = RIG_ANSWER, .expires = 600, .session = 7});
		assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"tls-pending\""));
		rig_ok(&r, &u, 600);
		assert_true(rig_registration(&r, &u, &g));
		assert_true(g.registered);
		assert_int_equal(rig_set(&g, PCSCF_SET_CURRENT)->flow.session, 7);
		rig_register(&r, &u, &(struct rig_register){.expires = 600, .session = 7});
		assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"tls-yes\""));
		rig_end(&r);
	}
}

static enum pcscf_tls_indicator legacy;

static void with_legacy(struct pcscf_conf *c)
{
	tls_last(c);
	c->tls_indicator = legacy;
}

static bool says(const struct rig *r, const char *value)
{
	char text[64];

	if (!value)
		return !rig_holds(rig_last_core(r), "integrity-protected");
	snprintf(text, sizeof(text), "integrity-protected=\"%s\"", value);
	return rig_holds(rig_last_core(r), text);
}

/* In clear, in SM8, and in a refresh; what the UE forges is gone. covers: IN-05, IN-07, IN-09,
 * C-06, DT-05, DT-06 */
static void indicators(void **state)
{
	static const struct {
		enum pcscf_tls_indicator legacy;
		const char *clear, *sm8, *refresh;
	} rows[] = {
		{PCSCF_TLS_PENDING_YES, NULL, "tls-pending", "tls-yes"},
		{PCSCF_TLS_NONE, NULL, NULL, NULL},
		{PCSCF_TLS_AS_IPSEC, "no", "yes", "yes"},
		{PCSCF_TLS_REAUTH_YES, NULL, NULL, "yes"},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct rig r;
		struct rig_ue u;

		legacy = rows[i].legacy;
		rig_init(&r, with_legacy);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u,
			     &(struct rig_register){.client = "tls",
						    .authorization =
							    "nonce=\"\", response=\"\", "
							    "integrity-protected=\"tls-yes\"",
						    .expires = 600});
		assert_true(says(&r, rows[i].clear));
		rig_challenge_digest(&r, &u, "");
		rig_register(&r, &u,
			     &(struct rig_register){.client = "tls",
						    .verify = u.verify,
						    .authorization = RIG_ANSWER
						    ", Integrity-Protected=\"ip-assoc-yes\"",
						    .expires = 600,
						    .session = 7});
		assert_true(says(&r, rows[i].sm8));
		rig_ok(&r, &u, 600);
		rig_register(&r, &u,
			     &(struct rig_register){.client = "tls",
						    .authorization =
							    "nonce=\"\", response=\"\", "
							    "integrity-protected=\"auth-done\"",
						    .expires = 600,
						    .session = 7});
		assert_true(says(&r, rows[i].refresh));
		rig_end(&r);
	}
}

/* UEs of both kinds at one P-CSCF. covers: DT-07 */
static void ipsec_beside_tls(void **state)
{
	struct rig_ue a, b;
	struct rig r;
	sa_set_id first;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&a, "alice", "192.0.2.77");
	rig_ue_init(&b, "bob", "192.0.2.77");
	rig_registered(&r, &a, 0, 600);
	first = a.set;
	rig_registered_digest(&r, &b, 7, 600);
	rig_ue_fresh(&a);
	rig_registered(&r, &a, first, 600);
	assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"yes\""));
	rig_request(&r, &a, a.set, "MESSAGE", NULL);
	assert_true(rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:alice@home.test>"));
	assert_int_equal(rig_counters(&r).registered, 2);
	rig_end(&r);
}

/* Both answer rightly, and the core's answers cross: the connection is the first one's. covers:
 * TL-10 */
static void crossing_answers_bind_one_user(void **state)
{
	static const char ok[] = "Contact: <sip:192.0.2.77>;expires=600\r\n";
	struct pcscf_registration g;
	const struct rig_message *sm8;
	struct rig_ue a, b;
	struct rig r;

	(void)state;
	rig_init(&r, tls_relaxed);
	rig_ue_init(&a, "alice", "192.0.2.77");
	rig_ue_init(&b, "bob", "192.0.2.77");
	rig_register(&r, &a, &(struct rig_register){.client = "tls", .expires = 600});
	rig_challenge_digest(&r, &a, "");
	tls_sm7(&r, &a, 7);
	sm8 = rig_last_core(&r);
	rig_register(
		&r, &b,
		&(struct rig_register){.authorization = RIG_ANSWER, .expires = 600, .session = 7});
	if (rig_last_core(&r) != sm8)
		rig_answer_to(&r, rig_last_core(&r), 200, ok);
	rig_answer_to(&r, sm8, 200, ok);
	assert_true(rig_registration(&r, &a, &g));
	assert_int_equal(rig_set(&g, PCSCF_SET_CURRENT)->flow.session, 7);
	assert_false(rig_registration(&r, &b, &g) && rig_set(&g, PCSCF_SET_CURRENT));
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_over_tls),
		cmocka_unit_test(who_is_preferred_has_the_highest_q),
		cmocka_unit_test(challenge_decides_between_common_ones),
		cmocka_unit_test(tls_is_not_selected),
		cmocka_unit_test(sm7_must_be_right_and_inside_tls),
		cmocka_unit_test(tls_before_sip),
		cmocka_unit_test(without_agreement_if_the_policy_says_so),
		cmocka_unit_test(crossing_answers_bind_one_user),
		cmocka_unit_test(indicators),
		cmocka_unit_test(ipsec_beside_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
