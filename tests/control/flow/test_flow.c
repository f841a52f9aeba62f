/* Complete flows through the real UE, P-CSCF, I-CSCF, S-CSCF and HSS. */
#include "tests/control/flow/net.h"

/* Registration, MESSAGEs both ways, challenged refresh, de-registration, with one suite. */
static void suite_flow(uint8_t ip, enum sa_integ integ, enum sa_encr encr)
{
	struct net_setup setup = {.ues = 2,
				  .ip = ip,
				  .choices = {{integ, encr, SA_MODE_TRANSPORT}},
				  .n_choices = 1,
				  .challenge_protected = true};
	struct net *n = net_alloc(&setup);
	struct sa_set first;

	net_register(n, 0);
	net_register(n, 1);
	assert_int_equal(net_counters(n).registered, 2);
	assert_int_equal(icscf_queries(n->icscf), 4);
	first = *ue_current_set(n->ues[0].ue);
	assert_int_equal(first.integ, integ);
	assert_int_equal(first.encr, encr);

	for (unsigned i = 0; i < 2; i++) {
		unsigned other = 1 - i;

		assert_int_equal(
			ue_message(n->ues[i].ue, sv_of(n->ues[other].impu), SV("hello"), n->now),
			0);
		net_run(n, 1);
		assert_int_equal(n->ues[i].events[UE_MESSAGE_SENT_OK], 1);
		assert_int_equal(n->ues[other].events[UE_MESSAGE_RECEIVED], 1);
	}
	net_run(n, 600000);
	net_register(n, 0);
	assert_true(ue_current_set(n->ues[0].ue)->id != first.id);
	assert_int_equal(ue_current_set(n->ues[0].ue)->local_port[SA_SERVER],
			 first.local_port[SA_SERVER]);
	assert_int_equal(ue_current_set(n->ues[0].ue)->remote_port[SA_CLIENT],
			 first.remote_port[SA_CLIENT]);
	assert_true(ue_current_set(n->ues[0].ue)->local_port[SA_CLIENT] !=
		    first.local_port[SA_CLIENT]);
	assert_true(ue_current_set(n->ues[0].ue)->remote_port[SA_SERVER] !=
		    first.remote_port[SA_SERVER]);
	/* the first goes with a message on the second */
	assert_int_equal(ue_message(n->ues[0].ue, sv_of(n->ues[1].impu), SV("again"), n->now), 0);
	net_run(n, 33000);
	assert_int_equal(n->ues[1].events[UE_MESSAGE_RECEIVED], 2);
	assert_int_equal(net_sets(&n->edge), 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(ue_deregister(n->ues[i].ue, n->now), 0);
	net_run(n, 1);
	assert_int_equal(n->ues[0].events[UE_DEREGISTERED], 1);
	assert_int_equal(n->ues[1].events[UE_DEREGISTERED], 1);
	net_run(n, 400000);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(scscf_pending(n->scscf), 0);
	assert_int_equal(n->lost_spi, 0);
	assert_int_equal(n->lost_keys, 0);
	net_free(n);
}

/* covers: AK-05, AK-06, AK-11, ES-05, ES-09, LC-01, LC-02, SU-02, SU-07, SU-08, SU-15, F22, F32 */
static void all_suites_and_addresses(void **state)
{
	(void)state;
	for (unsigned integ = 0; integ < SA_INTEG_COUNT; integ++)
		for (unsigned encr = 0; encr < SA_ENCR_COUNT; encr++) {
			suite_flow(4, (enum sa_integ)integ, (enum sa_encr)encr);
			suite_flow(6, (enum sa_integ)integ, (enum sa_encr)encr);
		}
}

static struct net *registered_pair(bool challenge_protected)
{
	struct net_setup setup = {.ues = 2, .ip = 6, .challenge_protected = challenge_protected};
	struct net *n = net_alloc(&setup);

	net_register(n, 0);
	net_register(n, 1);
	return n;
}

static void exchange(struct net *n)
{
	unsigned ok = n->ues[0].events[UE_MESSAGE_SENT_OK],
		 ok1 = n->ues[1].events[UE_MESSAGE_SENT_OK];

	assert_int_equal(ue_message(n->ues[0].ue, sv_of(n->ues[1].impu), SV("ping"), n->now), 0);
	assert_int_equal(ue_message(n->ues[1].ue, sv_of(n->ues[0].impu), SV("pong"), n->now), 0);
	net_run(n, 1);
	assert_int_equal(n->ues[0].events[UE_MESSAGE_SENT_OK], ok + 1);
	assert_int_equal(n->ues[1].events[UE_MESSAGE_SENT_OK], ok1 + 1);
}

/* The one set installed at this end with that peer. */
static const struct sa_set *installed_set(const struct net_end *e, const struct ip_addr *remote)
{
	const struct sa_set *set = NULL;

	for (unsigned i = 0; i < e->places; i++) {
		if (!e->sas[i].installed || !ip_addr_eq(&e->sas[i].set.remote, remote))
			continue;
		assert_null(set);
		set = &e->sas[i].set;
	}
	return set;
}

/* TS 33.203 7.1: the UE's outbound SAs A and D are the P-CSCF's inbound ones, and B and C the
 * reverse; each pair is of one port of the UE and one of the P-CSCF. */
static void sets_match(const struct sa_set *edge, const struct sa_set *ue)
{
	for (unsigned p = 0; p < SA_PAIRS; p++) {
		assert_int_equal(edge->spi_in[p], ue->spi_out[!p]);
		assert_int_equal(edge->spi_out[p], ue->spi_in[!p]);
		assert_int_equal(edge->local_port[p], ue->remote_port[!p]);
		assert_int_equal(edge->remote_port[p], ue->local_port[!p]);
		assert_true(edge->spi_in[p] >= SA_SPI_MIN && edge->spi_out[p] >= SA_SPI_MIN);
	}
	assert_true(edge->spi_in[SA_SERVER] != edge->spi_in[SA_CLIENT]);
	assert_true(ue->spi_in[SA_SERVER] != ue->spi_in[SA_CLIENT]);
	assert_true(ip_addr_eq(&edge->local, &ue->remote));
	assert_true(ip_addr_eq(&edge->remote, &ue->local));
	assert_int_equal(edge->integ, ue->integ);
	assert_int_equal(edge->encr, ue->encr);
	assert_int_equal(edge->mode, ue->mode);
	assert_memory_equal(&edge->keys, &ue->keys, sizeof(edge->keys));
}

struct sa_order {
	unsigned edge_first; /* messages passed on when only the P-CSCF had its SAs */
};

static enum net_fate watch_order(struct net *n, const struct net_packet *k, void *arg)
{
	struct sa_order *order = arg;
	const struct net_ue *x = &n->ues[0];
	bool edge = installed_set(&n->edge, &x->conf.local.addr) != NULL;
	bool ue = installed_set(&x->end, &x->conf.pcscf.addr) != NULL;

	(void)k;
	assert_true(edge || !ue);
	order->edge_first += edge && !ue;
	return NET_PASS;
}

static void both_tables_after_sm12(const struct net_setup *setup)
{
	static const struct sa_keys none = {0};
	struct sa_order order = {0};
	struct net *n = net_alloc(setup);
	const struct sa_set *edge, *ue;

	n->fate = watch_order;
	n->fate_arg = &order;
	net_register(n, 0);
	assert_int_equal(order.edge_first, 1); /* SM6 */
	assert_int_equal(n->installs, 2);
	edge = installed_set(&n->edge, &n->ues[0].conf.local.addr);
	ue = installed_set(&n->ues[0].end, &n->ues[0].conf.pcscf.addr);
	assert_non_null(edge);
	assert_non_null(ue);
	sets_match(edge, ue);
	assert_int_equal(edge->integ, setup->choices[0].integ);
	assert_int_equal(edge->encr, setup->choices[0].encr);
	assert_int_equal(edge->local_port[SA_SERVER], 6060);
	assert_true(edge->local_port[SA_CLIENT] != edge->local_port[SA_SERVER]);
	assert_true(edge->remote_port[SA_CLIENT] != edge->remote_port[SA_SERVER]);
	assert_memory_not_equal(edge->keys.integ, none.integ, sizeof(none.integ));
	net_free(n);
}

/* The SADs of both ends after SM12 hold A, B, C, D, and the P-CSCF had them first. */
/* covers: ES-03 */
static void both_ends_hold_the_two_pairs(void **state)
{
	struct net_setup setup = {.ues = 1, .n_choices = 1};

	(void)state;
	for (unsigned integ = 0; integ < SA_INTEG_COUNT; integ++)
		for (unsigned encr = 0; encr < SA_ENCR_COUNT; encr++)
			for (setup.ip = 4; setup.ip <= 6; setup.ip += 2) {
				setup.choices[0] = (struct agree_choice){(enum sa_integ)integ,
									 (enum sa_encr)encr,
									 SA_MODE_TRANSPORT};
				both_tables_after_sm12(&setup);
			}
}

/* covers: LP-14, LU-13, SP-19, AK-13 */
static void unchallenged_refreshes_keep_the_set(void **state)
{
	struct net *n = registered_pair(false);
	sa_set_id id = ue_current_set(n->ues[0].ue)->id;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		net_run(n, 3000000); /* refreshes come by themselves */
		exchange(n);
	}
	assert_int_equal(ue_current_set(n->ues[0].ue)->id, id);
	assert_int_equal(net_sets(&n->edge), 2);
	assert_true(net_counters(n).refreshes >= 16);
	net_free(n);
}

