/* What may come in from the access side, and in what order state is bounded. */
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

/* covers: SP-20, C-15 */
static void clear_port_takes_only_register(void **state)
{
	static const char *const methods[] = {"INVITE", "OPTIONS", "MESSAGE", "ACK",
					      "CANCEL", "BYE",	   "FOO"};
	struct sip_flow clear = rig_flow(&r, &u, 0);

	(void)state;
	rig_registered(&r, &u, 0, 600); /* being registered changes nothing */
	rig_forget(&r);
	for (unsigned i = 0; i < N_OF(methods); i++)
		rig_request(&r, &u, 0, methods[i], NULL);
	rig_from_ue(
		&r, &clear,
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:6060;branch=z9hG4bK1\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 MESSAGE\r\n"
		"Content-Length: 0\r\n\r\n");
	assert_int_equal(r.ue.n, 0);
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_CLEAR_NOT_REGISTER], N_OF(methods));
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_CLEAR_RESPONSE], 1);
}

/* covers: ST-04 */
static void protected_register_needs_own_address_in_via(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 600);
	rig_forget(&r);
	rig_ue_fresh(&u);
	rig_register(&r, &u,
		     &(struct rig_register){.over = u.set,
					    .client = u.client,
					    .via_host = "192.0.2.78",
					    .expires = 600});
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_last_ue(&r)->m.status, 400);
	assert_int_equal(rig_last_ue(&r)->flow.set, u.set);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_VIA_ADDRESS], 1);
	/* ports are not compared: Via has port_us, the packet port_uc */
	rig_sm1(&r, &u, u.set);
	assert_int_equal(r.core.n, 1);
}

/* covers: ST-09, ST-03, C-27, LP-03, F18, SP-13 */
static void set_is_checked_by_addresses_and_ports(void **state)
{
	struct sip_flow good, bad;
	unsigned pairs;

	(void)state;
	rig_registered(&r, &u, 0, 600);
	good = rig_flow(&r, &u, u.set);
	rig_forget(&r);
	for (unsigned i = 0; i < 6; i++) {
		bad = good;
		bad.set += i == 0;
		bad.local.port += i == 1;
		bad.remote.port += i == 2;
		bad.remote.addr.b[3] += i == 3;
		bad.pair = i == 4 ? 7 : bad.pair;
		if (i == 5) { /* UDP from port_us to port_pc */
			const struct sa_set *sa = rig_sa(&r, u.set);

			bad.pair = SA_CLIENT;
			bad.local.port = sa->local_port[SA_CLIENT];
			bad.remote.port = sa->remote_port[SA_CLIENT];
		}
		rig_from_ue(&r, &bad,
			    "MESSAGE sip:bob@home.test SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP 192.0.2.77:5070;branch=z9hG4bKx%u\r\n"
			    "From: <%s>;tag=1\r\nTo: <sip:bob@home.test>\r\nCall-ID: x%u\r\n"
			    "CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
			    i, u.impu, i);
	}
	assert_int_equal(r.core.n, 0);
	assert_int_equal(r.ue.n, 0);
	pairs = rig_counters(&r).drops[PCSCF_DROP_WRONG_SA];
	assert_int_equal(pairs, 1);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_UNKNOWN_SET], 5);
}

struct claim {
	const char *from, *extra;
	const char *asserted; /* NULL: discarded */
};

