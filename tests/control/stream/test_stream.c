/* Two ends on loopback: a P-CSCF at 127.0.0.1 and a UE at 127.0.0.2, with an SA set by name only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/base/sbuf.h"
#include "control/stream/stream.h"
#include "tests/support/test.h"

#define PS    36100
#define PC    36101
#define US    36200
#define UC    36201
#define CLEAR 35060

struct end {
	struct world *w;
	struct stream *s;
	unsigned messages, lost, closed;
	size_t octets;
	struct sip_flow from, lost_flow, closed_flow;
	bool answers, stood;
};

struct world {
	uv_loop_t loop;
	struct timers *timers;
	struct end net, ue;
	struct sa_set net_set, ue_set;
};

static struct ip_endpoint endpoint(const char *addr, uint16_t port)
{
	struct ip_endpoint e = {.port = port};

	assert_int_equal(ip_addr_parse(&e.addr, addr), 0);
	return e;
}

static void pump_once(struct world *w)
{
	uv_run(&w->loop, UV_RUN_NOWAIT);
	timers_run(w->timers, uv_hrtime() / 1000000);
	usleep(500);
}

#define PUMP_UNTIL(w, condition)                                                                   \
	do {                                                                                       \
		for (unsigned turns = 0; !(condition); turns++) {                                  \
			assert_true(turns < 6000);                                                 \
			pump_once(w);                                                              \
		}                                                                                  \
	} while (0)

static struct sv request(char *text, size_t body)
{
	struct sbuf b = sbuf_of(text, 70000);

	sbuf_printf(&b,
		    "MESSAGE sip:b@b SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.2;branch=z9hG4bKa\r\n"
		    "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n"
		    "Content-Length: %zu\r\n\r\n",
		    body);
	while (body--)
		sbuf_put(&b, SV("x"));
	assert_false(b.overflow);
	return sbuf_sv(&b);
}

#define OK                                                                                         \
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 127.0.0.2;branch=z9hG4bKa\r\nFrom: "                   \
	"<sip:a@a>;tag=1\r\n"                                                                      \
	"To: <sip:b@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"

static void on_message(void *ctx, const struct sip_flow *from, struct sv text, uint64_t now)
{
	struct end *e = ctx;

	(void)now;
	e->messages++;
	e->octets += text.n;
	e->from = *from;
	if (e->answers && text.p[0] == 'M')
		assert_int_equal(stream_send(e->s, from, SV(OK)), 0);
}

static void on_undelivered(void *ctx, const struct sip_flow *flow, struct sv text, bool stood,
			   uint64_t now)
{
	struct end *e = ctx;

	(void)text;
	(void)now;
	e->lost++;
	e->stood = stood;
	e->lost_flow = *flow;
}

static void on_closed(void *ctx, const struct sip_flow *flow, uint64_t now)
{
	struct end *e = ctx;

	(void)now;
	e->closed++;
	e->closed_flow = *flow;
}

static const struct stream_conf conf_of_tests = {
	.head_max = 16384,
	.message_max = 65535,
	.clear_max = 8192,
	.queue_max = 200000,
	.max = 100,
	.clear_accepted = 8,
	.per_address = 4,
	.filtered = 8,
	.filtered_per_address = 8,
	.half_open = 4,
	.connect_ms = 500,
	.message_ms = 200,
	.stall_ms = 400,
	.idle_ms = 100000,
	.clear_idle_ms = 300,
	.freebind = true,
	.port_min = 34000,
	.port_max = 34999,
};

static void end_make(struct world *w, struct end *e, const struct stream_conf *conf)
{
	const struct stream_env env = {e, on_message, on_undelivered, on_closed};

	e->w = w;
	assert_int_equal(stream_alloc(&e->s, &w->loop, w->timers, conf, &env), 0);
}

static void set_make(struct sa_set *set, sa_set_id id, bool net)
{
	memset(set, 0, sizeof(*set));
	set->id = id;
	set->local = endpoint(net ? "127.0.0.1" : "127.0.0.2", 0).addr;
	set->remote = endpoint(net ? "127.0.0.2" : "127.0.0.1", 0).addr;
	set->local_port[SA_SERVER] = net ? PS : US;
	set->local_port[SA_CLIENT] = net ? PC : UC;
	set->remote_port[SA_SERVER] = net ? UC : PC;
	set->remote_port[SA_CLIENT] = net ? US : PS;
}

static struct sip_flow flow_of(const struct sa_set *set, enum sa_pair pair)
{
	return (struct sip_flow){
		.transport = SIP_TRANSPORT_TCP,
		.local = {set->local, set->local_port[pair]},
		.remote = {set->remote, set->remote_port[pair]},
		.set = set->id,
		.pair = (uint8_t)pair,
	};
}

static struct world *world_make(const struct stream_conf *net)
{
	struct world *w = calloc(1, sizeof(*w));
	struct stream_conf ue = conf_of_tests;
	struct ip_endpoint at;

	assert_non_null(w);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	assert_int_equal(timers_alloc(&w->timers), 0);
	ue.opens_clear = ue.listens = true;
	ue.tls = net->tls;
	ue.tls_ctx = net->tls_ctx;
	ue.idle_ms = ue.clear_idle_ms = 100000;
	end_make(w, &w->net, net);
	end_make(w, &w->ue, &ue);
	at = endpoint("127.0.0.1", CLEAR);
	assert_int_equal(stream_listen(w->net.s, &at, false, NULL, NULL), 0);
	at.port = PS;
	assert_int_equal(stream_listen(w->net.s, &at, true, NULL, NULL), 0);
	set_make(&w->net_set, 7, true);
	set_make(&w->ue_set, 9, false);
	assert_int_equal(stream_protect(w->net.s, &w->net_set), 0);
	assert_int_equal(stream_protect(w->net.s, &w->net_set), -EEXIST);
	assert_int_equal(stream_protect(w->ue.s, &w->ue_set), 0);
	w->net.answers = w->ue.answers = true;
	return w;
}

static void world_free(struct world *w)
{
	stream_close(w->net.s);
	stream_close(w->ue.s);
	while (uv_run(&w->loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&w->loop), 0);
	assert_int_equal(timers_count(w->timers), 0);
	stream_free(w->net.s);
	stream_free(w->ue.s);
	timers_free(w->timers);
	free(w);
}

/* Each side opens from its client port, answers on the connection of the request. */
/* covers: SP-16, SP-17 */
static void test_both_ways(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	struct sip_flow up = flow_of(&w->ue_set, SA_CLIENT), down = flow_of(&w->net_set, SA_CLIENT);
	char text[70000];

	(void)state;
	assert_int_equal(stream_send(w->ue.s, &up, request(text, 10)), 0);
	PUMP_UNTIL(w, w->net.messages == 1 && w->ue.messages == 1);
	assert_int_equal(w->net.from.set, 7);
	assert_int_equal(w->net.from.pair, SA_SERVER);
	assert_int_equal(w->net.from.remote.port, UC);
	assert_int_equal(w->net.from.local.port, PS);
	assert_int_equal(w->ue.from.set, 9);
	assert_int_equal(w->ue.from.pair, SA_CLIENT);
	assert_int_equal(stream_send(w->net.s, &down, request(text, 10)), 0);
	PUMP_UNTIL(w, w->net.messages == 2 && w->ue.messages == 2);
	assert_int_equal(w->ue.from.pair, SA_SERVER);
	assert_int_equal(w->ue.from.local.port, US);
	assert_int_equal(w->ue.from.remote.port, PC);
	assert_int_equal(w->net.from.pair, SA_CLIENT);
	assert_int_equal(stream_counters(w->net.s)->connections, 2);
	assert_int_equal(stream_counters(w->net.s)->accepted, 1);
	assert_int_equal(stream_counters(w->net.s)->opened, 1);
	/* neither side opens what is the other's to open */
	stream_hang_up(w->ue.s, &up);
	PUMP_UNTIL(w, stream_counters(w->net.s)->connections == 1);
	up = flow_of(&w->net_set, SA_SERVER);
	assert_int_equal(stream_send(w->net.s, &up, SV(OK)), -ENOTCONN);
	world_free(w);
}

