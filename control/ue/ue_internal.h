/*
 * Inside of control/ue/. The way of a message in: accept.c (which SA may carry it) -> the
 * transaction layer -> run.c (answers to REGISTER), challenge.c (401), message.c (the rest). Sets
 * of SAs: sets.c.
 */
#pragma once

#include "control/auth/auth.h"
#include "control/ue/digest.h"
#include "control/ue/states.h"
#include "control/ue/ue.h"

#define UE_MAX_SETS	 3     /* new, current, old (C-22) */
#define UE_RESTARTS	 3     /* of a registration whose protected REGISTERs stay unanswered */
#define UE_STALES	 3     /* challenges in a row that call our nonce stale */
#define UE_AUTN_FAILURES 2     /* in a row; then the UE gives up (TS 24.229 5.1.1.5.3) */
#define UE_TRANSACTION_S 128   /* s that a transaction lasts at most: 64 T1 */
#define UE_TEXT_MAX	 16384 /* longest message that we write */

struct ue_set {		  /* or a TLS connection (tls.c) */
	struct sa_set sa; /* tls: id, addresses and ports only */
	bool tls, lost;	  /* lost: the connection has ended */
	uint64_t session; /* tls; 0: nothing has come by it yet */
	enum ue_set_state state;
	bool heard;	       /* something came on it since it is the current one */
	uint16_t transactions; /* that send or await something on it, REGISTERs apart */
	uint16_t arrived;      /* those of them that only await: requests with a provisional answer,
				* but no INVITE */
	bool closed;	       /* its outbound SAs are gone (LU-10) */
	bool leaving;	       /* of an ended registration, for repeats of the last NOTIFY */
	uint64_t expires_at;   /* ms, application layer's lifetime */
	char *security_server; /* the list that made it; Security-Verify repeats it */
};

struct ue_request { /* a client transaction of ours */
	struct ue_request *next;
	struct ue *ue;
	struct sip_client_txn *txn;
	sa_set_id set; /* whose SA_CLIENT it went out on; 0: in clear */
	bool arrived;  /* the P-CSCF has it: nothing of it will be sent any more */
	char branch[SIP_BRANCH_LEN];
};

struct ue_served {			/* a server transaction of ours */
	struct sip_server_txn **handle; /* becomes NULL with it; or NULL */
	struct ue_served *next, **prev;
	struct ue *ue;
	sa_set_id set;
};

struct ue_run { /* the one registration under way (LU-01) */
	enum ue_step step;
	bool deregister;
	bool authenticated; /* SM7 was sent */
	uint8_t autn_failures, stales;
	sa_set_id sm1_set;	     /* 0: SM1 was unprotected */
	struct agree_params offered; /* what Security-Client says of ipsec-3gpp */
	struct ue_set *fresh;	     /* proposed or new; NULL: none */
	struct ue_request reg;
	uint64_t started;
};

struct ue_subscription;
struct ue_call;

struct ue {
	char *strings;
	struct sv impi, impu, home; /* home: "sip:" and the realm */
	struct sv realm, user;	    /* user: of the Contact */
	bool either;		    /* the next two are of the registration, or of the one begun */
	enum ue_auth auth;	    /* not EITHER */
	enum ue_security security;
	const char *access; /* P-Access-Network-Info */
	char instance[46];  /* urn:uuid:..., of +sip.instance (RFC 5626 4.1) */
	struct milenage_key key;
	struct sqn_array *sqn, *own_sqn;
	struct ue_digest digest;
	uint16_t tls_port;
	sa_set_id tls_serial; /* ids of TLS connections */
	uint64_t tls_session; /* the last one's number: a new connection has a higher one */
	struct ip_endpoint local, pcscf, behind;
	uint16_t port_min, port_max;
	struct agree_choice choices[2 * UE_MAX_CHOICES]; /* n_plain in transport mode, first */
	uint8_t n_choices, n_plain;
	uint16_t udp_enc_port;
	uint32_t heartbeat;
	struct ip_addr nat; /* public address of the NAT; version 0: none seen */
	enum ue_transport transport;
	uint64_t no_tcp_until; /* ms; the P-CSCF takes no connection */
	uint64_t tcp_lost_at;  /* ms; one ended with requests on it, */
	unsigned tcp_losses;   /* this many more since then */
	bool protect_or_abort, spi_ten_digits, reg_event;
	uint8_t unanswered_max, unanswered; /* protected requests without an answer, in a row */
	uint8_t restarts;
	uint32_t expires, await_auth, guard, patience, changeover;