/* covers: ST-10, LP-04 */
static void identity_must_be_bound(void **state)
{
	static const struct claim claims[] = {
		{"sip:alice@home.test", "", "<sip:alice@home.test>"},
		{"sip:alice@HOME.test;x=y", "", "<sip:alice@home.test>"},
		{"sip:mallory@home.test", "", NULL},
		{"sip:anonymous@anonymous.invalid", "", "<sip:alice@home.test>"},
		{"sip:alice@home.test", "P-Preferred-Identity: <sip:mallory@home.test>\r\n", NULL},
		{"sip:alice@home.test", "P-Preferred-Identity: <tel:+49-3070>\r\n",
		 "<tel:+493070>"},
		{"sip:anonymous@anonymous.invalid", "P-Preferred-Identity: <tel:+493070>\r\n",
		 "<tel:+493070>"},
		{"sip:mallory@home.test", "P-Preferred-Identity: <sip:alice@home.test>\r\n", NULL},
		{"sip:alice@home.test", "P-Asserted-Identity: <sip:mallory@home.test>\r\n",
		 "<sip:alice@home.test>"},
		{"\"sip:alice@home.test\" <sip:mallory@home.test>", "", NULL},
	};
	struct sip_flow from;
	unsigned dropped = 0;

	(void)state;
	rig_registered(&r, &u, 0, 600);
	from = rig_flow(&r, &u, u.set);
	for (unsigned i = 0; i < N_OF(claims); i++) {
		rig_forget(&r);
		rig_from_ue(&r, &from,
			    "MESSAGE sip:bob@home.test SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP 192.0.2.77:5070;branch=z9hG4bKi%u\r\n"
			    "From: %s%s%s;tag=1\r\nTo: <sip:bob@home.test>\r\nCall-ID: i%u\r\n"
			    "CSeq: 1 MESSAGE\r\n%sContent-Length: 0\r\n\r\n",
			    i, claims[i].from[0] == '"' ? "" : "<", claims[i].from,
			    claims[i].from[0] == '"' ? "" : ">", i, claims[i].extra);
		if (claims[i].asserted) {
			assert_int_equal(r.core.n, 1);
			assert_string_equal(
				rig_field(&r, rig_last_core(&r), SIP_HDR_P_ASSERTED_IDENTITY),
				claims[i].asserted);
			assert_false(rig_holds(rig_last_core(&r), "P-Preferred"));
			assert_false(rig_holds(rig_last_core(&r), "mallory"));
		} else {
			dropped++;
			assert_int_equal(r.core.n, 0);
			assert_int_equal(r.ue.n, 0);
		}
		assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_IMPU], dropped);
	}
}

/* An IMPU that registers but is not in P-Associated-URI is barred: it names the set and nothing
 * else. */
/* covers: ST-10, F24 */
static void barred_identity_is_not_asserted(void **state)
{
	struct pcscf_registration g;

	(void)state;
	rig_sm1(&r, &u, 0);
	rig_challenge(&r, &u);
	rig_sm7(&r, &u);
	for (unsigned i = 0; i < 2; i++) { /* SM12, then a refresh */
		rig_answer(&r, 200,
			   "P-Associated-URI: <sip:public@home.test>, \"A\" <tel:+49-30-99>\r\n"
			   "Expires: 600\r\n");
		assert_true(rig_registration(&r, &u, &g));
		assert_int_equal(g.n_impus, 2);
		assert_true(sv_eq(g.impus[0], SV("sip:public@home.test")));
		assert_true(sv_eq(g.impus[1], SV("tel:+493099")));
		rig_forget(&r);
		rig_request(&r, &u, u.set, "MESSAGE", NULL);
		rig_request(&r, &u, u.set, "MESSAGE",
			    "P-Preferred-Identity: <sip:alice@home.test>\r\n");
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_IMPU], 2 * i + 2);
		rig_register(&r, &u, &(struct rig_register){.over = u.set, .expires = 600});
	}
}

/* A registrar that lists nothing has bound the one that registered, and one that it does not list
 * names the group all the same. covers: LP-04 */
static void who_registered_is_bound(void **state)
{
	(void)state;
	for (unsigned listed = 0; listed < 2; listed++) {
		struct pcscf_registration g;

		rig_sm1(&r, &u, 0);
		rig_challenge(&r, &u);
		rig_sm7(&r, &u);
		rig_answer(&r, 200,
			   "%sService-Route: <sip:orig@" RIG_SCSCF ";lr>\r\nExpires: 600\r\n",
			   listed ? "P-Associated-URI: <sip:public@home.test>\r\n" : "");
		assert_true(rig_registration(&r, &u, &g));
		assert_int_equal(g.n_impus, 1);
		rig_forget(&r);
		rig_request(&r, &u, u.set, "MESSAGE", NULL);
		assert_int_equal(r.core.n, !listed);
		rig_register(&r, &u, &(struct rig_register){.over = u.set});
		rig_answer(&r, 200, "%s", "");
		assert_false(pcscf_has_registered(r.p, sv_of(u.impi)));
		rig_ue_fresh(&u);
	}
}

