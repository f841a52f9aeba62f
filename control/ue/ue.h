/*
 * One UE: registration with IMS AKA or SIP Digest, security agreement, SAs or TLS, MESSAGEs, calls
 * (TS 33.203 clauses 6, 7, Annexes N, O; TS 24.229 5.1). No I/O: the same code runs in unit tests,
 * and by the thousand in esplanade-ue.
 */
#pragma once

#include "control/agree/agree.h"
#include "control/base/timer.h"
#include "control/sip/flow.h"
#include "control/sip/txn.h"
#include "crypto/aka.h"
#include "sa.h"

struct ue;

#define UE_MAX_CHOICES 6

enum ue_transport {
	UE_TRANSPORT_UDP,
	UE_TRANSPORT_TCP,
	UE_TRANSPORT_MIXED, /* REGISTER and what is longer than 1300 octets over TCP (F11) */
};

enum ue_auth {
	UE_AUTH_AKA,
	UE_AUTH_DIGEST, /* never on 3GPP access, never with IPsec (DN-02, DN-03) */
	UE_AUTH_NONE,	/* for laboratories: with UE_SECURITY_NONE only */
	UE_AUTH_EITHER, /* AKA with ipsec-3gpp, Digest with tls: as agreed; not on 3GPP access */
};

enum ue_security {
	UE_SECURITY_IPSEC, /* ipsec-3gpp, with AKA */
	UE_SECURITY_TLS, /* with Digest: SM1 in clear, agreed by tls, SM7 inside (TS-01 to TS-05) */
	UE_SECURITY_TLS_FIRST, /* TLS before SIP, sec-agree all the same (DT-01, PO-03) */
	UE_SECURITY_TLS_PLAIN, /* TLS with registrars that know no sec-agree */
	UE_SECURITY_NONE,      /* any registrar; no security agreement */
	UE_SECURITY_EITHER,    /* with UE_AUTH_EITHER: ipsec-3gpp and tls are offered in clear, and
				* the P-CSCF's highest q is taken (SU-07) */
};

struct ue_conf {			 /* strings copied */
	const char *impi, *impu, *realm; /* realm: home domain, the Request-URI of REGISTER */
	struct milenage_key key;	 /* the card's; wiped with the UE */
	struct sqn_array *sqn;	     /* the card's memory; outlives the UE. NULL: its own, zero */
	struct ip_endpoint local;    /* address, and clear port (5060) */
	struct ip_endpoint pcscf;    /* clear address of the P-CSCF */
	uint16_t port_min, port_max; /* protected ports, chosen at random (SP-22) */
	struct agree_choice choices[UE_MAX_CHOICES]; /* offered, in this order */
	unsigned n_choices;
	uint32_t expires;    /* s asked for */
	uint32_t await_auth; /* s; temporary lifetime of new SAs, 240 */
	uint32_t guard;	     /* s added to the registration's lifetime, 30 */
	enum ue_transport transport;
	bool reg_event;		 /* subscribes to its registration state (TS 24.229 5.1.1.3) */
	uint32_t changeover;	 /* s that old SAs last after a re-authentication that the network
				  * wished for (AK-17); 0: 240 */
	bool spi_ten_digits;	 /* writes SPIs with leading zeros (HX-09) */
	bool protect_or_abort;	 /* PO-01; true unless somebody knows why not */
	unsigned unanswered_max; /* protected requests in a row without an answer, after which the
				  * UE registers in clear (LC-04); 0: 3 */
	/* TS 33.203 Annex M: the choices are offered with mod=UDP-enc-tun as well. */
	bool udp_enc_tun;
	enum ue_auth auth;
	const char *password; /* of Digest; the copy is wiped with the UE */
	/* Digest: a 2xx need not prove that the network knows the password (DF-04). */
	bool rspauth_optional;
	bool sha256_only; /* answers no MD5 challenge */
	enum ue_security security;
	uint16_t tls_port;     /* the P-CSCF's; 0: 5061 */
	const char *access;    /* value of P-Access-Network-Info; NULL: LTE with AKA, else WLAN */
	uint16_t udp_enc_port; /* the P-CSCF's, of ESP in UDP; 0: 4500 */
	/* s; behind a NAT an empty line goes to the P-CSCF this often, protected, so that it learns
	 * where the NAT has moved us (keepalives of RFC 3948 prove nothing); 0: 20 */
	uint32_t heartbeat;
	/* Where a plain SIP program sends to that uses this UE as its proxy (ue_pass()); version 0:
	 * there is none. */
	struct ip_endpoint behind;
	uint32_t patience; /* s without an answer to a protected REGISTER, after which the UE starts
			    * again (ER-10); 0: as long as its transaction lasts, 128 s */
};

