/*
 * The core as a P-CSCF sees it: I-CSCF, S-CSCF and HSS on simulated time, with the test as the
 * P-CSCF on Mw and the card of each subscriber. Cx passes through here, so that answers can be
 * counted, held back or falsified.
 */
#pragma once

#include "tests/support/test.h"

#include "control/auth/auth.h"
#include "control/base/timer.h"
#include "control/hss/hss.h"
#include "control/icscf/icscf.h"
#include "control/scscf/scscf.h"
#include "control/sip/msg.h"
#include "crypto/aka.h"

#define C_REALM "home.net"
#define C_HELD	16
#define C_LOG	16

struct c_held { /* a Cx request whose answer is held back */
	struct cx_request r;
	char impi[256], impu[256], scscf[256], digest[8][256];
	cx_answer_h *handler;
	void *arg;
};

struct core {
	struct timers *timers;
	struct mw *mw;
	struct hss *hss;
	struct icscf *icscf;
	struct scscf *scscf;
	uint64_t now;

	unsigned asked[CX_COMMANDS];	  /* Cx requests by command */
	unsigned puts[CX_REGISTERED + 1]; /* Cx-Put by flag */
	char checked[1024];		  /* the latest CM5 as text, and its CM6 */
	char vector_nonce[CX_NONCE];	  /* of the latest vector of Digest */
	bool hold;			  /* keep requests in held[] */
	struct c_held held[C_HELD];
	unsigned n_held;
	bool fail;		/* the HSS answers... */
	enum cx_result failure; /* ... this to MAR and SAR */

	char text[16384];	/* the last message for the P-CSCF */
	struct sip_msg m;	/* the same, read */
	unsigned n_received;	/* messages for the P-CSCF since core_send() */
	char log[C_LOG][16384]; /* messages since core_send() or core_pass() */
	unsigned n_keys;	/* messages with "ck=" seen anywhere on Mw */
};

void core_conf(struct scscf_conf *conf); /* the defaults */
struct core *core_alloc(const struct scscf_conf *conf, const char *db);
struct core *core_alloc_digest(const struct scscf_conf *conf, const struct hss_digest_conf *digest);
void core_free(struct core *c);

/* The HSS's answers that were held back, in order. */
void core_let_go(struct core *c);
/* Time passes, timers fire. */
void core_pass(struct core *c, uint64_t ms);
/* Time passes, timers fire; what comes then is counted and logged. */
void core_wait(struct core *c, uint64_t ms);
/* A message from the P-CSCF; what comes back is in c->m (status 0: nothing). */
void core_send(struct core *c, const char *host, const char *text);
enum cx_registration core_flag(struct core *c, unsigned n);

/* Subscriber n: IMPI uN@home.net; IMPUs sip:uN@home.net, tel:+49100N, sip:aliasN@home.net. */
struct ue {
	struct core *core;
	unsigned n;
	struct milenage_key key;
	struct sqn_array sqn;
	char impi[64], impu[72], contact[96];
	char call_id[32];
	unsigned cseq;
	char challenge_text[1024]; /* WWW-Authenticate of the last 401 */
	struct auth_challenge challenge;
	char good[1024]; /* Authorization of the last REGISTER that was accepted */
};
void ue_init(struct ue *u, struct core *c, unsigned n); /* adds it to the HSS */

/* How a REGISTER differs from the usual one. Zero: the first REGISTER of an UE, in clear. */
struct reg_opts {
	const char *contact;	   /* Contact value; NULL: the UE's; "": none */
	const char *expires;	   /* Expires value; NULL: 600; "": none */
	const char *impu;	   /* NULL: the UE's */
	const char *authorization; /* NULL: the first form; "": none */
	const char *integrity;	   /* "yes", "no", ...; NULL: absent */
	const char *fields;	   /* more header fields */
	const char *path;	   /* NULL: the P-CSCF's; "": none */
};
/* Sends one and returns the status. A 401 is kept in the UE. */
unsigned ue_register(struct ue *u, const struct reg_opts *o);

enum ue_answer { UE_RIGHT, UE_WRONG_RES, UE_MAC_FAILURE, UE_AUTS, UE_RIGHT_NO_QOP };
/* The Authorization value that answers the challenge. `card`: does the card take it (checked). */
void ue_answer(struct ue *u, enum ue_answer kind, char *value, size_t cap);
/* REGISTER with the answer, integrity-protected="yes". */
unsigned ue_respond(struct ue *u, enum ue_answer kind);
/* Both legs. Asserts 401, then 200. */
void ue_attach(struct ue *u);
/* Protected refresh or de-registration with the last good answer repeated. */
unsigned ue_refresh(struct ue *u);
unsigned ue_detach(struct ue *u);

/* A core with two registered subscribers: set-up and teardown of a test. */
struct core_pair {
	struct core *c;
	struct ue a, b;
};
int core_pair_setup(void **state);
int core_pair_teardown(void **state); /* asserts that the S-CSCF awaits nothing any more */

/* ---- SIP Digest ---- */
#define C_PASSWORD "geheim"

enum ue_has { UE_AKA = 1, UE_DIGEST = 2, UE_BOTH = 3 };
/* Another kind of subscriber in place of ue_init()'s. */
void ue_init_has(struct ue *u, struct core *c, unsigned n, enum ue_has has);

/* How a response differs from the right one to the last challenge. Zero: not at all. */
struct ue_digest {
	const char *password, *realm, *nonce, *uri, *nc, *cnonce, *username;
	const char *algorithm; /* as it is written; what it is computed by, if known */
	const char *qop;       /* "": none, neither computed nor written */
	bool flip;	       /* its last digit */
};
/* The Authorization value; *rspauth (may be NULL) is what the network must answer. */
void ue_digest_answer(struct ue *u, const struct ue_digest *d, char *value, size_t cap,
		      char rspauth[DIGEST_HEX]);
/* REGISTER with it. Checks Authentication-Info of a 200, and that others have none. */
unsigned ue_digest(struct ue *u, const struct ue_digest *d, const char *integrity);
/* Both legs: 401 and 200. */
void ue_digest_attach(struct ue *u, const char *integrity);

/* A request from u through Service-Route with its identity asserted; method and R-URI as given. */
void ue_request(struct ue *u, const char *method, const char *uri, const char *fields);
/* The value of a header field of the last message, NULL-terminated. */
const char *core_field(struct core *c, enum sip_hdr id);
