/* UEs behind NATs at the P-CSCF (TS 33.203 Annex M, D-17, C-34, field notes). */
#include "tests/control/pcscf/rig.h"

#define NAT "203.0.113.10"

static void with_nat(struct pcscf_conf *c)
{
	c->udp_enc_port = 4500;
	assert_int_equal(ip_addr_parse(&c->alias[0].addr, "198.18.0.0"), 0);
	c->alias[0].len = 30;
}

static void with_nat_for_a_flood(struct pcscf_conf *c)
{
	with_nat(c);
	c->alias[0].len = 24;
}

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;

	assert_int_equal(ip_addr_parse(&a, text), 0);
	return a;
}

static bool addr_is(const struct ip_addr *a, const char *text)
{
	struct ip_addr b = addr(text);

	return ip_addr_eq(a, &b);
}

static void start(struct rig *r, struct rig_ue *u)
{
	rig_init(r, with_nat);
	rig_ue_init(u, "alice", "192.168.1.2");
	rig_ue_behind(u, NAT);
}

static struct rig_register sm1_of(const struct rig_ue *u)
{
	return (struct rig_register){
		.client = u->client, .expires = 600, .branch = "z9hG4bKn;rport"};
}

static void moved(struct rig *r, const struct rig_ue *u, const char *outer, uint16_t port)
{
	struct ip_endpoint e = {addr(outer), port};

	pcscf_ue_moved(r->p, u->set, &e, &u->addr);
}

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
	start(&r, &u);
	sm1 = sm1_of(&u);
	rig_register(&r, &u, &sm1);
	assert_int_equal(r.core.n, 1);
	assert_false(rig_holds(rig_last_core(&r), "UDP-enc-tun"));
	rig_challenge(&r, &u);
	sm6 = rig_last_ue(&r);
	/* back through the NAT; from Via the UE learns its public address (TS 24.229 Annex F) */
	assert_true(addr_is(&sm6->flow.remote.addr, NAT));
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
	assert_true(addr_is(&sa->remote, NAT));
	assert_true(addr_is(&sa->local, "192.0.2.1"));
	assert_int_equal(sa->tunnel.remote_port, 0); /* learned from SM7 */
	assert_true(sa->tunnel.follow);
	assert_true(addr_is(&sa->tunnel.inner_local, "192.0.2.1"));
	assert_true(addr_is(&sa->tunnel.inner_remote[0], "192.168.1.2"));
	assert_true(addr_is(&sa->tunnel.inner_remote[1], NAT));
	assert_true(addr_is(&sa->tunnel.host_alias, "198.18.0.1"));
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

		rig_init(&r, cases[i].on ? with_nat : NULL);
		rig_ue_init(&u, "alice", "192.168.1.2");
		if (cases[i].tunnel)
			rig_ue_behind(&u, NAT);
		u.nat = cases[i].nat ? addr(NAT) : (struct ip_addr){0};
		sm1 = sm1_of(&u);
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

			start(&r, &u);
			if (!nat)
				u.nat.version = 0;
			snprintf(u.client, sizeof(u.client),
				 "ipsec-3gpp;alg=hmac-sha-1-96;ealg=null;mod=%s;spi-c=7001;"
				 "spi-s=7002;port-c=40002;port-s=5070",
				 mods[i]);
			sm1 = sm1_of(&u);
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

		start(&r, &u);
		sm1 = sm1_of(&u);
		sm1.via_host = hosts[i];
		rig_register(&r, &u, &sm1);
		assert_int_equal(rig_last_ue(&r)->m.status, 403);
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_counters(&r).sets, 0);
		rig_end(&r);
	}
}

/* ---- registration, requests --------------------------------------------------------------- */

static void registered(struct rig *r, struct rig_ue *u)
{
	rig_registered(r, u, 0, 600);
	moved(r, u, NAT, 45000);
}

/* covers: C-34, D-17 */
static void both_ways_through_the_tunnel(void **state)
{
	struct pcscf_registration g;
	struct rig_ue u;
	struct rig r;

	(void)state;
	start(&r, &u);
	registered(&r, &u);
	assert_int_equal(rig_last_ue(&r)->m.status, 200);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	assert_true(addr_is(&rig_last_ue(&r)->flow.remote.addr, "192.168.1.2"));
	assert_false(rig_holds(rig_last_ue(&r), "received="));
	assert_true(rig_registration(&r, &u, &g));
	assert_true(addr_is(&g.ue, NAT));
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

		start(&r, &u);
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

		start(&r, &u);
		rig_sm1(&r, &u, 0);
		rig_challenge(&r, &u);
		u.addr = addr(inner[i]);
		rig_sm7(&r, &u);
		rig_ok(&r, &u, 600);
		assert_int_equal(rig_last_ue(&r)->m.status, 200);
		assert_true(addr_is(&rig_last_ue(&r)->flow.remote.addr, inner[i]));
		u.addr = addr(inner[!i]);
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
	start(&r, &u);
	rig_sm1(&r, &u, 0);
	rig_challenge(&r, &u);
	u.addr = addr(NAT);
	moved(&r, &u, NAT, 45000);
	assert_true(rig_registration(&r, &u, &g));
	assert_true(addr_is(&g.sets[0].set.tunnel.inner_remote[0], NAT));
	assert_int_equal(g.sets[0].set.tunnel.inner_remote[1].version, 0);
	rig_sm7(&r, &u);
	rig_ok(&r, &u, 600);
	assert_true(addr_is(&rig_last_ue(&r)->flow.remote.addr, NAT));
	rig_end(&r);
}

