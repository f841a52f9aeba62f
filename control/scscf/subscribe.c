/* SUBSCRIBE for the event package reg: who may, for how long (TS 24.229 5.4.2.1.1, RFC 6665 4.2.1).
 */
#include <errno.h>
#include <inttypes.h>

#include "control/base/parse.h"
#include "control/scscf/internal.h"

static bool package_is_reg(const struct sip_msg *m)
{
	struct sv event = sip_msg_value(m, SIP_HDR_EVENT);
	const char *semicolon = event.n ? memchr(event.p, ';', event.n) : NULL;

	if (semicolon)
		event.n = (size_t)(semicolon - event.p);
	return sv_eq(sv_trim(event), SV("reg"));
}

static bool in_dialog_of_ours(const struct scscf *s, const struct sip_msg *m)
{
	struct sip_uri uri;

	return mw_proxy_is_own(&s->proxy, m->uri) && sip_uri_parse(&uri, m->uri) == 0 &&
	       sv_eq(uri.user, SV(SUBSCRIPTION_CONTACT_USER));
}

bool subscribe_concerns(const struct scscf *s, const struct sip_msg *m)
{
	if (m->method != SIP_SUBSCRIBE)
		return false;
	if (!sv_empty(m->to_tag))
		return in_dialog_of_ours(s, m);
	return package_is_reg(m) && session_user(s, m->uri);
}

/* ---- checks ------------------------------------------------------------------------------- */

enum subscriber { SUBSCRIBER_NONE, SUBSCRIBER_USER, SUBSCRIBER_NETWORK };

/* An element of the Path that the registration came by: the P-CSCF. */
static bool on_path(const struct user *u, struct sv uri)
{
	struct sv rest = sv_of(u->binding.path), element;
	struct sip_uri asserted, hop;
	struct sip_addr a;

	if (sip_uri_parse(&asserted, uri) < 0)
		return false;
	while (sip_list_next(&rest, &element))
		if (sip_addr_parse(&a, element) == 0 && sip_uri_parse(&hop, a.uri) == 0 &&
		    sv_eq(hop.user, asserted.user) && sv_caseeq(hop.host, asserted.host) &&
		    hop.port == asserted.port)
			return true;
	return false;
}

/* Who the trust domain says it is (RFC 3325): no UE's own word gets past its P-CSCF. */
static enum subscriber subscriber_of(const struct user *u, const struct sip_msg *m)
{
	struct sip_list identities = {.msg = m, .id = SIP_HDR_P_ASSERTED_IDENTITY};
	char buf[MW_MAX_IDENTITY];
	struct sip_addr a;
	struct sv element;

	while (sip_list_walk(&identities, &element)) {
		if (sip_addr_parse(&a, element) < 0)
			continue;
		if (user_serves(u, sip_identity(a.uri, buf, sizeof(buf))))
			return SUBSCRIBER_USER;
		if (on_path(u, a.uri))
			return SUBSCRIBER_NETWORK;
	}
	return SUBSCRIBER_NONE;
}

/* Without Accept it is our type (RFC 3680 4.5). */
static bool type_acceptable(const struct sip_msg *m)
{
	bool any = false;

	for (unsigned i = 0; i < m->n; i++) {
		struct sv rest = m->h[i].value, element;

		if (!sv_caseeq(m->h[i].name, SV("Accept")))
			continue;
		any = true;
		while (sip_list_next(&rest, &element)) {
			const char *end = element.n ? memchr(element.p, ';', element.n) : NULL;

			if (end)
				element.n = (size_t)(end - element.p);
			element = sv_trim(element);
			if (sv_caseeq(element, SV(REGINFO_TYPE)) ||
			    sv_eq(element, SV("application/*")) || sv_eq(element, SV("*/*")))
				return true;
		}
	}
	return !any;
}

struct wish { /* what a SUBSCRIBE asks for */
	struct sip_addr contact;
	uint32_t expires; /* s */
	enum subscriber who;
};

