/* How calls end that go wrong: change-over of SAs, a dead P-CSCF, the end of the registration. */
#include "tests/control/ue/registrar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 128000 /* 64 T1 */
#define CONTACT	    "Contact: <sip:b@10.0.0.9>\r\n"

static struct h *start(struct ue_conf *changed)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	if (changed) {
		c.unanswered_max = changed->unanswered_max;
		c.reg_event = changed->reg_event;
	}
	h_start(h, &c);
	return h;
}

static struct h_sent call(struct h *h)
{
	assert_int_equal(ue_call(h->ue, SV("sip:b@home1.net"), h->now), 0);
	assert_memory_equal(h_last(h)->text, "INVITE ", 7);
	return *h_last(h);
}

static struct h_sent call_rings(struct h *h, sa_set_id id)
{
	struct h_sent invite = call(h);

	h_respond(h, &invite, id, 180, CONTACT);
	assert_int_equal(ue_call_state(h->ue), UE_CALL_OUTGOING);
	return invite;
}

static void assert_last(struct h *h, const char *begin, sa_set_id id)
{
	assert_memory_equal(h_last(h)->text, begin, strlen(begin));
	assert_int_equal(h_last(h)->flow.set, id);
}

/* The UE has nothing left of a call and its transactions. */
static void nothing_is_left(struct h *h)
{
	h_advance(h, 2 * PATIENCE_MS);
	assert_int_equal(ue_call_state(h->ue), UE_CALL_NONE);
	assert_int_equal(ue_transactions(h->ue), 0);
	h_free(h);
}

/* ---- while SAs change ----------------------------------------------------------------------- */

/* A call that rings on the old set, while the P-CSCF has gone over to the new one. */
static struct h_sent ring_across(struct h *h, sa_set_id *old)
{
	struct h_sent invite;
	sa_set_id fresh;

	*old = h_register(h, 600000);
	invite = call_rings(h, *old);
	fresh = h_refresh_to_sm7(h, *old);
	h_ok(h, fresh, 600000);
	h_request(h, fresh, "OPTIONS", 2, "z9hG4bKacross");
	assert_false(h_set(h, *old)->closed);
	h->n_sent = 0;
	return invite;
}

/* covers: LU-10, LU-11, LU-12 */
static void cancel_goes_on_the_old_set(void **state)
{
	struct h *h = start(NULL);
	struct h_sent invite;
	sa_set_id old;

	(void)state;
	invite = ring_across(h, &old);
	assert_int_equal(ue_call_end(h->ue, h->now), 0);
	assert_int_equal(h->n_sent, 1);
	assert_last(h, "CANCEL ", old);
	h_respond(h, h_last(h), old, 200, "");
	h_respond(h, &invite, old, 487, "");
	assert_last(h, "ACK ", old);
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	assert_null(h_set(h, old));
	nothing_is_left(h);
}

/* covers: LU-10, LU-11, LU-12 */
static void refusal_is_acknowledged_on_the_old_set(void **state)
{
	struct h *h = start(NULL);
	struct h_sent invite;
	sa_set_id old;

	(void)state;
	invite = ring_across(h, &old);
	h_respond(h, &invite, old, 486, "");
	assert_int_equal(h->n_sent, 1);
	assert_last(h, "ACK ", old);
	assert_memory_equal(h->text, "486", 3);
	assert_null(h_set(h, old));
	nothing_is_left(h);
}

/* What rings on SAs that end will hear nothing more. */
static void call_ends_with_its_set(void **state)
{
	struct h *h = start(NULL);
	sa_set_id old, fresh;

	(void)state;
	old = h_register(h, 600);
	(void)call_rings(h, old);
	fresh = h_refresh_to_sm7(h, old);
	h_ok(h, fresh, 6000);
	h_advance(h, 630000);
	assert_null(h_set(h, old));
	assert_non_null(h_set(h, fresh));
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	assert_int_equal(ue_call_state(h->ue), UE_CALL_NONE);
	assert_int_equal(ue_transactions(h->ue), 0);
	assert_true(ue_registered(h->ue));
	nothing_is_left(h);
}

/* ---- without an answer ---------------------------------------------------------------------- */

