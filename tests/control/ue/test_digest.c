/* SIP Digest at the UE (TS 33.203 Annex N), without protection: any registrar. Digests come from
 * Python (constants) or OpenSSL here, not from our own crypto/. */
#include "tests/control/ue/harness.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONCE	 "dcd98b7102dd2f0e8b11d0f600bfb0c093"
#define PASSWORD "geheim"

static struct ue_conf digest_conf(struct h *h)
{
	struct ue_conf c = h_conf(h);

	c.auth = UE_AUTH_DIGEST;
	c.security = UE_SECURITY_NONE;
	c.password = PASSWORD;
	c.n_choices = 0;
	return c;
}

static struct h *started(void)
{
	struct h *h = h_alloc();
	struct ue_conf c = digest_conf(h);

	h_start(h, &c);
	return h;
}

/* ---- digests, by another implementation --------------------------------------------------- */

static void hash(bool sha256, char hex[65], const char *text)
{
	unsigned char md[32];
	unsigned n = 0;

	assert_int_equal(
		EVP_Digest(text, strlen(text), md, &n, sha256 ? EVP_sha256() : EVP_md5(), NULL), 1);
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", md[i]);
}

struct params {
	bool sha256, sess;
	const char *qop; /* NULL: none */
	char nonce[64], cnonce[64], nc[16];
};

/* method "": rspauth */
static void digest(char hex[65], const struct params *p, const char *method)
{
	char text[1024], ha1[65], ha2[65], body[65];

	hash(p->sha256, ha1, "user1_private@home1.net:home1.net:" PASSWORD);
	if (p->sess) {
		snprintf(text, sizeof(text), "%s:%s:%s", ha1, p->nonce, p->cnonce);
		hash(p->sha256, ha1, text);
	}
	hash(p->sha256, body, "");
	snprintf(text, sizeof(text), "%s:sip:home1.net%s%s", method,
		 p->qop && strcmp(p->qop, "auth-int") == 0 ? ":" : "",
		 p->qop && strcmp(p->qop, "auth-int") == 0 ? body : "");
	hash(p->sha256, ha2, text);
	if (p->qop)
		snprintf(text, sizeof(text), "%s:%s:%s:%s:%s:%s", ha1, p->nonce, p->nc, p->cnonce,
			 p->qop, ha2);
	else
		snprintf(text, sizeof(text), "%s:%s:%s", ha1, p->nonce, ha2);
	hash(p->sha256, hex, text);
}

/* name=value or name="value" of a field */
static void param(const char *field, const char *name, char *value, size_t cap)
{
	char key[32];
	const char *at;
	size_t n;

	snprintf(key, sizeof(key), "%s=", name);
	for (at = strstr(field, key); at && at[-1] != ' '; at = strstr(at + 1, key))
		;
	value[0] = '\0';
	if (!at)
		return;
	at += strlen(key);
	at += *at == '"';
	n = strcspn(at, "\",");
	assert_true(n < cap);
	memcpy(value, at, n);
	value[n] = '\0';
}

static const char *authorization(struct h *h)
{
	return h_field(h_last(h)->text, "Authorization");
}

/* What the last REGISTER says, and whether its response is right. */
static void answer_read(struct h *h, struct params *p)
{
	char response[80], expected[65];

	param(authorization(h), "nonce", p->nonce, sizeof(p->nonce));
	param(authorization(h), "cnonce", p->cnonce, sizeof(p->cnonce));
	param(authorization(h), "nc", p->nc, sizeof(p->nc));
	param(authorization(h), "response", response, sizeof(response));
	digest(expected, p, "REGISTER");
	assert_string_equal(response, expected);
}

static void ok(struct h *h, const char *fields)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "Contact: <sip:user1_public1@10.45.0.1:5060>;expires=600\r\n%s", fields);
	h_respond(h, h_last(h), 0, 200, text);
}

