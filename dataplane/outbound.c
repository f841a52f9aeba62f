/*
 * The way of a packet to a UE:
 *
 *   outbound_control_burst   datagram from control: in clear, or with the SA that control named
 *   outbound_host_burst      frame from the kernel: as it is, or with the SA of its ports
 *   stage_datagram           from control: sequence number, all headers, IV, trailer, next hop
 *   stage_from_host          from the kernel: size, MSS, checksum, sequence number, ESP around it
 *   outbound_esp             crypto engine
 *   outbound_sealed          fragments, next hop where it is still open, UE port
 */
#include "dataplane/outbound.h"

#include <netinet/in.h>

#include <rte_prefetch.h>

#include "dataplane/checksum.h"
#include "dataplane/classify.h"
#include "dataplane/classify_plain.h"
#include "dataplane/esp_transport.h"
#include "dataplane/esp_tunnel.h"
#include "dataplane/ip_header.h"
#include "dataplane/mss.h"
#include "dataplane/natt.h"
#include "dataplane/owner.h"
#include "dataplane/reassemble.h"
#include "dataplane/sa_out.h"
#include "dataplane/udp.h"
#include "dataplane/worker.h"

/* ---- ESP ---------------------------------------------------------------------------------- */

/* Tells control once; if its ring is full, with the next packet. */
static void tell(struct worker *w, const struct pkt *p, uint8_t what, enum dp_event_type type)
{
	struct dp_event event = {.type = type, .set = p->id, .pair = (uint8_t)(p->slot % SA_PAIRS)};

	if (!(p->out->told & what) && control_ring_event(w, &event))
		p->out->told |= what;
}

int sa_out_near_end(struct worker *w, struct pkt *p)
{
	if (p->set->flags & SA_FLAG_NO_ANTI_REPLAY)
		return PKT_KEEP;
	tell(w, p, SA_TOLD_SN_NEAR_END, DP_EVENT_SN_NEAR_END);
	if (p->out->seq >= UINT32_MAX - 1)
		tell(w, p, SA_TOLD_SN_END, DP_EVENT_SN_END);
	return p->out->seq == UINT32_MAX ? DP_DROP_SN_EXHAUSTED : PKT_KEEP;
}

static void outbound_esp(struct worker *w, struct pkt **p, unsigned n)
{
	w->c.esp_protected += n;
	worker_mark(w, WORKER_STAGE_BUILD);
	worker_crypto(w, p, n);
}

/* With l2_done there is nothing left to do but for paths that are narrower than the port. */
static void outbound_transmit(struct worker *w, struct pkt *p)
{
	const struct ip_addr *to = &p->set->remote;

	if (likely(p->l2_done && p->out->pmtu == 0)) {
		tx_ue_frame_quick(w, p->m);
		return;
	}
	if (p->set->mode == SA_MODE_UDP_ENC_TUN) {
		to = natt_peer(w, p);
		if (p->version == 6)
			esp_tunnel_checksum(p->ip);
	}
	if (unlikely(p->out->pmtu != 0) && pmtu_exceeded(w, p))
		pmtu_transmit(w, p, to);
	else if (p->l2_done)
		tx_ue_frame(w, p->m);
	else
		tx_ue_packet(w, p->m, to, &p->out->hop);
}

void outbound_sealed(struct worker *w, struct pkt **p, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (unlikely(p[i]->job.status != ESP_OK)) {
			pkt_drop(w, p[i], DP_DROP_BAD_LENGTH);
			continue;
		}
		outbound_transmit(w, p[i]);
		pkt_put(w, p[i]);
	}
	worker_mark(w, WORKER_STAGE_DELIVER);
}

/* ---- from control ------------------------------------------------------------------------- */

static void outbound_clear(struct worker *w, const struct control_out *out)
{
	const struct control_ends *ends = control_ends_of(out->m);
	struct next_hop_cache none = {0};
	struct pkt *p = pkt_get(w, out->m);
	int reason;

	p->payload_sum = out->payload_sum;
	reason = udp_build_clear(w, p, &ends->local, &ends->remote);
	if (reason != PKT_KEEP) {
		pkt_drop(w, p, (enum dp_drop)reason);
		return;
	}
	tx_ue_packet(w, out->m, &ends->remote.addr, &none);
	pkt_put(w, p);
}

void outbound_control_prefetch(struct worker *w, const struct control_out *out, unsigned n)
{
	const struct sa_view *sa = &w->env->sa;
	unsigned i;

	for (i = 0; i < n; i++) {
		uint32_t slot = sa_slot_of_id(sa, out[i].set, out[i].pair);

		rte_prefetch0(out[i].m);
		if (i > 0 && out[i].set == out[i - 1].set) /* packets come in trains */
			continue;
		rte_prefetch0(sa_out_at(sa, slot));
		rte_prefetch0(sa_shared_at(sa, slot / SA_PAIRS));
		sa_prefetch_key_early(sa_key_at(sa, slot / SA_PAIRS));
	}
}

