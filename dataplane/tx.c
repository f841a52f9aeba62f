#include "dataplane/tx.h"

#include <errno.h>
#include <netinet/in.h>

#include <rte_arp.h>
#include <rte_ethdev.h>
#include <rte_ip.h>

#include "dataplane/ip_header.h"
#include "dataplane/worker.h"

#define TX_MAX_PIECES 64

/* ---- frames into bursts ------------------------------------------------------------------- */

static void batch_send(struct worker *w, struct tx_batch *b, uint16_t port, uint64_t *sent)
{
	uint16_t n = rte_eth_tx_burst(port, w->id, b->m, (uint16_t)b->n);
	unsigned i;

	*sent += n;
	for (i = n; i < b->n; i++)
		worker_drop(w, b->m[i], DP_DROP_TX_FULL);
	b->n = 0;
}

void tx_ue_raw(struct worker *w, struct rte_mbuf *m)
{
	if (w->ue_sender != w->id) {
		handover_push(w, w->ue_sender, m, HANDOVER_UE_TX);
		return;
	}
	if (w->tx_ue.n == TX_BATCH)
		batch_send(w, &w->tx_ue, w->env->ue.id, &w->c.ue_tx);
	w->tx_ue.m[w->tx_ue.n++] = m;
}

void tx_host_raw(struct worker *w, struct rte_mbuf *m)
{
	if (w->host_sender != w->id) {
		handover_push(w, w->host_sender, m, HANDOVER_HOST_TX);
		return;
	}
	if (w->tx_host.n == TX_BATCH)
		batch_send(w, &w->tx_host, w->env->host.id, &w->c.host_tx);
	w->tx_host.m[w->tx_host.n++] = m;
}

void tx_flush(struct worker *w)
{
	if (w->tx_ue.n)
		batch_send(w, &w->tx_ue, w->env->ue.id, &w->c.ue_tx);
	if (w->tx_host.n)
		batch_send(w, &w->tx_host, w->env->host.id, &w->c.host_tx);
}

/* ---- fragmentation ------------------------------------------------------------------------ */

/* Cuts a frame that holds a large IP packet, and sends the pieces with its Ethernet header. */
static void tx_pieces(struct worker *w, struct rte_mbuf *m, uint16_t mtu,
		      void (*raw)(struct worker *w, struct rte_mbuf *m))
{
	struct rte_ether_hdr eth = *rte_pktmbuf_mtod(m, struct rte_ether_hdr *), *head;
	struct rte_mbuf *pieces[TX_MAX_PIECES];
	unsigned n, i;

	rte_pktmbuf_adj(m, sizeof(eth));
	n = frag_split(m, mtu, ++w->fragment_id, w->env->pool, pieces, TX_MAX_PIECES);
	if (n == 0)
		worker_drop(w, m, DP_DROP_TOO_BIG);
	for (i = 0; i < n; i++) {
		head = (struct rte_ether_hdr *)rte_pktmbuf_prepend(pieces[i], sizeof(eth));
		if (!head) {
			worker_drop(w, pieces[i], DP_DROP_NO_BUFFER);
			continue;
		}
		*head = eth;
		raw(w, pieces[i]);
	}
}

static bool tx_too_long(const struct rte_mbuf *m, uint16_t mtu)
{
	return unlikely(rte_pktmbuf_data_len(m) > mtu + sizeof(struct rte_ether_hdr));
}

/* ---- to the UE side ----------------------------------------------------------------------- */

void tx_ue_frame(struct worker *w, struct rte_mbuf *m)
{
	if (tx_too_long(m, w->env->ue.mtu))
		tx_pieces(w, m, w->env->ue.mtu, tx_ue_raw);
	else
		tx_ue_raw(w, m);
}

