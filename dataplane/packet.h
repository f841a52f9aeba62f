/*
 * A packet between two stages: what has been found out about it so far. Contexts come from a small
 * stack per worker, so the few in use are always in cache.
 *
 * A stage is a function over one packet that says whether it goes on; pkt_filter() runs it over
 * a burst.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "crypto/esp.h"
#include "dataplane.h"
#include "dataplane/sa_table.h"

#define PKT_KEEP  (-1) /* of a stage: else an enum dp_drop, */
#define PKT_TAKEN (-2) /* or its buffer is somebody else's now */

struct pkt {
	struct esp_job job;
	struct rte_mbuf *m; /* data starts at the Ethernet header, if it has one yet */
	uint8_t *ip;
	union {
		struct sa_in *in;
		struct sa_out *out;
	};
	struct sa_shared *set;
	uint8_t *l4; /* UDP or TCP header, decrypted or not yet encrypted */
	uint32_t slot;
	uint32_t spi, seq;
	uint16_t l4_len;
	uint16_t payload_sum; /* of what control sends: Internet checksum of the UDP payload */
	uint16_t ip_len;      /* IP header with options or extension headers */
	uint16_t next_at;     /* in it: the octet that names the protocol */
	uint8_t version;      /* 4 or 6 */
	uint8_t proto;	      /* after the IP header */
	/* From here on zero at first: one store. */
	_Alignas(8) sa_set_id id; /* of its SA set, 0: none */
	bool fragment;		  /* needs reassembly */
	bool udp_enc;		  /* came inside UDP: ip_len counts its header, too */
	bool l2_done;		  /* has the right Ethernet header to go out with */
	uint8_t reason;		  /* why it is dropped */
} __rte_cache_aligned;

/* Runs the next step of a stage if the one before has kept the packet. */
#define PKT_THEN(reason, step) ((reason) == PKT_KEEP ? (step) : (reason))

/* Octets after the IP header */
static inline uint32_t pkt_payload_len(const struct pkt *p)
{
	return rte_pktmbuf_data_len(p->m) -
	       (uint32_t)(p->ip + p->ip_len - rte_pktmbuf_mtod(p->m, uint8_t *));
}
