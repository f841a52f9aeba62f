/*
 * What the files of pcscf/ share. Message numbers SM1..SM12 and the names old, new and registration
 * SAs are those of TS 33.203 clauses 6.1.1 and 7.4.
 *
 * A set is what holds a UE's signalling together: an SA set of the data plane, or, for UEs that
 * authenticate by Digest, a TLS connection or just an address and port. The last two have numbers
 * of our own, no SPIs, and the same life (assoc.c).
 *
 * Ownership: the table owns registrations, a registration owns its SA sets and its run, the list of
 * relays owns relays. A relay names its set by id and serial, so a set may go while its
 * transactions live on.
 */
#pragma once

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "control/auth/auth.h"
#include "control/base/sbuf.h"
#include "control/pcscf/pcscf.h"
#include "control/pcscf/states.h"
#include "control/reginfo/reginfo.h"
#include "control/sip/edit.h"

#define PCSCF_MAX_SETS	   3	/* old, registration and new (ST-07) */
#define PCSCF_MAX_IMPUS	   32	/* bound to one registration */
#define PCSCF_IDENTITY_MAX 256	/* canonical IMPU */
#define PCSCF_LIST_MAX	   4096 /* Security-Client as kept, Security-Server as written */
#define PCSCF_CLEAR_MAX	   8192 /* octets of an unprotected request */
#define PCSCF_TOKEN_LEN	   17	/* 16 hex digits and NUL */
#define PCSCF_MAX_DIALOGS  32	/* of one registration */
#define PCSCF_MAX_CLEAR	   4	/* SM1s in clear of one IMPI that are remembered for repeats */

/* What must be unique in the SA_table: port_uc of a UE address, and port_pc towards (address,
 * port_us). */
struct pcscf_port_key {
	struct ip_addr ue;
	uint16_t port, peer;
};

/* Which flow in clear or of TLS belongs to a set: all octets count. */
struct pcscf_flow_key {
	uint64_t session; /* TLS; else 0, and: */
	struct ip_endpoint remote;
	uint32_t transport;
};

/* What a UE can have where it is, under a policy; and what was agreed. */
struct pcscf_terms {
	enum sa_mode mode;	    /* of ipsec-3gpp */
	bool ipsec, tls, digest;    /* digest: without TLS */
	enum agree_mech_type first; /* agreed, or preferred: it heads Security-Server */
};

struct pcscf_set {
	enum pcscf_kind kind;
	struct sip_flow flow; /* of PCSCF_TLS, PCSCF_ADDRESS */
	struct pcscf_flow_key key_flow;
	UT_hash_handle by_flow;
	/* Keys zero: the data plane alone has them. In tunnel mode `remote`, tunnel.remote_port and
	 * tunnel.inner_remote follow the UE. */
	struct sa_set sa;
	struct pcscf_reg *reg;
	const struct pcscf_policy *policy; /* of the run that made it */
	uint32_t serial;
	uint32_t busy; /* transactions without a final response that belong on this set (LP-13) */
	enum pcscf_set_role role;
	bool detoured; /* responses go by `detour` instead: failures of a protected SM1's run
			  (ER-04) */
	struct sip_flow detour;
	uint64_t expires_at; /* ms, the application's lifetime (ST-14) */
	uint64_t
		repeats_until; /* the UE may still repeat a request that was answered on this set */
	uint64_t no_tcp_until; /* ms; the UE takes no connection from port_pc (F15) */
	uint64_t tcp_lost_at;  /* ms; one ended with requests on it */
	unsigned tcp_losses;   /* this many more since then */
	struct timer timer;
	struct pcscf_port_key key_uc, key_pc, key_us;
	UT_hash_handle by_id, by_uc, by_pc;
	UT_hash_handle by_us; /* UEs behind NATs only; several sets of one registration */
};

struct pcscf_impu {
	struct pcscf_impu *next;
	uint64_t expires_at;
	uint8_t group; /* implicit registration set, numbered per registration */
	bool barred;   /* names the group only: registered, but not in P-Associated-URI */
	uint16_t len;
	char text[]; /* canonical: sip_identity() */
};