/* covers: LP-10, LC-04, F29 */
static void restarted_ue_comes_back(void **state)
{
	struct net *n = registered_pair(false);

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		net_ue_crash(n, 0);
		net_run(n, 1000);
		net_ue_start(n, 0);
		net_register(n, 0);
		assert_int_equal(net_sets(&n->edge), 2);
		assert_int_equal(net_counters(n).registered, 2);
		exchange(n);
	}
	net_free(n);
}

/* A UE that vanishes leaves nothing when its registration ends. */
/* covers: F07, LP-15 */
static void vanished_ue_is_forgotten(void **state)
{
	struct net *n = registered_pair(false);

	(void)state;
	net_ue_crash(n, 0);
	net_ue_crash(n, 1);
	net_run(n, 3700000);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	net_free(n);
}

/* covers: ER-06, F05, F26 */
static void card_ahead_of_the_network_resynchronises(void **state)
{
	struct net_setup setup = {.ues = 1, .ip = 4};
	struct net *n = net_alloc(&setup);

	(void)state;
	for (unsigned i = 0; i < SQN_INDS; i++)
		n->ues[0].sqn.seq[i] = 100000;
	net_register(n, 0);
	assert_int_equal(net_sets(&n->edge), 1);
	/* and on a protected refresh with a challenge: over the old SAs */
	net_free(n);
	setup.challenge_protected = true;
	n = net_alloc(&setup);
	net_register(n, 0);
	for (unsigned i = 0; i < SQN_INDS; i++)
		n->ues[0].sqn.seq[i] += 100000;
	net_register(n, 0);
	assert_int_equal(net_counters(n).registrations, 2);
	net_free(n);
}

