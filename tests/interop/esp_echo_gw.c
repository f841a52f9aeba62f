/*
 * The gateway's side, on our data plane: answers "HELLO case spi spi" with SPIs of its own, returns
 * each protected datagram by the rules of TS 33.203 7.1 (came to the server port, goes from the
 * client port), and each TCP connection's octets. Writes its counters to a file ten times a second.
 */
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "tests/interop/esp_echo.h"

struct gateway {
	struct dp *dp;
	const char *stats;
	int signals;
	bool ended;
	struct sa_set sets[ECHO_CASES]; /* id 0: not yet */
	bool connecting[ECHO_CASES];
	uint64_t echoed, failed;
};

/* ---- TCP ---------------------------------------------------------------------------------- */

/* Returns what comes until the peer is done. */
static void connection_echo(int fd)
{
	char data[16384];
	ssize_t n, at = 0, rc = 0;

	while (rc >= 0 && (n = recv(fd, data, sizeof(data), 0)) > 0)
		for (at = 0; at < n && rc >= 0; at += rc)
			rc = send(fd, data + at, (size_t)(n - at), MSG_NOSIGNAL);
	close(fd);
}

static void *listener_run(void *arg)
{
	int listener = (int)(intptr_t)arg, fd;

	for (;;) {
		fd = accept(listener, NULL, NULL);
		if (fd >= 0)
			connection_echo(fd);
	}
	return NULL;
}

static void *connector_run(void *arg)
{
	const struct sa_set *set = arg;
	struct ip_endpoint local = echo_local(set, SA_CLIENT), remote = echo_remote(set, SA_CLIENT);
	int fd = echo_tcp_connect(&local, &remote);

	if (fd >= 0)
		connection_echo(fd);
	else
		fprintf(stderr, "esp_echo: connect: %s\n", strerror(-fd));
	return NULL;
}

