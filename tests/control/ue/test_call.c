/* Calls as the UE alone sees them: forks, re-INVITE, what it refuses. */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SDP                                                                                        \
	"v=0\r\no=- 1 1 IN IP4 10.0.0.9\r\ns=-\r\nc=IN IP4 10.0.0.9\r\nt=0 0\r\n"                  \
	"m=video 4000 RTP/AVP 96\r\nm=audio 4002 RTP/AVP 8 0\r\n"

static struct h *h;
static sa_set_id id;

static int setup(void **state)
{
	struct ue_conf c;

	(void)state;
	h = h_alloc();
	c = h_conf(h);
	h_start(h, &c);
	id = h_register(h, 600000);
	h->n_sent = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	h_advance(h, 400000);
	assert_int_equal(ue_call_state(h->ue), UE_CALL_NONE);
	assert_int_equal(ue_transactions(h->ue), 0);
	h_free(h);
	return 0;
}

/* A response to the INVITE from one fork. */
static void answers(const struct h_sent *invite, unsigned status, const char *tag,
		    const char *fields)
{
	char text[H_TEXT], changed[H_TEXT], *to, *end;
	struct sip_flow from = h_flow(h, id);

	h_response_text(text, invite, status, fields);
	to = strstr(text, "\r\nTo: ");
	assert_non_null(to);
	end = strchr(to, '>');
	snprintf(changed, sizeof(changed), "%.*s;tag=%s%s", (int)(end + 1 - text), text, tag,
		 strstr(end, "\r\n"));
	h_input(h, &from, changed);
}

static void asks(const char *method, unsigned cseq, const char *to_tag, const char *fields,
		 const char *body)
{
	struct sip_flow from = h_flow(h, id);
	char text[H_TEXT];
	static unsigned branch;

	snprintf(text, sizeof(text),
		 "%s sip:user1_public1@10.45.0.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 10.44.0.1:5105;branch=z9hG4bKcall%u\r\nMax-Forwards: 60\r\n"
		 "From: <sip:b@home1.net>;tag=far\r\nTo: <sip:user1_public1@home1.net>%s%s\r\n"
		 "Call-ID: incoming\r\nCSeq: %u %s\r\nContact: <sip:b@10.0.0.9>\r\n"
		 "Record-Route: <sip:t@10.44.0.1:5105;lr>, <sip:s.home1.net;lr>\r\n%s"
		 "Content-Length: %zu\r\n\r\n%s",
		 method, branch++, to_tag ? ";tag=" : "", to_tag ? to_tag : "", cseq, method,
		 fields, strlen(body), body);
	h_input(h, &from, text);
}

static const struct h_sent *sent(const char *start)
{
	for (unsigned i = h->n_sent; i-- > 0;)
		if (strncmp(h->sent[i].text, start, strlen(start)) == 0)
			return &h->sent[i];
	fail_msg("nothing sent begins with %s", start);
	return NULL;
}

static void assert_sent(unsigned status)
{
	char start[16];

	snprintf(start, sizeof(start), "SIP/2.0 %u ", status);
	assert_memory_equal(h_last(h)->text, start, strlen(start));
}

/* RFC 3325 9.2, RFC 7315 5.7: which requests say who asks, and where. */
static void assert_identity(const char *start, bool identity, bool access)
{
	const char *text = sent(start)->text;

	assert_int_equal(strlen(h_field(text, "P-Preferred-Identity")) > 0, identity);
	assert_int_equal(strlen(h_field(text, "P-Access-Network-Info")) > 0, access);
}

#define RR "Record-Route: <sip:s.home1.net;lr>, <sip:tok@10.44.0.1:5105;lr>\r\n"

