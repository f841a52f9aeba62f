/*
 * How registrations end, over each transport, and what is left then: at the UE, the P-CSCF and the
 * S-CSCF. Keys that differ, de-registration of all contacts, by the network, a UE that starts
 * again, one that the P-CSCF loses, and one that has another address.
 */
#include "control/base/sbuf.h"
#include "tests/control/flow/net.h"

static const enum ue_transport transports[] = {UE_TRANSPORT_UDP, UE_TRANSPORT_TCP,
					       UE_TRANSPORT_MIXED};

static struct net *two(enum ue_transport transport, uint8_t ip)
{
	struct net_setup setup = {.ues = 2,
				  .ip = ip,
				  .transport = transport,
				  .challenge_protected = true,
				  .reg_event = true,
				  .edge_event = true};
	struct net *n = net_alloc(&setup);

	net_register(n, 1);
	return n;
}

static void talk(struct net *n)
{
	for (unsigned i = 0; i < 2; i++) {
		struct net_ue *x = &n->ues[i], *y = &n->ues[!i];
		unsigned got = y->events[UE_MESSAGE_RECEIVED];

		assert_int_equal(ue_message(x->ue, sv_of(y->impu), SV("hello"), n->now), 0);
		net_run(n, 1);
		assert_int_equal(y->events[UE_MESSAGE_RECEIVED], got + 1);
	}
}

