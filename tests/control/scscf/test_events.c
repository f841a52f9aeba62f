/* The notifier of the event package reg: subscriptions, NOTIFYs, re-authentication. */
#include "tests/control/scscf/core.h"

#include <errno.h>
#include <stdio.h>

#include "control/reginfo/reginfo.h"
#include "control/sip/edit.h"

#define PCSCF_URI "sip:term@pcscf.visited.net"

/* ---- a subscriber ------------------------------------------------------------------------- */

struct watcher {	 /* zero: u1, from its own UE */
	const char *uri; /* To and first Request-URI */
	const char *from, *asserted;
	const char *event, *contact, *expires, *fields; /* whole values; "": none */
	const char *tag;				/* To tag; NULL: none yet */
	const char *call_id;
	unsigned cseq; /* 0: 1 */
	bool network;
};

static const char * or (const char *a, const char *b)
{
	return a ? a : b;
}

static void field(struct sbuf *b, const char *name, const char *value, const char *usual)
{
	value = or (value, usual);
	if (value[0])
		sbuf_printf(b, "%s: %s\r\n", name, value);
}

/* Sends the SUBSCRIBE; what comes back is in c->log. */
static void subscribe(struct core *c, const struct watcher *w)
{
	const char *uri = or (w->uri, "sip:u1@home.net");
	char text[8192];
	struct sbuf b = sbuf_of(text, sizeof(text) - 1);

	sbuf_printf(&b,
		    "SUBSCRIBE %s SIP/2.0\r\n"
		    "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bKs%u%s\r\n"
		    "Max-Forwards: 69\r\nFrom: <%s>;tag=%s\r\nTo: <%s>%s%s\r\n"
		    "Call-ID: %s\r\nCSeq: %u SUBSCRIBE\r\nP-Asserted-Identity: <%s>\r\n%s",
		    w->tag ? "sip:reg@scscf.home.net" : uri, w->cseq, or (w->call_id, "s1"),
		    or (w->from, "sip:u1@home.net"), w->network ? "net" : "watch", uri,
		    w->tag ? ";tag=" : "", or (w->tag, ""), or (w->call_id, "s1"),
		    w->cseq ? w->cseq : 1, or (w->asserted, or (w->from, "sip:u1@home.net")),
		    or (w->fields, ""));
	if (!w->network && !w->tag)
		sbuf_put(&b, SV("Route: <sip:orig@scscf.home.net;lr>\r\n"
				"Record-Route: <sip:rr@pcscf.visited.net;lr>\r\n"));
	field(&b, "Event", w->event, "reg");
	field(&b, "Contact", w->contact,
	      w->network ? "<" PCSCF_URI ">" : "<sip:u1@192.0.2.7:6001>");
	field(&b, "Expires", w->expires, "600");
	sbuf_put(&b, SV("Content-Length: 0\r\n\r\n"));
	assert_false(b.overflow);
	text[b.n] = '\0';
	core_send(c, w->network && !w->tag ? "icscf.home.net" : "scscf.home.net", text);
	/* by the I-CSCF the 200 takes one hop more than the NOTIFY (RFC 6665 4.1.2.4) */
	if (c->n_received == 2 && memcmp(c->log[0], "NOTIFY", 6) == 0) {
		memcpy(text, c->log[0], sizeof(text));
		memcpy(c->log[0], c->log[1], sizeof(text));
		memcpy(c->log[1], text, sizeof(text));
	}
}

static const struct watcher the_network = {
	.from = PCSCF_URI, .network = true, .call_id = "s2", .expires = "6000"};

/* The n-th message since the last order; views into the log. */
static void message(struct core *c, unsigned n, struct sip_msg *m)
{
	assert_true(n < c->n_received);
	assert_int_equal(sip_msg_parse(m, sv_of(c->log[n])), 0);
}

static unsigned status(struct core *c, unsigned n)
{
	struct sip_msg m;

	message(c, n, &m);
	return m.request ? 0 : m.status;
}

/* The n-th message is a NOTIFY with this Subscription-State (a beginning of it); its document. */
static struct reginfo *notified(struct core *c, unsigned n, struct sip_msg *m, const char *state)
{
	struct reginfo *r;
	struct sv value;

	message(c, n, m);
	assert_true(m->request);
	assert_int_equal(m->method, SIP_NOTIFY);
	value = sip_msg_value(m, SIP_HDR_SUBSCRIPTION_STATE);
	if (value.n < strlen(state) || memcmp(value.p, state, strlen(state)) != 0)
		fail_msg("%.*s instead of %s", SV_ARG(value), state);
	assert_true(sv_eq(sip_msg_value(m, SIP_HDR_CONTENT_TYPE), SV(REGINFO_TYPE)));
	assert_int_equal(reginfo_parse(&r, m->body), 0);
	return r;
}

