/* Registration with SIP Digest, checked by the S-CSCF or by the HSS (TS 33.203 Annex N). */
#include "tests/control/scscf/core.h"

#include <stdio.h>

static const struct hss_digest_conf by_scscf, by_hss = {.variant = HSS_VARIANT_HSS};
static const struct hss_digest_conf *const variants[] = {&by_scscf, &by_hss};

static struct core *start(const struct hss_digest_conf *digest)
{
	struct scscf_conf conf;

	core_conf(&conf);
	conf.nonce_lifetime = 600;
	return core_alloc_digest(&conf, digest);
}

static const struct ue_digest right;

/* The first REGISTER, without credentials, as most Digest clients send it. */
static unsigned first(struct ue *u)
{
	return ue_register(u, &(struct reg_opts){.authorization = ""});
}

static unsigned count(const struct core *c, enum sip_hdr id)
{
	unsigned n = 0;

	for (const struct sip_header *h = sip_msg_find(&c->m, id); h; h = sip_msg_next(&c->m, h))
		n++;
	return n;
}

static bool stale(const struct ue *u)
{
	return sv_caseeq(u->challenge.stale, SV("true"));
}

/* ---- as it should go ---------------------------------------------------------------------- */

/* covers: DN-05, DN-06, DN-08, DN-10, DN-12, DN-13, DN-15, DH-01, DH-02, DH-06, DH-07, D-25 */
static void test_attach(void **state)
{
	(void)state;
	for (unsigned hss = 0; hss < N_OF(variants); hss++) {
		struct core *c = start(variants[hss]);
		char nonce[64];
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_request(&u, "MESSAGE", "sip:x@y.net", "");
		assert_int_equal(c->m.status, 403); /* nothing before */
		assert_int_equal(first(&u), 401);
		assert_int_equal(c->asked[CX_MAR], 1);
		assert_int_equal(c->puts[CX_PENDING], 1);
		assert_int_equal(core_flag(c, 1), CX_PENDING);
		assert_int_equal(count(c, SIP_HDR_WWW_AUTHENTICATE), 1);
		assert_true(sv_eq(u.challenge.realm, SV(C_REALM)));
		assert_true(u.challenge.qop_auth && !u.challenge.qop_auth_int);
		assert_int_equal(u.challenge.algorithm, DIGEST_MD5);
		assert_int_equal(u.challenge.nonce.n, 32);
		assert_true(u.challenge.opaque.n > 0);
		assert_false(stale(&u) || u.challenge.has_ik || u.challenge.has_ck);
		assert_int_equal(sv_eq(u.challenge.nonce, sv_of(c->vector_nonce)), hss); /* DH-02 */
		snprintf(nonce, sizeof(nonce), "%.*s", SV_ARG(u.challenge.nonce));

		assert_int_equal(first(&u), 401);
		assert_int_equal(c->asked[CX_MAR], 2);
		assert_false(sv_eq(u.challenge.nonce, sv_of(nonce)));

		assert_int_equal(ue_digest(&u, &right, "tls-pending"), 200);
		assert_int_equal(c->asked[CX_CHECK], hss);
		assert_int_equal(c->puts[CX_REGISTERED], 1);
		assert_int_equal(core_flag(c, 1), CX_REGISTERED);
		assert_string_equal(core_field(c, SIP_HDR_P_ASSOCIATED_URI),
				    "<sip:u1@home.net>, <tel:+491001>, <sip:alias1@home.net>");
		assert_int_equal(scscf_pending(c->scscf), 0);
		ue_request(&u, "MESSAGE", "sip:x@y.net", "");
		assert_int_equal(c->m.status, 404); /* it got as far as to look for y.net */

		assert_int_equal(first(&u), 401); /* again: the same messages */
		assert_int_equal(ue_digest(&u, &right, "tls-yes"), 200);
		assert_int_equal(c->asked[CX_MAR], 3);
		assert_int_equal(c->puts[CX_PENDING], 2); /* DN-06: none for a registered one */
		assert_int_equal(c->puts[CX_REGISTERED], 1);
		core_free(c);
	}
}

