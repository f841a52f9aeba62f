#include "tests/dataplane/slow/rig.h"

#include <pthread.h>

#include <rte_cycles.h>

#include "dataplane/nexthop.h"

struct route_text {
	const char *dst;
	unsigned len;
	const char *via; /* NULL: on link */
	uint32_t metric;
	bool reject;
};

/* In no order. */
static const struct route_text table[] = {
	{"0.0.0.0", 0, "192.0.2.1", 0, false},
	{"10.0.0.0", 8, "192.0.2.8", 0, false},
	{"10.1.2.0", 24, "192.0.2.24", 0, false},
	{"10.1.0.0", 16, "192.0.2.16", 0, false},
	{"10.1.2.3", 32, "192.0.2.32", 0, false},
	{"192.0.2.0", 24, NULL, 0, false},
	{"10.7.0.0", 16, "192.0.2.77", 200, false},
	{"10.7.0.0", 16, "192.0.2.7", 100, false},
	{"10.8.0.0", 16, NULL, 0, true},
	{"10.8.1.0", 24, "192.0.2.81", 0, false},
	{"10.9.0.0", 16, "fe80::9", 0, false},
	{"10.10.0.77", 16, "192.0.2.10", 0, false}, /* host bits are not looked at */
	{"2001:db8:2::", 48, "fe80::2", 0, false},
	{"2001:db8::", 32, "fe80::1", 0, false},
	{"2001:db8:1::", 64, NULL, 0, false},
	{"2001:db8:2::5", 127, "fe80::127", 0, false},
};

struct lookup {
	const char *dst, *via; /* via NULL: unreachable */
};

static const struct lookup lookups[] = {
	{"198.51.100.1", "192.0.2.1"},
	{"10.200.0.1", "192.0.2.8"},
	{"10.1.3.1", "192.0.2.16"},
	{"10.1.2.1", "192.0.2.24"},
	{"10.1.2.3", "192.0.2.32"},
	{"10.1.2.255", "192.0.2.24"},
	{"192.0.2.200", "192.0.2.200"},
	{"10.7.1.1", "192.0.2.7"},
	{"10.8.0.1", NULL},
	{"10.8.1.1", "192.0.2.81"},
	{"10.9.3.3", "fe80::9"},
	{"10.10.1.1", "192.0.2.10"},
	{"224.0.0.1", NULL},
	{"255.255.255.255", NULL},
	{"0.0.0.0", NULL},
	{"2001:db8:2::1", "fe80::2"},
	{"2001:db8:2::4", "fe80::127"},
	{"2001:db8:2::6", "fe80::2"},
	{"2001:db8:ffff::1", "fe80::1"},
	{"2001:db8:1::99", "2001:db8:1::99"},
	{"2001:db9::1", NULL}, /* IPv4's default route is not IPv6's */
	{"ff02::1", NULL},
	{"::", NULL},
};

static struct route route_of(const struct route_text *t)
{
	struct route r = {
		.dst = rig_prefix(t->dst, t->len), .metric = t->metric, .reject = t->reject};

	if (t->via)
		r.via = rig_addr(t->via);
	return r;
}

static struct nexthop_table *table_make(const struct rig *rig, unsigned capacity)
{
	struct nexthop_table *t = NULL;

	assert_int_equal(nexthop_table_alloc(&t, capacity, rig->qsbr), 0);
	return t;
}

static void route_set(struct nexthop_table *t, const struct route_text *text)
{
	struct route r = route_of(text);

	assert_int_equal(nexthop_routes_set(t, &r, 1), 0);
}

static struct rte_ether_addr mac_of(const struct ip_addr *a)
{
	struct rte_ether_addr mac = {{2, a->version, a->b[12], a->b[13], a->b[2], a->b[3]}};

	return mac;
}

static unsigned hop_add(struct nexthop_table *t, const char *text)
{
	struct ip_addr a = rig_addr(text);
	struct rte_ether_addr mac = mac_of(&a);
	int index = nexthop_add(t, &a);

	assert_true(index >= 0 && (unsigned)index < nexthop_limit(t));
	nexthop_resolve(t, (unsigned)index, &mac);
	return (unsigned)index;
}

static int find(struct nexthop_table *t, const char *dst, struct next_hop_cache *cache,
		struct rte_ether_addr *mac)
{
	struct ip_addr a = rig_addr(dst);

	return nexthop_find(t, &a, cache, mac);
}