/* The same, and all of its registrations are as said. */
static unsigned notified_all(struct core *c, unsigned n, const char *state,
			     enum reginfo_state registration, enum reginfo_event event,
			     uint32_t expires)
{
	struct sip_msg m;
	struct reginfo *r = notified(c, n, &m, state);
	unsigned version = r->version;

	assert_int_equal(r->n_registrations, 3);
	assert_int_equal(r->n_contacts, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(r->registrations[i].state, registration);
		assert_int_equal(r->contacts[i].active, registration == REGINFO_ACTIVE);
		assert_int_equal(r->contacts[i].event, event);
		assert_int_equal(r->contacts[i].expires, expires);
	}
	reginfo_free(r);
	return version;
}

/* Answers the n-th message. */
static void answer(struct core *c, unsigned n, unsigned code, const char *fields)
{
	struct sip_msg m;
	char text[8192];
	struct sbuf b = sbuf_of(text, sizeof(text) - 1);

	message(c, n, &m);
	sip_reply_begin(&b, &m, code, SV("x"));
	sbuf_put(&b, sv_of(fields));
	sip_reply_end(&b, (struct sv){0});
	text[b.n] = '\0';
	core_send(c, "scscf.home.net", text);
}

/* A subscription of u1's UE, its first NOTIFY answered; the tag to tag[]. */
static void subscribed(struct core *c, const struct watcher *w, char tag[64])
{
	struct sip_msg m;

	subscribe(c, w);
	assert_int_equal(c->n_received, 2);
	message(c, 0, &m);
	assert_int_equal(m.status, 200);
	snprintf(tag, 64, "%.*s", SV_ARG(m.to_tag));
	answer(c, 1, 200, "");
	assert_int_equal(c->n_received, 0);
}

/* ---- subscribing -------------------------------------------------------------------------- */

static void first_subscription(void **state)
{
	struct core_pair *t = *state;
	struct sip_msg m, n;
	struct reginfo *r;

	subscribe(t->c,
		  &(struct watcher){.event = "reg;id=4",
				    .fields = "Accept: text/plain, " REGINFO_TYPE ";q=1\r\n"});
	assert_int_equal(t->c->n_received, 2);
	message(t->c, 0, &m);
	assert_int_equal(m.status, 200);
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_EXPIRES), SV("600")));
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_CONTACT), SV("<sip:reg@scscf.home.net>")));
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_RECORD_ROUTE),
			  SV("<sip:rr@pcscf.visited.net;lr>")));
	assert_false(sv_empty(m.to_tag));
	r = notified(t->c, 1, &n, "active;expires=600");
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
	answer(t->c, 1, 200, "");
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
		subscribe(t->c, &w);
		if (status(t->c, 0) != cases[i].status)
			fail_msg("case %u: %u", i, status(t->c, 0));
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
		subscribe(t->c, &cases[i].w);
		if (t->c->n_received != 1 || status(t->c, 0) != cases[i].status)
			fail_msg("case %u: %u", i, status(t->c, 0));
	}
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
	subscribed(t->c, &(struct watcher){0}, tag);
	/* in the dialog: another package, another call, a repeat */
	subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 2, .event = "presence"});
	assert_int_equal(status(t->c, 0), 489);
	subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 2, .call_id = "s9"});
	assert_int_equal(status(t->c, 0), 481);
	subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 2, .network = true});
	assert_int_equal(status(t->c, 0), 481); /* another From tag */
	subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 1});
	assert_int_equal(status(t->c, 0), 500);
	subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 2, .asserted = "sip:u2@home.net"});
	assert_int_equal(status(t->c, 0), 403);
	assert_int_equal(scscf_subscriptions(t->c->scscf), 1);
}