/* covers: C-21, ST-10 */
static void another_impi_on_the_sa_is_refused(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 600);
	rig_forget(&r);
	rig_ue_fresh(&u);
	rig_register(&r, &u,
		     &(struct rig_register){.over = u.set,
					    .client = u.client,
					    .impi = "bob@home.test",
					    .expires = 600});
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_last_ue(&r)->m.status, 403);
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_WRONG_IMPU], 1);
}

/* covers: IN-05, IN-06 */
static void indicator_is_ours_alone(void **state)
{
	static const char *const forged[] = {
		"nonce=\"\", response=\"\", integrity-protected=\"yes\"",
		"integrity-protected=yes, nonce=\"\", response=\"\"",
		"nonce=\"\", Integrity-Protected = \"tls-yes\" ,response=\"\"",
		"nonce=\"\", integrity-protected=\"yes\", integrity-protected=\"yes\", "
		"response=\"\"",
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(forged); i++) {
		rig_forget(&r);
		rig_register(&r, &u,
			     &(struct rig_register){.client = u.client,
						    .authorization = forged[i],
						    .expires = 600});
		if (r.core.n == 0) { /* unreadable: refused */
			assert_int_equal(rig_last_ue(&r)->m.status, 400);
			continue;
		}
		assert_false(rig_holds(rig_last_core(&r), "yes"));
		assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"no\""));
	}
	/* a second Authorization could hide one */
	rig_forget(&r);
	rig_register(&r, &u,
		     &(struct rig_register){.client = u.client,
					    .expires = 600,
					    .extra = "Authorization: Digest username=\"x\", "
						     "integrity-protected=\"yes\"\r\n"});
	assert_int_equal(r.core.n, 0);
	assert_int_equal(rig_last_ue(&r)->m.status, 400);
}

/* Without Authorization there is no place for the indicator, so one is made. */
/* covers: IN-06 */
static void derived_impi(void **state)
{
	(void)state;
	rig_registered(&r, &u, 0, 600);
	rig_ue_fresh(&u);
	rig_forget(&r);
	rig_register(
		&r, &u,
		&(struct rig_register){
			.over = u.set, .client = u.client, .authorization = "", .expires = 600});
	assert_int_equal(r.core.n, 1);
	assert_true(rig_holds(rig_last_core(&r), "username=\"alice@home.test\""));
	assert_true(rig_holds(rig_last_core(&r), "integrity-protected=\"yes\""));
}

static void small(struct pcscf_conf *c)
{
	c->max_pending = 4;
}

/* A flood of SM1s: pending registrations and transactions stay within bounds, what is refused
 * leaves nothing. */
/* covers: SU-03 */
static void flood_is_bounded(void **state)
{
	char impi[64];
	struct rig f;
	struct rig_ue x;

	(void)state;
	rig_init(&f, small);
	rig_ue_init(&x, "alice", "192.0.2.77");
	for (unsigned i = 0; i < 40; i++) {
		snprintf(impi, sizeof(impi), "user%u@home.test", i);
		rig_ue_fresh(&x);
		rig_register(
			&f, &x,
			&(struct rig_register){.client = x.client, .impi = impi, .expires = 600});
	}
	assert_int_equal(f.core.n, 4);
	assert_int_equal(rig_counters(&f).pending, 4);
	assert_int_equal(rig_counters(&f).transactions, 8);
	assert_int_equal(rig_counters(&f).drops[PCSCF_DROP_OVERLOAD], 36);
	assert_int_equal(rig_last_ue(&f)->m.status, 503);
	assert_true(rig_holds(rig_last_ue(&f), "Retry-After: "));
	rig_run(&f, 40000); /* no answer of the core: 408 after 64 T1 */
	assert_int_equal(rig_last_ue(&f)->m.status, 408);
	assert_int_equal(rig_counters(&f).pending, 0);
	/* pending no more, but answered transactions are state as well */
	for (unsigned i = 0; i < 20; i++) {
		snprintf(impi, sizeof(impi), "other%u@home.test", i);
		rig_ue_fresh(&x);
		f.core.n = 0;
		f.ue.n = 0;
		rig_register(
			&f, &x,
			&(struct rig_register){.client = x.client, .impi = impi, .expires = 600});
		assert_int_equal(f.core.n, 1);
		rig_answer(&f, 403, "%s", "");
		assert_int_equal(rig_last_ue(&f)->m.status, 403);
	}
	assert_int_equal(rig_counters(&f).drops[PCSCF_DROP_OVERLOAD], 36);
	rig_run(&f, 1);
	assert_int_equal(rig_counters(&f).transactions, 0);
	rig_end(&f);
}

