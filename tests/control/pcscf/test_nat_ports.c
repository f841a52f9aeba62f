/* UEs behind one NAT: whose ports are whose (SA_table of TS 33.203 Annex M), and aliases. */
#include "tests/control/pcscf/nat.h"

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

		nat_start(&r, &a);
		nat_register(&r, &a);
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
	nat_start(&r, &a);
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
	nat_start(&r, &a);
	nat_register(&r, &a);
	nat_moved(&r, &a, "203.0.113.77", 46000);
	assert_true(rig_registration(&r, &a, &g));
	assert_true(nat_addr_is(&g.ue, "203.0.113.77"));
	assert_true(nat_addr_is(&g.sets[0].set.remote, "203.0.113.77"));
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
	assert_true(nat_addr_is(&rig_sa(&r, a.set)->remote, "203.0.113.77"));
	assert_int_equal(rig_sa(&r, a.set)->tunnel.remote_port, 46000);
	assert_true(nat_addr_is(&rig_sa(&r, a.set)->tunnel.inner_remote[0], "192.168.1.2"));
	rig_end(&r);
}

/* Whoever moves to where another one has its ports already keeps working; nothing is mixed up. */
static void moves_that_collide(void **state)
{
	struct pcscf_registration g;
	struct ip_endpoint nowhere = {nat_addr("203.0.113.5"), 1};
	struct rig_ue a, b;
	struct rig r;

	(void)state;
	nat_start(&r, &a);
	nat_register(&r, &a);
	rig_ue_init(&b, "bob", "192.168.1.2");
	b.ours.port_c = a.ours.port_c - 2;
	rig_ue_behind(&b, "203.0.113.20");
	nat_register(&r, &b);
	nat_moved(&r, &b, NAT, 46000);
	nat_moved(&r, &a, "203.0.113.20", 46001);
	nat_moved(&r, &a, NAT, 46002);
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
	rig_init(&r, nat_conf);
	for (unsigned i = 0; i < 3; i++) {
		rig_ue_init(&u[i], names[i], "192.168.1.2");
		snprintf(nat, sizeof(nat), "203.0.113.%u", 10 + i);
		rig_ue_behind(&u[i], nat);
		rig_sm1(&r, &u[i], 0);
		if (i < 2)
			rig_challenge(&r, &u[i]);
	}
	assert_true(nat_addr_is(&rig_sa(&r, u[0].set)->tunnel.host_alias, "198.18.0.1"));
	assert_true(nat_addr_is(&rig_sa(&r, u[1].set)->tunnel.host_alias, "198.18.0.2"));
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
	assert_true(nat_addr_is(&rig_sa(&r, u[2].set)->tunnel.host_alias, "198.18.0.1"));
	/* one that is held is passed over */
	rig_ue_fresh(&u[0]);
	rig_sm1(&r, &u[0], 0);
	rig_challenge(&r, &u[0]);
	assert_true(nat_addr_is(&rig_sa(&r, u[0].set)->tunnel.host_alias, "198.18.0.2"));
	assert_int_equal(pcscf_deregister(r.p, sv_of(u[0].impi), r.now), 0);
	rig_ue_fresh(&u[1]);
	rig_sm1(&r, &u[1], 0);
	rig_challenge(&r, &u[1]);
	assert_true(nat_addr_is(&rig_sa(&r, u[1].set)->tunnel.host_alias, "198.18.0.2"));
	rig_end(&r);
}

static void with_nat_for_a_flood(struct pcscf_conf *c)
{
	nat_conf(c);
	c->alias[0].len = 24;
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
	rig_init(&r, nat_conf);
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct pcscf_conf c = r.conf;
		struct pcscf *p = NULL;

		c.alias[cases[i].at] = (struct ip_prefix){nat_addr(cases[i].addr), cases[i].len};
		c.host = "other.test";
		assert_int_equal(pcscf_alloc(&p, &c, &(struct pcscf_env){0}, r.timers, r.mw),
				 -EINVAL);
	}
	rig_end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
