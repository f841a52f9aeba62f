/*
 * The way of a packet from a UE:
 *
 *   inbound_burst      what is it: ESP, fragment, clear SIP, the host's
 *   inbound_esp        SPI -> SA -> length -> replay check -> crypto engine
 *   inbound_opened     ICV -> replay update -> trailer -> selectors -> UDP to control, TCP to host
 *
 * Each stage is a function over one packet, run over the burst by pkt_filter(); the next one starts
 * when all have passed it, and what it needs of an SA has been prefetched meanwhile.
 */
#include "dataplane/inbound.h"

#include <netinet/in.h>

#include <rte_prefetch.h>
#include <rte_tcp.h>

#include "dataplane/classify.h"
#include "dataplane/classify_plain.h"
#include "dataplane/ip_header.h"
#include "dataplane/mss.h"
#include "dataplane/natt.h"
#include "dataplane/owner.h"
#include "dataplane/reassemble.h"
#include "dataplane/sa_in.h"
#include "dataplane/worker.h"

/* ---- ESP, before the engine --------------------------------------------------------------- */

/* Finds the lines of the SA that the SPI names, to be prefetched. */
static inline void esp_find(struct worker *w, struct pkt *p)
{
	const struct sa_view *sa = &w->env->sa;
	uint8_t *esp = p->ip + p->ip_len;
	rte_be32_t head[2];

	memcpy(head, esp, sizeof(head));
	p->job.esp = esp;
	p->spi = rte_be_to_cpu_32(head[0]);
	p->seq = rte_be_to_cpu_32(head[1]);
	p->slot = sa_slot_of_spi(sa, p->spi);
	p->in = sa_in_at(sa, p->slot);
	p->set = sa_shared_at(sa, p->slot / SA_PAIRS);
}

/*
 * In a loop of its own, and a short one: a prefetch stays in the reorder buffer until its page is
 * known, so only neighbours in the code have their page walks at the same time.
 */
static void prefetch_lines(struct pkt *const *p, unsigned n)
{
	const struct sa_in *before = NULL;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (p[i]->in == before) /* packets come in trains */
			continue;
		before = p[i]->in;
		rte_prefetch0(before);
		rte_prefetch0(p[i]->set);
	}
}

/*
 * SPI and destination address name the SA (RFC 4301 4.1); the source address is a selector, but for
 * a tunnel's peer, whom a NAT may move.
 */
static inline int sa_check(const struct pkt *p)
{
	const struct sa_shared *set = p->set;

	if (p->id == 0 || p->spi == 0 || p->in->spi != p->spi || set->local.version != p->version ||
	    !ip_octets_are(ip_destination_octets(p), &set->local))
		return DP_DROP_UNKNOWN_SPI;
	if (unlikely(p->udp_enc != (set->mode == SA_MODE_UDP_ENC_TUN)))
		return DP_DROP_ENCAP;
	if (!p->udp_enc && !ip_octets_are(ip_source_octets(p), &set->remote))
		return DP_DROP_SELECTOR;
	return PKT_KEEP;
}

static inline int length_check(struct pkt *p)
{
	const struct sa_transform *t = p->set->transform;
	uint32_t len = pkt_payload_len(p);

	if (len < (uint32_t)t->overhead + t->block_len + ESP_ICV_LEN)
		return DP_DROP_ESP_TOO_SHORT;
	len -= ESP_ICV_LEN;
	if ((len - t->overhead) & (t->block_len - 1u))
		return DP_DROP_BAD_LENGTH;
	p->job.len = (uint16_t)len;
	p->job.inbound = true;
	return PKT_KEEP;
}

static int stage_sa(struct worker *w, struct pkt *p)
{
	int reason;

	p->id = sa_live(p->set);
	reason = sa_check(p);
	if (unlikely(reason != PKT_KEEP))
		return reason;
	/* A NAT's address says nothing about the owner. */
	if (unlikely(p->udp_enc && p->set->owner != w->id)) {
		handover_push(w, p->set->owner, p->m, HANDOVER_UE_RX);
		return PKT_TAKEN;
	}
	p->job.key = &sa_block_of(p->set)->key;
	if (p->id != w->last_set) { /* packets come in trains */
		sa_prefetch_key(p->job.key, &p->set->transform->key_in);
		rte_prefetch0(sa_window(&w->env->sa, p->slot));
	}
	w->last_set = p->id;
	reason = length_check(p);
	return PKT_THEN(reason, sa_in_check(w, p));
}

static void inbound_esp(struct worker *w, struct pkt **p, unsigned n)
{
	n = pkt_filter(w, p, n, stage_sa);
	worker_mark(w, WORKER_STAGE_SA);
	worker_crypto(w, p, n);
}

/* ---- ESP, after the engine ---------------------------------------------------------------- */

static void to_host(struct worker *w, struct pkt *p)
{
	tx_host_frame(w, p->m);
	pkt_put(w, p);
}

