/* UEs behind NATs at the P-CSCF (TS 33.203 Annex M, D-17, C-34, field notes). */
#include "tests/control/pcscf/nat.h"

/* ---- negotiation -------------------------------------------------------------------------- */

/* covers: D-17, C-34, C-03, HX-08, F17, NM-01, NM-03, NM-05, NM-06, NM-12 */
static void sm6_takes_udp_enc_tun(void **state)
{
	const struct rig_message *sm6;
	const struct sa_set *sa;
	struct rig_register sm1;
	struct rig_ue u;
	struct rig r;

	(void)state;
	nat_start(&r, &u);
	sm1 = nat_sm1(&u);
	rig_register(&r, &u, &sm1);
	assert_int_equal(r.core.n, 1);
	assert_false(rig_holds(rig_last_core(&r), "UDP-enc-tun"));
	rig_challenge(&r, &u);
	sm6 = rig_last_ue(&r);
	/* back through the NAT; from Via the UE learns its public address (TS 24.229 Annex F) */
	assert_true(nat_addr_is(&sm6->flow.remote.addr, NAT));
	assert_int_equal(sm6->flow.remote.port, 31000);
	assert_true(rig_holds(sm6, "received=" NAT));
	assert_true(rig_holds(sm6, "rport=31000"));
	/* all that is offered is in tunnel mode: a UE cannot choose what would not pass */
	assert_int_equal(strstr(u.verify, "ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc;"
					  "mod=UDP-enc-tun;") == u.verify,
			 1);
	for (const char *at = u.verify; (at = strstr(at, "ipsec-3gpp")); at++)
		assert_non_null(strstr(at, "mod=UDP-enc-tun"));
	sa = rig_sa(&r, u.set);
	assert_int_equal(sa->mode, SA_MODE_UDP_ENC_TUN);
	assert_true(nat_addr_is(&sa->remote, NAT));
	assert_true(nat_addr_is(&sa->local, "192.0.2.1"));
	assert_int_equal(sa->tunnel.remote_port, 0); /* learned from SM7 */
	assert_true(sa->tunnel.follow);
	assert_true(nat_addr_is(&sa->tunnel.inner_local, "192.0.2.1"));
	assert_true(nat_addr_is(&sa->tunnel.inner_remote[0], "192.168.1.2"));
	assert_true(nat_addr_is(&sa->tunnel.inner_remote[1], NAT));
	assert_true(nat_addr_is(&sa->tunnel.host_alias, "198.18.0.1"));
	assert_int_equal(sa->remote_port[SA_SERVER], u.ours.port_c);
	assert_int_equal(sa->remote_port[SA_CLIENT], u.ours.port_s);
	rig_end(&r);
}

/* covers: HX-08, F17, NM-03, NM-04 */
static void who_gets_which_mode(void **state)
{
	static const struct {
		bool nat, tunnel, on;
		unsigned status; /* of the refusal; 0: goes on */
		enum sa_mode mode;
	} cases[] = {
		{false, false, true, 0, SA_MODE_TRANSPORT},
		{false, true, true, 0, SA_MODE_TRANSPORT}, /* transport mode where it can be */
		{false, true, false, 0, SA_MODE_TRANSPORT},
		{true, true, true, 0, SA_MODE_UDP_ENC_TUN},
		{true, false, true, 494, 0}, /* not offered */
		{true, true, false, 403, 0}, /* switched off */
		{true, false, false, 403, 0},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct rig_register sm1;
		struct rig_ue u;
		struct rig r;

		rig_init(&r, cases[i].on ? nat_conf : NULL);
		rig_ue_init(&u, "alice", "192.168.1.2");
		if (cases[i].tunnel)
			rig_ue_behind(&u, NAT);
		u.nat = cases[i].nat ? nat_addr(NAT) : (struct ip_addr){0};
		sm1 = nat_sm1(&u);
		rig_register(&r, &u, &sm1);
		if (cases[i].status) {
			assert_int_equal(rig_last_ue(&r)->m.status, cases[i].status);
			assert_true(rig_holds(rig_last_ue(&r), "Warning: 399"));
			assert_true(rig_holds(rig_last_ue(&r), "NAT between UE and P-CSCF"));
			assert_true(rig_holds(rig_last_ue(&r), "mod=UDP-enc-tun") ==
				    (cases[i].status == 494));
			assert_int_equal(rig_counters(&r).drops[PCSCF_REFUSED_NAT], 1);
			assert_int_equal(r.core.n, 0);
			assert_int_equal(rig_counters(&r).pending, 0);
		} else {
			rig_challenge(&r, &u);
			assert_int_equal(rig_sa(&r, u.set)->mode, cases[i].mode);
		}
		rig_end(&r);
	}
}

/* Only tunnel mode, and no NAT: what the UE wants is not for it. */
/* covers: HX-08, NM-03 */
static void tunnel_without_nat_is_refused(void **state)
{
	static const char *const mods[] = {"UDP-enc-tun", "tun"};

	(void)state;
	for (unsigned i = 0; i < N_OF(mods); i++)
		for (unsigned nat = 0; nat <= i; nat++) {
			struct rig_register sm1;
			struct rig_ue u;
			struct rig r;

			nat_start(&r, &u);
			if (!nat)
				u.nat.version = 0;
			snprintf(u.client, sizeof(u.client),
				 "ipsec-3gpp;alg=hmac-sha-1-96;ealg=null;mod=%s;spi-c=7001;"
				 "spi-s=7002;port-c=40002;port-s=5070",
				 mods[i]);
			sm1 = nat_sm1(&u);
			rig_register(&r, &u, &sm1);
			assert_int_equal(rig_last_ue(&r)->m.status, 494);
			assert_int_equal(r.core.n, 0);
			rig_end(&r);
		}
}

