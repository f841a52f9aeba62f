/* What ICMP errors quote of the packet that they are about (RFC 792, RFC 4443 3). */
#pragma once

#include "dataplane/packet.h"

struct icmp_quote { /* the ports of a UDP or TCP packet */
	uint8_t proto;
	rte_be16_t src, dst;
};

/* `p` has been through ip_header_parse(). False: no ICMP error, or not about UDP or TCP. */
bool icmp_quote_read(const struct pkt *p, struct icmp_quote *q);
