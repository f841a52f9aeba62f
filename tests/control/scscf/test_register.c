/* Registration with AKA as it should go. */
#include "tests/control/scscf/core.h"

#include <stdio.h>

static struct core *start(bool challenge_protected, uint32_t vectors)
{
	struct scscf_conf conf;

	core_conf(&conf);
	conf.challenge_protected = challenge_protected;
	conf.vectors = vectors;
	return core_alloc(&conf, NULL);
}

/* covers: AK-01, AK-05, AK-06, AK-08, AK-09 */
static void test_attach(void **state)
{
	struct core *c = start(false, 1);
	struct milenage_key key;
	struct sqn_array sqn = {0};
	struct aka_answer card;
	uint8_t rand[16], autn[16];
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	key = u.key;
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	assert_int_equal(c->n_received, 1);
	assert_false(sv_empty(c->m.to_tag));
	assert_true(sv_eq(u.challenge.realm, SV(C_REALM)));
	assert_int_equal(u.challenge.algorithm, DIGEST_AKAV1_MD5);
	assert_true(u.challenge.has_ik && u.challenge.has_ck);
	assert_true(auth_aka_nonce(u.challenge.nonce, rand, autn));
	assert_int_equal(aka_card_answer(&card, &key, &sqn, rand, autn), AKA_OK);
	assert_memory_equal(card.ik, u.challenge.ik, 16); /* D-19: hex of the card's own keys */
	assert_memory_equal(card.ck, u.challenge.ck, 16);
	assert_int_equal(core_flag(c, 1), CX_PENDING);
	assert_int_equal(scscf_registered(c->scscf), 0);
	assert_int_equal(scscf_pending(c->scscf), 1);
	assert_int_equal(c->asked[CX_UAR], 1);
	c->n_keys = 0;

	assert_int_equal(ue_respond(&u, UE_RIGHT), 200);
	assert_int_equal(c->n_keys, 0);
	assert_int_equal(core_flag(c, 1), CX_REGISTERED);
	assert_int_equal(scscf_registered(c->scscf), 1);
	assert_int_equal(scscf_pending(c->scscf), 0);
	assert_int_equal(c->asked[CX_UAR], 2); /* AK-06: a look-up on each leg */
	assert_int_equal(c->asked[CX_MAR], 1);
	assert_int_equal(c->puts[CX_REGISTERED], 1);
	assert_string_equal(core_field(c, SIP_HDR_SERVICE_ROUTE), "<sip:orig@scscf.home.net;lr>");
	assert_string_equal(core_field(c, SIP_HDR_PATH), "<sip:term@pcscf.visited.net;lr>");
	assert_string_equal(
		core_field(c, SIP_HDR_CONTACT),
		"<sip:u1@192.0.2.7:6001>;+g.3gpp.smsip;+sip.instance=\"<urn:x:1>\";expires=600");
	core_free(c);
}

/* covers: F24 */
static void test_associated_uris(void **state)
{
	struct core *c = start(false, 1);
	struct ue u;

	(void)state;
	ue_init(&u, c, 7);
	assert_int_equal(ue_register(&u, &(struct reg_opts){.impu = "sip:alias7@" C_REALM}), 401);
	assert_int_equal(ue_respond(&u, UE_RIGHT), 200);
	/* the default IMPU first, whatever was registered */
	assert_string_equal(core_field(c, SIP_HDR_P_ASSOCIATED_URI),
			    "<sip:u7@home.net>, <tel:+491007>, <sip:alias7@home.net>");
	core_free(c);
}

/* covers: F28, D-06 */
static void test_binary_res(void **state)
{
	struct core *c = start(true, 1);
	unsigned with_nul = 0;
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	for (unsigned i = 0; i < 300; i++) {
		struct sqn_array sqn = u.sqn;
		struct aka_answer card;
		uint8_t rand[16], autn[16];

		assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
		assert_true(auth_aka_nonce(u.challenge.nonce, rand, autn));
		aka_card_answer(&card, &u.key, &sqn, rand, autn);
		with_nul += memchr(card.res, 0, sizeof(card.res)) != NULL;
		assert_int_equal(ue_respond(&u, i % 2 ? UE_RIGHT : UE_RIGHT_NO_QOP), 200);
	}
	assert_true(with_nul > 0); /* 3% each: 1 in 10000 that none was */
	core_free(c);
}

/* covers: AK-07 */
static void test_vectors_in_store(void **state)
{
	struct core *c = start(true, 3);
	struct sqn_array sqn = {0};
	uint64_t highest = 0;
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	for (unsigned i = 0; i < 12; i++) {
		ue_attach(&u);
		assert_int_equal(c->asked[CX_MAR], i / 3 + 1);
		sqn = u.sqn;
		assert_true(sqn_highest(&sqn) > highest); /* in order, none twice */
		highest = sqn_highest(&sqn);
	}
	core_free(c);
}