/* 0, or the status to refuse with; 420 has been sent. */
static unsigned wish_read(struct wish *w, const struct user *u, const struct sip_msg *m)
{
	struct scscf *s = u->scscf;
	struct sip_list contacts = {.msg = m, .id = SIP_HDR_CONTACT};
	const struct sip_header *expires = sip_msg_find(m, SIP_HDR_EXPIRES);
	struct sip_uri uri;
	struct sv element;

	if (!mw_proxy_options_known(&s->proxy, m, SIP_HDR_REQUIRE, NULL, 0))
		return 420;
	w->who = subscriber_of(u, m);
	if (w->who == SUBSCRIBER_NONE)
		return 403;
	if (!package_is_reg(m))
		return 489;
	if (!type_acceptable(m))
		return 406;
	w->expires = SUBSCRIPTION_EXPIRES;
	if (sv_empty(m->from_tag) || !sip_list_walk(&contacts, &element) ||
	    sip_addr_parse(&w->contact, element) < 0 || sip_uri_parse(&uri, w->contact.uri) < 0 ||
	    sv_empty(uri.host) || (expires && !parse_u32(expires->value, UINT32_MAX, &w->expires)))
		return 400;
	if (w->expires > s->expires_max)
		w->expires = s->expires_max;
	return w->expires && w->expires < s->expires_min ? 423 : 0;
}

static void refuse(struct scscf *s, const struct sip_msg *m, unsigned status)
{
	if (status == 423)
		reply_min_expires(s, m);
	else if (status == 489)
		mw_proxy_reply(&s->proxy, m, status, SV("Allow-Events: reg\r\n"));
	else if (status != 420)
		reply_status(s, m, status);
}

/* ---- doing it ----------------------------------------------------------------------------- */

static void reply_subscribed(struct subscription *b, const struct sip_msg *m, uint32_t expires)
{
	struct scscf *s = b->user->scscf;
	char buf[SIP_MAX_LENGTH];
	struct sbuf text = sbuf_of(buf, sizeof(buf));
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_RECORD_ROUTE);

	sip_reply_begin(&text, m, 200, sv_of(b->tag));
	for (; h; h = sip_msg_next(m, h))
		sbuf_put(&text, h->line);
	sbuf_printf(&text,
		    "Contact: <sip:" SUBSCRIPTION_CONTACT_USER "@%s>\r\nExpires: %" PRIu32 "\r\n",
		    s->host, expires);
	mw_proxy_reply_end(&s->proxy, &text, m);
}

/* Answers, and notifies whatever has changed (RFC 6665 4.2.1.1); with expires 0 that is the last.
 */
static void carry_out(struct subscription *b, const struct sip_msg *m, uint32_t expires,
		      uint64_t now)
{
	if (expires && subscription_refresh(b, expires, now) < 0) {
		reply_status(b->user->scscf, m, 500);
		subscription_free(b);
		return;
	}
	reply_subscribed(b, m, expires);
	if (expires)
		notify_send(b, true, now);
	else
		subscription_end(b, "timeout", now);
}

static void subscribe_first(struct scscf *s, const struct sip_msg *m, uint64_t now)
{
	struct user *u = session_user(s, m->uri);
	struct subscription *b;
	struct wish w;
	unsigned status = wish_read(&w, u, m);

	if (status)
		refuse(s, m, status);
	else if (subscription_create(u, &b, m, w.contact.uri, w.who == SUBSCRIBER_NETWORK, now) < 0)
		reply_status(s, m, 500);
	else
		carry_out(b, m, w.expires, now);
}

static void subscribe_again(struct scscf *s, const struct sip_msg *m, uint64_t now)
{
	struct subscription *b = subscription_find(s, m->to_tag);
	struct wish w;
	unsigned status;

	if (!b || !sv_eq(m->call_id, sv_of(b->call_id)) ||
	    !sv_eq(m->from_tag, sv_of(b->remote_tag))) {
		reply_status(s, m, 481);
		return;
	}
	status = m->cseq <= b->remote_cseq ? 500 : wish_read(&w, b->user, m);
	if (!status && subscription_retarget(b, w.contact.uri) < 0)
		status = 500;
	if (status) {
		refuse(s, m, status);
		return;
	}
	b->remote_cseq = m->cseq;
	carry_out(b, m, w.expires, now);
}

void subscribe_input(struct scscf *s, const struct sip_msg *m, uint64_t now)
{
	if (sv_empty(m->to_tag))
		subscribe_first(s, m, now);
	else
		subscribe_again(s, m, now);
}
