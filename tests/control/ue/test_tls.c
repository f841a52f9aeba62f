/* The UE's TLS connection (TS 33.203 Annex O), agreed by sec-agree or before SIP. TLS itself is
 * control/tls's: here a connection is a flow. */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHALLENGE "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"n1\", algorithm=MD5\r\n"
/* password "geheim", nonce n1, no qop: by Python's hashlib */
#define PROOF "Authentication-Info: rspauth=\"aa91667a26530264438cd508a9173f6d\"\r\n"
#define SERVER                                                                                     \
	"Security-Server: tls;q=0.9, "                                                             \
	"ipsec-3gpp;q=0.1;alg=hmac-sha-1-96;spi-c=300;spi-s=301;port-c=400;port-s=401\r\n"
#define VERIFY                                                                                     \
	"tls;q=0.9, ipsec-3gpp;q=0.1;alg=hmac-sha-1-96;spi-c=300;spi-s=301;port-c=400;port-s=401"

static struct ue_conf tls_conf(struct h *h, enum ue_security security)
{
	struct ue_conf c = h_conf(h);

	c.auth = UE_AUTH_DIGEST;
	c.security = security;
	c.password = "geheim";
	c.n_choices = 0;
	return c;
}

static struct h *started(enum ue_security security)
{
	struct h *h = h_alloc();
	struct ue_conf c = tls_conf(h, security);

	h_start(h, &c);
	return h;
}

static struct sip_flow tls_flow(struct h *h, uint64_t session)
{
	struct sip_flow f = h_flow(h, 0);

	f.transport = SIP_TRANSPORT_TLS;
	f.remote.port = 5061;
	f.session = session;
	return f;
}

/* By a TLS connection, or (session 0) in clear. */
static void respond(struct h *h, const struct h_sent *to, uint64_t session, unsigned status,
		    const char *fields)
{
	struct sip_flow from = session ? tls_flow(h, session) : h_flow(h, 0);
	char text[H_TEXT];

	h_response_text(text, to, status, fields);
	h_input(h, &from, text);
}

static void ok(struct h *h, uint64_t session)
{
	respond(h, h_last(h), session, 200,
		"Contact: <sip:user1_public1@10.45.0.1:5060;transport=tls;ob>;expires=600\r\n"
		"Service-Route: <sip:orig@scscf1.home1.net;lr>\r\n" PROOF);
}

static void request(struct h *h, const struct sip_flow *from, const char *method, const char *more)
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

static void assert_tls(const struct h_sent *s, uint64_t session)
{
	assert_int_equal(s->flow.transport, SIP_TRANSPORT_TLS);
	assert_int_equal(s->flow.remote.port, 5061);
	assert_int_equal(s->flow.session, session);
	assert_memory_equal(h_field(s->text, "Via"), "SIP/2.0/TLS ", 12);
}

static void assert_clear(const struct h_sent *s)
{
	assert_int_equal(s->flow.transport, SIP_TRANSPORT_UDP);
	assert_int_equal(s->flow.remote.port, 5060);
}

/* SM1 to SM12; session is that of the connection that SM7 opens. */
static void registered(struct h *h, uint64_t session)
{
	assert_int_equal(ue_register(h->ue, h->now), 0);
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	ok(h, session);
	assert_true(ue_registered(h->ue));
}

/* ---- set-up ------------------------------------------------------------------------------- */

/* covers: TS-02, TS-04, TS-05, TL-03, DT-03, DT-08 */
static void tls_is_agreed_in_clear_and_then_used(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);
	const char *contact;

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_clear(h_last(h));
	assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "tls");
	assert_string_equal(h_field(h_last(h)->text, "Require"), "sec-agree");
	assert_string_equal(h_field(h_last(h)->text, "Proxy-Require"), "sec-agree");
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "");
	contact = h_field(h_last(h)->text, "Contact");
	assert_non_null(strstr(contact, ";transport=tls;ob>;+sip.instance=\"<urn:uuid:"));
	assert_non_null(strstr(contact, ";reg-id=1"));
	assert_non_null(strstr(h_field(h_last(h)->text, "Supported"), "outbound"));
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	assert_tls(h_last(h), 0); /* a new connection */
	assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "tls");
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), VERIFY);
	assert_string_equal(h_field(h_last(h)->text, "Require"), "sec-agree");
	assert_non_null(strstr(h_field(h_last(h)->text, "Authorization"), "nonce=\"n1\""));
	ok(h, 7);
	assert_true(ue_registered(h->ue));
	assert_int_equal(h->reserve_calls, 0);
	h_free(h);
}

