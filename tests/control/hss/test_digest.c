/* SIP Digest at the HSS: vectors, responses checked, who may use what (TS 33.203 Annex N). */
#include "tests/control/hss/harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PASSWORD "geheim"
#define REALM	 "home.net"
/* Python: md5(b"alice@home.net:home.net:geheim").hexdigest(), and sha256 */
#define HA1_MD5	   "2ec8e9f6034750347364736c8fbcfaa0"
#define HA1_SHA256 "5db423d06419e72d7ea0576ea3040ccf45893cebea4b1ab08d8181235ab0c20a"

static struct hss *open_with(const struct hss_digest_conf *digest)
{
	const struct hss_conf conf = {.path = ":memory:", .digest = *digest};
	struct hss *h;

	assert_int_equal(hss_alloc(&h, &conf), 0);
	return h;
}

enum has { AKA = 1, DIGEST = 2, BOTH = 3 };

static void add(struct hss *h, unsigned n, enum has has, enum hss_variant variant)
{
	struct hss_subscriber s;

	h_subscriber(&s, n);
	s.no_aka = !(has & AKA);
	s.variant = variant;
	if (has & DIGEST)
		assert_int_equal(hss_subscriber_password(&s, SV(REALM), PASSWORD, 6), 0);
	assert_int_equal(hss_subscriber_add(h, &s), 0);
}

static void mar(struct hss *h, enum cx_scheme scheme, struct h_answer *a, uint64_t now)
{
	const struct cx_request r = {.command = CX_MAR,
				     .impi = SV(H_IMPI),
				     .impu = SV(H_IMPU),
				     .scscf = H_SCSCF,
				     .n_vectors = 5,
				     .scheme = scheme};

	h_ask_at(h, &r, a, now);
}

/* What the S-CSCF variant gets: one vector, whatever it asked for. */
/* covers: DN-01, DN-04, DN-08, DN-09 */
static void test_vector(void **state)
{
	static const struct {
		struct hss_digest_conf conf;
		unsigned n;
		const char *ha1[2];
		enum digest_algorithm algorithm[2];
	} rows[] = {
		{{0}, 1, {HA1_MD5}, {DIGEST_MD5}},
		{{.realm = REALM, .domain = "sip:" REALM}, 1, {HA1_MD5}, {DIGEST_MD5}},
		{{.n_algorithms = 2, .algorithms = {DIGEST_SHA256, DIGEST_MD5}},
		 2,
		 {HA1_SHA256, HA1_MD5},
		 {DIGEST_SHA256, DIGEST_MD5}},
		{{.n_algorithms = 1, .algorithms = {DIGEST_MD5_SESS}},
		 1,
		 {HA1_MD5},
		 {DIGEST_MD5_SESS}},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct hss *h = open_with(&rows[i].conf);
		struct h_answer a;

		add(h, 0, DIGEST, HSS_VARIANT_DEFAULT);
		mar(h, CX_SCHEME_ANY, &a, 1);
		assert_int_equal(a.result, CX_SUCCESS);
		assert_int_equal(a.scheme, CX_SCHEME_DIGEST);
		assert_int_equal(a.n_vectors, 0);
		assert_string_equal(a.realm, REALM);
		assert_string_equal(a.domain, rows[i].conf.domain ? rows[i].conf.domain : "");
		assert_string_equal(a.digest.nonce, "");
		assert_true(a.digest.opaque[0]);
		assert_int_equal(a.digest.n, rows[i].n);
		for (unsigned k = 0; k < rows[i].n; k++) {
			assert_string_equal(a.digest.choice[k].ha1, rows[i].ha1[k]);
			assert_int_equal(a.digest.choice[k].algorithm, rows[i].algorithm[k]);
		}
		assert_int_equal(h_flag(h, 0), CX_PENDING);
		hss_free(h);
	}
}