/* To control, or plain again to the host's stack. */
static inline void inbound_deliver(struct worker *w, struct pkt *p)
{
	if (likely(p->proto == IPPROTO_UDP && !(p->set->flags & SA_FLAG_MANUAL))) {
		control_ring_push(w, p, (const struct rte_udp_hdr *)p->l4);
		return;
	}
	p->set->transform->to_host(w, p);
	if (p->proto == IPPROTO_TCP)
		mss_clamp(w, p);
	tx_host_frame_quick(w, p->m);
	pkt_put(w, p);
}

static int stage_open(struct worker *w, struct pkt *p)
{
	if (unlikely(p->job.status != ESP_OK))
		return p->job.status == ESP_BAD_ICV ? DP_DROP_BAD_ICV : DP_DROP_BAD_LENGTH;
	w->c.esp_checked++;
	return p->set->transform->open(w, p);
}

void inbound_opened(struct worker *w, struct pkt **p, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		int reason = stage_open(w, p[i]);

		if (likely(reason == PKT_KEEP))
			inbound_deliver(w, p[i]);
		else if (reason == PKT_TAKEN)
			pkt_put(w, p[i]);
		else
			pkt_drop(w, p[i], (enum dp_drop)reason);
	}
	worker_mark(w, WORKER_STAGE_OPEN);
}

/* ---- all frames --------------------------------------------------------------------------- */

/* Is this worker the one for the packet? If not, it is handed over. */
static bool inbound_is_ours(struct worker *w, struct pkt *p)
{
	uint16_t owner =
		owner_of_octets(ip_source_octets(p), p->version == 4 ? 4 : 16, w->env->n_workers);

	if (likely(owner == w->id))
		return true;
	handover_push(w, owner, p->m, HANDOVER_UE_RX);
	pkt_put(w, p);
	return false;
}

/* ESP with room for its header. */
static struct pkt *inbound_esp_header(struct worker *w, struct pkt *p)
{
	if (likely(pkt_payload_len(p) >= ESP_HEADER_LEN)) {
		esp_find(w, p);
		return p;
	}
	pkt_drop(w, p, DP_DROP_ESP_TOO_SHORT);
	return NULL;
}

/* Sends one frame on its way. Returns its packet if it is ESP for us. */
static struct pkt *inbound_frame(struct worker *w, struct pkt *p)
{
	struct rte_mbuf *m;

	switch (classify_ue(w, p)) {
	case CLASS_ESP:
		return inbound_is_ours(w, p) ? inbound_esp_header(w, p) : NULL;
	case CLASS_FRAGMENT:
		m = inbound_is_ours(w, p) ? reassemble_packet(w, p) : NULL;
		return m ? inbound_frame(w, pkt_get(w, m)) : NULL;
	case CLASS_UDP_ENC:
		return natt_input(w, p) ? inbound_esp_header(w, p) : NULL;
	case CLASS_ICMP:
		if (pmtu_hear(w, p))
			to_host(w, p);
		return NULL;
	case CLASS_SIP:
		control_ring_push(w, p, (const struct rte_udp_hdr *)(p->ip + p->ip_len));
		return NULL;
	case CLASS_HOST:
		to_host(w, p);
		return NULL;
	default:
		pkt_drop(w, p, (enum dp_drop)p->reason);
		return NULL;
	}
}

/* What nearly all frames are needs no more than this; any doubt goes the long way. */
static inline struct pkt *inbound_frame_plain(struct worker *w, struct rte_mbuf *m)
{
	struct pkt *p = pkt_get(w, m);

	if (unlikely(!classify_plain_esp(w, p)))
		return inbound_frame(w, p);
	if (unlikely(!p->udp_enc && !inbound_is_ours(w, p)))
		return NULL;
	esp_find(w, p);
	return p;
}

unsigned inbound_rest(struct worker *w)
{
	struct pkt **esp = w->esp_ahead[w->esp_ahead_at];
	unsigned n = w->n_esp_ahead;

	w->n_esp_ahead = 0;
	w->esp_ahead_at = !w->esp_ahead_at;
	if (n)
		inbound_esp(w, esp, n);
	return n;
}

void inbound_burst(struct worker *w, struct rte_mbuf **frames, unsigned n)
{
	struct pkt **esp = w->esp_ahead[!w->esp_ahead_at];
	unsigned i, n_esp = 0;

	for (i = 0; i < n && i < WORKER_PREFETCH; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (i = 0; i < n; i++) {
		if (i + WORKER_PREFETCH < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + WORKER_PREFETCH], void *));
		esp[n_esp] = inbound_frame_plain(w, frames[i]);
		n_esp += esp[n_esp] != NULL;
	}
	prefetch_lines(esp, n_esp);
	worker_mark(w, WORKER_STAGE_CLASSIFY);
	(void)inbound_rest(w); /* now `esp` is the one ahead */
	w->n_esp_ahead = n_esp;
	if (n < WORKER_BURST) /* no load: no reason to wait */
		(void)inbound_rest(w);
}
