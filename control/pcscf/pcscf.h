/*
 * P-CSCF: the network's end of the security association (TS 33.203 clauses 6, 7; TS 24.229 5.2). No
 * I/O: messages, time and the environment's answers come in; messages and SA operations go out.
 */
#pragma once

#include "control/agree/agree.h"
#include "control/base/timer.h"
#include "control/mw/mw.h"
#include "control/sip/flow.h"
#include "control/sip/txn.h"
#include "sa.h"

struct pcscf;

#define PCSCF_MAX_CHOICES 7 /* each pair of algorithms, and tls */

#define PCSCF_MAX_POLICIES 16

/* What holds for UEs of one access network. In a 3GPP one (as P-Access-Network-Info says it) tls
 * and digest do not count, whatever stands here (TL-02, DN-02). */
struct pcscf_policy {
	struct ip_prefix source; /* their addresses, as we see them; addr.version 0: any */
	const char *type; /* with this their P-Access-Network-Info begins; NULL: or does not */
	struct agree_choice choices[PCSCF_MAX_CHOICES]; /* by priority: ipsec-3gpp and tls */
	unsigned n_choices;
	bool digest;	     /* SIP Digest without TLS is let in, too (Annex N) */
	bool ipsec_required; /* no AKA without IPsec, no TLS without Security-Client (PO-03) */
	bool spi_ten_digits; /* SPIs as Annex H writes them, not as phones do (C-13) */
};

/* What SM8 and later REGISTERs over TLS say (C-06) */
enum pcscf_tls_indicator {
	PCSCF_TLS_PENDING_YES, /* tls-pending, then tls-yes */
	PCSCF_TLS_NONE,	       /* nothing (001 O.1.4) */
	PCSCF_TLS_AS_IPSEC,    /* yes; no in clear (003, option 1) */
	PCSCF_TLS_REAUTH_YES,  /* yes on a session that is authenticated already (003, option 2) */
};

struct pcscf_conf {
	const char *host;	      /* its own name on Mw; in Path and Route */
	const char *icscf_host;	      /* where REGISTERs go */
	const char *visited_network;  /* P-Visited-Network-ID */
	const char *ecscf_host;	      /* where emergency requests go; NULL: 380 */
	bool clear_emergency;	      /* they may come in clear (C-15) */
	uint32_t max_emergency;	      /* callers in clear at once; 0: 1000 */
	struct ip_endpoint access[2]; /* clear SIP address for IPv4 and IPv6; version 0: none */
	uint16_t port_ps;
	uint16_t port_pc_min, port_pc_max;
	struct agree_choice choices[PCSCF_MAX_CHOICES]; /* by priority */
	unsigned n_choices;
	bool digest;
	enum pcscf_tls_indicator tls_indicator;
	bool ipsec_required; /* refuse UEs without an acceptable Security-Client (bidding down, F16)
			      */
	bool spi_ten_digits;
	const struct pcscf_policy *policies; /* the first that fits counts; none: the above */
	unsigned n_policies;
	uint32_t await_auth; /* s; temporary lifetime of new SAs, 240 */
	uint32_t guard;	     /* s added to the registration's lifetime, 30 */
	bool reg_event;	     /* subscribes to its UEs' registration states (TS 24.229 5.2.3) */
	uint32_t changeover; /* s that old SAs last after a re-authentication that the network
			      * wished for (AK-17); 0: 240 */
	uint32_t linger; /* s a set lives on after de-registration, for repeats of the 200 (F06) */
	uint32_t max_pending; /* registrations under way at once, bounds a flood of SM1s */
	struct sip_txn_timers *access_timers; /* NULL: SIP_TIMERS_ACCESS */
	/* UEs behind NATs (TS 33.203 Annex M): our port of ESP in UDP; 0: they are refused. */
	uint16_t udp_enc_port;
	/* One address out of these for each such UE, by which the host's stack (TCP) knows it: two
	 * UEs may have the same private one. [0] IPv4, [1] IPv6; version 0: none. */
	struct ip_prefix alias[2];
};

/* None of these may call back into the P-CSCF. */
struct pcscf_env {
	void *ctx;
	void (*send)(void *ctx, const struct sip_flow *flow, struct sv text); /* towards a UE */
	int (*sa_reserve)(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set);
	int (*sa_install)(void *ctx, const struct sa_set *set);
	void (*sa_remove)(void *ctx, sa_set_id id);
	/*
	 * Looks the name up and answers by pcscf_resolved(), later and whenever it likes. NULL: a
	 * Via with a name never fits (ST-05). Negative errno: not now.
	 */
	int (*resolve)(void *ctx, const char *host, uint32_t id);
	/*
	 * As send, over TCP: on the connection of that flow; if there is none, one is opened where
	 * the flow is of pair SA_CLIENT. Negative errno: not sent, -ENOTCONN if the UE would have
	 * to open it. What fails later comes back by pcscf_undelivered(). NULL: there is no TCP.
	 */
	int (*stream_send)(void *ctx, const struct sip_flow *flow, struct sv text);
	/* The TLS connection of that flow has served its time; NULL: there is no TLS. */
	void (*hang_up)(void *ctx, const struct sip_flow *flow);
};

int pcscf_alloc(struct pcscf **pp, const struct pcscf_conf *conf, const struct pcscf_env *env,
		struct timers *timers, struct mw *mw); /* attaches to mw */
void pcscf_free(struct pcscf *p);

