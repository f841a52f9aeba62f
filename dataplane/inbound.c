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
#include "dataplane/ip_header.h"
#include "dataplane/mss.h"
#include "dataplane/natt.h"
#include "dataplane/owner.h"
#include "dataplane/reassemble.h"
#include "dataplane/worker.h"

#define PREFETCH_AHEAD 4

/* ---- ESP, before the engine --------------------------------------------------------------- */

static int stage_spi(struct worker *w, struct pkt *p)
{
	const struct sa_view *sa = &w->env->sa;
	rte_be32_t head[2];

	if (pkt_payload_len(p) < sizeof(head))
		return DP_DROP_ESP_TOO_SHORT;
	p->job.esp = p->ip + p->ip_len;
	memcpy(head, p->job.esp, sizeof(head));
	p->spi = rte_be_to_cpu_32(head[0]);
	p->seq = rte_be_to_cpu_32(head[1]);
	p->slot = sa_slot_of_spi(sa, p->spi);
	p->in = sa_in_at(sa, p->slot);
	p->set = sa_shared_at(sa, p->slot / SA_PAIRS);
	return PKT_KEEP;
}

/*
 * In a loop of its own, and a short one: a prefetch stays in the reorder buffer until its page is
 * known, so only neighbours in the code have their page walks at the same time.
 */
static void prefetch_lines(struct pkt *const *p, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		rte_prefetch0(p[i]->in);
		rte_prefetch0(p[i]->set);
	}
}

/*
 * SPI and destination address name the SA (RFC 4301 4.1); the source address is a selector, but for
 * a tunnel's peer, whom a NAT may move.
 */
static int stage_sa(struct worker *w, struct pkt *p)
{
	const struct sa_view *sa = &w->env->sa;

	p->id = sa_live(p->set);
	if (p->id == 0 || p->spi == 0 || p->in->spi != p->spi ||
	    p->set->local.version != p->version ||
	    !ip_octets_are(ip_destination_octets(p), &p->set->local))
		return DP_DROP_UNKNOWN_SPI;
	if (unlikely(p->udp_enc != (p->set->mode == SA_MODE_UDP_ENC_TUN)))
		return DP_DROP_ENCAP;
	if (!p->udp_enc && !ip_octets_are(ip_source_octets(p), &p->set->remote))
		return DP_DROP_SELECTOR;
	p->job.key = sa_key_at(sa, p->slot / SA_PAIRS);
	return PKT_KEEP;
}

static int length_check(struct pkt *p)
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

static int sequence_check(struct worker *w, struct pkt *p)
{
	const struct sa_view *sa = &w->env->sa;

	if (unlikely(p->set->flags & SA_FLAG_NO_ANTI_REPLAY))
		return PKT_KEEP;
	return replay_check(sa->replay, sa_window(sa, p->slot), p->in->top, p->seq)
		       ? PKT_KEEP
		       : DP_DROP_REPLAY;
}

static int stage_sequence(struct worker *w, struct pkt *p)
{
	int reason = length_check(p);

	return PKT_THEN(reason, sequence_check(w, p));
}

static void prefetch_keys(const struct worker *w, struct pkt *const *p, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		sa_prefetch_key(p[i]->job.key, &p[i]->set->transform->key_in);
		rte_prefetch0(sa_window(&w->env->sa, p[i]->slot));
	}
}

static void inbound_esp(struct worker *w, struct pkt **p, unsigned n)
{
	n = pkt_filter(w, p, n, stage_sa);
	prefetch_keys(w, p, n);
	if (w->env->n_workers > 1)
		n = natt_hand_over(w, p, n);
	n = pkt_filter(w, p, n, stage_sequence);
	worker_mark(w, WORKER_STAGE_SA);
	worker_crypto(w, p, n);
}

/* ---- ESP, after the engine ---------------------------------------------------------------- */

static int icv_check(struct worker *w, struct pkt *p)
{
	if (likely(p->job.status == ESP_OK)) {
		w->c.esp_checked++;
		return PKT_KEEP;
	}
	return p->job.status == ESP_BAD_ICV ? DP_DROP_BAD_ICV : DP_DROP_BAD_LENGTH;
}

