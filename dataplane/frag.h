/*
 * IP fragments of the outer packet (RFC 791, RFC 8200 4.5): reassembly before inbound ESP,
 * fragmentation after outbound ESP (RFC 4303 3.3.4, 3.4.1). One struct per worker.
 */
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

struct frag;

struct frag_conf {
	struct rte_mempool *large; /* single-segment buffers for whole datagrams */
	uint32_t max_flows;	   /* datagrams under reassembly at once */
	uint32_t timeout_ms;
};

int frag_alloc(struct frag **fp, const struct frag_conf *conf, int socket);
void frag_free(struct frag *f);

bool frag_is_fragment(const struct rte_mbuf *packet);

/*
 * Takes a fragment: an IP packet whose data starts at the IP header, lengths already checked.
 * Returns the whole datagram as one contiguous segment (IP header rewritten as never fragmented, at
 * least RTE_PKTMBUF_HEADROOM octets before it), or NULL while pieces are missing. Overlapping, tiny
 * (under 48 octets, but the last), too long or too many fragments (over 8 pieces) are freed and
 * counted; so are IPv6 fragments whose fragment header is not the first extension header. When
 * max_flows pieces wait, those of the oldest datagrams make room after 100 ms already.
 */
struct rte_mbuf *frag_reassemble(struct frag *f, struct rte_mbuf *packet, uint64_t now_tsc);

/* Frees what has timed out; call now and then. Returns datagrams given up since the last call. */
unsigned frag_expire(struct frag *f, uint64_t now_tsc);

/*
 * Cuts a contiguous IP packet larger than mtu into out[] (single-segment, data at the IP header,
 * Ethernet headroom before it), from pool. IPv6 gets a fragment header with `id`; IPv4 keeps its
 * own identification. Frees the packet and returns the number of pieces; 0 and the packet still the
 * caller's if pool is empty, max_out too small, IPv4 DF is set or there are IPv6 extension headers
 * that would have to come before the fragment header.
 */
unsigned frag_split(struct rte_mbuf *packet, uint16_t mtu, uint32_t id, struct rte_mempool *pool,
		    struct rte_mbuf **out, unsigned max_out);
