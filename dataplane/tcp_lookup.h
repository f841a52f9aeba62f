/*
 * From addresses and ports of a packet of the kernel's stack to its outbound SA. One writer; the
 * workers read without locks.
 */
#pragma once

#include <stdint.h>

#include <rte_byteorder.h>

#include "ip.h"

struct tcp_lookup;

struct tcp_key {
	uint8_t local[16], remote[16]; /* IPv4: the rest is zero */
	rte_be16_t local_port, remote_port;
	uint8_t version;
	uint8_t zero[11]; /* to 48 octets, a size that rte_hash compares fast */
};

void tcp_key_make(struct tcp_key *key, const struct ip_addr *local, const struct ip_addr *remote,
		  rte_be16_t local_port, rte_be16_t remote_port);

int tcp_lookup_alloc(struct tcp_lookup **lp, uint32_t entries);
void tcp_lookup_free(struct tcp_lookup *l);

/* Position, for tcp_lookup_release(); or -EEXIST, -ENOSPC. */
int tcp_lookup_add(struct tcp_lookup *l, const struct tcp_key *key, uint32_t slot);
void tcp_lookup_remove(struct tcp_lookup *l, const struct tcp_key *key);
/* Once no worker can see the removed entry any more: its place may be used again. */
void tcp_lookup_release(struct tcp_lookup *l, int position);

/* Slot of the outbound SA or -ENOENT. */
int tcp_lookup_find(const struct tcp_lookup *l, const struct tcp_key *key);
