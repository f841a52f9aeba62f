/* Registrations and the TLS connections that they are bound to (TS 33.203 Annex O). */
#include "control/base/parse.h"
#include "tests/control/pcscf/tls.h"

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
	tls_sm7(&r, &b, 7);
	assert_int_equal(rig_last_ue(&r)->m.status, 403);
	assert_int_equal(r.core.n, n);
	assert_int_equal(rig_dropped(&r, PCSCF_REFUSED_SESSION), 2);
	/* a foreign identity */
	flow = rig_tls(&r, &a, 7);
	rig_request_on(&r, &a, &flow, "MESSAGE", b.impu);
	assert_int_equal(r.core.n, n);
	assert_int_equal(rig_dropped(&r, PCSCF_DROP_WRONG_IMPU), 1);
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
	assert_int_equal(rig_dropped(&r, PCSCF_DROP_CLEAR_NOT_REGISTER), 3);
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
		assert_int_equal(rig_dropped(&r, PCSCF_DROP_CLEAR_NOT_REGISTER), !allowed);
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
	assert_int_equal(rig_dropped(&r, PCSCF_DROP_FLOW_FAILED), 2);

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
	tls_sm7(&r, &u, 7);
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
			tls_sm7(&r, &u, 7);
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
		tls_sm7(&r, &u, 7);
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

/* But if the core cannot say whether the response was right, the UE stays reachable. */
/* covers: DF-02, TM-05 */
static void trouble_of_the_core_keeps_the_connection(void **state)
{
	struct pcscf_registration g;
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, tls_last);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_registered_digest(&r, &u, 7, 600);
	rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600, .session = 7});
	rig_challenge_digest(&r, &u, "");
	tls_sm7(&r, &u, 7);
	rig_answer(&r, 504, "%s", "");
	assert_int_equal(rig_last_ue(&r)->m.status, 504);
	rig_run(&r, 2000);
	assert_int_equal(r.hang_ups, 0);
	assert_true(rig_registration(&r, &u, &g));
	assert_non_null(rig_set(&g, PCSCF_SET_CURRENT));
	rig_end(&r);
}

/* A UE that was registered on 7 and has answered a challenge on 8: requests still go to 7. */
static void two_connections(struct rig *r, struct rig_ue *u, char path[2][256])
{
	rig_init(r, tls_last);
	rig_ue_init(u, "alice", "192.0.2.77");
	rig_registered_digest(r, u, 7, 600);
	path_of(r, path[0]);
	rig_register(r, u, &(struct rig_register){.client = "tls", .expires = 600, .session = 7});
	rig_challenge_digest(r, u, "");
	tls_sm7(r, u, 8);
	path_of(r, path[1]);
	rig_ok(r, u, 600);
}

static void heard_on(struct rig *r, struct rig_ue *u, uint64_t session)
{
	struct sip_flow flow = rig_tls(r, u, session);

	rig_request_on(r, u, &flow, "MESSAGE", NULL);
	rig_answer(r, 200, "%s", "");
}

/* Each Path leads to its own connection as long as it stands. covers: TL-13, DT-04 */
static void both_connections_are_reached(void **state)
{
	char path[2][256];
	struct rig r;
	struct rig_ue u;

	(void)state;
	two_connections(&r, &u, path);
	for (unsigned i = 0; i < 2; i++) {
		rig_forget(&r);
		invite(&r, path[i]);
		assert_int_equal(r.ue.n, 1);
		assert_int_equal(rig_last_ue(&r)->flow.session, 7 + i);
	}
	rig_end(&r);
}

/* The older one ends with requests on it that kept it. covers: TL-13, DT-04 */
static void older_connection_ends(void **state)
{
	struct pcscf_registration g;
	char path[2][256];
	struct sip_flow old;
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned undelivered = 0; undelivered < 2; undelivered++) {
		two_connections(&r, &u, path);
		invite(&r, path[0]);
		invite(&r, path[0]);
		heard_on(&r, &u, 8);
		assert_true(rig_registration(&r, &u, &g));
		assert_int_equal(g.n_sets, 2);
		rig_forget(&r);
		old = rig_tls(&r, &u, 7);
		if (undelivered)
			pcscf_undelivered(r.p, &old, SV("INVITE"), true, r.now);
		else
			pcscf_session_closed(r.p, &old, r.now);
		mw_run(r.mw, r.now);
		assert_int_equal(r.core.n, 2);
		assert_int_equal(r.core.messages[0].m.status, 430);
		assert_int_equal(r.core.messages[1].m.status, 430);
		assert_true(rig_registration(&r, &u, &g));
		assert_int_equal(g.n_sets, 1);
		assert_int_equal(g.sets[0].flow.session, 8);
		rig_end(&r);
	}
}