static void ok_proven(struct h *h, const struct params *p, const char *more)
{
	char field[512], rspauth[65];

	digest(rspauth, p, "");
	snprintf(field, sizeof(field), "Authentication-Info: rspauth=\"%s\"%s\r\n", rspauth, more);
	ok(h, field);
}

static void challenge(struct h *h, const char *rest)
{
	char field[512];

	snprintf(field, sizeof(field), "WWW-Authenticate: Digest realm=\"home1.net\", %s\r\n",
		 rest);
	h_respond(h, h_last(h), 0, 401, field);
}

/* SM1 to SM12 with MD5 and qop=auth. */
static void registered(struct h *h, struct params *p)
{
	*p = (struct params){.qop = "auth"};
	assert_int_equal(ue_register(h->ue, h->now), 0);
	challenge(h, "nonce=\"" NONCE "\", algorithm=MD5, qop=\"auth\"");
	answer_read(h, p);
	ok_proven(h, p, "");
	assert_true(ue_registered(h->ue));
}

/* ---- tests -------------------------------------------------------------------------------- */

/* covers: DN-01, DN-11, DN-15 */
static void each_algorithm_and_qop_is_answered(void **state)
{
	static const struct {
		const char *challenge;
		bool sha256, sess;
		const char *qop, *algorithm;
	} cases[] = {
		{"nonce=\"" NONCE "\"", false, false, NULL, ""},
		{"nonce=\"" NONCE "\", algorithm=MD5, qop=\"auth\"", false, false, "auth", "MD5"},
		{"nonce=\"" NONCE "\", qop=\"auth-int,auth\"", false, false, "auth", ""},
		{"nonce=\"" NONCE "\", algorithm=MD5, qop=\"auth-int\"", false, false, "auth-int",
		 "MD5"},
		{"nonce=\"" NONCE "\", algorithm=MD5-sess, qop=\"auth\"", false, true, "auth",
		 "MD5-sess"},
		{"nonce=\"" NONCE "\", algorithm=SHA-256, qop=\"auth\"", true, false, "auth",
		 "SHA-256"},
		{"nonce=\"" NONCE "\", algorithm=SHA-256-sess, qop=\"auth\"", true, true, "auth",
		 "SHA-256-sess"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct params p = {cases[i].sha256, cases[i].sess, cases[i].qop, "", "", ""};
		struct h *h = started();
		char value[128];

		assert_int_equal(ue_register(h->ue, h->now), 0);
		assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "");
		param(authorization(h), "response", value, sizeof(value));
		assert_string_equal(value, "");
		challenge(h, cases[i].challenge);
		answer_read(h, &p);
		assert_string_equal(p.nonce, NONCE);
		assert_string_equal(p.nc, cases[i].qop ? "00000001" : "");
		param(authorization(h), "algorithm", value, sizeof(value));
		assert_string_equal(value, cases[i].algorithm);
		param(authorization(h), "qop", value, sizeof(value));
		assert_string_equal(value, cases[i].qop ? cases[i].qop : "");
		param(authorization(h), "uri", value, sizeof(value));
		assert_string_equal(value, "sip:home1.net");
		param(authorization(h), "username", value, sizeof(value));
		assert_string_equal(value, "user1_private@home1.net");
		ok_proven(h, &p, "");
		assert_true(ue_registered(h->ue));
		h_free(h);
	}
}