/* One known IMPI from ever new addresses: a newer SM1 ends the run before it, and must not leave
 * its transactions behind. */
/* covers: SU-03, LP-07 */
static void flood_with_one_identity_is_bounded(void **state)
{
	char addr[32];
	struct rig f;
	struct rig_ue x;

	(void)state;
	rig_init(&f, small);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(addr, sizeof(addr), "192.0.2.%u", 50 + i);
		rig_ue_init(&x, "alice", addr);
		rig_forget(&f);
		rig_sm1(&f, &x, 0);
		if (i % 3)
			rig_challenge(&f, &x);
	}
	rig_run(&f, 1);
	assert_int_equal(rig_counters(&f).pending, 1);
	assert_int_equal(rig_counters(&f).sets, 0);
	assert_in_range(rig_counters(&f).transactions, 1, 2 * 4);
	rig_forget(&f); /* and the latest one can still be answered */
	rig_registered(&f, &x, 0, 600);
	assert_int_equal(rig_counters(&f).registered, 1);
	rig_run(&f, 200000);
	assert_int_equal(rig_counters(&f).transactions, 0);
	rig_end(&f);
}

/* Contents that are kept per SM1 are bounded, and what only the network may say does not pass. */
static void oversized_and_forged_fields(void **state)
{
	static char extra[9000];

	(void)state;
	memset(extra, 'x', sizeof(extra) - 1);
	memcpy(extra, "Subject: ", 9);
	memcpy(extra + sizeof(extra) - 3, "\r\n", 3);
	rig_register(&r, &u,
		     &(struct rig_register){.client = u.client, .extra = extra, .expires = 600});
	assert_int_equal(rig_last_ue(&r)->m.status, 513);
	assert_int_equal(r.core.n, 0);
	rig_forget(&r);
	rig_registered(&r, &u, 0, 600);
	rig_request(&r, &u, u.set, "MESSAGE",
		    "P-Served-User: <sip:mallory@home.test>\r\nP-Charging-Vector: icid-value=1\r\n"
		    "P-Called-Party-ID: <sip:mallory@home.test>\r\nP-Access-Network-Info: 3GPP\r\n"
		    "P-Access-Network-Info: "
		    "3GPP-NR-FDD;utran-cell-id-3gpp=mallory;network-provided\r\n");
	assert_int_equal(rig_last_core(&r)->m.method, SIP_MESSAGE);
	assert_false(rig_holds(rig_last_core(&r), "mallory"));
	assert_false(rig_holds(rig_last_core(&r), "icid"));
	assert_true(rig_holds(rig_last_core(&r), "P-Access-Network-Info"));
}

static void garbage_is_counted(void **state)
{
	static const char *const texts[] = {"\xff", "REGISTER", "REGISTER sip:x SIP/2.0\r\n\r\n"};
	struct sip_flow clear = rig_flow(&r, &u, 0);

	(void)state;
	for (unsigned i = 0; i < N_OF(texts); i++)
		rig_from_ue(&r, &clear, "%s", texts[i]);
	rig_from_ue(&r, &clear, "\r\n\r\n"); /* a keep-alive */
	assert_int_equal(rig_counters(&r).drops[PCSCF_DROP_MALFORMED], N_OF(texts));
	for (unsigned i = 0; i < PCSCF_DROP_COUNT; i++)
		assert_non_null(pcscf_drop_name((enum pcscf_drop)i));
}

