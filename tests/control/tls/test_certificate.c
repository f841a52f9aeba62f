/* Server certificates: what the UE refuses, with which alert, and what the server is warned of. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/control/tls/rig.h"
#include "tests/support/test.h"

static char text[4096];

struct row {
	const char *arguments;
	const char *why;   /* the UE's; NULL: accepted */
	const char *alert; /* the P-CSCF's, by its alert (D-23) */
	const char *told;  /* what the check before tells; NULL: `why` */
	bool crl, legacy;
};

static void keep(void *arg, const char *what)
{
	char *all = arg;
	size_t n = strlen(all);

	snprintf(all + n, sizeof(text) - n, "%s\n", what);
}

static void check(struct rig *r, const struct row *row)
{
	const struct tls_check what = {
		.certificate = rig_file(r, "server.pem"),
		.ca = rig_file(r, "root.pem"),
		.crl = row->crl ? rig_file(r, "crl.pem") : NULL,
		.name = "pcscf.test",
		.legacy = row->legacy,
	};
	const char *wanted = row->told ? row->told : row->why;
	char why[TLS_WHY];
	int n;

	text[0] = '\0';
	n = tls_certificate_check(&what, keep, text, why);
	if (!row->why) {
		assert_string_equal(text, "");
		assert_int_equal(n, 0);
		return;
	}
	assert_true(n > 0);
	if (!strstr(text, wanted))
		fail_msg("told: %s", text);
}

static void shake(struct rig *r, const struct row *row)
{
	struct tls_server_conf server = rig_server(r);
	struct tls_client_conf client = rig_client(r);
	struct sip_flow up = rig_up();

	client.crl = row->crl ? rig_file(r, "crl.pem") : NULL;
	server.legacy = true; /* or OpenSSL would not even show a short key */
	client.legacy = row->legacy;
	rig_start(r, &server, &client);
	assert_int_equal(stream_send(r->ue.s, &up, rig_request(text, sizeof(text), 1)), 0);
	if (!row->why) {
		RIG_UNTIL(r, r->ue.messages == 1 || r->ue.lost);
		if (r->ue.lost)
			fail_msg("%s | %s", r->ue.why, r->net.why);
		return;
	}
	RIG_UNTIL(r, r->ue.lost == 1 && tls_failed(r->net.t) == 1);
	assert_int_equal(tls_counters(r->net.t)->failed[TLS_FAILURE_ALERT], 1);
	assert_int_equal(tls_counters(r->ue.t)->failed[TLS_FAILURE_CERTIFICATE], 1);
	assert_false(r->ue.stood);
	assert_int_equal(r->net.messages, 0);
	if (!strstr(r->ue.why, row->why) || !strstr(r->net.why, row->alert))
		fail_msg("%s | %s", r->ue.why, r->net.why);
}

static void run(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct rig *r = rig_make();
		char arguments[160];

		print_message("%s\n", rows[i].arguments);
		snprintf(arguments, sizeof(arguments), "--name pcscf.test %s", rows[i].arguments);
		rig_certs(r, arguments);
		check(r, &rows[i]);
		shake(r, &rows[i]);
		rig_free(r);
	}
}
#define RUN(rows) run(rows, sizeof(rows) / sizeof((rows)[0]))

/* covers: TL-08, TE-02, TC-01 */
static void test_trust(void **state)
{
	static const struct row rows[] = {
		{"", NULL, NULL},
		{"--rsa 2048", NULL, NULL},
		{"--bad expired", "certificate has expired", "certificate expired"},
		{"--bad unknown-ca", "unable to get local issuer", "unknown ca"},
		{"--bad self-signed", "self-signed", "unknown ca"},
		{"--name other.test", "hostname mismatch", "bad certificate", "not for that name"},
	};

	(void)state;
	RUN(rows);
}

/* covers: TC-02, TC-03, TC-04 */
static void test_profile(void **state)
{
	static const struct row rows[] = {
		{"--bad no-server-auth", "unsuitable certificate purpose",
		 "unsupported certificate"},
		{"--bad no-key-usage", "no digitalSignature", "unsupported certificate"},
		{"--bad wrong-key-id", "unable to get local issuer", "unknown ca"},
		{"--bad address-in-cn", "CN is not one fully qualified", "bad certificate"},
		{"--bad two-names", "more than one CN", "bad certificate"},
		{"--bad no-organization", "no country", "bad certificate"},
		{"--rsa 1024", "too weak", "bad certificate", "less than 2048 bits"},
		{"--rsa 1024", NULL, NULL, .legacy = true},
	};

	(void)state;
	RUN(rows);
}

