/* One RTM_NEWROUTE message as a route of ours. */
#pragma once

#include <linux/netlink.h>

#include "dataplane/route.h"

/*
 * True if the message is a route of the main table that leaves by ifindex (of a multipath route the
 * first hop that does), or rejects.
 */
bool netlink_route_parse(const struct nlmsghdr *h, unsigned ifindex, struct route *r);
