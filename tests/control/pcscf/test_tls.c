/* UEs that authenticate by Digest and protect signalling by TLS (TS 33.203 Annex O). */
#include "control/base/parse.h"
#include "tests/control/pcscf/rig.h"

static const struct agree_choice tls = {.type = AGREE_TLS};

/* ipsec-3gpp, then tls */
static void tls_last(struct pcscf_conf *c)
{
	c->choices[c->n_choices++] = tls;
}

static void tls_first(struct pcscf_conf *c)
{
	memmove(c->choices + 1, c->choices, c->n_choices * sizeof(c->choices[0]));
	c->choices[0] = tls;
	c->n_choices++;
}

static void tls_relaxed(struct pcscf_conf *c)
{
	tls_last(c);
	c->ipsec_required = false;
}

static void sm7_over(struct rig *r, struct rig_ue *u, uint64_t session)
{
	rig_register(r, u,
		     &(struct rig_register){.client = "tls",
					    .verify = u->verify,
					    .authorization = RIG_ANSWER,
					    .expires = 600,
					    .session = session});
}

static uint64_t dropped(const struct rig *r, enum pcscf_drop reason)
{
	return rig_counters(r).drops[reason];
}

static void invite(struct rig *r, const char *route)
{
	rig_from_core(
		r,
		"INVITE sip:alice@192.0.2.77 SIP/2.0\r\n"
		"Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKcore%u\r\nMax-Forwards: 70\r\n"
		"Route: <%s>\r\nFrom: <sip:bob@home.test>;tag=b\r\nTo: <sip:alice@home.test>\r\n"
		"Call-ID: call%u\r\nCSeq: 1 INVITE\r\nContact: <sip:bob@h>\r\n"
		"Content-Length: 0\r\n\r\n",
		r->serial, route, r->serial);
	r->serial++;
}

/* The URI in the Path of the last REGISTER that the core got. */
static const char *path_of(struct rig *r, char buf[256])
{
	const char *value = rig_field(r, rig_last_core(r), SIP_HDR_PATH);

	assert_non_null(value);
	snprintf(buf, 256, "%.*s", (int)strcspn(value + 1, ">"), value + 1);
	return buf;
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
		assert_int_equal(dropped(&r, PCSCF_REFUSED_PAIRING), rows[i].status == 403);
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
			assert_int_equal(dropped(&r, PCSCF_REFUSED_AGREEMENT), 1);
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
		assert_int_equal(dropped(&r, rows[i].reason), 1);
		sm7_over(&r, &u, 8);
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
	sm7_over(&r, &u, 7);
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

/* One user, one connection. covers: TL-10, TS-08 */
static void connection_is_of_one_user(void **state)
{
	struct rig_ue a, b;
	struct sip_flow flow;
	struct rig r;
	unsigned n;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&a, "alice", "192.0.2.77");
	rig_ue_init(&b, "bob", "192.0.2.77");
	rig_registered_digest(&r, &a, 7, 600);
	/* another's SM1, and another's right answer */
	rig_register(&r, &b, &(struct rig_register){.client = "tls", .expires = 600, .session = 7});
	assert_int_equal(rig_last_ue(&r)->m.status, 403);
	rig_register(&r, &b, &(struct rig_register){.client = "tls", .expires = 600});
	rig_challenge_digest(&r, &b, "");
	n = r.core.n;
	sm7_over(&r, &b, 7);
	assert_int_equal(rig_last_ue(&r)->m.status, 403);
	assert_int_equal(r.core.n, n);
	assert_int_equal(dropped(&r, PCSCF_REFUSED_SESSION), 2);
	/* a foreign identity */
	flow = rig_tls(&r, &a, 7);
	rig_request_on(&r, &a, &flow, "MESSAGE", b.impu);
	assert_int_equal(r.core.n, n);
	assert_int_equal(dropped(&r, PCSCF_DROP_WRONG_IMPU), 1);
	rig_request_on(&r, &a, &flow, "MESSAGE", NULL);
	assert_int_equal(r.core.n, n + 1);
	assert_true(rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:alice@home.test>"));
	rig_answer(&r, 200, "%s", "");
	assert_int_equal(rig_last_ue(&r)->flow.session, 7);
	rig_end(&r);
}

/* From SM11 on. covers: TS-09, TM-02 */
static void outside_only_register(void **state)
{
	struct sip_flow clear, other;
	struct rig r;
	struct rig_ue u;
	unsigned n;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_registered_digest(&r, &u, 7, 600);
	n = r.core.n;
	clear = rig_flow(&r, &u, 0);
	other = rig_tls(&r, &u, 8); /* another connection is as good as none */
	rig_request_on(&r, &u, &clear, "MESSAGE", NULL);
	rig_request_on(&r, &u, &other, "INVITE", NULL);
	rig_request_on(&r, &u, &clear, "SUBSCRIBE", NULL);
	assert_int_equal(r.core.n, n);
	assert_int_equal(dropped(&r, PCSCF_DROP_CLEAR_NOT_REGISTER), 3);
	rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600});
	assert_int_equal(r.core.n, n + 1);
	assert_false(rig_holds(rig_last_core(&r), "integrity-protected"));
	rig_challenge_digest(&r, &u, "");
	assert_int_equal(rig_last_ue(&r)->m.status, 401);
	rig_end(&r);
}

