/* NAT traversal (RFC 3948): what comes to UDP port 4500, and where a tunnel's peer is. */
#pragma once

#include <string.h>

#include <rte_udp.h>

#include "dataplane/packet.h"

struct worker;

/* Does a datagram of len octets to that port look like ESP? IKE begins with four zeros. */
static inline bool natt_is_esp(const struct rte_udp_hdr *udp, uint32_t len)
{
	uint32_t spi;

	if (len < sizeof(*udp) + sizeof(spi))
		return false;
	memcpy(&spi, udp + 1, sizeof(spi));
	return spi != 0;
}

/*
 * A datagram to the port of ESP in UDP. True: ESP, ip_len reaches up to it. False: it was something
 * else, and is taken care of.
 */
bool natt_input(struct worker *w, struct pkt *p);

/* Where a packet came from, outside. */
struct natt_source {
	const uint8_t *addr;
	uint8_t version;
	rte_be16_t port;
};

struct natt_source natt_source(const struct pkt *p);

/* From an authenticated packet of its own: the peer is there, if no newer packet said otherwise. */
void natt_learn(struct worker *w, const struct pkt *p, const struct natt_source *from);

/* Where the packets of this one's tunnel go. */
const struct ip_addr *natt_peer(const struct worker *w, const struct pkt *p);

/* Sends a keepalive if nothing was sent by the set since the last time. */
void natt_keepalive(struct worker *w, sa_set_id id);