/* More than a socket's buffer at once, in both directions. */
static void test_large(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	struct sip_flow up = flow_of(&w->ue_set, SA_CLIENT);
	char text[70000];
	struct sv m = request(text, 60000);

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		for (unsigned k = 0; k < 3; k++)
			assert_int_equal(stream_send(w->ue.s, &up, m), 0);
		PUMP_UNTIL(w, w->net.messages == 3 * (i + 1) && w->ue.messages == 3 * (i + 1));
	}
	assert_int_equal(w->net.octets, 90 * m.n);
	assert_int_equal(stream_send(w->ue.s, &up, (struct sv){text, 65536}), -EMSGSIZE);
	world_free(w);
}

/* Ports can be opened from again at once, however often (no TIME_WAIT of our own). */
static void test_again(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	struct sip_flow up = flow_of(&w->ue_set, SA_CLIENT);
	char text[70000];

	(void)state;
	for (unsigned i = 1; i < 20; i++) {
		struct sip_flow net = flow_of(&w->net_set, SA_SERVER);

		assert_int_equal(stream_send(w->ue.s, &up, request(text, 1)), 0);
		PUMP_UNTIL(w, w->ue.messages == i);
		if (i % 2) {
			stream_hang_up(w->ue.s, &up);
			PUMP_UNTIL(w, stream_counters(w->net.s)->connections == 0);
		} else {
			stream_hang_up(w->net.s, &net);
			PUMP_UNTIL(w, stream_counters(w->ue.s)->connections == 0);
		}
	}
	world_free(w);
}

