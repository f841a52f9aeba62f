/*
 * A whole network in memory on simulated time: UEs, P-CSCF, I-CSCF, S-CSCF and HSS as they are.
 * Between the UEs and the P-CSCF stands an SA layer without crypto: a message sent on a set arrives
 * only if the receiver has a set with the same SPI, addresses, ports, algorithms and keys
 * installed, as ESP would have it.
 */
#pragma once

#include <uthash.h>

#include "control/base/timer.h"
#include "control/hss/hss.h"
#include "control/icscf/icscf.h"
#include "control/mw/mw.h"
#include "control/pcscf/pcscf.h"
#include "control/scscf/scscf.h"
#include "control/ue/ue.h"
#include "tests/support/test.h"

#define NET_UES		 4
#define NET_SETS	 32 /* of one UE */
#define NET_TEXT	 4096
#define NET_UDP_ENC_PORT 4500

struct net_sa {
	bool reserved, installed;
	bool confirmed;	      /* SM12 has been sent, or at the UE accepted, on it */
	struct net_ue *owner; /* at the P-CSCF: who had its remote address when it was made */
	struct sa_set set;    /* in a tunnel `remote` and tunnel.remote_port follow the peer */
	bool heard;	      /* and control has been told of it */
};

struct net_end { /* the SAs of the P-CSCF or of one UE */
	struct net *net;
	struct net_sa *sas;
	unsigned places, in_use;
	sa_set_id last_id;
};

enum net_back { /* a packet that has not reached its end and comes back to its sender */
		NET_BACK_NOT,
		NET_BACK_REFUSED, /* there was no connection */
		NET_BACK_ENDED,
};

struct net_conn_key {
	struct ip_endpoint edge, ue;
};

/* A TCP connection. */
struct net_conn {
	struct net *net;
	unsigned serial;
	struct ip_endpoint edge, ue, mapped; /* mapped: a clear one's real port */
	struct net_conn_key key, mapped_key; /* as UE and P-CSCF find it */
	UT_hash_handle by_key, by_mapped;
	struct net_packet *sent; /* requests sent lately, by either end */
	uint64_t used;		 /* ms, last */
};

struct net_tcp {
	struct net_conn *conns, *mapped;
	bool refuses[2];    /* new connections: [0] UEs, [1] P-CSCF */
	unsigned opened[2]; /* by UEs, by the P-CSCF */
	unsigned closed;
};

struct net_packet {
	struct net_packet *next;
	enum net_back back;
	struct net_end *from;
	struct sip_flow flow; /* the sender's */
	struct sa_set sa;     /* that protected it, if flow.set */
	unsigned conn;	      /* serial of its connection; 0: UDP */
	uint64_t due;	      /* held back until then; or, */
	bool swap;	      /* until another packet has passed */
	bool stall;	      /* and then it ends its connection */
	unsigned number;
	size_t n;
	char text[];
};

enum net_fate {
	NET_PASS,
	NET_DROP,   /* TCP: its connection ends before it */
	NET_DOUBLE, /* TCP: the second time on another connection */
	NET_SPOIL,  /* an octet changed: ESP drops it, in clear it arrives so. TCP repeats what ESP
		     * has dropped */
	NET_SWAP,   /* overtaken by the next packet, or 3 s late */
	NET_LATE,   /* by n->late_ms. TCP: with all that follows it on its connection */
	/* TCP alone; UDP: as NET_DROP */
	NET_CUT,   /* arrives, and then its connection ends */
	NET_STALL, /* arrives in part, nothing follows, and the connection ends after n->late_ms */
};

/* The NAT in front of a UE: what its clear port and its port of ESP in UDP are mapped to. */
struct net_nat {
	struct ip_addr addr; /* version 0: there is none */
	uint16_t clear, enc;
};

struct net_ue {
	struct ue *ue;
	struct net_nat nat;
	struct net_ue *neighbour; /* behind the same NAT, or one with the same low octets */
	struct ue_conf conf;
	struct sqn_array sqn; /* the card's memory */
	uint16_t host;	      /* lower half of its address */
	bool wrong_ik;	      /* its SAs get another key than the P-CSCF's */
	struct net_end end;
	unsigned events[UE_UNPROTECTED + 1];
	char text[256]; /* of the last event */
	char impi[64], impu[64];
};

