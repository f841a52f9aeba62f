/* Calls between two UEs through P-CSCF and S-CSCF: dialogs, races, what is left. */
#include "tests/control/flow/net.h"

#define ALICE 0
#define BOB   1

struct story {
	bool answer; /* as soon as it rings */
	char last_text[2][64];
};

static struct story story;

static void on_event(struct net *n, struct net_ue *x, enum ue_event e, struct sv text)
{
	(void)text;
	if (e == UE_CALL_INCOMING && story.answer)
		assert_int_equal(ue_call_accept(x->ue, n->now), 0);
}

static struct net *pair_of(const struct net_setup *setup, bool answer)
{
	struct net *n = net_alloc(setup);

	memset(&story, 0, sizeof(story));
	story.answer = answer;
	n->event = on_event;
	for (unsigned i = 0; i < 3; i++)
		net_register(n, i);
	return n;
}

static struct net *pair(uint8_t ip, bool answer)
{
	return pair_of(&(struct net_setup){.ues = 3, .ip = ip}, answer);
}

static void calls(struct net *n)
{
	assert_int_equal(ue_call(n->ues[ALICE].ue, sv_of(n->ues[BOB].impu), n->now), 0);
	net_run(n, 1);
}

static void assert_states(struct net *n, enum ue_call_state alice, enum ue_call_state bob)
{
	assert_int_equal(ue_call_state(n->ues[ALICE].ue), alice);
	assert_int_equal(ue_call_state(n->ues[BOB].ue), bob);
}

static void nothing_is_left(struct net *n)
{
	assert_states(n, UE_CALL_NONE, UE_CALL_NONE);
	net_run(n, 400000);
	assert_int_equal(net_counters(n).dialogs, 0);
	assert_int_equal(net_counters(n).transactions, 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ue_transactions(n->ues[i].ue), 0);
	net_free(n);
}

static void talk_and_hang_up(uint8_t ip, unsigned who)
{
	struct net *n = pair(ip, true);

	calls(n);
	assert_states(n, UE_CALL_TALKING, UE_CALL_TALKING);
	assert_int_equal(n->ues[ALICE].events[UE_CALL_RINGING], 1);
	assert_int_equal(n->ues[ALICE].events[UE_CALL_ANSWERED], 1);
	assert_int_equal(n->ues[BOB].events[UE_CALL_ANSWERED], 1); /* the ACK came */
	assert_int_equal(net_counters(n).dialogs, 2);		   /* one for each leg */
	net_run(n, 60000);
	assert_int_equal(ue_call_end(n->ues[who].ue, n->now), 0);
	net_run(n, 1);
	assert_int_equal(n->ues[ALICE].events[UE_CALL_ENDED], 1);
	assert_int_equal(n->ues[BOB].events[UE_CALL_ENDED], 1);
	assert_string_equal(n->ues[ALICE].text, "");
	nothing_is_left(n);
}

static void call_is_answered_and_ended(void **state)
{
	(void)state;
	talk_and_hang_up(4, ALICE);
	talk_and_hang_up(6, ALICE);
	talk_and_hang_up(6, BOB);
}

static void call_is_refused(void **state)
{
	struct net *n = pair(4, false);

	(void)state;
	calls(n);
	assert_states(n, UE_CALL_OUTGOING, UE_CALL_INCOMING_RINGING);
	/* bob is busy for others */
	assert_int_equal(ue_call(n->ues[2].ue, sv_of(n->ues[BOB].impu), n->now), 0);
	net_run(n, 1);
	assert_int_equal(n->ues[2].events[UE_CALL_ENDED], 1);
	assert_memory_equal(n->ues[2].text, "486", 3);
	assert_int_equal(ue_call_end(n->ues[BOB].ue, n->now), 0);
	net_run(n, 1);
	assert_memory_equal(n->ues[ALICE].text, "603", 3);
	nothing_is_left(n);
}

static void call_is_cancelled(void **state)
{
	struct net *n = pair(4, false);

	(void)state;
	calls(n);
	assert_int_equal(ue_call_end(n->ues[ALICE].ue, n->now), 0);
	net_run(n, 1);
	assert_memory_equal(n->ues[ALICE].text, "487", 3);
	assert_int_equal(n->ues[BOB].events[UE_CALL_ENDED], 1);
	nothing_is_left(n);
}

/* The callee answers while the CANCEL is on its way: the call stands, and is ended by BYE. */
static void cancel_crosses_the_answer(void **state)
{
	struct net *n = pair(4, false);

	(void)state;
	calls(n);
	assert_int_equal(ue_call_accept(n->ues[BOB].ue, n->now), 0);
	assert_int_equal(ue_call_end(n->ues[ALICE].ue, n->now), 0);
	net_run(n, 1);
	assert_int_equal(n->ues[ALICE].events[UE_CALL_ENDED], 1);
	assert_int_equal(n->ues[BOB].events[UE_CALL_ENDED], 1);
	nothing_is_left(n);
}

static void nobody_is_there(void **state)
{
	struct net *n = pair(4, true);

	(void)state;
	assert_int_equal(ue_call(n->ues[ALICE].ue, SV("sip:nobody@elsewhere.test"), n->now), 0);
	net_run(n, 1);
	assert_memory_equal(n->ues[ALICE].text, "404", 3);
	assert_int_equal(ue_call(n->ues[ALICE].ue, SV("rubbish"), n->now), -EINVAL);
	nothing_is_left(n);
}

