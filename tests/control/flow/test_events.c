/* Re-authentication and de-registration by the network, through all roles (TS 33.203 6.1.4). */
#include "tests/control/flow/net.h"

static struct net *start(struct net_setup setup)
{
	struct net *n;

	setup.ip = setup.ip ? setup.ip : 4;
	setup.ues = setup.ues ? setup.ues : 1;
	setup.reg_event = true;
	n = net_alloc(&setup);
	for (unsigned i = 0; i < setup.ues; i++)
		net_register(n, i);
	net_run(n, 1);
	return n;
}

static void reauthenticate(struct net *n, unsigned i, uint32_t expires)
{
	assert_int_equal(scscf_reauthenticate(n->scscf, sv_of(n->ues[i].impi), expires, n->now), 0);
	net_run(n, 1);
}

/* All is as after a registration: one set at each end, equal lifetimes, a message gets through. */
static void well(struct net *n, unsigned i)
{
	struct net_ue *u = &n->ues[i];
	unsigned before = u->events[UE_MESSAGE_SENT_OK];

	assert_true(ue_registered(u->ue));
	assert_int_equal(ue_message(u->ue, sv_of(u->impu), SV("me"), n->now), 0);
	net_run(n, 1);
	assert_int_equal(u->events[UE_MESSAGE_SENT_OK], before + 1);
}

/* Nobody is left: no SAs, no transactions, no subscriptions. */
static void empty(struct net *n)
{
	assert_int_equal(net_sets(&n->edge), 0);
	for (unsigned i = 0; i < n->n_ues; i++) {
		assert_int_equal(net_sets(&n->ues[i].end), 0);
		assert_int_equal(ue_transactions(n->ues[i].ue), 0);
	}
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(scscf_subscriptions(n->scscf), 0);
	assert_int_equal(scscf_pending(n->scscf), 0);
	assert_int_equal(scscf_registered(n->scscf), 0);
	assert_int_equal(timers_count(n->timers), 0);
}

static void both_subscribe(void **state)
{
	struct net *n = start((struct net_setup){.ues = 2, .edge_event = true, .ip = 6});

	(void)state;
	assert_int_equal(scscf_subscriptions(n->scscf), 4);
	net_run(n, 300000);
	assert_int_equal(scscf_subscriptions(n->scscf), 4);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(ue_deregister(n->ues[i].ue, n->now), 0);
		net_run(n, 1);
		assert_int_equal(n->ues[i].events[UE_DEREGISTERED], 1);
	}
	net_run(n, 400000);
	empty(n);
	net_free(n);
}

/* The registration and so the subscriptions for a long time: refreshes of both. */
static void subscription_is_refreshed(void **state)
{
	struct net *n = start((struct net_setup){.edge_event = true, .expires = 7200});

	(void)state;
	for (unsigned hour = 0; hour < 100; hour++) {
		net_run(n, 3600000);
		assert_int_equal(scscf_subscriptions(n->scscf), 2);
	}
	reauthenticate(n, 0, 0);
	assert_int_equal(n->ues[0].events[UE_SHORTENED], 1);
	well(n, 0);
	net_free(n);
}

/* covers: AK-14, AK-15, AK-17 */
static void reauthentication(void **state)
{
	for (unsigned edge = 0; edge < 2; edge++) {
		struct net *n = start((struct net_setup){.edge_event = edge, .ip = edge ? 4 : 6});
		sa_set_id first = ue_current_set(n->ues[0].ue)->id;
		unsigned registered = n->ues[0].events[UE_REGISTERED];

		(void)state;
		net_run(n, 60000);
		reauthenticate(n, 0, 0);
		assert_int_equal(n->ues[0].events[UE_SHORTENED], 1);
		assert_int_equal(n->ues[0].events[UE_REGISTERED], registered);
		/* half of the 600 s that are left */
		net_run(n, 299000);
		assert_int_equal(n->ues[0].events[UE_REGISTERED], registered);
		net_run(n, 2000);
		assert_int_equal(n->ues[0].events[UE_REGISTERED], registered + 1);
		assert_true(ue_current_set(n->ues[0].ue)->id != first);
		/* nothing comes on the new SAs, and yet the old ones go: 240 s */
		assert_int_equal(ue_sets(n->ues[0].ue), 2);
		assert_int_equal(net_sets(&n->edge), 2);
		net_run(n, 235000);
		assert_int_equal(ue_sets(n->ues[0].ue), 2);
		assert_int_equal(net_sets(&n->edge), 2);
		net_run(n, 5000);
		assert_int_equal(ue_sets(n->ues[0].ue), 1);
		assert_int_equal(net_sets(&n->edge), edge ? 1 : 2); /* if it knows */
		well(n, 0);
		/* and the next refresh needs no challenge again */
		first = ue_current_set(n->ues[0].ue)->id;
		net_register(n, 0);
		assert_int_equal(ue_current_set(n->ues[0].ue)->id, first);
		net_free(n);
	}
}