/* A refused connection gives back what was to go over it; so does one that ends before any answer.
 */
/* covers: F15 */
static void test_undelivered(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	struct sip_flow down = flow_of(&w->net_set, SA_CLIENT);
	char text[70000];

	(void)state;
	stream_unprotect(w->ue.s, 9); /* no listener any more */
	assert_int_equal(stream_send(w->net.s, &down, request(text, 1)), 0);
	assert_int_equal(stream_send(w->net.s, &down, request(text, 1)), 0);
	PUMP_UNTIL(w, w->net.lost == 2);
	assert_false(w->net.stood);
	assert_int_equal(w->net.lost_flow.set, 7);
	assert_int_equal(stream_counters(w->net.s)->open_failed, 1);
	assert_int_equal(stream_protect(w->ue.s, &w->ue_set), 0);
	w->ue.answers = false;
	assert_int_equal(stream_send(w->net.s, &down, request(text, 1)), 0);
	PUMP_UNTIL(w, w->ue.messages == 1);
	down = flow_of(&w->ue_set, SA_SERVER);
	stream_hang_up(w->ue.s, &down);
	PUMP_UNTIL(w, w->net.lost == 3);
	assert_true(w->net.stood);
	world_free(w);
}

/* The connections of an SA set go with it, without a word; a protected port takes no others. */
static void test_sets(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	struct sip_flow up = flow_of(&w->ue_set, SA_CLIENT), down = flow_of(&w->net_set, SA_CLIENT);
	char text[70000];

	(void)state;
	w->ue.answers = false;
	assert_int_equal(stream_send(w->ue.s, &up, request(text, 1)), 0);
	assert_int_equal(stream_send(w->net.s, &down, request(text, 1)), 0);
	PUMP_UNTIL(w, w->net.messages == 1 && w->ue.messages == 2);
	stream_unprotect(w->net.s, 7);
	assert_int_equal(stream_counters(w->net.s)->connections, 0);
	PUMP_UNTIL(w, stream_counters(w->ue.s)->connections == 0);
	assert_int_equal(w->net.lost, 0);
	assert_int_equal(stream_send(w->net.s, &down, request(text, 1)), -ENOTCONN);
	assert_int_equal(stream_send(w->ue.s, &up, request(text, 1)), 0);
	PUMP_UNTIL(w, stream_counters(w->net.s)->refused == 1);
	assert_int_equal(w->net.messages, 1);
	world_free(w);
}

/* ---- somebody who speaks something else --------------------------------------------------- */

static int dial(uint16_t port)
{
	struct ip_endpoint e = endpoint("127.0.0.1", port);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(e.port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	memcpy(&to.sin_addr, e.addr.b, 4);
	assert_true(fd >= 0);
	(void)connect(fd, (struct sockaddr *)&to, sizeof(to));
	return fd;
}

static bool is_closed(int fd)
{
	char c[64];
	ssize_t n = recv(fd, c, sizeof(c), 0);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != ENOTCONN);
}