struct pcscf_reg {
	struct pcscf *p;
	char *impi;
	char token[PCSCF_TOKEN_LEN]; /* in Path and Record-Route: finds the UE without its Contact
					(F19) */
	struct pcscf_impu *impus;
	unsigned n_impus;
	char *service_route, *contact; /* NULL: none */
	struct timer timer;	       /* earliest end of an IMPU */
	struct pcscf_set *sets[PCSCF_MAX_SETS];
	unsigned n_sets;
	struct pcscf_set *current; /* of the last authentication that succeeded */
	struct pcscf_set
		*down; /* what goes to the UE takes this one: current, or the old one until LP-13 */
	bool reauth;   /* the next authentication is by the network's wish */
	struct pcscf_subscription *subscription;    /* to its registration state; NULL: none */
	struct pcscf_run *run;			    /* registration under way */
	struct pcscf_relay *clear[PCSCF_MAX_CLEAR]; /* of its SM1s in clear; NULL: gone */
	uint8_t clear_next;			    /* the oldest of them, or free */
	struct pcscf_dialog *dialogs;		    /* of this UE, bounded */
	unsigned n_dialogs;
	struct pcscf_alias {	 /* [0] IPv4, [1] IPv6 */
		uint32_t number; /* in the prefix; 0: none */
		UT_hash_handle hh;
	} alias[2];
	UT_hash_handle by_impi, by_token;
};

struct pcscf_offer {
	bool present; /* Security-Client came and has an acceptable entry */
	struct agree_choice choice;
	struct agree_params ue;
};

/* Where the UE is, outside and inside of a NAT; without one both are the same. */
struct pcscf_path {
	struct ip_addr outer;	 /* the SA_table's UE address */
	uint16_t port;		 /* of ESP in UDP, outside; 0: not known yet */
	struct ip_addr inner[2]; /* what the UE may have, the likelier first */
	bool nat;
};

/* One REGISTER from SM1 to its end, kept apart from the registration that exists already. */
struct pcscf_run {
	struct pcscf_reg *reg;
	struct pcscf_relay *relay; /* in the core, or NULL */
	struct pcscf_relay *sm1;   /* that brought SM6, while its transaction lives */
	enum pcscf_run_state state;
	struct sip_flow reply;	/* of SM1: SM6 and failures take it (LP-06, ER-03, ER-04) */
	struct ip_addr local;	/* of SM1's packet (SP-06) */
	struct pcscf_path path; /* the same, its source */
	struct pcscf_set *over; /* old set that SM1 came on; NULL: in clear, or removed since */
	bool was_protected;
	struct pcscf_offer offer;
	struct pcscf_terms terms;
	const struct pcscf_policy *policy;
	enum pcscf_kind kind; /* what the challenge leads to */
	bool agreed;	      /* SM6 has Security-Server, so SM7 has Security-Verify */
	bool vouched;	      /* SM1 has a response to an earlier challenge */
	bool named;	      /* SM1 has Authorization */
	bool rejected;	      /* the core has found SM8's response wrong */
	struct timer timer;   /* from SM6 to SM7, if no set has one */
	char *client;	      /* Security-Client of SM1 (HX-11) */
	char *impu, *call_id;
	char *nonce;	       /* of the challenge */
	struct pcscf_set *set; /* the new one */
};

enum pcscf_relay_kind {
	PCSCF_RELAY_REGISTER,
	PCSCF_RELAY_UP,	  /* UE to core */
	PCSCF_RELAY_DOWN, /* core to UE */
};

/* A request passed on: server transaction on one side, client transaction on the other. */
struct pcscf_relay {
	struct pcscf *p;
	struct pcscf_relay *prev, *next;
	struct sip_server_txn *server;
	struct sip_client_txn *client; /* NULL when done */
	struct pcscf_run *run;	       /* REGISTER, while it is this run's */
	struct pcscf_run *sm1_of;      /* this is run->sm1 */
	struct pcscf_relay **place;    /* in reg->clear; NULL: none */
	enum pcscf_relay_kind kind;
	enum sip_method method;
	bool clear; /* counted in clear_relays */
	bool sm7, final, provisional, cancelled;
	sa_set_id set; /* the UE's side; 0: clear */
	uint32_t serial;
	char caller[PCSCF_TOKEN_LEN]; /* emergency call in clear: its caller's; else empty */
	uint64_t started;	      /* ms */
	char *request; /* as received, until the final response: errors of our own are made from it
			*/
	size_t request_len;
	char *cancel; /* INVITE: the CANCEL for the other side */
	size_t cancel_len;
	struct timer timer_c; /* RFC 3261 16.6 step 11 */
};