/* covers: DT-01, PO-03 */
static void tls_before_sip_exchanges_the_lists_too(void **state)
{
	struct h *h = started(UE_SECURITY_TLS_FIRST);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_tls(h_last(h), 0);
	assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "tls");
	respond(h, h_last(h), 3, 401, CHALLENGE SERVER);
	assert_tls(h_last(h), 3); /* the same connection */
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), VERIFY);
	ok(h, 3);
	assert_true(ue_registered(h->ue));
	for (unsigned i = 0; i < h->n_sent; i++)
		assert_int_equal(h->sent[i].flow.transport, SIP_TRANSPORT_TLS);
	h_free(h);
	h = started(UE_SECURITY_TLS_FIRST); /* the lists are not left out */
	assert_int_equal(ue_register(h->ue, h->now), 0);
	respond(h, h_last(h), 3, 401, CHALLENGE);
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_non_null(strstr(h->text, "no Security-Server"));
	h_free(h);
	h = started(UE_SECURITY_TLS_FIRST); /* nor is the challenge */
	assert_int_equal(ue_register(h->ue, h->now), 0);
	ok(h, 3);
	assert_false(ue_registered(h->ue));
	h_free(h);
}

/* covers: PO-01, PO-02, TE-05 */
static void what_is_not_agreed_ends_it(void **state)
{
	static const struct {
		unsigned status;
		const char *fields, *why;
	} cases[] = {
		{401, CHALLENGE, "no Security-Server"},
		{401, CHALLENGE "Security-Server: \r\n", "no tls"},
		{401, CHALLENGE "Security-Server: digest;q=0.5\r\n", "no tls"},
		{401, CHALLENGE "Security-Server: tls;q=0\r\n", "no tls"},
		{401,
		 CHALLENGE "Security-Server: ipsec-3gpp;alg=hmac-sha-1-96;spi-c=300;spi-s=301;"
			   "port-c=400;port-s=401\r\n",
		 "no tls"},
		{401, SERVER, "no Digest challenge"},
		{494, SERVER, "494"},
		{421, "", "421"},
		{200, PROOF, "200 without authentication"},
		{403, "", "403"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = started(UE_SECURITY_TLS);
		unsigned sent;

		assert_int_equal(ue_register(h->ue, h->now), 0);
		sent = h->n_sent;
		respond(h, h_last(h), 0, cases[i].status, cases[i].fields);
		assert_int_equal(h->n_sent, sent);
		assert_false(ue_registered(h->ue));
		assert_int_equal(h->events[UE_FAILED], 1);
		assert_non_null(strstr(h->text, cases[i].why));
		h_free(h);
	}
}

/* The lists that both sent are held against each other by the P-CSCF: it must get what came. */
/* covers: PO-02, PO-03 */
static void altered_list_is_sent_back_as_it_came(void **state)
{
	static const char *const lists[] = {
		"tls;q=0.1, "
		"ipsec-3gpp;q=0.9;alg=hmac-md5-96;spi-c=300;spi-s=301;port-c=400;port-s=401",
		"tls",
		"digest;q=0.7, tls ; Q=0.3;x=\"y, z\"",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct h *h = started(UE_SECURITY_TLS);
		char fields[512];

		assert_int_equal(ue_register(h->ue, h->now), 0);
		snprintf(fields, sizeof(fields), CHALLENGE "Security-Server: %s\r\n", lists[i]);
		respond(h, h_last(h), 0, 401, fields);
		assert_tls(h_last(h), 0);
		assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), lists[i]);
		respond(h, h_last(h), 5, 494, "");
		assert_false(ue_registered(h->ue));
		assert_int_equal(h->events[UE_FAILED], 1);
		h_free(h);
	}
}

/* covers: PO-02 */
static void relaxed_policy_goes_on_with_a_warning(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = tls_conf(h, UE_SECURITY_TLS);

	(void)state;
	c.protect_or_abort = false;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	respond(h, h_last(h), 0, 401, CHALLENGE);
	assert_clear(h_last(h));
	ok(h, 0);
	assert_int_equal(h->events[UE_UNPROTECTED], 1);
	assert_true(ue_registered(h->ue));
	h_free(h);
}

/* covers: TS-04 */
static void initial_registration_uses_no_old_connection(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);

	(void)state;
	registered(h, 7);
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	assert_tls(h_last(h), 7);
	ok(h, 7);
	assert_false(ue_registered(h->ue));
	assert_int_equal(h->hung_up, 1);
	assert_int_equal(h->last_hung_up.session, 7);
	registered(h, 8);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	assert_tls(h_last(h), 8);
	h_free(h);
}

/* ---- errors ------------------------------------------------------------------------------- */

/* covers: TE-01, TM-04 */
static void refused_answer_drops_the_connection(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	respond(h, h_last(h), 5, 403, "");
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h->hung_up, 1);
	assert_int_equal(h->last_hung_up.session, 5);
	h_free(h);
}