static void expiry_and_refresh(void **state)
{
	struct core_pair *t = *state;
	struct sip_msg m;
	char tag[64];

	subscribed(t->c, &(struct watcher){.expires = "60"}, tag);
	core_wait(t->c, 59000);
	assert_int_equal(t->c->n_received, 0);
	subscribe(t->c, &(struct watcher){.tag = tag,
					  .cseq = 2,
					  .expires = "99999999",
					  .contact = "<sip:u1@192.0.2.8>"});
	assert_int_equal(t->c->n_received, 2);
	message(t->c, 0, &m);
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_EXPIRES), SV("7200"))); /* expires_max */
	reginfo_free(notified(t->c, 1, &m, "active;expires=7200"));
	assert_true(sv_eq(m.uri, SV("sip:u1@192.0.2.8"))); /* target refresh */
	answer(t->c, 1, 200, "");
	/* the last refresh for 60 s, and no more */
	subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 3, .expires = "60"});
	answer(t->c, 1, 200, "");
	core_wait(t->c, 60000);
	assert_int_equal(t->c->n_received, 1);
	reginfo_free(notified(t->c, 0, &m, "terminated;reason=timeout"));
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
}

static void unsubscribe_and_fetch(void **state)
{
	struct core_pair *t = *state;
	char tag[64];
	struct sip_msg m;

	subscribed(t->c, &(struct watcher){0}, tag);
	subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 2, .expires = "0"});
	assert_int_equal(t->c->n_received, 2);
	assert_int_equal(status(t->c, 0), 200);
	reginfo_free(notified(t->c, 1, &m, "terminated;reason=timeout"));
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
	subscribe(t->c, &(struct watcher){.tag = tag, .cseq = 3});
	assert_int_equal(status(t->c, 0), 481);
	subscribe(t->c, &(struct watcher){.expires = "0"}); /* RFC 6665 4.4.3 */
	assert_int_equal(t->c->n_received, 2);
	reginfo_free(notified(t->c, 1, &m, "terminated;reason=timeout"));
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
	subscribe(t->c, &(struct watcher){.expires = ""});
	message(t->c, 0, &m);
	assert_true(sv_eq(sip_msg_value(&m, SIP_HDR_EXPIRES), SV("3761")));
}

static void no_more_than_eight(void **state)
{
	struct core_pair *t = *state;
	char id[16], tag[64];
	struct sip_msg m;

	for (unsigned i = 0; i < 8; i++) {
		snprintf(id, sizeof(id), "id%u", i);
		subscribed(t->c, &(struct watcher){.call_id = id}, tag);
	}
	for (unsigned i = 8; i < 40; i++) {
		char oldest[16];

		snprintf(id, sizeof(id), "id%u", i);
		snprintf(oldest, sizeof(oldest), "id%u", i - 8);
		subscribe(t->c, &(struct watcher){.call_id = id});
		assert_int_equal(t->c->n_received, 3);
		reginfo_free(notified(t->c, 0, &m, "terminated;reason=rejected"));
		assert_true(sv_eq(m.call_id, sv_of(oldest)));
		assert_int_equal(scscf_subscriptions(t->c->scscf), 8);
	}
}

/* ---- news --------------------------------------------------------------------------------- */

static void failed_notify_ends_it(void **state)
{
	static const struct {
		unsigned status; /* 0: no answer */
		const char *fields;
		unsigned left;
	} cases[] = {{481, "", 0},
		     {480, "", 0},
		     {503, "Retry-After: 5\r\n", 1},
		     {408, "", 0},
		     {0, "", 0}};
	struct core_pair *t = *state;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct watcher w = {.call_id = (const char *const[]){"a", "b", "c", "d", "e"}[i]};
		unsigned before = scscf_subscriptions(t->c->scscf);

		subscribe(t->c, &w);
		if (cases[i].status)
			answer(t->c, 1, cases[i].status, cases[i].fields);
		else
			core_wait(t->c, 33000);
		assert_int_equal(scscf_subscriptions(t->c->scscf), before + cases[i].left);
	}
}

/* One NOTIFY at a time: what happens meanwhile comes in one document. */
static void news_while_notifying(void **state)
{
	struct core_pair *t = *state;
	struct sip_msg m;
	struct reginfo *r;

	subscribe(t->c, &(struct watcher){0});
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(
			scscf_reauthenticate(t->c->scscf, sv_of(t->a.impi), 100 + i, t->c->now), 0);
	mw_run(t->c->mw, t->c->now);
	assert_int_equal(t->c->n_received, 2);
	answer(t->c, 1, 200, "");
	assert_int_equal(t->c->n_received, 1);
	r = notified(t->c, 0, &m, "active;expires=600");
	assert_true(r->full);
	assert_int_equal(r->version, 1);
	assert_int_equal(r->contacts[0].event, REGINFO_SHORTENED);
	assert_int_equal(r->contacts[0].expires, 100); /* and never longer again */
	reginfo_free(r);
	answer(t->c, 0, 200, "");
	assert_int_equal(t->c->n_received, 0);
}

