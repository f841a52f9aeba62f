/* UEs behind NATs: two data planes of rig.h, and the NAT between them. */
#pragma once

#include "tests/dataplane/rig.h"

#define TUNNEL_UDP 4500

struct tunnel_rig {
	struct rig_pair pair;
	int outer, inner;	  /* IP versions */
	struct ip_endpoint nat;	  /* as what the phone is seen outside */
	struct ip_endpoint phone; /* what the NAT hides; set by tunnel_install() */
};

/* One UE, numbered from 1, behind the NAT. */
struct tunnel_ue {
	struct sa_set phone, pcscf;
};

void tunnel_open(struct tunnel_rig *t, int outer, int inner, uint16_t workers);
void tunnel_close(struct tunnel_rig *t);

/* What its sets are to be; install with tunnel_install(). Inner address 192.168.0.n or like it. */
void tunnel_ue_make(struct tunnel_rig *t, struct tunnel_ue *ue, uint16_t n);
void tunnel_install(struct tunnel_rig *t, struct tunnel_ue *ue);

struct ip_addr tunnel_inner(const struct tunnel_rig *t, uint16_t n);
/* An address that the phone's side of the wire answers for. */
struct ip_addr tunnel_public(const struct tunnel_rig *t, uint16_t n);

/* Next frame of the phone, as it is after the NAT. NULL: none. */
struct rte_mbuf *tunnel_up(struct tunnel_rig *t);
/* A frame into the P-CSCF. */
void tunnel_put(struct tunnel_rig *t, struct rte_mbuf *m);
/* All that waits at the phone goes to the P-CSCF through the NAT. */
void tunnel_carry(struct tunnel_rig *t);
/* Next frame of the P-CSCF before the NAT, ARP and ND served; NULL: none within a while. */
struct rte_mbuf *tunnel_down(struct tunnel_rig *t);
/* Takes it through the NAT to the phone. */
void tunnel_deliver(struct tunnel_rig *t, struct rte_mbuf *m);

/* Outer destination of a frame. */
struct ip_endpoint tunnel_destination(const struct rte_mbuf *m);
/* The next PEER_MOVED event at the P-CSCF; false: none. */
bool tunnel_moved(struct tunnel_rig *t, struct dp_event *ev);
