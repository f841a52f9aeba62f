/*
 * include/dataplane.h over the Linux kernel: SA sets are its states and policies, datagrams go
 * through ordinary UDP sockets, and its ESP does the rest. esplanade-ue and esp_echo linked with
 * this instead of dataplane/ are phones whose IPsec is an outsider's.
 */
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/secret.h"
#include "dataplane.h"
#include "tests/interop/kernel_sa.h"

#define MAX_SETS     256
#define MAX_SOCKETS  512
#define MAX_DATAGRAM 65536
#define ROOM	     (4 << 20) /* octets that may wait at a socket: the VM is slow */

struct port_socket {
	struct ip_endpoint local;
	int fd;
};

struct dp {
	struct dp_config conf;
	int epoll, encap[2];	      /* encap: ESP in UDP over IPv4, IPv6; -1: none yet */
	struct sa_set sets[MAX_SETS]; /* id 0: free */
	bool installed[MAX_SETS], no_outbound[MAX_SETS];
	struct port_socket sockets[MAX_SOCKETS];
	unsigned n_sockets;
	sa_set_id last_id;
	uint64_t keepalive_at;
	struct dp_counters counters;
};

/* ---- sockets ------------------------------------------------------------------------------ */

static socklen_t to_sockaddr(const struct ip_endpoint *e, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (e->addr.version == 4) {
		struct sockaddr_in *a = (struct sockaddr_in *)out;

		a->sin_family = AF_INET;
		a->sin_port = htons(e->port);
		memcpy(&a->sin_addr, e->addr.b, 4);
		return sizeof(*a);
	}
	struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;

	a->sin6_family = AF_INET6;
	a->sin6_port = htons(e->port);
	memcpy(&a->sin6_addr, e->addr.b, 16);
	return sizeof(*a);
}

static struct ip_endpoint from_sockaddr(const struct sockaddr_storage *in)
{
	struct ip_endpoint e = {0};

	if (in->ss_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)in;

		e.addr.version = 4;
		e.port = ntohs(a->sin_port);
		memcpy(e.addr.b, &a->sin_addr, 4);
	} else {
		const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)in;

		e.addr.version = 6;
		e.port = ntohs(a->sin6_port);
		memcpy(e.addr.b, &a->sin6_addr, 16);
	}
	return e;
}

