/* A subscriber to registration state (RFC 3680), as the S-CSCF sees it. */
#pragma once

#include "control/reginfo/reginfo.h"
#include "tests/control/scscf/core.h"

#define PCSCF_URI "sip:term@pcscf.visited.net"

struct watcher {	 /* zero: u1, from its own UE */
	const char *uri; /* To and first Request-URI */
	const char *from, *asserted;
	const char *event, *contact, *expires, *fields; /* whole values; "": none */
	const char *tag;				/* To tag; NULL: none yet */
	const char *call_id;
	unsigned cseq; /* 0: 1 */
	bool network;
};

extern const struct watcher watcher_network;

/* Sends the SUBSCRIBE; what comes back is in c->log. */
void watcher_subscribe(struct core *c, const struct watcher *w);
/* The n-th message since the last order; views into the log. */
void watcher_message(struct core *c, unsigned n, struct sip_msg *m);
unsigned watcher_status(struct core *c, unsigned n);
/* The n-th message is a NOTIFY with this Subscription-State (a beginning of it); its document. */
struct reginfo *watcher_notified(struct core *c, unsigned n, struct sip_msg *m, const char *state);
/* The same, and all of its registrations are as said; the version. */
unsigned watcher_notified_all(struct core *c, unsigned n, const char *state,
			      enum reginfo_state registration, enum reginfo_event event,
			      uint32_t expires);
/* Answers the n-th message. */
void watcher_answer(struct core *c, unsigned n, unsigned code, const char *fields);
/* A subscription of u1's UE, its first NOTIFY answered; the tag to tag[]. */
void watcher_subscribed(struct core *c, const struct watcher *w, char tag[64]);
