/* A UE that is OpenSSL alone, octet by octet, against our P-CSCF end. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/control/tls/rig.h"
#include "tests/support/test.h"

struct peer {
	SSL_CTX *ctx;
	SSL *ssl;
	SSL_SESSION *session; /* the last that was given */
	int fd;
	bool asked; /* for a certificate of ours */
	bool ended;
};

static int session_given(SSL *ssl, SSL_SESSION *session)
{
	struct peer *p = SSL_get_app_data(ssl);

	SSL_SESSION_free(p->session);
	p->session = session;
	return 1;
}

static int certificate_asked(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
	struct peer *p = SSL_get_app_data(ssl);

	(void)cert;
	(void)key;
	p->asked = true;
	return 0;
}

static void peer_make(struct peer *p, int min, int max, const char *suites)
{
	memset(p, 0, sizeof(*p));
	p->fd = -1;
	p->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(p->ctx);
	SSL_CTX_clear_options(p->ctx, SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_session_cache_mode(p->ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(p->ctx, session_given);
	SSL_CTX_set_client_cert_cb(p->ctx, certificate_asked);
	assert_int_equal(SSL_CTX_set_min_proto_version(p->ctx, min), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(p->ctx, max), 1);
	if (suites)
		assert_int_equal(SSL_CTX_set_cipher_list(p->ctx, suites), 1);
}

static void peer_end(struct peer *p)
{
	if (p->ssl) /* else its session could not be resumed */
		SSL_set_shutdown(p->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(p->ssl);
	if (p->fd >= 0)
		close(p->fd);
	p->ssl = NULL;
	p->fd = -1;
}

static void peer_free(struct peer *p)
{
	peer_end(p);
	SSL_SESSION_free(p->session);
	SSL_CTX_free(p->ctx);
}

static void peer_dial(struct peer *p, uint16_t port, SSL_SESSION *session)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};

	peer_end(p);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->ended = false;
	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(p->fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(fcntl(p->fd, F_SETFL, O_NONBLOCK), 0);
	p->ssl = SSL_new(p->ctx);
	assert_non_null(p->ssl);
	SSL_set_app_data(p->ssl, p);
	SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(p->ssl);
	if (session)
		assert_int_equal(SSL_set_session(p->ssl, session), 1);
}

static void peer_connect(struct peer *p, SSL_SESSION *session)
{
	peer_dial(p, RIG_PORT, session);
}

/* What it has written, taken out before it goes on the wire. */
static size_t wire_take(struct peer *p, char *octets, size_t room)
{
	int n = BIO_read(SSL_get_wbio(p->ssl), octets, (int)room);

	return n > 0 ? (size_t)n : 0;
}

static void wire_put(struct peer *p, const char *octets, size_t n)
{
	if (n > 0 && send(p->fd, octets, n, MSG_NOSIGNAL) != (ssize_t)n)
		p->ended = true;
}

static void peer_turn(struct rig *r, struct peer *p)
{
	char octets[16384];
	ssize_t n;

	wire_put(p, octets, wire_take(p, octets, sizeof(octets)));
	rig_pump(r);
	n = recv(p->fd, octets, sizeof(octets), 0);
	if (n > 0)
		BIO_write(SSL_get_rbio(p->ssl), octets, (int)n);
	else if (n == 0 || errno != EAGAIN)
		p->ended = true;
}

/* true: done; false: refused by either end */
static bool peer_shake(struct rig *r, struct peer *p)
{
	for (unsigned turns = 0; turns < 6000; turns++) {
		int rc = SSL_do_handshake(p->ssl);

		if (rc == 1) {
			peer_turn(r, p);
			return true;
		}
		if (SSL_get_error(p->ssl, rc) != SSL_ERROR_WANT_READ || p->ended) {
			peer_turn(r, p);
			ERR_clear_error();
			return false;
		}
		peer_turn(r, p);
	}
	return false;
}

/* One message there and its answer back, with what comes beside it (tickets). */
static void peer_talk(struct rig *r, struct peer *p)
{
	unsigned before = r->net.messages;
	char text[512], answer[1024];
	struct sv request = rig_request(text, sizeof(text), 1);
	int n = 0;

	assert_int_equal(SSL_write(p->ssl, request.p, (int)request.n), (int)request.n);
	RIG_UNTIL(r, (peer_turn(r, p), (n = SSL_read(p->ssl, answer, sizeof(answer))) > 0));
	assert_int_equal(r->net.messages, before + 1);
	assert_memory_equal(answer, "SIP/2.0 200", 11);
}

static struct rig *rig_with(const char *arguments, void (*change)(struct tls_server_conf *))
{
	struct rig *r = rig_make();
	struct tls_server_conf server = rig_server(r);
	struct tls_client_conf client = rig_client(r);
	char all[128];

	snprintf(all, sizeof(all), "--name pcscf.test %s", arguments);
	rig_certs(r, all);
	if (change)
		change(&server);
	rig_start(r, &server, &client);
	return r;
}

static void legacy(struct tls_server_conf *c)
{
	c->legacy = true;
}

static void null_suites(struct tls_server_conf *c)
{
	c->null_suites = true;
}

struct offer {
	int min, max;
	const char *suites, *taken; /* NULL: refused */
};

static void offers(struct rig *r, const struct offer *o, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct peer p;

		print_message("%x to %x, %s\n", (unsigned)o[i].min, (unsigned)o[i].max,
			      o[i].suites ? o[i].suites : "all");
		peer_make(&p, o[i].min, o[i].max, o[i].suites);
		peer_connect(&p, NULL);
		assert_int_equal(peer_shake(r, &p), o[i].taken != NULL);
		if (o[i].taken) {
			assert_string_equal(SSL_get_cipher_name(p.ssl), o[i].taken);
			assert_int_equal(SSL_version(p.ssl), o[i].max);
			assert_null(SSL_get_current_compression(p.ssl));
			peer_talk(r, &p);
			assert_false(p.asked);
		}
		peer_free(&p);
	}
}
#define OFFERS(r, rows) offers(r, rows, sizeof(rows) / sizeof((rows)[0]))

/* covers: TL-04, TL-05, TL-06, TL-09, TL-14, C-16, C-31 */
static void test_offers(void **state)
{
	static const struct offer now[] = {
		{TLS1_3_VERSION, TLS1_3_VERSION, NULL, "TLS_AES_256_GCM_SHA384"},
		{TLS1_2_VERSION, TLS1_2_VERSION, NULL, "ECDHE-RSA-AES256-GCM-SHA384"},
		{TLS1_2_VERSION, TLS1_2_VERSION,
		 "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES128-GCM-SHA256",
		 "ECDHE-RSA-AES128-GCM-SHA256"},
		{TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305",
		 "ECDHE-RSA-CHACHA20-POLY1305"},
		{TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA:AES128-SHA", NULL},
		{TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-NULL-SHA:@SECLEVEL=0", NULL},
		{TLS1_VERSION, TLS1_1_VERSION, "ALL:@SECLEVEL=0", NULL},
	};
	static const struct offer then[] = {
		{TLS1_VERSION, TLS1_VERSION, "AES128-SHA:@SECLEVEL=0", "AES128-SHA"},
		{TLS1_1_VERSION, TLS1_1_VERSION, "AES128-SHA:@SECLEVEL=0", "AES128-SHA"},
		{TLS1_2_VERSION, TLS1_2_VERSION, NULL, "ECDHE-RSA-AES256-GCM-SHA384"},
		{TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-NULL-SHA:@SECLEVEL=0", NULL},
	};
	static const struct offer none[] = {
		{TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-NULL-SHA:@SECLEVEL=0",
		 "ECDHE-RSA-NULL-SHA"},
		{TLS1_2_VERSION, TLS1_2_VERSION,
		 "ECDHE-RSA-NULL-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0",
		 "ECDHE-RSA-AES128-GCM-SHA256"},
	};
	struct rig *r = rig_with("--rsa 2048", NULL);

	(void)state;
	OFFERS(r, now);
	rig_free(r);
	r = rig_with("--rsa 2048", legacy);
	OFFERS(r, then);
	rig_free(r);
	r = rig_with("--rsa 2048", null_suites);
	OFFERS(r, none);
	rig_free(r);
}

/* covers: TL-05 */
static void test_null_alone(void **state)
{
	struct rig *r = rig_make();
	struct tls_client_conf client = rig_client(r);
	struct tls *t;
	char why[TLS_WHY];

	(void)state;
	rig_certs(r, "");
	client.suites = "ECDHE-ECDSA-NULL-SHA:NULL-SHA256";
	assert_int_equal(tls_client_alloc(&t, &client, why), -EINVAL);
	assert_non_null(strstr(why, "encryption"));
	rig_free(r);
}

/* A record that is not what the peer has sent there and then: nothing of it reaches SIP. */
static void meddle(bool replay)
{
	struct rig *r = rig_with("", NULL);

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		char text[512], octets[2048];
		struct sv request = rig_request(text, sizeof(text), 1);
		uint64_t broken = tls_counters(r->net.t)->broken;
		unsigned messages;
		struct peer p;
		size_t n;

		peer_make(&p, version, version, NULL);
		peer_connect(&p, NULL);
		assert_true(peer_shake(r, &p));
		peer_talk(r, &p);
		messages = r->net.messages;
		assert_int_equal(SSL_write(p.ssl, request.p, (int)request.n), (int)request.n);
		n = wire_take(&p, octets, sizeof(octets));
		assert_true(n > request.n);
		if (replay) {
			wire_put(&p, octets, n);
			messages++;
			RIG_UNTIL(r, r->net.messages == messages);
		} else {
			octets[n / 2] ^= 4;
		}
		wire_put(&p, octets, n);
		RIG_UNTIL(r, (peer_turn(r, &p), p.ended));
		assert_int_equal(tls_counters(r->net.t)->broken, broken + 1);
		assert_int_equal((int)tls_failed(r->net.t), 0);
		assert_int_equal(r->net.messages, messages);
		while (SSL_read(p.ssl, octets, sizeof(octets)) > 0)
			;
		assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()),
				 SSL_R_SSLV3_ALERT_BAD_RECORD_MAC);
		ERR_clear_error();
		peer_free(&p);
	}
	rig_free(r);
}

/* covers: TL-07 */
static void test_flipped(void **state)
{
	(void)state;
	meddle(false);
}

/* covers: TL-07 */
static void test_replayed(void **state)
{
	(void)state;
	meddle(true);
}

static void test_renegotiation(void **state)
{
	struct rig *r = rig_with("", NULL);
	struct peer p;

	(void)state;
	peer_make(&p, TLS1_2_VERSION, TLS1_2_VERSION, NULL);
	peer_connect(&p, NULL);
	assert_true(peer_shake(r, &p));
	peer_talk(r, &p);
	assert_int_equal(SSL_renegotiate(p.ssl), 1);
	assert_false(peer_shake(r, &p));
	assert_int_equal(tls_counters(r->net.t)->handshakes, 1);
	peer_free(&p);
	rig_free(r);
}

static void no_sessions(struct tls_server_conf *c)
{
	c->session_seconds = 0;
}

static void short_sessions(struct tls_server_conf *c)
{
	c->session_seconds = 1;
}

static bool resumes(struct rig *r, int version, bool tickets, unsigned wait_us)
{
	struct peer p;
	bool resumed;

	peer_make(&p, version, version, NULL);
	if (!tickets)
		SSL_CTX_set_options(p.ctx, SSL_OP_NO_TICKET);
	peer_connect(&p, NULL);
	assert_true(peer_shake(r, &p));
	assert_false(SSL_session_reused(p.ssl));
	peer_talk(r, &p);
	usleep(wait_us);
	peer_connect(&p, p.session);
	assert_true(peer_shake(r, &p));
	resumed = SSL_session_reused(p.ssl) == 1;
	peer_talk(r, &p);
	peer_free(&p);
	return resumed;
}

/* covers: TL-11, C-17 */
static void test_resumption(void **state)
{
	struct rig *r = rig_with("", NULL);

	(void)state;
	assert_true(resumes(r, TLS1_2_VERSION, true, 0));
	assert_true(resumes(r, TLS1_2_VERSION, false, 0)); /* by its ID */
	assert_true(resumes(r, TLS1_3_VERSION, true, 0));
	assert_int_equal(tls_counters(r->net.t)->resumed, 3);
	rig_free(r);
	r = rig_with("", short_sessions);
	assert_false(resumes(r, TLS1_2_VERSION, true, 2100000));
	assert_false(resumes(r, TLS1_2_VERSION, false, 2100000));
	assert_false(resumes(r, TLS1_3_VERSION, true, 2100000));
	rig_free(r);
	r = rig_with("", no_sessions);
	assert_false(resumes(r, TLS1_2_VERSION, true, 0));
	assert_false(resumes(r, TLS1_2_VERSION, false, 0));
	assert_false(resumes(r, TLS1_3_VERSION, true, 0));
	rig_free(r);
}

/* A new certificate does not end the sessions that can be resumed. */
static void test_resumed_after_reload(void **state)
{
	struct rig *r = rig_with("", NULL);
	char why[TLS_WHY];
	struct peer p;

	(void)state;
	peer_make(&p, TLS1_3_VERSION, TLS1_3_VERSION, NULL);
	peer_connect(&p, NULL);
	assert_true(peer_shake(r, &p));
	peer_talk(r, &p);
	rig_certs(r, "--name pcscf.test");
	assert_int_equal(tls_server_reload(r->net.t, why), 0);
	peer_talk(r, &p); /* the old connection goes on */
	peer_connect(&p, p.session);
	assert_true(peer_shake(r, &p));
	assert_true(SSL_session_reused(p.ssl));
	peer_talk(r, &p);
	peer_free(&p);
	rig_free(r);
}

/* covers: DT-02, C-18 */
static void test_upgrade(void **state)
{
	struct rig *r = rig_with("", NULL);
	char octets[2048], request[512];
	struct sv text = rig_request(request, sizeof(request), 1);
	struct peer p;
	ssize_t n;

	(void)state;
	peer_make(&p, TLS1_2_VERSION, TLS1_3_VERSION, NULL);
	peer_dial(&p, RIG_PORT + 1, NULL);
	wire_put(&p, text.p, text.n);
	RIG_UNTIL(r, (n = recv(p.fd, octets, sizeof(octets), 0)) > 0);
	assert_int_equal(r->net.from.transport, SIP_TRANSPORT_TCP);
	assert_int_equal(r->net.from.session, 0);
	assert_true(peer_shake(r, &p));
	peer_talk(r, &p);
	assert_int_equal(r->net.from.transport, SIP_TRANSPORT_TLS);
	assert_int_not_equal(r->net.from.session, 0);
	peer_end(&p);
	RIG_UNTIL(r, r->net.closed == 1);
	peer_free(&p);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_null_alone),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_replayed),
		cmocka_unit_test(test_renegotiation),
		cmocka_unit_test(test_resumption),
		cmocka_unit_test(test_resumed_after_reload),
		cmocka_unit_test(test_upgrade),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
