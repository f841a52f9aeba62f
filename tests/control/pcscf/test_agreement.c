/* Security-Client, Security-Verify: what is chosen, what is refused (RFC 3329, TS 33.203 7.2, 7.3).
 */
#include "tests/control/pcscf/rig.h"

#define PORTS ";spi-c=70102;spi-s=70103;port-c=40102;port-s=5070"

struct offer {
	const char *client; /* NULL: no field */
	unsigned status;    /* of the answer to SM1; 401: chosen */
	enum sa_integ integ;
	enum sa_encr encr;
};

static const struct offer offers[] = {
	/* own order decides, not the UE's (SU-04) */
	{"ipsec-3gpp;alg=hmac-md5-96" PORTS ", ipsec-3gpp;alg=hmac-sha-1-96" PORTS, 401,
	 SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL},
	{"ipsec-3gpp;alg=hmac-md5-96" PORTS, 401, SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL},
	{"ipsec-3gpp;prot=esp;mod=trans;ealg=aes-cbc" PORTS ";alg=hmac-sha-1-96", 401,
	 SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC},
	/* one bad entry beside a good one (HX-03, HX-07) */
	{"ipsec-3gpp;alg=hmac-sha-1-96;prot=ah" PORTS
	 ", tls;q=0.9, ipsec-3gpp;alg=hmac-md5-96" PORTS,
	 401, SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL},
	/* nothing acceptable (ER-07) */
	{"ipsec-3gpp;alg=hmac-sha-1-96;prot=ah" PORTS, 494, 0, 0},
	{"ipsec-3gpp;alg=hmac-sha-1-96;mod=tun" PORTS, 494, 0, 0},
	{"ipsec-3gpp;alg=hmac-sha-1-96;mod=UDP-enc-tun" PORTS, 494, 0, 0},
	{"ipsec-3gpp;alg=hmac-sha-1-96;ealg=des-ede3-cbc" PORTS, 494, 0, 0},
	{"ipsec-3gpp" PORTS, 494, 0, 0},
	{"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=255;spi-s=70103;port-c=40102;port-s=5070", 494, 0, 0},
	{"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=70102;spi-s=70103;port-c=40102;port-s=5060", 494, 0,
	 0},
	{"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=70102;spi-s=70103;port-c=5061;port-s=5070", 494, 0, 0},
	{"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=70102;spi-s=70103;port-s=5070", 494, 0, 0},
	{"tls", 494, 0, 0},
	{";;;", 494, 0, 0},
	{NULL, 421, 0, 0},
};

/* covers: SU-04, ER-07, SP-10, HX-03, HX-07, HX-08, ES-10, F01, F02, F16 */
static void sm1_offer_is_judged(void **state)
{
	(void)state;
	for (unsigned i = 0; i < N_OF(offers); i++) {
		const struct offer *o = &offers[i];
		struct rig r;
		struct rig_ue u;
		const struct sa_set *sa;

		rig_init(&r, NULL);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_register(&r, &u, &(struct rig_register){.client = o->client, .expires = 600});
		if (o->status == 401) {
			rig_challenge(&r, &u);
			sa = rig_sa(&r, u.set);
			assert_int_equal(sa->integ, o->integ);
			assert_int_equal(sa->encr, o->encr);
		} else {
			const struct rig_message *m = rig_last_ue(&r);

			assert_int_equal(m->m.status, o->status);
			assert_int_equal(r.core.n, 0);
			assert_int_equal(rig_counters(&r).drops[PCSCF_REFUSED_AGREEMENT], 1);
			assert_int_equal(rig_counters(&r).pending, 0);
			assert_int_equal(rig_counters(&r).transactions, 0);
			assert_true(rig_holds(m, "Security-Server: ipsec-3gpp;q=0.9;"
						 "alg=hmac-sha-1-96;ealg=aes-cbc"));
			if (o->status == 421)
				assert_true(rig_holds(m, "Require: sec-agree"));
		}
		rig_end(&r);
	}
}

static void ipsec_optional(struct pcscf_conf *c)
{
	c->ipsec_required = false;
}

/* covers: F16 */
static void policy_lets_unprotected_ue_in(void **state)
{
	struct pcscf_registration g;
	struct rig r;
	struct rig_ue u;

	(void)state;
	rig_init(&r, ipsec_optional);
	rig_ue_init(&u, "alice", "192.0.2.77");
	rig_register(&r, &u, &(struct rig_register){.expires = 600});
	assert_int_equal(r.core.n, 1);
	assert_false(rig_holds(rig_last_core(&r), "integrity-protected"));
	rig_answer(&r, 401,
		   "WWW-Authenticate: Digest realm=\"h\", nonce=\"x\", algorithm=AKAv1-MD5, "
		   "ik=\"" RIG_IK "\"\r\n");
	assert_int_equal(rig_last_ue(&r)->m.status, 401);
	assert_false(rig_holds(rig_last_ue(&r), "Security-Server"));
	assert_false(rig_holds(rig_last_ue(&r), RIG_IK));
	assert_int_equal(rig_installed(&r), 0);
	assert_false(rig_registration(&r, &u, &g));
	rig_end(&r);
}

/* One thing of SM7 changed on its way. NULL: as it should be. */
struct change {
	const char *client_from, *client_to, *verify_from, *verify_to;
	const char *to, *impi, *call_id;
	unsigned status;
};

