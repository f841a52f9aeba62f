/* SIP Digest by access and by how a REGISTER came: who is asked for it, and what it is worth then.
 */
#include "tests/control/scscf/digest.h"

/* ---- which flag lets in whom -------------------------------------------------------------- */

#define WLAN  "P-Access-Network-Info: IEEE-802.11;i-wlan-node-id=00\r\n"
#define LTE   "P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=1\r\n"
#define CDMA  "P-Access-Network-Info: 3GPP2-1X;ci-3gpp2=1\r\n"
#define TWICE "P-Access-Network-Info: IEEE-802.11, 3gpp-nr-fdd;network-provided\r\n"

/* The scheme of the challenge, by credentials in the HSS, access and flag. */
/* covers: AK-02, DN-02, DN-03, DN-09, TL-03 */
static void test_scheme(void **state)
{
	static const struct {
		enum ue_has has;
		const char *access, *integrity;
		unsigned status;
		bool digest;
	} rows[] = {
		{UE_BOTH, LTE, NULL, 401, false},
		{UE_BOTH, LTE, "tls-pending", 401, false},
		{UE_BOTH, TWICE, "tls-pending", 401, false},
		{UE_BOTH, WLAN, NULL, 401, false}, /* AKA is the better one */
		{UE_BOTH, WLAN, "no", 401, false},
		{UE_BOTH, WLAN, "yes", 401, false},
		{UE_BOTH, WLAN, "tls-pending", 401, true},
		{UE_BOTH, CDMA, "tls-yes", 401, true},
		{UE_BOTH, "", "ip-assoc-pending", 401, true},
		{UE_BOTH, "", "ip-assoc-yes", 401, true},
		{UE_DIGEST, WLAN, NULL, 401, true},
		{UE_DIGEST, "", NULL, 401, true},
		{UE_DIGEST, CDMA, NULL, 401, true},
		{UE_DIGEST, LTE, NULL, 403, false},
		{UE_DIGEST, LTE, "tls-pending", 403, false},
		{UE_DIGEST, TWICE, NULL, 403, false},
		{UE_DIGEST, WLAN, "yes", 403, false},
		{UE_AKA, WLAN, NULL, 401, false},
		{UE_AKA, WLAN, "tls-pending", 403, false},
		{UE_AKA, WLAN, "ip-assoc-pending", 403, false},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct core *c = digest_start(&digest_by_scscf);
		const struct reg_opts o = {.integrity = rows[i].integrity,
					   .fields = rows[i].access};
		struct ue u;

		ue_init_has(&u, c, 1, rows[i].has);
		if (ue_register(&u, &o) != rows[i].status)
			fail_msg("row %u: %u", i, c->m.status);
		if (rows[i].status == 401)
			assert_int_equal(u.challenge.algorithm,
					 rows[i].digest ? DIGEST_MD5 : DIGEST_AKAV1_MD5);
		else
			assert_int_equal(core_count(c, SIP_HDR_WWW_AUTHENTICATE), 0);
		core_free(c);
	}
}

/* No Authorization at all: the IMPI follows from the IMPU, and Digest comes first. */
/* covers: AK-02, DN-09 */
static void test_scheme_without_credentials(void **state)
{
	static const struct {
		enum ue_has has;
		const char *access;
		unsigned status;
		bool digest;
	} rows[] = {
		{UE_BOTH, WLAN, 401, true},   {UE_BOTH, "", 401, true},
		{UE_BOTH, LTE, 401, false},   {UE_AKA, WLAN, 401, false},
		{UE_DIGEST, WLAN, 401, true}, {UE_DIGEST, LTE, 403, false},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct core *c = digest_start(&digest_by_scscf);
		const struct reg_opts o = {.authorization = "", .fields = rows[i].access};
		struct ue u;

		ue_init_has(&u, c, 1, rows[i].has);
		if (ue_register(&u, &o) != rows[i].status)
			fail_msg("row %u: %u", i, c->m.status);
		if (rows[i].status == 401)
			assert_int_equal(u.challenge.algorithm,
					 rows[i].digest ? DIGEST_MD5 : DIGEST_AKAV1_MD5);
		core_free(c);
	}
}