/* The first UE has gone, the second is as it was. */
static void one_is_left(struct net *n)
{
	assert_int_equal(ue_sets(n->ues[0].ue), 0);
	assert_int_equal(ue_transactions(n->ues[0].ue), 0);
	assert_int_equal(net_sets(&n->ues[0].end), 0);
	assert_int_equal(net_sets(&n->edge), 1);
	assert_int_equal(net_counters(n).registered, 1);
	assert_int_equal(net_counters(n).pending, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(scscf_registered(n->scscf), 1);
	assert_int_equal(scscf_pending(n->scscf), 0);
	assert_int_equal(scscf_subscriptions(n->scscf), 2);
}

static void nothing_is_left(struct net *n)
{
	for (unsigned i = 0; i < 2; i++)
		if (ue_registered(n->ues[i].ue))
			assert_int_equal(ue_deregister(n->ues[i].ue, n->now), 0);
	net_run(n, 400000);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(net_sets(&n->ues[i].end), 0);
	assert_int_equal(net_sets(&n->edge), 0);
	assert_int_equal(net_counters(n).registered, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	assert_int_equal(scscf_registered(n->scscf), 0);
	assert_int_equal(scscf_pending(n->scscf), 0);
	assert_int_equal(scscf_subscriptions(n->scscf), 0);
	assert_int_equal(timers_count(n->timers), 0);
	net_free(n);
}

/* ---- ER-01: nothing that the UE sends on its new SAs can be read ---- */

static void wrong_ik(enum ue_transport transport, bool again)
{
	struct net *n = two(transport, 4);
	struct net_ue *x = &n->ues[0];
	unsigned registered;

	if (again) {
		net_register(n, 0);
		net_run(n, 300000);
	}
	registered = x->events[UE_REGISTERED];
	x->wrong_ik = true;
	assert_int_equal(ue_register(x->ue, n->now), 0);
	net_run(n, 1000);
	assert_true(n->lost_keys > 0); /* SM7, dropped for its ICV */
	assert_int_equal(net_counters(n).pending, 1);
	if (again)
		talk(n); /* on the old SAs */
	net_run(n, 250000);
	assert_int_equal(x->events[UE_REGISTERED], registered);
	if (again) {
		assert_true(ue_registered(x->ue));
		talk(n);
	} else {
		net_run(n, 1000000); /* all that it tries by itself */
		assert_true(x->events[UE_FAILED] > 0);
		assert_true(net_counters(n).timeouts > 0); /* reg-await-auth of the last one */
		one_is_left(n);
	}
	x->wrong_ik = false;
	if (ue_register(x->ue, n->now) == -EBUSY)
		net_run(n, 600000);
	else
		net_run(n, 1000);
	assert_true(x->events[UE_REGISTERED] > registered);
	talk(n);
	nothing_is_left(n);
}

/* covers: ER-01, ER-10 */
static void wrong_key_of_the_ue(void **state)
{
	(void)state;
	for (unsigned t = 0; t < N_OF(transports); t++)
		for (unsigned again = 0; again < 2; again++)
			wrong_ik(transports[t], again);
}

/* ---- ends ---- */

static char star_text[NET_TEXT];

/* The UE's Contact becomes a star. */
static struct sv with_star(struct net *n, const struct net_packet *k, void *arg)
{
	struct sbuf b = sbuf_of(star_text, sizeof(star_text));
	const char *contact = memmem(k->text, k->n, "\r\nContact: <", 12), *end;

	if (k->from != &n->ues[0].end || strncmp(k->text, "REGISTER ", 9) != 0)
		return (struct sv){0};
	assert_non_null(contact);
	end = memmem(contact + 2, k->n - (size_t)(contact + 2 - k->text), "\r\n", 2);
	sbuf_put(&b, (struct sv){k->text, (size_t)(contact - k->text)});
	sbuf_put(&b, SV("\r\nContact: *"));
	sbuf_put(&b, (struct sv){end, k->n - (size_t)(end - k->text)});
	(*(unsigned *)arg)++;
	return sbuf_sv(&b);
}

static void all_contacts(void **state)
{
	(void)state;
	for (unsigned t = 0; t < N_OF(transports); t++) {
		struct net *n = two(transports[t], 6);
		unsigned stars = 0;

		net_register(n, 0);
		net_run(n, 1);
		n->alter = with_star;
		n->fate_arg = &stars;
		assert_int_equal(ue_deregister(n->ues[0].ue, n->now), 0);
		net_run(n, 1);
		assert_true(stars > 0);
		assert_int_equal(n->ues[0].events[UE_DEREGISTERED], 1);
		n->alter = NULL;
		net_run(n, 400000);
		one_is_left(n);
		nothing_is_left(n);
	}
}

static void by_the_network(void **state)
{
	(void)state;
	for (unsigned t = 0; t < N_OF(transports); t++) {
		struct net *n = two(transports[t], 4);

		net_register(n, 0);
		net_run(n, 1000);
		assert_int_equal(scscf_reject(n->scscf, sv_of(n->ues[0].impi), n->now), 0);
		net_run(n, 1);
		assert_int_equal(n->ues[0].events[UE_DEREGISTERED], 1);
		net_run(n, 400000);
		one_is_left(n);
		nothing_is_left(n);
	}
}

/* ---- and begin again ---- */

/* covers: LP-10, LC-04 */
static void ue_starts_again(void **state)
{
	(void)state;
	for (unsigned t = 0; t < N_OF(transports); t++) {
		struct net *n = two(transports[t], 4);

		for (unsigned i = 0; i < 3; i++) {
			net_register(n, 0);
			net_run(n, 1000);
			talk(n);
			net_ue_crash(n, 0);
			net_run(n, 1000 * i);
			net_ue_start(n, 0);
		}
		net_register(n, 0);
		net_run(n, 400000);
		assert_int_equal(net_sets(&n->edge), 2);
		assert_int_equal(net_counters(n).registered, 2);
		talk(n);
		nothing_is_left(n);
	}
}

/* covers: LC-04 */
static void ue_that_the_pcscf_lost(void **state)
{
	(void)state;
	for (unsigned t = 0; t < N_OF(transports); t++) {
		struct net *n = two(transports[t], 4);
		struct net_ue *x = &n->ues[0];

		net_register(n, 0);
		net_run(n, 1000);
		assert_int_equal(pcscf_deregister(n->pcscf, sv_of(x->impi), n->now), 0);
		for (unsigned i = 0; i < 3; i++) {
			assert_true(ue_registered(x->ue)); /* it cannot know */
			assert_int_equal(ue_message(x->ue, sv_of(x->impu), SV("?"), n->now), 0);
			net_run(n, 129000);
		}
		assert_int_equal(x->events[UE_MESSAGE_FAILED], 3);
		assert_int_equal(x->events[UE_REGISTERED], 2); /* in clear */
		net_run(n, 60000);
		assert_int_equal(net_sets(&n->edge), 2);
		talk(n);
		nothing_is_left(n);
	}
}

/* covers: LP-10 */
static void ue_with_another_address(void **state)
{
	(void)state;
	for (unsigned t = 0; t < N_OF(transports); t++)
		for (uint8_t ip = 4; ip <= 6; ip += 2) {
			struct net *n = two(transports[t], ip);
			struct ip_addr before;

			net_register(n, 0);
			net_run(n, 1000);
			talk(n);
			before = n->ues[0].conf.local.addr;
			net_ue_crash(n, 0);
			net_ue_place(n, 0, 300);
			net_ue_start(n, 0);
			net_register(n, 0);
			net_run(n, 1000);
			assert_int_equal(net_sets(&n->edge), 2);
			for (unsigned i = 0; i < n->edge.places; i++)
				assert_false(n->edge.sas[i].installed &&
					     ip_addr_eq(&n->edge.sas[i].set.remote, &before));
			talk(n);
			nothing_is_left(n);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_key_of_the_ue),	  cmocka_unit_test(all_contacts),
		cmocka_unit_test(by_the_network),	  cmocka_unit_test(ue_starts_again),
		cmocka_unit_test(ue_that_the_pcscf_lost), cmocka_unit_test(ue_with_another_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
