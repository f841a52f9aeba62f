/* AUTN failures, refusals, silence (TS 33.203 7.3). */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "crypto/digest.h"

/* covers: AK-01, AK-08, ER-06, ER-03, ER-05, D-07 */
static void bad_mac_is_reported_in_clear(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	unsigned long spi, port;
	const char *auth, *client;

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	spi = h_param(h_field(h_last(h)->text, "Security-Client"), "spi-c");
	port = h_param(h_field(h_last(h)->text, "Security-Client"), "port-c");
	h_challenge(h, 0, H_AUTN_BAD_MAC);
	assert_int_equal(h->n_sent, 2);
	assert_int_equal(h_last(h)->flow.set, 0);
	assert_int_equal(h_installed(h), 0);
	auth = h_field(h_last(h)->text, "Authorization");
	assert_non_null(strstr(auth, "response=\"\""));
	assert_null(strstr(auth, "auts"));
	assert_non_null(strstr(auth, "nonce=\""));
	assert_null(strstr(auth, "nonce=\"\""));
	client = h_field(h_last(h)->text, "Security-Client"); /* SP-19: new values */
	assert_int_not_equal(h_param(client, "spi-c"), spi);
	assert_int_not_equal(h_param(client, "port-c"), port);
	assert_int_equal(h_reserved(h), 1);
	h_respond(h, h_last(h), 0, 403, "");
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_memory_equal(h->text, "403", 3);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

static void assert_auts(const struct h *h, const char *auth)
{
	const char *text = strstr(auth, "auts=\"");
	uint8_t auts[14];
	uint64_t sqn_ms = 0;
	size_t n = 0;

	assert_non_null(text);
	text += 6;
	assert_int_equal(sodium_base642bin(auts, sizeof(auts), text, strcspn(text, "\""), NULL, &n,
					   NULL, sodium_base64_VARIANT_ORIGINAL),
			 0);
	assert_int_equal(n, 14);
	assert_int_equal(aka_auts_check(&sqn_ms, &h->key, h->rand, auts), AKA_OK);
	assert_int_equal(sqn_ms, sqn_highest(&h->sqn));
}

static void assert_empty_password(const char *auth)
{
	const char *cnonce = strstr(auth, "cnonce=\"") + 8;
	struct digest_input in = {
		.algorithm = DIGEST_AKAV1_MD5,
		.qop = DIGEST_QOP_AUTH,
		.username = SV("user1_private@home1.net"),
		.realm = SV("home1.net"),
		.nonce = {strstr(auth, " nonce=\"") + 8, 44},
		.uri = SV("sip:home1.net"),
		.method = SV("REGISTER"),
		.nc = SV("00000001"),
		.cnonce = {cnonce, strcspn(cnonce, "\"")},
	};
	char ha1[DIGEST_HEX], response[DIGEST_HEX];

	digest_ha1(ha1, &in, "", 0);
	digest_response(response, &in, ha1);
	assert_non_null(strstr(auth, response));
}

/* covers: AK-04, ER-06, D-07, F05, F27 */
static void old_sqn_is_answered_with_auts(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	struct h_sent *report;

	(void)state;
	for (unsigned i = 0; i < SQN_INDS; i++)
		h->sqn.seq[i] = 5000;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_challenge(h, 0, H_AUTN_OLD);
	assert_int_equal(h->n_sent, 2);
	report = h_last(h);
	assert_int_equal(report->flow.set, 0);
	assert_int_equal(h_installed(h), 0);
	assert_auts(h, h_field(report->text, "Authorization"));
	assert_empty_password(h_field(report->text, "Authorization"));
	/* the network resynchronises; the new challenge is a new SM6, for the SAs that the report
	 * proposed */
	h->sqn_he = sqn_highest(&h->sqn);
	h_challenge(h, 0, H_AUTN_GOOD);
	assert_int_equal(h_installed(h), 1);
	assert_int_equal(h_set(h, h_last(h)->flow.set)->sa.spi_in[SA_CLIENT],
			 h_param(h_field(report->text, "Security-Client"), "spi-c"));
	assert_string_equal(h_field(h_last(h)->text, "Security-Client"),
			    h_field(report->text, "Security-Client"));
	h_ok(h, h_last(h)->flow.set, 3600);
	assert_true(ue_registered(h->ue));
	h_free(h);
}

static void gives_up_after_two_bad_challenges(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_challenge(h, 0, H_AUTN_BAD_MAC);
	h_challenge(h, 0, H_AUTN_BAD_MAC);
	assert_int_equal(h->events[UE_FAILED], 0);
	h_challenge(h, 0, H_AUTN_BAD_MAC);
	assert_int_equal(h->n_sent, 3);
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

/* covers: ER-04, ER-05, ER-06 */
static void autn_failure_of_a_refresh_goes_over_the_old_set(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id old;

	(void)state;
	h_start(h, &c);
	old = h_register(h, 3600);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_challenge(h, old, H_AUTN_BAD_MAC);
	assert_int_equal(h_last(h)->flow.set, old);
	assert_non_null(strstr(h_field(h_last(h)->text, "Authorization"), "response=\"\""));
	h_respond(h, h_last(h), old, 403, "");
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h_reserved(h), 1);
	assert_true(ue_registered(h->ue));
	assert_int_equal(ue_current_set(h->ue)->id, old);
	h_free(h);
}

/* covers: ER-02, ER-03, ER-05 */
static void refused_sm7_of_a_clear_sm1(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id fresh;

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_challenge(h, 0, H_AUTN_GOOD);
	fresh = h_last(h)->flow.set;
	h_respond(h, h_last(h), 0, 403, ""); /* in clear: anybody's */
	assert_int_equal(h->events[UE_FAILED], 0);
	assert_int_equal(ue_drops(h->ue, UE_DROP_CLEAR), 1);
	h_respond(h, h_last(h), fresh, 403, "");
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

/* Not a new SM6: that would be for SAs that nobody proposed. */
/* covers: ER-02, ER-05 */
static void challenge_instead_of_sm12(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_challenge(h, 0, H_AUTN_GOOD);
	h_challenge(h, h_last(h)->flow.set, H_AUTN_GOOD);
	assert_int_equal(h->n_sent, 2);
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

/* covers: ER-02, ER-04, ER-05 */
static void refused_sm7_of_a_protected_sm1(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id old, fresh;

	(void)state;
	h_start(h, &c);
	old = h_register(h, 3600);
	fresh = h_refresh_to_sm7(h, old);
	h_respond(h, h_last(h), fresh, 403, "");
	assert_int_equal(ue_drops(h->ue, UE_DROP_WRONG_SA), 1);
	assert_int_equal(h->events[UE_FAILED], 0);
	assert_int_equal(h_installed(h), 2);
	h_respond(h, h_last(h), old, 403, "");
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h_installed(h), 1);
	assert_int_equal(ue_current_set(h->ue)->id, old);
	assert_true(ue_registered(h->ue));
	h_free(h);
}

/* covers: ER-10, LU-01 */
static void unanswered_sm7_starts_again(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id old, fresh;

	(void)state;
	h_start(h, &c);
	old = h_register(h, 600000);
	fresh = h_refresh_to_sm7(h, old);
	h_advance(h, 127000);
	assert_int_equal(h_last(h)->flow.set, fresh);
	h->n_sent = 0;
	h_advance(h, 1000); /* timer F: 64 * T1 */
	assert_int_equal(h->n_sent, 1);
	assert_int_equal(h_last(h)->flow.set, old);
	assert_null(h_set(h, fresh));
	assert_non_null(strstr(h_field(h_last(h)->text, "Authorization"), "nonce=\"\""));
	assert_int_equal(h->events[UE_FAILED], 0);
	h_challenge(h, old, H_AUTN_GOOD);
	h_ok(h, h_last(h)->flow.set, 3600);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_free(h);
}

/* A UE need not wait that long. */
/* covers: ER-10, LC-04 */
static void impatient_ue_starts_again_sooner(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id fresh;

	(void)state;
	c.patience = 10;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_advance(h, 20000); /* in clear there is nothing better to do than to wait */
	h_challenge(h, 0, H_AUTN_GOOD);
	fresh = h_last(h)->flow.set;
	h_advance(h, 9999);
	assert_int_equal(h_last(h)->flow.set, fresh);
	h->n_sent = 0;
	h_advance(h, 1);
	assert_int_equal(h->n_sent, 1);
	assert_int_equal(h_last(h)->flow.set, 0);
	assert_int_equal(h_installed(h), 0);
	h_challenge(h, 0, H_AUTN_GOOD);
	h_advance(h, 5000);
	h_ok(h, h_last(h)->flow.set, 3600);
	h_advance(h, 20000); /* the timer is off */
	assert_int_equal(h->events[UE_REGISTERED], 1);
	assert_int_equal(h->events[UE_FAILED], 0);
	h_free(h);
}

/* covers: ER-10, F07 */
static void unanswered_first_registration_ends(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(h->events[UE_FAILED], 0);
		assert_int_equal(h_last(h)->flow.set, 0);
		h_challenge(h, 0, H_AUTN_GOOD);
		assert_int_equal(h_installed(h), 1);
		h_advance(h, 128000);
	}
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h_reserved(h), 0);
	h_advance(h, 1000000);
	assert_int_equal(ue_transactions(h->ue), 0);
	h_free(h);
}

