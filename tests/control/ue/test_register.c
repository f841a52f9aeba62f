/* First registration: SM1, SM6, SM7, SM12 and de-registration. */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "crypto/keyexp.h"

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text += strlen(what);
	}
	return n;
}

/* covers: SU-01, SP-10, HX-02, F31 */
static void sm1_offers_every_choice_in_clear(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	const char *text, *auth;
	char first[200], client[2048];

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_int_equal(ue_register(h->ue, h->now), -EBUSY);
	assert_int_equal(h->n_sent, 1);
	text = h_last(h)->text;
	snprintf(client, sizeof(client), "%s", h_field(text, "Security-Client"));
	assert_int_equal(count(client, "ipsec-3gpp"), 6);
	assert_int_equal(count(client, "hmac-sha-1-96"), 3);
	assert_int_equal(count(client, "des-ede3-cbc"), 2);
	snprintf(first, sizeof(first), "spi-c=%u", h->sets[0].sa.spi_in[SA_CLIENT]);
	assert_int_equal(count(client, first), 6);
	snprintf(first, sizeof(first), "spi-s=%u", h->sets[0].sa.spi_in[SA_SERVER]);
	assert_int_equal(count(client, first), 6);
	assert_true(h_param(client, "port-c") >= 20000 && h_param(client, "port-c") <= 60000);
	assert_int_not_equal(h_param(client, "port-c"), h_param(client, "port-s"));
	assert_int_equal(h_last(h)->flow.set, 0);
	assert_int_equal(h_last(h)->flow.local.port, 5060);
	assert_string_equal(h_field(text, "Require"), "sec-agree");
	assert_string_equal(h_field(text, "Proxy-Require"), "sec-agree");
	assert_non_null(strstr(h_field(text, "Supported"), "sec-agree"));
	assert_string_equal(h_field(text, "Security-Verify"), "");
	assert_true(strlen(h_field(text, "P-Access-Network-Info")) > 0);
	assert_string_equal(h_field(text, "Allow"),
			    "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, MESSAGE, NOTIFY, OPTIONS");
	auth = h_field(text, "Authorization");
	assert_non_null(strstr(auth, "username=\"user1_private@home1.net\""));
	assert_non_null(strstr(auth, "uri=\"sip:home1.net\""));
	assert_non_null(strstr(auth, "nonce=\"\""));
	assert_non_null(strstr(auth, "response=\"\""));
	snprintf(first, sizeof(first),
		 "<sip:user1_public1@10.45.0.1:%lu;transport=udp>;expires=600000",
		 h_param(client, "port-s"));
	assert_string_equal(h_field(text, "Contact"), first);
	assert_non_null(strstr(h_field(text, "Via"), "10.45.0.1:5060;"));
	h_free(h);
}

/* The digest that RES gives, computed from the text of SM7 alone. */
static void assert_digest(const struct h *h, const char *auth)
{
	struct sv nonce = {strstr(auth, "nonce=\"") + 7, 44};
	const char *cnonce = strstr(auth, "cnonce=\"") + 8;
	struct digest_input in = {
		.algorithm = DIGEST_AKAV1_MD5,
		.qop = DIGEST_QOP_AUTH,
		.username = SV("user1_private@home1.net"),
		.realm = SV("home1.net"),
		.nonce = nonce,
		.uri = SV("sip:home1.net"),
		.method = SV("REGISTER"),
		.nc = SV("00000001"),
		.cnonce = {cnonce, strcspn(cnonce, "\"")},
	};
	char ha1[DIGEST_HEX], response[DIGEST_HEX], expected[DIGEST_HEX + 16];

	digest_ha1(ha1, &in, h->av.xres, sizeof(h->av.xres));
	digest_response(response, &in, ha1);
	snprintf(expected, sizeof(expected), "response=\"%s\"", response);
	assert_non_null(strstr(auth, expected));
	assert_non_null(strstr(auth, "nc=00000001"));
}

