/* Routes as the kernel words them, and as nobody should. */
#include "tests/dataplane/slow/rig.h"

#include <linux/rtnetlink.h>

#include "dataplane/netlink_route.h"

#define IFINDEX 7

struct message {
	struct nlmsghdr h;
	struct rtmsg m;
	uint8_t attrs[256];
};

struct attr {
	uint16_t type;
	const char *addr; /* NULL: the number */
	uint32_t number;
};

struct route_case {
	const char *name;
	uint8_t family, dst_len, type;
	uint32_t flags;
	struct attr attrs[5];
	const char *dst, *via; /* dst NULL: not one of ours; via NULL: on link */
	uint32_t metric;
	bool reject;
};

static const struct route_case cases[] = {
	{"default by gateway",
	 AF_INET,
	 0,
	 RTN_UNICAST,
	 0,
	 {{RTA_TABLE, NULL, 254}, {RTA_GATEWAY, "192.0.2.1"}, {RTA_OIF, NULL, 7}},
	 "0.0.0.0",
	 "192.0.2.1"},
	{"on link, metric",
	 AF_INET,
	 24,
	 RTN_UNICAST,
	 0,
	 {{RTA_TABLE, NULL, 254},
	  {RTA_DST, "10.0.1.0"},
	  {RTA_OIF, NULL, 7},
	  {RTA_PRIORITY, NULL, 9}},
	 "10.0.1.0",
	 NULL,
	 9},
	{"IPv6",
	 AF_INET6,
	 32,
	 RTN_UNICAST,
	 0,
	 {{RTA_TABLE, NULL, 254},
	  {RTA_DST, "2001:db8::"},
	  {RTA_GATEWAY, "fe80::1"},
	  {RTA_OIF, NULL, 7}},
	 "2001:db8::",
	 "fe80::1"},
	{"IPv4 by IPv6 next hop",
	 AF_INET,
	 8,
	 RTN_UNICAST,
	 0,
	 {{RTA_TABLE, NULL, 254}, {RTA_DST, "10.0.0.0"}, {RTA_VIA, "fe80::1"}, {RTA_OIF, NULL, 7}},
	 "10.0.0.0",
	 "fe80::1"},
	{"black hole",
	 AF_INET,
	 8,
	 RTN_BLACKHOLE,
	 0,
	 {{RTA_TABLE, NULL, 254}, {RTA_DST, "10.0.0.0"}},
	 "10.0.0.0",
	 NULL,
	 0,
	 true},
	{"other interface",
	 AF_INET,
	 0,
	 RTN_UNICAST,
	 0,
	 {{RTA_TABLE, NULL, 254}, {RTA_GATEWAY, "192.0.2.1"}, {RTA_OIF, NULL, 8}},
	 NULL},
	{"no interface",
	 AF_INET,
	 0,
	 RTN_UNICAST,
	 0,
	 {{RTA_TABLE, NULL, 254}, {RTA_GATEWAY, "192.0.2.1"}},
	 NULL},
	{"other table",
	 AF_INET,
	 0,
	 RTN_UNICAST,
	 0,
	 {{RTA_TABLE, NULL, 1000}, {RTA_GATEWAY, "192.0.2.1"}, {RTA_OIF, NULL, 7}},
	 NULL},
	{"local",
	 AF_INET,
	 32,
	 RTN_LOCAL,
	 0,
	 {{RTA_TABLE, NULL, 254}, {RTA_DST, "10.0.0.1"}, {RTA_OIF, NULL, 7}},
	 NULL},
	{"dead",
	 AF_INET,
	 0,
	 RTN_UNICAST,
	 RTNH_F_DEAD,
	 {{RTA_TABLE, NULL, 254}, {RTA_GATEWAY, "192.0.2.1"}, {RTA_OIF, NULL, 7}},
	 NULL},
	{"cached",
	 AF_INET,
	 0,
	 RTN_UNICAST,
	 RTM_F_CLONED,
	 {{RTA_TABLE, NULL, 254}, {RTA_GATEWAY, "192.0.2.1"}, {RTA_OIF, NULL, 7}},
	 NULL},
	{"gateway of wrong length",
	 AF_INET,
	 0,
	 RTN_UNICAST,
	 0,
	 {{RTA_TABLE, NULL, 254}, {RTA_GATEWAY, "fe80::1"}, {RTA_OIF, NULL, 7}},
	 NULL},
	{"other family",
	 AF_UNSPEC,
	 0,
	 RTN_UNICAST,
	 0,
	 {{RTA_TABLE, NULL, 254}, {RTA_OIF, NULL, 7}},
	 NULL},
};