static void test_clear_limits(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	const struct stream_counters *n = stream_counters(w->net.s);
	char text[70000];
	int fd[6];

	(void)state;
	for (unsigned i = 0; i < 6; i++)
		fd[i] = dial(CLEAR);
	PUMP_UNTIL(w, n->accepted == 4 && n->refused == 2); /* from one address */
	/* one says nothing, one half a message, one too long a message, one no SIP */
	assert_true(send(fd[1], "MESSAGE ", 8, MSG_NOSIGNAL) == 8);
	(void)request(text, 8192);
	assert_true(send(fd[2], text, 200, MSG_NOSIGNAL) == 200);
	assert_true(send(fd[3], "\x16\x03\x01", 3, MSG_NOSIGNAL) == 3);
	PUMP_UNTIL(w, n->bad == 2 && n->slow == 1 && n->idle == 1);
	for (unsigned i = 0; i < 6; i++) {
		PUMP_UNTIL(w, is_closed(fd[i]));
		close(fd[i]);
	}
	assert_int_equal(n->connections, 0);
	fd[0] = dial(CLEAR); /* places are free again */
	PUMP_UNTIL(w, n->accepted == 5);
	close(fd[0]);
	world_free(w);
}

static void test_keepalive(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	char answer[8];
	ssize_t n = 0;
	int fd = dial(CLEAR);

	(void)state;
	PUMP_UNTIL(w, stream_counters(w->net.s)->accepted == 1);
	assert_true(send(fd, "\r\n\r\n", 4, MSG_NOSIGNAL) == 4);
	PUMP_UNTIL(w, (n = recv(fd, answer, sizeof(answer), 0)) > 0);
	assert_int_equal(n, 2);
	assert_memory_equal(answer, "\r\n", 2);
	close(fd);
	world_free(w);
}

/* We ping what we have opened, and close it if nobody answers. */
static void test_ping(void **state)
{
	struct stream_conf conf = conf_of_tests;
	struct sip_flow down;
	struct world *w;
	char text[70000];

	(void)state;
	conf.ping_ms = 50;
	w = world_make(&conf);
	down = flow_of(&w->net_set, SA_CLIENT);
	assert_int_equal(stream_send(w->net.s, &down, request(text, 1)), 0);
	PUMP_UNTIL(w, stream_counters(w->net.s)->pongs_in >= 3);
	assert_int_equal(stream_counters(w->ue.s)->pings_in, stream_counters(w->net.s)->pongs_in);
	assert_int_equal(stream_counters(w->net.s)->connections, 1);
	world_free(w);
}

/* A peer that reads nothing: what waits is bounded, and so is the time. */
static void test_stalled(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	char text[70000];
	int fd = dial(CLEAR), rc = 0;
	unsigned sent = 0;
	struct sip_flow flow;

	(void)state;
	w->net.answers = false;
	PUMP_UNTIL(w, stream_counters(w->net.s)->accepted == 1);
	assert_true(send(fd, text, request(text, 1).n, MSG_NOSIGNAL) > 0);
	PUMP_UNTIL(w, w->net.messages == 1);
	flow = w->net.from;
	for (; rc == 0 && sent < 1000; sent++)
		rc = stream_send(w->net.s, &flow, request(text, 60000));
	assert_int_equal(rc, -ENOBUFS);
	PUMP_UNTIL(w, stream_counters(w->net.s)->connections == 0);
	assert_int_equal(stream_send(w->net.s, &flow, SV(OK)), -ENOTCONN);
	close(fd);
	world_free(w);
}

/* ---- a filter, as TLS will be: octets turned round, after a greeting ---------------------- */

struct turned {
	struct stream_conn *c;
	bool greeted;
};

static int turn_open(void *ctx, struct stream_conn *c, bool we_opened, void **state)
{
	struct turned *t = calloc(1, sizeof(*t));

	(void)we_opened;
	assert_non_null(t);
	t->c = c;
	*state = t;
	++*(unsigned *)ctx;
	stream_filter_flow(c)->transport = SIP_TRANSPORT_TLS;
	return stream_filter_wire(c, SV("HELLO"));
}

static int turn_give(struct turned *t, struct sv v, bool out)
{
	char *copy = malloc(v.n + 1);
	int rc;

	assert_non_null(copy);
	for (size_t i = 0; i < v.n; i++)
		copy[i] = (char)(v.p[i] ^ 0x55);
	rc = out ? stream_filter_wire(t->c, (struct sv){copy, v.n})
		 : stream_filter_plain(t->c, (struct sv){copy, v.n});
	free(copy);
	return rc;
}

static int turn_input(void *state, struct sv wire)
{
	struct turned *t = state;

	if (!t->greeted) {
		if (wire.n < 5 || memcmp(wire.p, "HELLO", 5) != 0)
			return -EPROTO;
		t->greeted = true;
		wire = (struct sv){wire.p + 5, wire.n - 5};
		stream_filter_ready(t->c);
	}
	return wire.n ? turn_give(t, wire, false) : 0;
}