static void reauthenticate(struct core_pair *t, uint32_t expires)
{
	t->c->n_received = 0;
	assert_int_equal(scscf_reauthenticate(t->c->scscf, sv_of(t->a.impi), expires, t->c->now),
			 0);
	mw_run(t->c->mw, t->c->now);
}

/* covers: AK-14 */
static void shortened_and_challenged(void **state)
{
	struct core_pair *t = *state;
	char tag[64], tag2[64], nonce[256];

	assert_int_equal(ue_register(&t->a, &(struct reg_opts){.authorization = t->a.good,
							       .integrity = "yes",
							       .expires = "7200"}),
			 200);
	subscribed(t->c, &(struct watcher){.expires = "6000"}, tag);
	subscribed(t->c, &the_network, tag2);
	assert_int_equal(scscf_reauthenticate(t->c->scscf, SV("nobody@home.net"), 0, t->c->now),
			 -ENOENT);
	reauthenticate(t, 0); /* 600 s, as TS 24.229 5.4.1.6 has it */
	assert_int_equal(t->c->n_received, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			notified_all(t->c, i, "active;", REGINFO_ACTIVE, REGINFO_SHORTENED, 600),
			1);
	/* a refresh that shows the last good answer is challenged all the same, afresh */
	snprintf(nonce, sizeof(nonce), "%.*s", SV_ARG(t->a.challenge.nonce));
	assert_int_equal(ue_refresh(&t->a), 401);
	assert_false(sv_eq(t->a.challenge.nonce, sv_of(nonce)));
	assert_int_equal(ue_refresh(&t->a), 401); /* and again, until it answers */
	assert_int_equal(ue_respond(&t->a, UE_RIGHT), 200);
	assert_int_equal(ue_refresh(&t->a), 200); /* from now on as before */
	core_wait(t->c, 599000);
	assert_int_equal(scscf_registered(t->c->scscf), 2);
}

static void refresh_is_told_after_shortening(void **state)
{
	struct core_pair *t = *state;
	char tag[64];

	subscribed(t->c, &(struct watcher){0}, tag);
	assert_int_equal(ue_refresh(&t->a), 200);
	assert_int_equal(t->c->n_received, 1); /* the UE knows */
	reauthenticate(t, 300);
	answer(t->c, 0, 200, "");
	assert_int_equal(ue_refresh(&t->a), 401);
	assert_int_equal(ue_respond(&t->a, UE_RIGHT), 200);
	/* the 200 takes the way by the I-CSCF, so it comes behind */
	assert_int_equal(t->c->n_received, 2);
	assert_int_equal(notified_all(t->c, 0, "active;", REGINFO_ACTIVE, REGINFO_REFRESHED, 600),
			 2);
}

/* De-registration needs no new run (AK-13). */
static void shortened_may_leave(void **state)
{
	struct core_pair *t = *state;

	reauthenticate(t, 300);
	assert_int_equal(ue_detach(&t->a), 200);
	assert_int_equal(scscf_registered(t->c->scscf), 1);
}

/* covers: AK-16 */
static void silent_ue_is_deregistered(void **state)
{
	struct core_pair *t = *state;
	char tag[64], tag2[64];

	subscribed(t->c, &the_network, tag2);
	subscribed(t->c, &(struct watcher){0}, tag);
	reauthenticate(t, 300);
	answer(t->c, 0, 200, "");
	core_wait(t->c, 1);
	core_wait(t->c, 299998);
	assert_int_equal(scscf_registered(t->c->scscf), 2);
	core_wait(t->c, 1);
	assert_int_equal(scscf_registered(t->c->scscf), 1);
	assert_int_equal(core_flag(t->c, 1), CX_NOT_REGISTERED);
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
}

/* covers: AK-16 */
static void silent_ue_is_asked_again(void **state)
{
	struct core_pair *t = *state;
	struct scscf_conf conf;
	struct core *c;
	struct ue u;
	char tag[64];

	(void)t;
	core_conf(&conf);
	conf.reauth_expires = 100;
	conf.reauth_repeats = 2;
	c = core_alloc(&conf, NULL);
	ue_init(&u, c, 1);
	ue_attach(&u);
	subscribed(c, &(struct watcher){0}, tag);
	c->n_received = 0;
	assert_int_equal(scscf_reauthenticate(c->scscf, sv_of(u.impi), 0, c->now), 0);
	mw_run(c->mw, c->now);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(c->n_received, 1);
		assert_int_equal(
			notified_all(c, 0, "active;", REGINFO_ACTIVE, REGINFO_SHORTENED, 100),
			1 + i);
		answer(c, 0, 200, "");
		core_wait(c, 99000);
		assert_int_equal(c->n_received, 0);
		core_wait(c, 1000);
	}
	assert_int_equal(c->n_received, 1);
	notified_all(c, 0, "terminated;reason=noresource", REGINFO_TERMINATED, REGINFO_EXPIRED, 0);
	assert_int_equal(scscf_registered(c->scscf), 0);
	core_free(c);
}

