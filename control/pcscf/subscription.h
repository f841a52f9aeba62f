/*
 * Inside of pcscf/: the P-CSCF's subscription to the registration state of its UEs
 * (TS 24.229 5.2.3, RFC 3680), one per registration. subscribe.c asks, notify.c hears and acts.
 */
#pragma once

#include "control/pcscf/internal.h"

#define PCSCF_SUBSCRIPTION_EXPIRES 600000 /* s asked for; the registrar makes it less */
#define PCSCF_SUBSCRIPTION_RETRY   60	  /* s */
#define PCSCF_SUBSCRIPTION_LEAST   10	  /* s between refreshes, however short it may last */
#define PCSCF_SUBSCRIPTION_FIELD   2048	  /* octets of what a dialog keeps */

struct pcscf_subscription {
	struct pcscf_reg *reg;
	char call_id[33], tag[17];
	char *impu;		   /* To */
	char *remote_tag, *target; /* NULL: not known yet */
	uint32_t cseq, remote_cseq, version;
	bool informed;		    /* version is that of the last document */
	bool lacking;		    /* one is missing: all is asked for */
	struct sip_client_txn *txn; /* SUBSCRIBE without an answer yet */
	struct timer timer;	    /* next SUBSCRIBE */
};

/* ---- subscribe.c ---- */
void pcscf_subscription_free(struct pcscf_subscription *s);
void pcscf_subscription_later(struct pcscf_subscription *s, uint64_t seconds, uint64_t now);
/* 600 s before the end, or at half time (TS 24.229 5.2.3). */
void pcscf_subscription_lasts(struct pcscf_subscription *s, uint32_t seconds, uint64_t now);
/* The peer's tag and Contact, if they are new. */
void pcscf_subscription_peer(struct pcscf_subscription *s, struct sv tag, const struct sip_msg *m);