static void tls_and_emergency(struct pcscf_conf *c)
{
	tls_last(c);
	c->ecscf_host = RIG_SCSCF;
	c->clear_emergency = true;
	c->max_emergency = 8;
}

/* An emergency call in clear of a UE that has TLS, if they are let in at all. covers: TS-09, C-15
 */
static void emergency_outside(void **state)
{
	static const char sos[] =
		"INVITE urn:service:sos SIP/2.0\r\nVia: SIP/2.0/UDP "
		"192.0.2.77;branch=z9hG4bKsos\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:alice@home.test>;tag=f\r\nTo: <urn:service:sos>\r\n"
		"Call-ID: sos\r\nCSeq: 1 INVITE\r\nContact: <sip:192.0.2.77>\r\n"
		"Content-Length: 0\r\n\r\n";
	struct sip_flow clear;
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		rig_init(&r, allowed ? tls_and_emergency : tls_last);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_registered_digest(&r, &u, 7, 600);
		clear = rig_flow(&r, &u, 0);
		rig_forget(&r);
		rig_from_ue(&r, &clear, "%s", sos);
		assert_int_equal(r.core.n, allowed);
		assert_int_equal(dropped(&r, PCSCF_DROP_CLEAR_NOT_REGISTER), !allowed);
		rig_end(&r);
	}
}

/* covers: TL-13, DT-04, DT-08, D-24 */
static void terminating_requests_take_the_connection(void **state)
{
	char path[256];
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600});
	rig_challenge_digest(&r, &u, "");
	rig_register(&r, &u,
		     &(struct rig_register){.client = "tls",
					    .verify = u.verify,
					    .authorization = RIG_ANSWER,
					    .extra = "Supported: outbound\r\n",
					    .expires = 600,
					    .session = 7});
	path_of(&r, path);
	assert_non_null(strstr(path, ";ob"));
	assert_non_null(strstr(path, ";flow="));
	rig_ok(&r, &u, 600);
	rig_forget(&r);
	invite(&r, path);
	assert_int_equal(r.ue.n, 1);
	assert_int_equal(rig_last_ue(&r)->flow.session, 7);
	assert_true(rig_holds(rig_last_ue(&r), "Via: SIP/2.0/TLS 192.0.2.1:5061;"));
	assert_true(rig_holds(rig_last_ue(&r), ";transport=tls>"));

	/* the connection goes while the UE rings */
	{
		struct sip_flow flow = rig_tls(&r, &u, 7);

		pcscf_session_closed(r.p, &flow, r.now);
		mw_run(r.mw, r.now);
	}
	assert_int_equal(rig_last_core(&r)->m.status, 430);
	assert_true(pcscf_has_registered(r.p, sv_of(u.impi)));
	rig_forget(&r);
	invite(&r, path);
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(rig_last_core(&r)->m.status, 430);
	assert_int_equal(dropped(&r, PCSCF_DROP_FLOW_FAILED), 2);

	/* the UE comes again on another one */
	rig_registered_digest(&r, &u, 9, 600);
	rig_forget(&r);
	invite(&r, path); /* the path of the old flow */
	assert_int_equal(rig_last_core(&r)->m.status, 430);
	rig_end(&r);
}