struct pcscf {
	struct pcscf_conf conf; /* its strings are ours */
	struct sip_txn_timers access_timers;
	struct pcscf_env env;
	struct timers *timers;
	struct mw *mw;
	struct pcscf_policy policies[PCSCF_MAX_POLICIES + 1]; /* and that of all the rest */
	unsigned n_policies;
	struct sip_txns *access, *core;
	struct pcscf_reg *by_impi, *by_token;
	struct pcscf_set *by_id, *by_uc, *by_pc, *by_us, *by_flow;
	uint32_t assoc_id; /* the last one's */
	struct pcscf_alias *aliases[2];
	uint32_t alias_next[2];
	struct pcscf_dialog *dialogs; /* of all registrations, by name */
	struct pcscf_relay *relays;
	struct pcscf_caller *callers; /* of emergency calls in clear */
	unsigned n_callers;
	struct pcscf_lookup *lookups;
	uint32_t lookup_id; /* the last one's */
	unsigned registered, runs, clear_relays;
	uint32_t serial;
	bool core_lost;		    /* the last message to the core had no taker */
	bool flow_lost;		    /* and that to a UE no connection */
	unsigned char loop_key[16]; /* crypto_shorthash_KEYBYTES */
	char tag[PCSCF_TOKEN_LEN];  /* To tag of our own responses */
	struct pcscf_counters counters;
	char *stamped; /* PCSCF_TEXT_MAX each: a message with received/rport, */
	char *out;     /* and one on its way out */
};

#define PCSCF_TEXT_MAX (SIP_MAX_LENGTH + 8192) /* what edits may add */

/* ---- counters.c */
void pcscf_drop(struct pcscf *p, enum pcscf_drop reason);

/* ---- table.c: look-ups, all O(1) */
struct pcscf_reg *pcscf_reg_find(struct pcscf *p, struct sv impi);
struct pcscf_reg *pcscf_reg_find_token(struct pcscf *p, struct sv token);
int pcscf_reg_create(struct pcscf *p, struct sv impi, struct pcscf_reg **rp);
void pcscf_reg_free(struct pcscf_reg *r); /* with everything it holds */
void pcscf_reg_reap(struct pcscf_reg *r); /* frees it if nothing is left in it */
bool pcscf_reg_registered(const struct pcscf_reg *r);
/* The set that a packet came by, if ports and addresses are those of the SA (ST-09); NULL. */
struct pcscf_set *pcscf_set_of_flow(struct pcscf *p, const struct sip_flow *f);
struct pcscf_set *pcscf_set_find(struct pcscf *p, sa_set_id id);
struct pcscf_set *pcscf_set_of_port_uc(struct pcscf *p, const struct ip_addr *ue, uint16_t port_uc);
/* A set of a UE behind the NAT at that address, with that port_us. */
struct pcscf_set *pcscf_set_of_port_us(struct pcscf *p, const struct ip_addr *nat,
				       uint16_t port_us);
/* Enters the set under another UE address; it keeps the old one where the new is taken. */
void pcscf_set_rekey(struct pcscf *p, struct pcscf_set *s, const struct ip_addr *ue);
bool pcscf_port_pc_taken(struct pcscf *p, const struct ip_addr *ue, uint16_t port_pc,
			 uint16_t port_us);
int pcscf_set_insert(struct pcscf *p, struct pcscf_set *s); /* -EEXIST, -ENOMEM */
void pcscf_set_delete(struct pcscf *p, struct pcscf_set *s);

/* ---- ports.c */
/* port_pc for a new set of `r`: free towards this UE, not that of another set of `r` (LC-02). 0:
 * none left. */
uint16_t pcscf_port_choose(struct pcscf *p, const struct pcscf_reg *r, const struct ip_addr *ue,
			   uint16_t port_us);

/* ---- nat.c: UEs behind NATs (TS 33.203 Annex M) */
/*
 * Where the UE is. A clear REGISTER whose Via has another address than the packet's source comes
 * through a NAT (C-34). -EINVAL: Via and source do not fit (ST-04); *why says so.
 */
int pcscf_path_read(const struct pcscf *p, const struct sip_flow *from, const struct pcscf_set *s,
		    const struct pcscf_policy *policy, const struct sip_msg *m, bool via_fits,
		    struct pcscf_path *path, const char **why);
/* The UE's own address, inside a NAT if it is behind one. */
const struct ip_addr *pcscf_set_ue(const struct pcscf_set *s);
bool pcscf_set_is_from(const struct pcscf_set *s, const struct sip_flow *f);
/* A message came on the set: the UE's inner address is settled. */
void pcscf_set_settle_inner(struct pcscf_set *s, const struct sip_flow *from);
/* Mode and tunnel of a new set. -ENOSPC: no alias is left. */
int pcscf_tunnel_fill(const struct pcscf_run *run, struct sa_set *sa);
void pcscf_alias_free(struct pcscf_reg *r);
/* Our choices that can be had under those terms, what is agreed first; how many. */
unsigned pcscf_choices(const struct pcscf_policy *policy, const struct pcscf_terms *terms,
		       struct agree_choice choices[PCSCF_MAX_CHOICES]);

