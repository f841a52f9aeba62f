/* UEs of bench_tls: blocking sockets and bare OpenSSL. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "bench/bench_tls.h"

#define PER_ADDRESS 500 /* connections from one of the UEs' addresses, 127.1.0.1 and so on */

struct order {
	enum { SHAKE, STAND, DAWDLE, ASK } what;
	double seconds;
	unsigned n;
};

struct ues {
	pid_t pid;
	int fd; /* orders out, answers in */
	uint16_t port;
	SSL_CTX *ctx;	/* the child's */
	unsigned dials; /* the same */
};

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the child ---------------------------------------------------------------------------- */

static int dial(struct ues *u)
{
	const struct timeval patience = {20, 0};
	struct sockaddr_in from = {.sin_family = AF_INET}, to = from;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	from.sin_addr.s_addr = htonl(0x7f010001 + u->dials++ / PER_ADDRESS % 4096);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons(u->port);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -1;
}

static SSL *shake(struct ues *u, int fd)
{
	SSL *ssl = fd < 0 ? NULL : SSL_new(u->ctx);

	if (ssl && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1)
		return ssl;
	ERR_clear_error();
	SSL_free(ssl);
	return NULL;
}

static bool ask(SSL *ssl)
{
	static const char request[] =
		"OPTIONS sip:b@b SIP/2.0\r\nVia: SIP/2.0/TLS 127.1.0.1;branch=z9hG4bKa\r\n"
		"From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n"
		"Content-Length: 0\r\n\r\n";
	char answer[1024];

	return SSL_write(ssl, request, sizeof(request) - 1) == sizeof(request) - 1 &&
	       SSL_read(ssl, answer, sizeof(answer)) > 0;
}

/* One connection of the kind; those that stand are never closed. */
static bool one(struct ues *u, const struct order *o)
{
	int fd = dial(u);
	bool good = fd >= 0;
	SSL *ssl = NULL;

	if (good && o->what == DAWDLE)
		return send(fd, "\x16\x03\x01", 3, MSG_NOSIGNAL) == 3;
	if (good) {
		ssl = shake(u, fd);
		good = ssl && (o->what != ASK || ask(ssl));
	}
	SSL_free(ssl);
	if (fd >= 0 && (o->what != STAND || !good))
		close(fd);
	return good;
}

static void obey(struct ues *u, const struct order *o, struct ues_answer *a)
{
	double begin = seconds_now();

	memset(a, 0, sizeof(*a));
	for (unsigned i = 0; o->what == SHAKE ? seconds_now() < begin + o->seconds : i < o->n;
	     i++) {
		double from = seconds_now(), ms;
		bool good = one(u, o);

		*(good ? &a->done : &a->failed) += 1;
		ms = (seconds_now() - from) * 1000;
		if (ms > a->worst_ms)
			a->worst_ms = ms;
		if (a->failed > 100)
			return;
	}
}

static void child(struct ues *u)
{
	struct ues_answer a;
	struct order o;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	u->ctx = SSL_CTX_new(
		TLS_client_method()); /* looks at no certificate: not what is measured */
	while (u->ctx && read(u->fd, &o, sizeof(o)) == sizeof(o)) {
		obey(u, &o, &a);
		if (write(u->fd, &a, sizeof(a)) != sizeof(a))
			break;
	}
	_exit(0);
}

/* ---- its parent --------------------------------------------------------------------------- */

int ues_start(struct ues **up, uint16_t port)
{
	struct ues *u = calloc(1, sizeof(*u));
	int fds[2];

	if (!u)
		return -ENOMEM;
	u->port = port;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
		free(u);
		return -errno;
	}
	u->pid = fork();
	u->fd = fds[u->pid == 0];
	close(fds[u->pid != 0]);
	if (u->pid == 0)
		child(u);
	if (u->pid < 0) {
		close(u->fd);
		free(u);
		return -EAGAIN;
	}
	*up = u;
	return 0;
}

static int tell(struct ues *u, const struct order *o)
{
	return write(u->fd, o, sizeof(*o)) == sizeof(*o) ? 0 : -EPIPE;
}

int ues_shake(struct ues *u, double seconds)
{
	return tell(u, &(struct order){.what = SHAKE, .seconds = seconds});
}

int ues_stand(struct ues *u, unsigned n)
{
	return tell(u, &(struct order){.what = STAND, .n = n});
}

int ues_dawdle(struct ues *u, unsigned n)
{
	return tell(u, &(struct order){.what = DAWDLE, .n = n});
}

int ues_ask(struct ues *u, unsigned n)
{
	return tell(u, &(struct order){.what = ASK, .n = n});
}

int ues_poll(struct ues *u, struct ues_answer *a)
{
	ssize_t n = recv(u->fd, a, sizeof(*a), MSG_DONTWAIT);

	if (n == sizeof(*a))
		return 1;
	return n < 0 && errno == EAGAIN ? 0 : -EPIPE;
}

void ues_end(struct ues *u)
{
	if (!u)
		return;
	close(u->fd);
	kill(u->pid, SIGKILL);
	waitpid(u->pid, NULL, 0);
	free(u);
}
