/* Refresh, change-over, lifetimes, ports and SPIs over many runs (TS 33.203 7.1, 7.4.1a). */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/secret.h"

/* covers: LC-01, LC-02, LC-03, SP-18, F30, AK-11 */
static void challenged_refresh_makes_a_new_set(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	struct sa_set before;
	sa_set_id old, fresh;

	(void)state;
	h_start(h, &c);
	old = h_register(h, 3600);
	for (unsigned i = 0; i < 5; i++) {
		const struct sa_set *now;
		char branch[32];

		before = *ue_current_set(h->ue);
		fresh = h_refresh_to_sm7(h, old);
		h_ok(h, fresh, 3600);
		now = ue_current_set(h->ue);
		assert_int_equal(now->local_port[SA_SERVER], before.local_port[SA_SERVER]);
		assert_int_not_equal(now->local_port[SA_CLIENT], before.local_port[SA_CLIENT]);
		assert_int_not_equal(now->spi_in[SA_SERVER], before.spi_in[SA_SERVER]);
		assert_int_not_equal(now->spi_in[SA_CLIENT], before.spi_in[SA_CLIENT]);
		assert_int_equal(ue_sets(h->ue), 2);
		snprintf(branch, sizeof(branch), "z9hG4bKx%u", i);
		h_request(h, fresh, "OPTIONS", i, branch); /* LU-12 (b) */
		h_advance(h, 128000);			   /* the old set's own OPTIONS is over */
		assert_int_equal(ue_sets(h->ue), 1);
		assert_null(h_set(h, old));
		old = fresh;
	}
	h_free(h);
}

/* covers: LC-03, SP-19, LU-13 */
static void unchallenged_refresh_gives_the_proposal_back(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	unsigned long spi, port;
	char verify[2048];
	const char *client;
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	id = h_register(h, 3600);
	client = h_field(h_last(h)->text, "Security-Client");
	spi = h_param(client, "spi-c");
	port = h_param(client, "port-c");
	snprintf(verify, sizeof(verify), "%s", h_field(h_last(h)->text, "Security-Verify"));
	h_advance(h, 1000 * 1000);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_int_equal(h_last(h)->flow.set, id);
	assert_int_equal(h_last(h)->flow.pair, SA_CLIENT);
	client = h_field(h_last(h)->text, "Security-Client");
	assert_int_not_equal(h_param(client, "spi-c"), spi);
	assert_int_not_equal(h_param(client, "port-c"), port);
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), verify);
	assert_int_equal(h_reserved(h), 2);
	h_ok(h, id, 3600);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	assert_int_equal(h_reserved(h), 1);
	/* no further refresh is answered: the SAs live until 3600 s and the guard from the last one
	 */
	h_advance(h, 3599 * 1000);
	assert_non_null(h_set(h, id));
	h_advance(h, 31 * 1000);
	assert_null(h_set(h, id));
	h_free(h);
}

struct refresh_case {
	unsigned expires, after; /* s */
};

static void refresh_before_expiry(void **state)
{
	static const struct refresh_case cases[] = {
		{3600, 3000}, {1201, 601}, {1200, 600}, {600, 300}, {60, 30}};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = h_alloc();
		struct ue_conf c = h_conf(h);

		h_start(h, &c);
		h_register(h, cases[i].expires);
		h->n_sent = 0;
		h_advance(h, cases[i].after * 1000 - 1);
		assert_int_equal(h->n_sent, 0);
		h_advance(h, 1);
		assert_int_equal(h->n_sent, 1);
		assert_memory_equal(h_last(h)->text, "REGISTER", 8);
		h_free(h);
	}
}

/* covers: LU-04, LU-14 */
static void temporary_lifetime(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id old, fresh;

	(void)state;
	c.await_auth = 60;
	h_start(h, &c);
	old = h_register(h, 600000);
	fresh = h_refresh_to_sm7(h, old);
	h_advance(h, 59999);
	assert_non_null(h_set(h, fresh));
	h_advance(h, 1);
	assert_null(h_set(h, fresh));
	assert_int_equal(h_last(h)->flow.set, old); /* ER-10: begun anew */
	h_free(h);
}

struct lifetime_case {
	unsigned old_remains, granted, lives; /* s; the guard of 30 s apart */
};

/* covers: LU-08, LU-14, ST-11, ST-14, C-07 */
static void lifetime_is_the_longer_one(void **state)
{
	static const struct lifetime_case cases[] = {{3000, 600, 3000}, {100, 600, 630}};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = h_alloc();
		struct ue_conf c = h_conf(h);
		sa_set_id old, fresh;

		c.unanswered_max = 100; /* the timer's refresh stays on the old set */
		h_start(h, &c);
		old = h_register(h, 3600);
		h_advance(h, (uint64_t)(3630 - cases[i].old_remains) * 1000);
		if (h_last(h)->flow.set == old && ue_register(h->ue, h->now) < 0)
			assert_true(cases[i].old_remains < 600);
		h_challenge(h, old, H_AUTN_GOOD);
		fresh = h_last(h)->flow.set;
		assert_int_not_equal(fresh, old);
		h_ok(h, fresh, cases[i].granted);
		h->n_sent = 0;
		h_advance(h, (uint64_t)cases[i].lives * 1000 - 1);
		assert_non_null(h_set(h, fresh));
		assert_true(ue_registered(h->ue));
		h_advance(h, 1);
		assert_null(h_set(h, fresh));
		assert_false(ue_registered(h->ue));
		h_free(h);
	}
}

