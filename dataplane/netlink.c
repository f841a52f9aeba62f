#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/neighbour.h>

#include "dataplane/netlink.h"
#include "dataplane/netlink_route.h"
#include "dataplane/rtattr.h"

#define BUFFER	   65536     /* a dump message is at most 32 KB */
#define QUEUE	   (4 << 20) /* of unread events */
#define SETTLE_MS  5	     /* changes come in groups */
#define BETWEEN_MS 50	     /* two lists */
#define RETRY_MS   500
#define ANSWER_SEC 2
#define READ_MAX   256 /* messages read before something else gets its turn */

enum list {
	LIST_ROUTES,
	LIST_NEIGHBOURS,
	LISTS,
};

struct netlink {
	unsigned ifindex;
	struct netlink_sink sink;
	int events;  /* subscribed to groups; requests without answer go out here, too */
	int queries; /* lists are read here, so that events do not mix in */
	uint32_t seq;
	bool stale[LISTS]; /* to be read at due_ms */
	uint64_t due_ms[LISTS], read_ms[LISTS];
	struct route *routes;
	unsigned n_routes, max_routes;
	char *buffer;
};

static void list_stale(struct netlink *n, enum list list, uint64_t now_ms)
{
	uint64_t due = now_ms + SETTLE_MS;

	if (n->stale[list])
		return;
	if (n->read_ms[list] && due < n->read_ms[list] + BETWEEN_MS)
		due = n->read_ms[list] + BETWEEN_MS;
	n->stale[list] = true;
	n->due_ms[list] = due;
}

/* ---- sockets ------------------------------------------------------------------------------ */

static int netlink_socket(int flags)
{
	const struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE);
	int queue = QUEUE;

	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&self, sizeof(self)) != 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	/* As much as we may; too little only means more ENOBUFS. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof(queue));
	return fd;
}

static int events_subscribe(int fd)
{
	static const int groups[] = {RTNLGRP_LINK,	 RTNLGRP_NEIGH,	      RTNLGRP_IPV4_ROUTE,
				     RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
				     RTNLGRP_NEXTHOP};

	for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		/* Kernels before 5.3 have no next-hop objects and so no such group. */
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i],
			       sizeof(groups[i])) != 0 &&
		    groups[i] != RTNLGRP_NEXTHOP)
			return -errno;
	return 0;
}

static int sockets_open(struct netlink *n)
{
	const struct timeval patience = {.tv_sec = ANSWER_SEC};

	n->events = netlink_socket(SOCK_NONBLOCK);
	if (n->events < 0)
		return n->events;
	n->queries = netlink_socket(0);
	if (n->queries < 0)
		return n->queries;
	if (setsockopt(n->queries, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		return -errno;
	return events_subscribe(n->events);
}

int netlink_alloc(struct netlink **np, unsigned ifindex, const struct netlink_sink *sink)
{
	struct netlink *n = calloc(1, sizeof(*n));
	int rc = -ENOMEM;

	if (!n)
		return rc;
	n->events = n->queries = -1;
	n->ifindex = ifindex;
	n->sink = *sink;
	n->stale[LIST_ROUTES] = n->stale[LIST_NEIGHBOURS] = true;
	n->buffer = malloc(BUFFER);
	if (n->buffer)
		rc = sockets_open(n);
	if (rc != 0)
		netlink_free(n);
	else
		*np = n;
	return rc;
}

void netlink_free(struct netlink *n)
{
	if (!n)
		return;
	if (n->events >= 0)
		close(n->events);
	if (n->queries >= 0)
		close(n->queries);
	free(n->routes);
	free(n->buffer);
	free(n);
}

int netlink_fd(const struct netlink *n)
{
	return n->events;
}

static bool from_kernel(const struct sockaddr_nl *from, socklen_t len)
{
	return len == sizeof(*from) && from->nl_family == AF_NETLINK && from->nl_pid == 0;
}

/* Octets, 0: not from the kernel, or negative errno. */
static int message_receive(struct netlink *n, int fd)
{
	struct sockaddr_nl from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(fd, n->buffer, BUFFER, 0, (struct sockaddr *)&from, &from_len);

	if (len < 0)
		return -errno;
	return from_kernel(&from, from_len) ? (int)len : 0;
}

/* ---- neighbours --------------------------------------------------------------------------- */

static bool neighbour_parse(const struct netlink *n, const struct nlmsghdr *h, struct ip_addr *addr,
			    struct rte_ether_addr *mac, bool *valid)
{
	const struct ndmsg *m = NLMSG_DATA(h);
	struct rtattr *tb[NDA_MAX + 1], *first;

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) || m->ndm_ifindex != (int)n->ifindex ||
	    (m->ndm_family != AF_INET && m->ndm_family != AF_INET6) || (m->ndm_flags & NTF_PROXY))
		return false;
	first = (struct rtattr *)((char *)NLMSG_DATA(h) + NLMSG_ALIGN(sizeof(*m)));
	rtattr_sort(tb, NDA_MAX, first, (int)NLMSG_PAYLOAD(h, sizeof(*m)));
	if (!rtattr_addr(tb[NDA_DST], m->ndm_family, addr))
		return false;
	*valid = h->nlmsg_type == RTM_NEWNEIGH && tb[NDA_LLADDR] &&
		 RTA_PAYLOAD(tb[NDA_LLADDR]) == sizeof(*mac) &&
		 (m->ndm_state &
		  (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP));
	if (*valid)
		memcpy(mac, RTA_DATA(tb[NDA_LLADDR]), sizeof(*mac));
	/* Groups are not next hops. */
	return !*valid || rte_is_unicast_ether_addr(mac);
}

