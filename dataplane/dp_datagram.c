/* SIP over UDP, control's side (dataplane.h): into a packet buffer once, and read in place. */
#include "dataplane/dp.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_udp.h>

#include "dataplane/checksum.h"
#include "dataplane/owner.h"

/*
 * Before the UDP payload: Ethernet, outer IPv6 and UDP, ESP header, IV, IPv6, UDP: 134. After it:
 * padding, trailer, ICV.
 */
#define SEND_HEADROOM (RTE_PKTMBUF_HEADROOM + 32)
#define SEND_TAILROOM 32

_Static_assert(SEND_HEADROOM >= 134 && SEND_HEADROOM >= sizeof(struct control_ends) + 62,
	       "a clear datagram's headers, IPv6, leave its ends alone");

/* ---- receiving ---------------------------------------------------------------------------- */

static unsigned recv_kind(struct dp *dp, bool secured, struct dp_packet *pkts, unsigned n)
{
	unsigned got = 0, i;

	for (i = 0; i < dp->env.n_workers && got < n; i++) {
		struct worker *w = dp->workers[(dp->next + i) % dp->env.n_workers];

		got += control_ring_recv(&w->control, secured, pkts + got, n - got);
	}
	return got;
}

/* As the peer has summed it up: over the addresses and ports that both ends of the SA know. */
static bool datagram_sum_right(const struct dp_packet *pkt)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)pkt->data - 1;
	uint64_t sum = rte_cpu_to_be_16(IPPROTO_UDP) + (uint64_t)udp->dgram_len;
	bool v4 = pkt->local.addr.version == 4;

	if (udp->dgram_cksum == 0) /* "none" is for IPv4 only (RFC 8200 8.1) */
		return v4;
	sum += checksum_octets(pkt->local.addr.b, v4 ? 4 : 16);
	sum += checksum_octets(pkt->remote.addr.b, v4 ? 4 : 16);
	sum += checksum_octets(udp, rte_be_to_cpu_16(udp->dgram_len));
	return checksum_fold(sum) == 0xffff;
}

/* What the workers have left to us of protected datagrams: the first to read all of the payload. */
static unsigned recv_filter(struct dp *dp, struct dp_packet *pkts, unsigned n)
{
	unsigned i, kept = 0;

	for (i = 0; i < n; i++) {
		if (likely(datagram_sum_right(&pkts[i]))) {
			pkts[kept++] = pkts[i];
			continue;
		}
		dp->bad_udp++;
		rte_pktmbuf_free(pkts[i].buf);
	}
	return kept;
}

unsigned dp_recv(struct dp *dp, struct dp_packet *pkts, unsigned n)
{
	unsigned got = recv_filter(dp, pkts, recv_kind(dp, true, pkts, n));

	got += recv_kind(dp, false, pkts + got, n - got);
	dp->next = (uint16_t)((dp->next + 1) % dp->env.n_workers);
	sa_table_reclaim(dp->sa);
	return got;
}

void dp_release(struct dp *dp, struct dp_packet *pkts, unsigned n)
{
	unsigned i;

	(void)dp;
	for (i = 0; i < n; i++)
		rte_pktmbuf_free(pkts[i].buf);
}

/* ---- sending ------------------------------------------------------------------------------ */

/* Which worker sends it; negative if it must not be sent. */
static int send_worker(const struct dp *dp, const struct dp_out *out)
{
	const struct sa_shared *set;

	if (out->set) {
		set = sa_shared_at(&dp->env.sa, sa_slot_of_id(&dp->env.sa, out->set, 0) / SA_PAIRS);
		if (out->pair >= SA_PAIRS)
			return -EINVAL;
		return sa_live(set) == out->set ? set->owner : -ESTALE;
	}
	if (out->local.port >= dp->env.protected_min && out->local.port <= dp->env.protected_max)
		return -EPERM;
	if (out->remote.addr.version == 0 || out->remote.addr.version != out->local.addr.version)
		return -EINVAL;
	return owner_of(&out->remote.addr, dp->env.n_workers);
}

static size_t iov_octets(const struct iovec *iov, unsigned n_iov)
{
	size_t len = 0;
	unsigned i;

	for (i = 0; i < n_iov; i++)
		len += iov[i].iov_len;
	return len;
}

static bool send_fits(const struct rte_mempool *pool, size_t len)
{
	return len + SEND_HEADROOM + SEND_TAILROOM <=
	       rte_pktmbuf_data_room_size((struct rte_mempool *)(uintptr_t)pool);
}

static int send_copy(struct dp *dp, const struct iovec *iov, unsigned n_iov,
		     struct control_out *item)
{
	size_t len = iov_octets(iov, n_iov);
	struct rte_mempool *pool = send_fits(dp->env.pool, len) ? dp->env.pool : dp->env.large;
	struct rte_mbuf *m;
	char *to;
	unsigned i;

	if (!send_fits(pool, len))
		return -EMSGSIZE;
	m = rte_pktmbuf_alloc(pool);
	if (!m)
		return -ENOBUFS;
	m->data_off = SEND_HEADROOM;
	to = rte_pktmbuf_append(m, (uint16_t)len);
	for (i = 0; i < n_iov; i++) {
		memcpy(to, iov[i].iov_base, iov[i].iov_len);
		to += iov[i].iov_len;
	}
	item->m = m;
	item->payload_sum =
		checksum_fold(checksum_octets(rte_pktmbuf_mtod(m, void *), (uint32_t)len));
	return 0;
}

/* keepalive_tick()'s: a set that is due goes to its owner. */
static bool keepalive_ask(void *arg, sa_set_id id)
{
	struct dp *dp = arg;
	struct control_out item = {.set = id};
	int worker = send_worker(dp, &(struct dp_out){.set = id});

	if (worker < 0)
		return false;
	(void)control_ring_send(&dp->workers[worker]->control, &item); /* full: it is not idle */
	return true;
}

void dp_keepalive(struct dp *dp, uint64_t now_ms)
{
	keepalive_tick(&dp->keepalive, now_ms, keepalive_ask, dp);
}

int dp_send(struct dp *dp, const struct dp_out *out, const struct iovec *iov, unsigned n_iov)
{
	struct control_out item = {.set = out->set, .pair = out->pair};
	bool ended = out->set && !sa_table_sends(dp->sa, out->set);
	int worker = ended ? -ESTALE : send_worker(dp, out);
	int rc = worker < 0 ? worker : send_copy(dp, iov, n_iov, &item);

	if (rc < 0)
		return rc;
	if (!out->set)
		*control_ends_of(item.m) = (struct control_ends){out->local, out->remote};
	if (control_ring_send(&dp->workers[worker]->control, &item))
		return 0;
	rte_pktmbuf_free(item.m);
	return -ENOBUFS;
}
