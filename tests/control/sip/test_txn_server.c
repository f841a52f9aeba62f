/* RFC 3261 17.2: what a server transaction sends, and when; times of the core unless said. */
#include <errno.h>

#include "tests/control/sip/txn_rig.h"

#define VIA "Via: SIP/2.0/UDP 192.0.2.7:31002;branch=z9hG4bKs1\r\n"
#define REST(method, to)                                                                           \
	"From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>" to "\r\nCall-ID: c\r\nCSeq: 7 " method "\r\n\r\n"
#define INVITE	       "INVITE sip:b@x SIP/2.0\r\n" VIA REST("INVITE", "")
#define ACK	       "ACK sip:b@x SIP/2.0\r\n" VIA REST("ACK", ";tag=t")
#define CANCEL	       "CANCEL sip:b@x SIP/2.0\r\n" VIA REST("CANCEL", "")
#define REGISTER       "REGISTER sip:x SIP/2.0\r\n" VIA REST("REGISTER", "")
#define ANSWER(status) "SIP/2.0 " status " answer\r\n"

static struct sip_server_txn *create(struct rig *r, const struct sip_flow *reply, const char *text)
{
	struct sip_server_txn *s = NULL;
	static struct sip_msg m;

	assert_int_equal(sip_msg_parse(&m, sv_of(text)), 0);
	assert_false(sip_txns_input(r->txns, reply, &m, r->now));
	assert_int_equal(sip_server_create(r->txns, &s, reply, &m, rig_on_gone, r, r->now), 0);
	assert_ptr_equal(sip_server_arg(s), r);
	return s;
}

static void respond(struct rig *r, struct sip_server_txn *s, unsigned status)
{
	char text[32];

	snprintf(text, sizeof(text), "SIP/2.0 %u answer\r\n", status);
	assert_int_equal(sip_server_respond(s, status, sv_of(text), r->now), 0);
}

/* Repeats before an answer vanish, after it they get it again; timer J is 64 T1. */
static void test_non_invite(void **state)
{
	struct sip_server_txn *s;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	s = create(&r, &rig_udp, REGISTER);
	rig_run(&r, 500);
	assert_true(rig_input(&r, &rig_udp, REGISTER));
	assert_int_equal(r.n_sent, 0);
	respond(&r, s, 100);
	assert_true(rig_input(&r, &rig_udp, REGISTER));
	assert_int_equal(r.n_sent, 2);
	rig_assert_sent(&r, 1, 500, ANSWER("100"));
	rig_run(&r, 1000);
	respond(&r, s, 401);
	rig_run(&r, 32999);
	assert_true(rig_input(&r, &rig_udp, REGISTER));
	assert_int_equal(r.n_sent, 4);
	rig_assert_sent(&r, 3, 32999, ANSWER("401"));
	assert_int_equal(sip_txns_retransmissions(r.txns), 2);
	assert_int_equal(r.gone, 0);
	rig_run(&r, 33000);
	assert_int_equal(r.gone, 1);
	assert_false(rig_input(&r, &rig_udp, REGISTER));
	rig_stop(&r);
}

/* covers: F13 */
static void test_repeats_keep_the_flow(void **state)
{
	struct sip_flow other = rig_udp;
	struct sip_server_txn *s;
	struct rig r;

	(void)state;
	other.remote.port = 9999;
	other.set = 0;
	rig_start(&r, SIP_TIMERS_CORE);
	s = create(&r, &rig_udp, REGISTER);
	respond(&r, s, 200);
	assert_true(rig_input(&r, &other, REGISTER));
	assert_int_equal(r.n_sent, 2);
	assert_memory_equal(&r.sent[1].flow, &rig_udp, sizeof(rig_udp));
	rig_run(&r, 40000);
	rig_stop(&r);
}

static void test_final_only_once(void **state)
{
	struct sip_server_txn *s;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	s = create(&r, &rig_udp, REGISTER);
	assert_int_equal(sip_server_respond(s, 99, SV("x"), 0), -EINVAL);
	assert_int_equal(sip_server_respond(s, 700, SV("x"), 0), -EINVAL);
	assert_int_equal(sip_server_respond(s, 200, SV(""), 0), -EINVAL);
	respond(&r, s, 200);
	assert_int_equal(sip_server_respond(s, 500, SV("x"), 0), -EALREADY);
	assert_int_equal(sip_server_respond(s, 100, SV("x"), 0), -EALREADY);
	assert_int_equal(r.n_sent, 1);
	rig_run(&r, 40000);
	rig_stop(&r);
}

/*
 * Over TCP nobody repeats (J is zero), unless the connection ended and the request comes by another
 * one: so it lasts for T4.
 */
static void test_non_invite_reliable(void **state)
{
	struct sip_server_txn *s;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	s = create(&r, &rig_tcp, REGISTER);
	respond(&r, s, 200);
	rig_run(&r, 4999);
	assert_int_equal(r.gone, 0);
	assert_int_equal(r.n_sent, 1);
	assert_true(rig_input(&r, &rig_tcp, REGISTER));
	assert_int_equal(r.n_sent, 2);
	rig_run(&r, 5000);
	assert_int_equal(r.gone, 1);
	rig_stop(&r);
}