/* covers: ST-14, LU-14, F07 */
static void unrefreshed_registration_ends(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	h_start(h, &c);
	h_register(h, 600);
	h_advance(h, 629999);
	assert_int_equal(h_installed(h), 1);
	h_advance(h, 1);
	assert_int_equal(h_installed(h), 0);
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_false(ue_registered(h->ue));
	h_free(h);
}

/* covers: LU-02, LU-06, LU-09, LU-11, LU-12, C-11 */
static void change_over_with_pending_transactions(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	struct h_sent sm7, message;
	sa_set_id old, fresh;

	(void)state;
	h_start(h, &c);
	old = h_register(h, 600000);
	fresh = h_refresh_to_sm7(h, old);
	sm7 = *h_last(h);
	/* between SM7 and SM12 other traffic stays on the old set */
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("hi"), h->now), 0);
	message = *h_last(h);
	assert_int_equal(message.flow.set, old);
	h_request(h, old, "MESSAGE", 1, "z9hG4bKin");
	assert_int_equal(h_last(h)->flow.set, old);
	h_respond(h, &sm7, fresh, 200, "Expires: 600000\r\n");
	assert_int_equal(ue_sets(h->ue), 2);
	/* after it new requests use the new set; a request on the old one is answered there */
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("ho"), h->now), 0);
	assert_int_equal(h_last(h)->flow.set, fresh);
	h_respond(h, h_last(h), fresh, 200, ""); /* something heard on the new set */
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 1);
	assert_int_equal(ue_sets(h->ue), 2);
	h_request(h, old, "MESSAGE", 2, "z9hG4bKin2");
	assert_int_equal(h_last(h)->flow.set, old);
	h_respond(h, &message, fresh, 200, ""); /* the wrong set */
	assert_int_equal(ue_drops(h->ue, UE_DROP_WRONG_SA), 1);
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 1);
	h_respond(h, &message, old, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 2);
	assert_int_equal(ue_sets(h->ue), 2); /* repeats of our two 200s may yet be asked for */
	h_advance(h, 128000);		     /* timer J */
	assert_int_equal(ue_sets(h->ue), 1);
	assert_null(h_set(h, old));
	h_free(h);
}

/* covers: LC-06, LU-10, LU-11, LU-12 */
static void old_outbound_sas_end_first(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	struct h_sent message;
	sa_set_id old, fresh;

	(void)state;
	h_start(h, &c);
	old = h_register(h, 3600);
	h_request(h, old, "MESSAGE", 1, "z9hG4bKin1"); /* its 200 may have to be repeated */
	h_advance(h, 60000);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("hi"), h->now), 0);
	message = *h_last(h);
	fresh = h_refresh_to_sm7(h, old);
	h_ok(h, fresh, 3600);
	h_respond(h, &message, old, 100, ""); /* now it only awaits the answer */
	h_request(h, fresh, "OPTIONS", 2, "z9hG4bKin2");
	assert_int_equal(h_last(h)->flow.set, fresh);
	h_advance(h, 67000);
	assert_false(h_set(h, old)->closed);
	h_advance(h, 1000); /* timer J of the first */
	assert_true(h_set(h, old)->closed);
	assert_true(h_set(h, old)->installed);
	assert_int_equal(ue_sets(h->ue), 2);
	/* nothing is sent on it any more, nor may anything be asked there, but answers come */
	h->n_sent = 0;
	h_request(h, old, "MESSAGE", 4, "z9hG4bKin4");
	assert_int_equal(h->n_sent, 0);
	assert_int_equal(ue_drops(h->ue, UE_DROP_WRONG_SA), 1);
	h_respond(h, &message, fresh, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 0);
	h_respond(h, &message, old, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 1);
	assert_null(h_set(h, old));
	h_free(h);
}

/* covers: LU-12 */
static void old_set_ends_by_lifetime(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id old, fresh;

	(void)state;
	h_start(h, &c);
	old = h_register(h, 600);
	fresh = h_refresh_to_sm7(h, old);
	h_ok(h, fresh, 6000);
	h_ok(h, fresh, 6000); /* a repeat of SM12 is no further message */
	assert_int_equal(ue_sets(h->ue), 2);
	h_advance(h, 629999);
	assert_non_null(h_set(h, old));
	h_advance(h, 1);
	assert_null(h_set(h, old));
	assert_non_null(h_set(h, fresh));
	assert_true(ue_registered(h->ue));
	h_free(h);
}

