/*
 * What a man in the middle could alter in SM1 and SM6, seen by the P-CSCF alone: SM1 as he leaves
 * it, SM7 as the UE means it. Whole UEs against him: tests/control/flow/test_biddown*.c.
 */
#include "tests/control/pcscf/tls.h"

#define ON_3GPP "P-Access-Network-Info: 3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=1\r\n"
#define ON_WLAN "P-Access-Network-Info: IEEE-802.11\r\n"
#define AKA(more)                                                                                  \
	"WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_NONCE                         \
	"\", algorithm=AKAv1-MD5" more "\r\n"
#define KEYS ", ik=\"" RIG_IK "\", ck=\"" RIG_CK "\""

static const struct agree_choice tls = {.type = AGREE_TLS};

static void tls_first(struct pcscf_conf *c)
{
	memmove(c->choices + 1, c->choices, c->n_choices * sizeof(c->choices[0]));
	c->choices[0] = tls;
	c->n_choices++;
}

static void tls_and_digest(struct pcscf_conf *c)
{
	tls_last(c);
	c->digest = true;
}

static void start(struct rig *r, struct rig_ue *u, void (*tweak)(struct pcscf_conf *))
{
	rig_init(r, tweak);
	rig_ue_init(u, "alice", "192.0.2.77");
}

static void assert_refused(struct rig *r, unsigned status, size_t core)
{
	assert_int_equal(r->core.n, core);
	assert_int_equal(rig_last_ue(r)->m.status, status);
}

/* A UE that offers both is answered by our preference; if one of them was taken out of SM1, SM7
 * tells. covers: SU-10, SU-12, HX-13, PO-01, DT-07 */
static void offer_of_both_cannot_be_thinned(void **state)
{
	static const struct {
		bool tls_first;
		int keeps; /* 0: both, 1: tls, 2: ipsec-3gpp */
		bool by_tls;
	} rows[] = {
		{false, 0, false}, {false, 1, true}, {false, 2, false},
		{true, 0, true},   {true, 1, true},  {true, 2, false},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		char both[1100];
		const char *sm1[] = {both, "tls", NULL};
		struct rig_register sm7;
		struct rig r;
		struct rig_ue u;
		size_t core;

		start(&r, &u, rows[i].tls_first ? tls_first : tls_last);
		sm1[2] = u.client;
		snprintf(both, sizeof(both), "%s, tls", u.client);
		rig_register(&r, &u,
			     &(struct rig_register){.client = sm1[rows[i].keeps], .expires = 600});
		if (rows[i].by_tls)
			rig_challenge_digest(&r, &u, "");
		else
			rig_challenge(&r, &u);
		assert_int_equal(rig_installed(&r), !rows[i].by_tls);
		sm7 = (struct rig_register){.client = both,
					    .verify = u.verify,
					    .authorization = rows[i].by_tls ? RIG_ANSWER
									    : "nonce=\"" RIG_NONCE
									      "\", "
									      "response=\"0123\"",
					    .over = rows[i].by_tls ? 0 : u.set,
					    .session = rows[i].by_tls ? 7 : 0,
					    .expires = 600};
		core = r.core.n;
		rig_register(&r, &u, &sm7);
		if (rows[i].keeps == 0) {
			assert_int_equal(r.core.n, core + 1);
		} else {
			assert_refused(&r, 494, core);
			assert_int_equal(rig_dropped(&r, PCSCF_REFUSED_VERIFY), 1);
		}
		rig_end(&r);
	}
}

/* SM1 seemed to come from 3GPP access, where there is no TLS; SM7 does not. covers: PO-01 */
static void tls_cannot_be_kept_off_by_the_access(void **state)
{
	static const struct {
		void (*tweak)(struct pcscf_conf *);
		bool offers_tls;
		const char *sm1, *sm7;
		bool refused;
	} rows[] = {
		{tls_first, true, ON_3GPP, ON_WLAN, true},
		{tls_first, true, ON_3GPP, "", true},
		{tls_first, true, ON_3GPP, ON_3GPP, false},
		{tls_last, true, ON_3GPP, ON_WLAN, false},
		{tls_first, false, ON_3GPP, "", false},
		{NULL, true, ON_3GPP, ON_WLAN, false},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		char client[1100];
		struct rig r;
		struct rig_ue u;

		start(&r, &u, rows[i].tweak);
		snprintf(client, sizeof(client), "%s%s", u.client,
			 rows[i].offers_tls ? ", tls" : "");
		rig_register(&r, &u,
			     &(struct rig_register){
				     .client = client, .extra = rows[i].sm1, .expires = 600});
		rig_challenge(&r, &u);
		rig_register(&r, &u,
			     &(struct rig_register){.over = u.set,
						    .client = client,
						    .verify = u.verify,
						    .authorization = "nonce=\"" RIG_NONCE
								     "\", response=\"0123\"",
						    .extra = rows[i].sm7,
						    .expires = 600});
		if (rows[i].refused)
			assert_refused(&r, 403, 1);
		else
			assert_int_equal(r.core.n, 2);
		rig_end(&r);
	}
}