enum ue_event {
	UE_REGISTERED,	    /* SM12 accepted, or a refresh succeeded */
	UE_FAILED,	    /* registration or de-registration failed; text is the reason */
	UE_DEREGISTERED,    /* text, if the network did it: why (RFC 3680 5.2) */
	UE_SHORTENED,	    /* the network wants a new authentication; the UE sees to it (AK-15) */
	UE_MESSAGE_SENT_OK, /* 2xx to a MESSAGE of ours */
	UE_MESSAGE_FAILED,
	UE_MESSAGE_RECEIVED, /* text is the body */
	UE_CALL_INCOMING,    /* rings; text: who calls */
	UE_CALL_RINGING,     /* there */
	UE_CALL_ANSWERED,    /* both ends know it */
	UE_CALL_ENDED,	     /* text: why, empty after a BYE */
	UE_UNPROTECTED, /* a warning: goes on without SAs or TLS (PO-02), only if !protect_or_abort
			 */
};

/* None of these may call back into the UE, but event() may call ue_register(), ue_deregister(),
 * ue_message() and the functions of calls. */
struct ue_env {
	void *ctx;
	void (*send)(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text);
	int (*sa_reserve)(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set);
	int (*sa_install)(void *ctx, const struct sa_set *set);
	void (*sa_remove)(void *ctx, sa_set_id id);
	void (*event)(void *ctx, struct ue *u, enum ue_event event, struct sv text, uint64_t now);
	/* The outbound SAs of a set, its inbound ones stay (LC-06). NULL: they all go together. */
	void (*sa_remove_outbound)(void *ctx, sa_set_id id);
	/*
	 * As send, over TCP: on the connection of that flow; if there is none, one is opened where
	 * the flow is of pair SA_CLIENT, or in clear. Negative errno: not sent. What fails later
	 * comes back by ue_undelivered(). NULL: all goes over UDP.
	 */
	int (*stream_send)(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text);
	/* The TLS connection of that flow is not needed any more. NULL only without TLS. */
	void (*hang_up)(void *ctx, struct ue *u, const struct sip_flow *flow);
	/* A message for the program behind the UE: requests to where it listens, responses to the
	 * sent-by of the topmost Via. NULL: there is none. */
	void (*pass)(void *ctx, struct ue *u, struct sv text);
};

int ue_alloc(struct ue **up, const struct ue_conf *conf, const struct ue_env *env,
	     struct timers *timers);
void ue_free(struct ue *u); /* removes its SAs */

void ue_input(struct ue *u, const struct sip_flow *from, struct sv text, uint64_t now);

/* `text`, sent over TCP on that flow, has not reached the P-CSCF: it goes another way (F15).
 * `stood`: there was a connection; else it was refused. */
void ue_undelivered(struct ue *u, const struct sip_flow *flow, struct sv text, bool stood,
		    uint64_t now);

/* A TLS connection has ended, or (`why` says so) could not be made. `why` may be NULL. */
void ue_session_closed(struct ue *u, const struct sip_flow *flow, const char *why, uint64_t now);

int ue_register(struct ue *u, uint64_t now); /* also refresh; -EBUSY while one is under way */
/* Gives up a refresh under way (LU-01). -ENOTCONN unless registered. */
int ue_deregister(struct ue *u, uint64_t now);
/* Sends a MESSAGE with a text/plain body. -ENOTCONN unless registered. */
int ue_message(struct ue *u, struct sv to_uri, struct sv body, uint64_t now);

/*
 * A message of the program behind the UE, any but REGISTER: on the current set, answers on that of
 * their request. -EBADMSG, -EMSGSIZE, -EPERM, -ENOTCONN: it is lost, as on any network.
 */
int ue_pass(struct ue *u, struct sv text, uint64_t now);

/* One call at a time, signalling only (RFC 3261, 3262, 3264, 3311); another one is busy. */
enum ue_call_state {
	UE_CALL_NONE,
	UE_CALL_OUTGOING,
	UE_CALL_INCOMING_RINGING,
	UE_CALL_TALKING,
	UE_CALL_ENDING,
};
enum ue_call_state ue_call_state(const struct ue *u);
int ue_call(struct ue *u, struct sv to_uri, uint64_t now); /* -EBUSY, -ENOTCONN, -EINVAL */
int ue_call_accept(struct ue *u, uint64_t now);		   /* -ENOTCONN: nothing rings */
/* CANCEL, 603 or BYE. -ENOTCONN: there is nothing to end. */
int ue_call_end(struct ue *u, uint64_t now);

/* The address that others see: that of the NAT, if the UE is behind one. */
const struct ip_addr *ue_public_addr(const struct ue *u);
bool ue_registered(const struct ue *u);
unsigned ue_sets(const struct ue *u); /* SA sets held */
unsigned ue_transactions(const struct ue *u);
uint64_t ue_retransmissions(const struct ue *u);
/* The current set with its keys, for `esplanade-ue --export-keys`. NULL if none. */
const struct sa_set *ue_current_set(const struct ue *u);
uint64_t
ue_register_ms(const struct ue *u); /* SM1 sent to SM12 accepted, of the last registration */

enum ue_drop {
	UE_DROP_MALFORMED,
	UE_DROP_CLEAR,	  /* SP-21 */
	UE_DROP_WRONG_SA, /* LU-02, LU-03, LU-07 */
	UE_DROP_STRAY,
	UE_DROP_IMPOSSIBLE, /* what states.c says cannot happen: a fault of ours */
	UE_DROP_COUNT,
};
uint64_t ue_drops(const struct ue *u, enum ue_drop reason);
