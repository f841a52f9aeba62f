/* Sockets: addresses, and the options that libuv has no names for. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "control/stream/inside.h"

void stream_sockaddr(const struct ip_endpoint *e, struct sockaddr_storage *to)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
	struct sockaddr_in *v4 = (struct sockaddr_in *)to;

	memset(to, 0, sizeof(*to));
	if (e->addr.version == 6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(e->port);
		memcpy(&v6->sin6_addr, e->addr.b, sizeof(v6->sin6_addr));
	} else {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(e->port);
		memcpy(&v4->sin_addr, e->addr.b, sizeof(v4->sin_addr));
	}
}

int stream_endpoint(const struct sockaddr_storage *from, struct ip_endpoint *e)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;

	memset(e, 0, sizeof(*e));
	if (from->ss_family == AF_INET6) {
		e->addr.version = 6;
		e->port = ntohs(v6->sin6_port);
		memcpy(e->addr.b, &v6->sin6_addr, sizeof(v6->sin6_addr));
		return 0;
	}
	if (from->ss_family != AF_INET)
		return -EAFNOSUPPORT;
	e->addr.version = 4;
	e->port = ntohs(v4->sin_port);
	memcpy(e->addr.b, &v4->sin_addr, sizeof(v4->sin_addr));
	return 0;
}

static int option_set(const uv_tcp_t *tcp, int level, int name, int value)
{
	uv_os_fd_t fd;
	int rc = uv_fileno((const uv_handle_t *)tcp, &fd);

	if (rc < 0)
		return rc;
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

int stream_socket(struct stream *s, uv_tcp_t *tcp, uint8_t version)
{
	int rc = uv_tcp_init_ex(s->loop, tcp, version == 6 ? AF_INET6 : AF_INET);

	if (rc == 0 && s->conf.freebind) /* if not, bind() will say so */
		(void)(version == 6 ? option_set(tcp, IPPROTO_IPV6, IPV6_FREEBIND, 1)
				    : option_set(tcp, IPPROTO_IP, IP_FREEBIND, 1));
	return rc;
}

/* With SO_REUSEADDR, which libuv sets: so port_pc is one port towards many UEs. */
int stream_bind(uv_tcp_t *tcp, const struct ip_endpoint *at)
{
	struct sockaddr_storage addr;

	stream_sockaddr(at, &addr);
	return uv_tcp_bind(tcp, (const struct sockaddr *)&addr,
			   at->addr.version == 6 ? UV_TCP_IPV6ONLY : 0);
}

void stream_socket_tune(struct stream *s, uv_tcp_t *tcp)
{
	(void)uv_tcp_nodelay(tcp, 1);
	/* a peer that has gone without a word is noticed while something is on its way to it */
	(void)option_set(tcp, IPPROTO_TCP, TCP_USER_TIMEOUT, (int)s->conf.stall_ms);
}
