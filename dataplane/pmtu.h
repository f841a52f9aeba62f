/*
 * The path MTU of each UE, below the port's where a router on the way said so (RFC 1191, RFC 8201,
 * RFC 4301 8.2).
 *
 * Anyone can send ICMP. We believe it only if it quotes a packet that we have sent: a worker notes
 * the SPIs of its large packets in a small table, and SPI, sequence number and addresses in the
 * quotation must be those of the SA. So nothing of it costs memory per SA.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/packet.h"

struct ip_addr;
struct worker;

#define PMTU_NOTED 480 /* octets of ESP: smaller packets fit every path */

struct pmtu;

int pmtu_alloc(struct pmtu **pp);
void pmtu_free(struct pmtu *t);

/* SPI (network order) and slot of a packet that is sent: peers may have chosen the same SPI. */
static inline uint64_t pmtu_note_of(const struct pkt *p)
{
	return (uint64_t)p->out->spi << 32 | p->slot;
}

/* A large packet is on its way. */
void pmtu_note(struct worker *w, const struct pkt *p);
/* An ICMP packet from the UE side. False: it has been handed to the worker it concerns. */
bool pmtu_hear(struct worker *w, struct pkt *p);

/* Largest plain IP packet that p's SA can send in one piece; p has its plain headers. */
uint32_t pmtu_inner_max(struct worker *w, const struct pkt *p);
/* Does the sealed packet not fit the UE's path? */
bool pmtu_exceeded(struct worker *w, const struct pkt *p);
/* Sends it in pieces that do. */
void pmtu_transmit(struct worker *w, struct pkt *p, const struct ip_addr *to);

/*
 * From the host: a packet that must not be fragmented and will not fit is answered with ICMP to the
 * host (RFC 4301 8.2.1), and dropped.
 */
int pmtu_stage_size(struct worker *w, struct pkt *p);