/* RFC 3261 9.1 */
static void cancelled_call_ends_without_the_pcscf(void **state)
{
	struct h *h = start(NULL);
	sa_set_id id;

	(void)state;
	id = h_register(h, 600000);
	(void)call_rings(h, id);
	h_advance(h, 60000);
	assert_int_equal(ue_call_end(h->ue, h->now), 0);
	assert_last(h, "CANCEL ", id);
	h_advance(h, 1000);
	assert_int_equal(ue_call_end(h->ue, h->now), 0); /* impatience changes nothing */
	h_advance(h, PATIENCE_MS - 1001);
	assert_int_equal(ue_call_state(h->ue), UE_CALL_OUTGOING);
	h_advance(h, 1);
	assert_int_equal(ue_call_state(h->ue), UE_CALL_NONE);
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	assert_string_equal(h->text, "no answer");
	assert_int_equal(ue_transactions(h->ue), 0);
	(void)call(h);
	nothing_is_left(h);
}

static void answered_cancel_does_not_end_what_follows(void **state)
{
	struct h *h = start(NULL);
	struct h_sent invite;
	sa_set_id id;

	(void)state;
	id = h_register(h, 600000);
	invite = call_rings(h, id);
	assert_int_equal(ue_call_end(h->ue, h->now), 0);
	h_respond(h, &invite, id, 487, "");
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	(void)call_rings(h, id);
	h_advance(h, 2 * PATIENCE_MS);
	assert_int_equal(ue_call_state(h->ue), UE_CALL_OUTGOING); /* it may ring for long */
	assert_int_equal(ue_call_end(h->ue, h->now), 0);
	nothing_is_left(h);
}

/* RFC 3261 15: only the caller may end an early dialog by BYE. */
static void bye_while_it_rings_cancels(void **state)
{
	struct h *h = start(NULL);
	struct sip_flow from;
	struct h_sent invite;
	char text[H_TEXT];
	sa_set_id id;

	(void)state;
	id = h_register(h, 600000);
	from = h_flow(h, id);
	invite = call_rings(h, id);
	snprintf(text, sizeof(text),
		 "BYE sip:user1_public1@10.45.0.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 10.44.0.1:5105;branch=z9hG4bKearly\r\nMax-Forwards: 60\r\n"
		 "From: %s;tag=pcscf1\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 BYE\r\n"
		 "Content-Length: 0\r\n\r\n",
		 h_field(invite.text, "To"), h_field(invite.text, "From"),
		 h_field(invite.text, "Call-ID"));
	h->n_sent = 0;
	h_input(h, &from, text);
	assert_int_equal(h->n_sent, 2);
	assert_memory_equal(h->sent[0].text, "SIP/2.0 200 ", 12);
	assert_last(h, "CANCEL ", id);
	h_respond(h, &invite, id, 487, "");
	assert_last(h, "ACK ", id);
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	nothing_is_left(h);
}

static void ringing_call_ends_with_the_registration(void **state)
{
	struct h *h = start(NULL);
	sa_set_id id;

	(void)state;
	id = h_register(h, 600000);
	(void)call_rings(h, id);
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	h_ok(h, id, 0);
	assert_int_equal(h->events[UE_DEREGISTERED], 1);
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	nothing_is_left(h);
}

/* ---- unanswered requests count --------------------------------------------------------------- */

static struct h *ready(bool reg_event, sa_set_id *id)
{
	struct h *h = start(&(struct ue_conf){.unanswered_max = 1, .reg_event = reg_event});

	*id = h_register(h, 600000);
	h_advance(h, 0); /* SUBSCRIBE */
	return h;
}

static void registers_in_clear(struct h *h, sa_set_id id, const char *unanswered)
{
	assert_last(h, unanswered, id);
	h_advance(h, PATIENCE_MS - 1);
	assert_last(h, unanswered, id);
	h_advance(h, 1);
	assert_last(h, "REGISTER ", 0);
	h_challenge(h, 0, H_AUTN_GOOD);
	id = h_last(h)->flow.set;
	h_ok(h, id, 600000);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	assert_true(ue_registered(h->ue));
	h_free(h);
}

