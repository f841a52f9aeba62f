/*
 * What the workers read of routes and neighbours, lock-free: an immutable snapshot of the routes, a
 * hash from a neighbour's address to a small index, and by that index the MAC address.
 *
 * One thread writes (the slow path). What it takes away is freed or reused only after the workers
 * passed a quiescent state. A worker's next_hop_cache is good while the generation stays: that
 * changes when routes do and when an index is taken away, but not with a MAC address.
 */
#pragma once

#include <rte_ether.h>
#include <rte_rcu_qsbr.h>

#include "dataplane/route.h"
#include "dataplane/slowpath.h"

struct nexthop_table;

int nexthop_table_alloc(struct nexthop_table **tp, unsigned capacity, struct rte_rcu_qsbr *qsbr);
void nexthop_table_free(struct nexthop_table *t);

/* ---- workers ------------------------------------------------------------------------------ */

/* As slowpath_next_hop(). */
int nexthop_find(struct nexthop_table *t, const struct ip_addr *dst, struct next_hop_cache *cache,
		 struct rte_ether_addr *mac);

/* ---- the writer --------------------------------------------------------------------------- */

/* Replaces all routes. -ENOMEM: the old ones stay. */
int nexthop_routes_set(struct nexthop_table *t, const struct route *routes, unsigned n);

/* Address of the neighbour towards dst: a gateway or dst itself. -ENETUNREACH. */
int nexthop_via(const struct nexthop_table *t, const struct ip_addr *dst, struct ip_addr *via);

/* A neighbour's index; -ENOENT. */
int nexthop_index(const struct nexthop_table *t, const struct ip_addr *addr);

/* Index of a neighbour, below nexthop_limit(), new and unresolved if it was not there; -ENOSPC. */
int nexthop_add(struct nexthop_table *t, const struct ip_addr *addr);
unsigned nexthop_limit(const struct nexthop_table *t);

void nexthop_resolve(struct nexthop_table *t, unsigned index, const struct rte_ether_addr *mac);
void nexthop_unresolve(struct nexthop_table *t, unsigned index);

/* Takes an index out of the workers' sight; it can be given out again some reclaims later. */
void nexthop_remove(struct nexthop_table *t, const struct ip_addr *addr);

/* Has a worker used the index since the last call? */
bool nexthop_used(struct nexthop_table *t, unsigned index);

/* Frees what the workers have stopped reading; call now and then. */
void nexthop_reclaim(struct nexthop_table *t);
