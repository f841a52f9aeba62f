/*
 * ESP in tunnel mode inside UDP (RFC 3948, TS 33.203 Annex M): a whole IP packet is protected, and
 * a new IP and UDP header stand before ESP.
 *
 *   Outer header: TTL 64; DSCP of the inner one; ECN clear, and not looked at on arrival (RFC 6040,
 *   compatibility mode); DF clear, since what does not fit is fragmented after ESP (RFC
 * 4303 3.3.4); UDP checksum 0 in IPv4 (RFC 3948 2.1), right in IPv6 (RFC 8200 8.1).
 */
#pragma once

#include <rte_ip.h>
#include <rte_udp.h>

#include "dataplane/esp_transport.h"
#include "dataplane/sa_transform.h"
#include "dataplane/tunnel.h"

struct ip_addr;

/* Octets that it adds at most: those of transport mode, and the outer headers. */
#define ESP_TUNNEL_MOST                                                                            \
	(ESP_TRANSPORT_MOST + (uint32_t)(sizeof(struct rte_ipv6_hdr) + sizeof(struct rte_udp_hdr)))

/* Outbound: p->m holds the inner packet, p->ip is its start. Afterwards p->ip is the outer one. */
sa_packet_fn esp_tunnel_seal;
/* The same for a UDP payload from control. */
sa_packet_fn esp_tunnel_datagram;
/*
 * Inbound: checks trailer, inner header and its addresses; the rest of the pipeline sees the inner
 * packet. Learns from it where the peer is.
 */
sa_packet_fn esp_tunnel_open;
/*
 * From the host: its name of the peer becomes the peer's inner address. A checksum that the host
 * has made (sums_whole of its port) stays as right as it was; all others are made later.
 */
sa_packet_fn esp_tunnel_from_host;
/* To the host: the reverse; outer headers go. */
sa_packet_fn esp_tunnel_restore;

/* Outer IP and UDP header at `at`, before len octets of UDP payload. Returns their octets. */
unsigned esp_tunnel_header_len(const struct tunnel *n);
void esp_tunnel_header_write(struct worker *w, uint8_t *at, const struct tunnel *n,
			     const struct ip_addr *local, uint32_t len, uint8_t dscp);
/* The UDP checksum of an IPv6 outer header, when all that follows is there. */
void esp_tunnel_checksum(uint8_t *ip6);
