/* How calls end that go wrong: change-over of SAs, a dead P-CSCF, the end of the registration. */
#include "tests/control/ue/registrar.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cancel_goes_on_the_old_set),
		cmocka_unit_test(refusal_is_acknowledged_on_the_old_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