/* De-registered users keep their unused vectors for a while, then everything is gone. */
static void test_vectors_kept(void **state)
{
	struct core *c = start(false, 3);
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	ue_attach(&u);
	assert_int_equal(ue_detach(&u), 200);
	assert_int_equal(scscf_pending(c->scscf), 0);
	core_pass(c, 100 * 1000);
	ue_attach(&u);
	assert_int_equal(c->asked[CX_MAR], 1);
	assert_int_equal(ue_detach(&u), 200);
	core_pass(c, 241 * 1000);
	assert_int_equal(timers_count(c->timers), 0);
	ue_attach(&u);
	assert_int_equal(c->asked[CX_MAR], 2);
	core_free(c);
}

/* Who has AKA only gets nothing by TLS or an address (C-32). */
/* covers: AK-13, D-18, TL-03 */
static void test_refresh(void **state)
{
	static const struct {
		bool policy;
		const char *integrity;
		bool answer_again; /* the last good answer in Authorization, as real UEs do */
		unsigned status;
	} cases[] = {
		{false, "yes", true, 200},	    {false, "yes", false, 200},
		{false, "YES", true, 200},	    {false, "no", true, 401},
		{false, NULL, true, 401},	    {false, "tls-yes", true, 403},
		{false, "ip-assoc-yes", true, 403}, {true, "yes", true, 401},
		{true, "yes", false, 401},	    {true, NULL, false, 401},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct core *c = start(cases[i].policy, 1);
		struct reg_opts o = {.integrity = cases[i].integrity};
		struct ue u;

		ue_init(&u, c, 1);
		ue_attach(&u);
		o.authorization = cases[i].answer_again ? u.good : NULL;
		assert_int_equal(ue_register(&u, &o), cases[i].status);
		assert_int_equal(scscf_registered(c->scscf), 1); /* in any case */
		assert_int_equal(c->puts[CX_REGISTERED], 1);	 /* DH-06: not again */
		if (cases[i].status == 401) {
			assert_int_equal(ue_respond(&u, UE_RIGHT), 200);
			assert_int_equal(c->puts[CX_REGISTERED], 1);
		}
		core_free(c);
	}
}

/* covers: AK-12 */
static void test_further_impu(void **state)
{
	for (unsigned policy = 0; policy < 2; policy++) {
		struct core *c = start(policy, 1);
		struct reg_opts o = {.integrity = "yes", .impu = "sip:alias1@" C_REALM};
		struct ue u;

		(void)state;
		ue_init(&u, c, 1);
		ue_attach(&u);
		o.authorization = u.good;
		assert_int_equal(ue_register(&u, &o), policy ? 401 : 200);
		assert_int_equal(scscf_registered(c->scscf), 1);
		core_free(c);
	}
}

static void test_without_credentials(void **state)
{
	struct core *c = start(false, 1);
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	/* the IMPI follows from the IMPU (TS 23.003 13.3) */
	assert_int_equal(ue_register(&u, &(struct reg_opts){.authorization = ""}), 401);
	assert_int_equal(ue_respond(&u, UE_RIGHT), 200);
	core_free(c);
}

/* covers: F26, D-07, ER-06 */
static void test_resync(void **state)
{
	static const char *const integrity[] = {"yes", "no", NULL};

	(void)state;
	for (unsigned i = 0; i < N_OF(integrity); i++) {
		struct core *c = start(false, 3);
		char value[1024], nonce[64];
		struct reg_opts o = {.authorization = value, .integrity = integrity[i]};
		struct ue u;

		ue_init(&u, c, 1);
		for (unsigned k = 0; k < SQN_INDS; k++)
			u.sqn.seq[k] = 100000;
		assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
		snprintf(nonce, sizeof(nonce), "%.*s", SV_ARG(u.challenge.nonce));
		ue_answer(&u, UE_AUTS, value, sizeof(value));
		assert_int_equal(ue_register(&u, &o), 401);
		assert_int_equal(c->asked[CX_MAR], 2); /* not from the store: that is stale too */
		assert_false(sv_eq(u.challenge.nonce, sv_of(nonce)));
		assert_int_equal(scscf_pending(c->scscf), 1);
		assert_int_equal(ue_respond(&u, UE_RIGHT), 200);
		core_free(c);
	}
}

/* covers: F27 */
static void test_resync_digest(void **state)
{
	struct core *c = start(false, 1);
	char value[1024], *nc;
	struct reg_opts o = {.authorization = value};
	struct ue u;

	(void)state;
	ue_init(&u, c, 1);
	for (unsigned k = 0; k < SQN_INDS; k++)
		u.sqn.seq[k] = 100000;
	assert_int_equal(ue_register(&u, &(struct reg_opts){0}), 401);
	ue_answer(&u, UE_AUTS, value, sizeof(value));
	nc = strstr(value, ", nc=00000001");
	assert_non_null(nc);
	memmove(nc, nc + 13, strlen(nc + 13) + 1); /* qop without nc, as some send it */
	assert_int_equal(ue_register(&u, &o), 401);
	assert_int_equal(ue_respond(&u, UE_RIGHT), 200);
	core_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attach),	     cmocka_unit_test(test_associated_uris),
		cmocka_unit_test(test_binary_res),   cmocka_unit_test(test_vectors_in_store),
		cmocka_unit_test(test_vectors_kept), cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_further_impu), cmocka_unit_test(test_without_credentials),
		cmocka_unit_test(test_resync),	     cmocka_unit_test(test_resync_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
