/* A UE that has AKA with ipsec-3gpp and Digest with tls: which it takes, and what it says of the
 * other. */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <string.h>

#define DIGEST "WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"n1\", algorithm=MD5\r\n"
/* password "geheim", nonce n1, no qop: by Python's hashlib */
#define PROOF "Authentication-Info: rspauth=\"aa91667a26530264438cd508a9173f6d\"\r\n"
#define IPSEC(q)                                                                                   \
	"ipsec-3gpp;q=" q ";alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4001;spi-s=4002;port-c=5200;"     \
	"port-s=5105"

static struct h *started(void)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	c.auth = UE_AUTH_EITHER;
	c.security = UE_SECURITY_EITHER;
	c.password = "geheim";
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	return h;
}

static void challenge(struct h *h, bool aka, const char *server)
{
	char field[512], fields[2048];

	snprintf(fields, sizeof(fields), "%s%s%s\r\n",
		 aka ? h_challenge_field(h, H_AUTN_GOOD, field) : DIGEST,
		 *server ? "Security-Server: " : "X: y", server);
	h_respond(h, h_last(h), 0, 401, fields);
}

static void tls_respond(struct h *h, unsigned status, const char *fields)
{
	struct sip_flow from = h_flow(h, 0);
	char text[H_TEXT];

	from.transport = SIP_TRANSPORT_TLS;
	from.remote.port = 5061;
	from.session = 7;
	h_response_text(text, h_last(h), status, fields);
	h_input(h, &from, text);
}

static bool offers(const struct h_sent *s, bool ipsec, bool tls)
{
	const char *client = h_field(s->text, "Security-Client");

	return !strstr(client, "ipsec-3gpp;") == !ipsec &&
	       (strstr(client, ", tls") || strcmp(client, "tls") == 0) == tls;
}

/* The highest q of ours, and only with its own authentication. covers: SU-07, TL-03, DN-03, PO-01
 */
static void highest_q_is_taken(void **state)
{
	static const struct {
		const char *server;
		bool aka;
		char takes; /* 'i', 't', or nothing */
	} rows[] = {
		{IPSEC("0.9") ", tls;q=0.8", true, 'i'},
		{"tls;q=0.8, " IPSEC("0.9"), true, 'i'},
		{IPSEC("0.9"), true, 'i'},
		{"tls;q=0.9, " IPSEC("0.8"), false, 't'},
		{IPSEC("0.8") ", tls;q=0.9", false, 't'},
		{"tls;q=0.1", false, 't'},
		{IPSEC("0.9") ", tls;q=0.8", false, 0},
		{IPSEC("0.8") ", tls;q=0.9", true, 0},
		{"tls", true, 0},
		{IPSEC("0.9"), false, 0},
		{"tls;q=0.0", false, 0},
		{"digest;q=0.9", false, 0},
		{"", true, 0},
		{"", false, 0},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct h *h = started();
		unsigned sent = h->n_sent;
		char client[2048];

		assert_int_equal(h_last(h)->flow.set, 0);
		assert_true(offers(h_last(h), true, true));
		assert_null(strstr(h_last(h)->text, "3GPP-"));
		snprintf(client, sizeof(client), "%s", h_field(h_last(h)->text, "Security-Client"));
		challenge(h, rows[i].aka, rows[i].server);
		assert_int_equal(h->events[UE_FAILED], !rows[i].takes);
		assert_int_equal(h->n_sent, sent + (rows[i].takes != 0));
		assert_int_equal(h_installed(h), rows[i].takes == 'i');
		assert_int_equal(h_reserved(h) - h_installed(h), 0);
		if (rows[i].takes) { /* SM7 repeats what SM1 said */
			const struct h_sent *sm7 = h_last(h);

			assert_string_equal(h_field(sm7->text, "Security-Client"), client);
			assert_string_equal(h_field(sm7->text, "Security-Verify"), rows[i].server);
			assert_int_equal(sm7->flow.transport == SIP_TRANSPORT_TLS,
					 rows[i].takes == 't');
			assert_int_equal(sm7->flow.set != 0, rows[i].takes == 'i');
		}
		h_free(h);
	}
}

static void tls_registered(struct h *h)
{
	challenge(h, false, "tls;q=0.9");
	tls_respond(h, 200,
		    "Contact: <sip:user1_public1@10.45.0.1:5060;transport=tls;ob>;expires=600\r\n"
		    "Service-Route: <sip:orig@scscf1.home1.net;lr>\r\n" PROOF);
	assert_true(ue_registered(h->ue));
}

/* A registration goes on with its own, and the next one has the choice again. covers: SU-07, TM-02
 */
static void choice_is_for_a_registration(void **state)
{
	struct h *h = started();
	struct sip_flow f = h_flow(h, 0);

	(void)state;
	tls_registered(h);
	h_advance(h, 300 * 1000);
	assert_int_equal(h_last(h)->flow.transport, SIP_TRANSPORT_TLS);
	assert_true(offers(h_last(h), false, true));
	assert_string_equal(h_field(h_last(h)->text, "Security-Verify"), "tls;q=0.9");
	tls_respond(h, 200,
		    "Contact: <sip:user1_public1@10.45.0.1:5060;transport=tls;ob>;expires=600\r\n");
	f.transport = SIP_TRANSPORT_TLS;
	f.remote.port = 5061;
	f.session = 7;
	ue_session_closed(h->ue, &f, NULL, h->now);
	h_advance(h, 1000);
	assert_int_equal(h_last(h)->flow.transport, SIP_TRANSPORT_UDP);
	assert_true(offers(h_last(h), true, true));
	/* in clear it answers with no nonce that it knows */
	assert_null(strstr(h_field(h_last(h)->text, "Authorization"), "n1"));
	challenge(h, true, IPSEC("0.9"));
	assert_int_equal(h_installed(h), 1);
	h_ok(h, h_last(h)->flow.set, 600);
	assert_int_equal(h->events[UE_REGISTERED], 3);
	assert_int_equal(ue_sets(h->ue), 1);
	h_advance(h, 300 * 1000);
	assert_true(offers(h_last(h), true, false));
	assert_int_not_equal(h_last(h)->flow.set, 0);
	assert_null(strstr(h_field(h_last(h)->text, "Authorization"), "n1"));
	h_free(h);
}

/* covers: AK-04, SU-07 */
static void card_out_of_step_goes_on_offering_both(void **state)
{
	struct h *h = started();
	char field[512], fields[2048];

	(void)state;
	snprintf(fields, sizeof(fields), "%sSecurity-Server: " IPSEC("0.9") "\r\n",
		 h_challenge_field(h, H_AUTN_BAD_MAC, field));
	h_respond(h, h_last(h), 0, 401, fields);
	assert_int_equal(h->events[UE_FAILED], 0);
	assert_true(offers(h_last(h), true, true));
	tls_registered(h);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(highest_q_is_taken),
		cmocka_unit_test(choice_is_for_a_registration),
		cmocka_unit_test(card_out_of_step_goes_on_offering_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
