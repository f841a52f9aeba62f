/* Which SA may carry which message. */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* covers: SP-21, C-15 */
static void clear_lets_in_only_answers_to_clear_registers(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	struct sip_flow stranger;
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	h_request(h, 0, "MESSAGE", 1, "z9hG4bKa");
	h_request(h, 0, "INVITE", 1, "z9hG4bKb");
	assert_int_equal(ue_drops(h->ue, UE_DROP_CLEAR), 2);
	assert_int_equal(h->n_sent, 0);
	id = h_register(h, 3600);
	h_request(h, 0, "MESSAGE", 2, "z9hG4bKc");
	assert_int_equal(ue_drops(h->ue, UE_DROP_CLEAR), 3);
	assert_int_equal(h->events[UE_MESSAGE_RECEIVED], 0);
	assert_int_equal(ue_register(h->ue, h->now), 0); /* protected */
	h_challenge(h, 0, H_AUTN_GOOD);			 /* 401 in clear */
	assert_int_equal(ue_drops(h->ue, UE_DROP_CLEAR), 4);
	assert_int_equal(h_installed(h), 1);
	h_ok(h, 0, 3600);
	assert_int_equal(h->events[UE_REGISTERED], 1);
	stranger = h_flow(h, 0);
	stranger.remote.addr.b[3] = 99;
	h_input(h, &stranger,
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: 1\r\n"
		"CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(ue_drops(h->ue, UE_DROP_CLEAR), 6);
	(void)id;
	h_free(h);
}

/* covers: LU-03 */
static void sm6_comes_the_way_sm1_went(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id first, second;

	(void)state;
	h_start(h, &c);
	first = h_register(h, 3600);
	/* a restart in clear: SM6 on the old SA does not fit it */
	for (unsigned i = 0; i < 3; i++) {
		if (i == 0)
			assert_int_equal(ue_register(h->ue, h->now), 0);
		h_advance(h, 128000);
	}
	assert_int_equal(h_last(h)->flow.set, 0);
	h_challenge(h, first, H_AUTN_GOOD);
	assert_int_equal(ue_drops(h->ue, UE_DROP_WRONG_SA), 1);
	assert_int_equal(h_installed(h), 1);
	h_challenge(h, 0, H_AUTN_GOOD);
	second = h_last(h)->flow.set;
	assert_int_not_equal(second, 0);
	assert_int_equal(h_installed(h), 2);
	h_free(h);
}

/* covers: ST-13, LU-07, LU-02 */
static void sm12_only_on_the_new_set(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id old, fresh;

	(void)state;
	h_start(h, &c);
	old = h_register(h, 3600);
	fresh = h_refresh_to_sm7(h, old);
	h_ok(h, old, 3600);
	h_ok(h, 0, 3600);
	assert_int_equal(ue_drops(h->ue, UE_DROP_WRONG_SA), 1);
	assert_int_equal(ue_drops(h->ue, UE_DROP_CLEAR), 1);
	assert_int_equal(h->events[UE_REGISTERED], 1);
	assert_int_equal(ue_current_set(h->ue)->id, old);
	h_request(h, fresh, "MESSAGE", 7, "z9hG4bKm"); /* not released yet */
	assert_int_equal(ue_drops(h->ue, UE_DROP_WRONG_SA), 2);
	assert_int_equal(h->events[UE_MESSAGE_RECEIVED], 0);
	h_ok(h, fresh, 3600);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	assert_int_equal(ue_current_set(h->ue)->id, fresh);
	h_free(h);
}

/* covers: ST-13, ST-02, SP-15 */
static void ports_and_addresses_are_the_sets(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	struct sip_flow good, bad;
	static const char text[] = "OPTIONS sip:u@10.45.0.1 SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 10.44.0.1:5105;branch=z9hG4bKo\r\n"
				   "From: <sip:b@home1.net>;tag=1\r\nTo: <sip:u@home1.net>\r\n"
				   "Call-ID: o\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	id = h_register(h, 3600);
	good = h_flow(h, id);
	h->n_sent = 0;
	bad = good;
	bad.local.port++;
	h_input(h, &bad, text);
	bad = good;
	bad.remote.port++;
	h_input(h, &bad, text);
	bad = good;
	bad.remote.addr.b[3]++;
	h_input(h, &bad, text);
	bad = good;
	bad.set = 77;
	h_input(h, &bad, text);
	bad = good; /* port_uc receives nothing over UDP */
	bad.pair = SA_CLIENT;
	bad.local.port = h_set(h, id)->sa.local_port[SA_CLIENT];
	bad.remote.port = h_set(h, id)->sa.remote_port[SA_CLIENT];
	h_input(h, &bad, text);
	bad = good;
	bad.pair = 9;
	h_input(h, &bad, text);
	assert_int_equal(ue_drops(h->ue, UE_DROP_WRONG_SA), 6);
	assert_int_equal(h->n_sent, 0);
	h_input(h, &good, text);
	assert_int_equal(h->n_sent, 1);
	assert_memory_equal(h_last(h)->text, "SIP/2.0 200", 11);
	h_free(h);
}

static void malformed_and_stray(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	struct h_sent forged;
	struct sip_flow from;
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	id = h_register(h, 3600);
	from = h_flow(h, id);
	h_input(h, &from, "");
	h_input(h, &from, "\r\n\r\n");
	h_input(h, &from, "SIP/2.0 200 OK\r\n\r\n");
	assert_int_equal(ue_drops(h->ue, UE_DROP_MALFORMED), 3);
	forged = *h_last(h);
	memcpy(strstr(forged.text, "z9hG4bK") + 7, "00000000", 8);
	h_respond(h, &forged, id, 200, "");
	assert_int_equal(ue_drops(h->ue, UE_DROP_STRAY), 1);
	assert_int_equal(h->events[UE_REGISTERED], 1);
	h_ok(h, id, 3600); /* a repeat of SM12 is absorbed */
	assert_int_equal(ue_drops(h->ue, UE_DROP_STRAY), 1);
	assert_int_equal(h->events[UE_REGISTERED], 1);
	h_free(h);
}

/* Any damage to a challenge ends in an answer or a failure, and never in a leak. */
static void damaged_challenges(void **state)
{
	unsigned seed = 3;

	(void)state;
	for (unsigned i = 0; i < 1500; i++) {
		struct h *h = h_alloc();
		struct ue_conf c = h_conf(h);
		char text[H_TEXT], fields[4096], auth[512], server[2048];
		struct sip_flow from;
		size_t n;

		h_start(h, &c);
		assert_int_equal(ue_register(h->ue, h->now), 0);
		from = h_flow(h, 0);
		snprintf(fields, sizeof(fields), "%s%s", h_challenge_field(h, H_AUTN_GOOD, auth),
			 h_server_field(h, server));
		h_response_text(text, h_last(h), 401, fields);
		n = strlen(text);
		for (unsigned k = 0; k <= i % 4; k++)
			text[(unsigned)rand_r(&seed) % n] = (char)rand_r(&seed);
		if (i % 5 == 0)
			n = (unsigned)rand_r(&seed) % n;
		ue_input(h->ue, &from, (struct sv){text, n}, h->now);
		assert_true(h->events[UE_REGISTERED] == 0 && h->events[UE_FAILED] <= 1);
		if (h->n_sent == 2 && h_last(h)->flow.set)
			h_ok(h, h_last(h)->flow.set, 3600);
		h_free(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clear_lets_in_only_answers_to_clear_registers),
		cmocka_unit_test(sm6_comes_the_way_sm1_went),
		cmocka_unit_test(sm12_only_on_the_new_set),
		cmocka_unit_test(ports_and_addresses_are_the_sets),
		cmocka_unit_test(malformed_and_stray),
		cmocka_unit_test(damaged_challenges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
