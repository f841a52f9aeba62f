/* A fragment's stop on its way through a pipeline, the same in both directions. */
#pragma once

#include <rte_mbuf.h>

struct worker;
struct pkt;

/*
 * Takes the fragment and its context. NULL while pieces are missing; else a frame with the whole
 * packet, to be classified again: its Ethernet header is a new one, as the host sees frames.
 */
struct rte_mbuf *reassemble_packet(struct worker *w, struct pkt *p);
