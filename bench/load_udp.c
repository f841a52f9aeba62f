/* SIP over UDP by the host's sockets, one for each UE, where no data plane is needed. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/ue_load_internal.h"
#include "control/sip/msg.h"

#define RECEIVE_BUFFER (256 * 1024)

struct udp_socket {
	struct load_ue *ue;
	uv_udp_t udp;
};

struct load_udp {
	uint64_t events;
	uint32_t n;
	char buf[SIP_MAX_LENGTH + 1];
	struct udp_socket sockets[];
};

static void sockaddr_of(const struct ip_endpoint *e, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (e->addr.version == 6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(e->port);
		memcpy(&v6->sin6_addr, e->addr.b, 16);
	} else {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(e->port);
		memcpy(&v4->sin_addr, e->addr.b, 4);
	}
}

static void endpoint_of(const struct sockaddr *from, struct ip_endpoint *e)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;

	memset(e, 0, sizeof(*e));
	if (from->sa_family == AF_INET6) {
		e->addr.version = 6;
		e->port = ntohs(v6->sin6_port);
		memcpy(e->addr.b, &v6->sin6_addr, 16);
	} else {
		e->addr.version = 4;
		e->port = ntohs(v4->sin_port);
		memcpy(e->addr.b, &v4->sin_addr, 4);
	}
}

/* ---- in and out --------------------------------------------------------------------------- */

static void buffer_give(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct load_udp *u = ((struct udp_socket *)h->data)->ue->load->udp;

	(void)suggested;
	*buf = uv_buf_init(u->buf, sizeof(u->buf));
}

static void on_datagram(uv_udp_t *h, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
			unsigned flags)
{
	struct udp_socket *s = h->data;
	struct load *l = s->ue->load;
	struct sip_flow flow = {.transport = SIP_TRANSPORT_UDP};

	l->udp->events++;
	if (n <= 0 || !from || (flags & UV_UDP_PARTIAL))
		return;
	load_ue_local(l, (uint32_t)(s->ue - l->ues), &flow.local);
	endpoint_of(from, &flow.remote);
	ue_input(s->ue->ue, &flow, (struct sv){buf->base, (size_t)n}, load_clock_us() / 1000);
}

void load_udp_send(struct load *l, const struct load_ue *u, const struct sip_flow *flow,
		   struct sv text)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)text.p, (unsigned)text.n);
	struct sockaddr_storage to;

	sockaddr_of(&flow->remote, &to);
	if (!l->udp ||
	    uv_udp_try_send(&l->udp->sockets[u - l->ues].udp, &buf, 1, (struct sockaddr *)&to) < 0)
		l->unsent++;
}

uint64_t load_udp_events(const struct load *l)
{
	return l->udp ? l->udp->events : 0;
}

/* ---- making and ending -------------------------------------------------------------------- */

/* An address may be one that the host only has a local route for (AnyIP). */
static int socket_make(const struct ip_endpoint *local)
{
	bool is6 = local->addr.version == 6;
	int fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int one = 1, size = RECEIVE_BUFFER;
	struct sockaddr_storage at;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, is6 ? IPPROTO_IPV6 : IPPROTO_IP, is6 ? IPV6_FREEBIND : IP_FREEBIND,
			 &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	sockaddr_of(local, &at);
	if (bind(fd, (struct sockaddr *)&at,
		 is6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static int socket_open(struct load *l, uint32_t i)
{
	struct udp_socket *s = &l->udp->sockets[i];
	struct ip_endpoint local;
	int fd, rc;

	load_ue_local(l, i, &local);
	fd = socket_make(&local);
	if (fd < 0)
		return fd;
	rc = uv_udp_init(&l->loop, &s->udp);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	s->ue = &l->ues[i];
	s->udp.data = s;
	l->udp->n = i + 1;
	rc = uv_udp_open(&s->udp, fd);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return uv_udp_recv_start(&s->udp, buffer_give, on_datagram);
}

int load_udp_start(struct load *l)
{
	int rc = 0;

	l->udp = calloc(1, sizeof(*l->udp) + l->o.ues * sizeof(l->udp->sockets[0]));
	if (!l->udp)
		return -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < l->o.ues; i++)
		rc = socket_open(l, i);
	if (rc < 0) {
		char text[IP_ENDPOINT_STRLEN];
		struct ip_endpoint local;

		load_ue_local(l, l->udp->n, &local);
		fprintf(stderr, "esplanade-ue: UDP socket at %s: %s\n",
			ip_endpoint_format(&local, text), strerror(-rc));
	}
	return rc;
}

void load_udp_close(struct load *l)
{
	for (uint32_t i = 0; l->udp && i < l->udp->n; i++)
		uv_close((uv_handle_t *)&l->udp->sockets[i].udp, NULL);
}

void load_udp_free(struct load *l)
{
	free(l->udp);
	l->udp = NULL;
}
