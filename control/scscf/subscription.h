/*
 * Inside of scscf/: subscriptions to the registration state of a user (RFC 6665, RFC 3680,
 * TS 24.229 5.4.2.1). subscribe.c reads SUBSCRIBE, subscription.c keeps the dialogs, notify.c
 * writes NOTIFY. They live while the user is registered.
 */
#pragma once

#include "control/base/timer.h"
#include "control/reginfo/reginfo.h"
#include "control/scscf/map.h"
#include "control/sip/msg.h"
#include "control/sip/txn.h"

#define SUBSCRIPTIONS_MAX	  8    /* of one user; the oldest has to go for the ninth */
#define SUBSCRIPTION_EXPIRES	  3761 /* s, where nothing is said (RFC 3680 4.4) */
#define SUBSCRIPTION_MAX_LENGTH	  2048 /* octets of one field of the dialog */
#define SUBSCRIPTION_TAG	  17
#define SUBSCRIPTION_CONTACT_USER "reg" /* of our Contact: what comes in dialogs shows by it */

struct scscf;
struct user;

struct subscription {
	struct map_node node; /* by our tag */
	struct user *user;
	struct subscription *next; /* of the user; those of the network behind those of UEs */
	bool network; /* the subscriber is the P-CSCF: told last, so that the UE still hears */
	char tag[SUBSCRIPTION_TAG];
	char *call_id, *local, *remote;	  /* From and To of NOTIFY; `local` without tag */
	char *remote_tag, *event, *route; /* route: "" for none */
	char *target;			  /* URI */
	uint32_t cseq, remote_cseq, version;
	uint64_t serial, expires_at; /* ms */
	struct timer timer;
	struct sip_client_txn *txn; /* NOTIFY without an answer yet; only one at a time */
	bool again;		    /* there is news since */
};

/* ---- subscribe.c ---- */
bool subscribe_concerns(const struct scscf *s, const struct sip_msg *m);
void subscribe_input(struct scscf *s, const struct sip_msg *m, uint64_t now);

/* ---- subscription.c ---- */
/* From an initial SUBSCRIBE that has been checked; ends the user's oldest if there are too many. */
int subscription_create(struct user *u, struct subscription **sp, const struct sip_msg *m,
			struct sv target, bool network, uint64_t now);
struct subscription *subscription_find(const struct scscf *s, struct sv tag);
int subscription_refresh(struct subscription *b, uint32_t expires, uint64_t now); /* s */
int subscription_retarget(struct subscription *b, struct sv target);
void subscription_free(struct subscription *b);
/* NOTIFY with Subscription-State terminated, and free. */
void subscription_end(struct subscription *b, const char *reason, uint64_t now);

/* The registration of the user has changed (u->event): tells all subscribers. */
void subscriptions_notify(struct user *u, uint64_t now);
/* The registration ends by `event`: tells all subscribers and ends the subscriptions. */
void subscriptions_end(struct user *u, enum reginfo_event event, uint64_t now);
void subscriptions_drop(struct user *u); /* without a word */

/* ---- notify.c ---- */
/* Sends the state of now; with `full` also what the subscriber knows. */
void notify_send(struct subscription *b, bool full, uint64_t now);
/* The last one of the subscription. `ended`: the event that ended the registration; NULL: it goes
 * on. */
void notify_last(struct subscription *b, const char *reason, const enum reginfo_event *ended,
		 uint64_t now);