/* Which scheme, by what the subscriber has and what may be. */
/* covers: AK-02, DN-02, DN-09 */
static void test_schemes(void **state)
{
	static const struct {
		enum has has;
		enum cx_scheme wish;
		bool before_aka;
		enum cx_scheme scheme; /* ANY: refused */
	} rows[] = {
		{AKA, CX_SCHEME_ANY, false, CX_SCHEME_AKA},
		{AKA, CX_SCHEME_ANY, true, CX_SCHEME_AKA},
		{AKA, CX_SCHEME_AKA, true, CX_SCHEME_AKA},
		{AKA, CX_SCHEME_DIGEST, true, CX_SCHEME_ANY},
		{DIGEST, CX_SCHEME_ANY, false, CX_SCHEME_DIGEST},
		{DIGEST, CX_SCHEME_DIGEST, false, CX_SCHEME_DIGEST},
		{DIGEST, CX_SCHEME_AKA, false, CX_SCHEME_ANY},
		{DIGEST, CX_SCHEME_AKA, true, CX_SCHEME_ANY},
		{BOTH, CX_SCHEME_ANY, false, CX_SCHEME_AKA},
		{BOTH, CX_SCHEME_ANY, true, CX_SCHEME_DIGEST},
		{BOTH, CX_SCHEME_AKA, true, CX_SCHEME_AKA},
		{BOTH, CX_SCHEME_DIGEST, false, CX_SCHEME_DIGEST},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct hss *h =
			open_with(&(struct hss_digest_conf){.before_aka = rows[i].before_aka});
		struct h_answer a;

		add(h, 0, rows[i].has, HSS_VARIANT_DEFAULT);
		mar(h, rows[i].wish, &a, 1);
		if (a.scheme != rows[i].scheme)
			fail_msg("row %u: %d", i, a.scheme);
		assert_int_equal(a.result, rows[i].scheme == CX_SCHEME_ANY ? CX_SCHEME_NOT_SUPPORTED
									   : CX_SUCCESS);
		assert_int_equal(a.n_vectors, a.scheme == CX_SCHEME_AKA ? 5 : 0);
		assert_int_equal(a.digest.n, a.scheme == CX_SCHEME_DIGEST);
		hss_free(h);
	}
}

/* Who checks responses: the configuration says, or the realm, or the subscriber. */
/* covers: DN-04, DH-01 */
static void test_variants(void **state)
{
	static const char *const realms[] = {"other.net", REALM};
	static const struct {
		struct hss_digest_conf conf;
		enum hss_variant subscriber;
		bool hss;
	} rows[] = {
		{{0}, HSS_VARIANT_DEFAULT, false},
		{{.variant = HSS_VARIANT_HSS}, HSS_VARIANT_DEFAULT, true},
		{{.variant = HSS_VARIANT_HSS}, HSS_VARIANT_SCSCF, false},
		{{0}, HSS_VARIANT_HSS, true},
		{{.hss_realms = realms, .n_hss_realms = 2}, HSS_VARIANT_DEFAULT, true},
		{{.hss_realms = realms, .n_hss_realms = 1}, HSS_VARIANT_DEFAULT, false},
		{{.hss_realms = realms, .n_hss_realms = 2}, HSS_VARIANT_SCSCF, false},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct hss *h = open_with(&rows[i].conf);
		struct h_answer first, second;

		add(h, 0, DIGEST, rows[i].subscriber);
		mar(h, CX_SCHEME_ANY, &first, 1);
		mar(h, CX_SCHEME_ANY, &second, 1);
		assert_int_equal(first.digest.nonce[0] != '\0', rows[i].hss);
		assert_int_equal(first.digest.choice[0].ha1[0] == '\0', rows[i].hss);
		if (rows[i].hss)
			assert_string_not_equal(first.digest.nonce, second.digest.nonce);
		hss_free(h);
	}
}

/* ---- CM5 ---------------------------------------------------------------------------------- */

/* A response as a UE with the password makes it, and what may be wrong with it. */
struct reply {
	const char *nonce, *password, *realm, *nc;
	enum digest_algorithm algorithm;
	enum digest_qop qop;
	bool flip; /* a digit of the response */
};

