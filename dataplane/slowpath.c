#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_ring.h>

#include "dataplane/neighbour.h"
#include "dataplane/netlink.h"
#include "dataplane/nexthop.h"
#include "dataplane/responder.h"
#include "dataplane/slowpath.h"

#define NEIGHBOURS 65536
#define HOLD_RING  4096
#define PUNT_RING  1024
#define FRAME_RING 4096
#define BURST	   64

struct slowpath {
	/* read by workers */
	struct nexthop_table *hops;
	struct rte_ring *hold;	 /* workers -> thread: IP packets */
	struct rte_ring *punt;	 /* workers -> thread: frames */
	struct rte_ring *frames; /* thread -> one worker */
	bool alone;
	int wake;	/* eventfd */
	uint32_t armed; /* the thread sleeps or is about to: wake it */

	/* the thread's */
	uint32_t stop;
	bool running;
	pthread_t thread;
	struct rte_mempool *pool;
	struct neighbour_table *neighbours;
	struct netlink *netlink; /* NULL: stand alone */
	struct responder responder;
	uint64_t now_ms;
	uint64_t frame_drops; /* read by anyone */
};

/* ---- workers ------------------------------------------------------------------------------ */

int slowpath_next_hop(struct slowpath *s, const struct ip_addr *dst, struct next_hop_cache *cache,
		      struct rte_ether_addr *mac)
{
	return nexthop_find(s->hops, dst, cache, mac);
}