static void forks_each_get_prack_and_ack(void **state)
{
	const struct h_sent *invite;

	(void)state;
	assert_int_equal(ue_call(h->ue, SV("sip:b@home1.net"), h->now), 0);
	assert_int_equal(ue_call(h->ue, SV("sip:c@home1.net"), h->now), -EBUSY);
	invite = sent("INVITE sip:b@home1.net");
	assert_non_null(strstr(invite->text, "\r\n\r\nv=0\r\n"));
	assert_string_equal(h_field(invite->text, "Supported"), "100rel");
	answers(invite, 183, "x", "Require: 100rel\r\nRSeq: 5\r\nContact: <sip:x@10.0.0.7>\r\n" RR);
	assert_memory_equal(h_last(h)->text, "PRACK sip:x@10.0.0.7 ", 21);
	assert_string_equal(h_field(h_last(h)->text, "RAck"), "5 1 INVITE");
	assert_string_equal(h_field(h_last(h)->text, "Route"),
			    "<sip:tok@10.44.0.1:5105;lr>, <sip:s.home1.net;lr>");
	h_respond(h, h_last(h), id, 200, "");
	answers(invite, 180, "y", "Require: 100rel\r\nRSeq: 5\r\nContact: <sip:y@10.0.0.8>\r\n" RR);
	assert_memory_equal(h_last(h)->text, "PRACK sip:y@10.0.0.8 ", 21);
	assert_identity("INVITE ", true, true);
	assert_identity("PRACK ", false, true);
	h_respond(h, h_last(h), id, 200, "");
	assert_int_equal(h->events[UE_CALL_RINGING], 1);
	answers(invite, 200, "x", "Contact: <sip:x@10.0.0.7>\r\n" RR);
	assert_memory_equal(h_last(h)->text, "ACK sip:x@10.0.0.7 ", 19);
	assert_int_equal(ue_call_state(h->ue), UE_CALL_TALKING);
	h->n_sent = 1; /* the INVITE stays */
	answers(invite, 200, "x", "Contact: <sip:x@10.0.0.7>\r\n" RR);
	assert_memory_equal(h_last(h)->text, "ACK sip:x@10.0.0.7 ", 19);
	/* the other one answers as well: ACK and BYE */
	answers(invite, 200, "y", "Contact: <sip:y@10.0.0.8>\r\n" RR);
	assert_non_null(sent("ACK sip:y@10.0.0.8 "));
	assert_non_null(strstr(h_field(sent("BYE sip:y@10.0.0.8 ")->text, "To"), ";tag=y"));
	h_respond(h, h_last(h), id, 200, "");
	assert_int_equal(ue_call_state(h->ue), UE_CALL_TALKING);
	assert_int_equal(ue_call_end(h->ue, h->now), 0);
	assert_memory_equal(h_last(h)->text, "BYE sip:x@10.0.0.7 ", 19);
	assert_identity("ACK ", false, false);
	assert_identity("BYE ", true, true);
	h_respond(h, h_last(h), id, 200, "");
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	assert_string_equal(h->text, "");
}

static void cancel_waits_for_the_first_answer(void **state)
{
	const struct h_sent *invite;

	(void)state;
	assert_int_equal(ue_call(h->ue, SV("sip:b@home1.net"), h->now), 0);
	invite = h_last(h);
	assert_int_equal(ue_call_end(h->ue, h->now), 0);
	assert_int_equal(h->n_sent, 1);
	answers(invite, 180, "x", "");
	assert_memory_equal(h_last(h)->text, "CANCEL sip:b@home1.net ", 23);
	assert_identity("CANCEL ", false, false);
	assert_string_equal(h_field(h_last(h)->text, "Via"), h_field(invite->text, "Via"));
	assert_string_equal(h_field(h_last(h)->text, "CSeq"), "1 CANCEL");
	assert_string_equal(h_field(h_last(h)->text, "Route"), h_field(invite->text, "Route"));
	h_respond(h, h_last(h), id, 200, "");
	answers(invite, 487, "x", "");
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	assert_memory_equal(h_last(h)->text, "ACK ", 4);
}