static void pc_small(struct pcscf_conf *c)
{
	c->port_pc_min = c->port_pc_max = 20000;
}

static void needs_another_port_pc(struct rig *f, struct rig_ue *x, sa_set_id over)
{
	f->core.n = f->ue.n = 0;
	rig_sm1(f, x, over);
	rig_answer(f, 401,
		   "WWW-Authenticate: Digest realm=\"h\", nonce=\"" RIG_NONCE
		   "\", algorithm=AKAv1-MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK "\"\r\n");
	assert_int_equal(rig_last_ue(f)->m.status, 503);
}

/* A range of one port serves any number of UEs, and one UE's second set needs a second port. */
/* covers: F09, LC-02 */
static void port_pc_is_per_ue(void **state)
{
	char impi[64], addr[32];
	struct rig f;
	struct rig_ue x;

	(void)state;
	rig_init(&f, pc_small);
	rig_ue_init(&x, "alice", "192.0.2.77");
	for (unsigned i = 0; i < 20; i++) {
		snprintf(impi, sizeof(impi), "user%u@home.test", i);
		snprintf(addr, sizeof(addr), "198.51.100.%u", i + 1);
		ip_addr_parse(&x.addr, addr);
		f.core.n = f.ue.n = 0;
		rig_register(
			&f, &x,
			&(struct rig_register){.client = x.client, .impi = impi, .expires = 600});
		rig_challenge(&f, &x);
		assert_int_equal(rig_sa(&f, x.set)->local_port[SA_CLIENT], 20000);
	}
	/* another UE at the same address with the same port_us, */
	rig_ue_init(&x, "bob", "198.51.100.1");
	x.ours.port_c += 100;
	rig_ue_fresh(&x);
	needs_another_port_pc(&f, &x, 0);
	/* the second set of one UE, */
	rig_ue_init(&x, "carol", "192.0.2.78");
	f.core.n = f.ue.n = 0;
	rig_registered(&f, &x, 0, 600);
	rig_ue_fresh(&x);
	needs_another_port_pc(&f, &x, x.set);
	/* and that of a UE that starts again with another port_us need one of their own */
	x.ours.port_s += 2;
	rig_ue_fresh(&x);
	needs_another_port_pc(&f, &x, 0);
	assert_int_equal(rig_installed(&f), 21);
	rig_end(&f);
}

/* covers: SP-09, HX-08 */
static void bad_configuration_is_refused(void **state)
{
	struct pcscf_conf good = r.conf, c;
	struct pcscf_env env = {0};
	struct pcscf *p = NULL;

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		c = good;
		c.host = i == 6 ? NULL : "other.test";
		c.port_ps = i == 0 ? 5060 : i == 1 ? 5061 : i == 2 ? 0 : c.port_ps;
		c.n_choices = i == 3 ? 0 : c.n_choices;
		if (i == 4)
			c.choices[1].mode = SA_MODE_UDP_ENC_TUN;
		if (i == 5)
			c.port_pc_min = c.port_pc_max + 1;
		assert_int_equal(pcscf_alloc(&p, &c, &env, r.timers, r.mw), -EINVAL);
		assert_null(p);
	}
	assert_int_equal(pcscf_alloc(&p, &good, &env, r.timers, r.mw), -EEXIST);
	assert_null(p);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(clear_port_takes_only_register),
		T(protected_register_needs_own_address_in_via),
		T(set_is_checked_by_addresses_and_ports),
		T(identity_must_be_bound),
		T(barred_identity_is_not_asserted),
		T(who_registered_is_bound),
		T(another_impi_on_the_sa_is_refused),
		T(indicator_is_ours_alone),
		T(derived_impi),
		T(flood_is_bounded),
		T(flood_with_one_identity_is_bounded),
		T(oversized_and_forged_fields),
		T(garbage_is_counted),
		T(port_pc_is_per_ue),
		T(bad_configuration_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
