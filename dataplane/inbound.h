/* From the UE port to control or to the host. */
#pragma once

#include <rte_mbuf.h>

struct worker;
struct pkt;

/* Frames as the UE port received them; n <= WORKER_BURST. Takes them. */
void inbound_burst(struct worker *w, struct rte_mbuf **frames, unsigned n);
/* What the crypto engine has checked and decrypted. */
void inbound_opened(struct worker *w, struct pkt **p, unsigned n);

/*
 * The ESP of a full burst is carried when the next one comes, so that the lines of its SAs have
 * time to come into cache; or by this, when none comes. Returns packets.
 */
unsigned inbound_rest(struct worker *w);
