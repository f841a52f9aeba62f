/* Sockets of the gateway: one for each UE. What becomes of the messages: control/ue/pass.c. */
#include "bench/ue_gateway.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/ue_load_internal.h"
#include "control/sip/msg.h"

#define TURN_MESSAGES 64 /* before packets are looked at again */

struct gateway {
	struct load *load;
	int epoll;
	int *sockets;	  /* of the UEs */
	uint64_t out, in; /* to the network, to the programs */
	uint64_t refused; /* by ue_pass(), or the program's address */
};

/* ---- addresses ---------------------------------------------------------------------------- */

static socklen_t sockaddr_make(const struct ip_endpoint *e, struct sockaddr_storage *s)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)s;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)s;

	memset(s, 0, sizeof(*s));
	if (e->addr.version == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(e->port);
		memcpy(&v4->sin_addr, e->addr.b, sizeof(v4->sin_addr));
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(e->port);
	memcpy(&v6->sin6_addr, e->addr.b, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

void gateway_endpoint(const struct load_options *o, uint32_t i, struct ip_endpoint *e)
{
	*e = o->listen;
	e->port = (uint16_t)(e->port + i);
}

/* Responses go where their topmost Via says (RFC 3261 18.2.2), requests to --deliver. */
static bool program_find(const struct load *l, uint32_t i, struct sv text, struct ip_endpoint *e)
{
	char host[IP_ADDR_STRLEN];
	struct sip_msg m;
	struct sip_via v;

	if (sip_msg_parse(&m, text) < 0 || sip_via_top(&v, &m) < 0)
		return false;
	if (m.request) {
		*e = l->o.deliver;
		e->port = (uint16_t)(e->port + i);
		return true;
	}
	if (v.host.n >= sizeof(host))
		return false;
	memcpy(host, v.host.p, v.host.n);
	host[v.host.n] = '\0';
	e->port = v.port ? v.port : 5060;
	return ip_addr_parse(&e->addr, host) == 0 && e->addr.version == l->o.listen.addr.version;
}

/* ---- both ways ---------------------------------------------------------------------------- */

void gateway_pass(void *ctx, struct ue *u, struct sv text)
{
	struct load_ue *lu = ctx;
	struct gateway *g = lu->load->gateway;
	uint32_t i = (uint32_t)(lu - lu->load->ues);
	struct sockaddr_storage to;
	struct ip_endpoint e;
	socklen_t n;

	(void)u;
	if (!program_find(lu->load, i, text, &e)) {
		g->refused++;
		return;
	}
	n = sockaddr_make(&e, &to);
	if (sendto(g->sockets[i], text.p, text.n, 0, (struct sockaddr *)&to, n) >= 0)
		g->in++;
	else
		g->refused++;
}

static bool message_take(struct gateway *g, uint32_t i)
{
	char text[SIP_MAX_LENGTH];
	ssize_t n = recv(g->sockets[i], text, sizeof(text), 0);

	if (n < 0 && errno != ECONNREFUSED)
		return false;
	if (n < 5) /* a keepalive, or news that the program has gone */
		return true;
	if (ue_pass(g->load->ues[i].ue, (struct sv){text, (size_t)n}, g->load->now) < 0)
		g->refused++;
	else
		g->out++;
	return true;
}

unsigned gateway_turn(struct gateway *g)
{
	struct epoll_event ready[TURN_MESSAGES];
	int n = epoll_wait(g->epoll, ready, TURN_MESSAGES, 0);
	unsigned taken = 0;

	for (int i = 0; i < n; i++)
		taken += message_take(g, ready[i].data.u32);
	return taken;
}

/* ---- life --------------------------------------------------------------------------------- */

static int socket_open(struct gateway *g, uint32_t i)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
	char text[IP_ENDPOINT_STRLEN];
	struct sockaddr_storage at;
	struct ip_endpoint e;
	socklen_t n;
	int fd, rc = 0;

	gateway_endpoint(&g->load->o, i, &e);
	n = sockaddr_make(&e, &at);
	fd = socket(at.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	g->sockets[i] = fd;
	if (bind(fd, (struct sockaddr *)&at, n) < 0 ||
	    epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		rc = -errno;
	if (rc < 0)
		fprintf(stderr, "esplanade-ue: cannot listen on %s: %s\n",
			ip_endpoint_format(&e, text), strerror(-rc));
	return rc;
}

int gateway_alloc(struct gateway **gp, struct load *l)
{
	struct gateway *g = calloc(1, sizeof(*g));
	int rc = 0;

	if (!g)
		return -ENOMEM;
	g->load = l;
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	g->sockets = malloc(l->o.ues * sizeof(*g->sockets));
	if (g->epoll < 0 || !g->sockets)
		rc = -ENOMEM;
	for (uint32_t i = 0; g->sockets && i < l->o.ues; i++)
		g->sockets[i] = -1;
	for (uint32_t i = 0; rc == 0 && i < l->o.ues; i++)
		rc = socket_open(g, i);
	if (rc < 0) {
		gateway_free(g);
		return rc;
	}
	*gp = g;
	return 0;
}

void gateway_free(struct gateway *g)
{
	if (!g)
		return;
	for (uint32_t i = 0; g->sockets && i < g->load->o.ues; i++)
		if (g->sockets[i] >= 0)
			close(g->sockets[i]);
	if (g->epoll >= 0)
		close(g->epoll);
	free(g->sockets);
	free(g);
}

int gateway_fd(const struct gateway *g)
{
	return g->epoll;
}

/* ---- the command -------------------------------------------------------------------------- */

static void ready_print(const struct load_options *o)
{
	char text[IP_ENDPOINT_STRLEN];
	struct ip_endpoint e;

	gateway_endpoint(o, 0, &e);
	fprintf(stderr, "esplanade-ue: gateway ready on %s", ip_endpoint_format(&e, text));
	gateway_endpoint(o, o->ues - 1, &e);
	fprintf(stderr, o->ues > 1 ? " to port %u\n" : "\n", e.port);
}

int gateway_main(const struct load_options *o)
{
	struct ue_result *r = calloc(1, sizeof(*r));
	struct load *l = NULL;
	int status = 1;

	if (!r || load_alloc(&l, o) < 0)
		goto out;
	if (load_run(l, r) == 0 && r->registered == o->ues) {
		ready_print(o);
		load_keep(l);
		printf("{\"to_network\": %llu, \"to_program\": %llu, \"refused\": %llu}\n",
		       (unsigned long long)l->gateway->out, (unsigned long long)l->gateway->in,
		       (unsigned long long)l->gateway->refused);
		status = 0;
	}
	load_end(l);
out:
	load_free(l);
	free(r);
	return status;
}