/* covers: SU-02, SU-08, SU-09, HX-12, LU-05, SP-15, AK-08, ST-02, ST-11, F22 */
static void sm7_on_the_new_set(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	char server[2048], auth[512], fields[4096], client[2048];
	struct sa_keys keys;
	const struct sa_set *sa;
	const char *sm7;

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	snprintf(client, sizeof(client), "%s", h_field(h_last(h)->text, "Security-Client"));
	assert_int_equal(h_installed(h), 0);
	snprintf(fields, sizeof(fields), "%s%s", h_challenge_field(h, H_AUTN_GOOD, auth),
		 h_server_field(h, server));
	h_respond(h, h_last(h), 0, 401, fields);

	assert_int_equal(h_installed(h), 1);
	sa = &h_set(h, h_last(h)->flow.set)->sa;
	assert_int_equal(sa->spi_out[SA_CLIENT], h->spi_p + 1); /* spi_ps */
	assert_int_equal(sa->spi_out[SA_SERVER], h->spi_p);	/* spi_pc */
	assert_int_equal(sa->remote_port[SA_CLIENT], H_SERVER_PORT);
	assert_int_equal(sa->remote_port[SA_SERVER], h->port_pc);
	assert_int_equal(sa->spi_in[SA_CLIENT], h_param(client, "spi-c"));
	assert_int_equal(sa->spi_in[SA_SERVER], h_param(client, "spi-s"));
	assert_int_equal(sa->local_port[SA_CLIENT], h_param(client, "port-c"));
	assert_int_equal(sa->local_port[SA_SERVER], h_param(client, "port-s"));
	assert_int_equal(sa->integ, SA_INTEG_HMAC_SHA_1_96);
	assert_int_equal(sa->encr, SA_ENCR_NULL);
	memset(&keys, 0, sizeof(keys));
	keyexp_esp(&keys, sa->integ, sa->encr, h->av.ik, h->av.ck);
	assert_memory_equal(keys.integ, sa->keys.integ, 20);

	assert_int_equal(h_last(h)->flow.pair, SA_CLIENT);
	assert_int_equal(h_last(h)->flow.local.port, h_param(client, "port-c"));
	assert_int_equal(h_last(h)->flow.remote.port, H_SERVER_PORT);
	sm7 = h_last(h)->text;
	assert_string_equal(h_field(sm7, "Security-Client"), client);
	server[strcspn(server, "\r")] = '\0';
	assert_string_equal(h_field(sm7, "Security-Verify"), server + strlen("Security-Server: "));
	assert_int_equal(strtoul(strstr(h_field(sm7, "Via"), "10.45.0.1:") + 10, NULL, 10),
			 h_param(client, "port-s"));
	assert_string_equal(h_field(sm7, "Require"), "sec-agree");
	assert_string_equal(h_field(sm7, "Proxy-Require"), "sec-agree");
	assert_string_equal(h_field(sm7, "CSeq"), "2 REGISTER");
	assert_string_equal(h_field(sm7, "Call-ID"), h_field(h->sent[0].text, "Call-ID"));
	assert_digest(h, h_field(sm7, "Authorization"));
	h_free(h);
}

/* covers: F28 */
static void res_with_a_nul(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	char server[2048], auth[512], fields[4096];

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	do
		h_challenge_field(h, H_AUTN_GOOD, auth);
	while (!memchr(h->av.xres, 0, sizeof(h->av.xres) - 1));
	snprintf(fields, sizeof(fields), "%s%s", auth, h_server_field(h, server));
	h_respond(h, h_last(h), 0, 401, fields);
	assert_digest(h, h_field(h_last(h)->text, "Authorization"));
	h_free(h);
}

