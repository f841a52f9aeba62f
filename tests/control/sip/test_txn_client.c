/* RFC 3261 17.1: what a client transaction sends, and when; times of the core unless said. */
#include <errno.h>

#include "tests/control/sip/txn_rig.h"

#define HEAD(method)                                                                               \
	"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKc1;rport\r\n"                               \
	"From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 7 " method "\r\n"
#define INVITE                                                                                     \
	"INVITE sip:b@x SIP/2.0\r\n" HEAD("INVITE") "Route: <sip:p;lr>\r\nRoute: "                 \
						    "<sip:q;lr>\r\nContent-Length: 4\r\n\r\nv=0\n"
#define OPTIONS "OPTIONS sip:b@x SIP/2.0\r\n" HEAD("OPTIONS") "\r\n"
#define ANSWER(status, method)                                                                     \
	"SIP/2.0 " status " x\r\nVia: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKc1\r\n"             \
	"From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>;tag=t\r\nCall-ID: c\r\nCSeq: 7 " method "\r\n\r\n"

static struct sip_client_txn *create(struct rig *r, const struct sip_flow *flow, const char *text)
{
	struct sip_client_txn *c = NULL;

	assert_int_equal(
		sip_client_create(r->txns, &c, flow, sv_of(text), rig_on_response, r, r->now), 0);
	assert_non_null(c);
	return c;
}

/* Timers E and F: T1, doubled up to T2; given up after 64 T1. */
static void test_non_invite_unanswered(void **state)
{
	static const uint64_t at[] = {0,     500,   1500,  3500,  7500, 11500,
				      15500, 19500, 23500, 27500, 31500};
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_udp, OPTIONS);
	rig_run(&r, 31999);
	assert_int_equal(r.timeouts, 0);
	assert_int_equal(r.n_sent, N_OF(at));
	for (unsigned i = 0; i < N_OF(at); i++)
		rig_assert_sent(&r, i, at[i], OPTIONS);
	assert_int_equal(sip_txns_retransmissions(r.txns), N_OF(at) - 1);
	rig_run(&r, 32000);
	assert_int_equal(r.timeouts, 1);
	rig_stop(&r);
}

/* The values between UE and P-CSCF (TS 24.229 7.7): the same machine, four times slower. */
static void test_access_timers(void **state)
{
	static const uint64_t at[] = {0,     2000,  6000,  14000,  30000, 46000,
				      62000, 78000, 94000, 110000, 126000};
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_ACCESS);
	create(&r, &rig_udp, OPTIONS);
	rig_run(&r, 127999);
	assert_int_equal(r.n_sent, N_OF(at));
	for (unsigned i = 0; i < N_OF(at); i++)
		rig_assert_sent(&r, i, at[i], OPTIONS);
	rig_run(&r, 128000);
	assert_int_equal(r.timeouts, 1);
	rig_stop(&r);
}

/* covers: F13 */
static void test_repeats_keep_the_flow(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_udp, OPTIONS);
	rig_run(&r, 4000);
	assert_int_equal(r.n_sent, 4);
	for (unsigned i = 0; i < r.n_sent; i++)
		assert_memory_equal(&r.sent[i].flow, &rig_udp, sizeof(rig_udp));
	rig_run(&r, 40000);
	rig_stop(&r);
}

/* In Proceeding E runs on at T2; Completed lasts T4 and takes repeated answers in. */
static void test_non_invite_answered(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_udp, OPTIONS);
	rig_run(&r, 100);
	assert_true(rig_input(&r, &rig_udp, ANSWER("100", "OPTIONS")));
	rig_run(&r, 9000);
	assert_int_equal(r.n_sent, 4);
	rig_assert_sent(&r, 1, 500, OPTIONS);
	rig_assert_sent(&r, 2, 4500, OPTIONS);
	rig_assert_sent(&r, 3, 8500, OPTIONS);
	assert_true(rig_input(&r, &rig_udp, ANSWER("200", "OPTIONS")));
	assert_int_equal(r.responses, 2);
	assert_int_equal(r.last_status, 200);
	rig_run(&r, 13999);
	assert_true(rig_input(&r, &rig_udp, ANSWER("200", "OPTIONS")));
	assert_true(rig_input(&r, &rig_udp, ANSWER("100", "OPTIONS")));
	assert_int_equal(r.responses, 2); /* the handler hears one final response */
	assert_int_equal(sip_txns_count(r.txns), 1);
	rig_run(&r, 14000);
	assert_int_equal(sip_txns_count(r.txns), 0);
	assert_false(rig_input(&r, &rig_udp, ANSWER("200", "OPTIONS")));
	assert_int_equal(r.n_sent, 4);
	assert_int_equal(r.timeouts, 0);
	rig_stop(&r);
}