/* covers: LU-01 */
static void deregistration_wipes_an_unfinished_refresh(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	struct h_sent sm7;
	sa_set_id old, fresh;

	(void)state;
	h_start(h, &c);
	old = h_register(h, 3600);
	fresh = h_refresh_to_sm7(h, old);
	sm7 = *h_last(h);
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	assert_null(h_set(h, fresh));
	assert_int_equal(h_last(h)->flow.set, old);
	h_respond(h, &sm7, fresh, 200, "Expires: 3600\r\n"); /* too late */
	assert_int_equal(h->events[UE_REGISTERED], 1);
	h_respond(h, h_last(h), old, 200, "");
	assert_int_equal(h->events[UE_DEREGISTERED], 1);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

/* covers: SP-22, SP-10, ST-12 */
static void ports_are_spread_and_free(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	unsigned buckets[10] = {0};

	(void)state;
	c.port_min = 1024;
	c.port_max = 65535;
	h_start(h, &c);
	for (unsigned i = 0; i < 1000; i++) {
		sa_set_id id = h_register(h, 3600);
		const struct sa_set *sa = ue_current_set(h->ue);

		buckets[(sa->local_port[SA_CLIENT] - 1024) / 6452]++;
		assert_int_not_equal(sa->local_port[SA_CLIENT], sa->local_port[SA_SERVER]);
		assert_int_equal(ue_deregister(h->ue, h->now), 0);
		h_respond(h, h_last(h), id, 200, "");
		h->n_sent = 0;
	}
	for (unsigned i = 0; i < 10; i++)
		assert_in_range(buckets[i], 50, 150);
	h_free(h);
}

/* covers: ST-12, SP-10, SP-19 */
static void few_ports(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id old, fresh;

	(void)state;
	c.port_min = 5058; /* 5060 and 5061 are not for us: 5058, 5059, 5062, 5063 */
	c.port_max = 5063;
	h_start(h, &c);
	old = h_register(h, 3600);
	for (unsigned i = 0; i < 20; i++) {
		const struct sa_set *sa;
		char branch[32];

		snprintf(branch, sizeof(branch), "z9hG4bKf%u", i);
		fresh = h_refresh_to_sm7(h, old);
		sa = &h_set(h, fresh)->sa;
		for (unsigned p = 0; p < SA_PAIRS; p++)
			assert_true(sa->local_port[p] != 5060 && sa->local_port[p] != 5061);
		assert_int_not_equal(sa->local_port[SA_CLIENT],
				     h_set(h, old)->sa.local_port[SA_CLIENT]);
		h_ok(h, fresh, 3600);
		h_request(h, fresh, "OPTIONS", i, branch);
		h->n_sent = 0;
		old = fresh;
	}
	h_free(h);
	h = h_alloc();
	c = h_conf(h);
	c.port_min = 30000; /* port_us, port_uc and only one more */
	c.port_max = 30002;
	h_start(h, &c);
	old = h_register(h, 3600);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ue_register(h->ue, h->now), 0);
		h_ok(h, old, 3600);
	}
	h_free(h);
	h = h_alloc();
	c = h_conf(h);
	c.port_min = 5060; /* only 5062 is left */
	c.port_max = 5062;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), -EADDRINUSE);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

/* covers: SP-19 */
static void a_released_port_is_not_the_next(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	unsigned long last = 0;
	sa_set_id id;

	(void)state;
	c.port_min = 30000;
	c.port_max = 30003;
	h_start(h, &c);
	id = h_register(h, 3600);
	for (unsigned i = 0; i < 20; i++) {
		unsigned long port;

		assert_int_equal(ue_register(h->ue, h->now), 0);
		port = h_param(h_field(h_last(h)->text, "Security-Client"), "port-c");
		assert_int_not_equal(port, last);
		last = port;
		h_ok(h, id, 3600);
	}
	h_free(h);
}

/* covers: SP-02, ST-12 */
static void spis_differ_from_all_known(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	const char *client;
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	id = h_register(h, 3600);
	h->ignore_avoid = true; /* a generator that gives out the P-CSCF's SPIs */
	h->next_spi = h->spi_p;
	h->reserve_calls = 0;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	client = h_field(h_last(h)->text, "Security-Client");
	assert_int_equal(h->reserve_calls, 2);
	assert_int_equal(h_param(client, "spi-c"), h->sets[1].sa.spi_in[SA_CLIENT]);
	assert_true(h_param(client, "spi-c") > h->spi_p + 1);
	assert_true(h_param(client, "spi-s") > h->spi_p + 1);
	assert_int_equal(h_reserved(h), 2);
	(void)id;
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(challenged_refresh_makes_a_new_set),
		cmocka_unit_test(unchallenged_refresh_gives_the_proposal_back),
		cmocka_unit_test(refresh_before_expiry),
		cmocka_unit_test(temporary_lifetime),
		cmocka_unit_test(lifetime_is_the_longer_one),
		cmocka_unit_test(unrefreshed_registration_ends),
		cmocka_unit_test(change_over_with_pending_transactions),
		cmocka_unit_test(old_outbound_sas_end_first),
		cmocka_unit_test(old_set_ends_by_lifetime),
		cmocka_unit_test(deregistration_wipes_an_unfinished_refresh),
		cmocka_unit_test(ports_are_spread_and_free),
		cmocka_unit_test(few_ports),
		cmocka_unit_test(a_released_port_is_not_the_next),
		cmocka_unit_test(spis_differ_from_all_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