/* Finds the lines of the SA that control has named. */
static struct pkt *outbound_named(struct worker *w, const struct control_out *out)
{
	const struct sa_view *sa = &w->env->sa;
	struct pkt *p = pkt_get(w, out->m);

	p->id = out->set;
	p->payload_sum = out->payload_sum;
	p->slot = sa_slot_of_id(sa, out->set, out->pair);
	p->out = sa_out_at(sa, p->slot);
	p->set = sa_shared_at(sa, p->slot / SA_PAIRS);
	rte_prefetch0(rte_pktmbuf_mtod_offset(out->m, void *, -64));
	if (p->id != w->last_set)
		sa_prefetch_key_aes(sa_key_at(sa, p->slot / SA_PAIRS));
	w->last_set = p->id;
	return p;
}

static int stage_datagram(struct worker *w, struct pkt *p)
{
	/* Not `closed`: what control sent before that drains. */
	if (unlikely(sa_live(p->set) != p->id || p->out->spi == 0))
		return DP_DROP_STALE_SA;
	return p->set->transform->datagram(w, p);
}

void outbound_control_burst(struct worker *w, const struct control_out *out, unsigned n)
{
	struct pkt *p[WORKER_BURST];
	unsigned i, n_esp = 0, n_requests = 0;

	for (i = 0; i < n; i++) {
		if (unlikely(!out[i].m)) {
			natt_keepalive(w, out[i].set);
			n_requests++;
		} else if (out[i].set) {
			p[n_esp++] = outbound_named(w, &out[i]);
		} else {
			outbound_clear(w, &out[i]);
		}
	}
	w->c.from_control += n - n_requests;
	worker_mark(w, WORKER_STAGE_SA);
	n_esp = pkt_filter(w, p, n_esp, stage_datagram);
	if (n_esp)
		outbound_esp(w, p, n_esp);
}

/* ---- from the host ------------------------------------------------------------------------ */

/* The slot of a packet's outbound SA, or negative. */
static int slot_find(struct worker *w, const struct pkt *p, const rte_be16_t ports[2])
{
	struct ip_addr local, remote;
	struct tcp_key key;

	ip_source(p, &local);
	ip_destination(p, &remote);
	tcp_key_make(&key, &local, &remote, ports[0], ports[1]);
	return tcp_lookup_find(w->env->tcp, &key);
}

/* A protected port sends nothing but by its SA (TS 33.203 7.1). */
static int stage_lookup(struct worker *w, struct pkt *p)
{
	const struct sa_view *sa = &w->env->sa;
	rte_be16_t ports[2];
	uint32_t *guess;
	int slot;

	memcpy(ports, p->l4, sizeof(ports));
	guess = slot_guess_at(&w->guess, p, ports);
	if (!slot_guess_right(sa, *guess, p, ports)) {
		slot = slot_find(w, p, ports);
		if (slot < 0)
			return DP_DROP_CLEAR_FROM_PROTECTED;
		*guess = (uint32_t)slot;
	}
	p->slot = *guess;
	p->out = sa_out_at(sa, p->slot);
	p->set = sa_shared_at(sa, p->slot / SA_PAIRS);
	p->id = sa_live(p->set);
	if (p->id == 0)
		return DP_DROP_CLEAR_FROM_PROTECTED;
	if (p->id != w->last_set) /* packets come in trains */
		sa_prefetch_key(sa_key_at(sa, p->slot / SA_PAIRS), &p->set->transform->key_out);
	w->last_set = p->id;
	return PKT_KEEP;
}

/* The kernel may have left the checksum to a network card; inside ESP none can complete it. */
static int stage_checksum(struct worker *w, struct pkt *p)
{
	size_t at = ip_l4_sum_at(p->proto, p->l4_len);
	uint16_t sum = 0;

	if (at == 0)
		return DP_DROP_TRUNCATED;
	if (w->env->host.sums_whole)
		return PKT_KEEP;
	memcpy(p->l4 + at, &sum, sizeof(sum));
	sum = checksum_make(p->ip, p->version, p->proto, p->l4, p->l4_len);
	memcpy(p->l4 + at, &sum, sizeof(sum));
	return PKT_KEEP;
}

static bool outbound_is_ours(struct worker *w, struct pkt *p)
{
	uint16_t owner = owner_of_octets(ip_destination_octets(p), p->version == 4 ? 4 : 16,
					 w->env->n_workers);

	if (likely(owner == w->id))
		return true;
	handover_push(w, owner, p->m, HANDOVER_HOST_RX);
	pkt_put(w, p);
	return false;
}