struct net {
	struct timers *timers;
	struct mw *mw;
	struct hss *hss;
	struct icscf *icscf;
	struct scscf *scscf;
	struct pcscf *pcscf;
	struct net_end edge; /* the P-CSCF's */
	struct net_ue *ues;
	unsigned n_ues, ends;
	struct net_ue *at[65536];		/* by net_ue.host */
	struct net_ue *behind[65536];		/* NATs, by the lower half of their addresses */
	struct net_packet *head, **tail, *held; /* held: in the order of their coming */
	uint64_t now;
	uint16_t next_mapping;
	struct net_tcp tcp;
	unsigned sent; /* over the access, in both directions */
	unsigned installs, removes;
	unsigned lost_clear, lost_spi, lost_keys, lost_selectors; /* not delivered, and why */
	unsigned lost_nat;	 /* ESP without UDP, or to a mapping that is gone */
	unsigned moves;		 /* the P-CSCF was told where a UE is */
	unsigned keys_seen;	 /* messages to a UE that hold ik= or ck= */
	unsigned clear_requests; /* unprotected, other than REGISTER */
	unsigned clear_answers;	 /* of Digest, unprotected */
	uint64_t sessions;	 /* TLS is modelled: what goes by it arrives */
	enum net_fate (*fate)(struct net *n, const struct net_packet *k, void *arg);
	void *fate_arg;
	/* Is a new connection refused, for that message? */
	bool (*refuse)(struct net *n, const struct net_end *from, struct sv text);
	void (*event)(struct net *n, struct net_ue *x, enum ue_event e, struct sv text);
	void *event_arg;
	/* Gives the text that arrives instead, also of protected messages; empty: as it was sent.
	 */
	struct sv (*alter)(struct net *n, const struct net_packet *k, void *arg);
	uint64_t late_ms;
	unsigned spoil_at;  /* octet, counted round */
	uint8_t spoil_bits; /* what is changed in it */
	unsigned spoiled;   /* protected ones, dropped */
};

struct net_setup {
	unsigned ues;
	uint8_t ip; /* 4 or 6; 0: every other UE has 6 */
	struct agree_choice choices[PCSCF_MAX_CHOICES];
	unsigned n_choices; /* 0: all six */
	bool challenge_protected;
	uint32_t expires; /* 0: 3600 */
	bool wrong_key;	  /* the HSS has another K */
	bool no_udp_enc;  /* the P-CSCF takes no UEs behind NATs */
	bool udp_enc_tun; /* the UEs offer it */
	struct {
		const char *private, *public;
	} nat[NET_UES]; /* NULL: none before this UE, whose address is its own */
	enum ue_transport transport;
	bool either;		/* the UEs have AKA with ipsec-3gpp and Digest with tls, */
	bool digest_before_aka; /* and the HSS prefers that */
	bool ipsec_optional;
	bool reg_event;				 /* UEs subscribe to their registration state */
	bool edge_event;			 /* so does the P-CSCF */
	const char *ecscf;			 /* where emergency calls go; NULL: nowhere */
	bool clear_emergency;			 /* in clear, too */
	uint32_t reauth_expires, reauth_repeats; /* 0: 600, 0 */
};

/* Of the end of one */
static inline struct net_ue *net_ue_of(struct net_end *e)
{
	return (struct net_ue *)((char *)e - offsetof(struct net_ue, end));
}

struct net *net_alloc(const struct net_setup *setup);
void net_free(struct net *n); /* fails the test if anything is left behind */
void net_run(struct net *n, uint64_t ms);
bool net_step(struct net *n); /* the next packet of the access; false: there is none */
void net_ue_start(struct net *n, unsigned i); /* again, with an empty memory but for its card */
void net_ue_place(struct net *n, unsigned i, uint16_t host); /* one that does not run */
void net_ue_crash(struct net *n, unsigned i);

/* The UE with that address, if it is behind no NAT; else the P-CSCF. */
struct net_end *net_end_of(struct net *n, const struct ip_addr *a);
/* The NAT forgets its mappings and makes others; address NULL: it keeps its address. "": there is
 * none any more. */
void net_rebind(struct net *n, unsigned i, const char *address);
void net_register(struct net *n, unsigned i); /* and waits until it is done */
unsigned net_sets(const struct net_end *e);
/* Of a protected packet; NULL: nobody has that address any more. */
struct net_end *net_receiver(struct net *n, const struct net_packet *k);
/* The receiver's set that a protected packet names; NULL: gone. */
struct net_sa *net_sa_of(struct net_end *to, const struct net_packet *k);
/* Hands text to `to` as if it had come on that set of its, or (NULL) in clear. */
void net_inject(struct net *n, struct net_end *to, const struct net_sa *on, struct sv text);
struct pcscf_counters net_counters(const struct net *n);
/* The connections all end; what is on them is lost, or comes back. */
void net_hang_up(struct net *n);
void net_hang_up_idle(struct net *n, uint64_t ms); /* those that nothing came on for so long */
void net_transmit(struct net_end *e, const struct sip_flow *flow, struct sv text);