/* Each packet of a call is lost once: the call goes on by repeats. */
static unsigned lost_number, seen;

static enum net_fate lose_one(struct net *n, const struct net_packet *k, void *arg)
{
	(void)n;
	(void)k;
	(void)arg;
	return ++seen == lost_number ? NET_DROP : NET_PASS;
}

static void any_packet_may_be_lost(void **state)
{
	(void)state;
	for (lost_number = 1; lost_number <= 24; lost_number++) {
		struct net *n = pair(4, true);

		seen = 0;
		n->fate = lose_one;
		calls(n);
		net_run(n, 40000);
		assert_states(n, UE_CALL_TALKING, UE_CALL_TALKING);
		assert_int_equal(n->ues[ALICE].events[UE_CALL_ANSWERED], 1);
		assert_int_equal(n->ues[BOB].events[UE_CALL_ANSWERED], 1);
		assert_int_equal(ue_call_end(n->ues[ALICE].ue, n->now), 0);
		net_run(n, 40000);
		assert_states(n, UE_CALL_NONE, UE_CALL_NONE);
		nothing_is_left(n);
	}
}

static void calls_end_with_the_registration(void **state)
{
	struct net *n = pair(4, true);

	(void)state;
	calls(n);
	assert_int_equal(ue_deregister(n->ues[ALICE].ue, n->now), 0);
	net_run(n, 1);
	assert_int_equal(ue_call_state(n->ues[ALICE].ue), UE_CALL_NONE);
	assert_int_equal(net_counters(n).dialogs, 1);
	assert_int_equal(ue_call_end(n->ues[BOB].ue, n->now), 0);
	net_run(n, 200000);
	nothing_is_left(n);
}

/* A call that rings while both UEs get new SAs, and are heard on them. */
static struct net *ringing_on_old_sets(void)
{
	struct net *n = pair_of(&(struct net_setup){.ues = 3, .challenge_protected = true}, false);

	calls(n);
	for (unsigned i = 0; i < 2; i++)
		net_register(n, i);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(ue_message(n->ues[i].ue, sv_of(n->ues[2].impu), SV("new"), n->now),
				 0);
	net_run(n, 1);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(n->ues[i].events[UE_MESSAGE_SENT_OK], 1);
	net_run(n, 60000);
	assert_states(n, UE_CALL_OUTGOING, UE_CALL_INCOMING_RINGING);
	assert_int_equal(ue_sets(n->ues[ALICE].ue), 2);
	return n;
}

/* covers: LU-10, LU-11, LU-12 */
static void call_rings_across_a_change_over(void **state)
{
	struct net *n = ringing_on_old_sets();
	unsigned sent;

	(void)state;
	assert_int_equal(ue_call_end(n->ues[ALICE].ue, n->now), 0);
	net_run(n, 1);
	assert_memory_equal(n->ues[ALICE].text, "487", 3);
	assert_int_equal(n->ues[BOB].events[UE_CALL_ENDED], 1);
	nothing_is_left(n);

	n = ringing_on_old_sets();
	assert_int_equal(ue_call_end(n->ues[BOB].ue, n->now), 0);
	net_run(n, 1);
	assert_memory_equal(n->ues[ALICE].text, "603", 3);
	sent = n->sent;
	net_run(n, 60000);
	assert_int_equal(n->sent, sent); /* the ACKs came: nobody repeats anything */
	nothing_is_left(n);

	n = ringing_on_old_sets();
	assert_int_equal(ue_call_accept(n->ues[BOB].ue, n->now), 0);
	net_run(n, 1);
	assert_states(n, UE_CALL_TALKING, UE_CALL_TALKING);
	assert_int_equal(ue_call_end(n->ues[BOB].ue, n->now), 0);
	net_run(n, 1);
	nothing_is_left(n);
}

static enum net_fate lose_all(struct net *n, const struct net_packet *k, void *arg)
{
	(void)n;
	(void)k;
	(void)arg;
	return NET_DROP;
}

/* RFC 3261 9.1: the call ends, and another one may begin, though nobody answers any more. */
static void call_ends_when_nobody_answers(void **state)
{
	struct net *n = pair(4, true);

	(void)state;
	story.answer = false;
	calls(n);
	n->fate = lose_all;
	assert_int_equal(ue_call_end(n->ues[ALICE].ue, n->now), 0);
	net_run(n, 128001);
	assert_int_equal(ue_call_state(n->ues[ALICE].ue), UE_CALL_NONE);
	assert_int_equal(ue_transactions(n->ues[ALICE].ue), 0);
	n->fate = NULL;
	net_run(n, 200000); /* bob's ringing has its end as well */
	story.answer = true;
	calls(n);
	assert_states(n, UE_CALL_TALKING, UE_CALL_TALKING);
	assert_int_equal(ue_call_end(n->ues[ALICE].ue, n->now), 0);
	net_run(n, 1);
	nothing_is_left(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_is_answered_and_ended),
		cmocka_unit_test(call_is_refused),
		cmocka_unit_test(call_is_cancelled),
		cmocka_unit_test(cancel_crosses_the_answer),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(any_packet_may_be_lost),
		cmocka_unit_test(calls_end_with_the_registration),
		cmocka_unit_test(call_rings_across_a_change_over),
		cmocka_unit_test(call_ends_when_nobody_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