/* ---- assoc.c: sets without SAs, of UEs that authenticate by Digest */
/* A new one on that flow; it is found by its flow at once (TLS), or when it is in use. NULL: no
 * memory. */
struct pcscf_set *pcscf_assoc_create(struct pcscf_run *run, const struct sip_flow *flow,
				     uint64_t now);
/* It is in use: who had that flow before has it no more. */
void pcscf_assoc_use(struct pcscf_set *s);
struct pcscf_set *pcscf_assoc_of_flow(struct pcscf *p, const struct sip_flow *f);
/* Out of the tables; the TLS connection goes with it, unless it is kept. */
void pcscf_assoc_leave(struct pcscf_set *s);
void pcscf_assoc_keep_connection(struct pcscf_set *s);
/* Its requests to the UE have no way any more: 430 (RFC 5626 5.3). It is not settled. */
void pcscf_assoc_requests_fail(struct pcscf_set *s, uint64_t now);

/* ---- sets.c: life of an SA set */
/* Reserves and installs the new set of the run. -EEXIST port_uc taken, -ENOSPC, -ENOMEM or of the
 * environment. */
int pcscf_set_create(struct pcscf_run *run, const uint8_t ik[16], const uint8_t ck[16],
		     uint64_t now);
/* A place in the registration: sets that only wait for repeats give theirs up. -ENOSPC */
int pcscf_sets_place(struct pcscf_reg *r);
timer_h pcscf_set_expired;
void pcscf_set_remove(struct pcscf_set *s); /* from control and data plane at once (LC-05) */
void pcscf_set_end(struct pcscf_set *s, uint64_t now); /* for nothing but repeats, `linger` long */
void pcscf_set_lifetime(struct pcscf_set *s, uint64_t expires_at);
void pcscf_sets_end(struct pcscf_reg *r, uint64_t now);
/* SM12 has been sent on run->set (LP-09 to LP-11). */
void pcscf_sets_switch(struct pcscf_run *run);
/* A message came on `s` (LP-13). */
void pcscf_set_heard(struct pcscf_set *s, uint64_t now);
/* A request sent on that set stayed without an answer: if it is the old one, the new one is tried
 * from now on. */
void pcscf_set_silent(struct pcscf *p, sa_set_id id, uint32_t serial, uint64_t now);
/* Removes an old set, now or soon, if nothing keeps it (LP-13). */
void pcscf_set_settle(struct pcscf_set *s, uint64_t now);
void pcscf_set_hold(struct pcscf_set *s);
/* One transaction less; `repeat`: its request may still be repeated by the UE. */
void pcscf_set_release(struct pcscf *p, sa_set_id id, uint32_t serial, bool repeat, uint64_t now);
/* The flow of what we send over UDP: from port_pc to port_us. */
struct sip_flow pcscf_set_flow(const struct pcscf_set *s);
/* Where the answer to a message of flow `from` goes (TS 33.203 7.1). */
struct sip_flow pcscf_reply_flow(const struct pcscf_set *s, const struct sip_flow *from);

/* ---- impus.c: identities bound to a registration */
/* Replaces the group of `impu` by the P-Associated-URIs of a 200. */
int pcscf_impus_bind(struct pcscf_reg *r, struct sv impu, const struct sip_msg *response,
		     uint64_t expires_at);
void pcscf_impus_unbind(struct pcscf_reg *r, struct sv impu);
/* The group of that URI; and all: none lasts longer than that. */
void pcscf_impus_remove(struct pcscf_reg *r, struct sv uri);
void pcscf_impus_shorten(struct pcscf_reg *r, uint64_t expires_at);
bool pcscf_impus_expire(struct pcscf_reg *r, uint64_t now); /* false: none left */
uint64_t pcscf_impus_next(const struct pcscf_reg *r);	    /* earliest end */
uint64_t pcscf_impus_last(const struct pcscf_reg *r);	    /* latest end; 0: none */
const struct pcscf_impu *pcscf_impus_find(const struct pcscf_reg *r, struct sv uri);
const struct pcscf_impu *pcscf_impus_default(const struct pcscf_reg *r);
void pcscf_impus_clear(struct pcscf_reg *r);
/* The identity that the request may assert; NULL: it claims one that is not bound (ST-10). */
const struct pcscf_impu *pcscf_impus_claimed(const struct pcscf_reg *r, const struct sip_msg *m);
/* The identity that a request to the UE has called: who answers it (TS 24.229 5.2.6.4). NULL inside
 * a dialog. */