static void *attr_put(struct message *msg, uint16_t type, const void *data, size_t n)
{
	struct rtattr *rta = (void *)((uint8_t *)msg + NLMSG_ALIGN(msg->h.nlmsg_len));

	rta->rta_type = type;
	rta->rta_len = (uint16_t)RTA_LENGTH(n);
	if (n)
		memcpy(RTA_DATA(rta), data, n);
	msg->h.nlmsg_len = NLMSG_ALIGN(msg->h.nlmsg_len) + (uint32_t)RTA_SPACE(n);
	return rta;
}

static void message_start(struct message *msg, const struct route_case *c)
{
	*msg = (struct message){
		.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(msg->m)), .nlmsg_type = RTM_NEWROUTE},
		.m = {.rtm_family = c->family,
		      .rtm_dst_len = c->dst_len,
		      .rtm_type = c->type,
		      .rtm_flags = c->flags},
	};
}

static void message_make(struct message *msg, const struct route_case *c)
{
	message_start(msg, c);
	for (const struct attr *a = c->attrs; a->type; a++) {
		struct {
			uint16_t family;
			uint8_t octets[16];
		} via = {0};
		struct ip_addr addr;

		if (!a->addr) {
			attr_put(msg, a->type, &a->number, sizeof(a->number));
			continue;
		}
		addr = rig_addr(a->addr);
		via.family = addr.version == 4 ? AF_INET : AF_INET6;
		memcpy(via.octets, addr.b, 16);
		if (a->type == RTA_VIA)
			attr_put(msg, a->type, &via, 2 + (addr.version == 4 ? 4 : 16));
		else
			attr_put(msg, a->type, addr.b, addr.version == 4 ? 4 : 16);
	}
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(cases); i++) {
		const struct route_case *c = &cases[i];
		struct message msg;
		struct ip_addr via = {0}, dst;
		struct route r;

		print_message("%s\n", c->name);
		message_make(&msg, c);
		assert_int_equal(netlink_route_parse(&msg.h, IFINDEX, &r), c->dst != NULL);
		if (!c->dst)
			continue;
		dst = rig_addr(c->dst);
		if (c->via)
			via = rig_addr(c->via);
		assert_true(ip_addr_eq(&r.dst.addr, &dst));
		assert_true(ip_addr_eq(&r.via, &via));
		assert_int_equal(r.dst.len, c->dst_len);
		assert_int_equal(r.metric, c->metric);
		assert_int_equal(r.reject, c->reject);
	}
}

/* The first hop by our interface that is alive. */
static void test_multipath(void **state)
{
	static const struct {
		int ifindex;
		uint8_t flags, last_octet;
	} hops[] = {{8, 0, 1}, {IFINDEX, RTNH_F_DEAD, 2}, {IFINDEX, 0, 3}, {IFINDEX, 0, 4}};
	const uint32_t table = RT_TABLE_MAIN;
	struct message msg;
	struct rtattr *all;
	struct route r;

	(void)state;
	message_start(&msg, &cases[0]);
	attr_put(&msg, RTA_TABLE, &table, 4);
	all = attr_put(&msg, RTA_MULTIPATH, NULL, 0);
	for (size_t i = 0; i < RTE_DIM(hops); i++) {
		struct rtnexthop *nh = (void *)((uint8_t *)&msg + msg.h.nlmsg_len);
		const uint8_t gateway[4] = {192, 0, 2, hops[i].last_octet};

		nh->rtnh_ifindex = hops[i].ifindex;
		nh->rtnh_flags = hops[i].flags;
		msg.h.nlmsg_len += sizeof(*nh);
		attr_put(&msg, RTA_GATEWAY, gateway, 4);
		nh->rtnh_len = sizeof(*nh) + 8;
		all->rta_len = (uint16_t)(all->rta_len + nh->rtnh_len);
	}
	assert_true(netlink_route_parse(&msg.h, IFINDEX, &r));
	assert_int_equal(r.via.version, 4);
	assert_int_equal(r.via.b[3], 3);
	/* cut short anywhere, and each octet damaged: whatever comes out, nothing is read beyond */
	for (uint32_t n = 0; n < msg.h.nlmsg_len; n++) {
		struct message *cut = malloc(n < sizeof(cut->h) ? sizeof(cut->h) : n);

		memcpy(cut, &msg, n < sizeof(cut->h) ? sizeof(cut->h) : n);
		cut->h.nlmsg_len = n;
		netlink_route_parse(&cut->h, IFINDEX, &r);
		free(cut);
		for (unsigned value = 0; value < 256 && n >= sizeof(cut->h); value++) {
			cut = malloc(msg.h.nlmsg_len);
			memcpy(cut, &msg, msg.h.nlmsg_len);
			((uint8_t *)cut)[n] = (uint8_t)value;
			netlink_route_parse(&cut->h, IFINDEX, &r);
			free(cut);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_multipath),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