/* covers: DH-03, DH-05 */
static void test_cm5(void **state)
{
	struct core *c = start(&by_hss);
	char value[1024], rspauth[DIGEST_HEX], want[1024];
	struct reg_opts o = {.authorization = value, .integrity = "tls-pending"};
	struct auth_response r;
	struct ue u;

	(void)state;
	ue_init_has(&u, c, 1, UE_DIGEST);
	assert_int_equal(first(&u), 401);
	ue_digest_answer(&u, &right, value, sizeof(value), rspauth);
	assert_int_equal(auth_response_parse(&r, sv_of(value)), 0);
	assert_int_equal(ue_register(&u, &o), 200);
	snprintf(want, sizeof(want),
		 "REGISTER|u1@home.net|home.net|%d|%d|%.*s|00000001|0a4f113b|sip:home.net|%.*s > "
		 "%d|u1@home.net|%d|%s|0a4f113b|00000001",
		 DIGEST_MD5, DIGEST_QOP_AUTH, SV_ARG(u.challenge.nonce), SV_ARG(r.response),
		 CX_SUCCESS, DIGEST_QOP_AUTH, rspauth);
	assert_string_equal(c->checked, want);
	core_free(c);
}

/* One challenge per algorithm, SHA-256 first; an answer to either is good. */
/* covers: DN-10, DN-12 */
static void test_algorithms(void **state)
{
	static const struct {
		unsigned n;
		enum digest_algorithm allowed[2];
		const char *challenges[2];
		const char *answer;
		unsigned status;
	} rows[] = {
		{1, {DIGEST_MD5}, {"MD5"}, "MD5", 200},
		{1, {DIGEST_MD5}, {"MD5"}, "md5", 200},
		{1, {DIGEST_MD5}, {"MD5"}, "SHA-256", 403},
		{1, {DIGEST_MD5}, {"MD5"}, "MD5-sess", 403},
		{1, {DIGEST_MD5}, {"MD5"}, "SHA-512-256", 403},
		{1, {DIGEST_MD5_SESS}, {"MD5-sess"}, "MD5-sess", 200},
		{1, {DIGEST_SHA256}, {"SHA-256"}, "SHA-256", 200},
		{1, {DIGEST_SHA256}, {"SHA-256"}, "MD5", 403}, /* bidden down */
		{2, {DIGEST_SHA256, DIGEST_MD5}, {"SHA-256", "MD5"}, "SHA-256", 200},
		{2, {DIGEST_SHA256, DIGEST_MD5}, {"SHA-256", "MD5"}, "MD5", 200},
		{1, {DIGEST_SHA256_SESS}, {"SHA-256-sess"}, "SHA-256-sess", 200},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(rows); i++) {
		unsigned k = i / 2, n = 0;
		struct hss_digest_conf conf = *variants[i % 2];
		const struct ue_digest d = {.algorithm = rows[k].answer};
		struct core *c;
		struct ue u;

		conf.n_algorithms = rows[k].n;
		memcpy(conf.algorithms, rows[k].allowed, sizeof(rows[k].allowed));
		c = start(&conf);
		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(first(&u), 401);
		assert_int_equal(count(c, SIP_HDR_WWW_AUTHENTICATE), rows[k].n);
		for (const struct sip_header *h = sip_msg_find(&c->m, SIP_HDR_WWW_AUTHENTICATE); h;
		     h = sip_msg_next(&c->m, h)) {
			struct auth_challenge a;

			assert_int_equal(auth_challenge_parse(&a, h->value), 0);
			assert_true(sv_eq(a.algorithm_text, sv_of(rows[k].challenges[n++])));
		}
		if (ue_digest(&u, &d, "tls-pending") != rows[k].status)
			fail_msg("row %u, variant %u: %u", k, i % 2, c->m.status);
		core_free(c);
	}
}

/* ---- wrong answers ------------------------------------------------------------------------ */

/* covers: DN-12, DF-01, DF-02, DF-03, IN-08, DH-04, TE-01 */
static void test_wrong(void **state)
{
	static const struct {
		const char *name;
		struct ue_digest d;
		bool legacy; /* answers without qop are good enough */
		unsigned status;
	} rows[] = {
		{"right", {0}, false, 200},
		{"password", {.password = "geheiM"}, false, 403},
		{"no password", {.password = ""}, false, 403},
		{"digit", {.flip = true}, false, 403},
		{"realm", {.realm = "other.net"}, false, 403},
		{"auth-int", {.qop = "auth-int"}, false, 403},
		{"no qop", {.qop = ""}, false, 403},
		{"no qop, legacy", {.qop = ""}, true, 200},
		{"auth-int, legacy", {.qop = "auth-int"}, true, 403},
		{"uri of another", {.uri = "sip:other.net"}, false, 400},
		{"uri is none", {.uri = "home.net"}, false, 400},
		{"uri with user", {.uri = "sip:u1@home.net"}, false, 200},
		{"uri with port", {.uri = "sip:HOME.net:5060"}, false, 200},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(rows); i++) {
		unsigned k = i / 2;
		struct hss_digest_conf conf = *variants[i % 2];
		struct core *c;
		struct ue u;

		conf.without_qop = rows[k].legacy;
		c = start(&conf);
		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(first(&u), 401);
		if (ue_digest(&u, &rows[k].d, "tls-pending") != rows[k].status)
			fail_msg("%s, variant %u: %u", rows[k].name, i % 2, c->m.status);
		if (rows[k].status == 403) {
			assert_int_equal(count(c, SIP_HDR_WWW_AUTHENTICATE), 0);
			assert_int_equal(count(c, SIP_HDR_AUTHENTICATION_INFO), 0);
			assert_null(memmem(c->text, strlen(c->text), "Security-", 9));
			assert_int_equal(c->puts[CX_NOT_REGISTERED], 1);
			assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
			assert_int_equal(scscf_pending(c->scscf), 0);
		}
		core_free(c);
	}
}