/* Over TCP nothing is repeated; but it gives up all the same, and does not linger. */
static void test_reliable(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_tcp, OPTIONS);
	rig_run(&r, 32000);
	assert_int_equal(r.timeouts, 1);
	create(&r, &rig_tcp, OPTIONS);
	assert_true(rig_input(&r, &rig_tcp, ANSWER("200", "OPTIONS")));
	rig_run(&r, r.now);
	assert_int_equal(sip_txns_count(r.txns), 0);
	assert_int_equal(r.n_sent, 2);
	create(&r, &rig_tcp, INVITE);
	assert_true(rig_input(&r, &rig_tcp, ANSWER("486", "INVITE")));
	rig_run(&r, r.now);
	assert_int_equal(sip_txns_count(r.txns), 0);
	assert_int_equal(r.n_sent, 4);
	rig_assert_sent(&r, 3, r.now, "ACK sip:b@x SIP/2.0\r\n");
	assert_int_equal(sip_txns_retransmissions(r.txns), 0);
	rig_stop(&r);
}

/* Timers A and B: doubled without end until 64 T1. */
static void test_invite_unanswered(void **state)
{
	static const uint64_t at[] = {0, 500, 1500, 3500, 7500, 15500, 31500};
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_udp, INVITE);
	rig_run(&r, 31999);
	assert_int_equal(r.n_sent, N_OF(at));
	for (unsigned i = 0; i < N_OF(at); i++)
		rig_assert_sent(&r, i, at[i], INVITE);
	assert_int_equal(r.timeouts, 0);
	rig_run(&r, 32000);
	assert_int_equal(r.timeouts, 1);
	rig_stop(&r);
}

/* A provisional response ends A and B: the called user may take hours. */
static void test_invite_ringing(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_udp, INVITE);
	rig_run(&r, 600);
	assert_true(rig_input(&r, &rig_udp, ANSWER("180", "INVITE")));
	rig_run(&r, 7200000);
	assert_int_equal(r.n_sent, 2);
	assert_int_equal(r.timeouts, 0);
	assert_true(rig_input(&r, &rig_udp, ANSWER("183", "INVITE")));
	assert_int_equal(r.responses, 2);
	assert_true(rig_input(&r, &rig_udp, ANSWER("200", "INVITE")));
	assert_int_equal(r.responses, 3);
	rig_run(&r, 7300000);
	rig_stop(&r);
}

/* 17.1.1.3, timer D (64 T1): the ACK is made here, and again for each repeat of the response. */
static void test_invite_refused(void **state)
{
	static const char ack[] = "ACK sip:b@x SIP/2.0\r\n"
				  "Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKc1;rport\r\n"
				  "Max-Forwards: 70\r\n"
				  "Route: <sip:p;lr>\r\nRoute: <sip:q;lr>\r\n"
				  "From: <sip:a@x>;tag=f\r\nTo: <sip:b@x>;tag=t\r\nCall-ID: c\r\n"
				  "CSeq: 7 ACK\r\nContent-Length: 0\r\n\r\n";
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_udp, INVITE);
	rig_run(&r, 100);
	assert_true(rig_input(&r, &rig_udp, ANSWER("486", "INVITE")));
	assert_int_equal(r.n_sent, 2);
	assert_string_equal(r.sent[1].text, ack);
	rig_run(&r, 32099);
	assert_true(rig_input(&r, &rig_udp, ANSWER("486", "INVITE")));
	assert_true(rig_input(&r, &rig_udp, ANSWER("180", "INVITE")));
	assert_int_equal(r.n_sent, 3);
	assert_string_equal(r.sent[2].text, ack);
	assert_memory_equal(&r.sent[2].flow, &rig_udp, sizeof(rig_udp));
	assert_int_equal(r.responses, 1);
	rig_run(&r, 32100);
	assert_false(rig_input(&r, &rig_udp, ANSWER("486", "INVITE")));
	assert_int_equal(r.timeouts, 0);
	rig_stop(&r);
}

/* RFC 6026: Accepted for 64 T1 (timer M). A 2xx again is for the core, which repeats its ACK. */
static void test_invite_accepted(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_udp, INVITE);
	assert_true(rig_input(&r, &rig_udp, ANSWER("200", "INVITE")));
	assert_int_equal(r.last_status, 200);
	assert_int_equal(r.n_sent, 1);
	rig_run(&r, 31999);
	assert_false(rig_input(&r, &rig_udp, ANSWER("200", "INVITE")));
	assert_true(rig_input(&r, &rig_udp, ANSWER("180", "INVITE")));
	assert_true(rig_input(&r, &rig_udp, ANSWER("486", "INVITE")));
	assert_int_equal(r.responses, 1);
	assert_int_equal(sip_txns_count(r.txns), 1);
	rig_run(&r, 32000);
	rig_stop(&r);
}