/* covers: TC-05, TC-07 */
static void test_path(void **state)
{
	static const struct row rows[] = {
		{"--bad no-intermediate", "unable to get local issuer", "unknown ca"},
		{"--bad not-a-ca", "invalid CA", "unknown ca"},
		{"--bad name-encoding", "octet by octet", "bad certificate"},
	};

	(void)state;
	RUN(rows);
}

/* covers: TC-06 */
static void test_root_sent(void **state)
{
	static const struct row rows[] = {
		{"--send-root", NULL, NULL},
		{"--send-root --bad root-renewed", NULL, NULL},
		{"--send-root --bad root-changed", "differs from the known one", "unknown ca"},
		{"--send-root --bad root-unknown", "not known", "unknown ca"},
	};

	(void)state;
	RUN(rows);
}

/* covers: TC-08 */
static void test_revoked(void **state)
{
	static const struct row rows[] = {
		{"--crl", NULL, NULL, .crl = true},
		{"--crl --bad revoked", "revoked", "revoked", .crl = true},
		{"--crl --bad revoked", NULL, NULL},
	};

	(void)state;
	RUN(rows);
}

/* A P-CSCF does not begin, and does not go on, with a certificate that UEs would refuse. */
static void test_at_the_start(void **state)
{
	static const struct {
		const char *arguments, *why;
	} rows[] = {
		{"", NULL},
		{"--rsa 2048", NULL},
		{"--bad expired", "expired"},
		{"--bad self-signed", "self-signed"},
		{"--bad no-server-auth", "serverAuth"},
		{"--bad wrong-key-id", "authorityKeyIdentifier"},
		{"--bad two-names", "more than one CN"},
		{"--bad name-encoding", "octet by octet"},
		{"--bad not-a-ca", "no CA"},
		{"--rsa 1024", "key too small"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig *r = rig_make();
		struct tls_server_conf server = rig_server(r);
		struct tls *t = NULL;
		char why[TLS_WHY];

		print_message("%s\n", rows[i].arguments);
		rig_certs(r, rows[i].arguments);
		server.any_certificate = false;
		if (!rows[i].why) {
			assert_int_equal(tls_server_alloc(&t, &server, why), 0);
			rig_certs(r, "--bad expired");
			assert_int_equal(tls_server_reload(t, why), -EINVAL);
			assert_non_null(strstr(why, "expired"));
			tls_free(t);
		} else {
			assert_int_equal(tls_server_alloc(&t, &server, why), -EINVAL);
			if (!strstr(why, rows[i].why))
				fail_msg("%s", why);
		}
		rig_free(r);
	}
}

/* What the P-CSCF will not read is not said to be good. */
static void test_odd_files(void **state)
{
	static const char *const odd[] = {
		"", "no PEM at all\n",
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nMIIB"};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		for (unsigned after = 0; after < 2; after++) {
			struct rig *r = rig_make();
			struct tls_server_conf server = rig_server(r);
			struct tls_check what = {.certificate = rig_file(r, "server.pem")};
			bool good = after && i < 2; /* text behind a certificate says nothing */
			struct tls *t = NULL;
			char why[TLS_WHY];
			FILE *f;

			rig_certs(r, "--name pcscf.test");
			assert_int_equal(tls_server_alloc(&t, &server, why), 0);
			f = fopen(what.certificate, after ? "a" : "w");
			assert_non_null(f);
			fputs(odd[i], f);
			fclose(f);
			text[0] = '\0';
			assert_int_equal(tls_certificate_check(&what, keep, text, why),
					 good ? 0 : -EINVAL);
			assert_int_equal(tls_server_reload(t, why), good ? 0 : -EINVAL);
			tls_free(t);
			rig_free(r);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trust),	  cmocka_unit_test(test_profile),
		cmocka_unit_test(test_path),	  cmocka_unit_test(test_root_sent),
		cmocka_unit_test(test_revoked),	  cmocka_unit_test(test_at_the_start),
		cmocka_unit_test(test_odd_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
