/* SIP over TCP: connections of the host's stack, for the P-CSCF (design 3.6). */
#include <errno.h>
#include <string.h>

#include "control/daemon/daemon.h"

#define HEAD_MAX     16384
#define CLEAR_MAX    8192 /* a REGISTER */
#define QUEUE_MAX    262144
#define PER_ADDRESS  32
#define CONNECT_MS   3000 /* then the request goes over UDP */
#define MESSAGE_MS   10000
#define STALL_MS     20000
#define CLEAR_IDLE_S 32

static void message_input(void *ctx, const struct sip_flow *from, struct sv text, uint64_t now)
{
	struct daemon *d = ctx;

	pcscf_input(d->pcscf, from, text, now);
	mw_run(d->mw, now);
}

static void undelivered(void *ctx, const struct sip_flow *flow, struct sv text, bool stood,
			uint64_t now)
{
	struct daemon *d = ctx;
	char to[IP_ENDPOINT_STRLEN];

	log_line(&d->log, CONF_LOG_DEBUG, "not sent over TCP to %s",
		 ip_endpoint_format(&flow->remote, to));
	pcscf_undelivered(d->pcscf, flow, text, stood, now);
	mw_run(d->mw, now);
}

static void closed(void *ctx, const struct sip_flow *flow, uint64_t now)
{
	struct daemon *d = ctx;

	pcscf_session_closed(d->pcscf, flow, now);
	mw_run(d->mw, now);
}

static int listen_at(struct daemon *d, const struct ip_addr *addr, uint32_t port, bool protected,
		     struct tls *tls)
{
	struct ip_endpoint at = {*addr, (uint16_t)port};
	char text[IP_ENDPOINT_STRLEN];
	int err = stream_listen(d->stream, &at, protected, tls ? &tls_filter : NULL, tls);

	if (err)
		log_line(&d->log, CONF_LOG_ERROR, "TCP at %s: %s", ip_endpoint_format(&at, text),
			 strerror(-err));
	return err;
}

static int listen_all(struct daemon *d)
{
	const struct esp_conf *c = &d->conf;
	int err = 0;

	for (unsigned i = 0; i < 2 && !err; i++) {
		if (!c->addresses[i].version)
			continue;
		err = listen_at(d, &c->addresses[i], c->sip_port, false, NULL);
		if (!err)
			err = listen_at(d, &c->addresses[i], c->port_ps, true, NULL);
		if (!err && d->tls)
			err = listen_at(d, &c->addresses[i], c->tls_port, false, d->tls);
	}
	return err;
}

/* TLS is there, if it shall be. */
static int stream_start(struct daemon *d)
{
	const struct stream_env env = {d, message_input, undelivered, closed};
	const struct stream_conf conf = {
		.head_max = HEAD_MAX,
		.message_max = SIP_MAX_LENGTH,
		.clear_max = CLEAR_MAX,
		.queue_max = QUEUE_MAX,
		.max = d->conf.tcp_connections,
		.clear_accepted = d->conf.tcp_connections / 4 + 1,
		.per_address = PER_ADDRESS,
		.connect_ms = CONNECT_MS,
		.handshake_ms = d->conf.tls_handshake * 1000,
		.message_ms = MESSAGE_MS,
		.stall_ms = STALL_MS,
		.idle_ms = d->conf.tcp_idle * 1000,
		.clear_idle_ms = CLEAR_IDLE_S * 1000,
		.filtered = d->conf.tls_connections,
		.filtered_per_address = d->conf.tls_per_address,
		.half_open = d->conf.tls_half_open,
		.tls = d->tls ? &tls_filter : NULL,
		.tls_ctx = d->tls,
		.upgrade = d->tls && d->conf.tls_upgrade,
		.freebind = true, /* the host gets its addresses when the port is there */
	};
	int err;

	err = stream_alloc(&d->stream, &d->loop, d->timers, &conf, &env);
	return err ? err : listen_all(d);
}

int daemon_tcp_start(struct daemon *d)
{
	int err;

	if (!d->pcscf || !d->conf.host_port) /* no way to the host's stack */
		return 0;
	err = daemon_tls_start(d);
	return err ? err : stream_start(d);
}

int daemon_tcp_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct daemon *d = ctx;

	return d->stream ? stream_send(d->stream, flow, text) : -EPROTONOSUPPORT;
}

void daemon_tcp_hang_up(void *ctx, const struct sip_flow *flow)
{
	struct daemon *d = ctx;

	if (d->stream)
		stream_hang_up(d->stream, flow);
}

void daemon_tcp_end(struct daemon *d)
{
	stream_close(d->stream);
}

void daemon_tcp_free(struct daemon *d)
{
	stream_free(d->stream);
	d->stream = NULL;
	daemon_tls_free(d);
}
