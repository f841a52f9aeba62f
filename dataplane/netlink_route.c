#include "dataplane/netlink_route.h"
#include "dataplane/rtattr.h"

/* A gateway, of the route's family or with a family of its own (RTA_VIA); none: on link. */
static bool gateway_parse(struct rtattr **tb, int family, struct ip_addr *via)
{
	const struct rtvia *other;
	size_t len;

	if (tb[RTA_GATEWAY])
		return rtattr_addr(tb[RTA_GATEWAY], family, via);
	*via = (struct ip_addr){0};
	if (!tb[RTA_VIA])
		return true;
	other = RTA_DATA(tb[RTA_VIA]);
	if (RTA_PAYLOAD(tb[RTA_VIA]) < sizeof(*other))
		return false;
	len = other->rtvia_family == AF_INET ? 4 : 16;
	if ((other->rtvia_family != AF_INET && other->rtvia_family != AF_INET6) ||
	    RTA_PAYLOAD(tb[RTA_VIA]) != sizeof(*other) + len)
		return false;
	via->version = other->rtvia_family == AF_INET ? 4 : 6;
	memcpy(via->b, other->rtvia_addr, len);
	return true;
}

static bool multipath_parse(const struct rtattr *rta, int family, unsigned ifindex,
			    struct ip_addr *via)
{
	const struct rtnexthop *nh = RTA_DATA(rta);
	int left = (int)RTA_PAYLOAD(rta);

	while (left >= (int)sizeof(*nh) && RTNH_OK(nh, left)) {
		struct rtattr *tb[RTA_MAX + 1];

		rtattr_sort(tb, RTA_MAX, RTNH_DATA(nh), nh->rtnh_len - (int)RTNH_LENGTH(0));
		if (nh->rtnh_ifindex == (int)ifindex && !(nh->rtnh_flags & RTNH_F_DEAD))
			return gateway_parse(tb, family, via);
		left -= RTNH_ALIGN(nh->rtnh_len);
		nh = RTNH_NEXT(nh);
	}
	return false;
}

static bool hop_parse(const struct rtmsg *m, struct rtattr **tb, unsigned ifindex, struct route *r)
{
	switch (m->rtm_type) {
	case RTN_BLACKHOLE:
	case RTN_UNREACHABLE:
	case RTN_PROHIBIT:
		r->reject = true;
		return true;
	case RTN_UNICAST:
		break;
	default:
		return false;
	}
	if (tb[RTA_MULTIPATH])
		return multipath_parse(tb[RTA_MULTIPATH], m->rtm_family, ifindex, &r->via);
	return rtattr_u32(tb[RTA_OIF]) == ifindex && !(m->rtm_flags & RTNH_F_DEAD) &&
	       gateway_parse(tb, m->rtm_family, &r->via);
}

bool netlink_route_parse(const struct nlmsghdr *h, unsigned ifindex, struct route *r)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	struct rtattr *tb[RTA_MAX + 1];
	uint32_t table;

	if (h->nlmsg_type != RTM_NEWROUTE || h->nlmsg_len < NLMSG_LENGTH(sizeof(*m)) ||
	    (m->rtm_family != AF_INET && m->rtm_family != AF_INET6) ||
	    (m->rtm_flags & RTM_F_CLONED) || m->rtm_tos || m->rtm_src_len)
		return false;
	rtattr_sort(tb, RTA_MAX, RTM_RTA(m), (int)RTM_PAYLOAD(h));
	table = tb[RTA_TABLE] ? rtattr_u32(tb[RTA_TABLE]) : m->rtm_table;
	if (table != RT_TABLE_MAIN)
		return false;
	*r = (struct route){
		.dst = {.addr = {.version = m->rtm_family == AF_INET ? 4 : 6},
			.len = m->rtm_dst_len},
		.metric = rtattr_u32(tb[RTA_PRIORITY]),
	};
	if (tb[RTA_DST] && !rtattr_addr(tb[RTA_DST], m->rtm_family, &r->dst.addr))
		return false;
	return hop_parse(m, tb, ifindex, r);
}