/* covers: DN-01, DN-11, DN-15 */
static void responses_are_as_python_has_them(void **state)
{
	/* algorithm, response, rspauth; hashlib, without qop, so that all is known before */
	static const char *const cases[][3] = {
		{"MD5", "a1225b6c880941a71a53bfd40dbef98a", "44f0c2693d8a48c073f39a21becd0746"},
		{"SHA-256", "0fc10f26c815bc489233a3f3769aa624f5740f9be1b7f191aa47f57597508e59",
		 "c42165cfe6110c2e7c0adea124b02bbb7ab21ef1299c977be3fd12b20f9633dd"},
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		const char *const *k = cases[i / 2];
		struct h *h = started();
		char text[256], response[80];

		assert_int_equal(ue_register(h->ue, h->now), 0);
		snprintf(text, sizeof(text), "nonce=\"" NONCE "\", algorithm=%s", k[0]);
		challenge(h, text);
		param(authorization(h), "response", response, sizeof(response));
		assert_string_equal(response, k[1]);
		snprintf(text, sizeof(text), "Authentication-Info: rspauth=\"%s\"\r\n", k[2]);
		if (i % 2) /* one digit of it altered */
			strchr(text, '"')[5] ^= 1;
		ok(h, text);
		assert_int_equal(ue_registered(h->ue), i % 2 == 0);
		h_free(h);
	}
}

/* covers: DF-04 */
static void network_must_prove_itself(void **state)
{
	static const struct {
		const char *info; /* %s: the right rspauth */
		bool optional, good;
		const char *why;
	} cases[] = {
		{"Authentication-Info: rspauth=\"%s\"\r\n", false, true, NULL},
		{"Authentication-Info: rspauth=\"%s\", qop=auth, nc=00000001\r\n", true, true,
		 NULL},
		{"Authentication-Info: rspauth=\"0%s\"\r\n", false, false, "wrong rspauth"},
		{"Authentication-Info: rspauth=\"%s\", nc=00000002\r\n", false, false,
		 "wrong rspauth"},
		{"Authentication-Info: rspauth=\"%s\", cnonce=\"x\"\r\n", false, false,
		 "wrong rspauth"},
		{"Authentication-Info: rspauth=\"%.31s\"\r\n", true, false, "wrong rspauth"},
		{"Authentication-Info: rspauth=\"\"\r\n", false, false, "no rspauth"},
		{"Authentication-Info: nextnonce=\"a\"\r\n", false, false, "no rspauth"},
		{"Authentication-Info: nextnonce=\"a\"\r\n", true, true, NULL},
		{"Authentication-Info: rspauth=\"%s\r\n", true, false, "malformed"},
		{"", false, false, "no rspauth"},
		{"", true, true, NULL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = h_alloc();
		struct ue_conf c = digest_conf(h);
		struct params p = {.qop = "auth"};
		char rspauth[65], field[256];

		c.rspauth_optional = cases[i].optional;
		h_start(h, &c);
		assert_int_equal(ue_register(h->ue, h->now), 0);
		challenge(h, "nonce=\"" NONCE "\", algorithm=MD5, qop=\"auth\"");
		answer_read(h, &p);
		digest(rspauth, &p, "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(field, sizeof(field), cases[i].info, rspauth);
#pragma GCC diagnostic pop
		ok(h, field);
		assert_int_equal(ue_registered(h->ue), cases[i].good);
		assert_int_equal(h->events[UE_FAILED], !cases[i].good);
		if (cases[i].why)
			assert_non_null(strstr(h->text, cases[i].why));
		h_free(h);
	}
}

/* covers: DN-01 */
static void wrong_password_ends_it(void **state)
{
	static const unsigned statuses[] = {401, 403};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct h *h = started();
		unsigned sent;

		assert_int_equal(ue_register(h->ue, h->now), 0);
		challenge(h, "nonce=\"" NONCE "\", qop=\"auth\"");
		sent = h->n_sent;
		h_respond(h, h_last(h), 0, statuses[i],
			  "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"n2\"\r\n");
		assert_int_equal(h->n_sent, sent);
		assert_false(ue_registered(h->ue));
		assert_int_equal(h->events[UE_FAILED], 1);
		h_free(h);
	}
}

/* covers: DF-09 */
static void stale_nonce_is_answered_anew(void **state)
{
	static const char *const stale[] = {"stale=true", "stale=TRUE", "stale=\"True\""};
	struct params p = {.qop = "auth"};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct h *h = started();
		char text[128], first[64];

		assert_int_equal(ue_register(h->ue, h->now), 0);
		challenge(h, "nonce=\"" NONCE "\", qop=\"auth\"");
		answer_read(h, &p);
		snprintf(first, sizeof(first), "%s", p.cnonce);
		snprintf(text, sizeof(text), "nonce=\"second\", qop=\"auth\", %s", stale[i]);
		challenge(h, text);
		answer_read(h, &p);
		assert_string_equal(p.nonce, "second");
		assert_string_equal(p.nc, "00000001");
		assert_string_not_equal(p.cnonce, first);
		assert_int_equal(h->events[UE_FAILED], 0);
		ok_proven(h, &p, "");
		assert_true(ue_registered(h->ue));
		h_free(h);
	}
}

