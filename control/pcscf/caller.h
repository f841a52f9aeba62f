/* Who calls in an emergency, in clear. See emergency.c; the table is small, so a list. */
#pragma once

#include "control/pcscf/internal.h"

struct pcscf_caller {
	struct pcscf_reg reg;		  /* p, token, dialogs */
	struct pcscf_caller *prev, *next; /* the one heard longest ago first */
	struct sip_flow flow;		  /* of its last request */
	uint16_t udp_port;		  /* where it listens, should its connection end */
	struct timer timer;
	bool over;     /* its INVITE has failed, or BYE ended it */
	unsigned open; /* requests of it, those included that wait for repeats */
	size_t n;
	char call_id[];
};

struct pcscf_caller *pcscf_caller_find(struct pcscf *p, const struct ip_addr *ue,
				       struct sv call_id);
/* By the token of its Record-Route. */
struct pcscf_caller *pcscf_caller_find_token(struct pcscf *p, struct sv token);
/* NULL: too many, or no memory. */
struct pcscf_caller *pcscf_caller_create(struct pcscf *p, const struct sip_flow *from,
					 const struct sip_msg *m, uint64_t now);
/* What a relay belongs to. One that ends is given to pcscf_caller_closed(). */
#define PCSCF_CALLER_OPEN 32 /* `open` at most: more than a call has in 64 T1 */
void pcscf_caller_opens(struct pcscf_caller *c, struct pcscf_relay *relay);
void pcscf_caller_closed(const struct pcscf_relay *relay);
/* A request of it has had its final response: if that was its last dialog, it will go. */
void pcscf_caller_ebb(struct pcscf_caller *c, uint64_t now);
