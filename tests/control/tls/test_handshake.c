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
	char here[STREAM_NAME], there[STREAM_NAME];

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
	assert_true(stream_session_name(r->net.s, &r->net.from, here));
	assert_true(stream_session_name(r->ue.s, &r->ue.from, there));
	assert_int_equal(strlen(here), 64);
	assert_string_equal(here, there);
	assert_int_equal(tls_counters(r->net.t)->open, 1);
	stream_hang_up(r->ue.s, &r->ue.from);
	RIG_UNTIL(r, r->net.closed == 1 && r->ue.closed == 1);
	assert_int_equal((int)tls_failed(r->net.t), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