/* A network that finds every nonce stale is left alone. */
/* covers: DF-09 */
static void stale_for_ever_is_a_failure(void **state)
{
	struct h *h = started();

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	for (unsigned i = 0; i < 20 && !h->events[UE_FAILED]; i++)
		challenge(h, "nonce=\"n\", qop=\"auth\", stale=true");
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_in_range(h->n_sent, 3, 8);
	h_free(h);
}

/* covers: DN-11, DN-14 */
static void refresh_counts_on_with_the_same_nonce(void **state)
{
	struct h *h = started();
	struct params p;

	(void)state;
	registered(h, &p);
	for (unsigned i = 2; i < 5; i++) {
		char nc[16];

		h_advance(h, 300 * 1000);
		snprintf(nc, sizeof(nc), "%08x", i);
		answer_read(h, &p);
		assert_string_equal(p.nonce, NONCE);
		assert_string_equal(p.nc, nc);
		ok_proven(h, &p, "");
		assert_int_equal(h->events[UE_REGISTERED], i);
	}
	h_advance(h, 300 * 1000);
	challenge(h, "nonce=\"new\", qop=\"auth\", stale=true");
	answer_read(h, &p);
	assert_string_equal(p.nonce, "new");
	assert_string_equal(p.nc, "00000001");
	ok_proven(h, &p, ", nextnonce=\"next\"");
	h_advance(h, 300 * 1000);
	answer_read(h, &p);
	assert_string_equal(p.nonce, "next");
	assert_string_equal(p.nc, "00000001");
	ok_proven(h, &p, ", nextnonce=\"next\""); /* no new one: no new count */
	h_advance(h, 300 * 1000);
	answer_read(h, &p);
	assert_string_equal(p.nonce, "next");
	assert_string_equal(p.nc, "00000002");
	ok_proven(h, &p, "");
	assert_int_equal(h->events[UE_FAILED], 0);
	h_free(h);
}

/* The session key ends with the nonce that it was made of. */
/* covers: DN-11 */
static void session_key_does_not_outlive_its_nonce(void **state)
{
	struct h *h = started();
	struct params p = {.sess = true, .qop = "auth"};
	char nonce[64];

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	challenge(h, "nonce=\"" NONCE "\", algorithm=MD5-sess, qop=\"auth\"");
	answer_read(h, &p);
	ok_proven(h, &p, ", nextnonce=\"next\"");
	h_advance(h, 300 * 1000);
	param(authorization(h), "nonce", nonce, sizeof(nonce));
	assert_string_equal(nonce, "");
	h_free(h);
}

/* covers: DF-04 */
static void refresh_must_be_proven_too(void **state)
{
	struct h *h = started();
	struct params p;

	(void)state;
	registered(h, &p);
	h_advance(h, 300 * 1000);
	ok(h, "");
	assert_int_equal(h->events[UE_REGISTERED], 1);
	assert_int_equal(h->events[UE_FAILED], 1);
	h_free(h);
}