static void neighbour_report(struct netlink *n, const struct nlmsghdr *h)
{
	struct rte_ether_addr mac;
	struct ip_addr addr;
	bool valid;

	if (neighbour_parse(n, h, &addr, &mac, &valid))
		n->sink.neighbour(n->sink.arg, &addr, valid ? &mac : NULL);
}

int netlink_neighbour_use(struct netlink *n, const struct ip_addr *addr)
{
	size_t len = addr->version == 4 ? 4 : 16;
	struct {
		struct nlmsghdr h;
		struct ndmsg m;
		struct rtattr dst;
		uint8_t octets[16];
	} request = {
		.h = {.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(request.m)) + RTA_LENGTH(len)),
		      .nlmsg_type = RTM_NEWNEIGH,
		      .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE},
		.m = {.ndm_family = addr->version == 4 ? AF_INET : AF_INET6,
		      .ndm_ifindex = (int)n->ifindex,
		      .ndm_flags = NTF_USE},
		.dst = {.rta_len = (unsigned short)RTA_LENGTH(len), .rta_type = NDA_DST},
	};

	memcpy(request.octets, addr->b, len);
	return send(n->events, &request, request.h.nlmsg_len, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* ---- lists -------------------------------------------------------------------------------- */

static int list_request(struct netlink *n, uint16_t type, uint8_t family)
{
	struct {
		struct nlmsghdr h;
		union {
			struct rtmsg route;
			struct ndmsg neighbour;
		} m;
	} request = {
		.h = {.nlmsg_type = type,
		      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		      .nlmsg_seq = ++n->seq},
	};

	/* All these begin with the family. */
	request.m.route.rtm_family = family;
	request.h.nlmsg_len = (uint32_t)NLMSG_LENGTH(type == RTM_GETROUTE ? sizeof(struct rtmsg)
									  : sizeof(struct ndmsg));
	return send(n->queries, &request, request.h.nlmsg_len, 0) < 0 ? -errno : 0;
}

static int route_collect(struct netlink *n, const struct nlmsghdr *h)
{
	struct route r;

	if (!netlink_route_parse(h, n->ifindex, &r))
		return 0;
	if (n->n_routes == n->max_routes) {
		unsigned max = n->max_routes ? n->max_routes * 2 : 64;
		struct route *more = realloc(n->routes, max * sizeof(*more));

		if (!more)
			return -ENOMEM;
		n->routes = more;
		n->max_routes = max;
	}
	n->routes[n->n_routes++] = r;
	return 0;
}

/* The messages of one buffer. 1: that was the end; 0: more to come; negative errno. */
static int list_messages(struct netlink *n, int len,
			 int (*each)(struct netlink *n, const struct nlmsghdr *h))
{
	unsigned left = (unsigned)len;
	int rc = 0;

	for (const struct nlmsghdr *h = (void *)n->buffer; rc == 0 && NLMSG_OK(h, left);
	     h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_seq != n->seq) /* rest of a list given up */
			continue;
		if (h->nlmsg_flags & NLM_F_DUMP_INTR) /* it changed meanwhile */
			return -EAGAIN;
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		rc = h->nlmsg_type == NLMSG_ERROR ? -EIO : each(n, h);
	}
	return rc;
}

