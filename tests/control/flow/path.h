/* The way of a packet between UEs and P-CSCF, through NATs where there are any. */
#pragma once

#include "tests/control/flow/net.h"

/* Where a packet arrives, and from where it seems to come; NULL: nowhere. */
struct net_end *path_take(struct net *n, const struct net_packet *k, struct ip_endpoint *source);
/* A clear packet's ends as its receiver sees them. */
void path_clear(const struct net *n, const struct net_end *to, const struct ip_endpoint *source,
		struct sip_flow *flow);
/* As the data plane does with an authenticated packet of a tunnel: fixes the peer's inner address,
 * follows the peer, tells control. */
void path_learn(struct net *n, const struct net_end *to, struct net_sa *in,
		const struct ip_endpoint *source, const struct ip_addr *inner);
/* The UE that has that address, or the NAT that has it. */
struct net_ue *path_owner(const struct net *n, const struct ip_addr *a);