/* covers: ER-06, ER-05 */
static void foreign_network_is_refused_by_the_card(void **state)
{
	struct net_setup setup = {.ues = 1, .ip = 4, .wrong_key = true};
	struct net *n = net_alloc(&setup);

	(void)state;
	assert_int_equal(ue_register(n->ues[0].ue, n->now), 0);
	net_run(n, 300000);
	assert_int_equal(n->ues[0].events[UE_REGISTERED], 0);
	assert_int_equal(n->ues[0].events[UE_FAILED], 1);
	net_run(n, 300000);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(net_counters(n).pending, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	net_free(n);
}

/* What the whole story needs of messages on the access, so that each of them can be hurt. */
static void story(struct net *n)
{
	assert_int_equal(ue_register(n->ues[0].ue, n->now), 0);
	net_run(n, 200000);
	assert_true(ue_registered(n->ues[0].ue));
	assert_int_equal(ue_register(n->ues[1].ue, n->now), 0);
	net_run(n, 200000);
	assert_true(ue_registered(n->ues[1].ue));
	assert_int_equal(ue_message(n->ues[0].ue, sv_of(n->ues[1].impu), SV("one"), n->now), 0);
	net_run(n, 200000);
	assert_int_equal(n->ues[0].events[UE_MESSAGE_SENT_OK], 1);
	assert_int_equal(n->ues[1].events[UE_MESSAGE_RECEIVED], 1);
	assert_int_equal(ue_register(n->ues[0].ue, n->now), 0);
	assert_int_equal(ue_message(n->ues[0].ue, sv_of(n->ues[1].impu), SV("two"), n->now), 0);
	net_run(n, 200000);
	assert_true(ue_registered(n->ues[0].ue));
	assert_int_equal(n->ues[0].events[UE_MESSAGE_SENT_OK], 2);
	assert_int_equal(ue_message(n->ues[1].ue, sv_of(n->ues[0].impu), SV("three"), n->now), 0);
	net_run(n, 200000);
	assert_int_equal(n->ues[1].events[UE_MESSAGE_SENT_OK], 1);
	assert_int_equal(ue_deregister(n->ues[0].ue, n->now), 0);
	assert_int_equal(ue_deregister(n->ues[1].ue, n->now), 0);
	net_run(n, 500000);
	assert_int_equal(n->ues[0].events[UE_DEREGISTERED], 1);
	assert_int_equal(n->ues[1].events[UE_DEREGISTERED], 1);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(net_counters(n).pending, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(scscf_pending(n->scscf), 0);
}

struct accident {
	unsigned number;
	enum net_fate fate;
};

static enum net_fate strike(struct net *n, const struct net_packet *k, void *arg)
{
	const struct accident *a = arg;

	(void)n;
	return k->number == a->number ? a->fate : NET_PASS;
}

/* Each message of the story lost once, and each delivered twice. */
/* covers: F13, F20 */
static void any_message_lost_or_doubled(void **state)
{
	struct net_setup setup = {.ues = 2, .ip = 4, .challenge_protected = true};
	struct accident a = {.number = UINT32_MAX};
	struct net *n = net_alloc(&setup);
	unsigned messages;

	(void)state;
	story(n);
	messages = n->sent;
	net_free(n);
	assert_true(messages >= 28);
	for (unsigned i = 0; i < 2 * messages; i++) {
		n = net_alloc(&setup);
		a = (struct accident){i / 2, i % 2 ? NET_DROP : NET_DOUBLE};
		n->fate = strike;
		n->fate_arg = &a;
		story(n);
		net_free(n);
	}
}

static enum net_fate weather(struct net *n, const struct net_packet *k, void *arg)
{
	unsigned dice = test_random_below(arg, 100);

	(void)n;
	(void)k;
	return dice < 10 ? NET_DROP : dice < 20 ? NET_DOUBLE : NET_PASS;
}

/* A bad access for a long time: nothing hangs, nothing stays behind. */
static void bad_weather(void **state)
{
	struct test_random dice = {42};
	struct net_setup setup = {.ues = NET_UES, .ip = 6, .challenge_protected = true};
	struct net *n = net_alloc(&setup);

	(void)state;
	n->fate = weather;
	n->fate_arg = &dice;
	for (unsigned round = 0; round < 200; round++) {
		struct net_ue *x = &n->ues[test_random_below(&dice, NET_UES)];
		struct net_ue *y = &n->ues[test_random_below(&dice, NET_UES)];

		switch (test_random_below(&dice, 4)) {
		case 0:
			(void)ue_deregister(x->ue, n->now);
			break;
		case 1:
			(void)ue_message(x->ue, sv_of(y->impu), SV("storm"), n->now);
			break;
		default:
			(void)ue_register(x->ue, n->now);
		}
		net_run(n, test_random_below(&dice, 60000));
		assert_true(net_counters(n).sets <= 3 * NET_UES);
	}
	n->fate = NULL;
	for (unsigned i = 0; i < NET_UES; i++)
		net_ue_crash(n, i);
	net_run(n, 8000000);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(net_counters(n).pending, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(scscf_pending(n->scscf), 0);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_suites_and_addresses),
		cmocka_unit_test(both_ends_hold_the_two_pairs),
		cmocka_unit_test(unchallenged_refreshes_keep_the_set),
		cmocka_unit_test(restarted_ue_comes_back),
		cmocka_unit_test(vanished_ue_is_forgotten),
		cmocka_unit_test(card_ahead_of_the_network_resynchronises),
		cmocka_unit_test(foreign_network_is_refused_by_the_card),
		cmocka_unit_test(any_message_lost_or_doubled),
		cmocka_unit_test(bad_weather),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
