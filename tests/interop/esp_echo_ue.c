/*
 * The UE's side: for each case an SA set, datagrams of many sizes with a window of them under way,
 * a connection to the gateway's server port, and one that the gateway opens to ours. Everything
 * must come back, once and unchanged. Then it keeps its sets until SIGTERM.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "tests/interop/esp_echo.h"

#define WINDOW	   32
#define STILL_MS   10000 /* without any datagram: the rest is lost */
#define TRIES	   20
#define TRY_MS	   1000
#define CHUNK	   16384
#define MIN_LENGTH 4

struct ue {
	struct dp *dp;
	struct sa_set set;
	unsigned number; /* of the case */
	uint32_t sent, returned, wrong, datagrams;
	uint8_t *seen; /* per datagram */
	uint32_t connection_octets;
	bool answered;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- datagrams ---------------------------------------------------------------------------- */

/* Every length up to some 1200 in turn; each 50th one needs fragments: outside, but for tunnels of
 * IPv6, where the kernel makes them inside, each in ESP of its own. */
static uint32_t datagram_make(uint32_t index, uint8_t *data)
{
	uint32_t n = index % 50 == 49 ? ECHO_MAX - index % 7 : MIN_LENGTH + index % 1200;

	memcpy(data, &index, MIN_LENGTH);
	for (uint32_t i = MIN_LENGTH; i < n; i++)
		data[i] = (uint8_t)(index * 31 + i * 7);
	return n;
}

static int datagram_send(struct ue *u)
{
	const struct dp_out out = {.set = u->set.id, .pair = SA_CLIENT};
	uint8_t data[ECHO_MAX];
	const struct iovec iov = {data, datagram_make(u->sent, data)};
	int rc = dp_send(u->dp, &out, &iov, 1);

	if (rc == 0)
		u->sent++;
	return rc == -EAGAIN ? 0 : rc;
}

static void datagram_check(struct ue *u, const struct dp_packet *p)
{
	uint8_t data[ECHO_MAX];
	uint32_t index = UINT32_MAX;

	if (p->len >= MIN_LENGTH)
		memcpy(&index, p->data, MIN_LENGTH);
	if (index >= u->sent || u->seen[index] || p->pair != SA_SERVER ||
	    datagram_make(index, data) != p->len || memcmp(data, p->data, p->len) != 0) {
		u->wrong++;
		return;
	}
	u->seen[index] = 1;
	u->returned++;
}

static void on_clear(struct ue *u, const struct dp_packet *p)
{
	uint32_t server, client;
	char text[64] = "";
	unsigned number;

	memcpy(text, p->data, p->len < sizeof(text) - 1 ? p->len : sizeof(text) - 1);
	if (sscanf(text, "OK %u %" SCNu32 " %" SCNu32, &number, &server, &client) != 3 ||
	    number != u->number)
		return;
	u->set.spi_out[SA_SERVER] = server;
	u->set.spi_out[SA_CLIENT] = client;
	u->answered = true;
}

/* Waits until something comes, and takes it. False: nothing came. */
static bool packets_take(struct ue *u, int ms)
{
	struct pollfd fd = {.fd = dp_fd(u->dp), .events = POLLIN};
	struct dp_packet pkts[32];
	unsigned n;

	if (dp_arm(u->dp))
		poll(&fd, 1, ms);
	dp_disarm(u->dp);
	n = dp_recv(u->dp, pkts, 32);
	for (unsigned i = 0; i < n; i++) {
		if (pkts[i].set == 0)
			on_clear(u, &pkts[i]);
		else if (pkts[i].set == u->set.id)
			datagram_check(u, &pkts[i]);
	}
	dp_release(u->dp, pkts, n);
	return n > 0;
}

static int datagrams_run(struct ue *u)
{
	uint64_t last = now_ms();
	int rc = 0;

	while (rc == 0 && u->returned < u->datagrams && now_ms() - last < STILL_MS) {
		while (rc == 0 && u->sent < u->datagrams && u->sent - u->returned < WINDOW)
			rc = datagram_send(u);
		if (packets_take(u, 1000))
			last = now_ms();
	}
	return rc;
}

/* ---- connections -------------------------------------------------------------------------- */

static int octets_exchange(int fd, uint32_t at)
{
	uint8_t out[CHUNK], in[CHUNK];
	ssize_t n;

	for (uint32_t i = 0; i < CHUNK; i++)
		out[i] = (uint8_t)((at + i) * 13 >> 3);
	for (size_t sent = 0; sent < CHUNK; sent += (size_t)n)
		if ((n = send(fd, out + sent, CHUNK - sent, MSG_NOSIGNAL)) <= 0)
			return -EPIPE;
	if (recv(fd, in, CHUNK, MSG_WAITALL) != CHUNK)
		return -ETIMEDOUT;
	return memcmp(in, out, CHUNK) == 0 ? 0 : -EBADMSG;
}

static int connection_run(const struct ue *u, int fd)
{
	int rc = fd < 0 ? fd : 0;

	for (uint32_t at = 0; rc == 0 && at < u->connection_octets; at += CHUNK)
		rc = octets_exchange(fd, at);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int connection_out(const struct ue *u)
{
	struct ip_endpoint local = echo_local(&u->set, SA_CLIENT),
			   remote = echo_remote(&u->set, SA_CLIENT);

	return connection_run(u, echo_tcp_connect(&local, &remote));
}

static int clear_send(struct ue *u, const char *text)
{
	struct dp_out out = echo_clear(u->set.local.version, false);

	return echo_send_text(u->dp, &out, text);
}

/* The gateway connects to our server port, from its client port. */
static int connection_in(struct ue *u)
{
	struct ip_endpoint local = echo_local(&u->set, SA_SERVER);
	int listener = echo_tcp_listen(&local), rc = listener < 0 ? listener : 0, fd = -ETIMEDOUT;
	struct pollfd ready = {.fd = listener, .events = POLLIN};
	char text[32];

	snprintf(text, sizeof(text), "CONNECT %u", u->number);
	for (unsigned i = 0; rc == 0 && fd < 0 && i < TRIES; i++) {
		rc = clear_send(u, text);
		if (poll(&ready, 1, TRY_MS) > 0)
			fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	}
	if (rc == 0)
		rc = connection_run(u, fd);
	if (listener >= 0)
		close(listener);
	return rc;
}

/* ---- cases -------------------------------------------------------------------------------- */

static int set_agree(struct ue *u)
{
	char text[64];
	int rc;

	echo_case(u->number, false, &u->set);
	rc = dp_sa_reserve(u->dp, NULL, 0, &u->set);
	snprintf(text, sizeof(text), "HELLO %u %" PRIu32 " %" PRIu32, u->number,
		 u->set.spi_in[SA_SERVER], u->set.spi_in[SA_CLIENT]);
	for (unsigned i = 0; rc == 0 && !u->answered && i < TRIES; i++) {
		rc = clear_send(u, text);
		if (rc == 0)
			packets_take(u, TRY_MS);
	}
	if (rc < 0)
		return rc;
	return u->answered ? dp_sa_install(u->dp, &u->set) : -ETIMEDOUT;
}

static bool case_run(struct ue *u, unsigned number)
{
	uint64_t start = now_ms();
	const char *step = "agreement";
	int rc;

	u->number = number;
	u->sent = u->returned = u->wrong = 0;
	u->answered = false;
	memset(u->seen, 0, u->datagrams);
	rc = set_agree(u);
	if (rc == 0) {
		step = "datagrams";
		rc = datagrams_run(u);
	}
	if (rc == 0) {
		step = "connection out";
		rc = connection_out(u);
	}
	if (rc == 0) {
		step = "connection in";
		rc = connection_in(u);
	}
	printf("%s: %u of %u datagrams returned, %u wrong; %s%s%s (%" PRIu64 " ms)\n",
	       echo_case_name(number), u->returned, u->datagrams, u->wrong,
	       rc == 0 ? "connections both ways" : step, rc == 0 ? "" : ": ",
	       rc == 0 ? "" : strerror(-rc), now_ms() - start);
	return rc == 0 && u->returned == u->datagrams && u->wrong == 0;
}

int main(int argc, char **argv)
{
	struct dp_config conf = {.protected_min = ECHO_PROTECTED_MIN,
				 .protected_max = ECHO_PROTECTED_MAX,
				 .udp_enc_port = 4500};
	struct ue u = {0};
	unsigned good = 0, all;
	sigset_t end;
	int sig;

	if (argc != 5) {
		fprintf(stderr, "usage: kernel_echo FIRST_CASE LAST_CASE DATAGRAMS OCTETS\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	u.datagrams = (uint32_t)strtoul(argv[3], NULL, 10);
	u.connection_octets = (uint32_t)strtoul(argv[4], NULL, 10);
	u.seen = calloc(u.datagrams + 1, 1);
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	if (!u.seen || secret_init() < 0 || dp_alloc(&u.dp, &conf) < 0)
		return 1;
	unsigned first = (unsigned)strtoul(argv[1], NULL, 10),
		 last = (unsigned)strtoul(argv[2], NULL, 10);
	for (unsigned i = first; i <= last && i < ECHO_CASES; i++)
		good += case_run(&u, i);
	all = last - first + 1;
	printf("done: %u of %u cases good\n", good, all);
	sigwait(&end, &sig);
	dp_free(u.dp);
	free(u.seen);
	return good == all ? 0 : 1;
}