/* ---- SA_table ----------------------------------------------------------------------------- */

/* covers: D-17, NM-09, NM-10 */
static void one_port_us_per_public_address(void **state)
{
	static const struct {
		const char *nat;
		uint16_t port_s;
		bool good;
	} cases[] = {{NAT, 5070, false}, {NAT, 5072, true}, {"203.0.113.20", 5070, true}};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct rig_ue a, b;
		struct rig r;

		start(&r, &a);
		registered(&r, &a);
		rig_ue_init(&b, "bob", "192.168.1.3");
		b.ours.port_s = cases[i].port_s;
		b.ours.port_c = 41000;
		rig_ue_behind(&b, cases[i].nat);
		rig_forget(&r);
		rig_sm1(&r, &b, 0);
		assert_int_equal(r.core.n, cases[i].good);
		if (!cases[i].good) {
			assert_int_equal(rig_last_ue(&r)->m.status, 400);
			assert_true(rig_holds(rig_last_ue(&r), "protected port in use"));
			assert_int_equal(rig_counters(&r).drops[PCSCF_REFUSED_PORT], 1);
		}
		rig_end(&r);
	}
}

/* Two SM1s with the same port_us race: the second is refused when it is challenged. */
/* covers: D-17, NM-09 */
static void race_for_a_port_us(void **state)
{
	const struct rig_message *first;
	struct rig_ue a, b;
	struct rig r;

	(void)state;
	start(&r, &a);
	rig_ue_init(&b, "bob", "192.168.1.3");
	b.ours.port_c = 41000;
	rig_ue_behind(&b, NAT);
	rig_sm1(&r, &a, 0);
	first = rig_last_core(&r);
	rig_sm1(&r, &b, 0);
	assert_int_equal(r.core.n, 2);
	rig_challenge(&r, &b);
	rig_answer_to(&r, first, 401,
		      "WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_NONCE
		      "\", algorithm=AKAv1-MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK "\"\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 400);
	assert_int_equal(rig_counters(&r).sets, 1);
	rig_end(&r);
}

/* covers: D-17, NM-14 */
static void ue_is_followed(void **state)
{
	struct pcscf_registration g;
	struct rig_ue a, b;
	struct rig r;

	(void)state;
	start(&r, &a);
	registered(&r, &a);
	moved(&r, &a, "203.0.113.77", 46000);
	assert_true(rig_registration(&r, &a, &g));
	assert_true(addr_is(&g.ue, "203.0.113.77"));
	assert_true(addr_is(&g.sets[0].set.remote, "203.0.113.77"));
	assert_int_equal(g.sets[0].set.tunnel.remote_port, 46000);
	/* its ports are taken where it is, and free where it was */
	rig_ue_init(&b, "bob", "192.168.1.3");
	rig_ue_behind(&b, "203.0.113.77");
	b.ours.port_c = 41000;
	rig_ue_fresh(&b);
	rig_forget(&r);
	rig_sm1(&r, &b, 0);
	assert_int_equal(r.core.n, 0);
	rig_ue_behind(&b, NAT);
	rig_sm1(&r, &b, 0);
	assert_int_equal(r.core.n, 1);
	/* a refresh from the new place makes the new set there */
	rig_ue_fresh(&a);
	rig_sm1(&r, &a, a.set);
	rig_challenge(&r, &a);
	assert_int_equal(rig_last_ue(&r)->flow.set != 0, 1);
	assert_true(addr_is(&rig_sa(&r, a.set)->remote, "203.0.113.77"));
	assert_int_equal(rig_sa(&r, a.set)->tunnel.remote_port, 46000);
	assert_true(addr_is(&rig_sa(&r, a.set)->tunnel.inner_remote[0], "192.168.1.2"));
	rig_end(&r);
}

/* Whoever moves to where another one has its ports already keeps working; nothing is mixed up. */
static void moves_that_collide(void **state)
{
	struct pcscf_registration g;
	struct ip_endpoint nowhere = {addr("203.0.113.5"), 1};
	struct rig_ue a, b;
	struct rig r;

	(void)state;
	start(&r, &a);
	registered(&r, &a);
	rig_ue_init(&b, "bob", "192.168.1.2");
	b.ours.port_c = a.ours.port_c - 2;
	rig_ue_behind(&b, "203.0.113.20");
	registered(&r, &b);
	moved(&r, &b, NAT, 46000);
	moved(&r, &a, "203.0.113.20", 46001);
	moved(&r, &a, NAT, 46002);
	rig_forget(&r);
	rig_request(&r, &b, b.set, "MESSAGE", NULL);
	rig_request(&r, &a, a.set, "MESSAGE", NULL);
	assert_int_equal(r.core.n, 2);
	assert_true(rig_registration(&r, &b, &g));
	assert_int_equal(g.sets[0].set.tunnel.remote_port, 46000);
	pcscf_ue_moved(r.p, 4711, &nowhere, &a.addr); /* gone meanwhile */
	rig_end(&r);
}

/* ---- aliases ------------------------------------------------------------------------------ */

/* covers: NM-11 */
static void aliases_are_distinct_and_come_back(void **state)
{
	struct rig_ue u[3];
	static const char *const names[] = {"alice", "bob", "carol"};
	char nat[32];
	struct rig r;

	(void)state;
	rig_init(&r, with_nat);
	for (unsigned i = 0; i < 3; i++) {
		rig_ue_init(&u[i], names[i], "192.168.1.2");
		snprintf(nat, sizeof(nat), "203.0.113.%u", 10 + i);
		rig_ue_behind(&u[i], nat);
		rig_sm1(&r, &u[i], 0);
		if (i < 2)
			rig_challenge(&r, &u[i]);
	}
	assert_true(addr_is(&rig_sa(&r, u[0].set)->tunnel.host_alias, "198.18.0.1"));
	assert_true(addr_is(&rig_sa(&r, u[1].set)->tunnel.host_alias, "198.18.0.2"));
	/* a /30 has two */
	rig_answer(&r, 401,
		   "WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_NONCE
		   "\", algorithm=AKAv1-MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK "\"\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 503);
	rig_run(&r, 300000); /* nobody answered */
	assert_int_equal(rig_counters(&r).sets, 0);
	rig_ue_fresh(&u[2]);
	rig_sm1(&r, &u[2], 0);
	rig_challenge(&r, &u[2]);
	assert_true(addr_is(&rig_sa(&r, u[2].set)->tunnel.host_alias, "198.18.0.1"));
	/* one that is held is passed over */
	rig_ue_fresh(&u[0]);
	rig_sm1(&r, &u[0], 0);
	rig_challenge(&r, &u[0]);
	assert_true(addr_is(&rig_sa(&r, u[0].set)->tunnel.host_alias, "198.18.0.2"));
	assert_int_equal(pcscf_deregister(r.p, sv_of(u[0].impi), r.now), 0);
	rig_ue_fresh(&u[1]);
	rig_sm1(&r, &u[1], 0);
	rig_challenge(&r, &u[1]);
	assert_true(addr_is(&rig_sa(&r, u[1].set)->tunnel.host_alias, "198.18.0.2"));
	rig_end(&r);
}

/* Challenges that nobody answers take aliases, and give them back, over and over. */
static void a_flood_takes_nothing_for_good(void **state)
{
	struct rig_ue u;
	struct rig r;

	(void)state;
	rig_init(&r, with_nat_for_a_flood);
	for (unsigned i = 0; i < 600; i++) {
		rig_ue_init(&u, "alice", "192.168.1.2");
		rig_ue_behind(&u, NAT);
		u.call_id = "flood";
		rig_sm1(&r, &u, 0);
		rig_challenge(&r, &u);
		rig_run(&r, 300000);
		assert_int_equal(rig_counters(&r).sets, 0);
		rig_forget(&r);
	}
	rig_end(&r);
}

static void bad_alias_prefixes(void **state)
{
	static const struct {
		const char *addr;
		uint8_t len;
		unsigned at;
	} cases[] = {{"198.18.0.1", 15, 0}, {"198.18.0.0", 31, 0}, {"198.18.0.0", 32, 0},
		     {"fd00::", 64, 0},	    {"198.18.0.0", 15, 1}, {"fd00::1", 64, 1},
		     {"fd00::", 127, 1}};
	struct rig r;

	(void)state;
	rig_init(&r, with_nat);
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct pcscf_conf c = r.conf;
		struct pcscf *p = NULL;

		c.alias[cases[i].at] = (struct ip_prefix){addr(cases[i].addr), cases[i].len};
		c.host = "other.test";
		assert_int_equal(pcscf_alloc(&p, &c, &(struct pcscf_env){0}, r.timers, r.mw),
				 -EINVAL);
	}
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
		cmocka_unit_test(one_port_us_per_public_address),
		cmocka_unit_test(race_for_a_port_us),
		cmocka_unit_test(ue_is_followed),
		cmocka_unit_test(moves_that_collide),
		cmocka_unit_test(aliases_are_distinct_and_come_back),
		cmocka_unit_test(a_flood_takes_nothing_for_good),
		cmocka_unit_test(bad_alias_prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
