/* The notifier of the event package reg: who may subscribe, for how long. */
#include "tests/control/scscf/watcher.h"

#include <stdio.h>

static void first_subscription(void **state)
{
	struct core_pair *t = *state;
	struct sip_msg m, n;
	struct reginfo *r;

	watcher_subscribe(
		t->c, &(struct watcher){.event = "reg;id=4",
					.fields = "Accept: text/plain, " REGINFO_TYPE ";q=1\r\n"});
	assert_int_equal(t->c->n_received, 2);
	watcher_message(t->c, 0, &m);
	assert_int_equal(m.status, 200);
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_EXPIRES), SV("600")));
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_CONTACT), SV("<sip:reg@scscf.home.net>")));
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_RECORD_ROUTE),
			  SV("<sip:rr@pcscf.visited.net;lr>")));
	assert_false(sv_empty(m.to_tag));
	r = watcher_notified(t->c, 1, &n, "active;expires=600");
	assert_true(sv_eq(n.uri, SV("sip:u1@192.0.2.7:6001")));
	assert_true(sv_eq(n.call_id, SV("s1")));
	assert_true(sv_eq(n.from_tag, m.to_tag));
	assert_true(sv_eq(n.to_tag, SV("watch")));
	assert_true(sv_eq(sip_msg_value(&n, SIP_HDR_EVENT), SV("reg;id=4")));
	assert_true(sv_eq(sip_msg_value(&n, SIP_HDR_ROUTE), SV("<sip:rr@pcscf.visited.net;lr>")));
	assert_true(r->full);
	assert_int_equal(r->version, 0);
	assert_int_equal(r->n_registrations, 3);
	assert_true(sv_eq(r->registrations[0].aor, SV("sip:u1@home.net")));
	assert_true(sv_eq(r->registrations[1].aor, SV("tel:+491001")));
	assert_int_equal(r->contacts[0].event, REGINFO_REGISTERED);
	assert_int_equal(r->contacts[1].event, REGINFO_CREATED);
	assert_int_equal(r->contacts[2].event, REGINFO_CREATED);
	assert_true(sv_eq(r->contacts[0].uri, sv_of(t->a.contact)));
	assert_int_equal(r->contacts[0].expires, 600);
	assert_false(sv_eq(r->contacts[0].id, r->contacts[1].id));
	reginfo_free(r);
	watcher_answer(t->c, 1, 200, "");
	assert_int_equal(scscf_subscriptions(t->c->scscf), 1);
}

/* TS 24.229 5.4.2.1.1: the user itself, its P-CSCF, nobody else. */
static void authorisation(void **state)
{
	static const struct {
		struct watcher w;
		unsigned status;
	} cases[] = {
		{{.from = "sip:u1@home.net"}, 200},
		{{.uri = "tel:+491001", .from = "sip:alias1@home.net"}, 200},
		{{.from = PCSCF_URI, .network = true}, 200},
		{{.from = "sip:u2@home.net"}, 403},
		{{.from = "sip:u1@home.net", .asserted = "sip:u2@home.net"}, 403},
		{{.uri = "sip:u2@home.net"}, 403},
		{{.from = "sip:other@pcscf.visited.net", .network = true}, 403},
		{{.from = "sip:term@pcscf.elsewhere.net", .network = true}, 403},
		{{.from = "sip:term@pcscf.visited.net:5061", .network = true}, 403},
		{{.from = "sip:u1@home.net", .asserted = "sip:x y"}, 403},
	};
	struct core_pair *t = *state;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct watcher w = cases[i].w;
		char id[16];

		snprintf(id, sizeof(id), "id%u", i);
		w.call_id = id;
		watcher_subscribe(t->c, &w);
		if (watcher_status(t->c, 0) != cases[i].status)
			fail_msg("case %u: %u", i, watcher_status(t->c, 0));
		assert_int_equal(t->c->n_received, cases[i].status == 200 ? 2 : 1);
	}
}

