/* A datagram from control becomes an IP packet: p->m holds the UDP payload, and room before it. */
#pragma once

#include "dataplane/packet.h"

struct worker;

/* In clear: a complete packet, data at the IP header. PKT_KEEP or the reason to drop. */
int udp_build_clear(struct worker *w, struct pkt *p, const struct ip_endpoint *local,
		    const struct ip_endpoint *remote);
