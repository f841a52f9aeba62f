/*
 * The kernel's routes (main table) and neighbours of one interface, followed by rtnetlink (RFC
 * 3549). Lists are read anew when the kernel lost messages for us and when links or addresses
 * change: then it drops IPv4 routes without a word. Single-threaded; blocks briefly for lists.
 */
#pragma once

#include "dataplane/route.h"

#include <rte_ether.h>

struct netlink;

struct netlink_sink {
	void *arg;
	void (*routes)(void *arg, const struct route *routes, unsigned n); /* all there are */
	/* mac NULL: the kernel has none */
	void (*neighbour)(void *arg, const struct ip_addr *addr, const struct rte_ether_addr *mac);
	/* around the neighbour() calls of a complete list */
	void (*list_begin)(void *arg);
	void (*list_end)(void *arg);
};

int netlink_alloc(struct netlink **np, unsigned ifindex, const struct netlink_sink *sink);
void netlink_free(struct netlink *n);

/* Readable when netlink_read() has something to do. That returns false if there is more to read. */
int netlink_fd(const struct netlink *n);
bool netlink_read(struct netlink *n, uint64_t now_ms);

/* Reads the lists that are due. Returns in how many ms it wants to be called again; -1: never. */
int netlink_sync(struct netlink *n, uint64_t now_ms);

/* Makes the kernel resolve addr on the interface, or check it if it is old. Does not wait. */
int netlink_neighbour_use(struct netlink *n, const struct ip_addr *addr);
