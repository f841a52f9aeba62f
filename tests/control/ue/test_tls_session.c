/* The UE's TLS session once it is registered (TS 33.203 Annex O): kept, lost, replaced. */
#include "tests/control/ue/tls_end.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* covers: TM-01, TM-03 */
static void refresh_takes_the_active_connection(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);

	(void)state;
	tls_register(h, 7);
	h_advance(h, 300 * 1000);
	tls_assert(h_last(h), 7);
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), TLS_VERIFY);
	assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "tls");
	tls_ok(h, 7);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_advance(h, 300 * 1000); /* challenged there (TM-05): with or without a new list */
	tls_respond(h, h_last(h), 7, 401, TLS_CHALLENGE);
	tls_assert(h_last(h), 7);
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), TLS_VERIFY);
	tls_ok(h, 7);
	h_advance(h, 300 * 1000);
	tls_respond(h, h_last(h), 7, 401, TLS_CHALLENGE "Security-Server: tls;q=0.7\r\n");
	tls_assert(h_last(h), 7);
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "tls;q=0.7");
	tls_ok(h, 7);
	assert_int_equal(h->events[UE_REGISTERED], 4);
	assert_int_equal(h->hung_up, 0);
	h_free(h);
}

/* covers: TM-02 */
static void dead_session_is_replaced_through_clear_register(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);
	struct sip_flow f = tls_flow(h, 7), other = tls_flow(h, 6);

	(void)state;
	tls_register(h, 7);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	ue_session_closed(h->ue, &other, NULL, h->now); /* an old one's end says nothing */
	assert_int_equal(h->events[UE_MESSAGE_FAILED], 0);
	ue_session_closed(h->ue, &f, NULL, h->now);
	assert_int_equal(h->events[UE_MESSAGE_FAILED], 1);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), -ENOTCONN);
	h_advance(h, 1000);
	tls_assert_none(h_last(h));
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "");
	assert_null(
		strstr(h_field(h_last(h)->text, "Authorization"), "n1")); /* no answer in clear */
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_ok(h, 8);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	tls_assert(h_last(h), 8);
	h_free(h);
}

/* The stream tells of an end later, when another connection is on its way. covers: TM-02 */
static void late_end_of_the_old_connection(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);
	struct sip_flow old = tls_flow(h, 7);

	(void)state;
	tls_register(h, 7);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	h_advance(h, 129 * 1000);
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_assert(h_last(h), 0);
	assert_int_equal(h->hung_up, 1);
	ue_session_closed(h->ue, &old, NULL, h->now);
	tls_ok(h, 8);
	assert_true(ue_registered(h->ue));
	assert_int_equal(h->events[UE_FAILED], 0);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_free(h);
}

/* covers: TM-02 */
static void silent_session_is_replaced_through_clear_register(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);

	(void)state;
	tls_register(h, 7);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	h_advance(h, 127 * 1000);
	assert_int_equal(h_last(h)->flow.session, 7);
	h_advance(h, 2 * 1000);
	tls_assert_none(h_last(h));
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	assert_int_equal(h->hung_up, 1);
	tls_ok(h, 8);
	assert_true(ue_registered(h->ue));
	h_free(h);
}

/* covers: TM-04 */
static void one_registration_at_a_time(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_assert(h_last(h), 0);
	assert_int_equal(ue_register(h->ue, h->now), -EBUSY);
	h_advance(h, 240 * 1000); /* the temporary lifetime */
	assert_true(h->hung_up >= 1);
	h_free(h);
}

/* covers: TS-10 */
static void what_comes_outside_of_the_connection(void **state)
{
	static const struct {
		uint64_t session; /* 0: in clear */
		const char *method, *more;
		bool taken;
	} cases[] = {
		{7, "MESSAGE", "", true},
		{0, "MESSAGE", "", false},
		{0, "INVITE", "", false},
		{0, "OPTIONS", "", false},
		{9, "MESSAGE", "", false}, /* another connection */
		{0, "MESSAGE", "Priority: emergency\r\n", true},
		{0, "OPTIONS", "Priority: psap-callback\r\n", true},
		{0, "MESSAGE", "Priority: urgent\r\n", false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = tls_start(UE_SECURITY_TLS);
		struct sip_flow from = h_flow(h, 0);
		unsigned sent;

		tls_register(h, 7);
		if (cases[i].session)
			from = tls_flow(h, cases[i].session);
		sent = h->n_sent;
		tls_request(h, &from, cases[i].method, cases[i].more);
		assert_int_equal(h->n_sent, sent + cases[i].taken);
		if (cases[i].taken) { /* answered where it came */
			assert_memory_equal(h_last(h)->text, "SIP/2.0 200", 11);
			assert_int_equal(h_last(h)->flow.session, cases[i].session);
			assert_int_equal(h_last(h)->flow.transport, from.transport);
		}
		h_free(h);
	}
}

/* covers: TS-10, TM-02 */
static void answers_are_taken_where_the_request_went(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);

	(void)state;
	tls_register(h, 7);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	tls_respond(h, h_last(h), 0, 200, "");
	tls_respond(h, h_last(h), 9, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 0);
	tls_respond(h, h_last(h), 7, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 1);
	h_advance(h, 300 * 1000);
	tls_ok(h, 0); /* to the refresh, in clear */
	assert_int_equal(h->events[UE_REGISTERED], 1);
	tls_ok(h, 7);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_free(h);
}

/* covers: DF-04, TE-01 */
static void network_that_does_not_prove_itself(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_respond(h, h_last(h), 5, 200,
		    "Contact: <sip:user1_public1@10.45.0.1>;expires=600\r\n"
		    "Authentication-Info: rspauth=\"00000000000000000000000000000000\"\r\n");
	assert_false(ue_registered(h->ue));
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h->hung_up, 1);
	h_free(h);
}

/* covers: TL-13, DT-08 */
static void messages_and_dialogs_stay_on_the_connection(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);
	const char *route;

	(void)state;
	tls_register(h, 7);
	assert_int_equal(ue_call(h->ue, SV("sip:b@home1.net"), h->now), 0);
	tls_assert(h_last(h), 7);
	assert_non_null(strstr(h_field(h_last(h)->text, "Contact"), ";transport=tls;ob>"));
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), TLS_VERIFY);
	route = h_field(h_last(h)->text, "Route");
	assert_string_equal(
		route, "<sip:10.44.0.1:5061;transport=tls;lr>, <sip:orig@scscf1.home1.net;lr>");
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refresh_takes_the_active_connection),
		cmocka_unit_test(dead_session_is_replaced_through_clear_register),
		cmocka_unit_test(silent_session_is_replaced_through_clear_register),
		cmocka_unit_test(late_end_of_the_old_connection),
		cmocka_unit_test(one_registration_at_a_time),
		cmocka_unit_test(what_comes_outside_of_the_connection),
		cmocka_unit_test(answers_are_taken_where_the_request_went),
		cmocka_unit_test(network_that_does_not_prove_itself),
		cmocka_unit_test(messages_and_dialogs_stay_on_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
