#include "tests/control/tls/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "control/base/sbuf.h"
#include "tests/support/test.h"

#define OK                                                                                         \
	"SIP/2.0 200 OK\r\nVia: SIP/2.0/TLS 127.0.0.2;branch=z9hG4bKa\r\nFrom: "                   \
	"<sip:a@a>;tag=1\r\n"                                                                      \
	"To: <sip:b@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"

static struct ip_endpoint endpoint(const char *addr, uint16_t port)
{
	struct ip_endpoint e = {.port = port};

	assert_int_equal(ip_addr_parse(&e.addr, addr), 0);
	return e;
}

struct sip_flow rig_up(void)
{
	return (struct sip_flow){.transport = SIP_TRANSPORT_TLS,
				 .local = endpoint("127.0.0.2", 5061),
				 .remote = endpoint("127.0.0.1", RIG_PORT)};
}

struct sv rig_request(char *text, size_t size, size_t body)
{
	struct sbuf b = sbuf_of(text, size);

	sbuf_printf(&b,
		    "MESSAGE sip:b@b SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.2;branch=z9hG4bKa\r\n"
		    "From: <sip:a@a>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n"
		    "Content-Length: %zu\r\n\r\n",
		    body);
	while (body--)
		sbuf_put(&b, SV("x"));
	assert_false(b.overflow);
	return sbuf_sv(&b);
}

static void on_message(void *ctx, const struct sip_flow *from, struct sv text, uint64_t now)
{
	struct rig_end *e = ctx;

	(void)now;
	e->messages++;
	e->from = *from;
	if (text.p[0] == 'M')
		assert_int_equal(stream_send(e->s, from, SV(OK)), 0);
}

static void on_undelivered(void *ctx, const struct sip_flow *flow, struct sv text, bool stood,
			   uint64_t now)
{
	struct rig_end *e = ctx;

	(void)flow;
	(void)text;
	(void)now;
	e->lost++;
	e->stood = stood;
}

static void on_closed(void *ctx, const struct sip_flow *flow, uint64_t now)
{
	struct rig_end *e = ctx;

	(void)now;
	assert_int_not_equal(flow->session, 0);
	e->closed++;
}

static void on_trouble(void *arg, const struct sip_flow *flow, const char *why)
{
	struct rig_end *e = arg;

	(void)flow;
	snprintf(e->why, sizeof(e->why), "%s", why);
}

void rig_certs(struct rig *r, const char *arguments)
{
	const char *script = getenv("ESPLANADE_MAKE_CERTS");
	char command[512];

	snprintf(command, sizeof(command), "'%s' %s %s", script ? script : "scripts/make-certs",
		 r->dir, arguments);
	assert_int_equal(system(command), 0);
}

const char *rig_file(struct rig *r, const char *name)
{
	static char names[8][128];
	static unsigned next;
	char *s = names[next++ % 8];

	snprintf(s, sizeof(names[0]), "%s/%s", r->dir, name);
	return s;
}

struct tls_server_conf rig_server(struct rig *r)
{
	return (struct tls_server_conf){.certificate = rig_file(r, "server.pem"),
					.key = rig_file(r, "server.key"),
					.session_seconds = 3600,
					.any_certificate = true,
					.trouble = on_trouble,
					.arg = &r->net};
}

struct tls_client_conf rig_client(struct rig *r)
{
	return (struct tls_client_conf){.ca = rig_file(r, "root.pem"),
					.name = "pcscf.test",
					.trouble = on_trouble,
					.arg = &r->ue};
}

struct rig *rig_make(void)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	assert_int_equal(uv_loop_init(&r->loop), 0);
	assert_int_equal(timers_alloc(&r->timers), 0);
	snprintf(r->dir, sizeof(r->dir), "/tmp/esplanade-tls-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	return r;
}

static void end_start(struct rig *r, struct rig_end *e, bool ue)
{
	const struct stream_env env = {e, on_message, on_undelivered, on_closed};
	const struct stream_conf conf = {
		.head_max = 16384,
		.message_max = 65535,
		.clear_max = 8192,
		.queue_max = 200000,
		.max = 100,
		.clear_accepted = 64,
		.per_address = 64,
		.connect_ms = 2000,
		.message_ms = 2000,
		.stall_ms = 2000,
		.idle_ms = 100000,
		.clear_idle_ms = 100000,
		.opens_clear = ue,
		.port_min = 34000,
		.port_max = 34999,
		.upgrade = !ue,
		.filtered = 64,
		.filtered_per_address = 64,
		.half_open = 16,
		.tls = &tls_filter,
		.tls_ctx = e->t,
	};

	e->r = r;
	assert_int_equal(stream_alloc(&e->s, &r->loop, r->timers, &conf, &env), 0);
}

void rig_start(struct rig *r, const struct tls_server_conf *server,
	       const struct tls_client_conf *client)
{
	struct ip_endpoint at = endpoint("127.0.0.1", RIG_PORT);
	char why[TLS_WHY];

	if (tls_server_alloc(&r->net.t, server, why) || tls_client_alloc(&r->ue.t, client, why))
		fail_msg("%s", why);
	end_start(r, &r->net, false);
	end_start(r, &r->ue, true);
	assert_int_equal(stream_listen(r->net.s, &at, false, &tls_filter, r->net.t), 0);
	at.port++;
	assert_int_equal(stream_listen(r->net.s, &at, false, NULL, NULL), 0);
}

static void end_stop(struct rig_end *e)
{
	stream_free(e->s);
	tls_free(e->t);
	memset(e, 0, sizeof(*e));
}

void rig_stop(struct rig *r)
{
	stream_close(r->net.s);
	stream_close(r->ue.s);
	while (uv_run(&r->loop, UV_RUN_NOWAIT))
		;
	if (r->net.t)
		assert_int_equal(tls_counters(r->net.t)->open, 0);
	end_stop(&r->net);
	end_stop(&r->ue);
	assert_int_equal(timers_count(r->timers), 0);
}

void rig_free(struct rig *r)
{
	char command[128];

	rig_stop(r);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	timers_free(r->timers);
	snprintf(command, sizeof(command), "rm -rf %s", r->dir);
	assert_int_equal(system(command), 0);
	free(r);
}

void rig_pump(struct rig *r)
{
	uv_run(&r->loop, UV_RUN_NOWAIT);
	timers_run(r->timers, uv_hrtime() / 1000000);
	usleep(500);
}
