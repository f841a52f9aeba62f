/* SIP over TCP: the UEs' connections, by the host's stack behind a host port of our own. */
#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/ue_load_internal.h"
#include "control/sip/msg.h"

#define QUEUE_MAX      262144
#define CONNECT_MS     3000
#define MESSAGE_MS     10000
#define STALL_MS       20000
#define CLEAR_IDLE_MS  4000 /* after SM6 nothing is said in clear any more */
#define HOST_WAIT_S    30
#define TURNS_MAX      8
#define CLEAR_PORT_MIN 60000 /* beyond the protected ones */
#define CLEAR_PORT_MAX 65535
#define PLAIN_PORT_MIN 20000

static void on_message(void *ctx, const struct sip_flow *from, struct sv text, uint64_t now)
{
	struct load *l = ctx;
	struct load_ue *u = load_ue_at(l, &from->local);

	if (u)
		ue_input(u->ue, from, text, now);
}

static void on_undelivered(void *ctx, const struct sip_flow *flow, struct sv text, bool stood,
			   uint64_t now)
{
	struct load *l = ctx;
	struct load_ue *u = load_ue_at(l, &flow->local);

	if (u)
		ue_undelivered(u->ue, flow, text, stood, now);
}

static void on_closed(void *ctx, const struct sip_flow *flow, uint64_t now)
{
	struct load_ue *u = load_ue_at(ctx, &flow->local);

	if (u)
		ue_session_closed(u->ue, flow, NULL, now);
}

static void on_trouble(void *arg, const struct sip_flow *flow, const char *why)
{
	struct load_ue *u = load_ue_at(arg, &flow->local);

	if (u)
		ue_session_closed(u->ue, flow, why, load_clock_us() / 1000);
}

void load_tls_hang_up(void *ctx, struct ue *u, const struct sip_flow *flow)
{
	struct load *l = ((struct load_ue *)ctx)->load;

	(void)u;
	if (l->stream)
		stream_hang_up(l->stream, flow);
}

int load_tcp_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	struct load *l = ((struct load_ue *)ctx)->load;

	(void)u;
	return l->stream ? stream_send(l->stream, flow, text) : -ENOTCONN;
}

/* A descriptor for each connection and each listener. */
static void files_allow(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int stream_make(struct load *l)
{
	const struct stream_env env = {l, on_message, on_undelivered, on_closed};
	bool in_clear = l->o.security == UE_SECURITY_NONE;
	const struct stream_conf conf = {
		.head_max = SIP_MAX_LENGTH / 4,
		.message_max = SIP_MAX_LENGTH,
		.clear_max = SIP_MAX_LENGTH,
		.queue_max = QUEUE_MAX,
		.max = UINT32_MAX,
		.connect_ms = CONNECT_MS,
		.message_ms = MESSAGE_MS,
		.stall_ms = STALL_MS,
		.idle_ms = l->o.tcp_idle * 1000,
		.clear_idle_ms = in_clear ? l->o.tcp_idle * 1000 : CLEAR_IDLE_MS,
		.ping_ms = l->o.tcp_ping * 1000,
		.freebind = true,
		.opens_clear = true,
		.listens = !load_is_plain(l),
		.port_min = load_is_plain(l) ? PLAIN_PORT_MIN : CLEAR_PORT_MIN,
		.port_max = CLEAR_PORT_MAX,
		.tls = l->tls ? &tls_filter : NULL,
		.tls_ctx = l->tls,
	};

	return stream_alloc(&l->stream, &l->loop, l->timers, &conf, &env);
}

static int tls_make(struct load *l)
{
	char name[IP_ADDR_STRLEN], why[TLS_WHY];
	const struct tls_client_conf conf = {
		.ca = l->o.ca,
		.crl = l->o.crl,
		.name = l->o.server_name ? l->o.server_name
					 : ip_addr_format(&l->o.pcscf.addr, name),
		.trouble = on_trouble,
		.arg = l,
	};
	int rc = tls_client_alloc(&l->tls, &conf, why);

	if (rc < 0)
		fprintf(stderr, "esplanade-ue: %s\n", why);
	return rc;
}

/* Over the host's sockets UDP too needs the loop. */
int load_tcp_start(struct load *l)
{
	bool streams = l->o.transport != UE_TRANSPORT_UDP || load_uses_tls(&l->o);
	int rc;

	if (!streams && !load_is_plain(l))
		return 0;
	files_allow();
	rc = uv_loop_init(&l->loop);
	if (rc < 0)
		return rc;
	l->loop_open = true;
	if (load_uses_tls(&l->o))
		rc = tls_make(l);
	if (rc == 0 && streams)
		rc = stream_make(l);
	if (rc == 0 && load_is_plain(l) &&
	    (l->o.security == UE_SECURITY_TLS || l->o.security == UE_SECURITY_NONE))
		rc = load_udp_start(l);
	return rc;
}

/* Somebody has yet to give the host port its addresses and routes. */
static bool host_knows(const struct ip_endpoint *to)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(to->port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(to->port)};
	bool is6 = to->addr.version == 6;
	int fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc;

	if (fd < 0)
		return false;
	memcpy(&v6.sin6_addr, to->addr.b, sizeof(v6.sin6_addr));
	memcpy(&v4.sin_addr, to->addr.b, sizeof(v4.sin_addr));
	rc = is6 ? connect(fd, (struct sockaddr *)&v6, sizeof(v6))
		 : connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	close(fd);
	return rc == 0;
}

int load_tcp_wait(struct load *l)
{
	if (!l->stream)
		return 0;
	for (unsigned i = 0; i < HOST_WAIT_S * 20; i++) {
		if (host_knows(&l->o.pcscf))
			return 0;
		usleep(50000);
	}
	fprintf(stderr, "esplanade-ue: the host has no route to the P-CSCF%s\n",
		load_is_plain(l) ? "" : " by its port");
	return -ENETUNREACH;
}

static uint64_t events(const struct load *l)
{
	return (l->stream ? stream_counters(l->stream)->events : 0) + load_udp_events(l);
}

bool load_tcp_turn(struct load *l)
{
	uint64_t before, first = events(l);

	if (!l->loop_open)
		return false;
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		before = events(l);
		uv_run(&l->loop, UV_RUN_NOWAIT);
		if (events(l) == before)
			break;
	}
	return events(l) != first;
}

void load_tcp_end(struct load *l)
{
	if (!l->loop_open)
		return;
	stream_close(l->stream);
	load_udp_close(l);
	while (uv_run(&l->loop, UV_RUN_NOWAIT))
		;
	uv_loop_close(&l->loop);
	stream_free(l->stream);
	load_udp_free(l);
	tls_free(l->tls);
	l->stream = NULL;
	l->tls = NULL;
	l->loop_open = false;
}