/* covers: F27 */
static void test_incomplete(void **state)
{
	static const char *const without[] = {"nc=00000001, ", "cnonce=\"0a4f113b\""};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(without); i++) {
		struct core *c = start(variants[i % 2]);
		char value[1024], *at;
		const struct reg_opts o = {.authorization = value, .integrity = "tls-pending"};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(first(&u), 401);
		ue_digest_answer(&u, &right, value, sizeof(value), NULL);
		at = strstr(value, without[i / 2]);
		assert_non_null(at);
		memmove(at, at + strlen(without[i / 2]), strlen(at + strlen(without[i / 2])) + 1);
		assert_int_equal(ue_register(&u, &o), 400);
		assert_int_equal(ue_digest(&u, &right, "tls-pending"), 200); /* still open */
		core_free(c);
	}
}

/* What a registered user does wrongly leaves the registration alone. */
/* covers: DF-02, TM-02 */
static void test_wrong_when_registered(void **state)
{
	(void)state;
	for (unsigned hss = 0; hss < N_OF(variants); hss++) {
		struct core *c = start(variants[hss]);
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_digest_attach(&u, "tls-pending");
		assert_int_equal(first(&u), 401); /* TM-02: in clear at any time */
		assert_int_equal(ue_digest(&u, &(struct ue_digest){.flip = true}, "tls-yes"), 403);
		assert_int_equal(c->puts[CX_NOT_REGISTERED], 0);
		assert_int_equal(core_flag(c, 1), CX_REGISTERED);
		assert_int_equal(scscf_registered(c->scscf), 1);
		core_free(c);
	}
}

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
		struct core *c = start(&by_scscf);
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
			assert_int_equal(count(c, SIP_HDR_WWW_AUTHENTICATE), 0);
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
		struct core *c = start(&by_scscf);
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
		struct core *c = start(&by_scscf);
		char value[1024];
		const struct reg_opts o = {.authorization = value,
					   .integrity = rows[i].integrity,
					   .fields = rows[i].access};
		struct ue u;

		ue_init_has(&u, c, 1, rows[i].has);
		assert_int_equal(first(&u), 401);
		if (rows[i].has == UE_AKA)
			ue_answer(&u, UE_RIGHT, value, sizeof(value));
		else
			ue_digest_answer(&u, &right, value, sizeof(value), NULL);
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
		struct core *c = start(variants[i % 2]);
		struct reg_opts o = {.integrity = flags[i / 2]};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(ue_register(&u, &o), 401);
		assert_int_equal(ue_register(&u, &o), 401);
		assert_int_equal(ue_digest(&u, &right, flags[i / 2]), 200);
		assert_int_equal(ue_register(&u, &o), 401); /* also of who is registered */
		o.authorization = u.good;
		assert_int_equal(ue_register(&u, &o), 401);
		o.expires = "0";
		assert_int_equal(ue_register(&u, &o), 401);
		assert_int_equal(scscf_registered(c->scscf), 1);
		core_free(c);
	}
}

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
		c = core_alloc_digest(&conf, variants[i % 2]);
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
	struct core *c = start(&by_scscf);
	struct reg_opts o = {.integrity = "yes"};
	struct ue u;
	char *nc;

	(void)state;
	ue_init_has(&u, c, 1, UE_BOTH);
	assert_int_equal(first(&u), 401);
	assert_int_equal(ue_digest(&u, &right, "tls-pending"), 200);
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
		struct core *c = start(variants[i % 2]);
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
			assert_true(stale(&u));
			assert_false(sv_eq(u.challenge.nonce, sv_of(nonce)));
			assert_int_equal(ue_digest(&u, &right, "ip-assoc-yes"), 200);
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
	for (unsigned i = 0; i < 2 * N_OF(variants); i++) {
		struct core *c = start(variants[i % 2]);
		struct ue_digest d = {.nc = "00000002", .password = i < 2 ? "neu" : "falsch"};
		struct hss_subscriber s = {.impi = "u1@" C_REALM};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_digest_attach(&u, "tls-pending");
		assert_int_equal(hss_subscriber_password(&s, SV(C_REALM), "neu", 3), 0);
		assert_int_equal(hss_subscriber_digest_set(c->hss, &s), 0);
		assert_int_equal(ue_digest(&u, &d, "ip-assoc-yes"), 401);
		assert_int_equal(stale(&u), i < 2);
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
		struct core *c = start(variants[i % 2]);
		struct ue_digest d = rows[k].d;
		char nonce[64];
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(first(&u), 401);
		core_pass(c, rows[k].wait);
		snprintf(nonce, sizeof(nonce), "%.*s", SV_ARG(u.challenge.nonce));
		d.nonce = rows[k].nonce ? rows[k].nonce : nonce;
		assert_int_equal(ue_digest(&u, &d, "tls-pending"), 401);
		if (stale(&u) != rows[k].stale)
			fail_msg("%s, variant %u", rows[k].name, i % 2);
		assert_int_equal(sv_eq(u.challenge.nonce, sv_of(c->vector_nonce)),
				 i % 2); /* DF-08 */
		assert_false(sv_eq(u.challenge.nonce, sv_of(nonce)));
		assert_int_equal(ue_digest(&u, &right, "tls-pending"), 200);
		core_free(c);
	}
}

