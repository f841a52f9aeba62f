/* A plain SIP program behind the UE: what passes, how it changes, and back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/control/ue/harness.h"

static const char invite[] =
	"INVITE sip:b@127.0.0.1:5070 SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-1-0\r\n"
	"From: <sip:sipp@127.0.0.1:5061>;tag=1\r\nTo: <sip:b@127.0.0.1:5070>\r\n"
	"Call-ID: 1-7@127.0.0.1\r\nCSeq: 1 INVITE\r\nContact: sip:sipp@127.0.0.1:5061\r\n"
	"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n";

static struct h *start(sa_set_id *id)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	assert_int_equal(ip_addr_parse(&c.behind.addr, "127.0.0.1"), 0);
	c.behind.port = 5070;
	h_start(h, &c);
	if (id)
		*id = h_register(h, 3600);
	return h;
}

static int pass(struct h *h, const char *text)
{
	return ue_pass(h->ue, sv_of(text), h->now);
}

/* covers: SU-08, SP-15 */
static void request_out(void **state)
{
	sa_set_id id;
	struct h *h = start(&id);
	const struct sa_set *set = ue_current_set(h->ue);
	const char *text;
	char expected[128];

	(void)state;
	assert_int_equal(pass(h, invite), 0);
	text = h_last(h)->text;
	assert_memory_equal(text, "INVITE sip:b@home1.net SIP/2.0\r\n", 32);
	assert_int_equal(h_last(h)->flow.set, id);
	assert_int_equal(h_last(h)->flow.pair, SA_CLIENT);
	snprintf(expected, sizeof(expected), "SIP/2.0/UDP 10.45.0.1:%u;branch=z9hG4bKgw",
		 set->local_port[SA_SERVER]);
	assert_memory_equal(h_field(text, "Via"), expected, strlen(expected));
	assert_non_null(strstr(text, "Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-1-0\r\n"));
	assert_string_equal(h_field(text, "Route"),
			    "<sip:10.44.0.1:5105;lr>, <sip:orig@scscf1.home1.net;lr>");
	assert_string_equal(h_field(text, "P-Preferred-Identity"), "<sip:user1_public1@home1.net>");
	assert_string_equal(h_field(text, "Security-Verify"),
			    h_field(h->sent[1].text, "Security-Verify"));
	assert_string_equal(h_field(text, "Require"), "sec-agree");
	assert_string_equal(h_field(text, "From"), "<sip:user1_public1@home1.net>;tag=1");
	assert_string_equal(h_field(text, "To"), "<sip:b@home1.net>");
	snprintf(expected, sizeof(expected), "<sip:user1_public1@10.45.0.1:%u>",
		 set->local_port[SA_SERVER]);
	assert_string_equal(h_field(text, "Contact"), expected);
	h_free(h);
}

/* A repeat and a CANCEL have the branch of the INVITE; another request has not. */
static void branches(void **state)
{
	struct h *h = start(&(sa_set_id){0});
	char first[128], text[2048], *at;

	(void)state;
	assert_int_equal(pass(h, invite), 0);
	snprintf(first, sizeof(first), "%s", h_field(h_last(h)->text, "Via"));
	assert_int_equal(pass(h, invite), 0);
	assert_string_equal(h_field(h_last(h)->text, "Via"), first);
	snprintf(text, sizeof(text), "CANCEL%s", invite + 6);
	at = strstr(text, "1 INVITE");
	assert_non_null(at);
	memcpy(at, "1 CANCEL", 8);
	assert_int_equal(pass(h, text), 0);
	assert_string_equal(h_field(h_last(h)->text, "Via"), first);
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "");
	at = strstr(text, "-1-0");
	assert_non_null(at);
	memcpy(at, "-1-1", 4);
	assert_int_equal(pass(h, text), 0);
	assert_string_not_equal(h_field(h_last(h)->text, "Via"), first);
	h_free(h);
}

/* RFC 3325 9.2 */
static void identity_where_it_may_be(void **state)
{
	static const struct {
		const char *method;
		bool identity;
	} cases[] = {
		{"INVITE", true}, {"OPTIONS", true}, {"MESSAGE", true}, {"BYE", true},
		{"ACK", false},	  {"CANCEL", false}, {"PRACK", false},	{"UPDATE", false},
		{"INFO", false},  {"REFER", true},
	};
	struct h *h = start(&(sa_set_id){0});
	char text[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *cseq = strstr(invite, "1 INVITE");

		assert_non_null(cseq);
		snprintf(text, sizeof(text), "%s%.*s1 %s%s", cases[i].method,
			 (int)(cseq - invite - 6), invite + 6, cases[i].method, cseq + 8);
		assert_int_equal(pass(h, text), 0);
		assert_int_equal(strlen(h_field(h_last(h)->text, "P-Preferred-Identity")) > 0,
				 cases[i].identity);
	}
	h_free(h);
}

