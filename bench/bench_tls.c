#include "bench/bench_tls.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "control/base/timer.h"
#include "control/stream/stream.h"
#include "control/tls/tls.h"

#define PORT	   35361
#define TICK_MS	   20
#define SPARE_FDS  1000
#define HALF_OPEN  2000
#define FLOOR_PART 0.5 /* of the seconds */

/* The P-CSCF's side. */
struct side {
	uv_loop_t loop;
	uv_timer_t tick; /* so that the loop sleeps, but not for long */
	struct timers *timers;
	struct stream *s;
	struct tls *t;
	struct ues *ues;
	char dir[40], certificate[64], key[64];
};

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds_now(void)
{
	return (double)uv_hrtime() / 1e9;
}

static size_t resident(void)
{
	size_t octets = 0;

	return uv_resident_set_memory(&octets) == 0 ? octets : 0;
}

/* ---- certificate -------------------------------------------------------------------------- */

static int pem_write(const char *file, X509 *cert, EVP_PKEY *key)
{
	FILE *f = fopen(file, "we");
	int rc = -EIO;

	if (f && (cert ? PEM_write_X509(f, cert)
		       : PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL)) == 1)
		rc = 0;
	if (f && fclose(f) != 0)
		rc = -EIO;
	return rc;
}

/* ECDSA P-256, self-signed: the UEs here do not look at it. */
static int certificate_make(struct side *p)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
	int rc = -ENOMEM;

	snprintf(p->dir, sizeof(p->dir), "/tmp/esplanade-bench-XXXXXX");
	if (key && name && mkdtemp(p->dir) && X509_set_version(cert, X509_VERSION_3) &&
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), 86400) &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
				       (const unsigned char *)"pcscf.test", -1, -1, 0) &&
	    X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) &&
	    X509_sign(cert, key, EVP_sha256()) > 0) {
		snprintf(p->certificate, sizeof(p->certificate), "%s/server.pem", p->dir);
		snprintf(p->key, sizeof(p->key), "%s/server.key", p->dir);
		rc = pem_write(p->certificate, cert, NULL);
		if (rc == 0)
			rc = pem_write(p->key, NULL, key);
	}
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

static void certificate_drop(struct side *p)
{
	(void)unlink(p->certificate);
	(void)unlink(p->key);
	(void)rmdir(p->dir);
}

/* ---- the floor ---------------------------------------------------------------------------- */

/* One handshake between two memories; returns CPU seconds of the server's part, 0: it failed. */
static double floor_shake(SSL_CTX *server, SSL_CTX *client)
{
	SSL *s = SSL_new(server), *c = SSL_new(client);
	BIO *up = BIO_new(BIO_s_mem()), *down = BIO_new(BIO_s_mem());
	double spent = 0, from;
	bool done = false;

	BIO_up_ref(up);
	BIO_up_ref(down);
	SSL_set_bio(s, up, down);
	SSL_set_bio(c, down, up);
	SSL_set_accept_state(s);
	SSL_set_connect_state(c);
	for (unsigned i = 0; i < 8 && !done; i++) {
		(void)SSL_do_handshake(c);
		from = cpu_seconds();
		done = SSL_do_handshake(s) == 1;
		spent += cpu_seconds() - from;
	}
	from = cpu_seconds();
	SSL_free(s);
	spent += cpu_seconds() - from;
	SSL_free(c);
	ERR_clear_error();
	return done ? spent : 0;
}

static int floor_measure(struct side *p, double seconds, double *rate)
{
	SSL_CTX *server = SSL_CTX_new(TLS_server_method());
	SSL_CTX *client = SSL_CTX_new(TLS_client_method());
	double end = seconds_now() + seconds, spent = 0;
	unsigned n = 0;
	int rc = -EIO;

	if (server && client && SSL_CTX_use_certificate_chain_file(server, p->certificate) == 1 &&
	    SSL_CTX_use_PrivateKey_file(server, p->key, SSL_FILETYPE_PEM) == 1 &&
	    SSL_CTX_set_num_tickets(server, 1) == 1) {
		for (rc = 0; rc == 0 && seconds_now() < end; n++) {
			double one = floor_shake(server, client);

			spent += one;
			rc = one > 0 ? 0 : -EIO;
		}
	}
	SSL_CTX_free(server);
	SSL_CTX_free(client);
	*rate = spent > 0 ? n / spent : 0;
	return rc;
}

/* ---- our side ----------------------------------------------------------------------------- */

static void on_message(void *ctx, const struct sip_flow *from, struct sv text, uint64_t now)
{
	struct side *p = ctx;

	(void)text;
	(void)now;
	(void)stream_send(p->s, from,
			  SV("SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 127.1.0.1;branch=z9hG4bKa\r\n"
			     "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>;tag=2\r\nCall-ID: c\r\n"
			     "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"));
}

static void on_undelivered(void *ctx, const struct sip_flow *flow, struct sv text, bool stood,
			   uint64_t now)
{
	(void)ctx;
	(void)flow;
	(void)text;
	(void)stood;
	(void)now;
}

