/*
 * What each packet that came by an SA goes through, in every mode: its number, the SA's selectors.
 * Inline as ip_write.h.
 */
#pragma once

#include <netinet/in.h>

#include "dataplane/ip_header.h"
#include "dataplane/worker.h"

/* Is the number new? PKT_KEEP or DP_DROP_REPLAY. */
static inline int sa_in_check(const struct worker *w, const struct pkt *p)
{
	const struct sa_view *sa = &w->env->sa;

	if (unlikely(p->set->flags & SA_FLAG_NO_ANTI_REPLAY))
		return PKT_KEEP;
	return replay_check(sa->replay, sa_window(sa, p->slot), p->in->top, p->seq)
		       ? PKT_KEEP
		       : DP_DROP_REPLAY;
}

/* The ICV is good: the number is used up. Checked again, as it may have been in the engine twice.
 */
static inline int sa_in_take(const struct worker *w, const struct pkt *p)
{
	const struct sa_view *sa = &w->env->sa;
	struct sa_in *in = p->in;
	uint64_t *window = sa_window(sa, p->slot);

	if (unlikely(p->set->flags & SA_FLAG_NO_ANTI_REPLAY)) {
		if (p->seq > in->top)
			in->top = p->seq;
	} else {
		if (!replay_check(sa->replay, window, in->top, p->seq))
			return DP_DROP_REPLAY;
		replay_update(sa->replay, window, &in->top, p->seq);
	}
	in->packets++;
	in->bytes += p->job.len;
	return PKT_KEEP;
}

/*
 * Ports and lengths of UDP or TCP; addresses were compared when the SA was found, in a tunnel when
 * it was opened. UDP's checksum is left to dp_recv(): control reads the payload anyway.
 */
static inline int sa_in_selectors(const struct pkt *p)
{
	unsigned pair = p->slot % SA_PAIRS;
	rte_be16_t ports[2]; /* UDP and TCP begin with source and destination */

	if (p->l4_len < sizeof(ports))
		return DP_DROP_TRUNCATED;
	memcpy(ports, p->l4, sizeof(ports));
	if (ports[0] != p->set->remote_port[pair] || ports[1] != p->set->local_port[pair])
		return DP_DROP_SELECTOR;
	if (likely(p->proto == IPPROTO_UDP))
		return ip_udp_length_check((const struct rte_udp_hdr *)p->l4, p->l4_len);
	return ip_tcp_check((const struct rte_tcp_hdr *)p->l4, p->l4_len);
}