/* The nonce of a registration lasts for so long. */
/* covers: DF-07, DF-08 */
static void test_nonce_lifetime(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(variants); i++) {
		struct hss_digest_conf conf = *variants[i % 2];
		struct ue_digest d = {.nc = "00000002"};
		struct core *c;
		struct ue u;

		conf.nonce_lifetime = 600;
		c = start(&conf);
		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(first(&u), 401);
		assert_int_equal(ue_digest(&u, &right, "ip-assoc-pending"), 200);
		core_pass(c, i < 2 ? 599000 : 599999);
		assert_int_equal(ue_digest(&u, &d, "ip-assoc-yes"), 200);
		core_pass(c, i < 2 ? 1000 : 1);
		d.nc = "00000003";
		assert_int_equal(ue_digest(&u, &d, "ip-assoc-yes"), 401);
		assert_true(stale(&u));
		core_free(c);
	}
}

/* covers: DF-05 */
static void test_new_run_voids_old(void **state)
{
	(void)state;
	for (unsigned hss = 0; hss < N_OF(variants); hss++) {
		struct core *c = start(variants[hss]);
		char old[1024], new[1024];
		struct reg_opts o = {.authorization = old, .integrity = "tls-pending"};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(first(&u), 401);
		ue_digest_answer(&u, &right, old, sizeof(old), NULL);
		assert_int_equal(first(&u), 401);
		ue_digest_answer(&u, &right, new, sizeof(new), NULL);
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
	for (unsigned hss = 0; hss < N_OF(variants); hss++) {
		struct core *c = start(variants[hss]);
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(first(&u), 401);
		core_pass(c, 239 * 1000);
		assert_int_equal(core_flag(c, 1), CX_PENDING);
		core_pass(c, 1000);
		assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
		assert_int_equal(c->puts[CX_NOT_REGISTERED], 1);
		assert_int_equal(scscf_pending(c->scscf), 0);

		ue_digest_attach(&u, "tls-pending");
		assert_int_equal(first(&u), 401);
		core_pass(c, 241 * 1000);
		assert_int_equal(core_flag(c, 1), CX_REGISTERED);
		assert_int_equal(c->puts[CX_NOT_REGISTERED], 1);
		core_free(c);
	}
}

/* ---- by the network's wish ---------------------------------------------------------------- */

/* covers: DF-10 */
static void test_reauth(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(variants); i++) {
		struct core *c = start(variants[i % 2]);
		struct reg_opts o = {.integrity = "tls-yes"};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_digest_attach(&u, "tls-pending");
		assert_int_equal(ue_register(&u, &o), 200);
		assert_int_equal(scscf_reauthenticate(c->scscf, SV("u1@" C_REALM), 60, c->now), 0);
		if (i >= 2) { /* silent: it is de-registered */
			core_pass(c, 61000);
			assert_int_equal(scscf_registered(c->scscf), 0);
			assert_int_equal(core_flag(c, 1), CX_NOT_REGISTERED);
			core_free(c);
			continue;
		}
		assert_int_equal(ue_register(&u, &o), 401);
		assert_int_equal(ue_digest(&u, &right, "tls-yes"), 200);
		assert_int_equal(ue_register(&u, &o), 200);
		/* the next count of the last nonce is no new run */
		assert_int_equal(scscf_reauthenticate(c->scscf, SV("u1@" C_REALM), 60, c->now), 0);
		assert_int_equal(ue_digest(&u, &(struct ue_digest){.nc = "00000002"}, "tls-yes"),
				 401);
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
	struct core *c = start(&by_scscf);
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

/* ---- answers of the HSS that take their time ---------------------------------------------- */

/* covers: F20, DH-06 */
static void test_late_hss(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(variants); i++) {
		struct core *c = start(variants[i % 2]);
		char value[1024];
		struct reg_opts o = {.authorization = value, .integrity = "tls-pending"};
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		assert_int_equal(first(&u), 401);
		ue_digest_answer(&u, &right, value, sizeof(value), NULL);
		c->hold = true;
		c->n_received = 0;
		(void)ue_register(&u, &o);
		for (unsigned k = 0; k < 6; k++) { /* UAR, CHECK, SAR... each in its turn */
			if (i >= 2 && k == 1)
				core_pass(c,
					  241000); /* the challenge ends meanwhile, if it has not */
			core_let_go(c);
		}
		c->hold = false;
		core_let_go(c);
		assert_int_equal(c->m.status, i < 3 ? 200 : 403);
		core_pass(c, 241000);
		assert_int_equal(scscf_pending(c->scscf), 0);
		assert_int_equal(scscf_registered(c->scscf), i < 3);
		core_free(c);
	}
}

static void test_hss_failures(void **state)
{
	static const struct {
		enum cx_result result;
		unsigned status;
	} rows[] = {
		{CX_USER_UNKNOWN, 403}, {CX_IDENTITIES_DONT_MATCH, 403},
		{CX_NOT_ALLOWED, 403},	{CX_AUTH_REJECTED, 403},
		{CX_UNABLE, 504},	{CX_SCHEME_NOT_SUPPORTED, 403},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * N_OF(rows); i++) {
		struct core *c = start(variants[i % 2]);
		struct ue u;

		ue_init_has(&u, c, 1, UE_DIGEST);
		c->fail = true;
		c->failure = rows[i / 2].result;
		assert_int_equal(first(&u), rows[i / 2].status);
		c->fail = false;
		assert_int_equal(first(&u), 401);
		c->fail = true;
		assert_int_equal(ue_digest(&u, &right, "tls-pending"), rows[i / 2].status);
		assert_int_equal(scscf_registered(c->scscf), 0);
		core_pass(c, 241000);
		assert_int_equal(scscf_pending(c->scscf), 0);
		core_free(c);
	}
}

/* covers: DN-07 */
static void test_foreign_impu(void **state)
{
	(void)state;
	for (unsigned hss = 0; hss < N_OF(variants); hss++) {
		struct core *c = start(variants[hss]);
		struct reg_opts o = {.impu = "sip:u2@" C_REALM};
		struct ue u, other;

		ue_init_has(&u, c, 1, UE_DIGEST);
		ue_init_has(&other, c, 2, UE_DIGEST);
		assert_int_equal(ue_register(&u, &o), 403); /* before any challenge */
		assert_int_equal(count(c, SIP_HDR_WWW_AUTHENTICATE), 0);
		core_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attach),
		cmocka_unit_test(test_cm5),
		cmocka_unit_test(test_algorithms),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_wrong_when_registered),
		cmocka_unit_test(test_scheme),
		cmocka_unit_test(test_scheme_without_credentials),
		cmocka_unit_test(test_answer_came_by),
		cmocka_unit_test(test_pending_without_answer),
		cmocka_unit_test(test_refresh),
		cmocka_unit_test(test_aka_after_digest),
		cmocka_unit_test(test_nonce_count),
		cmocka_unit_test(test_password_changed),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_nonce_lifetime),
		cmocka_unit_test(test_new_run_voids_old),
		cmocka_unit_test(test_await_auth),
		cmocka_unit_test(test_reauth),
		cmocka_unit_test(test_tls_protected),
		cmocka_unit_test(test_tls_left),
		cmocka_unit_test(test_late_hss),
		cmocka_unit_test(test_hss_failures),
		cmocka_unit_test(test_foreign_impu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