/* stream_send says that there is no connection, before its end has been told. covers: TL-13 */
static void connection_gone_unseen(void **state)
{
	char path[256];
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600});
	rig_challenge_digest(&r, &u, "");
	sm7_over(&r, &u, 7);
	path_of(&r, path);
	rig_ok(&r, &u, 600);
	rig_forget(&r);
	r.tls_result = -ENOTCONN;
	invite(&r, path);
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(rig_last_core(&r)->m.status, 430);
	r.tls_result = 0;
	invite(&r, path);
	assert_int_equal(r.ue.n, 1);
	pcscf_undelivered(r.p, &rig_last_ue(&r)->flow,
			  (struct sv){rig_last_ue(&r)->text, rig_last_ue(&r)->m.raw.n}, true,
			  r.now);
	mw_run(r.mw, r.now);
	assert_int_equal(rig_last_core(&r)->m.status, 430);
	rig_end(&r);
}

/* A failure ends the connection, after the answer had time to leave; a success keeps it. covers:
 * TE-01, TM-05, C-19 */
static void failure_releases_the_connection(void **state)
{
	struct pcscf_registration g;
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned again = 0; again < 2; again++) {
		rig_init(&r, tls_last);
		rig_ue_init(&u, "alice", "192.0.2.77");
		if (again) {
			rig_registered_digest(&r, &u, 7, 600);
			/* a re-authentication on it that succeeds keeps it */
			rig_register(&r, &u,
				     &(struct rig_register){
					     .client = "tls", .expires = 600, .session = 7});
			rig_challenge_digest(&r, &u, "");
			assert_int_equal(rig_last_ue(&r)->flow.session, 7);
			sm7_over(&r, &u, 7);
			assert_true(
				rig_holds(rig_last_core(&r), "integrity-protected=\"tls-yes\""));
			rig_ok(&r, &u, 600);
			rig_run(&r, 5000);
			assert_int_equal(r.hang_ups, 0);
			assert_true(rig_registration(&r, &u, &g));
			assert_int_equal(rig_set(&g, PCSCF_SET_CURRENT)->flow.session, 7);
		}
		rig_register(&r, &u,
			     &(struct rig_register){
				     .client = "tls", .expires = 600, .session = again ? 7 : 0});
		rig_challenge_digest(&r, &u, "");
		sm7_over(&r, &u, 7);
		rig_answer(&r, 403, "%s", "");
		assert_int_equal(rig_last_ue(&r)->m.status, 403);
		assert_int_equal(rig_last_ue(&r)->flow.session, 7);
		assert_int_equal(r.hang_ups, 0);
		rig_run(&r, 1500);
		assert_int_equal(r.hang_ups, 1);
		assert_int_equal(r.hung_up, 7);
		assert_int_equal(rig_counters(&r).sets, 0);
		rig_end(&r);
	}
}

/* stale=TRUE goes on within the same run and connection. covers: TE-03 */
static void stale_goes_on(void **state)
{
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned stale = 0; stale < 2; stale++) {
		rig_init(&r, tls_last);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600});
		rig_challenge_digest(&r, &u, "");
		sm7_over(&r, &u, 7);
		rig_challenge_digest(&r, &u, stale ? ", stale=TRUE" : "");
		assert_int_equal(rig_last_ue(&r)->m.status, 401);
		assert_int_equal(rig_last_ue(&r)->flow.session, 7);
		assert_int_equal(rig_holds(rig_last_ue(&r), "Security-Server: tls"), stale);
		if (stale) {
			rig_run(&r, 100000);
			sm7_over(&r, &u, 7);
			assert_true(rig_holds(rig_last_core(&r), "tls-pending"));
			rig_ok(&r, &u, 600);
			assert_int_equal(rig_last_ue(&r)->m.status, 200);
		} else { /* a new challenge without it is a failure */
			rig_run(&r, 2000);
			assert_int_equal(r.hung_up, 7);
		}
		rig_end(&r);
	}
}

