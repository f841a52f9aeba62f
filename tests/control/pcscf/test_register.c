/* One registration from SM1 to SM12, and what each message carries. */
#include "tests/control/pcscf/rig.h"

#include "control/base/parse.h"

static void to_hex(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", p[i]);
}

/* covers: SU-03, IN-04, IN-05, F23 */
static void sm2_has_path_and_no_agreement(void **state)
{
	struct rig r;
	struct rig_ue u;
	const struct rig_message *sm2;

	(void)state;
	rig_init(&r, NULL);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_register(
		&r, &u,
		&(struct rig_register){
			.client = u.client,
			.expires = 3600,
			.authorization = "nonce=\"\", response=\"\", integrity-protected=\"yes\"",
			.extra = "Path: <sip:evil@x;lr>\r\nP-Visited-Network-ID: evil\r\n"});
	assert_int_equal(r.core.n, 1);
	sm2 = rig_last_core(&r);
	assert_true(sv_eq(sm2->host, SV(RIG_ICSCF)));
	assert_false(rig_holds(sm2, "sec-agree"));
	assert_false(rig_holds(sm2, "Security-"));
	assert_false(rig_holds(sm2, "evil"));
	assert_false(rig_holds(sm2, "Proxy-Require"));
	assert_true(rig_holds(sm2, "Supported: path\r\n"));
	assert_true(rig_holds(sm2, "Require: path\r\n"));
	assert_true(rig_holds(sm2, "integrity-protected=\"no\""));
	assert_false(rig_holds(sm2, "integrity-protected=\"yes\""));
	assert_true(rig_holds(sm2, "P-Visited-Network-ID: \"visited.test\"\r\n"));
	assert_true(rig_holds(sm2, "@" RIG_HOST ";lr>\r\n"));
	assert_true(rig_holds(sm2, "Max-Forwards: 69\r\n"));
	assert_int_equal(rig_counters(&r).pending, 1);
	assert_int_equal(rig_installed(&r), 0);
	rig_end(&r);
}

/* covers: AK-05, F32 */
static void keys_never_reach_the_ue(void **state)
{
	static const char *const forms[] = {
		"Digest realm=\"h\", nonce=\"" RIG_NONCE "\", algorithm=AKAv1-MD5, ik=\"" RIG_IK
		"\", ck=\"" RIG_CK "\"",
		"Digest IK=\"" RIG_IK "\" , CK = \"" RIG_CK "\", realm=\"h\",nonce=\"" RIG_NONCE
		"\",algorithm=AKAv1-MD5",
		"Digest ck=" RIG_CK ",realm=\"h\",\r\n\tik=" RIG_IK
		",algorithm=AKAv1-MD5,nonce=\"" RIG_NONCE "\"",
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(forms); i++) {
		for (unsigned status = 401; status <= 403; status += 2) {
			struct rig r;
			struct rig_ue u;

			rig_init(&r, NULL);
			rig_ue_init(&u, "alice", "192.0.2.77");
			rig_sm1(&r, &u, 0);
			rig_answer(&r, status, "WWW-Authenticate: %s\r\n", forms[i]);
			assert_int_equal(rig_last_ue(&r)->m.status, status);
			assert_false(rig_holds(rig_last_ue(&r), RIG_IK));
			assert_false(rig_holds(rig_last_ue(&r), RIG_CK));
			assert_true(rig_holds(rig_last_ue(&r), RIG_NONCE));
			assert_int_equal(rig_installed(&r), status == 401);
			rig_end(&r);
		}
	}
}