static int turn_output(void *state, struct sv plain)
{
	return turn_give(state, plain, true);
}

static const struct stream_filter turn = {turn_open, turn_input, turn_output, NULL, free};

static void test_filter(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	struct ip_endpoint at = endpoint("127.0.0.1", CLEAR + 1);
	char text[70000], got[4096] = "";
	unsigned opened = 0;
	size_t n = 0;
	struct sv m = request(text, 5);
	int fd;

	(void)state;
	assert_int_equal(stream_listen(w->net.s, &at, false, &turn, &opened), 0);
	fd = dial(CLEAR + 1);
	PUMP_UNTIL(w, opened == 1);
	assert_true(send(fd, "HELLO", 5, MSG_NOSIGNAL) == 5);
	for (size_t i = 0; i < m.n; i++)
		text[i] ^= 0x55;
	assert_true(send(fd, text, m.n, MSG_NOSIGNAL) == (ssize_t)m.n);
	PUMP_UNTIL(w, w->net.messages == 1);
	assert_int_equal(w->net.from.transport, SIP_TRANSPORT_TLS);
	for (unsigned tries = 0; n < 5 + sizeof(OK) - 1 && tries < 2000; tries++) {
		ssize_t more = recv(fd, got + n, sizeof(got) - n, 0);

		n += more > 0 ? (size_t)more : 0;
		pump_once(w);
	}
	assert_int_equal(n, 5 + sizeof(OK) - 1);
	assert_memory_equal(got, "HELLO", 5);
	assert_int_equal(got[5] ^ 0x55, 'S');
	close(fd);
	fd = dial(CLEAR + 1);
	assert_true(fd >= 0);
	PUMP_UNTIL(w, opened == 2);
	assert_true(send(fd, "GOODBYE", 7, MSG_NOSIGNAL) == 7);
	for (ssize_t rc; (rc = recv(fd, got, 1, 0)) == 1 || (rc < 0 && errno == EAGAIN);)
		pump_once(w); /* its greeting, then the end */
	close(fd);
	world_free(w);
}

/* Flows with a session take that connection or none; its end is told. */
static void test_sessions(void **state)
{
	struct stream_conf conf = conf_of_tests;
	struct world *w;
	struct ip_endpoint at = endpoint("127.0.0.1", CLEAR + 1);
	struct sip_flow up = {
		.transport = SIP_TRANSPORT_TLS, .local = endpoint("127.0.0.2", 5061), .remote = at};
	struct sip_flow down;
	char text[70000];
	unsigned opened = 0;

	(void)state;
	conf.tls = &turn;
	conf.tls_ctx = &opened;
	w = world_make(&conf);
	w->net.answers = true;
	assert_int_equal(stream_listen(w->net.s, &at, false, &turn, &opened), 0);
	assert_int_equal(stream_send(w->ue.s, &up, request(text, 9000)), 0);
	PUMP_UNTIL(w, w->ue.messages == 1);
	down = w->net.from;
	assert_int_not_equal(down.session, 0);
	up.session = w->ue.from.session;
	assert_int_equal(w->ue.from.transport, SIP_TRANSPORT_TLS);
	assert_int_equal(stream_send(w->ue.s, &up, request(text, 5)), 0);
	assert_int_equal(stream_send(w->net.s, &down, request(text, 5)), 0);
	PUMP_UNTIL(w, w->net.messages == 3 && w->ue.messages == 3);
	up.session++;
	down.session++;
	assert_int_equal(stream_send(w->ue.s, &up, request(text, 5)), -ENOTCONN);
	assert_int_equal(stream_send(w->net.s, &down, request(text, 5)), -ENOTCONN);
	stream_hang_up(w->net.s, &down);
	down.session = 0; /* in clear, to whoever had these ports before */
	down.transport = SIP_TRANSPORT_TCP;
	assert_int_equal(stream_send(w->net.s, &down, request(text, 5)), -ENOTCONN);
	stream_hang_up(w->net.s, &down);
	down = w->net.from;
	up.session--;
	stream_hang_up(w->net.s, &down);
	assert_int_equal(w->net.closed, 0);
	PUMP_UNTIL(w, w->net.closed == 1 && w->ue.closed == 1);
	assert_int_equal(w->net.closed_flow.session, down.session);
	assert_int_equal(w->ue.closed_flow.session, up.session);
	assert_int_equal(stream_send(w->ue.s, &up, request(text, 5)), -ENOTCONN);
	up.session = 0;
	assert_int_equal(stream_send(w->ue.s, &up, request(text, 5)), 0);
	PUMP_UNTIL(w, w->net.messages == 4);
	assert_true(w->net.from.session > down.session);
	assert_int_equal(opened, 4);
	world_free(w);
}