static rte_be16_t ether_type(const struct rte_mbuf *packet)
{
	bool v6 = *rte_pktmbuf_mtod(packet, const uint8_t *) >> 4 == 6;

	return rte_cpu_to_be_16(v6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
}

static int link_find(struct worker *w, const struct ip_addr *dst, struct next_hop_cache *cache)
{
	struct tx_link *link = &w->link;
	int rc;

	if (likely(next_hop_cache_eq(cache, &link->hop)))
		return 0;
	rc = slowpath_next_hop(w->env->slowpath, dst, cache, &link->eth.dst_addr);
	link->hop = *cache;
	if (rc < 0)
		link->hop.index = TX_NO_HOP;
	return rc;
}

int tx_ue_header(struct worker *w, struct rte_mbuf *m, const struct ip_addr *dst,
		 struct next_hop_cache *cache)
{
	rte_be16_t type = ether_type(m);
	struct rte_ether_hdr *eth;
	int rc = link_find(w, dst, cache);

	if (unlikely(rc < 0))
		return rc;
	eth = (struct rte_ether_hdr *)rte_pktmbuf_prepend(m, sizeof(*eth));
	if (unlikely(!eth))
		return -ENOBUFS;
	*eth = w->link.eth;
	eth->ether_type = type;
	return 0;
}

void tx_ue_packet(struct worker *w, struct rte_mbuf *m, const struct ip_addr *dst,
		  struct next_hop_cache *cache)
{
	int rc = tx_ue_header(w, m, dst, cache);

	if (likely(rc == 0))
		tx_ue_frame(w, m);
	else if (rc != -EAGAIN || !slowpath_hold(w->env->slowpath, m))
		worker_drop(w, m, rc == -ENOBUFS ? DP_DROP_NO_BUFFER : DP_DROP_NO_NEXT_HOP);
}

/* ---- to the host -------------------------------------------------------------------------- */

void tx_host_header(struct worker *w, struct rte_mbuf *m)
{
	rte_be16_t type = ether_type(m);
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)rte_pktmbuf_prepend(m, sizeof(*eth));

	if (!eth) /* reassembled packets have the usual headroom */
		return;
	/* The kernel looks at the destination alone; the source is a local one that nobody has. */
	*eth = (struct rte_ether_hdr){
		.dst_addr = w->env->ue.mac,
		.src_addr.addr_bytes = {RTE_ETHER_LOCAL_ADMIN_ADDR},
		.ether_type = type,
	};
}

/* What the slow path answers when there is no kernel to do it: ARP, ND, echo. */
static bool tx_is_punted(const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip4 = (const struct rte_ipv4_hdr *)(eth + 1);
	const struct rte_ipv6_hdr *ip6 = (const struct rte_ipv6_hdr *)(eth + 1);
	uint32_t len = rte_pktmbuf_data_len(m);

	if (len < sizeof(*eth))
		return false;
	switch (rte_be_to_cpu_16(eth->ether_type)) {
	case RTE_ETHER_TYPE_ARP:
		return true;
	case RTE_ETHER_TYPE_IPV4:
		return len >= sizeof(*eth) + sizeof(*ip4) && ip4->next_proto_id == IPPROTO_ICMP;
	case RTE_ETHER_TYPE_IPV6:
		return len >= sizeof(*eth) + sizeof(*ip6) && ip6->proto == IPPROTO_ICMPV6;
	default:
		return false;
	}
}

static void tx_punt(struct worker *w, struct rte_mbuf *m)
{
	if (!tx_is_punted(m) || !slowpath_punt(w->env->slowpath, m))
		worker_drop(w, m, DP_DROP_NOT_FOR_US);
}

/* A host port without a kernel interface that we know: both it and the slow path get the frame. */
static void tx_punt_copy(struct worker *w, const struct rte_mbuf *m)
{
	struct rte_mbuf *copy;

	if (!tx_is_punted(m))
		return;
	copy = rte_pktmbuf_copy(m, w->env->pool, 0, UINT32_MAX);
	if (copy && !slowpath_punt(w->env->slowpath, copy))
		rte_pktmbuf_free(copy);
}

/*
 * Larger than what the host port takes, which is less than the UE port by what ESP adds: nobody
 * outside can know of that hop, or shall be told, so DF does not count for it.
 */
static void tx_host_pieces(struct worker *w, struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);

	if (eth->ether_type == RTE_BE16(RTE_ETHER_TYPE_IPV4))
		ip4_df_clear((struct rte_ipv4_hdr *)(eth + 1));
	tx_pieces(w, m, w->env->host.mtu, tx_host_raw);
}

void tx_host_frame(struct worker *w, struct rte_mbuf *m)
{
	if (!w->env->has_host) {
		tx_punt(w, m);
		return;
	}
	if (w->env->own_neighbours)
		tx_punt_copy(w, m);
	if (tx_too_long(m, w->env->host.mtu))
		tx_host_pieces(w, m);
	else
		tx_host_raw(w, m);
}
