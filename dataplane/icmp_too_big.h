/* ICMP "fragmentation needed" and ICMPv6 "packet too big", from us to the host. */
#pragma once

#include <stdint.h>

struct worker;
struct pkt;

/* The host's packet p is larger than mtu. */
void icmp_too_big_send(struct worker *w, const struct pkt *p, uint16_t mtu);