static int list_read(struct netlink *n, uint16_t type, uint8_t family,
		     int (*each)(struct netlink *n, const struct nlmsghdr *h))
{
	int rc = list_request(n, type, family);

	while (rc == 0) {
		int len = message_receive(n, n->queries);

		rc = len < 0 ? len : list_messages(n, len, each);
	}
	return rc == 1 ? 0 : rc;
}

static int routes_read(struct netlink *n)
{
	int rc;

	n->n_routes = 0;
	rc = list_read(n, RTM_GETROUTE, AF_INET, route_collect);
	if (rc == 0)
		rc = list_read(n, RTM_GETROUTE, AF_INET6, route_collect);
	if (rc == 0)
		n->sink.routes(n->sink.arg, n->routes, n->n_routes);
	return rc;
}

static int neighbour_collect(struct netlink *n, const struct nlmsghdr *h)
{
	if (h->nlmsg_type == RTM_NEWNEIGH)
		neighbour_report(n, h);
	return 0;
}

static int neighbours_read(struct netlink *n)
{
	int rc;

	n->sink.list_begin(n->sink.arg);
	rc = list_read(n, RTM_GETNEIGH, AF_UNSPEC, neighbour_collect);
	if (rc == 0)
		n->sink.list_end(n->sink.arg);
	return rc;
}

/* ---- events ------------------------------------------------------------------------------- */

static void event_take(struct netlink *n, const struct nlmsghdr *h, uint64_t now_ms)
{
	switch (h->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		/* What came before a list that is still to be read is in that list. */
		if (!n->stale[LIST_NEIGHBOURS])
			neighbour_report(n, h);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		list_stale(n, LIST_NEIGHBOURS, now_ms);
		/* fall through */
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
	case RTM_NEWADDR:
	case RTM_DELADDR:
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		list_stale(n, LIST_ROUTES, now_ms);
		break;
	default: /* errors of requests nobody waits for */
		break;
	}
}

bool netlink_read(struct netlink *n, uint64_t now_ms)
{
	for (unsigned i = 0; i < READ_MAX; i++) {
		int len = message_receive(n, n->events);
		unsigned left = len < 0 ? 0 : (unsigned)len;

		if (len == -ENOBUFS) { /* the kernel had more to say than we could hear */
			list_stale(n, LIST_ROUTES, now_ms);
			list_stale(n, LIST_NEIGHBOURS, now_ms);
			continue;
		}
		if (len < 0)
			return true;
		for (const struct nlmsghdr *h = (void *)n->buffer; NLMSG_OK(h, left);
		     h = NLMSG_NEXT(h, left))
			event_take(n, h, now_ms);
	}
	return false;
}

int netlink_sync(struct netlink *n, uint64_t now_ms)
{
	static int (*const read_list[LISTS])(struct netlink * n) = {
		[LIST_ROUTES] = routes_read,
		[LIST_NEIGHBOURS] = neighbours_read,
	};
	int wait = -1;

	/* Old events read after a list would undo it, if those that follow them were lost. */
	if (n->stale[LIST_NEIGHBOURS] && now_ms >= n->due_ms[LIST_NEIGHBOURS] &&
	    !netlink_read(n, now_ms))
		return 0;
	for (unsigned i = 0; i < LISTS; i++) {
		if (n->stale[i] && now_ms >= n->due_ms[i]) {
			n->read_ms[i] = now_ms;
			n->stale[i] = read_list[i](n) != 0;
			n->due_ms[i] = now_ms + RETRY_MS;
		}
		if (n->stale[i] && (wait < 0 || n->due_ms[i] - now_ms < (uint64_t)wait))
			wait = (int)(n->due_ms[i] - now_ms);
	}
	return wait;
}