static enum net_fate drop_all(struct net *n, const struct net_packet *p, void *arg)
{
	(void)n;
	(void)p;
	(void)arg;
	return NET_DROP;
}

/* A UE that hears nothing of it is de-registered, and its SAs go at both ends. */
/* covers: AK-16 */
static void silent_ue(void **state)
{
	for (unsigned edge = 0; edge < 2; edge++) {
		struct net *n = start((struct net_setup){.edge_event = edge});

		(void)state;
		n->fate = drop_all;
		reauthenticate(n, 0, 300);
		net_run(n, 299998);
		assert_int_equal(scscf_registered(n->scscf), 1);
		net_run(n, 2);
		assert_int_equal(scscf_registered(n->scscf), 0);
		if (edge) { /* the P-CSCF heard of it, though the UE did not */
			net_run(n, 1000);
			assert_int_equal(net_counters(n).registered, 0);
			net_run(n, 33000);
			assert_int_equal(net_sets(&n->edge), 0);
		}
		n->fate = NULL;
		net_ue_crash(n, 0);
		net_ue_start(n, 0);
		net_run(n, 4000000);
		empty(n);
		net_free(n);
	}
}

static void deregistration(void **state)
{
	for (unsigned edge = 0; edge < 2; edge++) {
		struct net *n = start((struct net_setup){.ues = 2, .edge_event = edge});
		struct net_ue *u = &n->ues[0];

		(void)state;
		assert_int_equal(scscf_reject(n->scscf, sv_of(u->impi), n->now), 0);
		net_run(n, 1);
		assert_int_equal(u->events[UE_DEREGISTERED], 1);
		assert_string_equal(u->text, "rejected");
		assert_false(ue_registered(u->ue));
		assert_int_equal(ue_message(u->ue, sv_of(n->ues[1].impu), SV("no"), n->now),
				 -ENOTCONN);
		/* its SAs serve repeats of the NOTIFY, and then go */
		assert_int_equal(ue_sets(u->ue), 1);
		net_run(n, 130000);
		assert_int_equal(ue_sets(u->ue), 0);
		if (edge)
			assert_int_equal(net_sets(&n->edge), 1); /* the other UE's */
		well(n, 1);
		net_register(n, 0); /* it may try again, by hand */
		net_run(n, 1);
		well(n, 0);
		net_free(n);
	}
}

/* RFC 3680 5.2: "deactivated" asks the UE to come again at once, in clear (TS 24.229 5.1.1.7). */
static void deactivation(void **state)
{
	for (unsigned edge = 0; edge < 2; edge++) {
		struct net *n = start((struct net_setup){.ues = 2, .edge_event = edge});
		struct net_ue *u = &n->ues[0];
		sa_set_id first = ue_current_set(u->ue)->id;

		(void)state;
		assert_int_equal(scscf_deregister(n->scscf, sv_of(u->impi), n->now), 0);
		net_run(n, 1);
		assert_int_equal(u->events[UE_DEREGISTERED], 1);
		assert_int_equal(u->events[UE_REGISTERED], 2);
		assert_true(ue_current_set(u->ue)->id != first);
		net_run(n, 1);
		well(n, 0);
		well(n, 1);
		net_run(n, 140000);
		assert_int_equal(net_sets(&n->edge), 2);
		assert_int_equal(net_sets(&u->end), 1);
		assert_int_equal(scscf_subscriptions(n->scscf), edge ? 4 : 2);
		net_free(n);
	}
}

/* The NOTIFY, its answer, each message of the new authentication: lost once. */
static enum net_fate drop_one(struct net *n, const struct net_packet *p, void *arg)
{
	(void)n;
	return p->number == *(unsigned *)arg ? NET_DROP : NET_PASS;
}

static enum net_fate double_one(struct net *n, const struct net_packet *p, void *arg)
{
	(void)n;
	return p->number == *(unsigned *)arg ? NET_DOUBLE : NET_PASS;
}