/* The client has gone over to UDP, and its timer E repeats until its timer F. */
static void test_non_invite_repeated_over_udp(void **state)
{
	struct sip_server_txn *s;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	s = create(&r, &rig_tcp, REGISTER);
	respond(&r, s, 200);
	for (unsigned i = 1; i <= 7; i++) {
		rig_run(&r, i * 4000);
		assert_true(rig_input(&r, &rig_udp, REGISTER));
	}
	assert_int_equal(r.n_sent, 8);
	rig_run(&r, 35999);
	assert_int_equal(r.gone, 0);
	rig_run(&r, 36000); /* 32 s after the first of them, however many there were */
	assert_int_equal(r.gone, 1);
	rig_stop(&r);
}

/* 17.2.1: a 100 within 200 ms, unless the user was quicker */
static void test_trying(void **state)
{
	struct sip_server_txn *s;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	s = create(&r, &rig_udp, INVITE);
	rig_run(&r, 199);
	assert_int_equal(r.n_sent, 0);
	rig_run(&r, 1000);
	assert_int_equal(r.n_sent, 1);
	rig_assert_sent(
		&r, 0, 200,
		"SIP/2.0 100 Trying\r\n" VIA
		"From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n");
	assert_true(rig_input(&r, &rig_udp, INVITE));
	rig_assert_sent(&r, 1, 1000, "SIP/2.0 100 Trying\r\n");
	respond(&r, s, 200);
	rig_run(&r, 40000);
	assert_int_equal(r.n_sent, 3);

	s = create(&r, &rig_udp, INVITE);
	rig_run(&r, 40100);
	respond(&r, s, 180);
	rig_run(&r, 41000);
	assert_int_equal(r.n_sent, 4);
	respond(&r, s, 200);
	rig_run(&r, 80000);
	rig_stop(&r);
}

/* Timers G (T1, doubled up to T2) and H (64 T1): no ACK comes. */
static void test_invite_refused_no_ack(void **state)
{
	static const uint64_t at[] = {0,     500,   1500,  3500,  7500, 11500,
				      15500, 19500, 23500, 27500, 31500};
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	respond(&r, create(&r, &rig_udp, INVITE), 486);
	rig_run(&r, 31999);
	assert_int_equal(r.n_sent, N_OF(at));
	for (unsigned i = 0; i < N_OF(at); i++) {
		rig_assert_sent(&r, i, at[i], ANSWER("486"));
		assert_memory_equal(&r.sent[i].flow, &rig_udp, sizeof(rig_udp));
	}
	assert_int_equal(r.gone, 0);
	rig_run(&r, 32000);
	assert_int_equal(r.gone, 1);
	rig_stop(&r);
}

/* Timer I: after the ACK, T4 of taking in more of them. */
static void test_invite_refused(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	respond(&r, create(&r, &rig_udp, INVITE), 486);
	rig_run(&r, 600);
	assert_true(rig_input(&r, &rig_udp, INVITE)); /* the request again: the response again */
	assert_int_equal(r.n_sent, 3);
	assert_true(rig_input(&r, &rig_udp, ACK));
	rig_run(&r, 5599);
	assert_true(rig_input(&r, &rig_udp, ACK));
	assert_true(rig_input(&r, &rig_udp, INVITE));
	assert_int_equal(r.n_sent, 3);
	assert_int_equal(r.gone, 0);
	rig_run(&r, 5600);
	assert_int_equal(r.gone, 1);
	assert_false(rig_input(&r, &rig_udp, ACK));
	rig_stop(&r);
}

static void test_invite_refused_reliable(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	respond(&r, create(&r, &rig_tcp, INVITE), 486);
	rig_run(&r, 31999);
	assert_int_equal(r.n_sent, 1);
	assert_int_equal(r.gone, 0); /* timer H runs here too */
	assert_true(rig_input(&r, &rig_tcp, ACK));
	rig_run(&r, 31999);
	assert_int_equal(r.gone, 1);
	rig_stop(&r);
}

/* RFC 6026 7.1: Accepted, timer L. The core repeats the 2xx and gets its ACK. */
static void test_invite_accepted(void **state)
{
	struct sip_server_txn *s;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	s = create(&r, &rig_udp, INVITE);
	respond(&r, s, 200);
	rig_run(&r, 1000);
	assert_true(rig_input(&r, &rig_udp, INVITE)); /* taken in without an answer */
	assert_int_equal(r.n_sent, 1);
	respond(&r, s, 200);
	assert_int_equal(r.n_sent, 2);
	assert_int_equal(sip_server_respond(s, 486, SV("x"), r.now), -EALREADY);
	assert_false(rig_input(&r, &rig_udp, ACK));
	rig_run(&r, 31999);
	assert_int_equal(r.gone, 0);
	rig_run(&r, 32000);
	assert_int_equal(r.gone, 1);
	assert_int_equal(r.n_sent, 2);
	rig_stop(&r);
}

