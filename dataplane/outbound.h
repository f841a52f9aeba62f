/* From control and from the host to the UE port. */
#pragma once

#include <rte_mbuf.h>

struct worker;
struct pkt;
struct control_out;

/* A burst that will come next: brings what it needs of its SAs into cache. */
void outbound_control_prefetch(struct worker *w, const struct control_out *out, unsigned n);
/* Datagrams from control, and requests for keepalives; n <= WORKER_BURST. Takes them. */
void outbound_control_burst(struct worker *w, const struct control_out *out, unsigned n);
/* Frames as the host port received them; n <= WORKER_BURST. Takes them. */
void outbound_host_burst(struct worker *w, struct rte_mbuf **frames, unsigned n);
/* What the crypto engine has encrypted. */
void outbound_sealed(struct worker *w, struct pkt **p, unsigned n);