static void one_message_lost_or_doubled(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 8; k++)
		for (unsigned doubled = 0; doubled < 2; doubled++) {
			struct net *n = start((struct net_setup){.edge_event = true});
			unsigned number = n->sent + k;

			n->fate = doubled ? double_one : drop_one;
			n->fate_arg = &number;
			reauthenticate(n, 0, 300);
			net_run(n, 290000);
			assert_int_equal(n->ues[0].events[UE_REGISTERED], 2);
			assert_int_equal(n->ues[0].events[UE_FAILED], 0);
			net_run(n, 300000);
			well(n, 0);
			net_run(n, 300000);
			assert_int_equal(net_sets(&n->edge), 1);
			assert_int_equal(net_sets(&n->ues[0].end), 1);
			assert_int_equal(scscf_subscriptions(n->scscf), 2);
			net_free(n);
		}
}

static void end_with_one_message_lost(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 3; k++) {
		struct net *n = start((struct net_setup){.edge_event = true});
		unsigned number = n->sent + k;

		n->fate = drop_one;
		n->fate_arg = &number;
		assert_int_equal(scscf_reject(n->scscf, sv_of(n->ues[0].impi), n->now), 0);
		net_run(n, 31000);
		assert_int_equal(n->ues[0].events[UE_DEREGISTERED], 1);
		net_run(n, 400000);
		empty(n);
		net_free(n);
	}
}

/* Asked for at the worst time: while it registers, refreshes, leaves. */
static void at_any_time(void **state)
{
	(void)state;
	for (unsigned k = 0; k < 12; k++)
		for (unsigned how = 0; how < 6; how++) {
			struct net *n = start((struct net_setup){.edge_event = how % 2,
								 .challenge_protected = k % 2});
			struct net_ue *u = &n->ues[0];
			struct sv impi = sv_of(u->impi);

			if (how < 4)
				assert_int_equal(ue_register(u->ue, n->now), 0);
			else
				assert_int_equal(ue_deregister(u->ue, n->now), 0);
			for (unsigned i = 0; i < k; i++) {
				mw_run(n->mw, n->now);
				if (!net_step(n))
					break;
			}
			if (how % 4 < 2)
				(void)scscf_reauthenticate(n->scscf, impi, 120, n->now);
			else
				(void)scscf_reject(n->scscf, impi, n->now);
			net_run(n, 400000);
			if (ue_registered(u->ue) != (scscf_registered(n->scscf) == 1))
				fail_msg("k %u how %u ue %d", k, how, ue_registered(u->ue));
			if (ue_registered(u->ue)) {
				well(n, 0);
				assert_int_equal(ue_deregister(u->ue, n->now), 0);
			}
			net_run(n, 8000000);
			empty(n);
			net_free(n);
		}
}

/* A P-CSCF that forgets the UE, a UE that starts anew: subscriptions do not pile up. */
static void restarts(void **state)
{
	struct net *n = start((struct net_setup){.edge_event = true});

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		net_ue_crash(n, 0);
		net_ue_start(n, 0);
		net_register(n, 0);
		net_run(n, 1000);
		assert_true(scscf_subscriptions(n->scscf) <= 8);
	}
	for (unsigned i = 0; i < 30; i++) {
		assert_int_equal(pcscf_deregister(n->pcscf, sv_of(n->ues[0].impi), n->now), 0);
		net_ue_crash(n, 0);
		net_ue_start(n, 0);
		net_register(n, 0);
		net_run(n, 1000);
		assert_true(scscf_subscriptions(n->scscf) <= 8);
	}
	reauthenticate(n, 0, 300);
	net_run(n, 40000); /* those that fail are gone */
	assert_int_equal(scscf_subscriptions(n->scscf), 2);
	net_run(n, 200000);
	well(n, 0);
	assert_int_equal(ue_deregister(n->ues[0].ue, n->now), 0);
	net_run(n, 400000);
	empty(n);
	net_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_subscribe),
		cmocka_unit_test(subscription_is_refreshed),
		cmocka_unit_test(reauthentication),
		cmocka_unit_test(silent_ue),
		cmocka_unit_test(deregistration),
		cmocka_unit_test(deactivation),
		cmocka_unit_test(one_message_lost_or_doubled),
		cmocka_unit_test(end_with_one_message_lost),
		cmocka_unit_test(at_any_time),
		cmocka_unit_test(restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
