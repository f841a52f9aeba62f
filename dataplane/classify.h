/* First stage: what kind of packet is it, and whose. */
#pragma once

#include "dataplane/packet.h"

struct worker;

enum packet_class {
	CLASS_DROP,	/* p->reason says why */
	CLASS_ESP,	/* to us, header checked */
	CLASS_FRAGMENT, /* of a packet to us */
	CLASS_UDP_ENC,	/* UDP to us, to the port of ESP inside UDP */
	CLASS_ICMP,	/* the kernel's business, but may be about a packet of ours */
	CLASS_SIP,	/* clear UDP to the SIP port, checked */
	CLASS_HOST,	/* the kernel's business */
	CLASS_PROTECT,	/* from the host: has to leave inside ESP, or not at all */
	CLASS_UE,	/* from the host: leaves as it is */
};

/* A frame from the UE port. */
enum packet_class classify_ue(struct worker *w, struct pkt *p);
/* A frame from the host port. */
enum packet_class classify_host(struct worker *w, struct pkt *p);