/* Checked again: the same packet may have been in the engine twice. */
static int sequence_update(struct worker *w, struct pkt *p)
{
	const struct sa_view *sa = &w->env->sa;
	uint64_t *window = sa_window(sa, p->slot);

	if (likely(!(p->set->flags & SA_FLAG_NO_ANTI_REPLAY))) {
		if (!replay_check(sa->replay, window, p->in->top, p->seq))
			return DP_DROP_REPLAY;
		replay_update(sa->replay, window, &p->in->top, p->seq);
	} else if (p->seq > p->in->top) {
		p->in->top = p->seq;
	}
	p->in->packets++;
	p->in->bytes += p->job.len;
	return PKT_KEEP;
}

/* Addresses were compared when the SA was found; protocol by `open`; the ports here. UDP's checksum
 * is left to dp_recv(): control reads the payload anyway. */
static int selectors_check(const struct pkt *p)
{
	unsigned pair = p->slot % SA_PAIRS;
	rte_be16_t ports[2]; /* UDP and TCP begin with source and destination */

	if (p->l4_len < sizeof(ports))
		return DP_DROP_TRUNCATED;
	memcpy(ports, p->l4, sizeof(ports));
	if (ports[0] != p->set->remote_port[pair] || ports[1] != p->set->local_port[pair])
		return DP_DROP_SELECTOR;
	if (p->proto == IPPROTO_UDP)
		return ip_udp_length_check((const struct rte_udp_hdr *)p->l4, p->l4_len);
	return ip_tcp_check((const struct rte_tcp_hdr *)p->l4, p->l4_len);
}

static int stage_open(struct worker *w, struct pkt *p)
{
	int reason = icv_check(w, p);

	reason = PKT_THEN(reason, sequence_update(w, p));
	reason = PKT_THEN(reason, p->set->transform->open(w, p));
	return PKT_THEN(reason, selectors_check(p));
}

static void to_host(struct worker *w, struct pkt *p)
{
	tx_host_frame(w, p->m);
	pkt_put(w, p);
}

static void inbound_deliver(struct worker *w, struct pkt **p, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (p[i]->proto == IPPROTO_UDP && likely(!(p[i]->set->flags & SA_FLAG_MANUAL))) {
			control_ring_push(w, p[i], (const struct rte_udp_hdr *)p[i]->l4);
			continue;
		}
		p[i]->set->transform->to_host(w, p[i]);
		mss_clamp(w, p[i]);
		to_host(w, p[i]);
	}
}

void inbound_opened(struct worker *w, struct pkt **p, unsigned n)
{
	n = pkt_filter(w, p, n, stage_open);
	worker_mark(w, WORKER_STAGE_OPEN);
	inbound_deliver(w, p, n);
	worker_mark(w, WORKER_STAGE_DELIVER);
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

/* Sends one frame on its way. Returns its packet if it is ESP for us. */
static struct pkt *inbound_frame(struct worker *w, struct rte_mbuf *m)
{
	struct pkt *p = pkt_get(w, m);

	switch (classify_ue(w, p)) {
	case CLASS_ESP:
		return inbound_is_ours(w, p) ? p : NULL;
	case CLASS_FRAGMENT:
		m = inbound_is_ours(w, p) ? reassemble_packet(w, p) : NULL;
		return m ? inbound_frame(w, m) : NULL;
	case CLASS_UDP_ENC:
		return natt_input(w, p) ? p : NULL;
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

unsigned inbound_rest(struct worker *w)
{
	struct pkt *esp[WORKER_BURST];
	unsigned n = w->n_esp_ahead;

	w->n_esp_ahead = 0;
	memcpy(esp, w->esp_ahead, n * sizeof(esp[0]));
	if (n)
		inbound_esp(w, esp, n);
	return n;
}

void inbound_burst(struct worker *w, struct rte_mbuf **frames, unsigned n)
{
	struct pkt *esp[WORKER_BURST];
	unsigned i, n_esp = 0;

	for (i = 0; i < n && i < PREFETCH_AHEAD; i++)
		rte_prefetch0(rte_pktmbuf_mtod(frames[i], void *));
	for (i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			rte_prefetch0(rte_pktmbuf_mtod(frames[i + PREFETCH_AHEAD], void *));
		esp[n_esp] = inbound_frame(w, frames[i]);
		n_esp += esp[n_esp] != NULL;
	}
	n_esp = pkt_filter(w, esp, n_esp, stage_spi);
	prefetch_lines(esp, n_esp);
	worker_mark(w, WORKER_STAGE_CLASSIFY);
	(void)inbound_rest(w);
	memcpy(w->esp_ahead, esp, n_esp * sizeof(esp[0]));
	w->n_esp_ahead = n_esp;
	if (n < WORKER_BURST) /* no load: no reason to wait */
		(void)inbound_rest(w);
}