const struct pcscf_impu *pcscf_impus_called(const struct pcscf_reg *r, const struct sip_msg *m);

/* ---- policy.c: what holds in which access network */
const struct pcscf_policy *pcscf_policy_of(const struct pcscf *p, const struct ip_addr *source,
					   const struct sip_msg *m);
bool pcscf_policies_ok(const struct pcscf_conf *c);
/* What the UE can have, whose REGISTER came by that flow and on set s or none. */
struct pcscf_terms pcscf_terms_of(const struct pcscf *p, const struct pcscf_policy *policy,
				  const struct sip_flow *from, const struct pcscf_set *s,
				  const struct sip_msg *m, bool nat);
int pcscf_policies_copy(struct pcscf *p, const struct pcscf_conf *c);
void pcscf_policies_free(struct pcscf *p);

/* ---- offer.c: Security-Client, Security-Verify */
/* -ENOENT: no Security-Client; -EBADMSG: unreadable; -EPROTO: nothing acceptable. */
int pcscf_offer_read(const struct pcscf_policy *policy, const struct sip_msg *m,
		     const struct pcscf_terms *terms, struct pcscf_offer *o);
/* The same from a Security-Client as kept. */
int pcscf_offer_again(const struct pcscf_policy *policy, const char *kept,
		      const struct pcscf_terms *terms, struct pcscf_offer *o);
char *pcscf_offer_keep(
	const struct sip_msg *m); /* all Security-Client values as one; NULL without memory */
bool pcscf_offer_same(const char *kept, const struct sip_msg *m);
/* Security-Server of a run, as in SM6. */
void pcscf_server_list(const struct pcscf_run *run, struct sbuf *b);
bool pcscf_verify_same(const struct pcscf_run *run, const struct sip_msg *m);
/* Security-Server without SPIs and ports, for 421 and 494. */
void pcscf_server_offer(const struct pcscf_policy *policy, const struct pcscf_terms *terms,
			struct sbuf *b);

/* ---- reply.c: our own responses */
struct pcscf_refusal {
	unsigned status;
	const char *warning;		   /* text of a Warning field, or NULL */
	bool agreement;			   /* with Security-Server; and Require: sec-agree if 421 */
	const struct pcscf_policy *policy; /* whose choices it lists */
	struct pcscf_terms terms;	   /* and which of them */
	uint32_t retry_after;		   /* s; 0: none */
	bool alternative;		   /* 380: with the body that says so (TS 24.229 5.2.10) */
};
/* In clear: without a transaction, so that a flood leaves no state. */
void pcscf_refuse(struct pcscf *p, const struct sip_flow *from, const struct pcscf_set *s,
		  const struct sip_msg *m, const struct pcscf_refusal *why, uint64_t now);
/* The same with a transaction, on either side. */
void pcscf_answer(struct pcscf *p, struct sip_txns *side, const struct sip_flow *reply,
		  const struct sip_msg *m, const struct pcscf_refusal *why, uint64_t now);
/* The final response. If it cannot be given the transaction ends, and the peer's repeat is a new
 * request. */
void pcscf_server_end(struct sip_server_txn *server, unsigned status, struct sv text, uint64_t now);
struct sv pcscf_reply_text(struct pcscf *p, const struct sip_msg *request,
			   const struct pcscf_refusal *why);
extern const char pcscf_port_in_use[]; /* Warning of ST-06; our UE knows it */

/* ---- via.c */
/* Does the top Via name the packet's source address (ST-04)? Of names, see lookup.c. */
bool pcscf_via_fits(const struct sip_msg *m, const struct ip_addr *source);
/* The address that the top Via names. -EINVAL: it is a name, or there is none. */
int pcscf_via_addr(const struct sip_msg *m, struct ip_addr *a);
/* Adds received and rport where RFC 3261 18.2.1 and RFC 3581 ask for them; *m is of p->stamped
 * then. s: the set it came on, or NULL. */
bool pcscf_via_stamp(struct pcscf *p, struct sip_msg *m, const struct sip_flow *from,
		     const struct pcscf_set *s);
/* A branch that names the set its request belongs to; random otherwise. */
void pcscf_branch(char branch[SIP_BRANCH_LEN], sa_set_id set);
bool pcscf_branch_set(struct sv branch, sa_set_id *set);

