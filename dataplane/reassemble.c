#include "dataplane/reassemble.h"

#include "dataplane/worker.h"

struct rte_mbuf *reassemble_packet(struct worker *w, struct pkt *p)
{
	struct rte_mbuf *m;

	rte_pktmbuf_adj(p->m, sizeof(struct rte_ether_hdr));
	m = frag_reassemble(w->frag, p->m, w->now);
	pkt_put(w, p);
	if (m)
		tx_host_header(w, m);
	return m;
}