/* covers: DF-10 */
static void network_can_have_a_new_run(void **state)
{
	struct h *h = started();
	struct params p;

	(void)state;
	registered(h, &p);
	h_advance(h, 300 * 1000);
	challenge(h, "nonce=\"again\", qop=\"auth\"");
	answer_read(h, &p);
	assert_string_equal(p.nonce, "again");
	ok_proven(h, &p, "");
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_free(h);
}

/* covers: PO-02 */
static void strongest_challenge_is_answered(void **state)
{
	static const struct {
		const char *fields;
		bool sha256_only;
		const char *nonce; /* of the answer; NULL: there is none */
	} cases[] = {
		{"WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"m\", algorithm=MD5\r\n"
		 "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"s\", algorithm=SHA-256\r\n",
		 false, "s"},
		{"WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"s\", algorithm=SHA-256\r\n"
		 "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"m\", algorithm=MD5\r\n",
		 false, "s"},
		{"WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"x\", "
		 "algorithm=SHA-512-256\r\n"
		 "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"m\", algorithm=MD5\r\n",
		 false, "m"},
		{"WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"m\", algorithm=MD5\r\n",
		 true, NULL},
		{"WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"m\", algorithm=SHA-1\r\n",
		 false, NULL},
		{"WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"\"\r\n", false, NULL},
		{"WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"q\", qop=\"other\"\r\n",
		 false, NULL},
		{"WWW-Authenticate: Basic realm=\"home1.net\"\r\n", false, NULL},
		{"", false, NULL},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = h_alloc();
		struct ue_conf c = digest_conf(h);
		char nonce[64];

		c.sha256_only = cases[i].sha256_only;
		h_start(h, &c);
		assert_int_equal(ue_register(h->ue, h->now), 0);
		h_respond(h, h_last(h), 0, 401, cases[i].fields);
		param(authorization(h), "nonce", nonce, sizeof(nonce));
		assert_string_equal(nonce, cases[i].nonce ? cases[i].nonce : "");
		assert_int_equal(h->events[UE_FAILED], !cases[i].nonce);
		h_free(h);
	}
}

/* covers: DN-03 */
static void digest_never_makes_sas(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	char fields[4096], server[2048];
	unsigned sent;

	(void)state;
	h_start(h, &c); /* AKA and IPsec */
	assert_int_equal(ue_register(h->ue, h->now), 0);
	sent = h->n_sent;
	snprintf(fields, sizeof(fields),
		 "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"" NONCE
		 "\", algorithm=MD5, qop=\"auth\"\r\n%s",
		 h_server_field(h, server));
	h_respond(h, h_last(h), 0, 401, fields);
	assert_int_equal(h->n_sent, sent);
	assert_int_equal(h_installed(h), 0);
	assert_int_equal(h->events[UE_FAILED], 1);
	h_free(h);
}