/* The right answer to a challenge, by how it came. */
/* covers: IN-08, IN-09, DN-02, DN-03, D-18 */
static void test_answer_came_by(void **state)
{
	static const struct {
		enum ue_has has;
		const char *integrity, *access;
		unsigned status;
	} rows[] = {
		{UE_DIGEST, "tls-pending", "", 200},
		{UE_DIGEST, "tls-yes", "", 200},
		{UE_DIGEST, "ip-assoc-pending", "", 200},
		{UE_DIGEST, "ip-assoc-yes", WLAN, 200},
		{UE_DIGEST, NULL, "", 200}, /* IN-09: a P-CSCF that says nothing */
		{UE_DIGEST, "yes", "", 403},
		{UE_DIGEST, "tls-pending", LTE, 403},
		{UE_DIGEST, NULL, LTE, 403},
		{UE_AKA, "yes", "", 200},
		{UE_AKA, "tls-pending", "", 403},
		{UE_AKA, "tls-yes", "", 403},
		{UE_AKA, "ip-assoc-pending", "", 403},
		{UE_AKA, "ip-assoc-yes", "", 403},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct core *c = digest_start(&digest_by_scscf);
		char value[1024];
		const struct reg_opts o = {.authorization = value,
					   .integrity = rows[i].integrity,
					   .fields = rows[i].access};
		struct ue u;

		ue_init_has(&u, c, 1, rows[i].has);
		assert_int_equal(digest_first(&u), 401);
		if (rows[i].has == UE_AKA)
			ue_answer(&u, UE_RIGHT, value, sizeof(value));
		else
			ue_digest_answer(&u, &digest_right, value, sizeof(value), NULL);
		if (ue_register(&u, &o) != rows[i].status)
			fail_msg("row %u: %u", i, c->m.status);
		assert_int_equal(scscf_registered(c->scscf), rows[i].status == 200);
		core_free(c);
	}
}

/* "Pending" without a Digest that verifies, or with one out of date, is never good (000 O.2.2). */
/* covers: IN-08 */
static void test_pending_without_answer(void **state)
{
	static const char *const flags[] = {"tls-pending", "ip-assoc-pending"};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(flags); i++) {
		struct core *c = digest_start(digest_variants[i % 2]);
		struct reg_opts o = {.integrity = flags[i / 2]};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(ue_register(&u, &o), 401);
		assert_int_equal(ue_register(&u, &o), 401);
		assert_int_equal(ue_digest(&u, &digest_right, flags[i / 2]), 200);
		assert_int_equal(ue_register(&u, &o), 401); /* also of who is registered */
		o.authorization = u.good;
		assert_int_equal(ue_register(&u, &o), 401);
		o.expires = "0";
		assert_int_equal(ue_register(&u, &o), 401);
		assert_int_equal(scscf_registered(c->scscf), 1);
		core_free(c);
	}
}

/* ---- the state "tls-protected" ------------------------------------------------------------ */

static bool binding_look(void *arg, const struct scscf_binding *b)
{
	*(struct scscf_binding *)arg = *b;
	return true;
}

/* covers: TS-06, TS-07 */
static void test_tls_protected(void **state)
{
	static const struct {
		enum ue_has has;
		const char *integrity;
		bool tls, required;
		unsigned status; /* of a request to nowhere */
	} rows[] = {
		{UE_DIGEST, "tls-pending", true, true, 404},
		{UE_DIGEST, "tls-yes", true, true, 404},
		{UE_DIGEST, "ip-assoc-pending", false, true, 403},
		{UE_DIGEST, "ip-assoc-pending", false, false, 404},
		{UE_DIGEST, NULL, false, true, 403},
		{UE_AKA, "yes", false, true, 404},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct scscf_binding b = {0};
		struct scscf_conf conf;
		struct core *c;
		struct ue u, caller;

		core_conf(&conf);
		conf.tls_required = rows[i].required;
		c = core_alloc(&conf, NULL);
		ue_init_has(&u, c, 1, rows[i].has);
		if (rows[i].has == UE_AKA)
			ue_attach(&u);
		else
			ue_digest_attach(&u, rows[i].integrity);
		scscf_binding_each(c->scscf, binding_look, &b);
		assert_int_equal(b.tls_protected, rows[i].tls);
		assert_int_equal(b.scheme,
				 rows[i].has == UE_AKA ? CX_SCHEME_AKA : CX_SCHEME_DIGEST);
		ue_request(&u, "INVITE", "sip:x@y.net", "");
		assert_int_equal(c->m.status, rows[i].status);
		ue_request(&u, "INVITE", "urn:service:sos", "");
		assert_int_not_equal(c->m.status, 403);
		ue_init(&caller, c, 2); /* to it, from one who may */
		ue_attach(&caller);
		ue_request(&caller, "INVITE", "sip:u1@" C_REALM, "");
		assert_int_equal(c->m.request, rows[i].status == 404);
		assert_int_equal(c->m.status, rows[i].status == 404 ? 0 : 480);
		core_free(c);
	}
}

/* A refresh by another way changes the state. */
/* covers: TS-06 */
static void test_tls_left(void **state)
{
	struct core *c = digest_start(&digest_by_scscf);
	struct scscf_binding b = {0};
	struct ue u;

	(void)state;
	ue_init_has(&u, c, 1, UE_DIGEST);
	ue_digest_attach(&u, "tls-pending");
	assert_int_equal(ue_register(&u, &(struct reg_opts){.integrity = "tls-yes"}), 200);
	scscf_binding_each(c->scscf, binding_look, &b);
	assert_true(b.tls_protected);
	ue_digest_attach(&u, "ip-assoc-pending");
	scscf_binding_each(c->scscf, binding_look, &b);
	assert_false(b.tls_protected);
	core_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scheme),
		cmocka_unit_test(test_scheme_without_credentials),
		cmocka_unit_test(test_answer_came_by),
		cmocka_unit_test(test_pending_without_answer),
		cmocka_unit_test(test_tls_protected),
		cmocka_unit_test(test_tls_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