/* Who never ends a handshake makes room by himself, not at the cost of another address. */
static void test_half_open(void **state)
{
	struct stream_conf conf = conf_of_tests;
	struct world *w;
	struct ip_endpoint at = endpoint("127.0.0.1", CLEAR + 1);
	struct sip_flow up = {
		.transport = SIP_TRANSPORT_TLS, .local = endpoint("127.0.0.2", 5061), .remote = at};
	const struct stream_counters *n;
	char text[70000];
	unsigned opened = 0;
	int fd[9];

	(void)state;
	conf.tls = &turn;
	conf.tls_ctx = &opened;
	conf.filtered = conf.filtered_per_address = 100;
	conf.half_open = 5; /* of one address: 4 */
	conf.connect_ms = 5000;
	w = world_make(&conf);
	n = stream_counters(w->net.s);
	assert_int_equal(stream_listen(w->net.s, &at, false, &turn, &opened), 0);
	for (unsigned i = 0; i < 9; i++) {
		fd[i] = dial(CLEAR + 1);
		PUMP_UNTIL(w, n->accepted == i + 1);
	}
	assert_int_equal(n->half_open, 4);
	assert_int_equal(n->pushed_out, 5);
	assert_int_equal(stream_send(w->ue.s, &up, request(text, 5)), 0);
	PUMP_UNTIL(w, w->ue.messages == 1);
	assert_int_equal(n->half_open, 4);
	assert_int_equal(n->pushed_out, 5);
	for (unsigned i = 0; i < 9; i++)
		close(fd[i]);
	PUMP_UNTIL(w, n->half_open == 0);
	world_free(w);
}

/* Messages one after the other, none of which ends with a read: the connection is not slow. */
static void test_busy(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	char text[70000];
	struct sv m = request(text, 100);
	size_t half = m.n / 2;
	int fd = dial(CLEAR);

	(void)state;
	PUMP_UNTIL(w, stream_counters(w->net.s)->accepted == 1);
	assert_true(send(fd, m.p, half, MSG_NOSIGNAL) > 0);
	for (unsigned i = 1; i <= 8; i++) { /* 50 ms each, of 200 */
		uint64_t until = uv_hrtime() / 1000000 + 50;

		assert_true(send(fd, m.p + half, m.n - half, MSG_NOSIGNAL | MSG_MORE) > 0);
		assert_true(send(fd, m.p, half, MSG_NOSIGNAL) > 0);
		PUMP_UNTIL(w, w->net.messages == i && uv_hrtime() / 1000000 >= until);
	}
	assert_int_equal(stream_counters(w->net.s)->slow, 0);
	PUMP_UNTIL(w, stream_counters(w->net.s)->slow == 1); /* the last one is */
	close(fd);
	world_free(w);
}

/* Keepalives alone keep no connection. */
static void test_stranger_pings(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	const struct stream_counters *n = stream_counters(w->net.s);
	int fd = dial(CLEAR);

	(void)state;
	PUMP_UNTIL(w, n->accepted == 1);
	for (unsigned i = 0; i < 20 && n->connections; i++) {
		uint64_t until = uv_hrtime() / 1000000 + 50;

		(void)send(fd, "\r\n\r\n", 4, MSG_NOSIGNAL);
		PUMP_UNTIL(w, uv_hrtime() / 1000000 >= until);
	}
	assert_int_equal(n->connections, 0);
	assert_int_equal(n->idle, 1);
	close(fd);
	world_free(w);
}

/* Small messages that wait take their own memory and ours: both count. */
static void test_small_ones_count(void **state)
{
	struct world *w = world_make(&conf_of_tests);
	struct sip_flow down = flow_of(&w->net_set, SA_CLIENT);
	unsigned n = 0;

	(void)state;
	while (stream_send(w->net.s, &down, SV("ACK sip:a@a SIP/2.0\r\n\r\n")) == 0)
		n++;
	assert_in_range(n, 1, conf_of_tests.queue_max / 100);
	PUMP_UNTIL(w, w->net.lost == n);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_undelivered),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_clear_limits),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_stalled),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_sessions),
		cmocka_unit_test(test_half_open),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_stranger_pings),
		cmocka_unit_test(test_small_ones_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
