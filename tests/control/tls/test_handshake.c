/* Handshakes on loopback, between our two ends. */
#include "tests/control/tls/rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/test.h"

static char text[70000];

/* covers: TL-08 */
static void test_both_ways(void **state)
{
	struct rig *r = rig_make();
	struct tls_server_conf server = rig_server(r);
	struct tls_client_conf client = rig_client(r);
	struct sip_flow up = rig_up();

	(void)state;
	rig_certs(r, "--name pcscf.test");
	rig_start(r, &server, &client);
	assert_int_equal(stream_send(r->ue.s, &up, rig_request(text, sizeof(text), 60000)), 0);
	RIG_UNTIL(r, r->ue.messages == 1);
	assert_int_equal(r->net.from.transport, SIP_TRANSPORT_TLS);
	assert_int_not_equal(r->net.from.session, 0);
	assert_int_equal(
		stream_send(r->net.s, &r->net.from, rig_request(text, sizeof(text), 40000)), 0);
	RIG_UNTIL(r, r->net.messages == 2 && r->ue.messages == 2);
	assert_int_equal(tls_counters(r->net.t)->handshakes, 1);
	assert_int_equal(tls_counters(r->net.t)->open, 1);
	stream_hang_up(r->ue.s, &r->ue.from);
	RIG_UNTIL(r, r->net.closed == 1 && r->ue.closed == 1);
	assert_int_equal(tls_counters(r->net.t)->failed, 0);
	rig_free(r);
}

/* A new certificate is for new connections, and a bad one for none. */
static void test_reload(void **state)
{
	struct rig *r = rig_make();
	struct tls_server_conf server = rig_server(r);
	struct tls_client_conf client = rig_client(r);
	struct sip_flow up = rig_up();
	char why[TLS_WHY];

	(void)state;
	rig_certs(r, "--name pcscf.test");
	rig_start(r, &server, &client);
	assert_int_equal(stream_send(r->ue.s, &up, rig_request(text, sizeof(text), 1)), 0);
	RIG_UNTIL(r, r->ue.messages == 1);
	rig_certs(r, "--name another.test");
	assert_int_equal(tls_server_reload(r->net.t, why), 0);
	assert_int_equal(stream_send(r->ue.s, &up, rig_request(text, sizeof(text), 1)), 0);
	RIG_UNTIL(r, r->ue.messages == 2);
	stream_hang_up(r->ue.s, &r->ue.from);
	RIG_UNTIL(r, r->ue.closed == 1);
	assert_int_equal(stream_send(r->ue.s, &up, rig_request(text, sizeof(text), 1)), 0);
	RIG_UNTIL(r, r->ue.lost == 1);
	assert_string_equal(r->ue.why, "hostname mismatch: certificate verify failed");
	rig_certs(r, "--name pcscf.test");
	assert_int_equal(tls_server_reload(r->net.t, why), 0);
	assert_int_equal(truncate(rig_file(r, "server.pem"), 10), 0);
	assert_int_equal(tls_server_reload(r->net.t, why), -EINVAL);
	assert_non_null(strstr(why, "server.pem"));
	assert_int_equal(stream_send(r->ue.s, &up, rig_request(text, sizeof(text), 1)), 0);
	RIG_UNTIL(r, r->ue.messages == 3);
	rig_free(r);
}

/* covers: TL-08, TE-02 */
static void test_refused(void **state)
{
	static const struct {
		const char *certificate, *why, *alert;
	} bad[] = {
		{"--bad expired", "certificate has expired", "certificate expired"},
		{"--bad unknown-ca", "unable to get local issuer", "unknown ca"},
		{"--bad self-signed", "self-signed", "unknown ca"},
		{"--bad no-server-auth", "unsuitable certificate purpose",
		 "unsupported certificate"},
		{"--bad no-intermediate", "unable to get local issuer", "unknown ca"},
		{"--name other.test", "hostname mismatch", "bad certificate"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct rig *r = rig_make();
		struct tls_server_conf server = rig_server(r);
		struct tls_client_conf client = rig_client(r);
		struct sip_flow up = rig_up();
		char arguments[128];

		print_message("%s\n", bad[i].certificate);
		snprintf(arguments, sizeof(arguments), "--name pcscf.test %s", bad[i].certificate);
		rig_certs(r, arguments);
		rig_start(r, &server, &client);
		assert_int_equal(stream_send(r->ue.s, &up, rig_request(text, sizeof(text), 1)), 0);
		RIG_UNTIL(r, r->ue.lost == 1 && tls_counters(r->net.t)->failed == 1);
		assert_false(r->ue.stood);
		assert_int_equal(r->net.messages, 0);
		print_message("%s | %s\n", r->ue.why, r->net.why);
		assert_non_null(strstr(r->ue.why, bad[i].why));
		assert_non_null(strstr(r->net.why, bad[i].alert));
		rig_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_reload),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