/* 9.2: the CANCEL is a transaction of its own that leads to the INVITE's. */
static void test_cancel(void **state)
{
	static struct sip_msg m;
	struct sip_server_txn *invite, *cancel;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	invite = create(&r, &rig_udp, INVITE);
	cancel = create(&r, &rig_udp, CANCEL);
	assert_int_equal(sip_msg_parse(&m, SV(CANCEL)), 0);
	assert_ptr_equal(sip_server_find(r.txns, &m, SIP_INVITE), invite);
	assert_ptr_equal(sip_server_find(r.txns, &m, SIP_CANCEL), cancel);
	assert_null(sip_server_find(r.txns, &m, SIP_BYE));
	respond(&r, cancel, 200);
	respond(&r, invite, 487);
	assert_true(rig_input(&r, &rig_udp, ACK));
	rig_run(&r, 40000);
	assert_int_equal(r.gone, 2);
	assert_null(sip_server_find(r.txns, &m, SIP_INVITE));
	rig_stop(&r);
}

/* 17.2.3: branch, sent-by and method; else, with an old branch, the rest of the message. */
static void test_matching(void **state)
{
	static const char *const others[] = {
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP "
		"192.0.2.7:31002;branch=z9hG4bKs2\r\n" REST("INVITE", ""),
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP "
		"192.0.2.7:31003;branch=z9hG4bKs1\r\n" REST("INVITE", ""),
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP "
		"192.0.2.8:31002;branch=z9hG4bKs1\r\n" REST("INVITE", ""),
		"OPTIONS sip:b@x SIP/2.0\r\n" VIA REST("OPTIONS", ""),
		/* of RFC 2543, and the empty one of RFC 4475 3.2.1 */
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=1\r\n" REST("INVITE", ""),
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n" REST("INVITE", ""),
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK\r\n" REST("INVITE",
										       ""),
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
		"From: <sip:a@x>;tag=g\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n\r\n",
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
		"From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: d\r\nCSeq: 7 INVITE\r\n\r\n",
		"INVITE sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
		"From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 8 INVITE\r\n\r\n",
	};
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	respond(&r, create(&r, &rig_udp, INVITE), 486);
	for (size_t i = 0; i < N_OF(others); i++)
		respond(&r, create(&r, &rig_udp, others[i]), 486);
	assert_int_equal(sip_txns_count(r.txns), N_OF(others) + 1);
	for (size_t i = 0; i < N_OF(others); i++)
		assert_true(rig_input(&r, &rig_udp, others[i]));
	/* the ACK of RFC 2543: only its To has a tag more */
	assert_true(
		rig_input(&r, &rig_udp,
			  "ACK sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n" REST("ACK", ";tag=t")));
	sip_txns_free(r.txns);
	assert_int_equal(r.gone, N_OF(others) + 1);
	assert_int_equal(timers_count(r.timers), 0);
	timers_free(r.timers);
}

static void test_create_refused(void **state)
{
	static struct sip_msg m;
	struct sip_server_txn *s;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	assert_int_equal(sip_msg_parse(&m, SV(ACK)), 0);
	assert_int_equal(sip_server_create(r.txns, &s, &rig_udp, &m, NULL, NULL, 0), -EINVAL);
	assert_false(rig_input(&r, &rig_udp, ACK)); /* to nothing: the core's */
	s = create(&r, &rig_udp, REGISTER);
	respond(&r, s, 200);
	assert_int_equal(sip_msg_parse(&m, SV(REGISTER)), 0);
	assert_int_equal(sip_server_create(r.txns, &s, &rig_udp, &m, NULL, NULL, 0), -EEXIST);
	rig_run(&r, 40000);
	assert_int_equal(r.gone, 1);
	rig_stop(&r);
}

/* As many as come; all of them end, and nothing is left. */
static void test_many(void **state)
{
	struct sip_server_txn *s;
	static struct sip_msg m;
	char text[300];
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_ACCESS);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text),
			 "REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%u\r\n%s", i,
			 REST("REGISTER", ""));
		assert_int_equal(sip_msg_parse(&m, sv_of(text)), 0);
		assert_int_equal(sip_server_create(r.txns, &s, &rig_tcp, &m, rig_on_gone, &r, i),
				 0);
		assert_int_equal(sip_server_respond(s, 200, SV("x"), i), 0);
		r.n_sent = 0;
	}
	assert_int_equal(sip_txns_count(r.txns), 20000);
	rig_run(&r, 40000);
	assert_int_equal(r.gone, 20000);
	rig_stop(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_non_invite),
		cmocka_unit_test(test_repeats_keep_the_flow),
		cmocka_unit_test(test_final_only_once),
		cmocka_unit_test(test_non_invite_reliable),
		cmocka_unit_test(test_non_invite_repeated_over_udp),
		cmocka_unit_test(test_trying),
		cmocka_unit_test(test_invite_refused_no_ack),
		cmocka_unit_test(test_invite_refused),
		cmocka_unit_test(test_invite_refused_reliable),
		cmocka_unit_test(test_invite_accepted),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_matching),
		cmocka_unit_test(test_create_refused),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