static void response_in(void **state)
{
	static const char below[] = "Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-1-0\r\n";
	sa_set_id id;
	struct h *h = start(&id);

	(void)state;
	assert_int_equal(pass(h, invite), 0);
	h_respond(h, h_last(h), id, 180, below);
	assert_int_equal(h->n_passed, 1);
	assert_memory_equal(h->passed, "SIP/2.0 180", 11);
	assert_string_equal(h_field(h->passed, "Via"),
			    "SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-1-0");
	h_respond(h, h_last(h), 0, 200, below); /* in clear */
	assert_int_equal(h->n_passed, 1);
	h_free(h);
}

/* Whoever answers has the Vias in hand: a response must not take the gateway elsewhere. */
static void response_is_not_led_astray(void **state)
{
	static const char *const below[] = {
		"",
		"Via: SIP/2.0/UDP 127.0.0.1:22;branch=z9hG4bK-1-0\r\n",
		"Via: SIP/2.0/UDP 10.0.0.1:5061;branch=z9hG4bK-1-0\r\n",
		"Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-1-1\r\n",
		"Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKgw\r\n",
		"Via: SIP/2.0/UDP 127.0.0.1:22;branch=z9hG4bK-1-0\r\n"
		"Via: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bK-1-0\r\n",
	};
	sa_set_id id;
	struct h *h = start(&id);

	(void)state;
	assert_int_equal(pass(h, invite), 0);
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		h_respond(h, h_last(h), id, 200, below[i]);
	assert_int_equal(h->n_passed, 0);
	h_respond(h, h_last(h), id, 200,
		  "Via: SIP/2.0/UDP 127.0.0.1:5061;received=127.0.0.1;branch=z9hG4bK-1-0\r\n");
	assert_int_equal(h->n_passed, 1);
	h_free(h);
}

/* covers: LU-09 */
static void request_in_and_answer(void **state)
{
	char answer[H_TEXT], via[128];
	struct sip_flow flow;
	sa_set_id id;
	struct h *h = start(&id);

	(void)state;
	h_request(h, id, "INVITE", 7, "z9hG4bKfar");
	assert_int_equal(h->n_passed, 1);
	snprintf(via, sizeof(via), "%s", h_field(h->passed, "Via"));
	assert_memory_equal(via, "SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKgw", 43);
	assert_non_null(strstr(h->passed, "branch=z9hG4bKfar"));
	h_request(h, id, "INVITE", 7, "z9hG4bKfar");
	assert_string_equal(h_field(h->passed, "Via"), via);

	snprintf(
		answer, sizeof(answer),
		"SIP/2.0 200 OK\r\nVia: %s\r\nVia: SIP/2.0/UDP 10.44.0.1:4000;branch=z9hG4bKfar\r\n"
		"From: <sip:a@home1.net>;tag=a\r\nTo: <sip:b@home1.net>;tag=b\r\nCall-ID: c\r\n"
		"CSeq: 7 INVITE\r\nContact: <sip:127.0.0.1:5080;transport=UDP>\r\n"
		"Content-Length: 0\r\n\r\n",
		via);
	h->n_sent = 0;
	assert_int_equal(pass(h, answer), 0);
	flow = h_last(h)->flow;
	assert_int_equal(flow.set, id);
	assert_int_equal(flow.pair, SA_CLIENT);
	assert_string_equal(h_field(h_last(h)->text, "Via"),
			    "SIP/2.0/UDP 10.44.0.1:4000;branch=z9hG4bKfar");
	assert_null(strstr(h_last(h)->text, "127.0.0.1"));
	h_free(h);
}

/* The UE's own: registration state, and messages of others on the wrong way. */
static void what_does_not_pass(void **state)
{
	struct h *h = start(NULL);
	static const char stranger[] =
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKother\r\n"
		"From: <sip:a@b>;tag=a\r\nTo: <sip:b@b>;tag=b\r\nCall-ID: c\r\nCSeq: 7 "
		"INVITE\r\n\r\n";
	char text[2048];
	sa_set_id id;

	(void)state;
	assert_int_equal(pass(h, invite), -ENOTCONN);
	id = h_register(h, 3600);
	h->n_sent = 0;
	snprintf(text, sizeof(text), "REGISTER%s", strchr(invite, ' '));
	memcpy(strstr(text, "1 INVITE"), "1 REGIST", 8);
	assert_int_equal(pass(h, text), -EBADMSG); /* CSeq of another method */
	assert_int_equal(pass(h, "rubbish"), -EBADMSG);
	assert_int_equal(pass(h, stranger), -EBADMSG);
	assert_int_equal(h->n_sent, 0);
	h_request(h, 0, "INVITE", 7, "z9hG4bKfar");
	assert_int_equal(h->n_passed, 0);
	h_request(h, id, "MESSAGE", 7, "z9hG4bKfar2");
	assert_int_equal(h->n_passed, 1);
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_out),
		cmocka_unit_test(branches),
		cmocka_unit_test(identity_where_it_may_be),
		cmocka_unit_test(response_in),
		cmocka_unit_test(response_is_not_led_astray),
		cmocka_unit_test(request_in_and_answer),
		cmocka_unit_test(what_does_not_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