static void refused(void **state)
{
	static const struct {
		struct watcher w;
		unsigned status;
	} cases[] = {
		{{.contact = ""}, 400},
		{{.contact = "*"}, 400},
		{{.contact = "<tel:+49>"}, 400},
		{{.expires = "soon"}, 400},
		{{.expires = "-1"}, 400},
		{{.expires = "4294967296"}, 400},
		{{.expires = "59"}, 423},
		{{.fields = "Accept: text/plain\r\n"}, 406},
		{{.fields = "Require: eventlist\r\n"}, 420},
		{{.fields = "Proxy-Require: x\r\n"}, 420},
		{{.tag = "unknown"}, 481},
	};
	struct core_pair *t = *state;
	char tag[64];

	for (unsigned i = 0; i < N_OF(cases); i++) {
		watcher_subscribe(t->c, &cases[i].w);
		if (t->c->n_received != 1 || watcher_status(t->c, 0) != cases[i].status)
			fail_msg("case %u: %u", i, watcher_status(t->c, 0));
	}
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
	watcher_subscribed(t->c, &(struct watcher){0}, tag);
	/* in the dialog: another package, another call, a repeat */
	watcher_subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 2, .event = "presence"});
	assert_int_equal(watcher_status(t->c, 0), 489);
	watcher_subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 2, .call_id = "s9"});
	assert_int_equal(watcher_status(t->c, 0), 481);
	watcher_subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 2, .network = true});
	assert_int_equal(watcher_status(t->c, 0), 481); /* another From tag */
	watcher_subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 1});
	assert_int_equal(watcher_status(t->c, 0), 500);
	watcher_subscribe(t->c,
			  &(struct watcher){.tag = tag, .cseq = 2, .asserted = "sip:u2@home.net"});
	assert_int_equal(watcher_status(t->c, 0), 403);
	assert_int_equal(scscf_subscriptions(t->c->scscf), 1);
}

static void expiry_and_refresh(void **state)
{
	struct core_pair *t = *state;
	struct sip_msg m;
	char tag[64];

	watcher_subscribed(t->c, &(struct watcher){.expires = "60"}, tag);
	core_wait(t->c, 59000);
	assert_int_equal(t->c->n_received, 0);
	watcher_subscribe(t->c, &(struct watcher){.tag = tag,
						  .cseq = 2,
						  .expires = "99999999",
						  .contact = "<sip:u1@192.0.2.8>"});
	assert_int_equal(t->c->n_received, 2);
	watcher_message(t->c, 0, &m);
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_EXPIRES), SV("7200"))); /* expires_max */
	reginfo_free(watcher_notified(t->c, 1, &m, "active;expires=7200"));
	assert_true(sv_eq(m.uri, SV("sip:u1@192.0.2.8"))); /* target refresh */
	watcher_answer(t->c, 1, 200, "");
	/* the last refresh for 60 s, and no more */
	watcher_subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 3, .expires = "60"});
	watcher_answer(t->c, 1, 200, "");
	core_wait(t->c, 60000);
	assert_int_equal(t->c->n_received, 1);
	reginfo_free(watcher_notified(t->c, 0, &m, "terminated;reason=timeout"));
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
}

static void unsubscribe_and_fetch(void **state)
{
	struct core_pair *t = *state;
	char tag[64];
	struct sip_msg m;

	watcher_subscribed(t->c, &(struct watcher){0}, tag);
	watcher_subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 2, .expires = "0"});
	assert_int_equal(t->c->n_received, 2);
	assert_int_equal(watcher_status(t->c, 0), 200);
	reginfo_free(watcher_notified(t->c, 1, &m, "terminated;reason=timeout"));
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
	watcher_subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 3});
	assert_int_equal(watcher_status(t->c, 0), 481);
	watcher_subscribe(t->c, &(struct watcher){.expires = "0"}); /* RFC 6665 4.4.3 */
	assert_int_equal(t->c->n_received, 2);
	reginfo_free(watcher_notified(t->c, 1, &m, "terminated;reason=timeout"));
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
	watcher_subscribe(t->c, &(struct watcher){.expires = ""});
	watcher_message(t->c, 0, &m);
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_EXPIRES), SV("3761")));
}

static void no_more_than_eight(void **state)
{
	struct core_pair *t = *state;
	char id[16], tag[64];
	struct sip_msg m;

	for (unsigned i = 0; i < 8; i++) {
		snprintf(id, sizeof(id), "id%u", i);
		watcher_subscribed(t->c, &(struct watcher){.call_id = id}, tag);
	}
	for (unsigned i = 8; i < 40; i++) {
		char oldest[16];

		snprintf(id, sizeof(id), "id%u", i);
		snprintf(oldest, sizeof(oldest), "id%u", i - 8);
		watcher_subscribe(t->c, &(struct watcher){.call_id = id});
		assert_int_equal(t->c->n_received, 3);
		reginfo_free(watcher_notified(t->c, 0, &m, "terminated;reason=rejected"));
		assert_true(sv_eq(m.call_id, sv_of(oldest)));
		assert_int_equal(scscf_subscriptions(t->c->scscf), 8);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, core_pair_setup, core_pair_teardown)
	const struct CMUnitTest tests[] = {
		T(first_subscription), T(authorisation),	 T(refused),
		T(expiry_and_refresh), T(unsubscribe_and_fetch), T(no_more_than_eight),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