/* Via is what a stranger writes: nothing may become an inner address that cannot be a UE's. */
static void via_addresses_that_no_ue_has(void **state)
{
	static const char *const hosts[] = {"127.0.0.1",	"0.0.0.0",   "224.0.0.5",
					    "255.255.255.255",	"192.0.2.1", "[2001:db8::5]",
					    "phone.example.org"};

	(void)state;
	for (unsigned i = 0; i < N_OF(hosts); i++) {
		struct rig_register sm1;
		struct rig_ue u;
		struct rig r;

		nat_start(&r, &u);
		sm1 = nat_sm1(&u);
		sm1.via_host = hosts[i];
		rig_register(&r, &u, &sm1);
		assert_int_equal(rig_last_ue(&r)->m.status, 403);
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_counters(&r).sets, 0);
		rig_end(&r);
	}
}

/* ---- registration, requests --------------------------------------------------------------- */

/* covers: C-34, D-17 */
static void both_ways_through_the_tunnel(void **state)
{
	struct pcscf_registration g;
	struct rig_ue u;
	struct rig r;

	(void)state;
	nat_start(&r, &u);
	nat_register(&r, &u);
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	assert_true(nat_addr_is(&rig_last_ue(&r)->flow.remote.addr, "192.168.1.2"));
	assert_false(rig_holds(rig_last_ue(&r), "received="));
	assert_true(rig_registration(&r, &u, &g));
	assert_true(nat_addr_is(&g.ue, NAT));
	assert_int_equal(g.sets[0].set.tunnel.remote_port, 45000);
	assert_int_equal(g.sets[0].set.tunnel.inner_remote[1].version, 0);
	rig_request(&r, &u, u.set, "MESSAGE", NULL);
	assert_true(rig_holds(rig_last_core(&r), "MESSAGE sip:bob@home.test"));
	rig_end(&r);
}

/* Via of SM7: the inner source, or the public address; anything else is somebody else's. */
/* covers: C-34, ST-04, NM-08 */
static void via_of_sm7(void **state)
{
	static const struct {
		const char *host;
		bool good;
	} cases[] = {{"192.168.1.2", true},
		     {NAT, true},
		     {"192.168.1.3", false},
		     {"198.18.0.1", false},
		     {"192.0.2.1", false}};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct rig_ue u;
		struct rig r;

		nat_start(&r, &u);
		rig_sm1(&r, &u, 0);
		rig_challenge(&r, &u);
		rig_forget(&r);
		rig_register(&r, &u,
			     &(struct rig_register){.over = u.set,
						    .client = u.client,
						    .verify = u.verify,
						    .expires = 600,
						    .via_host = cases[i].host,
						    .authorization = "nonce=\"" RIG_NONCE
								     "\", response=\"00\""});
		assert_int_equal(r.core.n, cases[i].good);
		if (!cases[i].good)
			assert_int_equal(rig_last_ue(&r)->m.status, 400);
		rig_end(&r);
	}
}

/* The inner address is private or public, as SM7 has it; and then that one only. */
/* covers: NM-07 */
static void inner_address_is_settled_by_sm7(void **state)
{
	static const char *const inner[] = {"192.168.1.2", NAT};

	(void)state;
	for (unsigned i = 0; i < N_OF(inner); i++) {
		uint64_t *unknown;
		struct sip_flow from;
		struct rig_ue u;
		struct rig r;

		nat_start(&r, &u);
		rig_sm1(&r, &u, 0);
		rig_challenge(&r, &u);
		u.addr = nat_addr(inner[i]);
		rig_sm7(&r, &u);
		rig_ok(&r, &u, 600);
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		assert_true(nat_addr_is(&rig_last_ue(&r)->flow.remote.addr, inner[i]));
		u.addr = nat_addr(inner[!i]);
		rig_forget(&r);
		from = rig_flow(&r, &u, u.set);
		rig_from_ue(&r, &from, "OPTIONS sip:home.test SIP/2.0\r\n\r\n");
		rig_request(&r, &u, u.set, "MESSAGE", NULL);
		assert_int_equal(r.core.n, 0);
		unknown = &(uint64_t){rig_counters(&r).drops[PCSCF_DROP_UNKNOWN_SET]};
		assert_int_equal(*unknown, 1);
		rig_end(&r);
	}
}

/* Over TCP the first message has the host's view; the data plane's event says the inner address. */
/* covers: NM-07 */
static void inner_address_is_settled_by_the_event(void **state)
{
	struct pcscf_registration g;
	struct rig_ue u;
	struct rig r;

	(void)state;
	nat_start(&r, &u);
	rig_sm1(&r, &u, 0);
	rig_challenge(&r, &u);
	u.addr = nat_addr(NAT);
	nat_moved(&r, &u, NAT, 45000);
	assert_true(rig_registration(&r, &u, &g));
	assert_true(nat_addr_is(&g.sets[0].set.tunnel.inner_remote[0], NAT));
	assert_int_equal(g.sets[0].set.tunnel.inner_remote[1].version, 0);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_true(nat_addr_is(&rig_last_ue(&r)->flow.remote.addr, NAT));
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sm6_takes_udp_enc_tun),
		cmocka_unit_test(who_gets_which_mode),
		cmocka_unit_test(tunnel_without_nat_is_refused),
		cmocka_unit_test(via_addresses_that_no_ue_has),
		cmocka_unit_test(both_ways_through_the_tunnel),
		cmocka_unit_test(via_of_sm7),
		cmocka_unit_test(inner_address_is_settled_by_sm7),
		cmocka_unit_test(inner_address_is_settled_by_the_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