/* covers: SU-05, SU-06, SP-03, SP-06, SP-09, ES-05, F22, LP-06 */
static void sm6_announces_what_is_installed(void **state)
{
	struct rig r;
	struct rig_ue u;
	const struct rig_message *sm6;
	const struct sa_set *sa;
	struct agree_list l;
	char hex[41];

	(void)state;
	rig_init(&r, NULL);
	rig_ue_init(&u, "alice", "192.0.2.77");
	r.next_spi = u.ours.spi_c; /* what the P-CSCF would choose next are the UE's own */
	rig_sm1(&r, &u, 0);
	rig_challenge(&r, &u);
	sm6 = rig_last_ue(&r);
	assert_int_equal(sm6->flow.set, 0);
	assert_int_equal(sm6->flow.remote.port, 5060);
	sa = rig_sa(&r, u.set);
	assert_non_null(sa);
	assert_int_equal(sa->spi_out[SA_SERVER], u.ours.spi_c);
	assert_int_equal(sa->spi_out[SA_CLIENT], u.ours.spi_s);
	assert_int_equal(sa->remote_port[SA_SERVER], u.ours.port_c);
	assert_int_equal(sa->remote_port[SA_CLIENT], u.ours.port_s);
	assert_int_equal(sa->local_port[SA_SERVER], 6060);
	assert_in_range(sa->local_port[SA_CLIENT], 20000, 20999);
	assert_true(ip_addr_eq(&sa->remote, &u.addr));
	assert_int_equal(sa->integ, SA_INTEG_HMAC_SHA_1_96);
	assert_int_equal(sa->encr, SA_ENCR_AES_CBC);
	to_hex(sa->keys.integ, 20, hex);
	assert_string_equal(hex, RIG_IK "00000000");
	to_hex(sa->keys.encr, 16, hex);
	assert_string_equal(hex, RIG_CK);

	assert_int_equal(agree_parse(&l, &sm6->m, SIP_HDR_SECURITY_SERVER), 0);
	assert_int_equal(l.n, 3);
	for (unsigned i = 0; i < l.n; i++) {
		assert_int_equal(l.m[i].alg, r.conf.choices[i].integ);
		assert_int_equal(l.m[i].ealg, r.conf.choices[i].encr);
		assert_int_equal(l.m[i].spi_c, sa->spi_in[SA_CLIENT]);
		assert_int_equal(l.m[i].spi_s, sa->spi_in[SA_SERVER]);
		assert_int_equal(l.m[i].port_c, sa->local_port[SA_CLIENT]);
		assert_int_equal(l.m[i].port_s, 6060);
		assert_true(i == 0 || l.m[i].q < l.m[i - 1].q);
		assert_true(l.m[i].spi_c != u.ours.spi_c && l.m[i].spi_c != u.ours.spi_s);
		assert_true(l.m[i].spi_s != u.ours.spi_c && l.m[i].spi_s != u.ours.spi_s);
	}
	rig_end(&r);
}

static void full_registration(const char *addr)
{
	struct pcscf_registration g;
	const struct rig_message *m;
	struct rig r;
	struct rig_ue u;

	rig_init(&r, NULL);
	rig_ue_init(&u, "alice", addr);
	rig_sm1(&r, &u, 0);
	rig_challenge(&r, &u);
	rig_sm7(&r, &u);
	m = rig_last_core(&r);
	assert_true(sv_eq(m->host, SV(RIG_ICSCF)));
	assert_true(rig_holds(m, "integrity-protected=\"yes\""));
	assert_true(rig_holds(m, "username=\"alice@home.test\""));
	assert_false(rig_holds(m, "Security-"));
	assert_true(rig_registration(&r, &u, &g));
	assert_false(g.registered);

	rig_ok(&r, &u, 600);
	m = rig_last_ue(&r);
	assert_int_equal(m->m.status, 200);
	assert_false(rig_holds(m, "Security-"));
	assert_int_equal(m->flow.set, u.set);
	assert_int_equal(m->flow.pair, SA_CLIENT);
	assert_int_equal(m->flow.remote.port, u.ours.port_s);
	assert_true(rig_registration(&r, &u, &g));
	assert_true(g.registered);
	assert_int_equal(g.n_sets, 1);
	assert_int_equal(g.sets[0].role, PCSCF_SET_CURRENT);
	assert_int_equal(g.sets[0].expires_at, r.now + 630000);
	assert_int_equal(g.sets[0].set.id, u.set);
	assert_memory_equal(g.sets[0].set.spi_in, rig_sa(&r, u.set)->spi_in, 8);
	assert_int_equal(g.sets[0].set.remote_port[SA_SERVER], u.ours.port_c);
	assert_int_equal(g.sets[0].set.remote_port[SA_CLIENT], u.ours.port_s);
	assert_int_equal(g.sets[0].set.local_port[SA_SERVER], 6060);
	assert_int_equal(g.n_impus, 2);
	assert_true(sv_eq(g.impus[0], SV("sip:alice@home.test")));
	assert_true(sv_has_prefix(g.impus[1], SV("tel:+4930")));
	assert_true(ip_addr_eq(&g.ue, &u.addr));
	assert_int_equal(rig_counters(&r).registered, 1);
	assert_int_equal(rig_counters(&r).registrations, 1);
	assert_int_equal(rig_counters(&r).pending, 0);
	for (size_t i = 0; i < sizeof(g.sets[0].set.keys); i++)
		assert_int_equal(((const uint8_t *)&g.sets[0].set.keys)[i], 0);
	rig_end(&r);
}

/* covers: AK-10, IN-01, IN-02, SU-13, SU-14, SP-13, LP-04, LP-08, LP-09, ST-01, ST-14, F04, F24 */
static void registration_completes(void **state)
{
	(void)state;
	full_registration("192.0.2.77");
	full_registration("2001:db8::77");
}