/* A newer SM1 ends what is unfinished, with the connection it made. covers: TM-04 */
static void newer_sm1_ends_the_unfinished(void **state)
{
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned same = 0; same < 2; same++) {
		rig_init(&r, tls_last);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600});
		rig_challenge_digest(&r, &u, "");
		sm7_over(&r, &u, 7);
		rig_register(&r, &u,
			     &(struct rig_register){
				     .client = "tls", .expires = 600, .session = same ? 7 : 0});
		/* but not the one that it comes on */
		assert_int_equal(r.hang_ups, !same);
		rig_challenge_digest(&r, &u, "");
		sm7_over(&r, &u, same ? 7 : 8);
		rig_ok(&r, &u, 600);
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		assert_int_equal(rig_counters(&r).sets, 1);
		rig_end(&r);
	}
}

/* Coming again in clear, the UE gets its registration onto the new connection. covers: TM-03,
 * TS-08 */
static void new_connection_rebinds(void **state)
{
	struct pcscf_registration g;
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_registered_digest(&r, &u, 7, 600);
	rig_registered_digest(&r, &u, 8, 600);
	assert_int_equal(r.hung_up, 7);
	assert_true(rig_registration(&r, &u, &g));
	assert_int_equal(g.n_sets, 1);
	assert_int_equal(g.sets[0].flow.session, 8);
	assert_int_equal(g.sets[0].flow.remote.port, 33008);
	rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 0, .session = 8});
	rig_ok(&r, &u, 0);
	assert_int_equal(rig_last_ue(&r)->flow.session, 8);
	rig_run(&r, 2000);
	assert_int_equal(r.hung_up, 8);
	assert_false(pcscf_has_registered(r.p, sv_of(u.impi)));
	rig_end(&r);
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

/* No SM7, and no response of the core: nothing stays. covers: TE-01 */
static void unfinished_runs_end(void **state)
{
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600});
	rig_challenge_digest(&r, &u, "");
	rig_run(&r, 239000);
	assert_int_equal(rig_counters(&r).pending, 1);
	rig_run(&r, 2000);
	assert_int_equal(rig_counters(&r).pending, 0);
	assert_int_equal(rig_counters(&r).timeouts, 1);
	/* the connection ends while SM8 is at the core */
	rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600});
	rig_challenge_digest(&r, &u, "");
	sm7_over(&r, &u, 7);
	{
		struct sip_flow flow = rig_tls(&r, &u, 7);

		pcscf_session_closed(r.p, &flow, r.now);
	}
	assert_int_equal(rig_counters(&r).pending, 0);
	assert_int_equal(rig_counters(&r).sets, 0);
	r.tls_result = -ENOTCONN;
	rig_ok(&r, &u, 600);
	assert_false(pcscf_has_registered(r.p, sv_of(u.impi)));
	assert_int_equal(rig_counters(&r).impossible, 0);
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
		cmocka_unit_test(connection_is_of_one_user),
		cmocka_unit_test(outside_only_register),
		cmocka_unit_test(emergency_outside),
		cmocka_unit_test(terminating_requests_take_the_connection),
		cmocka_unit_test(connection_gone_unseen),
		cmocka_unit_test(failure_releases_the_connection),
		cmocka_unit_test(stale_goes_on),
		cmocka_unit_test(newer_sm1_ends_the_unfinished),
		cmocka_unit_test(new_connection_rebinds),
		cmocka_unit_test(indicators),
		cmocka_unit_test(ipsec_beside_tls),
		cmocka_unit_test(unfinished_runs_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
