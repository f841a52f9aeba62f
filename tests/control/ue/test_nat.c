/* The UE behind a NAT (TS 33.203 Annex M, TS 24.229 Annex F, field notes). */
#include "tests/control/ue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWN "10.45.0.1"
#define NAT "203.0.113.10"

static struct h *start(bool offers)
{
	struct h *h = h_alloc();
	struct ue_conf c = h_conf(h);

	c.udp_enc_tun = offers;
	h_start(h, &c);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	return h;
}

static bool addr_is(const struct ip_addr *a, const char *text)
{
	struct ip_addr b;

	assert_int_equal(ip_addr_parse(&b, text), 0);
	return ip_addr_eq(a, &b);
}

/* A response whose Via says where the packet came from; received NULL: nothing. */
static void respond(struct h *h, sa_set_id set, unsigned status, const char *received,
		    const char *fields)
{
	char text[H_TEXT], stamped[H_TEXT + 128];
	struct sip_flow from = h_flow(h, set);
	const char *at;

	h_response_text(text, h_last(h), status, fields);
	at = strstr(text, ";branch=");
	assert_non_null(at);
	if (received)
		snprintf(stamped, sizeof(stamped), "%.*s;received=%s%s", (int)(at - text), text,
			 received, at);
	else
		snprintf(stamped, sizeof(stamped), "%s", text);
	h_input(h, &from, stamped);
}

/* SM6 with one entry for each mode in the list. */
static void challenge(struct h *h, const char *received, const char *mods[2])
{
	char fields[2048], auth[512];
	int n = snprintf(fields, sizeof(fields),
			 "%sSecurity-Server: ", h_challenge_field(h, H_AUTN_GOOD, auth));

	h->spi_p += 2;
	for (unsigned i = 0; i < 2 && mods[i]; i++)
		n += snprintf(fields + n, sizeof(fields) - (size_t)n,
			      "%sipsec-3gpp;q=0.%u;alg=hmac-sha-1-96;ealg=aes-cbc;mod=%s;spi-c=%u;"
			      "spi-s=%u;port-c=5200;port-s=%u",
			      i ? ", " : "", 9 - i, mods[i], h->spi_p, h->spi_p + 1, H_SERVER_PORT);
	snprintf(fields + n, sizeof(fields) - (size_t)n, "\r\n");
	respond(h, 0, 401, received, fields);
}

static const char *tunnel_only[2] = {"UDP-enc-tun"}, *trans_only[2] = {"trans"},
		  *trans_first[2] = {"trans", "UDP-enc-tun"},
		  *tunnel_first[2] = {"UDP-enc-tun", "trans"};

static unsigned count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what))) {
		n++;
		text += strlen(what);
	}
	return n;
}

/* covers: D-17, HX-08, NM-02 */
static void offers_both_modes(void **state)
{
	char client[4096];

	(void)state;
	for (int offers = 0; offers < 2; offers++) {
		struct h *h = start(offers);

		snprintf(client, sizeof(client), "%s", h_field(h_last(h)->text, "Security-Client"));
		assert_int_equal(count(client, "ipsec-3gpp"), offers ? 12 : 6);
		assert_int_equal(count(client, "mod=UDP-enc-tun"), offers ? 6 : 0);
		/* transport mode first */
		if (offers)
			assert_true(strstr(client, "mod=UDP-enc-tun") >
				    strstr(client, "hmac-md5-96;ealg=des-ede3-cbc"));
		h_free(h);
	}
}

/* covers: D-17, C-34, NM-06, NM-12 */
static void sm7_through_the_tunnel(void **state)
{
	struct h *h = start(true);
	const struct sa_set *sa;
	char expected[200];
	const char *text;

	(void)state;
	challenge(h, NAT, tunnel_only);
	text = h_last(h)->text;
	assert_int_not_equal(h_last(h)->flow.set, 0);
	sa = &h_set(h, h_last(h)->flow.set)->sa;
	assert_int_equal(sa->mode, SA_MODE_UDP_ENC_TUN);
	assert_true(addr_is(&sa->local, OWN)); /* D-17: outbound source is the local address */
	assert_true(addr_is(&sa->remote, "10.44.0.1"));
	assert_int_equal(sa->tunnel.remote_port, 4500);
	assert_true(sa->tunnel.keepalive);
	assert_false(sa->tunnel.follow); /* the P-CSCF stays where it is */
	assert_true(addr_is(&sa->tunnel.inner_local, OWN));
	assert_true(addr_is(&sa->tunnel.inner_remote[0], "10.44.0.1"));
	assert_int_equal(sa->tunnel.inner_remote[1].version, 0);
	assert_int_equal(sa->tunnel.host_alias.version, 0);
	/* Via has the inner address, Contact the public one */
	assert_non_null(strstr(h_field(text, "Via"), OWN ":"));
	snprintf(expected, sizeof(expected), "<sip:user1_public1@" NAT ":%u",
		 sa->local_port[SA_SERVER]);
	assert_memory_equal(h_field(text, "Contact"), expected, strlen(expected));
	assert_true(addr_is(ue_public_addr(h->ue), NAT));
	h_free(h);
}

