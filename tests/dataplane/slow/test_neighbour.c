#include "tests/dataplane/slow/rig.h"

#include "dataplane/held.h"
#include "dataplane/neighbour.h"

/* A neighbour table without a network: what it asks and sends is noted. */
struct bench {
	struct nexthop_table *hops;
	struct neighbour_table *t;
	unsigned asked, asked_all, sent;
	uint8_t first_octet; /* of the packet sent last */
	struct rte_ether_addr sent_to;
	uint64_t now;
};

static const struct rte_ether_addr mac_a = {{2, 0, 0, 0, 0, 0xa}}, mac_b = {{2, 0, 0, 0, 0, 0xb}};

static void note_ask(void *arg, const struct ip_addr *addr, const struct rte_ether_addr *mac)
{
	struct bench *b = arg;

	assert_int_equal(addr->version, 4);
	b->asked++;
	b->asked_all += mac == NULL;
}

static void note_send(void *arg, struct rte_mbuf *packet, const struct rte_ether_addr *mac)
{
	struct bench *b = arg;

	b->sent++;
	b->first_octet = *rte_pktmbuf_mtod(packet, uint8_t *);
	b->sent_to = *mac;
	rte_pktmbuf_free(packet);
}

static void bench_open(struct bench *b, const struct rig *rig, bool mirror)
{
	struct neighbour_conf conf = {
		.mirror = mirror, .arg = b, .ask = note_ask, .send = note_send};

	*b = (struct bench){.now = 1000000};
	assert_int_equal(nexthop_table_alloc(&b->hops, 64, rig->qsbr), 0);
	conf.hops = b->hops;
	assert_int_equal(neighbour_table_alloc(&b->t, &conf), 0);
}

static void bench_close(struct bench *b, const struct rig *rig)
{
	neighbour_table_free(b->t);
	nexthop_table_free(b->hops);
	assert_int_equal(rig_in_use(rig), 0);
}

/* Time passes in the steps the table asks for. */
static void pass(struct bench *b, unsigned ms)
{
	uint64_t end = b->now + ms;

	while (b->now < end) {
		unsigned step = neighbour_tick(b->t, b->now);

		assert_true(step >= 1 && step <= 1000);
		b->now = RTE_MIN(b->now + step, end);
	}
	neighbour_tick(b->t, b->now);
}

static void hold(struct bench *b, const struct rig *rig, const char *addr, uint8_t octet)
{
	struct ip_addr a = rig_addr(addr);

	neighbour_hold(b->t, &a, rig_mbuf(rig->pool, &octet, 1), b->now);
}

static void claim(struct bench *b, const char *addr, const struct rte_ether_addr *mac,
		  bool solicited, bool stated)
{
	const struct neighbour_claim c = {rig_addr(addr), *mac, solicited, stated};

	neighbour_learn(b->t, &c, b->now);
}

/* A worker's view; uses the next hop. NULL: not resolved. */
static const struct rte_ether_addr *seen(struct bench *b, const char *addr)
{
	static const struct rte_ether_addr *const macs[] = {&mac_a, &mac_b};
	struct route all = {.dst.addr.version = 4};
	struct ip_addr a = rig_addr(addr);
	struct next_hop_cache cache = {0};
	struct rte_ether_addr mac;

	assert_int_equal(nexthop_routes_set(b->hops, &all, 1), 0);
	if (nexthop_find(b->hops, &a, &cache, &mac) != 0)
		return NULL;
	return macs[rte_is_same_ether_addr(&mac, &mac_b)];
}

static bool known(struct bench *b, const char *addr)
{
	struct ip_addr a = rig_addr(addr);

	return nexthop_index(b->hops, &a) >= 0;
}

static void test_resolve(void **state)
{
	struct bench b;

	bench_open(&b, *state, false);
	hold(&b, *state, "10.0.0.1", 1);
	hold(&b, *state, "10.0.0.1", 2);
	assert_int_equal(b.asked, 1);
	assert_int_equal(b.asked_all, 1);
	pass(&b, 500);
	assert_int_equal(b.sent, 0);
	assert_null(seen(&b, "10.0.0.1"));
	claim(&b, "10.0.0.1", &mac_a, true, true);
	assert_int_equal(b.sent, 2);
	assert_int_equal(b.first_octet, 2); /* in order */
	assert_true(rte_is_same_ether_addr(&b.sent_to, &mac_a));
	assert_ptr_equal(seen(&b, "10.0.0.1"), &mac_a);
	hold(&b, *state, "10.0.0.1", 3); /* resolved since the worker looked */
	assert_int_equal(b.sent, 3);
	assert_int_equal(neighbour_drops(b.t), 0);
	bench_close(&b, *state);
}