/* ---- the end of a registration ------------------------------------------------------------ */

static void terminated(struct core_pair *t, enum reginfo_event event)
{
	struct sip_msg m;

	assert_int_equal(t->c->n_received, 2);
	notified_all(t->c, 0, "terminated;reason=noresource", REGINFO_TERMINATED, event, 0);
	notified_all(t->c, 1, "terminated;reason=noresource", REGINFO_TERMINATED, event, 0);
	message(t->c, 0, &m); /* the UE first, since its P-CSCF will cut it off */
	assert_true(sv_eq(m.call_id, SV("s1")));
	message(t->c, 1, &m);
	assert_true(sv_eq(m.uri, SV(PCSCF_URI)));
	assert_true(sv_empty(sip_msg_value(&m, SIP_HDR_ROUTE)));
	assert_int_equal(scscf_subscriptions(t->c->scscf), 0);
}

static void ends(void **state)
{
	struct core_pair *t = *state;
	char tag[64];

	for (unsigned how = 0; how < 4; how++) {
		subscribed(t->c, &the_network, tag);
		subscribed(t->c, &(struct watcher){.expires = "6000"}, tag);
		t->c->n_received = 0;
		if (how == 0) {
			assert_int_equal(scscf_deregister(t->c->scscf, sv_of(t->a.impi), t->c->now),
					 0);
			mw_run(t->c->mw, t->c->now);
			terminated(t, REGINFO_DEACTIVATED);
		} else if (how == 1) {
			assert_int_equal(scscf_reject(t->c->scscf, sv_of(t->a.impi), t->c->now), 0);
			mw_run(t->c->mw, t->c->now);
			terminated(t, REGINFO_REJECTED);
		} else if (how == 2) {
			ue_detach(&t->a);
			assert_int_equal(status(t->c, 2), 200);
			t->c->n_received--;
			terminated(t, REGINFO_UNREGISTERED);
		} else {
			assert_int_equal(ue_refresh(&t->b), 200);
			core_wait(t->c, 599999);
			ue_refresh(&t->b);
			core_wait(t->c, 1);
			terminated(t, REGINFO_EXPIRED);
			break;
		}
		core_wait(t->c, 40000);
		ue_attach(&t->a);
		ue_refresh(&t->b);
	}
}

/* The last NOTIFY goes although the one before has no answer. */
static void ends_while_notifying(void **state)
{
	struct core_pair *t = *state;
	struct sip_msg m;

	subscribe(t->c, &(struct watcher){0});
	t->c->n_received = 0;
	assert_int_equal(scscf_deregister(t->c->scscf, sv_of(t->a.impi), t->c->now), 0);
	mw_run(t->c->mw, t->c->now);
	assert_int_equal(t->c->n_received, 1);
	reginfo_free(notified(t->c, 0, &m, "terminated;reason=noresource"));
	assert_int_equal(m.cseq, 2);
	subscribe(t->c, &(struct watcher){.call_id = "s3"});
	assert_int_equal(status(t->c, 0), 403); /* u1 is no user of ours any more */
}

/* Freed with subscriptions, timers and NOTIFYs under way: sanitizers and timers_count() look. */
static void freed_in_the_middle(void **state)
{
	struct core_pair *t = *state;
	char tag[64];

	subscribed(t->c, &the_network, tag);
	subscribe(t->c, &(struct watcher){0});
	scscf_free(t->c->scscf);
	assert_int_equal(timers_count(t->c->timers), 0);
	t->c->scscf = NULL;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, core_pair_setup, core_pair_teardown)
	const struct CMUnitTest tests[] = {
		T(first_subscription),
		T(authorisation),
		T(refused),
		T(expiry_and_refresh),
		T(unsubscribe_and_fetch),
		T(no_more_than_eight),
		T(failed_notify_ends_it),
		T(news_while_notifying),
		T(shortened_and_challenged),
		T(refresh_is_told_after_shortening),
		T(shortened_may_leave),
		T(silent_ue_is_deregistered),
		T(silent_ue_is_asked_again),
		T(ends),
		T(ends_while_notifying),
		T(freed_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
