/* The UE's TLS connection (TS 33.203 Annex O): agreed by sec-agree or before SIP, and what goes
 * wrong then. */
#include "tests/control/ue/tls_end.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- set-up ------------------------------------------------------------------------------- */

/* covers: TS-02, TS-04, TS-05, TL-03, DT-03, DT-08 */
static void tls_is_agreed_in_clear_and_then_used(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);
	const char *contact;

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_assert_none(h_last(h));
	assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "tls");
	assert_string_equal(h_field(h_last(h)->text, "Require"), "sec-agree");
	assert_string_equal(h_field(h_last(h)->text, "Proxy-Require"), "sec-agree");
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "");
	contact = h_field(h_last(h)->text, "Contact");
	assert_non_null(strstr(contact, ";transport=tls;ob>;+sip.instance=\"<urn:uuid:"));
	assert_non_null(strstr(contact, ";reg-id=1"));
	assert_non_null(strstr(h_field(h_last(h)->text, "Supported"), "outbound"));
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_assert(h_last(h), 0); /* a new connection */
	assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "tls");
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), TLS_VERIFY);
	assert_string_equal(h_field(h_last(h)->text, "Require"), "sec-agree");
	assert_non_null(strstr(h_field(h_last(h)->text, "Authorization"), "nonce=\"n1\""));
	tls_ok(h, 7);
	assert_true(ue_registered(h->ue));
	assert_int_equal(h->reserve_calls, 0);
	h_free(h);
}

/* covers: DT-01, PO-03 */
static void tls_before_sip_exchanges_the_lists_too(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS_FIRST);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_assert(h_last(h), 0);
	assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "tls");
	tls_respond(h, h_last(h), 3, 401, TLS_CHALLENGE TLS_SERVER);
	tls_assert(h_last(h), 3); /* the same connection */
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), TLS_VERIFY);
	tls_ok(h, 3);
	assert_true(ue_registered(h->ue));
	for (unsigned i = 0; i < h->n_sent; i++)
		assert_int_equal(h->sent[i].flow.transport, SIP_TRANSPORT_TLS);
	h_free(h);
	h = tls_start(UE_SECURITY_TLS_FIRST); /* the lists are not left out */
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_respond(h, h_last(h), 3, 401, TLS_CHALLENGE);
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_non_null(strstr(h->text, "no Security-Server"));
	h_free(h);
	h = tls_start(UE_SECURITY_TLS_FIRST); /* nor is the challenge */
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_ok(h, 3);
	assert_false(ue_registered(h->ue));
	h_free(h);
}

/* covers: PO-01, PO-02, TE-05 */
static void what_is_not_agreed_ends_it(void **state)
{
	static const struct {
		unsigned status;
		const char *fields, *why;
	} cases[] = {
		{401, TLS_CHALLENGE, "no Security-Server"},
		{401, TLS_CHALLENGE "Security-Server: \r\n", "no tls"},
		{401, TLS_CHALLENGE "Security-Server: digest;q=0.5\r\n", "no tls"},
		{401, TLS_CHALLENGE "Security-Server: tls;q=0\r\n", "no tls"},
		{401,
		 TLS_CHALLENGE "Security-Server: ipsec-3gpp;alg=hmac-sha-1-96;spi-c=300;spi-s=301;"
			       "port-c=400;port-s=401\r\n",
		 "no tls"},
		{401, TLS_SERVER, "no Digest challenge"},
		{494, TLS_SERVER, "494"},
		{421, "", "421"},
		{200, TLS_PROOF, "200 without authentication"},
		{403, "", "403"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = tls_start(UE_SECURITY_TLS);
		unsigned sent;

		assert_int_equal(ue_register(h->ue, h->now), 0);
		sent = h->n_sent;
		tls_respond(h, h_last(h), 0, cases[i].status, cases[i].fields);
		assert_int_equal(h->n_sent, sent);
		assert_false(ue_registered(h->ue));
		assert_int_equal(h->events[UE_FAILED], 1);
		assert_non_null(strstr(h->text, cases[i].why));
		h_free(h);
	}
}

/* The lists that both sent are held against each other by the P-CSCF: it must get what came. */
/* covers: PO-02, PO-03 */
static void altered_list_is_sent_back_as_it_came(void **state)
{
	static const char *const lists[] = {
		"tls;q=0.1, "
		"ipsec-3gpp;q=0.9;alg=hmac-md5-96;spi-c=300;spi-s=301;port-c=400;port-s=401",
		"tls",
		"digest;q=0.7, tls ; Q=0.3;x=\"y, z\"",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct h *h = tls_start(UE_SECURITY_TLS);
		char fields[512];

		assert_int_equal(ue_register(h->ue, h->now), 0);
		snprintf(fields, sizeof(fields), TLS_CHALLENGE "Security-Server: %s\r\n", lists[i]);
		tls_respond(h, h_last(h), 0, 401, fields);
		tls_assert(h_last(h), 0);
		assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), lists[i]);
		tls_respond(h, h_last(h), 5, 494, "");
		assert_false(ue_registered(h->ue));
		assert_int_equal(h->events[UE_FAILED], 1);
		h_free(h);
	}
}

/* covers: PO-02 */
static void relaxed_policy_goes_on_with_a_warning(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = tls_conf(h, UE_SECURITY_TLS);

	(void)state;
	c.protect_or_abort = false;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE);
	tls_assert_none(h_last(h));
	tls_ok(h, 0);
	assert_int_equal(h->events[UE_UNPROTECTED], 1);
	assert_true(ue_registered(h->ue));
	h_free(h);
}