/* covers: DP-15 */
static void test_longest_prefix(void **state)
{
	struct nexthop_table *t = table_make(*state, 64);
	struct route routes[RTE_DIM(table)];

	for (size_t i = 0; i < RTE_DIM(table); i++)
		routes[i] = route_of(&table[i]);
	assert_int_equal(nexthop_routes_set(t, routes, RTE_DIM(table)), 0);
	for (size_t i = 0; i < RTE_DIM(lookups); i++) {
		struct ip_addr dst = rig_addr(lookups[i].dst), via, expected;

		print_message("%s\n", lookups[i].dst);
		if (!lookups[i].via) {
			assert_int_equal(nexthop_via(t, &dst, &via), -ENETUNREACH);
			continue;
		}
		expected = rig_addr(lookups[i].via);
		assert_int_equal(nexthop_via(t, &dst, &via), 0);
		assert_true(ip_addr_eq(&via, &expected));
	}
	nexthop_table_free(t);
}

static void test_states(void **state)
{
	static const struct route_text def = {"0.0.0.0", 0, "192.0.2.1", 0, false};
	struct nexthop_table *t = table_make(*state, 64);
	struct next_hop_cache cache = {0};
	struct rte_ether_addr mac, expected;
	struct ip_addr gateway = rig_addr("192.0.2.1");
	unsigned index;

	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), -ENETUNREACH);
	route_set(t, &def);
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), -EAGAIN); /* nobody asked yet */
	index = (unsigned)nexthop_add(t, &gateway);
	assert_int_equal(nexthop_add(t, &gateway), index);
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), -EAGAIN);
	expected = mac_of(&gateway);
	nexthop_resolve(t, index, &expected);
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), 0);
	assert_true(rte_is_same_ether_addr(&mac, &expected));
	assert_true(nexthop_used(t, index));
	assert_false(nexthop_used(t, index));
	nexthop_unresolve(t, index);
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), -EAGAIN);
	assert_false(nexthop_used(t, index));
	nexthop_table_free(t);
}

/* A cache is good for new MAC addresses and for nothing else that changes. */
static void test_cache(void **state)
{
	static const struct route_text old = {"10.0.0.0", 8, "192.0.2.1", 0, false},
				       new = {"10.0.0.0", 8, "192.0.2.2", 0, false};
	struct nexthop_table *t = table_make(*state, 64);
	struct next_hop_cache cache = {0}, before;
	struct rte_ether_addr mac, other = {{2, 9, 9, 9, 9, 9}};
	struct ip_addr second = rig_addr("192.0.2.2");
	unsigned first;

	route_set(t, &old);
	first = hop_add(t, "192.0.2.1");
	hop_add(t, "192.0.2.2");
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), 0);
	assert_int_equal(mac.addr_bytes[5], 1);
	before = cache;
	/* the cache answers alone: even for an address that has no route */
	assert_int_equal(find(t, "11.0.0.1", &cache, &mac), 0);
	nexthop_resolve(t, first, &other);
	route_set(t, &old); /* no change */
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), 0);
	assert_int_equal(mac.addr_bytes[5], 9);
	assert_memory_equal(&cache, &before, sizeof(cache));
	route_set(t, &new);
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), 0);
	assert_int_equal(mac.addr_bytes[5], 2);
	assert_true(cache.generation != before.generation);
	nexthop_remove(t, &second);
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), -EAGAIN);
	nexthop_table_free(t);
}

/* A cache is no good for another neighbour that was given the same index. */
static void test_cache_reused_index(void **state)
{
	static const struct route_text on_link = {"0.0.0.0", 0, NULL, 0, false};
	struct nexthop_table *t = table_make(*state, 8);
	struct next_hop_cache cache = {0};
	struct ip_addr first = rig_addr("10.0.0.1");
	struct rte_ether_addr mac;
	char other[16];

	route_set(t, &on_link);
	hop_add(t, "10.0.0.1");
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), 0);
	nexthop_remove(t, &first);
	nexthop_reclaim(t);
	nexthop_reclaim(t);
	for (unsigned i = 2; i <= 9; i++) { /* all there are */
		snprintf(other, sizeof(other), "10.0.0.%u", i);
		hop_add(t, other);
	}
	assert_int_equal(find(t, "10.0.0.1", &cache, &mac), -EAGAIN);
	nexthop_table_free(t);
}

/* An index is given out again only when no worker can hold it any more. */
static void test_reuse_waits(void **state)
{
	const struct rig *rig = *state;
	struct nexthop_table *t = table_make(rig, 8);
	struct ip_addr a = rig_addr("10.0.0.0"), one_more = rig_addr("10.0.1.1");

	assert_int_equal(rte_rcu_qsbr_thread_register(rig->qsbr, 0), 0);
	rte_rcu_qsbr_thread_online(rig->qsbr, 0);
	for (a.b[3] = 1; a.b[3] <= 8; a.b[3]++)
		assert_true(nexthop_add(t, &a) >= 0);
	assert_int_equal(nexthop_add(t, &one_more), -ENOSPC);
	a.b[3] = 3;
	nexthop_remove(t, &a);
	for (unsigned i = 0; i < 3; i++)
		nexthop_reclaim(t);
	assert_int_equal(nexthop_index(t, &a), -ENOENT);
	assert_int_equal(nexthop_add(t, &one_more), -ENOSPC);
	rte_rcu_qsbr_quiescent(rig->qsbr, 0);
	nexthop_reclaim(t);
	assert_true(nexthop_add(t, &one_more) >= 0);
	rte_rcu_qsbr_thread_offline(rig->qsbr, 0);
	rte_rcu_qsbr_thread_unregister(rig->qsbr, 0);
	nexthop_table_free(t);
}