/* Without Authorization the HSS takes a UE for one of Digest; with ipsec-3gpp it would have had it.
 * covers: PO-01, C-32 */
static void authorization_taken_out_leads_to_no_tls(void **state)
{
	(void)state;
	for (unsigned row = 0; row < 4; row++) {
		bool named = row & 1, prefers_tls = row & 2;
		char both[1100];
		struct rig r;
		struct rig_ue u;

		start(&r, &u, prefers_tls ? tls_first : tls_last);
		snprintf(both, sizeof(both), "%s, tls", u.client);
		rig_register(&r, &u,
			     &(struct rig_register){.client = both,
						    .authorization = named ? NULL : "",
						    .expires = 600});
		rig_answer(&r, 401,
			   "WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_DIGEST
			   "\", algorithm=MD5, qop=\"auth\"\r\n");
		assert_int_equal(rig_last_ue(&r)->m.status, named || prefers_tls ? 401 : 403);
		assert_int_equal(rig_dropped(&r, PCSCF_REFUSED_PAIRING), !named && !prefers_tls);
		rig_end(&r);
	}
}

/* An answer to no challenge of ours belongs into TLS, too. covers: TS-05 */
static void answers_in_clear_are_refused(void **state)
{
	struct rig r;
	struct rig_ue u;

	(void)state;
	start(&r, &u, tls_last);
	rig_register(&r, &u,
		     &(struct rig_register){
			     .client = "tls", .authorization = RIG_ANSWER, .expires = 600});
	assert_refused(&r, 494, 0);
	assert_int_equal(rig_dropped(&r, PCSCF_REFUSED_CLEAR), 1);
	rig_end(&r);
}

/* Where one is, the other is not offered. covers: PO-03, DN-03 */
static void neither_goes_into_the_other(void **state)
{
	struct rig r;
	struct rig_ue u;

	(void)state;
	start(&r, &u, tls_last); /* tls inside ipsec-3gpp */
	rig_registered(&r, &u, 0, 600);
	rig_forget(&r);
	rig_register(&r, &u,
		     &(struct rig_register){.over = u.set, .client = "tls", .expires = 600});
	assert_refused(&r, 494, 0);
	rig_end(&r);

	start(&r, &u, tls_and_digest); /* Digest by address, inside TLS */
	rig_register(&r, &u, &(struct rig_register){.expires = 600, .session = 7});
	assert_refused(&r, 421, 0);
	rig_end(&r);
}

/* A refresh without Security-Client is none that may be challenged. covers: PO-03, ER-07 */
static void no_challenge_without_agreement(void **state)
{
	static const char *const challenges[] = {AKA(KEYS), AKA(""),
						 "WWW-Authenticate: Digest realm=\"h\", "
						 "nonce=\"x\", algorithm=SHA-512-256\r\n"};
	struct rig r;
	struct rig_ue u;

	(void)state;
	for (unsigned i = 0; i < N_OF(challenges); i++) {
		start(&r, &u, NULL);
		rig_registered(&r, &u, 0, 600);
		rig_register(&r, &u, &(struct rig_register){.over = u.set, .expires = 600});
		rig_answer(&r, 401, "%s", challenges[i]);
		assert_int_equal(rig_last_ue(&r)->m.status, 494);
		assert_int_equal(rig_installed(&r), 1);
		rig_end(&r);
	}
	start(&r, &u, tls_last);
	rig_registered_digest(&r, &u, 7, 600);
	rig_register(&r, &u, &(struct rig_register){.expires = 600, .session = 7});
	rig_challenge_digest(&r, &u, "");
	assert_int_equal(rig_last_ue(&r)->m.status, 494);
	rig_end(&r);
}

/* Two challenges in one answer: AKA, whichever comes first. covers: C-32 */
static void aka_before_digest(void **state)
{
	static const char digest[] =
		"WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_DIGEST "\"\r\n";

	(void)state;
	for (unsigned swap = 0; swap < 2; swap++) {
		char both[1100];
		struct rig r;
		struct rig_ue u;

		start(&r, &u, tls_first);
		snprintf(both, sizeof(both), "%s, tls", u.client);
		rig_register(&r, &u, &(struct rig_register){.client = both, .expires = 600});
		rig_answer(&r, 401, "%s%s", swap ? digest : AKA(KEYS), swap ? AKA(KEYS) : digest);
		assert_int_equal(rig_last_ue(&r)->m.status, 401);
		assert_int_equal(rig_installed(&r), 1);
		rig_end(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offer_of_both_cannot_be_thinned),
		cmocka_unit_test(tls_cannot_be_kept_off_by_the_access),
		cmocka_unit_test(authorization_taken_out_leads_to_no_tls),
		cmocka_unit_test(answers_in_clear_are_refused),
		cmocka_unit_test(neither_goes_into_the_other),
		cmocka_unit_test(no_challenge_without_agreement),
		cmocka_unit_test(aka_before_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