/* covers: D-17, NM-03 */
static void what_is_chosen(void **state)
{
	static const struct {
		bool offers;
		const char *received;
		const char **mods;
		int mode; /* -1: the UE gives up */
	} cases[] = {
		{true, NULL, trans_only, SA_MODE_TRANSPORT},
		{true, NULL, trans_first, SA_MODE_TRANSPORT},
		{true, NULL, tunnel_first, SA_MODE_UDP_ENC_TUN},
		{true, NULL, tunnel_only, SA_MODE_UDP_ENC_TUN}, /* the P-CSCF knows better */
		{true, OWN, trans_first, SA_MODE_TRANSPORT},
		{true, NAT, trans_first, SA_MODE_UDP_ENC_TUN}, /* transport mode cannot pass */
		{true, NAT, tunnel_first, SA_MODE_UDP_ENC_TUN},
		{true, NAT, trans_only, -1},
		{true, "rubbish", trans_only, SA_MODE_TRANSPORT},
		{true, "2001:db8::1", trans_only, SA_MODE_TRANSPORT},
		{false, NULL, trans_first, SA_MODE_TRANSPORT},
		{false, NULL, tunnel_only, -1}, /* not offered */
		{false, NAT, tunnel_only, -1},
		{false, NAT, trans_first, -1},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct h *h = start(cases[i].offers);

		challenge(h, cases[i].received, cases[i].mods);
		assert_int_equal(h->events[UE_FAILED], cases[i].mode < 0);
		if (cases[i].mode < 0) {
			assert_int_equal(h_reserved(h), 0);
			assert_int_equal(h->n_sent, 1);
		} else {
			assert_int_not_equal(h_last(h)->flow.set, 0);
			assert_int_equal(h_set(h, h_last(h)->flow.set)->sa.mode, cases[i].mode);
		}
		h_free(h);
	}
}

static void registered_for(struct h *h, const char *received, const char **mods, unsigned expires)
{
	char fields[256];
	sa_set_id set;

	challenge(h, received, mods);
	set = h_last(h)->flow.set;
	/* the registrar's list: another one of this user first; ours by its public address */
	snprintf(fields, sizeof(fields),
		 "Contact: <sip:user1_public1@10.9.9.9:5060>;expires=77, "
		 "<sip:user1_public1@%s:%u>;expires=%u\r\n",
		 received ? received : OWN, h_flow(h, set).local.port, expires);
	respond(h, set, 200, NULL, fields);
	assert_true(ue_registered(h->ue));
}

static void registered(struct h *h, const char *received, const char **mods)
{
	registered_for(h, received, mods, 600000);
}

/* What the registrar grants is said of the public address. */
/* covers: NM-12 */
static void granted_to_the_public_contact(void **state)
{
	struct h *h = start(true);

	(void)state;
	registered_for(h, NAT, tunnel_only, 1000);
	h_advance(h, 499000);
	assert_string_equal(h_last(h)->text, "\r\n\r\n");
	h_advance(h, 2000); /* half of the time is over, and a heartbeat due */
	assert_true(!memcmp(h_last(h)->text, "REGISTER", 8) ||
		    !memcmp(h_last(h)[-1].text, "REGISTER", 8));
	h_free(h);
}

/* The mapping is kept, and the P-CSCF told by something that proves where it came from. */
/* covers: D-17, NM-14 */
static void heartbeats(void **state)
{
	struct h *h = start(true);
	unsigned sent;

	(void)state;
	registered(h, NAT, tunnel_only);
	sent = h->n_sent;
	for (unsigned i = 1; i <= 5; i++) {
		h_advance(h, 20000);
		assert_int_equal(h->n_sent, sent + i);
		assert_string_equal(h_last(h)->text, "\r\n\r\n");
		assert_int_equal(h_last(h)->flow.set, ue_current_set(h->ue)->id);
		assert_int_equal(h_last(h)->flow.pair, SA_CLIENT);
	}
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	respond(h, h_last(h)->flow.set, 200, NULL, "");
	assert_int_equal(h->events[UE_DEREGISTERED], 1);
	sent = h->n_sent;
	h_advance(h, 600000);
	assert_int_equal(h->n_sent, sent);
	h_free(h);
}

static void no_heartbeat_without_tunnel(void **state)
{
	struct h *h = start(true);
	unsigned sent;

	(void)state;
	registered(h, NULL, trans_only);
	sent = h->n_sent;
	h_advance(h, 600000);
	assert_int_equal(h->n_sent, sent);
	h_free(h);
}

/* A refresh keeps the public Contact; registering anew in clear looks again where it is. */
/* covers: NM-12 */
static void contact_of_refresh_and_restart(void **state)
{
	struct h *h = start(true);

	(void)state;
	registered(h, NAT, tunnel_only);
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_non_null(strstr(h_field(h_last(h)->text, "Contact"), "@" NAT ":"));
	assert_int_not_equal(h_last(h)->flow.set, 0);
	respond(h, h_last(h)->flow.set, 200, NULL,
		"Contact: <sip:user1_public1@" NAT ":5000>;expires=600000\r\n");
	assert_int_equal(h->events[UE_REGISTERED], 2);
	assert_int_equal(ue_deregister(h->ue, h->now), 0);
	respond(h, h_last(h)->flow.set, 200, NULL, "");
	assert_int_equal(ue_register(h->ue, h->now), 0);
	assert_int_equal(h_last(h)->flow.set, 0);
	assert_non_null(strstr(h_field(h_last(h)->text, "Contact"), "@" OWN ":"));
	challenge(h, NULL, trans_only); /* the NAT is gone */
	assert_non_null(strstr(h_field(h_last(h)->text, "Contact"), "@" OWN ":"));
	assert_int_equal(h_set(h, h_last(h)->flow.set)->sa.mode, SA_MODE_TRANSPORT);
	assert_int_equal(h_set(h, h_last(h)->flow.set)->sa.tunnel.remote_port, 0);
	h_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offers_both_modes),
		cmocka_unit_test(sm7_through_the_tunnel),
		cmocka_unit_test(what_is_chosen),
		cmocka_unit_test(granted_to_the_public_contact),
		cmocka_unit_test(heartbeats),
		cmocka_unit_test(no_heartbeat_without_tunnel),
		cmocka_unit_test(contact_of_refresh_and_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