/* ---- loop.c: m as it was received; up: to the core */
/* pcscf_branch() by which pcscf_looped() knows the request again. */
void pcscf_branch_of(const struct pcscf *p, char branch[SIP_BRANCH_LEN], sa_set_id set,
		     const struct sip_msg *m, bool up);
bool pcscf_looped(const struct pcscf *p, const struct sip_msg *m, sa_set_id set, bool up);

/* ---- via.c */
/* Does a response have a Via below ours? Else it is lost: nobody would know whom it is for. */
bool pcscf_via_below(const struct sip_msg *m);
void pcscf_via_host(const struct ip_endpoint *e, char *buf); /* buf[IP_ENDPOINT_STRLEN] */

/* ---- run.c: registration under way */
/* `inherited`: Security-Client of the run before, taken over whatever comes; NULL: that of m. */
int pcscf_run_create(struct pcscf_reg *r, const struct sip_flow *from,
		     const struct pcscf_path *path, struct pcscf_set *s, const struct sip_msg *m,
		     struct sv impu, char *inherited, struct pcscf_run **rp);
/* Ends it. A new set that is left goes, at once or (linger) after its last repeats. */
void pcscf_run_end(struct pcscf_run *run, enum pcscf_run_event why, bool linger, uint64_t now);
/* The same for the run that `s`, which the caller is about to remove, was made for or answered on.
 */
void pcscf_run_abandon(struct pcscf_set *s, uint64_t now);

/* ---- request.c: what a REGISTER says */
struct pcscf_request {
	char impi[PCSCF_IDENTITY_MAX], impu[PCSCF_IDENTITY_MAX];
	struct sv impi_sv, impu_sv; /* views of the above */
	bool has_authorization;
	struct auth_response auth;
	bool answers;	  /* has a response to a challenge */
	bool resync;	  /* AUTS */
	bool dereg;	  /* expires 0 */
	uint32_t expires; /* asked for; UINT32_MAX: nothing said */
};
int pcscf_request_read(struct pcscf_request *q, const struct sip_msg *m); /* -EBADMSG */
/* Seconds that a 200 grants to the contact of the request; 0: deregistered. */
uint32_t pcscf_granted(const struct sip_msg *request, const struct sip_msg *response);

/* Waits for SM7, for as long as an SA set would. */
int pcscf_run_wait(struct pcscf_run *run, uint64_t now);

/* ---- register.c (SM1, SM7), forward.c (SM2, SM8), challenge.c (SM5), outcome.c (SM11) */
void pcscf_register(struct pcscf *p, const struct sip_flow *from, struct pcscf_set *s,
		    const struct sip_msg *m, uint64_t now);
/* The same, if it is known whether the Via fits the packet's source. */
void pcscf_register_compared(struct pcscf *p, const struct sip_flow *from, struct pcscf_set *s,
			     const struct sip_msg *m, bool via_fits, uint64_t now);
enum pcscf_indicator { /* D-18 */
		       PCSCF_INTEGRITY_NONE,
		       PCSCF_INTEGRITY_NO,
		       PCSCF_INTEGRITY_YES,
		       PCSCF_INTEGRITY_TLS_PENDING,
		       PCSCF_INTEGRITY_TLS_YES,
		       PCSCF_INTEGRITY_IP_PENDING,
		       PCSCF_INTEGRITY_IP_YES,
};
/* false: answered or refused, nothing is under way. */
bool pcscf_register_forward(struct pcscf_run *run, const struct sip_flow *reply,
			    struct pcscf_set *came_on, const struct sip_msg *m,
			    const struct pcscf_request *q, enum pcscf_indicator indicator,
			    uint64_t now);
/* A challenge; `again`: to SM8, where the nonce was stale. */
void pcscf_challenge(struct pcscf_relay *relay, const struct sip_msg *m, bool again, uint64_t now);
/* Is that 401 to SM8 a new challenge (DF-07, TE-03)? */
bool pcscf_challenge_is_stale(const struct sip_msg *m);
/* Does a 401 to SM2 go on at all, or is it passed on as it is? */
bool pcscf_challenge_counts(const struct pcscf_run *run, const struct sip_msg *m);
/* From now on responses on the new set take the way of a protected SM1 instead (ER-04). */
void pcscf_failure_detour(struct pcscf_run *run);
void pcscf_register_response(struct pcscf_relay *relay, const struct sip_msg *m, uint64_t now);
void pcscf_expiry_arm(struct pcscf_reg *r); /* IMPUs have changed */

