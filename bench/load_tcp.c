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

static struct load_ue *ue_of(struct load *l, const struct ip_addr *addr)
{
	int64_t i = pool_index(&l->pool, addr);

	return i >= 0 ? &l->ues[i] : NULL;
}

static void on_message(void *ctx, const struct sip_flow *from, struct sv text, uint64_t now)
{
	struct load *l = ctx;
	struct load_ue *u = ue_of(l, &from->local.addr);

	if (u)
		ue_input(u->ue, from, text, now);
}

static void on_undelivered(void *ctx, const struct sip_flow *flow, struct sv text, bool stood,
			   uint64_t now)
{
	struct load *l = ctx;
	struct load_ue *u = ue_of(l, &flow->local.addr);

	if (u)
		ue_undelivered(u->ue, flow, text, stood, now);
}

int load_tcp_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	struct load *l = ((struct load_ue *)ctx)->load;

	(void)u;
	return stream_send(l->stream, flow, text);
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
	const struct stream_env env = {l, on_message, on_undelivered};
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
		.clear_idle_ms = CLEAR_IDLE_MS,
		.ping_ms = l->o.tcp_ping * 1000,
		.freebind = true,
		.opens_clear = true,
		.listens = true,
		.port_min = CLEAR_PORT_MIN,
		.port_max = CLEAR_PORT_MAX,
	};

	return stream_alloc(&l->stream, &l->loop, l->timers, &conf, &env);
}

int load_tcp_start(struct load *l)
{
	int rc;

	if (l->o.transport == UE_TRANSPORT_UDP)
		return 0;
	files_allow();
	rc = uv_loop_init(&l->loop);
	if (rc < 0)
		return rc;
	l->loop_open = true;
	return stream_make(l);
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
	fprintf(stderr, "esplanade-ue: the host has no route to the P-CSCF by its port\n");
	return -ENETUNREACH;
}

bool load_tcp_turn(struct load *l)
{
	uint64_t before, first;

	if (!l->stream)
		return false;
	first = stream_counters(l->stream)->events;
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		before = stream_counters(l->stream)->events;
		uv_run(&l->loop, UV_RUN_NOWAIT);
		if (stream_counters(l->stream)->events == before)
			break;
	}
	return stream_counters(l->stream)->events != first;
}

void load_tcp_end(struct load *l)
{
	if (!l->loop_open)
		return;
	stream_close(l->stream);
	while (uv_run(&l->loop, UV_RUN_NOWAIT))
		;
	uv_loop_close(&l->loop);
	stream_free(l->stream);
	l->stream = NULL;
	l->loop_open = false;
}