/* covers: DN-02, DN-03, TL-02, TL-03 */
static void pairings(void **state)
{
	static const struct {
		enum ue_auth auth;
		enum ue_security security;
		const char *access;
		bool good;
	} cases[] = {
		{UE_AUTH_AKA, UE_SECURITY_IPSEC, NULL, true},
		{UE_AUTH_AKA, UE_SECURITY_IPSEC, "3GPP-NR-FDD", true},
		{UE_AUTH_AKA, UE_SECURITY_TLS, NULL, false},
		{UE_AUTH_DIGEST, UE_SECURITY_IPSEC, NULL, false},
		{UE_AUTH_DIGEST, UE_SECURITY_TLS, NULL, true},
		{UE_AUTH_DIGEST, UE_SECURITY_TLS_FIRST, "DOCSIS", true},
		{UE_AUTH_DIGEST, UE_SECURITY_TLS, "3GPP-E-UTRAN-FDD", false},
		{UE_AUTH_DIGEST, UE_SECURITY_NONE, "3gpp-UTRAN-TDD", false},
		{UE_AUTH_DIGEST, UE_SECURITY_NONE, "IEEE-802.3", true},
		{UE_AUTH_DIGEST, UE_SECURITY_NONE, "IEEE\r\nX: y", false},
		{UE_AUTH_NONE, UE_SECURITY_NONE, NULL, true},
		{UE_AUTH_NONE, UE_SECURITY_TLS, NULL, false},
		{UE_AUTH_DIGEST, UE_SECURITY_TLS_PLAIN, NULL, true},
		{UE_AUTH_EITHER, UE_SECURITY_EITHER, NULL, true},
		{UE_AUTH_EITHER, UE_SECURITY_EITHER, "3GPP-NR-FDD", false},
		{UE_AUTH_EITHER, UE_SECURITY_IPSEC, NULL, false},
		{UE_AUTH_EITHER, UE_SECURITY_TLS, NULL, false},
		{UE_AUTH_AKA, UE_SECURITY_EITHER, NULL, false},
		{UE_AUTH_DIGEST, UE_SECURITY_EITHER, NULL, false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = h_alloc();
		struct ue_conf c = h_conf(h);

		c.auth = cases[i].auth;
		c.security = cases[i].security;
		c.access = cases[i].access;
		c.password = PASSWORD;
		assert_int_equal(h_try(h, &c), cases[i].good ? 0 : -EINVAL);
		if (cases[i].good) {
			assert_int_equal(ue_register(h->ue, h->now), 0);
			assert_int_equal(
				strncasecmp(h_field(h_last(h)->text, "P-Access-Network-Info"),
					    "3GPP", 4) == 0,
				c.auth == UE_AUTH_AKA);
		}
		h_free(h);
	}
}

/* covers: DN-05 */
static void no_service_before_registration(void **state)
{
	struct h *h = started();
	struct params p = {.qop = "auth"};

	(void)state;
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), -ENOTCONN);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	challenge(h, "nonce=\"" NONCE "\", qop=\"auth\"");
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), -ENOTCONN);
	answer_read(h, &p);
	ok_proven(h, &p, "");
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	assert_string_equal(h_field(h_last(h)->text, "Route"), "");
	h_respond(h, h_last(h), 0, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 1);
	h_request(h, 0, "MESSAGE", 1, "z9hG4bKin");
	assert_int_equal(h->events[UE_MESSAGE_RECEIVED], 1);
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	answer_read(h, &p);
	h_respond(h, h_last(h), 0, 200, "");
	assert_int_equal(h->events[UE_DEREGISTERED], 1);
	h_free(h);
}

static void registrar_without_authentication(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	c.auth = UE_AUTH_NONE;
	c.security = UE_SECURITY_NONE;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_string_equal(authorization(h), "");
	ok(h, "");
	assert_true(ue_registered(h->ue));
	h_advance(h, 300 * 1000);
	ok(h, "");
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_free(h);
	h = started(); /* but with a password it is no registrar of ours */
	assert_int_equal(ue_register(h->ue, h->now), 0);
	ok(h, "");
	assert_false(ue_registered(h->ue));
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_algorithm_and_qop_is_answered),
		cmocka_unit_test(responses_are_as_python_has_them),
		cmocka_unit_test(network_must_prove_itself),
		cmocka_unit_test(wrong_password_ends_it),
		cmocka_unit_test(stale_nonce_is_answered_anew),
		cmocka_unit_test(stale_for_ever_is_a_failure),
		cmocka_unit_test(refresh_counts_on_with_the_same_nonce),
		cmocka_unit_test(session_key_does_not_outlive_its_nonce),
		cmocka_unit_test(refresh_must_be_proven_too),
		cmocka_unit_test(network_can_have_a_new_run),
		cmocka_unit_test(strongest_challenge_is_answered),
		cmocka_unit_test(digest_never_makes_sas),
		cmocka_unit_test(pairings),
		cmocka_unit_test(no_service_before_registration),
		cmocka_unit_test(registrar_without_authentication),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