/* covers: LC-04, SP-18 */
static void lost_sas_are_replaced_in_clear(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	unsigned long port_us;
	sa_set_id old, fresh;

	(void)state;
	c.unanswered_max = 2;
	h_start(h, &c);
	old = h_register(h, 600000);
	port_us = h_param(h_field(h_last(h)->text, "Security-Client"), "port-s");
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("1"), h->now), 0);
	h_advance(h, 128000);
	assert_int_equal(h->events[UE_MESSAGE_FAILED], 1);
	assert_int_equal(h_last(h)->flow.set, old);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("2"), h->now), 0);
	h->n_sent = 0;
	h_advance(h, 128000);
	assert_int_equal(h->events[UE_MESSAGE_FAILED], 2);
	assert_int_equal(h_last(h)->flow.set, 0);
	assert_memory_equal(h_last(h)->text, "REGISTER", 8);
	assert_int_equal(h_param(h_field(h_last(h)->text, "Security-Client"), "port-s"), port_us);
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "");
	/* LU-06: no service until SM12 */
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("3"), h->now), -ENOTCONN);
	h_challenge(h, 0, H_AUTN_GOOD);
	fresh = h_last(h)->flow.set;
	h_ok(h, fresh, 3600);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	assert_null(h_set(h, old)); /* LP-10 at the other end */
	assert_int_equal(ue_current_set(h->ue)->id, fresh);
	h_free(h);
}

