/*
 * One connection: OpenSSL between a stream's octets and its messages. Octets from the socket are
 * read by OpenSSL in place, and what it writes goes straight to the stream.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "control/tls/inside.h"
#include "control/tls/profile.h"

#define PLAIN_MAX 16384 /* of one record */

struct tls_conn {
	struct tls *t;
	SSL *ssl;
	struct stream_conn *c;
	struct sv in;		  /* not read yet, during tls_input() */
	bool done;		  /* the handshake; OpenSSL's own word changes with errors later */
	bool bad;		  /* a record did not fit */
	const char *fault;	  /* of the peer's certificate, found by us; NULL: none */
	enum tls_failure failure; /* if it ends now */
};

/* ---- octets ------------------------------------------------------------------------------- */

static int octets_read(BIO *b, char *to, int n)
{
	struct tls_conn *x = BIO_get_data(b);
	size_t take = n > 0 ? (size_t)n : 0;

	BIO_clear_retry_flags(b);
	if (x->in.n == 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	if (take > x->in.n)
		take = x->in.n;
	memcpy(to, x->in.p, take);
	x->in = (struct sv){x->in.p + take, x->in.n - take};
	return (int)take;
}

static int octets_write(BIO *b, const char *from, int n)
{
	struct tls_conn *x = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (n <= 0)
		return 0;
	return stream_filter_wire(x->c, (struct sv){from, (size_t)n}) < 0 ? -1 : n;
}

static long octets_ctrl(BIO *b, int command, long number, void *p)
{
	(void)b;
	(void)number;
	(void)p;
	return command == BIO_CTRL_FLUSH;
}

BIO_METHOD *tls_octets_make(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");

	if (m && BIO_meth_set_read(m, octets_read) && BIO_meth_set_write(m, octets_write) &&
	    BIO_meth_set_ctrl(m, octets_ctrl))
		return m;
	BIO_meth_free(m);
	return NULL;
}

/* ---- a connection's life ------------------------------------------------------------------ */

static void conn_free(void *state)
{
	struct tls_conn *x = state;

	x->t->counters.open--;
	if (!x->done)
		x->t->counters.failed[x->failure]++;
	else if (!x->bad) /* a session outlives a connection that ends without a word (RFC
			     5246 7.2.1) */
		SSL_set_shutdown(x->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(x->ssl);
	free(x);
}

static SSL *ssl_make(struct tls_conn *x)
{
	SSL *ssl = SSL_new(x->t->ctx);
	BIO *b = BIO_new(x->t->octets);

	if (!ssl || !b) {
		SSL_free(ssl);
		BIO_free(b);
		return NULL;
	}
	BIO_set_data(b, x);
	BIO_set_init(b, 1);
	SSL_set_bio(ssl, b, b);
	SSL_set_app_data(ssl, x);
	return ssl;
}

struct verdict {
	int code;
	const char *what;
};

static void fault_first(void *arg, int code, const char *what)
{
	struct verdict *v = arg;

	if (v->code == X509_V_OK)
		*v = (struct verdict){code, what};
}

int tls_conn_verify(int ok, X509_STORE_CTX *path)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(path, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_conn *x = SSL_get_app_data(ssl);
	struct verdict v = {X509_V_OK, NULL};
	const struct profile_sink sink = {fault_first, &v, x->t->legacy};

	if (ok != 1 || X509_STORE_CTX_get_error_depth(path) != 0)
		return ok;
	profile_path(path, &sink);
	if (v.code == X509_V_OK)
		return 1;
	x->fault = v.what;
	X509_STORE_CTX_set_error(path, v.code);
	return 0;
}

/* Whom we expect (RFC 5922): certificates are checked against it in the handshake. */
static bool name_expect(struct tls_conn *x)
{
	const struct tls *t = x->t;

	if (t->name_is_address)
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(x->ssl), t->name) == 1;
	return SSL_set1_host(x->ssl, t->name) == 1 &&
	       SSL_set_tlsext_host_name(x->ssl, t->name) == 1;
}

static void trouble_tell(struct tls_conn *x, const char *what)
{
	long verdict = SSL_get_verify_result(x->ssl);
	char why[TLS_WHY];

	if (x->fault)
		what = x->fault;
	else if (verdict != X509_V_OK)
		what = X509_verify_cert_error_string(verdict);
	tls_why(why, what);
	if (x->t->trouble)
		x->t->trouble(x->t->arg, stream_filter_flow(x->c), why);
}

static int handshake(struct tls_conn *x)
{
	int rc = SSL_do_handshake(x->ssl);

	if (rc == 1) {
		x->done = true;
		x->t->counters.handshakes++;
		x->t->counters.resumed += SSL_session_reused(x->ssl) == 1;
		stream_filter_ready(x->c);
		return 0;
	}
	if (SSL_get_error(x->ssl, rc) == SSL_ERROR_WANT_READ)
		return 0;
	x->failure = tls_failure_now();
	trouble_tell(x, "TLS handshake");
	return -EPROTO;
}

static int tls_open(void *ctx, struct stream_conn *c, bool we_opened, void **state)
{
	struct tls *t = ctx;
	struct tls_conn *x;

	if (we_opened == t->server)
		return -EINVAL;
	x = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->t = t;
	x->c = c;
	x->ssl = ssl_make(x);
	if (!x->ssl) {
		free(x);
		return -ENOMEM;
	}
	t->counters.open++;
	*state = x;
	stream_filter_flow(c)->transport = SIP_TRANSPORT_TLS;
	if (t->server) {
		SSL_set_accept_state(x->ssl);
		return 0;
	}
	SSL_set_connect_state(x->ssl);
	return name_expect(x) ? handshake(x) : -ENOMEM;
}

/* ---- octets in and out -------------------------------------------------------------------- */

static int plain_take(struct tls_conn *x)
{
	char plain[PLAIN_MAX];
	int n, rc = 0;

	while (rc >= 0 && (n = SSL_read(x->ssl, plain, sizeof(plain))) > 0)
		rc = stream_filter_plain(x->c, (struct sv){plain, (size_t)n});
	OPENSSL_cleanse(plain, sizeof(plain));
	if (rc < 0)
		return rc;
	switch (SSL_get_error(x->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_ZERO_RETURN: /* close_notify */
		return -ECONNRESET;
	default:
		x->t->counters.broken++;
		x->bad = true;
		trouble_tell(x, "TLS record");
		return -EPROTO;
	}
}

static int tls_input(void *state, struct sv wire)
{
	struct tls_conn *x = state;
	int rc = 0;

	ERR_clear_error();
	x->in = wire;
	if (!x->done)
		rc = handshake(x);
	if (rc == 0 && x->done)
		rc = plain_take(x);
	x->in = (struct sv){NULL, 0};
	return rc;
}

static int tls_output(void *state, struct sv plain)
{
	struct tls_conn *x = state;

	ERR_clear_error();
	if (plain.n > INT32_MAX)
		return -EMSGSIZE;
	return SSL_write(x->ssl, plain.p, (int)plain.n) == (int)plain.n ? 0 : -EPROTO;
}

static void tls_closing(void *state)
{
	struct tls_conn *x = state;

	ERR_clear_error();
	(void)SSL_shutdown(x->ssl);
	ERR_clear_error();
}

/*
 * The Session ID; where there is none (tickets, TLS 1.3) the client's random, which is as unique
 * and as open on the wire.
 */
static bool tls_name(void *state, char *name)
{
	struct tls_conn *x = state;
	unsigned char random[SSL3_RANDOM_SIZE];
	unsigned n = 0;
	const unsigned char *id = SSL_SESSION_get_id(SSL_get_session(x->ssl), &n);

	if (SSL_version(x->ssl) >= TLS1_3_VERSION || n == 0) {
		n = (unsigned)SSL_get_client_random(x->ssl, random, sizeof(random));
		id = random;
	}
	for (unsigned i = 0; i < n && i < sizeof(random); i++)
		snprintf(name + 2 * (size_t)i, 3, "%02x", id[i]);
	return n > 0;
}

const struct stream_filter tls_filter = {
	.open = tls_open,
	.input = tls_input,
	.output = tls_output,
	.closing = tls_closing,
	.free = conn_free,
	.name = tls_name,
};