/* Without signals: DPDK's TAP driver makes the process some that would end what waits. */
static int thread_start(void *(*run)(void *), void *arg)
{
	sigset_t all, old;
	pthread_t t;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = -pthread_create(&t, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc < 0 ? rc : -pthread_detach(t);
}

/* ---- SA sets ------------------------------------------------------------------------------ */

static int set_make(struct gateway *g, unsigned number, const uint32_t spi[SA_PAIRS])
{
	struct sa_set *set = &g->sets[number];
	struct ip_endpoint server;
	int rc, fd;

	echo_case(number, true, set);
	memcpy(set->spi_out, spi, sizeof(set->spi_out));
	rc = dp_sa_reserve(g->dp, spi, SA_PAIRS, set);
	if (rc == 0)
		rc = dp_sa_install(g->dp, set);
	server = echo_local(set, SA_SERVER);
	fd = rc < 0 ? rc : echo_tcp_listen(&server);
	rc = fd < 0 ? fd : thread_start(listener_run, (void *)(intptr_t)fd);
	if (rc < 0) {
		fprintf(stderr, "esp_echo: %s: %s\n", echo_case_name(number), strerror(-rc));
		set->id = 0;
	}
	return rc;
}

static void on_hello(struct gateway *g, const struct dp_out *to, unsigned number,
		     const uint32_t spi[SA_PAIRS])
{
	const struct sa_set *set = &g->sets[number];
	char text[64];

	if (set->id == 0 && set_make(g, number, spi) < 0)
		return;
	/* pairs are named by one's own port: their server talks to our client */
	snprintf(text, sizeof(text), "OK %u %" PRIu32 " %" PRIu32, number, set->spi_in[SA_CLIENT],
		 set->spi_in[SA_SERVER]);
	echo_send_text(g->dp, to, text);
}

static void on_connect(struct gateway *g, unsigned number)
{
	if (g->sets[number].id && !g->connecting[number])
		g->connecting[number] = thread_start(connector_run, &g->sets[number]) == 0;
}

static void on_clear(struct gateway *g, const struct dp_packet *p)
{
	const struct dp_out to = {.local = p->local, .remote = p->remote};
	uint32_t server, client;
	char text[64] = "";
	unsigned number;

	memcpy(text, p->data, p->len < sizeof(text) - 1 ? p->len : sizeof(text) - 1);
	if (sscanf(text, "HELLO %u %" SCNu32 " %" SCNu32, &number, &server, &client) == 3 &&
	    number < ECHO_CASES)
		on_hello(g, &to, number, (uint32_t[SA_PAIRS]){client, server});
	else if (sscanf(text, "CONNECT %u", &number) == 1 && number < ECHO_CASES)
		on_connect(g, number);
}

/* ---- loop --------------------------------------------------------------------------------- */

static void packets_echo(struct gateway *g)
{
	struct dp_packet pkts[32];
	unsigned n;

	while ((n = dp_recv(g->dp, pkts, 32)) > 0) {
		for (unsigned i = 0; i < n; i++) {
			const struct dp_out out = {.set = pkts[i].set, .pair = SA_CLIENT};
			const struct iovec iov = {(void *)(uintptr_t)pkts[i].data, pkts[i].len};

			if (pkts[i].set == 0)
				on_clear(g, &pkts[i]);
			else if (pkts[i].pair != SA_SERVER || dp_send(g->dp, &out, &iov, 1) < 0)
				g->failed++;
			else
				g->echoed++;
		}
		dp_release(g->dp, pkts, n);
	}
}

static void stats_write(const struct gateway *g)
{
	struct dp_counters c;
	char tmp[512];
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.new", g->stats);
	f = fopen(tmp, "we");
	if (!f)
		return;
	dp_worker_counters(g->dp, 0, &c);
	fprintf(f,
		"{\"esp_protected\":%" PRIu64 ",\"esp_checked\":%" PRIu64 ",\"echoed\":%" PRIu64
		",\"failed\":%" PRIu64 ",\"dataplane\":{",
		c.esp_protected, c.esp_checked, g->echoed, g->failed);
	for (unsigned i = 0; i < DP_DROP_COUNT; i++)
		fprintf(f, "%s\"%s\":%" PRIu64, i ? "," : "", dp_drop_name((enum dp_drop)i),
			c.drops[i]);
	fputs("}}\n", f);
	if (fclose(f) == 0)
		rename(tmp, g->stats);
}

static void run(struct gateway *g)
{
	struct pollfd fds[2] = {{.fd = dp_fd(g->dp), .events = POLLIN},
				{.fd = g->signals, .events = POLLIN}};
	struct dp_event ev[16];
	unsigned turns = 0;

	while (!g->ended) {
		packets_echo(g);
		while (dp_events(g->dp, ev, 16) == 16)
			;
		if (turns++ % 64 == 0 || !dp_arm(g->dp)) {
			stats_write(g);
			continue;
		}
		if (poll(fds, 2, 100) == 0)
			turns = 0;
		g->ended = fds[1].revents != 0;
		dp_disarm(g->dp);
	}
	stats_write(g);
}

static int signals_open(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
	const struct dp_eal_config eal = {.name = "esp_echo", .memory_mb = 256, .workers = 1};
	struct dp_config conf = {.sip_port = 5060,
				 .protected_min = ECHO_PROTECTED_MIN,
				 .protected_max = ECHO_PROTECTED_MAX,
				 .udp_enc_port = 4500,
				 .workers = 1,
				 .sa_sets = 64,
				 .replay_window = 128,
				 .mtu = 1500,
				 .idle_sleep_us = 100,
				 .buffers = 8192};
	struct gateway *g = calloc(1, sizeof(*g));
	int rc = g ? 0 : -ENOMEM;

	if (argc != 4) {
		fprintf(stderr, "usage: esp_echo UE_PORT HOST_PORT STATS_FILE\n");
		return 2;
	}
	conf.ue_port = argv[1];
	conf.host_port = argv[2];
	for (unsigned i = 0; i < 2; i++)
		conf.local[conf.n_local++] =
			(struct ip_prefix){echo_clear(i ? 6 : 4, true).local.addr, i ? 128 : 32};
	if (rc == 0)
		rc = secret_init();
	if (rc == 0) {
		g->stats = argv[3];
		g->signals = signals_open();
		rc = dp_eal_init(&eal);
	}
	if (rc == 0)
		rc = dp_alloc(&g->dp, &conf);
	if (rc < 0) {
		fprintf(stderr, "esp_echo: %s\n", strerror(-rc));
		return 1;
	}
	fprintf(stderr, "esp_echo: ready\n");
	run(g);
	dp_free(g->dp);
	dp_eal_cleanup();
	free(g);
	return 0;
}
