#include "tests/control/ue/tls_end.h"

#include <stdio.h>

struct ue_conf tls_conf(struct h *h, enum ue_security security)
{
	struct ue_conf c = h_conf(h);

	c.auth = UE_AUTH_DIGEST;
	c.security = security;
	c.password = "geheim";
	c.n_choices = 0;
	return c;
}

struct h *tls_start(enum ue_security security)
{
	struct h *h = h_alloc();
	struct ue_conf c = tls_conf(h, security);

	h_start(h, &c);
	return h;
}

struct sip_flow tls_flow(struct h *h, uint64_t session)
{
	struct sip_flow f = h_flow(h, 0);

	f.transport = SIP_TRANSPORT_TLS;
	f.remote.port = 5061;
	f.session = session;
	return f;
}

void tls_respond(struct h *h, const struct h_sent *to, uint64_t session, unsigned status,
		 const char *fields)
{
	struct sip_flow from = session ? tls_flow(h, session) : h_flow(h, 0);
	char text[H_TEXT];

	h_response_text(text, to, status, fields);
	h_input(h, &from, text);
}

void tls_ok(struct h *h, uint64_t session)
{
	tls_respond(h, h_last(h), session, 200,
		    "Contact: <sip:user1_public1@10.45.0.1:5060;transport=tls;ob>;expires=600\r\n"
		    "Service-Route: <sip:orig@scscf1.home1.net;lr>\r\n" TLS_PROOF);
}

void tls_request(struct h *h, const struct sip_flow *from, const char *method, const char *more)
{
	static unsigned number;
	char text[2048];

	snprintf(text, sizeof(text),
		 "%s sip:user1_public1@10.45.0.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/TLS 10.44.0.1:5061;branch=z9hG4bKr%u\r\nMax-Forwards: 69\r\n"
		 "From: <sip:b@home1.net>;tag=b1\r\nTo: <sip:user1_public1@home1.net>\r\n"
		 "Call-ID: c%u\r\nCSeq: 1 %s\r\n%sContent-Type: text/plain\r\n"
		 "Content-Length: 5\r\n\r\nhello",
		 method, number, number, method, more);
	number++;
	h_input(h, from, text);
}

void tls_assert(const struct h_sent *s, uint64_t session)
{
	assert_int_equal(s->flow.transport, SIP_TRANSPORT_TLS);
	assert_int_equal(s->flow.remote.port, 5061);
	assert_int_equal(s->flow.session, session);
	assert_memory_equal(h_field(s->text, "Via"), "SIP/2.0/TLS ", 12);
}

void tls_assert_none(const struct h_sent *s)
{
	assert_int_equal(s->flow.transport, SIP_TRANSPORT_UDP);
	assert_int_equal(s->flow.remote.port, 5060);
}

void tls_register(struct h *h, uint64_t session)
{
	assert_int_equal(ue_register(h->ue, h->now), 0);
	tls_respond(h, h_last(h), 0, 401, TLS_CHALLENGE TLS_SERVER);
	tls_ok(h, session);
	assert_true(ue_registered(h->ue));
}