/* covers: LC-04 */
static void unanswered_invite_counts(void **state)
{
	sa_set_id id;
	struct h *h = ready(false, &id);

	(void)state;
	(void)call(h);
	registers_in_clear(h, id, "INVITE ");
}

/* covers: LC-04 */
static void unanswered_cancel_counts(void **state)
{
	sa_set_id id;
	struct h *h = ready(false, &id);

	(void)state;
	(void)call_rings(h, id);
	assert_int_equal(ue_call_end(h->ue, h->now), 0);
	registers_in_clear(h, id, "CANCEL ");
}

/* covers: LC-04 */
static void unanswered_prack_counts(void **state)
{
	sa_set_id id;
	struct h *h = ready(false, &id);
	struct h_sent invite = call(h);

	(void)state;
	h_respond(h, &invite, id, 183, "Require: 100rel\r\nRSeq: 5\r\n" CONTACT);
	registers_in_clear(h, id, "PRACK ");
}

/* covers: LC-04 */
static void unanswered_bye_counts(void **state)
{
	sa_set_id id;
	struct h *h = ready(false, &id);
	struct h_sent invite = call(h);

	(void)state;
	h_respond(h, &invite, id, 200, CONTACT);
	assert_last(h, "ACK ", id);
	assert_int_equal(ue_call_end(h->ue, h->now), 0);
	registers_in_clear(h, id, "BYE ");
}

/* covers: LC-04 */
static void unanswered_subscribe_counts(void **state)
{
	sa_set_id id;
	struct h *h = ready(true, &id);

	(void)state;
	registers_in_clear(h, id, "SUBSCRIBE ");
}

/* ---- in clear ------------------------------------------------------------------------------- */

static struct h *start_in_clear(void)
{
	struct h *h = registrar_start();
	struct registrar_params p;

	registrar_register(h, &p);
	return h;
}

/* RFC 3261 13.2.2.4: whose ACK was lost repeats the 2xx. */
static void repeated_2xx_in_clear_is_acknowledged_again(void **state)
{
	struct h *h = start_in_clear();
	struct h_sent invite = call(h), ack;

	(void)state;
	h_respond(h, &invite, 0, 200, CONTACT);
	assert_last(h, "ACK ", 0);
	ack = *h_last(h);
	for (unsigned i = 0; i < 2; i++) {
		h->n_sent = 0;
		h_advance(h, 20000);
		h_respond(h, &invite, 0, 200, CONTACT);
		assert_int_equal(h->n_sent, 1);
		assert_string_equal(h_last(h)->text, ack.text);
	}
	assert_int_equal(ue_drops(h->ue, UE_DROP_CLEAR), 0);
	assert_int_equal(ue_call_end(h->ue, h->now), 0);
	h_respond(h, h_last(h), 0, 200, "");
	nothing_is_left(h);
}

static void repeated_refusal_in_clear_is_acknowledged_again(void **state)
{
	struct h *h = start_in_clear();
	struct h_sent invite = call(h);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		h->n_sent = 0;
		h_respond(h, &invite, 0, 486, "");
		assert_int_equal(h->n_sent, 1);
		assert_last(h, "ACK ", 0);
	}
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	assert_int_equal(ue_drops(h->ue, UE_DROP_CLEAR), 0);
	nothing_is_left(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cancel_goes_on_the_old_set),
		cmocka_unit_test(refusal_is_acknowledged_on_the_old_set),
		cmocka_unit_test(call_ends_with_its_set),
		cmocka_unit_test(cancelled_call_ends_without_the_pcscf),
		cmocka_unit_test(answered_cancel_does_not_end_what_follows),
		cmocka_unit_test(bye_while_it_rings_cancels),
		cmocka_unit_test(ringing_call_ends_with_the_registration),
		cmocka_unit_test(unanswered_invite_counts),
		cmocka_unit_test(unanswered_cancel_counts),
		cmocka_unit_test(unanswered_prack_counts),
		cmocka_unit_test(unanswered_bye_counts),
		cmocka_unit_test(unanswered_subscribe_counts),
		cmocka_unit_test(repeated_2xx_in_clear_is_acknowledged_again),
		cmocka_unit_test(repeated_refusal_in_clear_is_acknowledged_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
