/* Nonces of SIP Digest: refreshes with the last one, counts, those out of date. */
#include "tests/control/scscf/digest.h"

#include <stdio.h>

/* ---- refreshes ---------------------------------------------------------------------------- */

/* Without a challenge only if how it came says who it is. */
/* covers: D-18, TM-01, TS-06 */
static void test_refresh(void **state)
{
	static const struct {
		const char *integrity;
		bool policy, trust_ip;
		unsigned status;
	} rows[] = {
		{"tls-yes", false, false, 200},
		{"tls-yes", true, false, 401},
		{"tls-pending", false, false, 401},
		{"ip-assoc-yes", false, false, 401},
		{"ip-assoc-yes", false, true, 200},
		{"ip-assoc-yes", true, true, 401},
		{"ip-assoc-pending", false, true, 401},
		{NULL, false, true, 401},
		{"no", false, true, 401},
	};

	(void)state;
	for (unsigned i = 0; i < 4 * N_OF(rows); i++) {
		unsigned k = i / 4;
		struct scscf_conf conf;
		struct core *c;
		struct reg_opts o = {.integrity = rows[k].integrity};
		struct ue u;

		core_conf(&conf);
		conf.challenge_protected = rows[k].policy;
		conf.trust_ip = rows[k].trust_ip;
		c = core_alloc_digest(&conf, digest_variants[i % 2]);
		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_digest_attach(&u, rows[k].trust_ip ? "ip-assoc-pending" : "tls-pending");
		if (i & 2) /* the last answer again, as some do */
			o.authorization = u.good;
		if (ue_register(&u, &o) != rows[k].status)
			fail_msg("row %u: %u", i, c->m.status);
		assert_int_equal(scscf_registered(c->scscf), 1);
		assert_int_equal(c->puts[CX_REGISTERED], 1);
		o.expires = "0"; /* removal: the same, whatever the policy of challenges */
		assert_int_equal(ue_register(&u, &o),
				 rows[k].status == 200 || rows[k].policy ? 200 : 401);
		core_free(c);
	}
}

/* Who comes back by AKA shows the nonce of that in a refresh: it says nothing of Digest any more.
 */
/* covers: C-32, IN-08 */
static void test_aka_after_digest(void **state)
{
	struct core *c = digest_start(&digest_by_scscf);
	struct reg_opts o = {.integrity = "yes"};
	struct ue u;
	char *nc;

	(void)state;
	ue_init_has(&u, c, 1, UE_BOTH);
	assert_int_equal(digest_first(&u), 401);
	assert_int_equal(ue_digest(&u, &digest_right, "tls-pending"), 200);
	ue_attach(&u);
	nc = strstr(u.good, "nc=00000001");
	assert_non_null(nc);
	nc[10] = '2';
	o.authorization = u.good;
	assert_int_equal(ue_register(&u, &o), 200);
	core_free(c);
}

/* With the last nonce and the next count: proof anew, and no challenge needed. */
/* covers: DN-12, D-10, DF-07, DF-08 */
static void test_nonce_count(void **state)
{
	static const struct {
		const char *nc;
		unsigned status;
	} rows[] = {
		{"00000002", 200}, {"00000003", 200}, {"0000000a", 200},
		{"0000000a", 401}, {"00000009", 401}, {"00000001", 401},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(rows); i++) {
		struct core *c = digest_start(digest_variants[i % 2]);
		char nonce[64];
		struct ue_digest d = {.nonce = nonce};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_digest_attach(&u, "ip-assoc-pending");
		snprintf(nonce, sizeof(nonce), "%.*s", SV_ARG(u.challenge.nonce));
		for (unsigned k = 0; k <= i / 2; k++) {
			d.nc = rows[k].nc;
			if (k < i / 2 && rows[k].status != 200)
				continue;
			if (ue_digest(&u, &d, "ip-assoc-yes") != rows[k].status)
				fail_msg("row %u: %s: %u", i, d.nc, c->m.status);
		}
		if (c->m.status == 401) { /* a replay: refused, but its owner knows the password */
			assert_true(digest_stale(&u));
			assert_false(sv_eq(u.challenge.nonce, sv_of(nonce)));
			assert_int_equal(ue_digest(&u, &digest_right, "ip-assoc-yes"), 200);
		}
		assert_int_equal(c->puts[CX_REGISTERED], 1);
		core_free(c);
	}
}

/* A wrong answer with a nonce used before: the password may have changed since. */
/* covers: DN-12, DF-07 */
static void test_password_changed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(digest_variants); i++) {
		struct core *c = digest_start(digest_variants[i % 2]);
		struct ue_digest d = {.nc = "00000002", .password = i < 2 ? "neu" : "falsch"};
		struct hss_subscriber s = {.impi = "u1@" C_REALM};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_digest_attach(&u, "tls-pending");
		assert_int_equal(hss_subscriber_password(&s, SV(C_REALM), "neu", 3), 0);
		assert_int_equal(hss_subscriber_digest_set(c->hss, &s), 0);
		assert_int_equal(ue_digest(&u, &d, "ip-assoc-yes"), 401);
		assert_int_equal(digest_stale(&u), i < 2);
		d.nc = NULL;
		d.nonce = NULL;
		assert_int_equal(ue_digest(&u, &d, "ip-assoc-yes"), i < 2 ? 200 : 403);
		assert_int_equal(scscf_registered(c->scscf), 1);
		core_free(c);
	}
}

