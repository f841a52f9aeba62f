#include "dataplane/segments.h"

#include "dataplane/worker.h"

/* As much room behind as ESP puts there: a linearised frame without it could not be protected. */
#define SEGMENTS_TAILROOM 32

struct rte_mbuf *segments_join(struct worker *w, struct rte_mbuf *m)
{
	struct rte_mbuf *whole;
	char *to;

	if (m->pkt_len > UINT16_MAX)
		return NULL;
	if (RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 &&
	    rte_pktmbuf_tailroom(m) >= m->pkt_len - m->data_len + SEGMENTS_TAILROOM) {
		w->c.joined++;
		return rte_pktmbuf_linearize(m) == 0 ? m : NULL;
	}
	whole = rte_pktmbuf_alloc(w->env->large);
	if (!whole)
		return NULL;
	to = rte_pktmbuf_append(whole, (uint16_t)m->pkt_len);
	if (!to) {
		rte_pktmbuf_free(whole);
		return NULL;
	}
	for (const struct rte_mbuf *s = m; s; s = s->next) {
		memcpy(to, rte_pktmbuf_mtod(s, const void *), s->data_len);
		to += s->data_len;
	}
	whole->port = m->port;
	rte_pktmbuf_free(m);
	w->c.joined++;
	return whole;
}
