/*
 * Inside of control/ue/: the UE's subscription to its registration state (RFC 3680,
 * TS 24.229 5.1.1.3), and what it does about it. subscribe.c asks, notify.c hears.
 */
#pragma once

#include "control/reginfo/reginfo.h"
#include "control/ue/ue_internal.h"

#define UE_SUBSCRIPTION_EXPIRES 600000 /* s asked for (TS 24.229 5.1.1.3) */
#define UE_SUBSCRIPTION_RETRY	60     /* s */
#define UE_SUBSCRIPTION_LEAST	10     /* s between refreshes, however short it may last */
#define UE_SUBSCRIPTION_FIELD	2048   /* octets of what a dialog keeps */

struct ue_subscription { /* while registered */
	char call_id[33], tag[17];
	char *remote_tag, *target, *route; /* NULL: not known yet */
	uint32_t cseq, remote_cseq, version;
	bool informed;		    /* version is that of the last document */
	bool lacking;		    /* one is missing: all is asked for */
	struct ue_request *request; /* SUBSCRIBE without an answer yet */
	struct timer timer;	    /* next SUBSCRIBE */
};

/* ---- subscribe.c ---- */
/* SUBSCRIBE in s seconds; 0: now. The timer has its place then; without memory for it there are no
 * more. */
void ue_subscription_later(struct ue *u, uint64_t seconds, uint64_t now);
/* TS 24.229 5.1.1.3: 600 s before the end, or at half time. */
void ue_subscription_lasts(struct ue *u, uint32_t seconds, uint64_t now);
/* A new dialog from now on. */
void ue_subscription_forget(struct ue *u);
/* The remote target from Contact, if it has a good one. */
void ue_subscription_target(struct ue_subscription *s, const struct sip_msg *m);