/* ---- subscribe.c, notify.c */
void pcscf_subscription_start(struct pcscf_reg *r, uint64_t now); /* if there is none yet */
void pcscf_subscription_free(struct pcscf_subscription *s);
/* A NOTIFY for the P-CSCF itself; false: it is none. */
bool pcscf_notify_input(struct pcscf *p, const struct sip_msg *m, uint64_t now);

/* ---- lookup.c: names in Via (ST-05) */
/* true: the REGISTER waits for its Via's name, or has been answered; false: there is no name. */
bool pcscf_lookup_start(struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m,
			uint64_t now);
void pcscf_lookups_free(struct pcscf *p);

/* ---- relay.c, cancel.c */
int pcscf_relay_create(struct pcscf *p, enum pcscf_relay_kind kind, const struct sip_flow *reply,
		       const struct sip_msg *m, struct pcscf_set *s, struct pcscf_relay **rp,
		       uint64_t now);
void pcscf_relay_free(struct pcscf_relay *r);
/* Gives an SM1 in clear its place; that which had it is forgotten. */
void pcscf_relay_place(struct pcscf_relay *r, struct pcscf_reg *reg);
/* Sends the request on; text has a Via with a branch of ours. */
int pcscf_relay_send(struct pcscf_relay *r, const struct sip_flow *flow, struct sv text,
		     uint64_t now);
/* Gives a response of the other side to the asker. After a final one the relay may be gone. */
void pcscf_relay_respond(struct pcscf_relay *r, unsigned status, struct sv text, uint64_t now);
/* The same with one of our own, from the stored request. */
void pcscf_relay_answer(struct pcscf_relay *r, const struct pcscf_refusal *why, uint64_t now);
sip_client_h pcscf_relay_response;
struct sip_flow pcscf_core_flow(void);
/* Finds the INVITE that a CANCEL means and cancels it; answers the CANCEL. s: it came on; NULL:
 * from the core. */
void pcscf_cancel(struct pcscf *p, struct pcscf_set *s, const struct sip_flow *reply,
		  const struct sip_msg *m, uint64_t now);
void pcscf_cancel_prepare(struct pcscf_relay *r, struct sv sent); /* INVITE as sent */
/* To the other side, or once it has shown that it knows the INVITE. Has it been sent now? */
bool pcscf_cancel_send(struct pcscf_relay *r, uint64_t now);
timer_h pcscf_timer_c;
#define PCSCF_TIMER_C	185000 /* ms; more than 3 minutes */
#define PCSCF_CANCEL_MS 128000 /* 64 T1 of 2 s: how long a cancelled INVITE may go unanswered */

/* ---- routes.c: Route, Record-Route */
bool pcscf_host_ours(const struct pcscf *p, struct sv host);
/* The registration that a route element of ours names; false: not our element. */
bool pcscf_route_ours(struct pcscf *p, struct sv element, struct sv *token);
void pcscf_record_route(struct sip_edit *e, const struct pcscf_reg *r,
			const struct pcscf_set *towards_ue);
/* In a response: our element gets the form that the next hop shall use (TS 24.229 5.2.6). */
void pcscf_record_route_turn(struct pcscf *p, struct sip_edit *e, const struct sip_msg *m,
			     const struct pcscf_reg *r, const struct pcscf_set *towards_ue);
bool pcscf_dialog_forming(const struct sip_msg *m);
/* 0, or the status of a refusal: 483, 400. */
unsigned pcscf_max_forwards(struct sip_edit *e, const struct sip_msg *m);

/* ---- dialog.c: route sets of the UEs' dialogs (TS 24.229 5.2.6.3) */
/*
 * A response on its way through: makes, keeps or ends the dialog. request: as it came to us;
 * from_core: the UE sent it.
 */
void pcscf_dialog_response(struct pcscf_reg *r, const struct sip_msg *request,
			   const struct sip_msg *m, bool from_core, uint64_t now);
/* A 2xx of the core to an INVITE that has had its final response: another fork, or a repeat. */
void pcscf_dialog_fork(struct pcscf_reg *r, const struct sip_msg *m, uint64_t now);
/* The Route that a request of the UE takes behind us; false: it belongs to no dialog of this UE. */
bool pcscf_dialog_route(struct pcscf_reg *r, const struct sip_msg *m, const char **route,
			uint64_t now);
/* A request that ended in our own 408: a BYE or an INVITE ends what it meant all the same. */
void pcscf_dialog_unanswered(struct pcscf_reg *r, const struct sip_msg *request, bool from_core,
			     uint64_t now);