static void test_many(void **state)
{
	struct nexthop_table *t = table_make(*state, 65536);
	struct ip_addr a = rig_addr("10.0.0.0");

	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 65536; i++) {
			a.b[2] = (uint8_t)(i >> 8);
			a.b[3] = (uint8_t)i;
			assert_true(nexthop_add(t, &a) >= 0);
		}
		for (unsigned i = 0; i < 65536; i++) {
			a.b[2] = (uint8_t)(i >> 8);
			a.b[3] = (uint8_t)i;
			assert_true(nexthop_index(t, &a) >= 0);
			nexthop_remove(t, &a);
		}
		nexthop_reclaim(t);
		nexthop_reclaim(t);
	}
	nexthop_table_free(t);
}

/* ---- a reader beside the writer ----------------------------------------------------------- */

#define ADDRS 64

struct reader {
	struct nexthop_table *t;
	struct rte_rcu_qsbr *qsbr;
	uint32_t stop;
	uint64_t found, wrong;
};

static struct ip_addr addr_nr(unsigned i)
{
	return (struct ip_addr){.version = 4, .b = {10, 0, 0, (uint8_t)(i + 1)}};
}

static void *reader_main(void *arg)
{
	struct reader *r = arg;
	struct next_hop_cache caches[ADDRS] = {0};

	rte_rcu_qsbr_thread_register(r->qsbr, 0);
	rte_rcu_qsbr_thread_online(r->qsbr, 0);
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		for (unsigned i = 0; i < ADDRS; i++) {
			struct ip_addr a = addr_nr(i);
			struct rte_ether_addr mac, expected = mac_of(&a);

			if (nexthop_find(r->t, &a, &caches[i], &mac) != 0)
				continue;
			__atomic_store_n(&r->found, r->found + 1, __ATOMIC_RELAXED);
			r->wrong += !rte_is_same_ether_addr(&mac, &expected);
		}
		rte_rcu_qsbr_quiescent(r->qsbr, 0);
	}
	rte_rcu_qsbr_thread_offline(r->qsbr, 0);
	rte_rcu_qsbr_thread_unregister(r->qsbr, 0);
	return NULL;
}

/* Twice as many addresses as the table holds come and go: no one ever gets another's MAC address.
 */
static void test_concurrent(void **state)
{
	static const struct route_text on_link = {"10.0.0.0", 8, NULL, 0, false},
				       all = {"0.0.0.0", 0, NULL, 0, false};
	const struct rig *rig = *state;
	struct reader r = {.t = table_make(rig, ADDRS / 2), .qsbr = rig->qsbr};
	uint64_t end = rte_get_tsc_cycles() + rte_get_tsc_hz();
	bool there[ADDRS] = {false};
	unsigned seed = 1;
	pthread_t thread;

	route_set(r.t, &all);
	assert_int_equal(pthread_create(&thread, NULL, reader_main, &r), 0);
	while (rte_get_tsc_cycles() < end || !__atomic_load_n(&r.found, __ATOMIC_RELAXED)) {
		unsigned i = (seed = seed * 1664525 + 1013904223) >> 26;
		struct ip_addr a = addr_nr(i);
		struct rte_ether_addr mac = mac_of(&a);
		int index;

		if ((seed >> 16 & 0xff) == 0)
			route_set(r.t, seed & 0x8000 ? &on_link : &all);
		if (there[i]) {
			nexthop_remove(r.t, &a);
			there[i] = false;
		} else if ((index = nexthop_add(r.t, &a)) >= 0) {
			nexthop_resolve(r.t, (unsigned)index, &mac);
			there[i] = true;
		}
		nexthop_reclaim(r.t);
	}
	__atomic_store_n(&r.stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	assert_int_equal(r.wrong, 0);
	nexthop_table_free(r.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest_prefix), cmocka_unit_test(test_states),
		cmocka_unit_test(test_cache),	       cmocka_unit_test(test_cache_reused_index),
		cmocka_unit_test(test_reuse_waits),    cmocka_unit_test(test_many),
		cmocka_unit_test(test_concurrent),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
