/*
 * What each packet that leaves by an SA needs, in every mode: its number, to be counted, a next
 * hop. Inline as ip_write.h.
 */
#pragma once

#include "dataplane/pmtu.h"
#include "dataplane/worker.h"

/* 15/16 of the sequence numbers: time for control to get new SAs. */
#define SN_NEAR_END 0xf0000000u

/* The last sixteenth: tells control. PKT_KEEP, or the reason to drop: there is none left. */
int sa_out_near_end(struct worker *w, struct pkt *p);

/* Starts at 1, and never comes round, but without the anti-replay service (RFC 4303 3.3.3). */
static inline int sa_out_number(struct worker *w, struct pkt *p)
{
	struct sa_out *out = p->out;

	if (unlikely(out->seq >= SN_NEAR_END)) {
		int reason = sa_out_near_end(w, p);

		if (reason != PKT_KEEP)
			return reason;
	}
	p->seq = ++out->seq;
	return PKT_KEEP;
}

/* When all that can fail is done: the engine refuses no packet that was laid out. */
static inline void sa_out_count(struct worker *w, const struct pkt *p)
{
	p->out->packets++;
	p->out->bytes += p->job.len;
	if (p->job.len >= PMTU_NOTED && pmtu_note_of(p) != w->noted)
		pmtu_note(w, p);
}

/*
 * The Ethernet header of a packet that begins with room for it, as long as the rest of its start is
 * at hand: sets l2_done. If its next hop is not known, or its path is a narrow one, the room goes
 * again. Most UEs are behind the same router, so that of the packet before is tried first.
 */
static inline void sa_out_link(struct worker *w, struct pkt *p, const struct ip_addr *to)
{
	const struct tx_link *link = &w->link;
	struct sa_out *out = p->out;
	struct rte_ether_hdr *eth;

	if (likely(next_hop_cache_eq(&out->hop, &link->hop) && out->pmtu == 0)) {
		eth = (struct rte_ether_hdr *)(p->ip - sizeof(*eth));
		*eth = link->eth;
		eth->ether_type = p->version == 4 ? RTE_BE16(RTE_ETHER_TYPE_IPV4)
						  : RTE_BE16(RTE_ETHER_TYPE_IPV6);
		p->l2_done = true;
		return;
	}
	rte_pktmbuf_adj(p->m, sizeof(*eth));
	if (out->pmtu == 0)
		p->l2_done = tx_ue_header(w, p->m, to, &out->hop) == 0;
}
