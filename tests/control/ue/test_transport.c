/* UDP and TCP at the UE (TS 33.203 7.1, RFC 3261 18). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/control/ue/harness.h"

static struct h *started(enum ue_transport transport)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	c.transport = transport;
	h_start(h, &c);
	return h;
}

static void send_message(struct h *h, size_t size)
{
	char body[2000];

	memset(body, 'x', sizeof(body));
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), (struct sv){body, size}, h->now),
			 0);
}

static void assert_went(struct h *h, enum sip_transport transport, sa_set_id set)
{
	const struct h_sent *s = h_last(h);
	bool tcp = transport == SIP_TRANSPORT_TCP;

	assert_int_equal(s->flow.transport, transport);
	assert_int_equal(s->flow.set, set);
	assert_memory_equal(h_field(s->text, "Via"), tcp ? "SIP/2.0/TCP " : "SIP/2.0/UDP ", 12);
	if (set) { /* port_uc to port_ps */
		assert_int_equal(s->flow.pair, SA_CLIENT);
		assert_int_equal(s->flow.remote.port, H_SERVER_PORT);
	}
}

/* covers: SP-17, F11 */
static void what_goes_over_tcp(void **state)
{
	static const struct {
		enum ue_transport transport;
		const char *contact;
		enum sip_transport reg, small, large;
	} cases[] = {
		{UE_TRANSPORT_UDP, ";transport=udp>", SIP_TRANSPORT_UDP, SIP_TRANSPORT_UDP,
		 SIP_TRANSPORT_UDP},
		{UE_TRANSPORT_TCP, ";transport=tcp>", SIP_TRANSPORT_TCP, SIP_TRANSPORT_TCP,
		 SIP_TRANSPORT_TCP},
		{UE_TRANSPORT_MIXED, NULL, SIP_TRANSPORT_TCP, SIP_TRANSPORT_UDP, SIP_TRANSPORT_TCP},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = started(cases[i].transport);
		const char *contact;
		sa_set_id id;

		id = h_register(h, 3600);
		assert_int_equal(h->sent[0].flow.transport, cases[i].reg);
		assert_int_equal(h->sent[0].flow.set, 0);
		assert_went(h, cases[i].reg, id); /* SM7 */
		contact = h_field(h_last(h)->text, "Contact");
		if (cases[i].contact)
			assert_non_null(strstr(contact, cases[i].contact));
		else
			assert_null(strstr(contact, "transport"));
		send_message(h, 10);
		assert_went(h, cases[i].small, id);
		send_message(h, 1500);
		assert_went(h, cases[i].large, id);
		h_free(h);
	}
}

static struct sip_flow tcp_flow(struct h *h, sa_set_id id, enum sa_pair pair)
{
	struct sip_flow f = h_flow(h, id);
	const struct sa_set *sa = &h_set(h, id)->sa;

	f.transport = SIP_TRANSPORT_TCP;
	f.pair = (uint8_t)pair;
	f.local.port = sa->local_port[pair];
	f.remote.port = sa->remote_port[pair];
	return f;
}

#define REQUEST(branch)                                                                            \
	"MESSAGE sip:user1_public1@10.45.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 10.44.0.1:5105;branch="   \
	"z9hG4bK" branch "\r\nMax-Forwards: 69\r\nFrom: <sip:b@home1.net>;tag=b1\r\n"              \
	"To: <sip:user1_public1@home1.net>\r\nCall-ID: " branch "\r\nCSeq: 1 MESSAGE\r\n"          \
	"Content-Length: 2\r\n\r\nhi"

/* Requests come to port_us and are answered on their connection; if that has gone, by one of ours,
 * then by UDP. */
/* covers: SP-17, F10 */
static void answers(void **state)
{
	struct h *h = started(UE_TRANSPORT_TCP);
	sa_set_id id = h_register(h, 3600);
	struct sip_flow theirs = tcp_flow(h, id, SA_SERVER), ours = tcp_flow(h, id, SA_CLIENT);
	unsigned sent = h->n_sent;

	(void)state;
	h_input(h, &ours, REQUEST("wrong")); /* not for them to send there */
	assert_int_equal(h->n_sent, sent);
	assert_int_equal(ue_drops(h->ue, UE_DROP_WRONG_SA), 1);
	h_input(h, &theirs, REQUEST("a"));
	assert_int_equal(h->events[UE_MESSAGE_RECEIVED], 1);
	assert_int_equal(h_last(h)->flow.transport, SIP_TRANSPORT_TCP);
	assert_int_equal(h_last(h)->flow.pair, SA_SERVER);
	h->stream_result[SA_SERVER] = -ENOTCONN;
	h_input(h, &theirs, REQUEST("b"));
	assert_int_equal(h_last(h)->flow.transport, SIP_TRANSPORT_TCP);
	assert_int_equal(h_last(h)->flow.pair, SA_CLIENT);
	h->stream_result[SA_CLIENT] = -ECONNREFUSED;
	h_input(h, &theirs, REQUEST("c"));
	assert_int_equal(h_last(h)->flow.transport, SIP_TRANSPORT_UDP);
	assert_int_equal(h_last(h)->flow.set, id);
	assert_int_equal(h->events[UE_MESSAGE_RECEIVED], 3);
	h_free(h);
}

/* The P-CSCF takes no TCP, in clear or protected: the same transaction goes on over UDP. */
/* covers: F15 */
static void refused(void **state)
{
	struct h *h = started(UE_TRANSPORT_TCP);
	struct sip_flow flow;
	char text[H_TEXT];
	sa_set_id id;

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_went(h, SIP_TRANSPORT_TCP, 0);
	flow = h_last(h)->flow;
	snprintf(text, sizeof(text), "%s", h_last(h)->text);
	ue_undelivered(h->ue, &flow, sv_of(text), false, h->now);
	assert_int_equal(h->n_sent, 2);
	assert_went(h, SIP_TRANSPORT_UDP, 0);
	assert_string_equal(strstr(h_last(h)->text, "branch="), strstr(text, "branch="));
	h_advance(h, 2500);
	assert_int_equal(h->n_sent, 3); /* repeated now */
	h_free(h);

	h = started(UE_TRANSPORT_TCP);
	id = h_register(h, 3600);
	send_message(h, 10);
	flow = h_last(h)->flow;
	snprintf(text, sizeof(text), "%s", h_last(h)->text);
	ue_undelivered(h->ue, &flow, sv_of(text), true, h->now); /* it ended: by a new one */
	assert_went(h, SIP_TRANSPORT_TCP, id);
	h_advance(h, 100);
	ue_undelivered(h->ue, &flow, sv_of(text), true, h->now); /* and again */
	assert_went(h, SIP_TRANSPORT_UDP, id);
	h_respond(h, h_last(h), id, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 1);
	send_message(h, 10);
	assert_went(h, SIP_TRANSPORT_TCP, id);
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_goes_over_tcp),
		cmocka_unit_test(answers),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
