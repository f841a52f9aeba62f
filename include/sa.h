/*
 * Security associations between a UE and a P-CSCF, as control hands them to the data plane
 * (3GPP TS 33.203 clause 7.1).
 *
 * One authentication makes one SA set: two pairs of unidirectional SAs that share their keys,
 * algorithms and addresses. We name the pairs by our own port, so the same words serve at the
 * P-CSCF and at the UE:
 *
 *   pair       at the P-CSCF              at the UE
 *   SA_SERVER  port_ps <-> port_uc (A,B)  port_us <-> port_pc (C,D)
 *   SA_CLIENT  port_pc <-> port_us (C,D)  port_uc <-> port_ps (A,B)
 *
 * Over UDP we receive on SA_SERVER and send on SA_CLIENT; TCP uses both directions of each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ip.h"

enum sa_integ { /* the header field's alg */
		SA_INTEG_HMAC_SHA_1_96,
		SA_INTEG_HMAC_MD5_96,
		SA_INTEG_COUNT,
};

enum sa_encr { /* the header field's ealg */
	       SA_ENCR_NULL,
	       SA_ENCR_AES_CBC,
	       SA_ENCR_DES_EDE3_CBC,
	       SA_ENCR_COUNT,
};

enum sa_mode { /* the header field's mod */
	       SA_MODE_TRANSPORT,
	       SA_MODE_UDP_ENC_TUN,
	       SA_MODE_COUNT,
};

enum sa_pair {
	SA_SERVER,
	SA_CLIENT,
	SA_PAIRS,
};

#define SA_SPI_MIN 256 /* 0..255 are reserved (RFC 4303 2.1) */

/* Keys as the transforms take them (TS 33.203 Annex I applied). Wipe after use. */
struct sa_keys {
	uint8_t integ[20]; /* HMAC-SHA-1-96: 20 octets; HMAC-MD5-96: 16 */
	uint8_t encr[24];  /* AES-CBC: 16 octets; DES-EDE3-CBC: 24, odd parity; NULL: 0 */
};

/* Names an SA set within one data plane; never reused while any packet may still carry it. 0: none.
 */
typedef uint32_t sa_set_id;

#define SA_INNER_MAX 2

/*
 * SA_MODE_UDP_ENC_TUN: ESP in tunnel mode inside UDP (RFC 3948, TS 33.203 Annex M). IP versions
 * inside and outside are independent; all inner addresses have the same. Zero in transport mode.
 */
struct sa_tunnel {
	uint16_t remote_port; /* of the outer UDP header; 0: not known until the peer's first
			       * packet. Ours is dp_config.udp_enc_port */
	bool follow;	      /* the peer is behind a NAT: its outer address and port are those of
			       * its newest authenticated packet */
	bool keepalive;	      /* we are behind a NAT: send keepalives when idle */
	struct ip_addr inner_local; /* selector */
	/* Selector: what the peer may have. Its first authenticated packet decides which; until
	 * then it is the first. [1].version 0: only one. */
	struct ip_addr inner_remote[SA_INNER_MAX];
	/* As what the host's stack (TCP) knows the peer: for peers behind different NATs with the
	 * same inner address. Version 0: as inner_remote[0]. */
	struct ip_addr host_alias;
};

/* Host byte order throughout. */
struct sa_set {
	sa_set_id id;		    /* from dp_sa_reserve() */
	uint32_t spi_in[SA_PAIRS];  /* ours, from dp_sa_reserve() */
	uint32_t spi_out[SA_PAIRS]; /* the peer's */
	struct ip_addr local,
		remote; /* outer addresses as on the wire; in transport mode selectors,
			 * in tunnel mode `remote` is where the peer is at first */
	uint16_t local_port[SA_PAIRS]; /* selectors, for UDP and TCP alike */
	uint16_t remote_port[SA_PAIRS];
	enum sa_integ integ;
	enum sa_encr encr;
	enum sa_mode mode;
	struct sa_tunnel tunnel;
	/* Keyed by hand (dp_sa_reserve_manual()): single SAs, so either SPI of a pair may be 0, and
	 * UDP that came by them is the host's like TCP. */
	bool manual;
	/* Of these only: without the anti-replay service (RFC 4303 3.4.3); sequence numbers sent
	 * come round (3.3.3). */
	bool no_anti_replay;
	struct sa_keys keys;
};
