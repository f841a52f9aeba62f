/* UEs that authenticate by Digest and protect nothing: known by address and port (TS 33.203 Annex
 * N). */
#include "tests/control/pcscf/rig.h"

static void with_digest(struct pcscf_conf *c)
{
	c->digest = true;
}

static bool says(const struct rig *r, const char *value)
{
	char text[64];

	if (!value)
		return !rig_holds(rig_last_core(r), "integrity-protected");
	snprintf(text, sizeof(text), "integrity-protected=\"%s\"", value);
	return rig_holds(rig_last_core(r), text);
}

/* SM1 to SM12, requests both ways. covers: DN-10, DN-13, IN-04 */
static void registers_by_digest(void **state)
{
	struct pcscf_registration g;
	const struct pcscf_set_info *s;
	const char *challenge;
	struct sip_flow flow;
	struct rig r;
	struct rig_ue u;
	unsigned n;

	(void)state;
	rig_init(&r, with_digest);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_register(&r, &u, &(struct rig_register){.expires = 600});
	assert_true(says(&r, NULL));
	rig_challenge_digest(&r, &u, ", opaque=\"o\", stale=false");
	assert_int_equal(rig_last_ue(&r)->m.status, 401);
	challenge = rig_field(&r, rig_last_ue(&r), SIP_HDR_WWW_AUTHENTICATE);
	assert_string_equal(challenge,
			    "Digest realm=\"home.test\", nonce=\"" RIG_DIGEST
			    "\", algorithm=MD5, qop=\"auth\", opaque=\"o\", stale=false");
	assert_false(rig_holds(rig_last_ue(&r), "Security-Server"));
	rig_register(&r, &u, &(struct rig_register){.authorization = RIG_ANSWER, .expires = 600});
	assert_true(says(&r, "ip-assoc-pending"));
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	assert_true(rig_registration(&r, &u, &g));
	assert_int_equal(g.n_impus, 2);
	s = rig_set(&g, PCSCF_SET_CURRENT);
	assert_non_null(s);
	assert_int_equal(s->kind, PCSCF_ADDRESS);
	assert_int_equal(s->flow.remote.port, 5060);

	flow = rig_flow(&r, &u, 0);
	rig_request_on(&r, &u, &flow, "MESSAGE", NULL);
	assert_true(rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:alice@home.test>"));
	n = r.core.n;
	rig_request_on(&r, &u, &flow, "MESSAGE", "sip:mallory@home.test");
	flow.remote.port++;
	rig_request_on(&r, &u, &flow, "MESSAGE", NULL);
	flow.remote.port--;
	flow.transport = SIP_TRANSPORT_TCP;
	rig_request_on(&r, &u, &flow, "MESSAGE", NULL);
	assert_int_equal(r.core.n, n);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_IMPU], 1);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_CLEAR_NOT_REGISTER], 2);
	rig_end(&r);
}

/* Each REGISTER behind the first. covers: IN-04, IN-05 */
static void indicators(void **state)
{
	static const struct {
		const char *authorization;
		uint16_t port;
		bool tcp;
		const char *indicator;
	} rows[] = {
		{NULL, 0, false, "ip-assoc-yes"},
		{RIG_ANSWER, 0, false, "ip-assoc-yes"},
		{"", 0, false, "ip-assoc-yes"},
		{NULL, 5070, false, NULL},
		{"nonce=\"\", response=\"\", integrity-protected=\"ip-assoc-yes\"", 5070, false,
		 NULL},
		{RIG_ANSWER, 5070, false, "ip-assoc-pending"},
		{RIG_ANSWER, 0, true, "ip-assoc-pending"},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct pcscf_registration g;
		struct rig r;
		struct rig_ue u;

		rig_init(&r, with_digest);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_registered_digest(&r, &u, 0, 600);
		rig_register(&r, &u,
			     &(struct rig_register){.authorization = rows[i].authorization,
						    .source_port = rows[i].port,
						    .tcp = rows[i].tcp,
						    .expires = 600});
		assert_true(says(&r, rows[i].indicator));
		rig_ok(&r, &u, 600);
		/* what the core took from elsewhere is bound there */
		assert_true(rig_registration(&r, &u, &g));
		assert_int_equal(g.n_sets, 1);
		if (rows[i].indicator) {
			assert_int_equal(g.sets[0].flow.remote.port,
					 rows[i].port ? rows[i].port : 5060);
			assert_int_equal(g.sets[0].flow.transport == SIP_TRANSPORT_TCP,
					 rows[i].tcp);
		}
		rig_end(&r);
	}
}

/* Never with IPsec, never where it is not allowed. covers: DN-02, DN-03, C-32 */
static void where_digest_is_not(void **state)
{
	static const struct {
		bool allowed, ipsec;
		const char *extra;
		unsigned status;
	} rows[] = {
		{true, true, NULL, 401}, /* no SA, though offered */
		{false, true, NULL, 403},
		{true, true, "P-Access-Network-Info: 3GPP-E-UTRAN-FDD\r\n", 403},
		{true, false, "P-Access-Network-Info: 3GPP-E-UTRAN-FDD\r\n", 421},
		{true, false, "P-Access-Network-Info: IEEE-802.11\r\n", 401},
		{false, false, NULL, 421},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct rig r;
		struct rig_ue u;

		rig_init(&r, rows[i].allowed ? with_digest : NULL);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u,
			     &(struct rig_register){.client = rows[i].ipsec ? u.client : NULL,
						    .extra = rows[i].extra,
						    .expires = 600});
		if (r.core.n) {
			rig_challenge_digest(&r, &u, "");
			assert_int_equal(rig_counters(&r).drops[PCSCF_REFUSED_PAIRING],
					 rows[i].status == 403);
		}
		assert_int_equal(rig_last_ue(&r)->m.status, rows[i].status);
		assert_int_equal(r.installs, 0);
		assert_int_equal(rig_installed(&r), 0);
		rig_end(&r);
	}
}