/* An SM7 on the older one keeps it, whatever else comes meanwhile. covers: TM-03, TS-08 */
static void answer_on_the_older_connection(void **state)
{
	struct pcscf_registration g;
	char path[2][256];
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned ok = 0; ok < 2; ok++) {
		const struct rig_message *sm8;

		two_connections(&r, &u, path);
		rig_register(&r, &u, &(struct rig_register){.client = "tls", .expires = 600});
		rig_challenge_digest(&r, &u, "");
		tls_sm7(&r, &u, 7);
		sm8 = rig_last_core(&r);
		heard_on(&r, &u, 8);
		rig_answer_to(&r, sm8, ok ? 200 : 504, ok ? "Expires: 600\r\n" : "");
		assert_int_equal(rig_last_ue(&r)->m.status, ok ? 200 : 504);
		assert_true(rig_registration(&r, &u, &g));
		assert_int_equal(g.n_sets, 1);
		assert_int_equal(g.sets[0].flow.session, ok ? 7 : 8);
		assert_int_equal(rig_counters(&r).impossible, 0);
		rig_end(&r);
	}
}

/* A UE with two connections may go back to the first, whether it is challenged there or not. */
/* covers: TM-03, TS-08 */
static void older_connection_may_come_back(void **state)
{
	struct pcscf_registration g;
	char path[2][256];
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned challenged = 0; challenged < 2; challenged++) {
		two_connections(&r, &u, path);
		assert_true(rig_registration(&r, &u, &g));
		assert_int_equal(rig_set(&g, PCSCF_SET_CURRENT)->flow.session, 8);
		assert_int_equal(rig_set(&g, PCSCF_SET_OLD)->flow.session, 7);
		rig_register(&r, &u,
			     &(struct rig_register){.client = "tls",
						    .expires = 6000,
						    .authorization = challenged ? NULL : RIG_ANSWER,
						    .verify = challenged ? NULL : u.verify,
						    .session = 7});
		if (challenged) {
			rig_challenge_digest(&r, &u, "");
			tls_sm7(&r, &u, 7);
		}
		rig_ok(&r, &u, 6000);
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		assert_true(rig_registration(&r, &u, &g));
		assert_int_equal(g.n_sets, 1);
		assert_int_equal(g.sets[0].role, PCSCF_SET_CURRENT);
		assert_int_equal(g.sets[0].flow.session, 7);
		assert_int_equal(r.hung_up, 8);
		assert_true(g.sets[0].expires_at > r.now + 5900000);
		assert_int_equal(rig_counters(&r).impossible, 0);
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
		tls_sm7(&r, &u, 7);
		rig_challenge_digest(&r, &u, stale ? ", stale=TRUE" : "");
		assert_int_equal(rig_last_ue(&r)->m.status, 401);
		assert_int_equal(rig_last_ue(&r)->flow.session, 7);
		assert_int_equal(rig_holds(rig_last_ue(&r), "Security-Server: tls"), stale);
		if (stale) {
			rig_run(&r, 100000);
			tls_sm7(&r, &u, 7);
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
		tls_sm7(&r, &u, 7);
		rig_register(&r, &u,
			     &(struct rig_register){
				     .client = "tls", .expires = 600, .session = same ? 7 : 0});
		/* but not the one that it comes on */
		assert_int_equal(r.hang_ups, !same);
		rig_challenge_digest(&r, &u, "");
		tls_sm7(&r, &u, same ? 7 : 8);
		rig_ok(&r, &u, 600);
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		assert_int_equal(rig_counters(&r).sets, 1);
		rig_end(&r);
	}
}

/* A re-authentication on the connection in use that another REGISTER overtakes leaves it. covers:
 * TM-04, TM-05 */
static void overtaken_reauthentication_keeps_the_connection(void **state)
{
	struct pcscf_registration g;
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned in_clear = 0; in_clear < 2; in_clear++) {
		rig_init(&r, tls_last);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_registered_digest(&r, &u, 7, 600);
		rig_register(&r, &u,
			     &(struct rig_register){.client = "tls", .expires = 600, .session = 7});
		rig_challenge_digest(&r, &u, "");
		tls_sm7(&r, &u, 7);
		rig_register(&r, &u,
			     &(struct rig_register){
				     .client = "tls", .expires = 600, .session = in_clear ? 0 : 7});
		rig_run(&r, 1500);
		assert_int_equal(r.hang_ups, 0);
		assert_true(rig_registration(&r, &u, &g));
		assert_non_null(rig_set(&g, PCSCF_SET_CURRENT));
		assert_int_equal(rig_set(&g, PCSCF_SET_CURRENT)->flow.session, 7);
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
	tls_sm7(&r, &u, 7);
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
		cmocka_unit_test(connection_is_of_one_user),
		cmocka_unit_test(outside_only_register),
		cmocka_unit_test(emergency_outside),
		cmocka_unit_test(terminating_requests_take_the_connection),
		cmocka_unit_test(connection_gone_unseen),
		cmocka_unit_test(failure_releases_the_connection),
		cmocka_unit_test(trouble_of_the_core_keeps_the_connection),
		cmocka_unit_test(both_connections_are_reached),
		cmocka_unit_test(older_connection_ends),
		cmocka_unit_test(answer_on_the_older_connection),
		cmocka_unit_test(older_connection_may_come_back),
		cmocka_unit_test(stale_goes_on),
		cmocka_unit_test(newer_sm1_ends_the_unfinished),
		cmocka_unit_test(overtaken_reauthentication_keeps_the_connection),
		cmocka_unit_test(new_connection_rebinds),
		cmocka_unit_test(unfinished_runs_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