/* A datagram or message from the access side; `from` is the flow it came by. */
void pcscf_input(struct pcscf *p, const struct sip_flow *from, struct sv text, uint64_t now);
/* The answer to env.resolve(); n = 0: there is no such name. */
void pcscf_resolved(struct pcscf *p, uint32_t id, const struct ip_addr *addrs, unsigned n,
		    uint64_t now);
/*
 * `text`, sent over TCP on that flow, has not reached the UE: it goes another way (RFC 3261 18.1.1,
 * 18.2.2; F10, F15). `stood`: there was a connection; else it was refused.
 */
void pcscf_undelivered(struct pcscf *p, const struct sip_flow *flow, struct sv text, bool stood,
		       uint64_t now);
/* The TLS connection of that flow is no more. What was bound to it waits for a new one. */
void pcscf_session_closed(struct pcscf *p, const struct sip_flow *flow, uint64_t now);
/* The data plane says that an outbound SA will soon have no sequence numbers: the set must be
 * replaced or go. */
void pcscf_sa_exhausted(struct pcscf *p, sa_set_id id, uint64_t now);

/*
 * The data plane says where the UE behind a NAT is now (DP_EVENT_PEER_MOVED), outside and inside.
 * What goes to the UE follows by itself; this keeps the SA_table right.
 */
void pcscf_ue_moved(struct pcscf *p, sa_set_id id, const struct ip_endpoint *outer,
		    const struct ip_addr *inner);

/* Administrative and for a UE known to be gone: removes its SAs and state. -ENOENT */
int pcscf_deregister(struct pcscf *p, struct sv impi, uint64_t now);
bool pcscf_has_registered(struct pcscf *p, struct sv impi);

enum pcscf_drop { /* messages discarded without an answer, or REGISTERs refused */
		  PCSCF_DROP_MALFORMED,
		  PCSCF_DROP_CLEAR_NOT_REGISTER, /* SP-20 */
		  PCSCF_DROP_CLEAR_RESPONSE,
		  PCSCF_DROP_UNKNOWN_SET, /* SA set removed meanwhile */
		  PCSCF_DROP_WRONG_SA,	  /* LP-03 */
		  PCSCF_DROP_WRONG_IMPU,  /* ST-10 */
		  PCSCF_DROP_VIA_ADDRESS, /* ST-04 */
		  PCSCF_DROP_NOT_REGISTERED,
		  PCSCF_DROP_STRAY_RESPONSE,
		  PCSCF_DROP_OVERLOAD,
		  PCSCF_REFUSED_AGREEMENT, /* ER-07 */
		  PCSCF_REFUSED_VERIFY,	   /* ER-08 */
		  PCSCF_REFUSED_PORT,	   /* ST-06 */
		  PCSCF_REFUSED_NAT,	   /* behind a NAT, without UDP-enc-tun (F17) */
		  PCSCF_REFUSED_PAIRING,   /* the challenge does not go with what is agreed, or
					    * with the access network (C-32, DN-02, DN-03) */
		  PCSCF_REFUSED_CLEAR,	   /* an answer in clear where TLS was agreed (TS-05) */
		  PCSCF_REFUSED_SESSION,   /* on the TLS connection of another UE (TL-10) */
		  PCSCF_DROP_FLOW_FAILED,  /* requests to a UE whose connection has gone: 430 */
		  PCSCF_DROP_COUNT,
};
const char *pcscf_drop_name(enum pcscf_drop reason);

struct pcscf_counters {
	uint64_t drops[PCSCF_DROP_COUNT];
	uint64_t registrations, refreshes, deregistrations, auth_failures, timeouts;
	uint64_t requests_from_ue, requests_to_ue, retransmissions;
	uint64_t impossible;	  /* what states.c says cannot happen: a fault of ours */
	uint64_t emergency_calls; /* in clear */
	unsigned emergency;	  /* callers now */
	unsigned registered;	  /* UEs now */
	unsigned pending;	  /* registrations under way */
	unsigned sets;		  /* SA sets held */
	unsigned dialogs;	  /* whose route sets are kept */
	unsigned transactions;	  /* both sides */
};
void pcscf_counters(const struct pcscf *p, struct pcscf_counters *c);

enum pcscf_set_role {
	PCSCF_SET_GONE,
	PCSCF_SET_NEW,
	PCSCF_SET_CURRENT,
	PCSCF_SET_OLD,
	PCSCF_SET_ENDING,
	PCSCF_SET_ROLES,
};

/* What holds a UE's signalling together */
enum pcscf_kind {
	PCSCF_IPSEC,   /* an SA set of the data plane */
	PCSCF_TLS,     /* a TLS connection (TS 33.203 Annex O) */
	PCSCF_ADDRESS, /* Digest alone: an address and port (Annex N) */
};

struct pcscf_set_info {
	enum pcscf_kind kind;
	struct sa_set set;    /* keys zero; else just id, addresses and ports */
	struct sip_flow flow; /* PCSCF_TLS, PCSCF_ADDRESS */
	enum pcscf_set_role role;
	uint64_t expires_at; /* ms; application layer's lifetime (ES-11) */
};
struct pcscf_registration {
	struct sv impi;
	unsigned n_impus;
	struct sv impus[32];
	struct ip_addr ue; /* as seen from outside: of its NAT, if there is one */
	struct sv contact;
	bool registered;
	uint64_t expires_at;
	unsigned n_sets;
	struct pcscf_set_info sets[3];
};
/* A handler that returns false ends the walk. */
typedef bool pcscf_registration_h(void *arg, const struct pcscf_registration *r);
void pcscf_registration_each(struct pcscf *p, pcscf_registration_h *handler, void *arg);
