/* MESSAGE out and in. */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* covers: SP-15, SU-08 */
static void message_out(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	char expected[128];
	const char *text;
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	id = h_register(h, 3600);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("hello there"), h->now), 0);
	text = h_last(h)->text;
	assert_memory_equal(text, "MESSAGE sip:b@home1.net SIP/2.0\r\n", 33);
	assert_int_equal(h_last(h)->flow.set, id);
	assert_int_equal(h_last(h)->flow.pair, SA_CLIENT);
	snprintf(expected, sizeof(expected), "SIP/2.0/UDP 10.45.0.1:%u;branch=z9hG4bK",
		 ue_current_set(h->ue)->local_port[SA_SERVER]);
	assert_memory_equal(h_field(text, "Via"), expected, strlen(expected));
	assert_string_equal(h_field(text, "Route"),
			    "<sip:10.44.0.1:5105;lr>, <sip:orig@scscf1.home1.net;lr>");
	assert_string_equal(h_field(text, "P-Preferred-Identity"), "<sip:user1_public1@home1.net>");
	assert_string_equal(h_field(text, "To"), "<sip:b@home1.net>");
	assert_string_equal(h_field(text, "Security-Verify"),
			    h_field(h->sent[1].text, "Security-Verify"));
	assert_string_equal(h_field(text, "Content-Length"), "11");
	assert_non_null(strstr(text, "\r\n\r\nhello there"));
	h_respond(h, h_last(h), id, 202, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 1);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	h_respond(h, h_last(h), id, 404, "");
	assert_int_equal(h->events[UE_MESSAGE_FAILED], 1);
	assert_memory_equal(h->text, "404", 3);
	assert_int_equal(ue_message(h->ue, SV("sip:b@h>\r\nX: y"), SV("x"), h->now), -EINVAL);
	assert_int_equal(ue_message(h->ue, SV("nothing"), SV("x"), h->now), -EINVAL);
	h_free(h);
}

static void message_too_long(void **state)
{
	static char body[20000];
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	h_start(h, &c);
	h_register(h, 3600);
	memset(body, 'x', sizeof(body));
	assert_int_equal(
		ue_message(h->ue, SV("sip:b@home1.net"), (struct sv){body, sizeof(body)}, h->now),
		-EMSGSIZE);
	assert_int_equal(h->n_sent, 2);
	h_free(h);
}

/* covers: F13, D-21 */
static void retransmissions_repeat_the_flow(void **state)
{
	static const unsigned at[] = {0, 2, 6, 14, 30, 46}; /* s: T1 doubling up to T2 */
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	uint64_t begin;
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	id = h_register(h, 600000);
	h->n_sent = 0;
	begin = h->now;
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	h_advance(h, 46000);
	assert_int_equal(h->n_sent, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(h->sent[i].at - begin, at[i] * 1000);
		assert_int_equal(h->sent[i].flow.set, id);
		assert_string_equal(h->sent[i].text, h->sent[0].text);
	}
	assert_int_equal(ue_retransmissions(h->ue), 5);
	h_free(h);
}

/* covers: SP-15, LU-09, F19 */
static void message_in(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	char first[8192];
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	id = h_register(h, 3600);
	h_request(h, id, "MESSAGE", 1, "z9hG4bKm1");
	assert_int_equal(h->events[UE_MESSAGE_RECEIVED], 1);
	assert_string_equal(h->text, "hello");
	assert_memory_equal(h_last(h)->text, "SIP/2.0 200 ", 12);
	assert_int_equal(h_last(h)->flow.set, id);
	assert_int_equal(h_last(h)->flow.pair, SA_CLIENT); /* port_uc to port_ps */
	assert_int_equal(h_last(h)->flow.remote.port, H_SERVER_PORT);
	assert_non_null(strstr(h_field(h_last(h)->text, "To"), ";tag="));
	assert_non_null(strstr(h_field(h_last(h)->text, "Via"), "z9hG4bKm1"));
	snprintf(first, sizeof(first), "%s", h_last(h)->text);
	h_request(h, id, "MESSAGE", 1,
		  "z9hG4bKm1"); /* a repeat: the same answer, no second event */
	assert_int_equal(h->n_sent, 4);
	assert_string_equal(h_last(h)->text, first);
	assert_int_equal(h->events[UE_MESSAGE_RECEIVED], 1);
	h_request(h, id, "PUBLISH", 2, "z9hG4bKm2");
	assert_memory_equal(h_last(h)->text, "SIP/2.0 405 ", 12);
	assert_string_equal(h_field(h_last(h)->text, "Allow"),
			    "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, MESSAGE, NOTIFY, OPTIONS");
	h_request(h, id, "BYE", 3, "z9hG4bKm3");
	assert_memory_equal(h_last(h)->text, "SIP/2.0 481 ", 12);
	assert_int_equal(h->events[UE_MESSAGE_RECEIVED], 1);
	h_free(h);
}

static void bad_configurations(void **state)
{
	struct h *h = h_alloc();
	const struct ue_conf good = h_conf(h);
	const struct ue_env env = {.ctx = h};
	struct ue_conf c;
	struct ue *u = NULL;

	(void)state;
	c = good;
	c.impi = "a\r\nX: y";
	assert_int_equal(ue_alloc(&u, &c, &env, h->timers), -EINVAL);
	c = good;
	c.impu = "not a uri";
	assert_int_equal(ue_alloc(&u, &c, &env, h->timers), -EINVAL);
	c = good;
	c.n_choices = 0;
	assert_int_equal(ue_alloc(&u, &c, &env, h->timers), -EINVAL);
	c = good;
	c.port_max = c.port_min;
	assert_int_equal(ue_alloc(&u, &c, &env, h->timers), -EINVAL);
	c = good;
	ip_addr_parse(&c.pcscf.addr, "2001:db8::1");
	assert_int_equal(ue_alloc(&u, &c, &env, h->timers), -EINVAL);
	assert_null(u);
	timers_free(h->timers);
	free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_out),
		cmocka_unit_test(message_too_long),
		cmocka_unit_test(retransmissions_repeat_the_flow),
		cmocka_unit_test(message_in),
		cmocka_unit_test(bad_configurations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