/* covers: TE-03, DF-09 */
static void stale_nonce_stays_on_the_connection(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	respond(h, h_last(h), 5, 401,
		"WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"n2\", stale=TRUE\r\n");
	assert_tls(h_last(h), 5);
	assert_int_equal(h->hung_up, 0);
	assert_non_null(strstr(h_field(h_last(h)->text, "Authorization"), "nonce=\"n2\""));
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), VERIFY);
	h_free(h);
}

/* covers: TE-04, TM-04 */
static void sm12_that_does_not_come_makes_a_new_sm1(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = tls_conf(h, UE_SECURITY_TLS);

	(void)state;
	c.patience = 16;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	assert_tls(h_last(h), 0);
	h_advance(h, 16000);
	assert_int_equal(h->hung_up, 1); /* first */
	assert_clear(h_last(h));
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "");
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	ok(h, 9);
	assert_true(ue_registered(h->ue));
	h_free(h);
}

/* covers: TE-02, TL-08 */
static void connection_that_cannot_be_made_is_the_reason(void **state)
{
	static const char why[] = "certificate has expired";

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct h *h = started(i == 2 ? UE_SECURITY_TLS_FIRST : UE_SECURITY_TLS);
		struct sip_flow f = tls_flow(h, 0);
		struct h_sent sm7;

		assert_int_equal(ue_register(h->ue, h->now), 0);
		if (i < 2)
			respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
		sm7 = *h_last(h);
		if (i == 0)
			ue_undelivered(h->ue, &f, sv_of(sm7.text), false, h->now);
		else
			ue_session_closed(h->ue, &f, why, h->now);
		assert_int_equal(h->events[UE_FAILED], 1);
		assert_non_null(strstr(h->text, i == 0 ? "TLS" : why));
		assert_string_equal(h_last(h)->text, sm7.text); /* nothing in clear instead */
		h_free(h);
	}
}

static void connection_that_is_refused_at_once(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);
	unsigned sent;

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	sent = h->n_sent;
	h->tls_result = -ECONNREFUSED;
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	h_advance(h, 1);
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h->n_sent, sent);
	h_free(h);
}

/* ---- session management ------------------------------------------------------------------- */

/* covers: TM-01, TM-03 */
static void refresh_takes_the_active_connection(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);

	(void)state;
	registered(h, 7);
	h_advance(h, 300 * 1000);
	assert_tls(h_last(h), 7);
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), VERIFY);
	assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "tls");
	ok(h, 7);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_advance(h, 300 * 1000); /* challenged there (TM-05): with or without a new list */
	respond(h, h_last(h), 7, 401, CHALLENGE);
	assert_tls(h_last(h), 7);
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), VERIFY);
	ok(h, 7);
	h_advance(h, 300 * 1000);
	respond(h, h_last(h), 7, 401, CHALLENGE "Security-Server: tls;q=0.7\r\n");
	assert_tls(h_last(h), 7);
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "tls;q=0.7");
	ok(h, 7);
	assert_int_equal(h->events[UE_REGISTERED], 4);
	assert_int_equal(h->hung_up, 0);
	h_free(h);
}

/* covers: TM-02 */
static void dead_session_is_replaced_through_clear_register(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);
	struct sip_flow f = tls_flow(h, 7), other = tls_flow(h, 6);

	(void)state;
	registered(h, 7);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	ue_session_closed(h->ue, &other, NULL, h->now); /* an old one's end says nothing */
	assert_int_equal(h->events[UE_MESSAGE_FAILED], 0);
	ue_session_closed(h->ue, &f, NULL, h->now);
	assert_int_equal(h->events[UE_MESSAGE_FAILED], 1);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), -ENOTCONN);
	h_advance(h, 1000);
	assert_clear(h_last(h));
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "");
	assert_null(
		strstr(h_field(h_last(h)->text, "Authorization"), "n1")); /* no answer in clear */
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	ok(h, 8);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	assert_tls(h_last(h), 8);
	h_free(h);
}

/* covers: TM-02 */
static void silent_session_is_replaced_through_clear_register(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);

	(void)state;
	registered(h, 7);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	h_advance(h, 127 * 1000);
	assert_int_equal(h_last(h)->flow.session, 7);
	h_advance(h, 2 * 1000);
	assert_clear(h_last(h));
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	assert_int_equal(h->hung_up, 1);
	ok(h, 8);
	assert_true(ue_registered(h->ue));
	h_free(h);
}

/* covers: TM-04 */
static void one_registration_at_a_time(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	assert_tls(h_last(h), 0);
	assert_int_equal(ue_register(h->ue, h->now), -EBUSY);
	h_advance(h, 240 * 1000); /* the temporary lifetime */
	assert_true(h->hung_up >= 1);
	h_free(h);
}