/*
 * Packets of sets that others own go to them. Known by the SA only: what the host calls a tunnel's
 * peer says nothing about its owner.
 */
static unsigned outbound_hand_over(struct worker *w, struct pkt **p, unsigned n)
{
	unsigned i, kept = 0;

	for (i = 0; i < n; i++) {
		if (likely(p[i]->set->owner == w->id)) {
			p[kept++] = p[i];
			continue;
		}
		handover_push(w, p[i]->set->owner, p[i]->m, HANDOVER_HOST_RX);
		pkt_put(w, p[i]);
	}
	return kept;
}

/* Lets the packet out as it is; one put together again has lost its Ethernet header. */
static void outbound_plain(struct worker *w, struct pkt *p)
{
	struct next_hop_cache none = {0};
	struct ip_addr dst;

	if (p->l2_done) {
		tx_ue_frame(w, p->m);
	} else {
		ip_destination(p, &dst);
		rte_pktmbuf_adj(p->m, sizeof(struct rte_ether_hdr));
		tx_ue_packet(w, p->m, &dst, &none);
	}
	pkt_put(w, p);
}

/* Sends one frame on its way. Returns its packet if it needs protection. */
static struct pkt *outbound_frame(struct worker *w, struct pkt *p)
{
	struct rte_mbuf *m;

	switch (classify_host(w, p)) {
	case CLASS_PROTECT:
		return p;
	case CLASS_FRAGMENT:
		m = outbound_is_ours(w, p) ? reassemble_packet(w, p) : NULL;
		return m ? outbound_frame(w, pkt_get(w, m)) : NULL;
	case CLASS_UE:
		outbound_plain(w, p);
		return NULL;
	default:
		pkt_drop(w, p, (enum dp_drop)p->reason);
		return NULL;
	}
}

static inline struct pkt *outbound_frame_plain(struct worker *w, struct rte_mbuf *m)
{
	struct pkt *p = pkt_get(w, m);

	p->l2_done = true;
	return likely(classify_plain_host(w, p)) ? p : outbound_frame(w, p);
}

/* A tunnel's packets go elsewhere than the kernel has thought: they get a new Ethernet header. */
static int stage_host(struct worker *w, struct pkt *p)
{
	if (p->set->mode == SA_MODE_UDP_ENC_TUN)
		p->l2_done = false;
	if (!p->l2_done)
		rte_pktmbuf_adj(p->m, sizeof(struct rte_ether_hdr));
	return p->set->transform->from_host ? p->set->transform->from_host(w, p) : PKT_KEEP;
}

/* Needs no more than a look at its length: nearly all. */
static inline bool fits_surely(const struct worker *w, const struct pkt *p)
{
	uint32_t most = p->set->mode == SA_MODE_TRANSPORT ? ESP_TRANSPORT_MOST : ESP_TUNNEL_MOST;

	return p->out->pmtu == 0 && p->ip_len + p->l4_len + most <= w->env->ue.mtu;
}

/* In one go: each needs little but the packet's own lines. */
static int stage_from_host(struct worker *w, struct pkt *p)
{
	int reason = likely(fits_surely(w, p)) ? PKT_KEEP : pmtu_stage_size(w, p);

	reason = PKT_THEN(reason, stage_host(w, p));
	if (p->proto == IPPROTO_TCP)
		reason = PKT_THEN(reason, mss_clamp(w, p));
	reason = PKT_THEN(reason, stage_checksum(w, p));
	return PKT_THEN(reason, p->set->transform->seal(w, p));
}

void outbound_host_burst(struct worker *w, struct rte_mbuf **frames, unsigned n)
{
	struct pkt *p[WORKER_BURST];
	unsigned i, n_esp = 0;

	for (i = 0; i < n && i < WORKER_PREFETCH; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (i = 0; i < n; i++) {
		if (i + WORKER_PREFETCH < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + WORKER_PREFETCH], void *));
		p[n_esp] = outbound_frame_plain(w, frames[i]);
		if (!p[n_esp])
			continue;
		p[n_esp]->l4 = p[n_esp]->ip + p[n_esp]->ip_len;
		p[n_esp]->l4_len = (uint16_t)pkt_payload_len(p[n_esp]);
		n_esp++;
	}
	n_esp = pkt_filter(w, p, n_esp, stage_lookup);
	if (w->env->n_workers > 1)
		n_esp = outbound_hand_over(w, p, n_esp);
	n_esp = pkt_filter(w, p, n_esp, stage_from_host);
	if (n_esp)
		outbound_esp(w, p, n_esp);
}