/* covers: D-08, D-09 */
static void published_vector(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	char server[2048], fields[4096];
	const struct sa_set *sa;
	static const uint8_t ik[16] = {0xf7, 0x69, 0xbc, 0xd7, 0x51, 0x04, 0x46, 0x04,
				       0x12, 0x76, 0x72, 0x71, 0x1c, 0x6d, 0x34, 0x41};

	(void)state;
	for (unsigned i = 0; i < SQN_INDS; i++)
		h->sqn.seq[i] = (UINT64_C(0xff9bb4d0b607) >> SQN_IND_BITS) - 1;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	snprintf(fields, sizeof(fields),
		 "WWW-Authenticate: Digest realm=\"home1.net\",algorithm=AKAv1-MD5,"
		 "nonce=\"I1U8vpY3qJ0hiuZNrke/NVXzKLQ1d7m5Sp/6w1Tfr7M=\"\r\n%s",
		 h_server_field(h, server));
	h_respond(h, h_last(h), 0, 401, fields);
	assert_non_null(strstr(h_field(h_last(h)->text, "Authorization"),
			       "response=\"0233d5422332d3cd4cb80c033b5ed782\""));
	sa = &h_set(h, h_last(h)->flow.set)->sa;
	assert_memory_equal(sa->keys.integ, ik, 16);
	h_free(h);
}

/* covers: SU-14, LU-06, LU-07 */
static void registered_only_by_sm12(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_advance(h, 50);
	h_challenge(h, 0, H_AUTN_GOOD);
	id = h_last(h)->flow.set;
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), -ENOTCONN);
	h_ok(h, 0, 3600); /* in clear */
	assert_false(ue_registered(h->ue));
	assert_int_equal(ue_drops(h->ue, UE_DROP_CLEAR), 1);
	assert_int_equal(h->events[UE_REGISTERED], 0);
	h_advance(h, 50);
	h_ok(h, id, 3600);
	assert_true(ue_registered(h->ue));
	assert_int_equal(h->events[UE_REGISTERED], 1);
	assert_int_equal(ue_register_ms(h->ue), 100);
	assert_int_equal(h_reserved(h), 1);
	assert_int_equal(ue_sets(h->ue), 1);
	assert_ptr_not_equal(ue_current_set(h->ue), NULL);
	assert_int_equal(ue_current_set(h->ue)->id, id);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now), 0);
	h_free(h);
}

struct choice_case {
	const char *mechs; /* with the four values left out */
	int integ, encr;   /* -1: none is acceptable */
};

#define V "spi-c=7001;spi-s=7002;port-c=41000;port-s=5105"

static const struct choice_case choice_cases[] = {
	{"ipsec-3gpp;alg=hmac-md5-96;ealg=aes-cbc;" V ",ipsec-3gpp;alg=hmac-sha-1-96;ealg=null;" V,
	 SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC},
	{"ipsec-3gpp;q=0.1;alg=hmac-sha-1-96;" V ",ipsec-3gpp;q=0.9;alg=hmac-md5-96;" V,
	 SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL},
	{"tls;q=0.9, ipsec-3gpp;q=0.2;alg=hmac-sha-1-96;ealg=des-ede3-cbc;" V,
	 SA_INTEG_HMAC_SHA_1_96, SA_ENCR_DES_EDE3_CBC},
	{"ipsec-3gpp;alg=new;" V ", ipsec-3gpp;alg=hmac-sha-1-96;prot=ah;" V
	 ", ipsec-3gpp;alg=hmac-sha-1-96;mod=tun;" V ", ipsec-3gpp;alg=hmac-md5-96;ealg=aes-cbc;" V,
	 SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC},
	{"ipsec-3gpp;alg=hmac-md5-96;ealg=aes-gcm;" V, -1, -1},
	{"ipsec-3gpp;" V, -1, -1},
	{"ipsec- 3gpp;alg=hmac-md5-96;" V, -1, -1},
	{"tls", -1, -1},
	{"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=7001;spi-s=7002;port-c=41000;port-s=5060", -1, -1},
	/* our own SPI: a reflected packet would be accepted (SP-04) */
	{"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=4096;spi-s=7002;port-c=41000;port-s=5105", -1, -1},
};