static void check(struct hss *h, const struct reply *p, struct h_answer *a, uint64_t now)
{
	const char *password = p->password ? p->password : PASSWORD;
	char ha1[DIGEST_HEX], response[DIGEST_HEX];
	struct cx_request r = {
		.command = CX_CHECK,
		.impi = SV(H_IMPI),
		.impu = SV(H_IMPU),
		.scscf = H_SCSCF,
		.digest = {.algorithm = p->algorithm,
			   .qop = p->qop,
			   .username = SV(H_IMPI),
			   .realm = sv_of(p->realm ? p->realm : REALM),
			   .nonce = sv_of(p->nonce),
			   .uri = SV("sip:" REALM),
			   .method = SV("REGISTER"),
			   .nc = sv_of(p->nc ? p->nc : "00000001"),
			   .cnonce = SV("0a4f113b")},
	};

	digest_ha1(ha1, &r.digest, password, strlen(password));
	digest_response(response, &r.digest, ha1);
	response[0] ^= p->flip;
	r.response = sv_of(response);
	h_ask_at(h, &r, a, now);
	if (a->result == CX_SUCCESS) {
		digest_rspauth(response, &r.digest, ha1);
		assert_string_equal(a->rspauth, response);
		assert_string_equal(a->nc, p->nc ? p->nc : "00000001");
		assert_string_equal(a->cnonce, "0a4f113b");
		assert_string_equal(a->impi, H_IMPI);
		assert_int_equal(a->qop, p->qop);
	} else {
		assert_string_equal(a->rspauth, "");
	}
}

#define RIGHT                                                                                      \
	{                                                                                          \
		.qop = DIGEST_QOP_AUTH                                                             \
	}

/* covers: DH-03, DH-04, DH-05, DF-03 */
static void test_check(void **state)
{
	static const struct {
		const char *name;
		struct hss_digest_conf conf;
		struct reply p;
		enum cx_result result;
	} rows[] = {
		{"right", {0}, RIGHT, CX_SUCCESS},
		{"password", {0}, {.qop = DIGEST_QOP_AUTH, .password = "geheiM"}, CX_AUTH_REJECTED},
		{"digit", {0}, {.qop = DIGEST_QOP_AUTH, .flip = true}, CX_AUTH_REJECTED},
		{"realm", {0}, {.qop = DIGEST_QOP_AUTH, .realm = "other.net"}, CX_AUTH_REJECTED},
		{"auth-int", {0}, {.qop = DIGEST_QOP_AUTH_INT}, CX_AUTH_REJECTED},
		{"no qop", {0}, {.qop = DIGEST_QOP_NONE}, CX_AUTH_REJECTED},
		{"no qop, legacy", {.without_qop = true}, {.qop = DIGEST_QOP_NONE}, CX_SUCCESS},
		{"MD5-sess not allowed",
		 {0},
		 {.qop = DIGEST_QOP_AUTH, .algorithm = DIGEST_MD5_SESS},
		 CX_AUTH_REJECTED},
		{"MD5-sess",
		 {.n_algorithms = 1, .algorithms = {DIGEST_MD5_SESS}},
		 {.qop = DIGEST_QOP_AUTH, .algorithm = DIGEST_MD5_SESS},
		 CX_SUCCESS},
		{"SHA-256",
		 {.n_algorithms = 2, .algorithms = {DIGEST_SHA256, DIGEST_MD5}},
		 {.qop = DIGEST_QOP_AUTH, .algorithm = DIGEST_SHA256},
		 CX_SUCCESS},
		{"MD5 where SHA-256 must be",
		 {.n_algorithms = 1, .algorithms = {DIGEST_SHA256}},
		 RIGHT,
		 CX_AUTH_REJECTED},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct hss_digest_conf conf = rows[i].conf;
		struct reply p = rows[i].p;
		struct h_answer offer, a;
		struct hss *h;

		conf.variant = HSS_VARIANT_HSS;
		h = open_with(&conf);
		add(h, 0, DIGEST, HSS_VARIANT_DEFAULT);
		mar(h, CX_SCHEME_ANY, &offer, 1);
		p.nonce = offer.digest.nonce;
		check(h, &p, &a, 2);
		if (a.result != rows[i].result)
			fail_msg("%s: %d", rows[i].name, a.result);
		if (a.result == CX_AUTH_REJECTED) { /* and that was the only guess */
			p = (struct reply)RIGHT;
			p.nonce = offer.digest.nonce;
			p.algorithm =
				rows[i].conf.n_algorithms ? rows[i].conf.algorithms[0] : DIGEST_MD5;
			check(h, &p, &a, 3);
			assert_int_equal(a.result, CX_NONCE_STALE);
		}
		hss_free(h);
	}
}