/* Who has been protected is not any the less when it comes again in clear. covers: PO-01, PO-02 */
static void relaxed_policy_is_for_the_first_registration(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = tls_conf(h, UE_SECURITY_TLS);
	struct sip_flow f = tls_flow(h, 7);
	unsigned sent;

	(void)state;
	c.protect_or_abort = false;
	h_start(h, &c);
	tls_register(h, 7);
	ue_session_closed(h->ue, &f, NULL, h->now);
	h_advance(h, 1000);
	tls_assert_none(h_last(h));
	sent = h->n_sent;
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE);
	assert_int_equal(h->n_sent, sent);
	assert_int_equal(h->events[UE_UNPROTECTED], 0);
	assert_int_equal(h->events[UE_FAILED], 1);
	h_free(h);
}

/* A list without tls says that the P-CSCF does agree, on other things. covers: PO-01, PO-02 */
static void relaxed_policy_takes_no_other_list(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = tls_conf(h, UE_SECURITY_TLS);

	(void)state;
	c.protect_or_abort = false;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE "Security-Server: digest;q=0.9\r\n");
	assert_int_equal(h->n_sent, 1);
	assert_int_equal(h->events[UE_UNPROTECTED], 0);
	assert_int_equal(h->events[UE_FAILED], 1);
	h_free(h);
}

/* covers: TS-04 */
static void initial_registration_uses_no_old_connection(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);

	(void)state;
	tls_register(h, 7);
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	tls_assert(h_last(h), 7);
	tls_ok(h, 7);
	assert_false(ue_registered(h->ue));
	assert_int_equal(h->hung_up, 1);
	assert_int_equal(h->last_hung_up.session, 7);
	tls_register(h, 8);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	tls_assert(h_last(h), 8);
	h_free(h);
}

/* ---- errors ------------------------------------------------------------------------------- */

/* covers: TE-01, TM-04 */
static void refused_answer_drops_the_connection(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_respond(h, h_last(h), 5, 403, "");
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h->hung_up, 1);
	assert_int_equal(h->last_hung_up.session, 5);
	h_free(h);
}

/* covers: TE-03, DF-09 */
static void stale_nonce_stays_on_the_connection(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_respond(h, h_last(h), 5, 401,
		    "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"n2\", stale=TRUE\r\n");
	tls_assert(h_last(h), 5);
	assert_int_equal(h->hung_up, 0);
	assert_non_null(strstr(h_field(h_last(h)->text, "Authorization"), "nonce=\"n2\""));
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), TLS_VERIFY);
	h_free(h);
}

/* covers: TE-04, TM-04 */
static void sm12_that_does_not_come_makes_a_new_sm1(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = tls_conf(h, UE_SECURITY_TLS);

	(void)state;
	c.patience = 16;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_assert(h_last(h), 0);
	h_advance(h, 16000);
	assert_int_equal(h->hung_up, 1); /* first */
	tls_assert_none(h_last(h));
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "");
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_ok(h, 9);
	assert_true(ue_registered(h->ue));
	h_free(h);
}

/* covers: TE-02, TL-08 */
static void connection_that_cannot_be_made_is_the_reason(void **state)
{
	static const char why[] = "certificate has expired";

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct h *h = tls_start(i == 2 ? UE_SECURITY_TLS_FIRST : UE_SECURITY_TLS);
		struct sip_flow f = tls_flow(h, 0);
		struct h_sent sm7;

		assert_int_equal(ue_register(h->ue, h->now), 0);
		if (i < 2)
			tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
		sm7 = *h_last(h);
		if (i == 0)
			ue_undelivered(h->ue, &f, sv_of(sm7.text), false, h->now);
		else
			ue_session_closed(h->ue, &f, why, h->now);
		assert_int_equal(h->events[UE_FAILED], 1);
		assert_non_null(strstr(h->text, i == 0 ? "TLS" : why));
		assert_string_equal(h_last(h)->text, sm7.text); /* nothing in clear instead */
		h_free(h);
	}
}

static void connection_that_is_refused_at_once(void **state)
{
	struct h *h = tls_start(UE_SECURITY_TLS);
	unsigned sent;

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	sent = h->n_sent;
	h->tls_result = -ECONNREFUSED;
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	h_advance(h, 1);
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h->n_sent, sent);
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_is_agreed_in_clear_and_then_used),
		cmocka_unit_test(tls_before_sip_exchanges_the_lists_too),
		cmocka_unit_test(what_is_not_agreed_ends_it),
		cmocka_unit_test(altered_list_is_sent_back_as_it_came),
		cmocka_unit_test(relaxed_policy_goes_on_with_a_warning),
		cmocka_unit_test(relaxed_policy_is_for_the_first_registration),
		cmocka_unit_test(relaxed_policy_takes_no_other_list),
		cmocka_unit_test(initial_registration_uses_no_old_connection),
		cmocka_unit_test(refused_answer_drops_the_connection),
		cmocka_unit_test(stale_nonce_stays_on_the_connection),
		cmocka_unit_test(sm12_that_does_not_come_makes_a_new_sm1),
		cmocka_unit_test(connection_that_cannot_be_made_is_the_reason),
		cmocka_unit_test(connection_that_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