/* ---- nonces out of date ------------------------------------------------------------------- */

/* covers: DF-07, DF-08, IN-08 */
static void test_stale(void **state)
{
	static const struct {
		const char *name, *nonce; /* NULL: the challenge's */
		uint64_t wait;		  /* ms */
		struct ue_digest d;
		bool stale;
	} rows[] = {
		{"too late", NULL, 241000, {0}, true},
		{"too late and wrong", NULL, 241000, {.password = "falsch"}, false},
		{"too late, a digit", NULL, 241000, {.flip = true}, false},
		{"not ours", "dcd98b7102dd2f0e8b11d0f600bfb0c0", 0, {0}, true},
		{"not ours and wrong",
		 "dcd98b7102dd2f0e8b11d0f600bfb0c0",
		 0,
		 {.flip = true},
		 false},
		{"uri of another", "abc", 0, {.uri = "sip:other.net"}, false},
		{"qop", "abc", 0, {.qop = ""}, false},
		{"algorithm", "abc", 0, {.algorithm = "SHA-256"}, false},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(rows); i++) {
		unsigned k = i / 2;
		struct core *c = digest_start(digest_variants[i % 2]);
		struct ue_digest d = rows[k].d;
		char nonce[64];
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(digest_first(&u), 401);
		core_pass(c, rows[k].wait);
		snprintf(nonce, sizeof(nonce), "%.*s", SV_ARG(u.challenge.nonce));
		d.nonce = rows[k].nonce ? rows[k].nonce : nonce;
		assert_int_equal(ue_digest(&u, &d, "tls-pending"), 401);
		if (digest_stale(&u) != rows[k].stale)
			fail_msg("%s, variant %u", rows[k].name, i % 2);
		assert_int_equal(sv_eq(u.challenge.nonce, sv_of(c->vector_nonce)),
				 i % 2); /* DF-08 */
		assert_false(sv_eq(u.challenge.nonce, sv_of(nonce)));
		assert_int_equal(ue_digest(&u, &digest_right, "tls-pending"), 200);
		core_free(c);
	}
}

/* The nonce of a registration lasts for so long. */
/* covers: DF-07, DF-08 */
static void test_nonce_lifetime(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(digest_variants); i++) {
		struct hss_digest_conf conf = *digest_variants[i % 2];
		struct ue_digest d = {.nc = "00000002"};
		struct core *c;
		struct ue u;

		conf.nonce_lifetime = 600;
		c = digest_start(&conf);
		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(digest_first(&u), 401);
		assert_int_equal(ue_digest(&u, &digest_right, "ip-assoc-pending"), 200);
		core_pass(c, i < 2 ? 599000 : 599999);
		assert_int_equal(ue_digest(&u, &d, "ip-assoc-yes"), 200);
		core_pass(c, i < 2 ? 1000 : 1);
		d.nc = "00000003";
		assert_int_equal(ue_digest(&u, &d, "ip-assoc-yes"), 401);
		assert_true(digest_stale(&u));
		core_free(c);
	}
}

/* covers: DF-05 */
static void test_new_run_voids_old(void **state)
{
	(void)state;
	for (unsigned hss = 0; hss < N_OF(digest_variants); hss++) {
		struct core *c = digest_start(digest_variants[hss]);
		char old[1024], new[1024];
		struct reg_opts o = {.authorization = old, .integrity = "tls-pending"};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(digest_first(&u), 401);
		ue_digest_answer(&u, &digest_right, old, sizeof(old), NULL);
		assert_int_equal(digest_first(&u), 401);
		ue_digest_answer(&u, &digest_right, new, sizeof(new), NULL);
		assert_int_equal(scscf_pending(c->scscf), 1);
		assert_int_equal(ue_register(&u, &o), 403);
		o.authorization = new;
		assert_int_equal(ue_register(&u, &o), 200);
		core_free(c);
	}
}

/* covers: DF-06 */
static void test_await_auth(void **state)
{
	(void)state;
	for (unsigned hss = 0; hss < N_OF(digest_variants); hss++) {
		struct core *c = digest_start(digest_variants[hss]);
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(digest_first(&u), 401);
		core_pass(c, 239 * 1000);
		assert_int_equal(core_flag(c, 1), CX_PENDING);
		core_pass(c, 1000);
		assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
		assert_int_equal(c->puts[CX_NOT_REGISTERED], 1);
		assert_int_equal(scscf_pending(c->scscf), 0);

		ue_digest_attach(&u, "tls-pending");
		assert_int_equal(digest_first(&u), 401);
		core_pass(c, 241 * 1000);
		assert_int_equal(core_flag(c, 1), CX_REGISTERED);
		assert_int_equal(c->puts[CX_NOT_REGISTERED], 1);
		core_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_aka_after_digest),
		cmocka_unit_test(test_nonce_count),
		cmocka_unit_test(test_password_changed),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_nonce_lifetime),
		cmocka_unit_test(test_new_run_voids_old),
		cmocka_unit_test(test_await_auth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