/* covers: SU-07, HX-03, HX-04, HX-05, HX-06, HX-07, HX-08, ER-09 */
static void choice_of_security_server(void **state)
{
	(void)state;
	for (unsigned i = 0; i < sizeof(choice_cases) / sizeof(choice_cases[0]); i++) {
		const struct choice_case *k = &choice_cases[i];
		struct h *h = h_alloc();
		struct ue_conf c = h_conf(h);
		char fields[4096], auth[512];

		h_start(h, &c);
		assert_int_equal(ue_register(h->ue, h->now), 0);
		snprintf(fields, sizeof(fields), "%sSecurity-Server: %s\r\n",
			 h_challenge_field(h, H_AUTN_GOOD, auth), k->mechs);
		h_respond(h, h_last(h), 0, 401, fields);
		if (k->integ < 0) { /* ER-09: no SM7, no SA, nothing left */
			assert_int_equal(h->n_sent, 1);
			assert_int_equal(h_reserved(h), 0);
			assert_int_equal(h->events[UE_FAILED], 1);
		} else {
			const struct sa_set *sa = &h_set(h, h_last(h)->flow.set)->sa;

			assert_int_equal(h->n_sent, 2);
			assert_int_equal(sa->integ, k->integ);
			assert_int_equal(sa->encr, k->encr);
		}
		h_free(h);
	}
}

/* A phone that offers one pair takes that pair, wherever it stands in the P-CSCF's list. */
/* covers: SU-07, C-26 */
static void every_single_choice(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++) {
		struct h *h = h_alloc();
		struct ue_conf c = h_conf(h);
		struct sa_keys keys = {0};
		const struct sa_set *sa;

		c.choices[0] = c.choices[i];
		c.n_choices = 1;
		h_start(h, &c);
		sa = &h_set(h, h_register(h, 3600))->sa;
		assert_int_equal(sa->integ, c.choices[0].integ);
		assert_int_equal(sa->encr, c.choices[0].encr);
		keyexp_esp(&keys, sa->integ, sa->encr, h->av.ik, h->av.ck);
		assert_memory_equal(&keys, &sa->keys, sizeof(keys));
		h_free(h);
	}
}

/* covers: PO-01, PO-02 */
static void no_security_server(void **state)
{
	(void)state;
	for (unsigned relaxed = 0; relaxed < 2; relaxed++) {
		struct h *h = h_alloc();
		struct ue_conf c = h_conf(h);
		char auth[512];

		c.protect_or_abort = !relaxed;
		h_start(h, &c);
		assert_int_equal(ue_register(h->ue, h->now), 0);
		h_respond(h, h_last(h), 0, 401, h_challenge_field(h, H_AUTN_GOOD, auth));
		assert_int_equal(h_reserved(h), 0);
		assert_int_equal(h->n_sent, relaxed ? 2 : 1);
		assert_int_equal(h->events[UE_FAILED], !relaxed);
		assert_int_equal(h->events[UE_UNPROTECTED], relaxed);
		if (relaxed) {
			assert_string_equal(h_field(h_last(h)->text, "Security-Client"), "");
			assert_digest(h, h_field(h_last(h)->text, "Authorization"));
			h_ok(h, 0, 3600);
			assert_true(ue_registered(h->ue));
			assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("x"), h->now),
					 0);
		}
		h_free(h);
	}
}

/* Who has had SAs does not go on without, whatever its policy was. covers: PO-01, PO-02 */
static void no_security_server_again(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	char auth[512];
	unsigned sent;

	(void)state;
	c.protect_or_abort = false;
	c.unanswered_max = 1;
	h_start(h, &c);
	(void)h_register(h, 600000);
	assert_int_equal(ue_message(h->ue, SV("sip:b@home1.net"), SV("1"), h->now), 0);
	h_advance(h, 128000);
	assert_int_equal(h_last(h)->flow.set, 0);
	assert_memory_equal(h_last(h)->text, "REGISTER", 8);
	sent = h->n_sent;
	h_respond(h, h_last(h), 0, 401, h_challenge_field(h, H_AUTN_GOOD, auth));
	assert_int_equal(h->n_sent, sent);
	assert_int_equal(h->events[UE_UNPROTECTED], 0);
	assert_int_equal(h->events[UE_FAILED], 1);
	h_free(h);
}