static const struct change changes[] = {
	{NULL, NULL, "q=0.9", "q=0.4", NULL, NULL, NULL, 494},
	{NULL, NULL, "port-s=6060", "port-s=6061", NULL, NULL, NULL, 494},
	{NULL, NULL, "hmac-sha-1-96", "hmac-md5-96", NULL, NULL, NULL, 494},
	{NULL, NULL, "spi-c=100", "spi-c=999", NULL, NULL, NULL, 494},
	{NULL, NULL, "ipsec-3gpp", "tls", NULL, NULL, NULL, 494},
	{"spi-c=", "spi-c=9", NULL, NULL, NULL, NULL, NULL, 494},
	{"port-c=4", "port-c=3", NULL, NULL, NULL, NULL, NULL, 494},
	{"hmac-md5-96", "hmac-sha-1-96", NULL, NULL, NULL, NULL, NULL, 494},
	{NULL, NULL, NULL, NULL, "sip:mallory@home.test", NULL, NULL, 403},
	{NULL, NULL, NULL, NULL, NULL, "mallory@home.test", NULL, 403},
	{NULL, NULL, NULL, NULL, NULL, NULL, "another", 403},
	/* letter case and blanks do not count (HX-13) */
	{"hmac-md5-96", "HMAC-MD5-96", "ipsec-3gpp;", "ipsec-3gpp ; ", NULL, NULL, NULL, 0},
};

static const char *swap(const char *text, const char *from, const char *to, char *buf, size_t cap)
{
	const char *at = from ? strstr(text, from) : NULL;

	assert_true(!from || at);
	if (from)
		snprintf(buf, cap, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	else
		snprintf(buf, cap, "%s", text);
	return buf;
}

static void sm7_changed(const struct change *c, sa_set_id *old)
{
	char client[2048], verify[4096];
	struct rig r;
	struct rig_ue u;

	rig_init(&r, NULL);
	rig_ue_init(&u, "alice", "192.0.2.77");
	if (old) {
		rig_registered(&r, &u, 0, 600);
		*old = u.set;
		rig_ue_fresh(&u);
	}
	rig_sm1(&r, &u, old ? *old : 0);
	rig_challenge(&r, &u);
	rig_forget(&r);
	if (c->call_id)
		u.call_id = c->call_id;
	swap(u.verify, c->verify_from, c->verify_to, verify, sizeof(verify));
	rig_register(
		&r, &u,
		&(struct rig_register){.over = u.set,
				       .client = swap(u.client, c->client_from, c->client_to,
						      client, sizeof(client)),
				       .verify = verify,
				       .authorization = "nonce=\"" RIG_NONCE "\", response=\"00\"",
				       .to = c->to,
				       .impi = c->impi,
				       .expires = 600});
	if (c->status) {
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_last_ue(&r)->m.status, c->status);
		assert_int_equal(rig_last_ue(&r)->flow.set, old ? *old : u.set);
		assert_int_equal(rig_counters(&r).drops[PCSCF_REFUSED_VERIFY], 1);
		assert_int_equal(rig_counters(&r).pending, 0);
		rig_run(&r, 33000);
		assert_null(rig_sa(&r, u.set));
		assert_int_equal(rig_installed(&r), old ? 1 : 0);
	} else {
		assert_int_equal(r.core.n, 1);
	}
	rig_end(&r);
}

/* covers: SU-10, SU-11, SU-12, ER-08, HX-11, HX-13, ER-04 */
static void sm7_must_repeat_what_was_agreed(void **state)
{
	sa_set_id old;

	(void)state;
	for (unsigned i = 0; i < N_OF(changes); i++) {
		sm7_changed(&changes[i], NULL);
		sm7_changed(&changes[i], &old);
	}
}

/* covers: HX-12 */
static void sm7_needs_both_fields(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct rig r;
		struct rig_ue u;

		rig_init(&r, NULL);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_sm1(&r, &u, 0);
		rig_challenge(&r, &u);
		rig_forget(&r);
		rig_register(&r, &u,
			     &(struct rig_register){.over = u.set,
						    .client = i ? u.client : NULL,
						    .verify = i ? NULL : u.verify,
						    .authorization = "nonce=\"" RIG_NONCE
								     "\", response=\"00\"",
						    .expires = 600});
		assert_int_equal(r.core.n, 0);
		assert_int_equal(rig_last_ue(&r)->m.status, 494);
		rig_end(&r);
	}
}

/* covers: C-32 */
static void only_an_aka_challenge_with_keys_makes_sas(void **state)
{
	static const char *const challenges[] = {
		"algorithm=MD5",
		"algorithm=MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK "\"",
		"algorithm=AKAv1-MD5",
		"algorithm=AKAv1-MD5, ck=\"" RIG_CK "\"",
		"algorithm=AKAv1-MD5, ik=\"" RIG_IK "\"",
		"algorithm=AKAv1-MD5, ik=\"00\", ck=\"" RIG_CK "\"",
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(challenges); i++) {
		struct rig r;
		struct rig_ue u;

		rig_init(&r, NULL);
		rig_ue_init(&u, "alice", "192.0.2.77");
		rig_sm1(&r, &u, 0);
		rig_answer(&r, 401,
			   "WWW-Authenticate: Digest realm=\"h\", nonce=\"" RIG_NONCE "\", %s\r\n",
			   challenges[i]);
		assert_int_equal(rig_last_ue(&r)->m.status, i < 2 ? 403 : 500);
		assert_int_equal(rig_counters(&r).pending, 0);
		assert_int_equal(rig_installed(&r), 0);
		rig_end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sm1_offer_is_judged),
		cmocka_unit_test(policy_lets_unprotected_ue_in),
		cmocka_unit_test(sm7_must_repeat_what_was_agreed),
		cmocka_unit_test(sm7_needs_both_fields),
		cmocka_unit_test(only_an_aka_challenge_with_keys_makes_sas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