static void callee_answers_every_request(void **state)
{
	char tag[17];

	(void)state;
	asks("INVITE", 1, NULL, "Supported: 100rel\r\n", SDP);
	assert_sent(180);
	assert_string_equal(h_field(h_last(h)->text, "Require"), "100rel");
	snprintf(tag, sizeof(tag), "%s", strstr(h_field(h_last(h)->text, "To"), ";tag=") + 5);
	assert_int_equal(h->events[UE_CALL_INCOMING], 1);
	asks("PRACK", 2, tag, "RAck: 77777 1 INVITE\r\n", "");
	assert_sent(481);
	asks("PRACK", 3, tag, "RAck: 2 1 INVITE\r\n", "");
	assert_sent(200);
	assert_int_equal(ue_call_accept(h->ue, h->now), 0);
	assert_sent(200);
	/* video is refused, audio taken (RFC 3264 6) */
	assert_non_null(strstr(h_last(h)->text, "m=video 0 RTP/AVP 96\r\nm=audio 49152 RTP/AVP 8"));
	asks("INVITE", 4, tag, "", SDP); /* before the ACK */
	assert_sent(491);
	asks("ACK", 1, tag, "", "");
	assert_int_equal(h->events[UE_CALL_ANSWERED], 1);
	asks("UPDATE", 5, tag, "", "");
	assert_sent(200);
	assert_null(strstr(h_last(h)->text, "v=0"));
	asks("UPDATE", 6, tag, "", SDP);
	assert_sent(200);
	assert_non_null(strstr(h_last(h)->text, "m=audio 49152"));
	asks("UPDATE", 7, tag, "", "no session");
	assert_sent(488);
	asks("INVITE", 8, tag, "", SDP);
	assert_sent(200);
	asks("ACK", 8, tag, "", "");
	asks("UPDATE", 8, tag, "", ""); /* old */
	assert_sent(500);
	asks("BYE", 9, "other", "", "");
	assert_sent(481);
	assert_int_equal(ue_call_state(h->ue), UE_CALL_TALKING);
	asks("BYE", 10, tag, "", "");
	assert_sent(200);
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
	asks("INVITE", 11, tag, "", SDP);
	assert_sent(481);
}

/* 2xx is repeated for 64 T1; then the call ends with BYE (RFC 3261 13.3.1.4). */
static void missing_ack_ends_the_call(void **state)
{
	unsigned n;

	(void)state;
	asks("INVITE", 1, NULL, "", SDP);
	assert_int_equal(ue_call_accept(h->ue, h->now), 0);
	n = h->n_sent;
	h_advance(h, 2000);
	assert_int_equal(h->n_sent, n + 1);
	assert_sent(200);
	h_advance(h, 140000);
	assert_non_null(sent("BYE sip:b@10.0.0.9 "));
	h_respond(h, sent("BYE "), id, 200, "");
	assert_int_equal(h->events[UE_CALL_ENDED], 1);
}

static void sessions_that_cannot_be(void **state)
{
	(void)state;
	asks("INVITE", 1, NULL, "", "v=0\r\nm=video 4000 RTP/AVP 96\r\n");
	assert_sent(488);
	asks("INVITE", 2, NULL, "", "rubbish");
	assert_sent(488);
	assert_int_equal(h->events[UE_CALL_INCOMING], 0);
	assert_int_equal(ue_call_end(h->ue, h->now), -ENOTCONN);
	assert_int_equal(ue_call_accept(h->ue, h->now), -ENOTCONN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(forks_each_get_prack_and_ack, setup, teardown),
		cmocka_unit_test_setup_teardown(cancel_waits_for_the_first_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(callee_answers_every_request, setup, teardown),
		cmocka_unit_test_setup_teardown(missing_ack_ends_the_call, setup, teardown),
		cmocka_unit_test_setup_teardown(sessions_that_cannot_be, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