/* SM7 has what nobody gave: somebody is in between. covers: PO-02 */
static void sm7_shows_what_was_stripped(void **state)
{
	static const struct {
		const char *client, *verify;
	} rows[] = {{"tls", NULL}, {NULL, "tls;q=0.9"}, {"ipsec-3gpp", "tls"}};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct rig r;
		struct rig_ue u;

		rig_init(&r, with_digest);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u, &(struct rig_register){.expires = 600});
		rig_challenge_digest(&r, &u, "");
		rig_forget(&r);
		rig_register(&r, &u,
			     &(struct rig_register){.client = rows[i].client,
						    .verify = rows[i].verify,
						    .authorization = RIG_ANSWER,
						    .expires = 600});
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_last_ue(&r)->m.status, 494);
		assert_int_equal(rig_counters(&r).drops[PCSCF_REFUSED_VERIFY], 1);
		rig_end(&r);
	}
}

/* Behind a NAT, where no UDP encapsulation is to be had; and an address passes on. */
static void addresses_are_those_of_the_packets(void **state)
{
	struct pcscf_registration g;
	struct rig_ue a, b;
	struct sip_flow flow;
	struct rig r;

	(void)state;
	rig_init(&r, with_digest);
	rig_ue_init(&a, "alice", "10.0.0.7");
	rig_ue_init(&b, "bob", "10.0.0.8");
	ip_addr_parse(&a.nat, "192.0.2.200");
	b.nat = a.nat;
	a.nat_port = 31000;
	b.nat_port = 31001;
	rig_registered_digest(&r, &a, 0, 600);
	rig_registered_digest(&r, &b, 0, 600);
	assert_int_equal(rig_counters(&r).registered, 2);
	flow = rig_flow(&r, &b, 0);
	rig_request_on(&r, &b, &flow, "MESSAGE", NULL);
	assert_true(rig_holds(rig_last_core(&r), "P-Asserted-Identity: <sip:bob@home.test>"));
	/* the NAT gives bob alice's port */
	b.nat_port = 31000;
	rig_registered_digest(&r, &b, 0, 600);
	assert_true(rig_registration(&r, &a, &g));
	assert_int_equal(g.n_sets, 0);
	assert_true(rig_registration(&r, &b, &g));
	assert_int_equal(g.sets[0].flow.remote.port, 31000);
	rig_end(&r);
}

/* A failure leaves what there was. */
static void failure_leaves_the_association(void **state)
{
	static const struct {
		uint16_t port; /* 5060: that of the association */
		unsigned status;
	} rows[] = {{5071, 403}, {5060, 403}, {5071, 504}, {5060, 504}, {5060, 0}};
	struct pcscf_registration g;
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		rig_init(&r, with_digest);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_registered_digest(&r, &u, 0, 600);
		rig_register(&r, &u,
			     &(struct rig_register){.expires = 600, .source_port = rows[i].port});
		rig_challenge_digest(&r, &u, "");
		rig_register(&r, &u,
			     &(struct rig_register){.authorization = RIG_ANSWER,
						    .expires = 600,
						    .source_port = rows[i].port});
		if (rows[i].status)
			rig_answer(&r, rows[i].status, "%s", "");
		rig_run(&r, 200000);
		assert_true(rig_registration(&r, &u, &g));
		assert_int_equal(g.n_sets, 1);
		assert_int_equal(g.sets[0].role, PCSCF_SET_CURRENT);
		assert_int_equal(g.sets[0].flow.remote.port, 5060);
		assert_int_equal(rig_counters(&r).pending, 0);
		assert_int_equal(rig_counters(&r).impossible, 0);
		rig_end(&r);
	}
}

/* Another UE gets the address while the first one's answer is at the core: that one begins again.
 */
/* covers: DN-13 */
static void address_passes_on_meanwhile(void **state)
{
	const struct rig_register asks = {.expires = 600},
				  answers = {.authorization = RIG_ANSWER, .expires = 600};
	const struct rig_message *sm8;
	struct pcscf_registration g;
	struct rig_ue a, b;
	struct rig r;

	(void)state;
	rig_init(&r, with_digest);
	rig_ue_init(&a, "alice", "192.0.2.77");
	rig_ue_init(&b, "bob", "192.0.2.77");
	rig_registered_digest(&r, &a, 0, 600);
	rig_register(&r, &b, &asks);
	rig_challenge_digest(&r, &b, "");
	rig_register(&r, &a, &asks);
	rig_challenge_digest(&r, &a, "");
	rig_register(&r, &a, &answers);
	sm8 = rig_last_core(&r);
	rig_register(&r, &b, &answers);
	rig_ok(&r, &b, 600);
	assert_true(rig_registration(&r, &b, &g));
	assert_int_equal(g.n_sets, 1);
	rig_answer_to(&r, sm8, 200, "Expires: 600\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 500);
	assert_int_equal(rig_counters(&r).pending, 0);
	assert_int_equal(rig_counters(&r).impossible, 0);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_by_digest),
		cmocka_unit_test(indicators),
		cmocka_unit_test(where_digest_is_not),
		cmocka_unit_test(sm7_shows_what_was_stripped),
		cmocka_unit_test(addresses_are_those_of_the_packets),
		cmocka_unit_test(failure_leaves_the_association),
		cmocka_unit_test(address_passes_on_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