/* covers: F04 */
static void clear_answer_follows_the_source_port(void **state)
{
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, NULL);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_register(
		&r, &u,
		&(struct rig_register){.client = u.client, .expires = 600, .source_port = 49152});
	rig_challenge(&r, &u);
	assert_int_equal(rig_last_ue(&r)->flow.remote.port, 49152);
	assert_int_equal(rig_last_ue(&r)->flow.local.port, 5060);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_int_equal(rig_last_ue(&r)->flow.remote.port, u.ours.port_s);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	rig_end(&r);
}

/* covers: C-34, F17 */
static void nat_gets_a_clear_error(void **state)
{
	static const char *const hosts[] = {"10.0.0.7", "phone.example.org", "[2001:db8::5]"};

	(void)state;
	for (unsigned i = 0; i < N_OF(hosts); i++) {
		struct rig r;
		struct rig_ue u;
		const struct rig_message *m;

		rig_init(&r, NULL);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u,
			     &(struct rig_register){.client = u.client,
						    .expires = 600,
						    .via_host = hosts[i],
						    .source_port = 31000,
						    .branch = "z9hG4bKnat;rport"});
		m = rig_last_ue(&r);
		assert_int_equal(m->m.status, 403);
		assert_int_equal(m->flow.remote.port, 31000);
		assert_true(rig_holds(m, "received=192.0.2.77"));
		assert_true(rig_holds(m, "rport=31000"));
		assert_true(rig_holds(m, "Warning: 399"));
		assert_int_equal(r.core.n, 0);
		/* a name is no sign of NAT */
		assert_int_equal(
			rig_counters(&r).drops[i == 1 ? PCSCF_DROP_VIA_ADDRESS : PCSCF_REFUSED_NAT],
			1);
		assert_int_equal(rig_counters(&r).transactions, 0);
		rig_end(&r);
	}
}

/* A repeated SM1 or SM7 gives the same answer again and nothing new. */
/* covers: F13 */
static void repeats_are_absorbed(void **state)
{
	struct rig_register sm1 = {.expires = 600, .branch = "z9hG4bKrepeat"};
	struct rig r;
	struct rig_ue u;
	unsigned core;

	(void)state;
	rig_init(&r, NULL);
	rig_ue_init(&u, "alice", "192.0.2.77");
	sm1.client = u.client;
	rig_register(&r, &u, &sm1);
	rig_register(&r, &u, &sm1);
	assert_int_equal(r.core.n, 1);
	rig_challenge(&r, &u);
	rig_register(&r, &u, &sm1);
	assert_int_equal(r.ue.n, 2);
	assert_true(sv_eq(r.ue.messages[0].m.raw, r.ue.messages[1].m.raw));
	assert_int_equal(rig_installed(&r), 1);
	rig_sm7(&r, &u);
	core = r.core.n;
	rig_ok(&r, &u, 600);
	rig_forget(&r);
	r.serial--;
	rig_sm7(&r, &u); /* same branch: the 200 comes again, over the SA */
	assert_int_equal(r.core.n, 0);
	assert_int_equal(core, 2);
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	assert_int_equal(rig_counters(&r).registrations, 1);
	rig_end(&r);
}

/* SM1's transaction ends with the registration; a late copy of SM1 changes nothing. */
static void late_copy_of_sm1_is_harmless(void **state)
{
	struct rig_register sm1 = {.expires = 600, .branch = "z9hG4bKlate"};
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, NULL);
	rig_ue_init(&u, "alice", "192.0.2.77");
	sm1.client = u.client;
	rig_register(&r, &u, &sm1);
	rig_challenge(&r, &u);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	rig_run(&r, 1);
	assert_int_equal(rig_counters(&r).transactions, 1); /* SM7's, for repeats of the 200 */
	rig_forget(&r);
	rig_register(&r, &u, &sm1);
	assert_int_equal(rig_last_ue(&r)->m.status, 400);
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_counters(&r).transactions, 1);
	assert_int_equal(rig_counters(&r).registered, 1);
	assert_int_equal(rig_installed(&r), 1);
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sm2_has_path_and_no_agreement),
		cmocka_unit_test(keys_never_reach_the_ue),
		cmocka_unit_test(sm6_announces_what_is_installed),
		cmocka_unit_test(registration_completes),
		cmocka_unit_test(clear_answer_follows_the_source_port),
		cmocka_unit_test(nat_gets_a_clear_error),
		cmocka_unit_test(repeats_are_absorbed),
		cmocka_unit_test(late_copy_of_sm1_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
