/* Many registrations, re-registrations and ends: nothing grows (F07, F21). */
#include <malloc.h>

#include "tests/control/flow/net.h"

/* Under a sanitizer there is no mallinfo2(), and fewer rounds will do: it sees each leak by itself.
 */
static unsigned rounds(unsigned n)
{
	return mallinfo2().uordblks ? n : n / 20;
}

/* What caches of malloc and SQLite still take after the first hundred rounds: less than two octets
 * a round. */
#define CACHES 16384

static void cycle(struct net *n)
{
	net_register(n, 0);
	assert_int_equal(ue_deregister(n->ues[0].ue, n->now), 0);
	net_run(n, 400000); /* all transactions end */
	assert_false(ue_registered(n->ues[0].ue));
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_sets(&n->ues[0].end), 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(net_counters(n).pending, 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(ue_transactions(n->ues[0].ue), 0);
	assert_int_equal(scscf_pending(n->scscf), 0);
	assert_int_equal(scscf_registered(n->scscf), 0);
}

/* covers: F07, SP-01, SU-05 */
static void ten_thousand_registrations(void **state)
{
	struct net_setup setup = {.ues = 1, .ip = 4};
	struct net *n = net_alloc(&setup);
	unsigned count = rounds(10000);
	size_t before;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		cycle(n);
	before = mallinfo2().uordblks;
	for (unsigned i = 0; i < count; i++)
		cycle(n);
	assert_true(mallinfo2().uordblks <= before + CACHES);
	assert_int_equal(n->lost_spi, 0);
	assert_int_equal(net_counters(n).registrations, 100 + count);
	net_free(n);
}

/* With subscriptions of both ends, an authentication by the network's wish, and each kind of end.
 */

static void reg_event_cycle(struct net *n, unsigned round)
{
	struct sv impi = sv_of(n->ues[0].impi);

	net_register(n, 0);
	net_run(n, 1000);
	assert_int_equal(scscf_subscriptions(n->scscf), 2);
	assert_int_equal(scscf_reauthenticate(n->scscf, impi, 60, n->now), 0);
	net_run(n, 31000);
	if (round % 3 == 0)
		assert_int_equal(scscf_reject(n->scscf, impi, n->now), 0);
	else if (round % 3 == 1)
		assert_int_equal(ue_deregister(n->ues[0].ue, n->now), 0);
	else
		assert_int_equal(pcscf_deregister(n->pcscf, impi, n->now), 0);
	if (round % 3 == 2) { /* lost at the P-CSCF alone: S-CSCF and UE find out by themselves */
		net_ue_crash(n, 0);
		net_ue_start(n, 0);
	}
	net_run(n, 4000000);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_sets(&n->ues[0].end), 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(ue_transactions(n->ues[0].ue), 0);
	assert_int_equal(scscf_pending(n->scscf), 0);
	assert_int_equal(scscf_subscriptions(n->scscf), 0);
	assert_int_equal(scscf_registered(n->scscf), 0);
	assert_int_equal(timers_count(n->timers), 0);
}

/* Behind a NAT that binds anew each time, and moves in between. */
/* covers: F07, NM-14 */
static void three_thousand_rebindings(void **state)
{
	struct net_setup setup = {.ues = 1,
				  .ip = 4,
				  .udp_enc_tun = true,
				  .challenge_protected = true,
				  .nat[0] = {"192.168.1.2", "203.0.113.1"}};
	struct net *n = net_alloc(&setup);
	unsigned count = rounds(3000);
	size_t before = 0;
	char address[32];

	(void)state;
	for (unsigned i = 0; i < 100 + count; i++) {
		if (i == 100)
			before = mallinfo2().uordblks;
		net_register(n, 0);
		snprintf(address, sizeof(address), "203.0.113.%u", 1 + i % 250);
		net_rebind(n, 0, address);
		net_run(n, 21000); /* a heartbeat */
		net_register(n, 0);
		assert_int_equal(ue_deregister(n->ues[0].ue, n->now), 0);
		net_run(n, 400000);
		assert_false(ue_registered(n->ues[0].ue));
		assert_int_equal(net_sets(&n->edge), 0);
		assert_int_equal(net_counters(n).transactions, 0);
	}
	assert_true(mallinfo2().uordblks <= before + CACHES);
	assert_true(n->moves >= 3 * count);
	net_free(n);
}

/* covers: F07 */
static void three_thousand_reg_events(void **state)
{
	struct net_setup setup = {.ues = 1, .ip = 4, .reg_event = true, .edge_event = true};
	struct net *n = net_alloc(&setup);
	unsigned count = rounds(3000);
	size_t before;

	(void)state;
	for (unsigned i = 0; i < 99; i++)
		reg_event_cycle(n, i);
	before = mallinfo2().uordblks;
	for (unsigned i = 0; i < count; i++)
		reg_event_cycle(n, i);
	assert_true(mallinfo2().uordblks <= before + CACHES);
	net_free(n);
}

/* Each with a challenge, six offers and a new set. */
/* covers: F21, F30, AK-11 */
static void a_hundred_thousand_refreshes(void **state)
{
	struct net_setup setup = {.ues = 1, .ip = 6, .challenge_protected = true, .expires = 7200};
	struct net *n = net_alloc(&setup);
	unsigned count = rounds(100000);
	size_t before = 0;

	(void)state;
	net_register(n, 0);
	for (unsigned i = 0; i < 100 + count; i++) {
		if (i == 100)
			before = mallinfo2().uordblks;
		net_register(n, 0);
		net_run(n, 200000);
		assert_true(net_sets(&n->edge) <= 2);
	}
	assert_true(mallinfo2().uordblks <= before + CACHES);
	assert_int_equal(net_counters(n).transactions, 0);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_registrations),
		cmocka_unit_test(three_thousand_rebindings),
		cmocka_unit_test(three_thousand_reg_events),
		cmocka_unit_test(a_hundred_thousand_refreshes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
