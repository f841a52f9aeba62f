/*
 * A snapshot of the routes: made by one thread, never changed, read by any number. Longest prefix
 * first: one binary search for each prefix length in use.
 */
#pragma once

#include "ip.h"

struct route_table;

struct route {
	struct ip_prefix dst;
	struct ip_addr
		via;	 /* next hop, of either IP version (RFC 8950); version 0: dst is on link */
	uint32_t metric; /* of equal prefixes the lowest counts */
	bool reject;	 /* unreachable, prohibited or a black hole */
};

/* routes are copied; NULL if there is no memory. Freed with free(). */
struct route_table *route_table_make(const struct route *routes, unsigned n);

/* The route towards dst; NULL: none, or one that rejects. */
const struct route *route_table_find(const struct route_table *t, const struct ip_addr *dst);

bool route_table_eq(const struct route_table *a, const struct route_table *b);
