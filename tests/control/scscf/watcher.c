#include "tests/control/scscf/watcher.h"

#include <stdio.h>

#include "control/sip/edit.h"

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

void watcher_subscribe(struct core *c, const struct watcher *w)
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

const struct watcher watcher_network = {
	.from = PCSCF_URI, .network = true, .call_id = "s2", .expires = "6000"};

void watcher_message(struct core *c, unsigned n, struct sip_msg *m)
{
	assert_true(n < c->n_received);
	assert_int_equal(sip_msg_parse(m, sv_of(c->log[n])), 0);
}

unsigned watcher_status(struct core *c, unsigned n)
{
	struct sip_msg m;

	watcher_message(c, n, &m);
	return m.request ? 0 : m.status;
}

struct reginfo *watcher_notified(struct core *c, unsigned n, struct sip_msg *m, const char *state)
{
	struct reginfo *r;
	struct sv value;

	watcher_message(c, n, m);
	assert_true(m->request);
	assert_int_equal(m->method, SIP_NOTIFY);
	value = sip_msg_value(m, SIP_HDR_SUBSCRIPTION_STATE);
	if (value.n < strlen(state) || memcmp(value.p, state, strlen(state)) != 0)
		fail_msg("%.*s instead of %s", SV_ARG(value), state);
	assert_true(sv_eq(sip_msg_value(m, SIP_HDR_CONTENT_TYPE), SV(REGINFO_TYPE)));
	assert_int_equal(reginfo_parse(&r, m->body), 0);
	return r;
}

unsigned watcher_notified_all(struct core *c, unsigned n, const char *state,
			      enum reginfo_state registration, enum reginfo_event event,
			      uint32_t expires)
{
	struct sip_msg m;
	struct reginfo *r = watcher_notified(c, n, &m, state);
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

void watcher_answer(struct core *c, unsigned n, unsigned code, const char *fields)
{
	struct sip_msg m;
	char text[8192];
	struct sbuf b = sbuf_of(text, sizeof(text) - 1);

	watcher_message(c, n, &m);
	sip_reply_begin(&b, &m, code, SV("x"));
	sbuf_put(&b, sv_of(fields));
	sip_reply_end(&b, (struct sv){0});
	text[b.n] = '\0';
	core_send(c, "scscf.home.net", text);
}

void watcher_subscribed(struct core *c, const struct watcher *w, char tag[64])
{
	struct sip_msg m;

	watcher_subscribe(c, w);
	assert_int_equal(c->n_received, 2);
	watcher_message(c, 0, &m);
	assert_int_equal(m.status, 200);
	snprintf(tag, 64, "%.*s", SV_ARG(m.to_tag));
	watcher_answer(c, 1, 200, "");
	assert_int_equal(c->n_received, 0);
}