/* Asked each second, three times; packets wait a second; then all is forgotten. */
static void test_no_answer(void **state)
{
	struct bench b;

	bench_open(&b, *state, false);
	hold(&b, *state, "10.0.0.1", 1);
	pass(&b, 900);
	assert_int_equal(neighbour_drops(b.t), 0);
	assert_int_equal(b.asked, 1);
	pass(&b, 200);
	assert_int_equal(neighbour_drops(b.t), 1);
	assert_int_equal(rig_in_use(*state), 0);
	assert_int_equal(b.asked, 2);
	pass(&b, 5000);
	assert_int_equal(b.asked, 3);
	assert_false(known(&b, "10.0.0.1"));
	bench_close(&b, *state);
}

/* A flood of packets to one that is dead asks no more than once a second. */
static void test_ask_rate(void **state)
{
	struct bench b;

	bench_open(&b, *state, false);
	for (unsigned i = 0; i < 1000; i++) {
		hold(&b, *state, "10.0.0.1", 1);
		pass(&b, 10);
	}
	assert_true(b.asked >= 9 && b.asked <= 11);
	pass(&b, 5000);
	bench_close(&b, *state);
	assert_int_equal(rig_in_use(*state), 0);
}

static void test_bounds(void **state)
{
	struct bench b;
	char addr[32];

	bench_open(&b, *state, false);
	for (unsigned i = 0; i < HELD_PER_QUEUE + 10; i++)
		hold(&b, *state, "10.0.0.1", (uint8_t)i);
	assert_int_equal(neighbour_drops(b.t), 10);
	assert_int_equal(rig_in_use(*state), HELD_PER_QUEUE);
	for (unsigned hop = 2; hop < 20; hop++) {
		snprintf(addr, sizeof(addr), "10.0.0.%u", hop);
		for (unsigned i = 0; i < HELD_PER_QUEUE; i++)
			hold(&b, *state, addr, 0);
	}
	assert_int_equal(rig_in_use(*state), HELD_MAX);
	claim(&b, "10.0.0.1", &mac_a, true, true);
	assert_int_equal(b.sent, HELD_PER_QUEUE);
	assert_int_equal(b.first_octet, (HELD_PER_QUEUE + 9) & 0xff); /* the oldest were lost */
	bench_close(&b, *state);
}

/* More next hops than fit: dropped, counted. */
static void test_table_full(void **state)
{
	struct bench b;
	char addr[32];

	bench_open(&b, *state, false);
	for (unsigned hop = 0; hop < 70; hop++) {
		snprintf(addr, sizeof(addr), "10.0.0.%u", hop);
		hold(&b, *state, addr, 0);
	}
	assert_true(neighbour_drops(b.t) >= 1 && neighbour_drops(b.t) <= 6);
	pass(&b, 5000);
	assert_int_equal(neighbour_drops(b.t), 70);
	assert_false(known(&b, "10.0.0.3"));
	bench_close(&b, *state);
}

/* What nobody asked for is not believed. */
static void test_spoofed(void **state)
{
	struct bench b;

	bench_open(&b, *state, false);
	claim(&b, "10.0.0.1", &mac_b, true, true); /* unknown address */
	assert_false(known(&b, "10.0.0.1"));
	hold(&b, *state, "10.0.0.1", 1);
	claim(&b, "10.0.0.1", &mac_b, false, true); /* not an answer */
	claim(&b, "10.0.0.1", &mac_b, true, false); /* an answer without address */
	claim(&b, "10.0.0.2", &mac_b, true, true);
	assert_null(seen(&b, "10.0.0.1"));
	assert_false(known(&b, "10.0.0.2"));
	claim(&b, "10.0.0.1", &mac_a, true, true);
	assert_ptr_equal(seen(&b, "10.0.0.1"), &mac_a);
	pass(&b, 2000);
	/* a second answer, or a gratuitous one: the known owner is asked, and stays until then */
	b.asked = b.asked_all = 0;
	claim(&b, "10.0.0.1", &mac_b, true, true);
	claim(&b, "10.0.0.1", &mac_b, false, true);
	assert_int_equal(b.asked, 1);
	assert_int_equal(b.asked_all, 0);
	assert_ptr_equal(seen(&b, "10.0.0.1"), &mac_a);
	claim(&b, "10.0.0.1", &mac_b, true, true);
	assert_ptr_equal(seen(&b, "10.0.0.1"), &mac_a);
	claim(&b, "10.0.0.1", &mac_a, true, false); /* the owner lives */
	pass(&b, 5000);
	assert_int_equal(b.asked, 1);
	assert_ptr_equal(seen(&b, "10.0.0.1"), &mac_a);
	bench_close(&b, *state);
}

