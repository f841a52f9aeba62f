/* Peers that are no good, octet by octet: each is let go, and counted by what was wrong. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/control/tls/rig.h"
#include "tests/support/test.h"

#define RANDOM32 "0123456789abcdef0123456789abcdef"
/* A ClientHello without extensions, by version (second octet) and its only suite. */
#define HELLO(version, suite)                                                                      \
	"\x16\x03\x01\x00\x2d\x01\x00\x00\x29\x03" version RANDOM32 "\x00\x00\x02" suite "\x01"    \
	"\x00"
#define ROW(octets, failure)                                                                       \
	{                                                                                          \
		octets, sizeof(octets) - 1, failure                                                \
	}

static const struct row {
	const char *octets;
	size_t n;
	enum tls_failure failure;
} rows[] = {
	ROW("", TLS_FAILURE_UNFINISHED),
	ROW("\x16", TLS_FAILURE_UNFINISHED),
	ROW("\x16\x03\x01\x02\x00\x01", TLS_FAILURE_UNFINISHED),
	ROW("OPTIONS sip:a SIP/2.0\r\n\r\n", TLS_FAILURE_NOT_TLS),
	ROW("GET / HTTP/1.1\r\n\r\n", TLS_FAILURE_NOT_TLS),
	ROW("\r\n\r\n\r\n\r\n", TLS_FAILURE_NOT_TLS),
	ROW(HELLO("\x01", "\x00\x2f"), TLS_FAILURE_NO_COMMON),	/* TLS 1.0 */
	ROW(HELLO("\x03", "\x00\x04"), TLS_FAILURE_NO_COMMON),	/* RC4 with MD5 */
	ROW("\x15\x03\x01\x00\x02\x02\x30", TLS_FAILURE_OTHER), /* an alert comes later */
	ROW("\x16\x03\x01\x00\x04\x63\x00\x00\x00", TLS_FAILURE_OTHER),
};

/* Sends octets and then no more, as if it were gone. */
static int dial(const struct row *row)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(RIG_PORT)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(fd, row->octets, row->n, MSG_NOSIGNAL), row->n);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	return fd;
}

static void test_counted(void **state)
{
	struct rig *r = rig_make();
	struct tls_server_conf server = rig_server(r);
	struct tls_client_conf client = rig_client(r);

	(void)state;
	rig_certs(r, "");
	rig_start(r, &server, &client);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tls_counters before = *tls_counters(r->net.t);
		int fd = dial(&rows[i]);

		RIG_UNTIL(r, tls_failed(r->net.t) == i + 1);
		if (tls_counters(r->net.t)->failed[rows[i].failure] !=
		    before.failed[rows[i].failure] + 1)
			fail_msg("row %zu, not %s: %s", i, tls_failure_name(rows[i].failure),
				 r->net.why);
		close(fd);
	}
	assert_int_equal(tls_counters(r->net.t)->open, 0);
	assert_int_equal((int)tls_counters(r->net.t)->handshakes, 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