/* Nor does a list that has nothing of ours let it. covers: PO-01, PO-02 */
static void no_common_entry_though_relaxed(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	char auth[512], fields[1024];

	(void)state;
	c.protect_or_abort = false;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	snprintf(fields, sizeof(fields), "%sSecurity-Server: digest;q=0.9\r\n",
		 h_challenge_field(h, H_AUTN_GOOD, auth));
	h_respond(h, h_last(h), 0, 401, fields);
	assert_int_equal(h->n_sent, 1);
	assert_int_equal(h->events[UE_UNPROTECTED], 0);
	assert_int_equal(h->events[UE_FAILED], 1);
	h_free(h);
}

static void unauthenticated_200_is_refused(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	h_ok(h, 0, 3600);
	assert_false(ue_registered(h->ue));
	assert_int_equal(h->events[UE_FAILED], 1);
	h_free(h);
}

/* covers: F07, SP-18 */
static void deregistration(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	unsigned long port_us;
	sa_set_id id;

	(void)state;
	h_start(h, &c);
	assert_int_equal(ue_deregister(h->ue, h->now), -ENOTCONN);
	id = h_register(h, 3600);
	port_us = h_param(h_field(h_last(h)->text, "Security-Client"), "port-s");
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	assert_int_equal(h_last(h)->flow.set, id);
	assert_string_equal(h_field(h_last(h)->text, "Expires"), "0");
	assert_non_null(strstr(h_field(h_last(h)->text, "Contact"), ";expires=0"));
	assert_int_equal(h_param(h_field(h_last(h)->text, "Security-Client"), "port-s"), port_us);
	h_respond(h, h_last(h), id, 200, "");
	assert_int_equal(h->events[UE_DEREGISTERED], 1);
	assert_false(ue_registered(h->ue));
	assert_int_equal(h_reserved(h), 0);
	assert_int_equal(ue_sets(h->ue), 0);
	h_register(h, 3600); /* and again, with another server port */
	assert_int_not_equal(h_param(h_field(h_last(h)->text, "Security-Client"), "port-s"),
			     port_us);
	h_free(h);
}

static void challenged_deregistration(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);
	sa_set_id id, fresh;

	(void)state;
	h_start(h, &c);
	id = h_register(h, 3600);
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	h_challenge(h, id, H_AUTN_GOOD);
	fresh = h_last(h)->flow.set;
	assert_int_not_equal(fresh, id);
	assert_string_equal(h_field(h_last(h)->text, "Expires"), "0");
	h_respond(h, h_last(h), fresh, 200, "");
	assert_int_equal(h->events[UE_DEREGISTERED], 1);
	assert_int_equal(h_reserved(h), 0);
	h_free(h);
}

/* covers: F07 */
static void many_cycles_leave_nothing(void **state)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	(void)state;
	h_start(h, &c);
	for (unsigned i = 0; i < 2000; i++) {
		sa_set_id id = h_register(h, 3600);

		assert_int_equal(ue_deregister(h->ue, h->now), 0);
		h_respond(h, h_last(h), id, 200, "");
		assert_int_equal(h_reserved(h), 0);
		h->n_sent = 0;
		h_advance(h, 20000);
	}
	h_advance(h, 200000);
	assert_int_equal(ue_transactions(h->ue), 0);
	assert_int_equal(timers_count(h->timers), 0);
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sm1_offers_every_choice_in_clear),
		cmocka_unit_test(sm7_on_the_new_set),
		cmocka_unit_test(res_with_a_nul),
		cmocka_unit_test(published_vector),
		cmocka_unit_test(registered_only_by_sm12),
		cmocka_unit_test(choice_of_security_server),
		cmocka_unit_test(every_single_choice),
		cmocka_unit_test(no_security_server),
		cmocka_unit_test(no_security_server_again),
		cmocka_unit_test(no_common_entry_though_relaxed),
		cmocka_unit_test(unauthenticated_200_is_refused),
		cmocka_unit_test(deregistration),
		cmocka_unit_test(challenged_deregistration),
		cmocka_unit_test(many_cycles_leave_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