/* Is it a request of the UE inside one of them? */
bool pcscf_dialog_known(const struct pcscf_reg *r, const struct sip_msg *m);
void pcscf_dialogs_end(struct pcscf_reg *r);
unsigned pcscf_dialogs_count(const struct pcscf *p);

/* ---- emergency.c */
bool pcscf_emergency_uri(struct sv uri);
/* An emergency request outside of any dialog. */
bool pcscf_emergency_initial(const struct sip_msg *m);
/* The answer if nobody takes the call; and what it says, with the end of the response. */
void pcscf_emergency_refusal(const struct pcscf *p, struct pcscf_refusal *why);
void pcscf_emergency_alternative(const struct pcscf *p, struct sbuf *b);
/* May the message come in clear? Then requests go to pcscf_emergency_input(). */
bool pcscf_emergency_admits(struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m);
void pcscf_emergency_input(struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m,
			   uint64_t now);
/* Does it belong to a call that began before that flow was set s? */
bool pcscf_emergency_goes_on(struct pcscf *p, const struct pcscf_set *s,
			     const struct sip_flow *from, const struct sip_msg *m);
/* A request of the core whose Route has that token; false: it is no caller's. */
bool pcscf_emergency_terminating(struct pcscf *p, struct sv token, const struct sip_msg *m,
				 uint64_t now);
/* Of a relay with a caller: m is the response or NULL; and its text for the other side. */
void pcscf_emergency_follow(const struct pcscf_relay *r, const struct sip_msg *request,
			    const struct sip_msg *m, uint64_t now);
struct sv pcscf_emergency_response(struct pcscf_relay *r, const struct sip_msg *m);
/* TCP in clear has not taken it: by UDP, if it is for a caller. */
void pcscf_emergency_elsewhere(struct pcscf *p, const struct sip_flow *failed, struct sv text,
			       uint64_t now);
bool pcscf_emergency_repeat(struct pcscf *p, const struct sip_msg *m, uint64_t now);
void pcscf_callers_free(struct pcscf *p);

/* ---- strip.c */
void pcscf_strip_agreement(struct sip_edit *e); /* sec-agree and Security-* (F23) */
void pcscf_strip_network(struct sip_edit *e,
			 const struct sip_msg *m); /* fields that no UE may set */
void pcscf_strip_private(struct sip_edit *e, const struct sip_msg *m); /* what no UE may see */
void pcscf_strip_keys(struct sip_edit *e,
		      const struct sip_msg *m); /* ik and ck of any challenge (F32) */

/* ---- transport.c */
/* The flow of a request to the UE, whose Via gets that transport; `text` is ours to change. */
struct sip_flow pcscf_request_flow(const struct pcscf *p, const struct pcscf_set *s, char *text,
				   size_t n, uint64_t now);
/* Sends by a flow as it is; s is its set or NULL. What TCP does not take goes another way. */
void pcscf_transport_send(struct pcscf *p, const struct pcscf_set *s, const struct sip_flow *flow,
			  struct sv text);

/* ---- originating.c, terminating.c, core.c, access.c */
/* Nothing in Proxy-Require that we do not know (RFC 3261 16.3 step 5). */
bool pcscf_proxy_require_ok(const struct sip_msg *m);
bool pcscf_proxy_unsupported(const struct sip_msg *m, struct sbuf *out); /* and which */
void pcscf_originating(struct pcscf *p, const struct sip_flow *from, struct pcscf_set *s,
		       const struct sip_msg *m, uint64_t now);
/* The response of the core or the UE to a relayed request as the asker gets it; s: the UE's set or
 * NULL; who: is asserted, NULL: nobody. */
struct sv pcscf_response_down(struct pcscf *p, const struct sip_msg *m, const struct pcscf_set *s);
struct sv pcscf_response_up(struct pcscf *p, const struct sip_msg *m, const struct pcscf_set *s,
			    const struct pcscf_impu *who);
/* A 2xx to INVITE repeated after its transaction (RFC 3261 16.7); false: it was none. */
bool pcscf_response_repeat(struct pcscf *p, const struct sip_msg *m, bool from_core, uint64_t now);
void pcscf_terminating(struct pcscf *p, const struct sip_msg *m, uint64_t now);
void pcscf_core_input(void *arg, struct sv text, uint64_t now);
/* env of the two transaction layers */
void pcscf_access_send(void *ctx, const struct sip_flow *flow, struct sv text);
void pcscf_core_send(void *ctx, const struct sip_flow *flow, struct sv text);