	struct ue_env env;
	struct timers *timers;
	struct timer refresh, lifetime, silence, beat, gone;
	struct sip_txns *txns;
	struct ue_request *requests;
	struct ue_served *served;

	enum ue_registration registration; /* what the next two and unprotected say */
	bool registered;
	bool reauth;			      /* the next authentication is by the network's wish */
	uint64_t registered_until;	      /* ms */
	struct ue_subscription *subscription; /* to the registration state; NULL: none */
	struct ue_call *call;		      /* NULL: none */
	bool unprotected;		      /* registered without SAs (PO-02) */
	uint16_t port_us; /* stays until de-registration (SP-18); 0: not chosen yet */
	uint16_t last_port_uc;
	uint32_t cseq;
	char call_id[33], tag[17];
	unsigned char pass_key[16]; /* of branches (pass.c); crypto_shorthash_KEYBYTES */
	char *service_route;	    /* list as it stood; NULL: none */
	struct ue_set sets[UE_MAX_SETS];
	struct ue_run run;
	uint64_t register_ms;
	uint64_t drops[UE_DROP_COUNT];
};

/* ---- sets.c ---- */
/* Reserves SPIs and chooses ports that no SA of ours has (SP-02, SP-19, SP-22, ST-12). */
int ue_set_propose(struct ue *u, struct ue_set **sp);
int ue_set_install(struct ue *u, struct ue_set *s, uint64_t now);
void ue_set_opened(struct ue *u, struct ue_set *s, uint64_t now); /* new, for a while */
void ue_set_remove(struct ue *u, struct ue_set *s);
void ue_set_remove_all(struct ue *u);
struct ue_set *ue_set_find(struct ue *u, sa_set_id id);
struct ue_set *ue_set_in(struct ue *u, enum ue_set_state state); /* the first; NULL */
void ue_set_flow(const struct ue *u, const struct ue_set *s,
		 struct sip_flow *flow); /* NULL: clear */
/* SM12: the new set takes over (LU-08, LU-09, LU-11). */
void ue_set_change_over(struct ue *u, struct ue_set *fresh, uint64_t until);
void ue_set_extend(struct ue *u, struct ue_set *s, uint64_t until); /* LU-13 */
void ue_set_cap(struct ue *u, struct ue_set *s, uint64_t until);    /* never longer than it was */
/* The registration is over: only set `id` stays, until its transactions end. */
void ue_set_leave(struct ue *u, sa_set_id id, uint64_t now);
void ue_set_settle(struct ue *u); /* ends the old set, or its sending half (LU-10, LU-12 b) */
void ue_set_busy(struct ue *u, sa_set_id id, int delta);
void ue_set_arrived(struct ue *u, sa_set_id id, int delta);

/* ---- tls.c ---- */
static inline bool ue_uses_tls(const struct ue *u)
{
	return u->security != UE_SECURITY_IPSEC && u->security != UE_SECURITY_NONE;
}
/* RFC 3329, with ipsec-3gpp or tls */
static inline bool ue_agrees(const struct ue *u)
{
	return u->security != UE_SECURITY_TLS_PLAIN && u->security != UE_SECURITY_NONE;
}
int ue_tls_propose(struct ue *u, struct ue_set **sp);
/* What is sent on it from now on opens the connection; all others are closed. */
void ue_tls_open(struct ue *u, struct ue_set *s, uint64_t now);
void ue_tls_close(struct ue *u, const struct ue_set *s);
/* Something has come by it, or its end is told: its number is known. */
void ue_tls_session_set(struct ue *u, struct ue_set *s, uint64_t session);
/* *flow: as we number it. NULL: not TLS, or not ours. */
struct ue_set *ue_tls_flow_in(struct ue *u, const struct sip_flow *from, struct sip_flow *flow);
struct sip_flow ue_tls_flow_out(const struct sip_flow *flow);
void ue_tls_not_sent(struct ue *u, sa_set_id id, uint64_t now);
bool ue_tls_agreed(const struct sip_msg *m); /* Security-Server */