/* The digest is right, the nonce is not: a new nonce comes, and that is good. */
static void assert_stale(struct hss *h, const struct reply *p, uint64_t now)
{
	struct reply again = RIGHT;
	struct h_answer a, b;

	check(h, p, &a, now);
	assert_int_equal(a.result, CX_NONCE_STALE);
	assert_int_equal(a.scheme, CX_SCHEME_DIGEST);
	assert_string_equal(a.realm, REALM);
	assert_int_equal(strlen(a.digest.nonce), 32);
	assert_string_not_equal(a.digest.nonce, p->nonce);
	assert_string_equal(a.digest.choice[0].ha1, "");
	again.nonce = a.digest.nonce;
	check(h, &again, &b, now);
	assert_int_equal(b.result, CX_SUCCESS);
}

static struct hss *hss_variant(struct h_answer *offer)
{
	struct hss *h = open_with(&(struct hss_digest_conf){
		.variant = HSS_VARIANT_HSS, .nonce_wait = 240, .nonce_lifetime = 600});

	add(h, 0, DIGEST, HSS_VARIANT_DEFAULT);
	mar(h, CX_SCHEME_ANY, offer, 0);
	return h;
}

/* covers: DF-08 */
static void test_stale(void **state)
{
	static const struct {
		const char *name, *nonce;
		uint64_t first, second; /* ms of answers with nc 1 and 2; 0: none */
		bool stale;
	} rows[] = {
		{"in time", NULL, 239999, 0, false},
		{"too late", NULL, 240000, 0, true},
		{"in use", NULL, 1000, 600999, false},
		{"used too long", NULL, 1000, 601000, true},
		{"not ours", "dcd98b7102dd2f0e8b11d0f600bfb0c0", 1000, 0, true},
		{"no nonce at all", "x", 1000, 0, true},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct h_answer offer, a;
		struct hss *h = hss_variant(&offer);
		struct reply p = RIGHT;
		uint64_t last = rows[i].second ? rows[i].second : rows[i].first;

		p.nonce = rows[i].nonce ? rows[i].nonce : offer.digest.nonce;
		if (rows[i].second) {
			check(h, &p, &a, rows[i].first);
			assert_int_equal(a.result, CX_SUCCESS);
			p.nc = "00000002";
		}
		if (rows[i].stale) {
			assert_stale(h, &p, last);
		} else {
			check(h, &p, &a, last);
			if (a.result != CX_SUCCESS)
				fail_msg("%s: %d", rows[i].name, a.result);
		}
		hss_free(h);
	}
}

/* Each nc once and upwards; what has no nc once. */
/* covers: DF-08, D-10 */
static void test_nonce_count(void **state)
{
	static const struct {
		const char *nc;
		bool good;
	} rows[] = {
		{"00000001", true},  {"00000001", false}, {"00000002", true}, {"00000005", true},
		{"00000004", false}, {"00000005", false}, {"fffffffe", true}, {"ffffffff", true},
		{"00000000", false}, {"ffffffff", false},
	};
	struct h_answer offer, a;
	struct hss *h = hss_variant(&offer);
	struct reply p = RIGHT;
	char nonce[CX_NONCE];

	(void)state;
	memcpy(nonce, offer.digest.nonce, sizeof(nonce));
	p.nonce = nonce;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		p.nc = rows[i].nc;
		check(h, &p, &a, 10);
		if ((a.result == CX_SUCCESS) != rows[i].good)
			fail_msg("%s: %d", p.nc, a.result);
		if (rows[i].good)
			continue;
		assert_int_equal(a.result, CX_NONCE_STALE); /* and the nonce is replaced */
		memcpy(nonce, a.digest.nonce, sizeof(nonce));
		for (unsigned k = 0; k < i; k++) { /* go on where we were */
			p.nc = rows[k].nc;
			if (rows[k].good)
				check(h, &p, &a, 10);
		}
	}
	hss_free(h);
}

/* covers: DF-05, DF-08 */
static void test_voided(void **state)
{
	struct h_answer first, second, a;
	struct hss *h = hss_variant(&first);
	struct reply p = RIGHT;

	(void)state;
	mar(h, CX_SCHEME_ANY, &second, 1);
	p.nonce = second.digest.nonce;
	check(h, &p, &a, 2);
	assert_int_equal(a.result, CX_SUCCESS);
	p.nonce = first.digest.nonce;
	assert_stale(h, &p, 3);
	hss_free(h);
}