/* The owner has gone and another host has the address: found by asking, not by believing. */
static void test_moved(void **state)
{
	struct bench b;

	bench_open(&b, *state, false);
	hold(&b, *state, "10.0.0.1", 1);
	claim(&b, "10.0.0.1", &mac_a, true, true);
	pass(&b, 2000);
	b.asked_all = 0;
	claim(&b, "10.0.0.1", &mac_b, false, true); /* gratuitous */
	pass(&b, 3100);
	assert_null(seen(&b, "10.0.0.1"));
	assert_int_equal(b.asked_all, 1);
	claim(&b, "10.0.0.1", &mac_b, true, true);
	assert_ptr_equal(seen(&b, "10.0.0.1"), &mac_b);
	bench_close(&b, *state);
}

/* In use: checked now and then. Unused: left alone, and forgotten in the end. */
static void test_checked(void **state)
{
	struct bench b;

	bench_open(&b, *state, false);
	hold(&b, *state, "10.0.0.1", 1);
	claim(&b, "10.0.0.1", &mac_a, true, true);
	b.asked = b.asked_all = 0;
	assert_non_null(seen(&b, "10.0.0.1"));
	pass(&b, NEIGHBOUR_CHECK_MS + 500);
	assert_int_equal(b.asked, 1);
	assert_int_equal(b.asked_all, 0);
	assert_ptr_equal(seen(&b, "10.0.0.1"), &mac_a); /* meanwhile still good */
	claim(&b, "10.0.0.1", &mac_a, true, true);
	pass(&b, NEIGHBOUR_CHECK_MS + 500); /* that look was a use, too */
	assert_int_equal(b.asked, 2);
	claim(&b, "10.0.0.1", &mac_a, true, false);
	pass(&b, NEIGHBOUR_IDLE_MS / 2);
	assert_int_equal(b.asked, 2);
	assert_true(known(&b, "10.0.0.1"));
	pass(&b, NEIGHBOUR_IDLE_MS);
	assert_false(known(&b, "10.0.0.1"));
	bench_close(&b, *state);
}

/* The kernel's word counts, all of it. */
static void test_mirror(void **state)
{
	const struct ip_addr one = rig_addr("10.0.0.1"), two = rig_addr("10.0.0.2");
	struct bench b;

	bench_open(&b, *state, true);
	neighbour_set(b.t, &one, &mac_a, b.now);
	neighbour_set(b.t, &two, &mac_a, b.now);
	assert_ptr_equal(seen(&b, "10.0.0.1"), &mac_a);
	neighbour_set(b.t, &one, &mac_b, b.now);
	assert_ptr_equal(seen(&b, "10.0.0.1"), &mac_b);
	neighbour_set(b.t, &one, NULL, b.now);
	assert_null(seen(&b, "10.0.0.1"));
	/* asked for: waits although the kernel says it has none */
	hold(&b, *state, "10.0.0.1", 1);
	assert_int_equal(b.asked, 1);
	neighbour_set(b.t, &one, NULL, b.now);
	neighbour_set(b.t, &one, &mac_b, b.now);
	assert_int_equal(b.sent, 1);
	/* a complete list without the second one */
	neighbour_list_begin(b.t);
	neighbour_set(b.t, &one, &mac_b, b.now);
	neighbour_list_end(b.t);
	assert_non_null(seen(&b, "10.0.0.1"));
	assert_null(seen(&b, "10.0.0.2"));
	/* in use: the kernel is reminded, but keeps the say */
	pass(&b, NEIGHBOUR_CHECK_MS + 1500);
	assert_int_equal(b.asked, 2);
	pass(&b, NEIGHBOUR_IDLE_MS * 2);
	assert_int_equal(b.asked, 2);
	assert_non_null(seen(&b, "10.0.0.1"));
	bench_close(&b, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolve),	   cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_ask_rate),   cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_table_full), cmocka_unit_test(test_spoofed),
		cmocka_unit_test(test_moved),	   cmocka_unit_test(test_checked),
		cmocka_unit_test(test_mirror),
	};

	return cmocka_run_group_tests(tests, rig_start, rig_stop);
}