/* ---- either.c: the UE that has both, and offers both in clear ---- */
static inline bool ue_offers_both(const struct ue *u)
{
	return u->either && !u->run.sm1_set;
}
void ue_either_begin(struct ue *u, const struct ue_set *on);
/* The mechanism of the challenge's Security-Server, with its authentication: that of the other is
 * not answered. */
int ue_either_take(struct ue *u, const struct sip_msg *m);

/* ---- transport.c ---- */
/* The flow of a request (on NULL: clear); its Via in *b gets that transport. */
void ue_request_flow(const struct ue *u, const struct ue_set *on, struct sbuf *b,
		     struct sip_flow *flow, uint64_t now);
/* Where the answer to a message of flow `from` goes: over TCP on its connection. */
void ue_reply_flow(struct ue *u, const struct sip_flow *from, struct sip_flow *reply);
/* What TCP does not take goes another way. */
void ue_transport_send(struct ue *u, const struct sip_flow *flow, struct sv text);

/* ---- register.c ---- */
/* What one REGISTER says beside the constant fields. */
struct ue_register_args {
	const struct ue_set *on; /* NULL: in clear */
	const struct auth_answer *auth;
	const char *verify; /* NULL: no Security-Verify */
	bool agree;	    /* Security-Client and the option tags */
};
/* Writes and sends it; u->run.reg is its transaction. Ends by ue_run_response(). */
int ue_register_send(struct ue *u, const struct ue_register_args *a, uint64_t now);
void ue_via_write(const struct ue *u, struct sbuf *b, const struct ue_set *on, const char *branch);
void ue_host_write(struct sbuf *b, const struct ip_addr *a); /* with brackets if IPv6 */
bool ue_host_read(struct sv host, struct ip_addr *a);	  /* no brackets; false: it is no address */
void ue_access_write(const struct ue *u, struct sbuf *b); /* P-Access-Network-Info */

/* ---- run.c ---- */
int ue_run_start(struct ue *u, bool deregister, uint64_t now);
void ue_run_response(void *arg, const struct sip_msg *m, uint64_t now); /* a sip_client_h */
void ue_run_fail(struct ue *u, const char *reason, uint64_t now);
void ue_run_timeout(struct ue *u, const char *reason, uint64_t now);
void ue_refresh_at(struct ue *u, uint64_t at); /* ms */
void ue_run_abandon(struct ue *u);	       /* wipes it (LU-01, ER-05) */
void ue_unregister(struct ue *u); /* forgets registration and SAs, without a word to the network */
void ue_unregister_services(struct ue *u); /* the registration alone */
/* Expires in s seconds, unless it does so before; the UE authenticates anew (AK-15). */
void ue_registration_shorten(struct ue *u, uint32_t expires, uint64_t now);
bool ue_contact_is_ours(const struct ue *u, struct sv uri);
/* A protected REGISTER had no answer: the P-CSCF may have lost our SAs (LC-04). */
void ue_unanswered(struct ue *u);
/* Another request that went out on that set (0: in clear) had none; from the last on the UE
 * registers in clear. The last that its handler does. */
void ue_request_unanswered(struct ue *u, sa_set_id set, uint64_t now);