/* A subscriber of the S-CSCF variant, of AKA, or of somebody else's IMPU has nothing checked. */
/* covers: DH-04, DN-07 */
static void test_not_to_be_checked(void **state)
{
	struct reply p = {.qop = DIGEST_QOP_AUTH, .nonce = "abc"};
	struct h_answer a;
	struct hss *h = open_with(&(struct hss_digest_conf){0});
	struct cx_request r = {.command = CX_CHECK, .impi = SV(H_IMPI), .impu = SV("sip:x@y")};

	(void)state;
	add(h, 0, DIGEST, HSS_VARIANT_SCSCF);
	check(h, &p, &a, 1);
	assert_int_equal(a.result, CX_AUTH_REJECTED);
	h_ask_at(h, &r, &a, 1);
	assert_int_equal(a.result, CX_IDENTITIES_DONT_MATCH);
	hss_free(h);
	h = open_with(&(struct hss_digest_conf){.variant = HSS_VARIANT_HSS});
	add(h, 0, AKA, HSS_VARIANT_DEFAULT);
	check(h, &p, &a, 1);
	assert_int_equal(a.result, CX_AUTH_REJECTED);
	hss_free(h);
}

/* ---- provisioning ------------------------------------------------------------------------- */

/* covers: DN-01 */
static void test_new_password(void **state)
{
	struct hss *h = open_with(&(struct hss_digest_conf){.variant = HSS_VARIANT_HSS});
	struct hss_subscriber s = {.impi = H_IMPI};
	struct reply old = RIGHT, new = {.qop = DIGEST_QOP_AUTH, .password = "neu"};
	struct h_answer offer, a;

	(void)state;
	add(h, 0, BOTH, HSS_VARIANT_DEFAULT);
	assert_int_equal(hss_subscriber_digest_set(h, &s), -EINVAL);
	assert_int_equal(hss_subscriber_password(&s, SV(REALM), "neu", 3), 0);
	assert_int_equal(hss_subscriber_digest_set(h, &s), 0);
	mar(h, CX_SCHEME_DIGEST, &offer, 1);
	old.nonce = new.nonce = offer.digest.nonce;
	check(h, &new, &a, 2);
	assert_int_equal(a.result, CX_SUCCESS);
	check(h, &old, &a, 2);
	assert_int_equal(a.result, CX_AUTH_REJECTED);
	/* one hash alone: the other one of the password before goes, too */
	s.digests[0].ha1[HSS_MD5][0] = '\0';
	assert_int_equal(hss_subscriber_digest_set(h, &s), 0);
	mar(h, CX_SCHEME_DIGEST, &a, 3);
	assert_int_equal(a.result, CX_SCHEME_NOT_SUPPORTED); /* policy has MD5 only */
	snprintf(s.impi, sizeof(s.impi), "nobody@home.net");
	assert_int_equal(hss_subscriber_digest_set(h, &s), -ENOENT);
	hss_free(h);
}

static bool counted(void *arg, const struct hss_subscriber *s, enum cx_registration flag)
{
	(void)flag;
	*(unsigned *)arg += s->n_digests;
	return true;
}

/* One realm more than can be read would lock the subscriber out, and spoil the list of all. */
/* covers: DN-01 */
static void test_realms(void **state)
{
	struct hss *h = open_with(&(struct hss_digest_conf){0});
	unsigned n = 0;
	char realm[32];
	struct h_answer a;

	(void)state;
	add(h, 0, BOTH, HSS_VARIANT_DEFAULT);
	for (unsigned i = 1; i <= HSS_MAX_REALMS + 1; i++) {
		struct hss_subscriber s = {.impi = H_IMPI};

		snprintf(realm, sizeof(realm), "realm%u.net", i);
		assert_int_equal(hss_subscriber_password(&s, sv_of(realm), "neu", 3), 0);
		assert_int_equal(hss_subscriber_digest_set(h, &s), i < HSS_MAX_REALMS ? 0 : -E2BIG);
	}
	mar(h, CX_SCHEME_DIGEST, &a, 1);
	assert_int_equal(a.result, CX_SUCCESS);
	assert_int_equal(hss_subscriber_each(h, counted, &n), 0);
	assert_int_equal(n, HSS_MAX_REALMS);
	hss_free(h);
}

