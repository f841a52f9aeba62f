/*
 * S-CSCF: registrar with IMS AKA and SIP Digest (TS 33.203 6.1, Annex N, TS 24.229 5.4) and routing
 * between registered users.
 */
#pragma once

#include "control/base/timer.h"
#include "control/cx/cx.h"
#include "control/mw/mw.h"

struct scscf;

struct scscf_conf {
	const char *host;	/* its own name on Mw */
	const char *icscf_host; /* for users it does not serve */
	const char *realm;	/* home domain: realm of the challenge */
	uint32_t expires_default, expires_min, expires_max; /* s */
	uint32_t await_auth;				    /* s; reg-await-auth, 240 */
	uint32_t vectors;				    /* asked for at once, m of CM1 */
	bool challenge_protected; /* true: AKA also for integrity-protected REGISTERs (AK-13) */
	bool trust_ip; /* Digest without TLS: a REGISTER from the user's address and port needs no
			  answer */
	bool tls_required; /* who is registered by Digest without TLS may only register (TS-07) */
	uint32_t nonce_lifetime; /* s that an answered nonce of Digest may be used again; 0: 3600 */
	uint32_t reauth_expires; /* s left to a UE that shall authenticate again; 0: 600 */
	uint32_t
		reauth_repeats; /* how often it is asked again before it is de-registered (AK-16) */
};

int scscf_alloc(struct scscf **sp, const struct scscf_conf *conf, struct timers *timers,
		struct mw *mw, struct cx cx);
void scscf_free(struct scscf *s); /* before timers and mw */

struct scscf_binding { /* views valid during the call */
	struct sv impi;
	unsigned n_impus;
	const struct sv *impus;
	struct sv contact, path;
	uint64_t expires_at;   /* ms */
	bool registered;       /* false: challenge pending only */
	enum cx_scheme scheme; /* that it was authenticated by; ANY: not yet */
	bool tls_protected;    /* TS-06 */
};
typedef bool scscf_binding_h(void *arg, const struct scscf_binding *b);
void scscf_binding_each(struct scscf *s, scscf_binding_h *handler, void *arg);
unsigned scscf_registered(const struct scscf *s);
unsigned scscf_pending(
	const struct scscf *s); /* challenges, transactions and whatever else must drain to zero */

uint64_t scscf_dropped(const struct scscf *s); /* messages discarded without an answer */

/* Events that states.c says cannot happen: faults of ours. */
uint64_t scscf_impossible(const struct scscf *s);

unsigned scscf_subscriptions(const struct scscf *s); /* to registration states, now */

/* Administrative: -ENOENT. Tells the HSS, and subscribers by "deactivated": the UE may come again.
 */
int scscf_deregister(struct scscf *s, struct sv impi, uint64_t now);
/* The same by "rejected": it shall not. */
int scscf_reject(struct scscf *s, struct sv impi, uint64_t now);
/*
 * Network-initiated re-authentication (TS 33.203 6.1.4, TS 24.229 5.4.1.6): the registration is
 * shortened to `expires` s (0: conf.reauth_expires), never lengthened; subscribers are told, and
 * the next REGISTER is challenged. -ENOENT
 */
int scscf_reauthenticate(struct scscf *s, struct sv impi, uint32_t expires, uint64_t now);