/* ---- challenge.c: AKA; digest_run.c: Digest ---- */
void ue_challenge_input(struct ue *u, const struct sip_msg *m, uint64_t now);
void ue_digest_challenge_input(struct ue *u, const struct sip_msg *m, uint64_t now);
/* A 401 to SM7: true: stale, and answered again (DF-09). */
bool ue_digest_again(struct ue *u, const struct sip_msg *m, uint64_t now);
char *ue_security_server_dup(const struct sip_msg *m);

/* ---- nat.c ---- */
/* The answer to a clear REGISTER says where the network sees us. */
void ue_nat_see(struct ue *u, const struct sip_msg *m);
/* The P-CSCF's choice among ours that can work where we are; as agree_choose_server(). */
int ue_nat_choose(const struct ue *u, const struct agree_list *l, const struct agree_mech **mech);
unsigned ue_nat_choices(const struct ue *u, struct agree_choice *to); /* those */
void ue_nat_tunnel_fill(const struct ue *u, struct sa_set *sa);
void ue_nat_beat(struct ue *u, uint64_t now); /* from now on, while there is a tunnel */

/* ---- request.c ---- */
bool ue_service_allowed(const struct ue *u);
/* Header fields; none where there is nothing to say. */
void ue_route_write(const struct ue *u, const struct ue_set *on, struct sbuf *b);
void ue_identity_write(const struct ue *u, enum sip_method method, struct sbuf *b);
bool ue_identity_fits(enum sip_method method); /* P-Preferred-Identity (RFC 3325 9.2) */
void ue_agreement_write(const struct ue_set *on, struct sbuf *b);
/* A request to be written for the set *on (NULL: in clear), with its branch. -ENOTCONN: not now. */
int ue_request_create(struct ue *u, struct ue_request **rp, struct ue_set **on);
/* Sends what was written; b keeps the text as it went out. Frees the request on failure. */
int ue_request_send(struct ue_request *r, const struct ue_set *on, struct sbuf *b,
		    sip_client_h *handler, uint64_t now);
/* It has its final answer, or there will be none: frees it; returns the UE. */
struct ue *ue_request_done(struct ue_request *r);
void ue_request_free(struct ue_request *r);

/* ---- message.c ---- */
void ue_served_free(struct ue_served *s);
void ue_serve(struct ue *u, const struct sip_flow *from, const struct sip_msg *m, uint64_t now);
int ue_answer(struct ue *u, const struct sip_flow *from, const struct sip_msg *m, unsigned status,
	      uint64_t now);
/* A transaction for a request; *handle is NULL again when it has gone. */
int ue_serve_begin(struct ue *u, const struct sip_flow *from, const struct sip_msg *m,
		   struct sip_server_txn **handle, uint64_t now);
void ue_served_unwatch(struct sip_server_txn *txn); /* its handle goes before it does */
bool ue_uri_is_safe(struct sv uri);

/* ---- pass.c ---- */
/* true: it was for the program behind the UE */
bool ue_pass_input(struct ue *u, const struct sip_flow *from, const struct sip_msg *m);

/* ---- call.c, call_in.c, call_out.c ---- */
/* false: the request is not for a call */
bool ue_call_input(struct ue *u, const struct sip_flow *from, const struct sip_msg *m,
		   uint64_t now);
/* A 2xx of no transaction any more; false: of no call either. */
bool ue_call_answer_repeated(struct ue *u, const struct sip_msg *m, uint64_t now);
void ue_call_lost(struct ue *u, uint64_t now); /* with the registration */
/* Nothing comes on that set any more: a call whose INVITE went out on it ends soon. */
void ue_call_set_gone(struct ue *u, sa_set_id id);
void ue_call_drop(struct ue *u); /* without a word */

/* ---- subscribe.c, notify.c ---- */
void ue_subscription_start(struct ue *u, uint64_t now); /* if wanted and not there yet */
void ue_subscription_end(struct ue *u);
void ue_notify_input(struct ue *u, const struct sip_flow *from, const struct sip_msg *m,
		     uint64_t now);

static inline void ue_event(struct ue *u, enum ue_event e, struct sv text, uint64_t now)
{
	u->env.event(u->env.ctx, u, e, text, now);
}
