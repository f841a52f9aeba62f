/* NAT traversal (RFC 3948): what comes to UDP port 4500, and where a tunnel's peer is. */
#pragma once

#include "dataplane/packet.h"

struct worker;

/*
 * A datagram to the port of ESP in UDP. True: ESP, ip_len reaches up to it. False: it was something
 * else, and is taken care of.
 */
bool natt_input(struct worker *w, struct pkt *p);

/* Packets whose set another worker owns go there: a NAT's address says nothing about the owner. */
unsigned natt_hand_over(struct worker *w, struct pkt **p, unsigned n);

/* Where a packet came from, outside. */
struct natt_source {
	const uint8_t *addr;
	uint8_t version;
	rte_be16_t port;
};

struct natt_source natt_source(const struct pkt *p);

/* From an authenticated packet of its own: the peer is there, if no newer packet said otherwise. */
void natt_learn(struct worker *w, const struct pkt *p, const struct natt_source *from);

/* Outbound, after encryption: finishes the outer header. Returns where the packet goes. */
const struct ip_addr *natt_sealed(struct worker *w, struct pkt *p);

/* Sends a keepalive if nothing was sent by the set since the last time. */
void natt_keepalive(struct worker *w, sa_set_id id);