/* One system call for each time the thread slept, not for each packet. */
static void thread_wake(struct slowpath *s)
{
	/* What was put into a ring is seen before the flag is read; see thread_sleep(). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&s->armed, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n(&s->armed, 0, __ATOMIC_RELAXED))
		eventfd_write(s->wake, 1);
}

bool slowpath_hold(struct slowpath *s, struct rte_mbuf *packet)
{
	if (rte_pktmbuf_headroom(packet) < RTE_ETHER_HDR_LEN ||
	    rte_ring_mp_enqueue(s->hold, packet) != 0)
		return false;
	thread_wake(s);
	return true;
}

bool slowpath_punt(struct slowpath *s, struct rte_mbuf *frame)
{
	if (!s->alone || rte_ring_mp_enqueue(s->punt, frame) != 0)
		return false;
	thread_wake(s);
	return true;
}

unsigned slowpath_frames(struct slowpath *s, struct rte_mbuf **frames, unsigned n)
{
	return rte_ring_sc_dequeue_burst(s->frames, (void **)frames, n, NULL);
}

uint64_t slowpath_unresolved_drops(const struct slowpath *s)
{
	return neighbour_drops(s->neighbours) + __atomic_load_n(&s->frame_drops, __ATOMIC_RELAXED);
}

/* ---- sending ------------------------------------------------------------------------------ */

static void frame_drop(struct slowpath *s, struct rte_mbuf *frame)
{
	rte_pktmbuf_free(frame);
	__atomic_store_n(&s->frame_drops, s->frame_drops + 1, __ATOMIC_RELAXED);
}

static void frame_send(struct slowpath *s, struct rte_mbuf *frame)
{
	/* What the port said on receipt means other things on the way out. */
	frame->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
	if (rte_ring_sp_enqueue(s->frames, frame) != 0)
		frame_drop(s, frame);
}

/* neighbour_conf.send */
static void packet_send(void *arg, struct rte_mbuf *packet, const struct rte_ether_addr *mac)
{
	struct slowpath *s = arg;
	bool v6 = *rte_pktmbuf_mtod(packet, const uint8_t *) >> 4 == 6;
	struct rte_ether_hdr *eth = (void *)rte_pktmbuf_prepend(packet, sizeof(*eth));

	eth->dst_addr = *mac;
	eth->src_addr = s->responder.mac;
	eth->ether_type = rte_cpu_to_be_16(v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	frame_send(s, packet);
}

/* neighbour_conf.ask, stand-alone */
static void network_ask(void *arg, const struct ip_addr *addr, const struct rte_ether_addr *mac)
{
	struct slowpath *s = arg;
	struct rte_mbuf *frame = rte_pktmbuf_alloc(s->pool);

	if (!frame)
		return; /* the next try is in a second */
	if (responder_solicit(&s->responder, frame, addr, mac) == 0)
		frame_send(s, frame);
	else
		rte_pktmbuf_free(frame);
}

/* neighbour_conf.ask, with a kernel */
static void kernel_ask(void *arg, const struct ip_addr *addr, const struct rte_ether_addr *mac)
{
	struct slowpath *s = arg;

	(void)mac;
	netlink_neighbour_use(s->netlink, addr);
}

/* ---- what the kernel says ----------------------------------------------------------------- */

static void kernel_routes(void *arg, const struct route *routes, unsigned n)
{
	struct slowpath *s = arg;

	nexthop_routes_set(s->hops, routes, n);
}

static void kernel_neighbour(void *arg, const struct ip_addr *addr,
			     const struct rte_ether_addr *mac)
{
	struct slowpath *s = arg;

	neighbour_set(s->neighbours, addr, mac, s->now_ms);
}

static void kernel_list_begin(void *arg)
{
	struct slowpath *s = arg;

	neighbour_list_begin(s->neighbours);
}

static void kernel_list_end(void *arg)
{
	struct slowpath *s = arg;

	neighbour_list_end(s->neighbours);
}

/* ---- what the workers say ----------------------------------------------------------------- */

/* False: not a whole IP header. */
static bool packet_destination(const struct rte_mbuf *packet, struct ip_addr *dst)
{
	const uint8_t *ip = rte_pktmbuf_mtod(packet, const uint8_t *);

	*dst = (struct ip_addr){0};
	if (packet->data_len >= sizeof(struct rte_ipv4_hdr) && ip[0] >> 4 == 4) {
		dst->version = 4;
		memcpy(dst->b, ip + offsetof(struct rte_ipv4_hdr, dst_addr), 4);
	} else if (packet->data_len >= sizeof(struct rte_ipv6_hdr) && ip[0] >> 4 == 6) {
		dst->version = 6;
		memcpy(dst->b, ip + offsetof(struct rte_ipv6_hdr, dst_addr), 16);
	}
	return dst->version != 0;
}

static void packet_take(struct slowpath *s, struct rte_mbuf *packet)
{
	struct ip_addr dst, via;

	if (packet_destination(packet, &dst) && nexthop_via(s->hops, &dst, &via) == 0)
		neighbour_hold(s->neighbours, &via, packet, s->now_ms);
	else
		frame_drop(s, packet);
}

static void frame_take(struct slowpath *s, struct rte_mbuf *frame)
{
	struct neighbour_claim claim;

	switch (responder_take(&s->responder, frame, &claim)) {
	case RESPONDER_ANSWERED:
		frame_send(s, frame);
		return;
	case RESPONDER_CLAIMED:
		neighbour_learn(s->neighbours, &claim, s->now_ms);
		break;
	case RESPONDER_IGNORED:
		break;
	}
	rte_pktmbuf_free(frame);
}

static void ring_take(struct slowpath *s, struct rte_ring *ring,
		      void (*take)(struct slowpath *s, struct rte_mbuf *m))
{
	struct rte_mbuf *burst[BURST];
	unsigned n = rte_ring_sc_dequeue_burst(ring, (void **)burst, BURST, NULL);

	for (unsigned i = 0; i < n; i++)
		take(s, burst[i]);
}

/* ---- the thread --------------------------------------------------------------------------- */

static uint64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static bool rings_empty(const struct slowpath *s)
{
	return rte_ring_empty(s->hold) && rte_ring_empty(s->punt);
}

/* Until a worker, the kernel or the clock wants something. */
static void thread_sleep(struct slowpath *s, int timeout_ms)
{
	struct pollfd fds[2] = {
		{.fd = s->wake, .events = POLLIN},
		{.fd = s->netlink ? netlink_fd(s->netlink) : -1, .events = POLLIN},
	};
	eventfd_t count;

	__atomic_store_n(&s->armed, 1, __ATOMIC_RELAXED);
	/* The flag is seen before the rings are looked at: so none of us misses the other. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (rings_empty(s) && !__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE))
		poll(fds, 2, timeout_ms);
	__atomic_store_n(&s->armed, 0, __ATOMIC_RELAXED);
	if (fds[0].revents)
		eventfd_read(s->wake, &count);
}

/* Does everything that is to be done now. Returns in how many ms there will be more. */
static int thread_work(struct slowpath *s)
{
	int wait, wait_kernel = -1;

	s->now_ms = clock_ms();
	ring_take(s, s->hold, packet_take);
	ring_take(s, s->punt, frame_take);
	if (s->netlink) {
		bool all = netlink_read(s->netlink, s->now_ms);

		wait_kernel = netlink_sync(s->netlink, s->now_ms);
		if (!all)
			wait_kernel = 0;
	}
	wait = (int)neighbour_tick(s->neighbours, s->now_ms);
	nexthop_reclaim(s->hops);
	return wait_kernel >= 0 && wait_kernel < wait ? wait_kernel : wait;
}

static void *thread_main(void *arg)
{
	struct slowpath *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE))
		thread_sleep(s, thread_work(s));
	return NULL;
}

/* ---- start and end ------------------------------------------------------------------------ */

static struct rte_ring *ring_make(struct slowpath *s, const char *what, unsigned size,
				  unsigned flags)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%" PRIxPTR, what, (uintptr_t)s);
	return rte_ring_create(name, size, (int)rte_socket_id(), flags);
}