/* covers: TS-10 */
static void what_comes_outside_of_the_connection(void **state)
{
	static const struct {
		uint64_t session; /* 0: in clear */
		const char *method, *more;
		bool taken;
	} cases[] = {
		{7, "MESSAGE", "", true},
		{0, "MESSAGE", "", false},
		{0, "INVITE", "", false},
		{0, "OPTIONS", "", false},
		{9, "MESSAGE", "", false}, /* another connection */
		{0, "MESSAGE", "Priority: emergency\r\n", true},
		{0, "OPTIONS", "Priority: psap-callback\r\n", true},
		{0, "MESSAGE", "Priority: urgent\r\n", false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = started(UE_SECURITY_TLS);
		struct sip_flow from = h_flow(h, 0);
		unsigned sent;

		registered(h, 7);
		if (cases[i].session)
			from = tls_flow(h, cases[i].session);
		sent = h->n_sent;
		request(h, &from, cases[i].method, cases[i].more);
		assert_int_equal(h->n_sent, sent + cases[i].taken);
		if (cases[i].taken) { /* answered where it came */
			assert_memory_equal(h_last(h)->text, "SIP/2.0 200", 11);
			assert_int_equal(h_last(h)->flow.session, cases[i].session);
			assert_int_equal(h_last(h)->flow.transport, from.transport);
		}
		h_free(h);
	}
}

/* covers: TS-10, TM-02 */
static void answers_are_taken_where_the_request_went(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);

	(void)state;
	registered(h, 7);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	respond(h, h_last(h), 0, 200, "");
	respond(h, h_last(h), 9, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 0);
	respond(h, h_last(h), 7, 200, "");
	assert_int_equal(h->events[UE_MESSAGE_SENT_OK], 1);
	h_advance(h, 300 * 1000);
	ok(h, 0); /* to the refresh, in clear */
	assert_int_equal(h->events[UE_REGISTERED], 1);
	ok(h, 7);
	assert_int_equal(h->events[UE_REGISTERED], 2);
	h_free(h);
}

/* covers: DF-04, TE-01 */
static void network_that_does_not_prove_itself(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);

	(void)state;
	assert_int_equal(ue_register(h->ue, h->now), 0);
	respond(h, h_last(h), 0, 401, CHALLENGE SERVER);
	respond(h, h_last(h), 5, 200,
		"Contact: <sip:user1_public1@10.45.0.1>;expires=600\r\n"
		"Authentication-Info: rspauth=\"00000000000000000000000000000000\"\r\n");
	assert_false(ue_registered(h->ue));
	assert_int_equal(h->events[UE_FAILED], 1);
	assert_int_equal(h->hung_up, 1);
	h_free(h);
}

/* covers: TL-13, DT-08 */
static void messages_and_dialogs_stay_on_the_connection(void **state)
{
	struct h *h = started(UE_SECURITY_TLS);
	const char *route;

	(void)state;
	registered(h, 7);
	assert_int_equal(ue_call(h->ue, SV("sip:b@home1.net"), h->now), 0);
	assert_tls(h_last(h), 7);
	assert_non_null(strstr(h_field(h_last(h)->text, "Contact"), ";transport=tls;ob>"));
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), VERIFY);
	route = h_field(h_last(h)->text, "Route");
	assert_string_equal(
		route, "<sip:10.44.0.1:5061;transport=tls;lr>, <sip:orig@scscf1.home1.net;lr>");
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_is_agreed_in_clear_and_then_used),
		cmocka_unit_test(tls_before_sip_exchanges_the_lists_too),
		cmocka_unit_test(what_is_not_agreed_ends_it),
		cmocka_unit_test(altered_list_is_sent_back_as_it_came),
		cmocka_unit_test(relaxed_policy_goes_on_with_a_warning),
		cmocka_unit_test(initial_registration_uses_no_old_connection),
		cmocka_unit_test(refused_answer_drops_the_connection),
		cmocka_unit_test(stale_nonce_stays_on_the_connection),
		cmocka_unit_test(sm12_that_does_not_come_makes_a_new_sm1),
		cmocka_unit_test(connection_that_cannot_be_made_is_the_reason),
		cmocka_unit_test(connection_that_is_refused_at_once),
		cmocka_unit_test(refresh_takes_the_active_connection),
		cmocka_unit_test(dead_session_is_replaced_through_clear_register),
		cmocka_unit_test(silent_session_is_replaced_through_clear_register),
		cmocka_unit_test(one_registration_at_a_time),
		cmocka_unit_test(what_comes_outside_of_the_connection),
		cmocka_unit_test(answers_are_taken_where_the_request_went),
		cmocka_unit_test(network_that_does_not_prove_itself),
		cmocka_unit_test(messages_and_dialogs_stay_on_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