static int side_listen(struct side *p, unsigned connections)
{
	const struct stream_env env = {p, on_message, on_undelivered, NULL};
	const struct stream_conf conf = {
		.head_max = 16384,
		.message_max = 65535,
		.clear_max = 8192,
		.queue_max = 262144,
		.max = 1,
		.connect_ms = 10000,
		.message_ms = 10000,
		.stall_ms = 20000,
		.idle_ms = 86400000,
		.clear_idle_ms = 86400000,
		.filtered = connections,
		.filtered_per_address = connections,
		.half_open = HALF_OPEN,
	};
	const struct tls_server_conf tls = {.certificate = p->certificate,
					    .key = p->key,
					    .session_seconds = 3600,
					    .any_certificate = true};
	struct ip_endpoint at = {.port = PORT};
	char why[TLS_WHY];
	int rc = tls_server_alloc(&p->t, &tls, why);

	if (rc == 0)
		rc = ip_addr_parse(&at.addr, "127.0.0.1");
	if (rc == 0)
		rc = stream_alloc(&p->s, &p->loop, p->timers, &conf, &env);
	return rc ? rc : stream_listen(p->s, &at, false, &tls_filter, p->t);
}

static int fds_raise(unsigned n)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	limit.rlim_cur = n;
	if (limit.rlim_max < n) /* as root */
		limit.rlim_max = n;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -EMFILE : 0;
}

static void ticked(uv_timer_t *t)
{
	struct side *p = t->data;

	timers_run(p->timers, uv_hrtime() / 1000000);
}

/* Until the UEs are through. */
static int pump(struct side *p, struct ues_answer *a)
{
	int rc;

	while ((rc = ues_poll(p->ues, a)) == 0)
		uv_run(&p->loop, UV_RUN_ONCE);
	return rc < 0 ? rc : 0;
}

/* ---- what is measured --------------------------------------------------------------------- */

static int measure_rate(struct side *p, double seconds, struct bench_tls_result *r)
{
	double cpu = cpu_seconds(), from = seconds_now();
	struct ues_answer a;
	int rc = ues_shake(p->ues, seconds);

	if (rc == 0)
		rc = pump(p, &a);
	r->handshakes = tls_counters(p->t)->handshakes;
	r->seconds = seconds_now() - from;
	cpu = cpu_seconds() - cpu;
	r->per_core = cpu > 0 ? (double)r->handshakes / cpu : 0;
	return rc ? rc : a.failed ? -EIO : 0;
}

static int measure_idle(struct side *p, unsigned n, struct bench_tls_result *r)
{
	size_t before = resident();
	struct ues_answer a;
	int rc = ues_stand(p->ues, n);

	if (rc == 0)
		rc = pump(p, &a);
	if (rc < 0)
		return rc;
	r->idle = stream_counters(p->s)->filtered;
	r->octets_per_idle = r->idle ? (double)(resident() - before) / r->idle : 0;
	return a.done ? 0 : -EIO;
}

static int measure_slow(struct side *p, unsigned n, struct bench_tls_result *r)
{
	struct ues_answer a;
	int rc = ues_dawdle(p->ues, n);

	if (rc == 0)
		rc = pump(p, &a);
	r->slow = a.done;
	r->wanted = 100;
	if (rc == 0)
		rc = ues_ask(p->ues, r->wanted);
	if (rc == 0)
		rc = pump(p, &a);
	r->good = a.done;
	r->worst_ms = a.worst_ms;
	return rc;
}

static void side_end(struct side *p)
{
	ues_end(p->ues);
	stream_close(p->s);
	uv_close((uv_handle_t *)&p->tick, NULL);
	while (uv_run(&p->loop, UV_RUN_NOWAIT))
		;
	stream_free(p->s);
	tls_free(p->t);
	timers_free(p->timers);
	uv_loop_close(&p->loop);
	certificate_drop(p);
}

int bench_tls(const struct bench_options *o, struct bench_tls_result *r)
{
	struct side p = {0};
	unsigned fds = o->connections + o->slow + SPARE_FDS;
	int rc = uv_loop_init(&p.loop);

	(void)signal(SIGPIPE, SIG_IGN);
	memset(r, 0, sizeof(*r));
	if (rc < 0)
		return rc;
	rc = timers_alloc(&p.timers);
	p.tick.data = &p;
	uv_timer_init(&p.loop, &p.tick);
	uv_timer_start(&p.tick, ticked, TICK_MS, TICK_MS);
	if (rc == 0)
		rc = fds_raise(fds);
	if (rc == 0)
		rc = certificate_make(&p);
	if (rc == 0)
		rc = ues_start(&p.ues, PORT);
	if (rc == 0)
		rc = floor_measure(&p, o->seconds * FLOOR_PART, &r->floor);
	if (rc == 0)
		rc = side_listen(&p, fds);
	if (rc == 0)
		rc = measure_rate(&p, o->seconds, r);
	if (rc == 0 && o->connections)
		rc = measure_idle(&p, o->connections, r);
	if (rc == 0 && o->slow)
		rc = measure_slow(&p, o->slow, r);
	r->verified = rc == 0 && r->idle >= o->connections && r->good == r->wanted;
	side_end(&p);
	return rc;
}