static int alone_start(struct slowpath *s, const struct slowpath_conf *conf)
{
	const struct route routes[2] = {
		{.dst.addr.version = 4, .via = conf->gateway[0]},
		{.dst.addr.version = 6, .via = conf->gateway[1]},
	};

	memcpy(s->responder.gateway, conf->gateway, sizeof(s->responder.gateway));
	for (unsigned i = 0; i < conf->n_local; i++)
		s->responder.local[i] = conf->local[i];
	s->responder.n_local = conf->n_local;
	return nexthop_routes_set(s->hops, routes, 2);
}

static int mirror_start(struct slowpath *s, unsigned ifindex)
{
	const struct netlink_sink sink = {
		.arg = s,
		.routes = kernel_routes,
		.neighbour = kernel_neighbour,
		.list_begin = kernel_list_begin,
		.list_end = kernel_list_end,
	};
	int rc = netlink_alloc(&s->netlink, ifindex, &sink);

	/* The workers find the routes when they start. */
	s->now_ms = clock_ms();
	if (rc == 0)
		netlink_sync(s->netlink, s->now_ms);
	return rc;
}

static int thread_start(struct slowpath *s)
{
	int rc = rte_ctrl_thread_create(&s->thread, "slowpath", NULL, thread_main, s);

	s->running = rc == 0;
	return rc;
}

static int tables_make(struct slowpath *s, struct rte_rcu_qsbr *qsbr)
{
	struct neighbour_conf conf = {
		.mirror = !s->alone,
		.arg = s,
		.ask = s->alone ? network_ask : kernel_ask,
		.send = packet_send,
	};
	int rc = nexthop_table_alloc(&s->hops, NEIGHBOURS, qsbr);

	conf.hops = s->hops;
	return rc ? rc : neighbour_table_alloc(&s->neighbours, &conf);
}

static int channels_make(struct slowpath *s)
{
	s->hold = ring_make(s, "sp_hold", HOLD_RING, RING_F_SC_DEQ);
	s->punt = ring_make(s, "sp_punt", PUNT_RING, RING_F_SC_DEQ);
	s->frames = ring_make(s, "sp_frames", FRAME_RING, RING_F_SP_ENQ | RING_F_SC_DEQ);
	s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->wake < 0)
		return -errno;
	return s->hold && s->punt && s->frames ? 0 : -ENOMEM;
}

int slowpath_alloc(struct slowpath **sp, const struct slowpath_conf *conf)
{
	struct slowpath *s;
	int rc;

	if (!conf->qsbr || !conf->pool || conf->n_local > RESPONDER_MAX_LOCAL)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->wake = -1;
	s->alone = conf->host_if == 0;
	s->pool = conf->pool;
	s->responder.mac = conf->mac;
	rc = channels_make(s);
	if (rc == 0)
		rc = tables_make(s, conf->qsbr);
	if (rc == 0)
		rc = s->alone ? alone_start(s, conf) : mirror_start(s, conf->host_if);
	if (rc == 0)
		rc = thread_start(s);
	if (rc != 0) {
		slowpath_free(s);
		return rc;
	}
	*sp = s;
	return 0;
}

static void ring_drop(struct rte_ring *ring)
{
	void *m;

	while (ring && rte_ring_dequeue(ring, &m) == 0)
		rte_pktmbuf_free(m);
	rte_ring_free(ring);
}

void slowpath_free(struct slowpath *s)
{
	if (!s)
		return;
	if (s->running) {
		__atomic_store_n(&s->stop, 1, __ATOMIC_RELEASE);
		eventfd_write(s->wake, 1);
		pthread_join(s->thread, NULL);
	}
	netlink_free(s->netlink);
	neighbour_table_free(s->neighbours);
	nexthop_table_free(s->hops);
	ring_drop(s->hold);
	ring_drop(s->punt);
	ring_drop(s->frames);
	if (s->wake >= 0)
		close(s->wake);
	free(s);
}