/* Anybody can send a 200 in clear: it must not keep SAs alive. */
/* covers: LU-13 */
static void clear_200_extends_nothing(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id old;

	(void)state;
	c.unanswered_max = 1;
	h_start(h, &c);
	old = h_register(h, 600);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("1"), h->now), 0);
	h_advance(h, 128000);
	assert_int_equal(h_last(h)->flow.set, 0);
	h_ok(h, 0, 600000);
	assert_int_equal(h->events[UE_REGISTERED], 1);
	assert_int_equal(h->events[UE_FAILED], 1);
	h_advance(h, 630000 - 128000);
	assert_null(h_set(h, old));
	h_free(h);
}

static void anything_heard_resets_the_count(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id old;

	(void)state;
	c.unanswered_max = 2;
	h_start(h, &c);
	old = h_register(h, 600000);
	for (unsigned i = 0; i < 3; i++) {
		char branch[32];

		assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("1"), h->now), 0);
		h_advance(h, 128000);
		snprintf(branch, sizeof(branch), "z9hG4bKr%u", i);
		h_request(h, old, "OPTIONS", i + 1, branch);
		h->n_sent = 0;
	}
	assert_int_equal(h->events[UE_MESSAGE_FAILED], 3);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_int_equal(h_last(h)->flow.set, old);
	h_free(h);
}

static void interval_too_brief(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	c.expires = 60;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_respond(h, h_last(h), 0, 423, "Min-Expires: 3600\r\n");
	assert_int_equal(h->n_sent, 2);
	assert_string_equal(h_field(h_last(h)->text, "Expires"), "3600");
	h_respond(h, h_last(h), 0, 423, "Min-Expires: 3600\r\n");
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

struct bad_challenge {
	const char *fields;
};

/* covers: AK-08, ER-09 */
static void useless_challenges(void **state)
{
	static const struct bad_challenge cases[] = {
		{""},
		{"WWW-Authenticate: Digest realm=\"h\", nonce=\"abc\", algorithm=MD5\r\n"},
		{"WWW-Authenticate: Digest realm=\"h\", nonce=\"abc\", algorithm=AKAv1-MD5\r\n"},
		/* RAND and AUTN, but of no algorithm of AKA */
		{"WWW-Authenticate: Digest realm=\"h\", algorithm=MD5, "
		 "nonce=\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\r\n"},
		{"WWW-Authenticate: Basic realm=\"h\"\r\n"},
		{"WWW-Authenticate: \r\n"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = h_alloc();
		struct ue_conf c = h_conf(h);
		char server[2048], fields[4096];

		h_start(h, &c);
		assert_int_equal(ue_register(h->ue, h->now), 0);
		snprintf(fields, sizeof(fields), "%s%s", cases[i].fields,
			 h_server_field(h, server));
		h_respond(h, h_last(h), 0, 401, fields);
		assert_int_equal(h->events[UE_FAILED], 1);
		assert_int_equal(h->n_sent, 1);
		assert_int_equal(h_reserved(h), 0);
		h_free(h);
	}
}

static void the_data_plane_refuses(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	h_start(h, &c);
	h->install_error = -EEXIST;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_challenge(h, 0, H_AUTN_GOOD);
	assert_int_equal(h->n_sent, 1);
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_mac_is_reported_in_clear),
		cmocka_unit_test(old_sqn_is_answered_with_auts),
		cmocka_unit_test(gives_up_after_two_bad_challenges),
		cmocka_unit_test(autn_failure_of_a_refresh_goes_over_the_old_set),
		cmocka_unit_test(refused_sm7_of_a_clear_sm1),
		cmocka_unit_test(challenge_instead_of_sm12),
		cmocka_unit_test(refused_sm7_of_a_protected_sm1),
		cmocka_unit_test(unanswered_sm7_starts_again),
		cmocka_unit_test(impatient_ue_starts_again_sooner),
		cmocka_unit_test(unanswered_first_registration_ends),
		cmocka_unit_test(lost_sas_are_replaced_in_clear),
		cmocka_unit_test(clear_200_extends_nothing),
		cmocka_unit_test(anything_heard_resets_the_count),
		cmocka_unit_test(interval_too_brief),
		cmocka_unit_test(useless_challenges),
		cmocka_unit_test(the_data_plane_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
