/*
 * Shared by the files of scscf/ only. A REGISTER passes register.c (what to do), challenge.c (AKA),
 * digest.c (SIP Digest), binding.c (Cx-Put, binding, 200); other requests pass session.c,
 * SUBSCRIBEs to registration state subscribe.c.
 */
#pragma once

#include "control/auth/auth.h"
#include "control/mw/identity.h"
#include "control/mw/proxy.h"
#include "control/scscf/map.h"
#include "control/scscf/scscf.h"
#include "control/scscf/states.h"
#include "control/scscf/subscription.h"
#include "control/sip/msg.h"

struct scscf {
	struct mw_proxy proxy;
	struct timers *timers;
	struct cx cx;
	char *host, *uri, *icscf_host, *realm;
	uint32_t expires_default, expires_min, expires_max; /* s */
	uint64_t await_auth;				    /* ms */
	unsigned vectors;
	bool challenge_protected, trust_ip, tls_required;
	uint64_t nonce_lifetime; /* ms */
	struct map by_impi;	 /* struct user */
	struct map by_impu;	 /* struct served: of registered users */
	struct map by_tag;	 /* struct subscription: by our tag */
	struct sip_txns *txns;	 /* NOTIFYs */
	uint32_t reauth_expires, reauth_repeats;
	uint64_t subscription_serial;
	struct query *queries;
	uint64_t impossible; /* what states.c says cannot happen */
	unsigned n_registered, n_challenges, n_queries, n_subscriptions;
};

/* ---- user.c: what is known of an IMPI ------------------------------------------------------- */

struct challenge { /* sent in a 401 and not answered yet */
	bool pending;
	enum cx_scheme scheme;
	char nonce[CX_NONCE];
	uint8_t rand[16]; /* AKA */
	uint8_t xres[AKA_RES_LEN];
};

/* How a REGISTER came to the P-CSCF: its integrity-protected parameter (D-18). */
enum reg_protection {
	REG_CLEAR,	 /* "no", or nothing said */
	REG_IPSEC,	 /* "yes": on an SA */
	REG_TLS_PENDING, /* by a TLS session that is nobody's yet */
	REG_TLS,	 /* by the user's */
	REG_IP_PENDING,	 /* with a response, from anywhere */
	REG_IP,		 /* from the user's address and port */
};

struct served { /* an IMPU of a registered user */
	struct map_node node;
	struct user *user;
	char *impu;
};

struct binding {
	char *contact; /* URI */
	char *params;  /* header parameters but expires: ";+sip.instance=..." */
	char *path;    /* Path values as one comma list; empty: none */
	char *call_id;
	uint32_t cseq;
	uint64_t expires_at; /* ms */
	enum reg_protection protection;
};

struct user {
	struct map_node node; /* by IMPI */
	struct scscf *scscf;
	char *impi;
	char *auth_impu; /* IMPU of the latest challenge, whose flag a failure resets */
	unsigned holds;	 /* on the stack or in queries: not to be freed */

	struct aka_vector *vectors; /* in store: [next, n) unused */
	unsigned n_vectors, next_vector;
	struct challenge challenge;
	struct digest *digest; /* of a user who is or was authenticated by SIP Digest, else NULL */
	char good_nonce[CX_NONCE]; /* of the last successful authentication; UEs repeat it in
				      refreshes */
	struct timer
		await; /* reg-await-auth; without a challenge: how long unused vectors are kept */

	enum user_state state; /* what registered and challenge.pending say */
	bool registered;
	struct binding binding;
	struct timer expiry;
	unsigned n_served;
	struct served *served;	 /* implicit registration set, default IMPU first */
	unsigned served_edition; /* changes with the set */

	enum reginfo_event event; /* the latest of the registration */
	struct subscription *subscriptions;
	unsigned n_subscriptions;
	struct {		  /* by the network's wish (reauth.c) */
		bool due;	  /* the next REGISTER is challenged, whatever it shows */
		unsigned repeats; /* left */
		uint32_t expires; /* s given each time */
		uint64_t until;	  /* ms, the end of the registration as it was */
	} reauth;
};

struct user *user_find(const struct scscf *s, struct sv impi);
struct user *user_get(struct scscf *s, struct sv impi); /* made if need be; NULL without memory */
/* The user that has this identity registered. */
struct user *user_served(const struct scscf *s, struct sv impu);
void user_hold(struct user *u);
/* Lets go; frees the user when nothing is left of it. */
void user_release(struct user *u, uint64_t now);
void user_free(struct user *u);

void user_challenge_end(struct user *u, enum user_event why); /* wipes it */
void user_vectors_drop(struct user *u);
int user_vectors_store(struct user *u, const struct aka_vector *vectors, unsigned n);

/* A new implicit registration set or binding in place of the old one. On -ENOMEM the old one stays.
 */
int user_served_set(struct user *u, const struct sv *impus, unsigned n);
int user_binding_set(struct user *u, const struct binding *b); /* takes the strings */
void user_unregister(struct user *u);
bool user_serves(const struct user *u, struct sv impu);
/* How a registered user is: by AKA inside IPsec, or by Digest, which TLS may protect (TS-06). */
bool user_by_aka(const struct user *u);
bool user_tls_protected(const struct user *u);
void binding_clear(struct binding *b);

/* ---- query.c: Cx questions, with the request that waits for the answer --------------------------
 */