/* covers: DN-01 */
static void test_refused(void **state)
{
	static const struct {
		const char *realm, *md5, *sha256;
		int err;
	} rows[] = {
		{REALM, HA1_MD5, "", 0},
		{REALM, "", HA1_SHA256, 0},
		{REALM, HA1_MD5, HA1_SHA256, 0},
		{REALM, "", "", -EINVAL},
		{REALM, HA1_SHA256, "", -EINVAL},
		{REALM, "", HA1_MD5, -EINVAL},
		{REALM, "geheim", "", -EINVAL},
		{REALM, "ABCDEF00112233445566778899aabbcc", "", -EINVAL},
		{"", HA1_MD5, "", -EINVAL},
		{"a\"b", HA1_MD5, "", -EINVAL},
		{"a:b", HA1_MD5, "", -EINVAL},
		{"a\r\nb", HA1_MD5, "", -EINVAL},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(rows); i++) {
		struct hss *h = open_with(&(struct hss_digest_conf){0});
		struct hss_subscriber s;

		h_subscriber(&s, 0);
		s.no_aka = true;
		s.n_digests = 1;
		snprintf(s.digests[0].realm, HSS_MAX_IDENTITY, "%s", rows[i].realm);
		snprintf(s.digests[0].ha1[HSS_MD5], DIGEST_HEX, "%s", rows[i].md5);
		snprintf(s.digests[0].ha1[HSS_SHA256], DIGEST_HEX, "%s", rows[i].sha256);
		if (hss_subscriber_add(h, &s) != rows[i].err)
			fail_msg("row %u", i);
		assert_int_equal(hss_subscribers(h), rows[i].err == 0);
		s.n_digests = 0; /* neither AKA nor Digest */
		assert_int_equal(hss_subscriber_add(h, &s), -EINVAL);
		hss_free(h);
	}
}

static bool listed(void *arg, const struct hss_subscriber *s, enum cx_registration flag)
{
	static const struct hss_digest none;
	const struct hss_digest *d = &s->digests[0];

	(void)flag;
	assert_int_equal(s->no_aka, strcmp(s->impi, H_IMPI) == 0);
	assert_int_equal(s->n_digests, strcmp(s->impi, "name2@home.net") != 0);
	assert_string_equal(d->realm, s->n_digests ? REALM : "");
	assert_memory_equal(d->ha1, none.ha1, sizeof(none.ha1)); /* never goes out */
	++*(unsigned *)arg;
	return true;
}

static void test_list(void **state)
{
	struct hss *h = open_with(&(struct hss_digest_conf){0});
	unsigned n = 0;

	(void)state;
	add(h, 0, DIGEST, HSS_VARIANT_DEFAULT);
	add(h, 1, BOTH, HSS_VARIANT_DEFAULT);
	add(h, 2, AKA, HSS_VARIANT_DEFAULT);
	assert_int_equal(hss_subscriber_each(h, listed, &n), 0);
	assert_int_equal(n, 3);
	hss_free(h);
}

/* Nowhere in the file or its log, though the hash is. */
/* covers: DN-01, DN-08 */
static void test_no_password_in_file(void **state)
{
	static const char secret[] = "a long password that nobody has";
	struct hss_subscriber s;
	struct h_dir d;
	struct hss *h;
	char path[112], *text = test_malloc(1 << 20);
	size_t n;

	(void)state;
	h_dir_make(&d);
	h = h_open(d.file, 32);
	h_subscriber(&s, 0);
	assert_int_equal(hss_subscriber_password(&s, SV(REALM), secret, sizeof(secret) - 1), 0);
	assert_int_equal(hss_subscriber_add(h, &s), 0);
	for (unsigned i = 0; i < 2; i++) {
		bool realm;
		FILE *f;

		snprintf(path, sizeof(path), "%s%s", d.file, i ? "" : "-wal");
		if (i)
			hss_free(h); /* the log goes to the file */
		f = fopen(path, "r");
		assert_non_null(f);
		n = fread(text, 1, 1 << 20, f);
		fclose(f);
		realm = memmem(text, n, REALM, strlen(REALM));
		assert_true(realm);
		assert_null(memmem(text, n, secret, sizeof(secret) - 1));
	}
	test_free(text);
	h_dir_free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_schemes),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_nonce_count),
		cmocka_unit_test(test_voided),
		cmocka_unit_test(test_not_to_be_checked),
		cmocka_unit_test(test_new_password),
		cmocka_unit_test(test_realms),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_no_password_in_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
