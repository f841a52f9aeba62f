/* SIP Digest at the UE (TS 33.203 Annex N), without protection: which challenge is answered, and
 * how. Digests come from Python (constants) or OpenSSL here, not from our own crypto/. */
#include "tests/control/ue/registrar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
		struct registrar_params p = {
			cases[i].sha256, cases[i].sess, cases[i].qop, "", "", ""};
		struct h *h = registrar_start();
		char value[128];

		assert_int_equal(ue_register(h->ue, h->now), 0);
		assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "");
		registrar_param(registrar_field(h), "response", value, sizeof(value));
		assert_string_equal(value, "");
		registrar_challenge(h, cases[i].challenge);
		registrar_read(h, &p);
		assert_string_equal(p.nonce, NONCE);
		assert_string_equal(p.nc, cases[i].qop ? "00000001" : "");
		registrar_param(registrar_field(h), "algorithm", value, sizeof(value));
		assert_string_equal(value, cases[i].algorithm);
		registrar_param(registrar_field(h), "qop", value, sizeof(value));
		assert_string_equal(value, cases[i].qop ? cases[i].qop : "");
		registrar_param(registrar_field(h), "uri", value, sizeof(value));
		assert_string_equal(value, "sip:home1.net");
		registrar_param(registrar_field(h), "username", value, sizeof(value));
		assert_string_equal(value, "user1_private@home1.net");
		registrar_prove(h, &p, "");
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
		struct h *h = registrar_start();
		char text[256], response[80];

		assert_int_equal(ue_register(h->ue, h->now), 0);
		snprintf(text, sizeof(text), "nonce=\"" NONCE "\", algorithm=%s", k[0]);
		registrar_challenge(h, text);
		registrar_param(registrar_field(h), "response", response, sizeof(response));
		assert_string_equal(response, k[1]);
		snprintf(text, sizeof(text), "Authentication-Info: rspauth=\"%s\"\r\n", k[2]);
		if (i % 2) /* one digit of it altered */
			strchr(text, '"')[5] ^= 1;
		registrar_ok(h, text);
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
		struct ue_conf c = registrar_conf(h);
		struct registrar_params p = {.qop = "auth"};
		char rspauth[65], field[256];

		c.rspauth_optional = cases[i].optional;
		h_start(h, &c);
		assert_int_equal(ue_register(h->ue, h->now), 0);
		registrar_challenge(h, "nonce=\"" NONCE "\", algorithm=MD5, qop=\"auth\"");
		registrar_read(h, &p);
		registrar_digest(rspauth, &p, "");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(field, sizeof(field), cases[i].info, rspauth);
#pragma GCC diagnostic pop
		registrar_ok(h, field);
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
		struct h *h = registrar_start();
		unsigned sent;

		assert_int_equal(ue_register(h->ue, h->now), 0);
		registrar_challenge(h, "nonce=\"" NONCE "\", qop=\"auth\"");
		sent = h->n_sent;
		h_respond(h, h_last(h), 0, statuses[i],
			  "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"n2\"\r\n");
		assert_int_equal(h->n_sent, sent);
		assert_false(ue_registered(h->ue));
		assert_int_equal(h->events[UE_FAILED], 1);
		h_free(h);
	}
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
		struct ue_conf c = registrar_conf(h);
		char nonce[64];

		c.sha256_only = cases[i].sha256_only;
		h_start(h, &c);
		assert_int_equal(ue_register(h->ue, h->now), 0);
		h_respond(h, h_last(h), 0, 401, cases[i].fields);
		registrar_param(registrar_field(h), "nonce", nonce, sizeof(nonce));
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
	struct h *h = registrar_start();
	struct registrar_params p = {.qop = "auth"};

	(void)state;
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), -ENOTCONN);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	registrar_challenge(h, "nonce=\"" NONCE "\", qop=\"auth\"");
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), -ENOTCONN);
	registrar_read(h, &p);
	registrar_prove(h, &p, "");
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	assert_string_equal(h_field(h_last(h)->text, "Route"), "");
	h_respond(h, h_last(h), 0, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 1);
	h_request(h, 0, "MESSAGE", 1, "z9hG4bKin");
	assert_int_equal(h->events[UE_MESSAGE_RECEIVED], 1);
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	registrar_read(h, &p);
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
	assert_string_equal(registrar_field(h), "");
	registrar_ok(h, "");
	assert_true(ue_registered(h->ue));
	h_advance(h, 300 * 1000);
	registrar_ok(h, "");
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_free(h);
	h = registrar_start(); /* but with a password it is no registrar of ours */
	assert_int_equal(ue_register(h->ue, h->now), 0);
	registrar_ok(h, "");
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
		cmocka_unit_test(strongest_challenge_is_answered),
		cmocka_unit_test(digest_never_makes_sas),
		cmocka_unit_test(pairings),
		cmocka_unit_test(no_service_before_registration),
		cmocka_unit_test(registrar_without_authentication),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