struct query;
/* m: the request kept, or NULL if none was. */
typedef void query_h(struct user *u, const struct sip_msg *m, const struct cx_answer *a,
		     uint64_t now);

/* done may be NULL. -ENOMEM: nothing asked. */
int query_ask(struct user *u, const struct cx_request *r, const struct sip_msg *m, query_h *done,
	      uint64_t now);
/* Cx-Put of a flag for the IMPU's set (CM3). */
int query_put(struct user *u, struct sv impu, enum cx_registration flag, const struct sip_msg *m,
	      query_h *done, uint64_t now);
void queries_orphan(struct scscf *s);
/* The failure response for an answer that is not CX_SUCCESS. */
unsigned query_status(const struct cx_answer *a);

/* ---- request.c: a REGISTER read -----------------------------------------------------------------
 */

enum reg_action {
	REG_FETCH, /* no Contact */
	REG_BIND,
	REG_REMOVE, /* one Contact with expires 0 */
	REG_REMOVE_ALL,
};

struct reg { /* views into the message and itself */
	const struct sip_msg *m;
	struct sv impi, impu;
	bool has_auth;
	struct auth_response auth;
	enum reg_protection protection;
	bool on_3gpp; /* access, by P-Access-Network-Info */
	enum reg_action action;
	struct sip_addr contact;
	uint32_t expires; /* s, with REG_BIND */
	char impu_text[MW_MAX_IDENTITY];
};

/* 0 or the status to refuse with: 400, 423. */
unsigned reg_parse(struct reg *r, const struct scscf *s, const struct sip_msg *m);

/* ---- register.c, challenge.c, binding.c -------------------------------------------------------
 */

void register_input(struct scscf *s, const struct sip_msg *m, uint64_t now);

void challenge_start(struct user *u, const struct reg *r, uint64_t now);
/* A new challenge voids the one before (DF-05). -ENOMEM */
int challenge_begin(struct user *u, enum cx_scheme scheme, const char *nonce, struct sv impu,
		    uint64_t now);
void challenge_resync(struct user *u, const struct reg *r, uint64_t now);
bool challenge_matches(const struct user *u,
		       const struct reg *r);		      /* its nonce is the challenge's */
bool challenge_answered(struct user *u, const struct reg *r); /* right? */
/* The run failed: its data go, and the HSS's flag if the user is not registered (DF-02, DF-06). */
void challenge_failed(struct user *u, uint64_t now);
void challenge_timeout(struct timer *t, void *arg, uint64_t now);

/* ---- digest.c: SIP Digest (TS 33.203 Annex N) ---------------------------------------------------
 */

struct digest {		     /* wiped when freed */
	struct cx_digest av; /* the latest; its views point to `realm` and `domain` */
	char *realm, *domain;
	bool stale;		 /* what the challenge says */
	char voided[CX_NONCE];	 /* of the challenge before */
	uint64_t good_until, nc; /* of good_nonce: ms, and the highest count that was used */
	char response[DIGEST_HEX], rspauth[DIGEST_HEX]; /* of the latest good answer */
};

void digest_free(struct digest *d);
void digest_forget(struct user *u); /* authenticated by AKA since: H(A1) is not needed any more */
/* Has the challenge that this answers been voided by a newer one? */
bool digest_is_late(const struct user *u, const struct reg *r);
/* Does it answer the challenge, or use the last good nonce once more? */
bool digest_is_answer(const struct user *u, const struct reg *r, uint64_t now);
/* The last good answer word for word: new to nobody. */
bool digest_is_repeat(const struct user *u, const struct reg *r);
void digest_challenge(struct user *u, const struct reg *r, const struct cx_answer *a, uint64_t now);
void digest_answer(struct user *u, const struct reg *r, uint64_t now);

/* The REGISTER is good: do what it asks for. */
void binding_apply(struct user *u, const struct reg *r, uint64_t now);
/* De-registration by the network; `event` tells subscribers why. */
void binding_end(struct user *u, enum reginfo_event event, uint64_t now);
int binding_shorten(struct user *u, uint64_t expires_at); /* -ENOMEM: it lasts for ever */
void binding_timeout(struct timer *t, void *arg, uint64_t now);

/* ---- reauth.c -----------------------------------------------------------------------------------
 */

/* The shortened registration has ended without a new AKA run: true if the UE is asked again. */
bool reauth_repeat(struct user *u, uint64_t now);
void reauth_done(struct user *u);

/* ---- session.c ----------------------------------------------------------------------------------
 */

void session_input(struct scscf *s, const struct sip_msg *m, uint64_t now);
/* The registered user that a URI names, also as a telephone number; NULL. */
struct user *session_user(const struct scscf *s, struct sv uri);

/* ---- reply.c ------------------------------------------------------------------------------------
 */

void reply_status(struct scscf *s, const struct sip_msg *m, unsigned status);
void reply_min_expires(struct scscf *s, const struct sip_msg *m);
void reply_challenge(struct scscf *s, const struct sip_msg *m, const struct aka_vector *av);
/* One WWW-Authenticate per algorithm (RFC 8760). */
void reply_digest_challenge(struct user *u, const struct sip_msg *m);
/* 200 to a REGISTER with what the user has now. */
void reply_registered(struct user *u, const struct sip_msg *m, uint64_t now);