/* A response is matched by branch and by the method of its CSeq (17.1.3). */
static void test_matching(void **state)
{
	struct sip_flow clear = rig_udp;
	struct rig r;

	(void)state;
	clear.set = 0;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_udp, INVITE);
	assert_false(rig_input(&r, &rig_udp, ANSWER("200", "CANCEL")));
	assert_false(rig_input(&r, &rig_udp,
			       "SIP/2.0 200 x\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKc2\r\nFrom: "
			       "sip:a\r\nTo: sip:b\r\n"
			       "Call-ID: c\r\nCSeq: 7 INVITE\r\n\r\n"));
	/* what went out through an SA is not answered in clear */
	assert_false(rig_input(&r, &clear, ANSWER("200", "INVITE")));
	assert_int_equal(r.responses, 0);
	/* a CANCEL has the branch of its INVITE and is a transaction of its own */
	create(&r, &rig_udp, "CANCEL sip:b@x SIP/2.0\r\n" HEAD("CANCEL") "\r\n");
	assert_int_equal(sip_txns_count(r.txns), 2);
	assert_true(rig_input(&r, &rig_udp, ANSWER("200", "CANCEL")));
	assert_true(rig_input(&r, &rig_udp, ANSWER("487", "INVITE")));
	assert_int_equal(r.last_status, 487);
	rig_run(&r, 40000);
	rig_stop(&r);
}

static void test_cancel_forgets(void **state)
{
	struct sip_client_txn *c;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	c = create(&r, &rig_udp, OPTIONS);
	sip_client_cancel(c);
	assert_false(rig_input(&r, &rig_udp, ANSWER("200", "OPTIONS")));
	rig_run(&r, 40000);
	assert_int_equal(r.n_sent, 1);
	assert_int_equal(r.responses + r.timeouts, 0);
	rig_stop(&r);
}

static void test_refused(void **state)
{
	struct sip_client_txn *c;
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	assert_int_equal(
		sip_client_create(r.txns, &c, &rig_udp, SV("no SIP"), rig_on_response, &r, 0),
		-EINVAL);
	assert_int_equal(sip_client_create(r.txns, &c, &rig_udp,
					   SV("ACK sip:b@x SIP/2.0\r\n" HEAD("ACK") "\r\n"),
					   rig_on_response, &r, 0),
			 -EINVAL);
	assert_int_equal(sip_client_create(r.txns, &c, &rig_udp, SV(ANSWER("200", "INVITE")),
					   rig_on_response, &r, 0),
			 -EINVAL);
	create(&r, &rig_udp, OPTIONS);
	assert_int_equal(
		sip_client_create(r.txns, &c, &rig_udp, SV(OPTIONS), rig_on_response, &r, 0),
		-EEXIST);
	assert_int_equal(r.n_sent, 1);
	rig_run(&r, 40000);
	rig_stop(&r);
}

/* Freed with transactions of every state alive: no handler is called, nothing leaks (leak
 * sanitizer). */
static void test_free_with_live_ones(void **state)
{
	struct rig r;

	(void)state;
	rig_start(&r, SIP_TIMERS_CORE);
	create(&r, &rig_udp, OPTIONS);
	create(&r, &rig_udp, INVITE);
	assert_true(rig_input(&r, &rig_udp, ANSWER("486", "INVITE")));
	sip_txns_free(r.txns);
	assert_int_equal(timers_count(r.timers), 0);
	timers_free(r.timers);
	assert_int_equal(r.responses, 1);
}

static void test_branch(void **state)
{
	char a[SIP_BRANCH_LEN], b[SIP_BRANCH_LEN], t[6] = "zzzzz";

	(void)state;
	sip_branch(a);
	sip_branch(b);
	assert_int_equal(strlen(a), SIP_BRANCH_LEN - 1);
	assert_memory_equal(a, "z9hG4bK", 7);
	assert_int_equal(strspn(a + 7, "0123456789abcdef"), 24);
	assert_string_not_equal(a, b);
	sip_token(t, 5);
	assert_int_equal(strspn(t, "0123456789abcdef"), 4);
	assert_int_equal(t[4], 0);
	sip_token(t, 1);
	assert_string_equal(t, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_non_invite_unanswered),
		cmocka_unit_test(test_access_timers),
		cmocka_unit_test(test_repeats_keep_the_flow),
		cmocka_unit_test(test_non_invite_answered),
		cmocka_unit_test(test_reliable),
		cmocka_unit_test(test_invite_unanswered),
		cmocka_unit_test(test_invite_ringing),
		cmocka_unit_test(test_invite_refused),
		cmocka_unit_test(test_invite_accepted),
		cmocka_unit_test(test_matching),
		cmocka_unit_test(test_cancel_forgets),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_free_with_live_ones),
		cmocka_unit_test(test_branch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