static int socket_bind(const struct ip_endpoint *local)
{
	struct sockaddr_storage addr;
	socklen_t n = to_sockaddr(local, &addr);
	int fd = socket(addr.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, room = ROOM, rc;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (addr.ss_family == AF_INET6) { /* addresses of a local route are nobody's else */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	}
	if (bind(fd, (struct sockaddr *)&addr, n) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int socket_find(struct dp *dp, const struct ip_endpoint *local)
{
	for (unsigned i = 0; i < dp->n_sockets; i++)
		if (ip_endpoint_eq(&dp->sockets[i].local, local))
			return (int)i;
	return -ENOENT;
}

/* The descriptor of our socket at `local`, opened when first asked for. */
static int socket_at(struct dp *dp, const struct ip_endpoint *local)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int i = socket_find(dp, local), fd;

	if (i >= 0)
		return dp->sockets[i].fd;
	if (dp->n_sockets == MAX_SOCKETS)
		return -ENOSPC;
	fd = socket_bind(local);
	if (fd < 0)
		return fd;
	ev.data.fd = fd;
	if (epoll_ctl(dp->epoll, EPOLL_CTL_ADD, fd, &ev) < 0) {
		close(fd);
		return -EIO;
	}
	dp->sockets[dp->n_sockets++] = (struct port_socket){*local, fd};
	return fd;
}

static void socket_close(struct dp *dp, const struct ip_endpoint *local)
{
	int i = socket_find(dp, local);

	if (i < 0)
		return;
	close(dp->sockets[i].fd);
	dp->sockets[i] = dp->sockets[--dp->n_sockets];
}

/* The kernel takes ESP out of the datagrams of a socket that says so. */
static int encap_open(struct dp *dp, const struct ip_addr *local)
{
	struct ip_endpoint any = {.addr.version = local->version, .port = dp->conf.udp_enc_port};
	int *fd = &dp->encap[local->version == 6], type = UDP_ENCAP_ESPINUDP;

	if (*fd >= 0)
		return 0;
	*fd = socket_bind(&any);
	if (*fd < 0)
		return *fd;
	return setsockopt(*fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type)) < 0 ? -errno : 0;
}

/* ---- process and ports -------------------------------------------------------------------- */

int dp_eal_init(const struct dp_eal_config *conf)
{
	(void)conf;
	return 0;
}

void dp_eal_cleanup(void)
{
}

int dp_alloc(struct dp **dpp, const struct dp_config *conf)
{
	struct dp *dp = calloc(1, sizeof(*dp));

	if (!dp)
		return -ENOMEM;
	dp->conf = *conf;
	if (!dp->conf.udp_enc_port)
		dp->conf.udp_enc_port = 4500;
	dp->encap[0] = dp->encap[1] = -1;
	dp->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (dp->epoll < 0) {
		free(dp);
		return -errno;
	}
	*dpp = dp;
	return 0;
}

void dp_free(struct dp *dp)
{
	for (unsigned i = 0; i < MAX_SETS; i++)
		if (dp->sets[i].id)
			dp_sa_remove(dp, dp->sets[i].id);
	while (dp->n_sockets)
		close(dp->sockets[--dp->n_sockets].fd);
	for (unsigned i = 0; i < 2; i++)
		if (dp->encap[i] >= 0)
			close(dp->encap[i]);
	close(dp->epoll);
	free(dp);
}

/* ---- SA sets ------------------------------------------------------------------------------ */

static int set_slot(const struct dp *dp, sa_set_id id)
{
	for (int i = 0; id && i < MAX_SETS; i++)
		if (dp->sets[i].id == id)
			return i;
	return -ESTALE;
}

static bool spi_taken(const struct dp *dp, uint32_t spi, const uint32_t *avoid, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (avoid[i] == spi)
			return true;
	for (unsigned i = 0; i < MAX_SETS; i++)
		for (unsigned p = 0; p < SA_PAIRS; p++)
			if (dp->sets[i].id && dp->sets[i].spi_in[p] == spi)
				return true;
	return spi < SA_SPI_MIN;
}

int dp_sa_reserve(struct dp *dp, const uint32_t *avoid, unsigned n_avoid, struct sa_set *set)
{
	for (unsigned i = 0; i < MAX_SETS; i++) {
		struct sa_set *s = &dp->sets[i];

		if (s->id)
			continue;
		memset(s, 0, sizeof(*s));
		s->id = ++dp->last_id;
		dp->installed[i] = dp->no_outbound[i] = false;
		for (unsigned p = 0; p < SA_PAIRS; p++) {
			uint32_t spi;

			do
				secret_random(&spi, sizeof(spi));
			while (spi_taken(dp, spi, avoid, n_avoid));
			s->spi_in[p] = set->spi_in[p] = spi;
		}
		set->id = s->id;
		return 0;
	}
	return -ENOSPC;
}

static struct ip_endpoint set_local(const struct sa_set *set, unsigned pair)
{
	return (struct ip_endpoint){set->mode == SA_MODE_TRANSPORT ? set->local
								   : set->tunnel.inner_local,
				    set->local_port[pair]};
}

static struct ip_endpoint set_remote(const struct sa_set *set, unsigned pair)
{
	return (struct ip_endpoint){set->mode == SA_MODE_TRANSPORT ? set->remote
								   : set->tunnel.inner_remote[0],
				    set->remote_port[pair]};
}

int dp_sa_install(struct dp *dp, const struct sa_set *set)
{
	int slot = set_slot(dp, set->id), rc;

	if (slot < 0)
		return slot;
	if (set->mode == SA_MODE_UDP_ENC_TUN && (rc = encap_open(dp, &set->local)) < 0)
		return rc;
	rc = kernel_sa_install(set, dp->conf.udp_enc_port);
	if (rc < 0)
		return rc;
	dp->sets[slot] = *set;
	dp->installed[slot] = true;
	for (unsigned p = 0; p < SA_PAIRS; p++) {
		struct ip_endpoint local = set_local(set, p);

		rc = socket_at(dp, &local);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool port_used(const struct dp *dp, const struct ip_endpoint *local)
{
	for (unsigned i = 0; i < MAX_SETS; i++)
		for (unsigned p = 0; dp->installed[i] && p < SA_PAIRS; p++) {
			struct ip_endpoint own = set_local(&dp->sets[i], p);

			if (ip_endpoint_eq(&own, local))
				return true;
		}
	return false;
}

void dp_sa_remove(struct dp *dp, sa_set_id id)
{
	int slot = set_slot(dp, id);
	struct sa_set old;

	if (slot < 0)
		return;
	old = dp->sets[slot];
	secret_wipe(&dp->sets[slot], sizeof(dp->sets[slot]));
	if (dp->installed[slot]) {
		dp->installed[slot] = false;
		kernel_sa_remove(&old, true, !dp->no_outbound[slot]);
		for (unsigned p = 0; p < SA_PAIRS; p++) {
			struct ip_endpoint local = set_local(&old, p);

			if (!port_used(dp, &local))
				socket_close(dp, &local);
		}
	}
	secret_wipe(&old, sizeof(old));
}

void dp_sa_remove_outbound(struct dp *dp, sa_set_id id)
{
	int slot = set_slot(dp, id);

	if (slot < 0 || !dp->installed[slot] || dp->no_outbound[slot])
		return;
	dp->no_outbound[slot] = true;
	kernel_sa_remove(&dp->sets[slot], false, true);
}

/* ---- datagrams ---------------------------------------------------------------------------- */

/* The set and pair whose selectors these are; the kernel's policies saw to it that the SA fits. */
static void packet_owner(const struct dp *dp, struct dp_packet *p)
{
	for (unsigned i = 0; i < MAX_SETS; i++)
		for (unsigned pair = 0; dp->installed[i] && pair < SA_PAIRS; pair++) {
			struct ip_endpoint local = set_local(&dp->sets[i], pair),
					   remote = set_remote(&dp->sets[i], pair);

			if (ip_endpoint_eq(&local, &p->local) &&
			    ip_endpoint_eq(&remote, &p->remote)) {
				p->set = dp->sets[i].id;
				p->pair = (uint8_t)pair;
				return;
			}
		}
}

static const struct port_socket *socket_of(const struct dp *dp, int fd)
{
	for (unsigned i = 0; i < dp->n_sockets; i++)
		if (dp->sockets[i].fd == fd)
			return &dp->sockets[i];
	return NULL;
}

/* One datagram of a socket; false: it had none, or one that nobody may have. */
static bool packet_read(struct dp *dp, const struct port_socket *s, struct dp_packet *p)
{
	char *data = malloc(MAX_DATAGRAM);
	struct sockaddr_storage from;
	socklen_t n_from = sizeof(from);
	ssize_t n = data ? recvfrom(s->fd, data, MAX_DATAGRAM, 0, (struct sockaddr *)&from, &n_from)
			 : -1;

	if (n < 0) {
		free(data);
		return false;
	}
	*p = (struct dp_packet){.data = data,
				.len = (uint32_t)n,
				.local = s->local,
				.remote = from_sockaddr(&from),
				.buf = data};
	packet_owner(dp, p);
	if (p->set == 0 && p->local.port >= dp->conf.protected_min &&
	    p->local.port <= dp->conf.protected_max) {
		dp->counters.drops[DP_DROP_CLEAR_TO_PROTECTED]++;
		free(data);
		return false;
	}
	dp->counters.to_control++;
	return true;
}

unsigned dp_recv(struct dp *dp, struct dp_packet *pkts, unsigned n)
{
	struct epoll_event ev[32];
	int ready = epoll_wait(dp->epoll, ev, 32, 0);
	unsigned got = 0;

	for (int i = 0; i < ready; i++) {
		const struct port_socket *s = socket_of(dp, ev[i].data.fd);

		while (s && got < n && packet_read(dp, s, &pkts[got]))
			got++;
	}
	return got;
}

void dp_release(struct dp *dp, struct dp_packet *pkts, unsigned n)
{
	(void)dp;
	for (unsigned i = 0; i < n; i++)
		free(pkts[i].buf);
}

int dp_send(struct dp *dp, const struct dp_out *out, const struct iovec *iov, unsigned n_iov)
{
	struct ip_endpoint local = out->local, remote = out->remote;
	struct sockaddr_storage to;
	struct msghdr m = {
		.msg_name = &to, .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = n_iov};
	int slot, fd;

	if (out->set) {
		slot = set_slot(dp, out->set);
		if (slot < 0 || !dp->installed[slot] || dp->no_outbound[slot])
			return -ESTALE;
		local = set_local(&dp->sets[slot], out->pair);
		remote = set_remote(&dp->sets[slot], out->pair);
	}
	m.msg_namelen = to_sockaddr(&remote, &to);
	fd = socket_at(dp, &local);
	if (fd < 0)
		return fd;
	if (sendmsg(fd, &m, 0) < 0)
		return -errno;
	dp->counters.from_control++;
	return 0;
}

/* ---- the rest ----------------------------------------------------------------------------- */

unsigned dp_events(struct dp *dp, struct dp_event *ev, unsigned n)
{
	(void)dp;
	(void)ev;
	(void)n;
	return 0;
}

/* The kernel sends none by itself. */
void dp_keepalive(struct dp *dp, uint64_t now_ms)
{
	if (now_ms < dp->keepalive_at)
		return;
	dp->keepalive_at = now_ms + 1000u * (dp->conf.keepalive_s ? dp->conf.keepalive_s : 20);
	for (unsigned i = 0; i < MAX_SETS; i++) {
		const struct sa_set *s = &dp->sets[i];
		struct ip_endpoint peer = {s->remote, s->tunnel.remote_port};
		struct sockaddr_storage to;
		socklen_t n = to_sockaddr(&peer, &to);

		if (dp->installed[i] && s->mode == SA_MODE_UDP_ENC_TUN && s->tunnel.keepalive &&
		    sendto(dp->encap[s->remote.version == 6], "\xff", 1, 0, (struct sockaddr *)&to,
			   n) == 1)
			dp->counters.keepalives_out++;
	}
}

int dp_fd(struct dp *dp)
{
	return dp->epoll;
}

bool dp_arm(struct dp *dp)
{
	(void)dp;
	return true; /* the descriptor is readable while anything waits */
}

void dp_disarm(struct dp *dp)
{
	(void)dp;
}

unsigned dp_workers(struct dp *dp)
{
	(void)dp;
	return 1;
}

void dp_worker_counters(struct dp *dp, unsigned worker, struct dp_counters *c)
{
	(void)worker;
	*c = dp->counters;
}
