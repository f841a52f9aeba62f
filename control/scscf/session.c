/*
 * Requests other than REGISTER (TS 24.229 5.4.3). The user part of our own Route says what for:
 * "orig" is of Service-Route (originating), "dialog" is of our Record-Route, others come from the
 * I-CSCF (terminating).
 */
#include "control/scscf/internal.h"

#include <errno.h>

static const struct sv originating_user = {"orig", 4}, dialog_user = {"dialog", 6};

/* ---- whom it concerns --------------------------------------------------------------------- */

struct user *session_user(const struct scscf *s, struct sv uri)
{
	char buf[MW_MAX_IDENTITY];
	struct user *u = user_served(s, sip_identity(uri, buf, sizeof(buf)));

	return u ? u : user_served(s, mw_phone_alias(uri, buf, sizeof(buf)));
}

/* The P-CSCF vouches for the identity, we for its registration (TS 24.229 5.4.3.2). */
static struct user *asserted_user(const struct scscf *s, const struct sip_msg *m)
{
	struct sip_list identities = {.msg = m, .id = SIP_HDR_P_ASSERTED_IDENTITY};
	struct sip_addr a;
	struct sv element;
	struct user *u = NULL;

	while (!u && sip_list_walk(&identities, &element))
		if (sip_addr_parse(&a, element) == 0)
			u = session_user(s, a.uri);
	return u;
}

static bool is_emergency(const struct sip_msg *m)
{
	const struct sv sos = SV("urn:service:sos");

	return m->uri.n >= sos.n && sv_caseeq((struct sv){m->uri.p, sos.n}, sos);
}

/* TS-07: policy has no use for who is registered by Digest without TLS. */
static bool is_barred(const struct scscf *s, const struct user *u, const struct sip_msg *m)
{
	return s->tls_required && u && !user_by_aka(u) && !user_tls_protected(u) &&
	       !is_emergency(m);
}

static bool home_uri(const struct scscf *s, struct sv uri)
{
	struct sip_uri u;

	if (sip_uri_parse(&u, uri) < 0)
		return false;
	return sv_caseeq(u.scheme, SV("tel")) || sv_caseeq(u.host, sv_of(s->realm));
}

static bool forms_dialog(const struct sip_msg *m)
{
	return sv_empty(m->to_tag) &&
	       (m->method == SIP_INVITE || m->method == SIP_SUBSCRIBE || m->method == SIP_REFER);
}

/* ---- passing on --------------------------------------------------------------------------- */

static void pass_begin(struct scscf *s, struct sip_edit *e, const struct sip_msg *m, bool own_route)
{
	mw_proxy_begin(&s->proxy, e, m, own_route);
	if (forms_dialog(m))
		sip_edit_insert(e, SIP_HDR_RECORD_ROUTE, "Record-Route: <sip:%.*s@%s;lr>",
				SV_ARG(dialog_user), s->host);
}

/* unreachable: what the sender hears if nobody has the next hop's name. */
static void pass_end(struct scscf *s, struct sip_edit *e, const struct sip_msg *m, struct sv hop,
		     unsigned unreachable)
{
	int err = mw_proxy_end(&s->proxy, e, hop);

	if (err)
		reply_status(s, m, err == -ENOENT ? unreachable : 500);
}

/* To the user's UE: Request-URI becomes the Contact, Route the Path (TS 24.229 5.4.3.3). */
static void to_user(struct scscf *s, const struct sip_msg *m, const struct user *u, bool own_route)
{
	struct sip_edit e;

	if (is_barred(s, u, m)) {
		reply_status(s, m, 480);
		return;
	}
	pass_begin(s, &e, m, own_route);
	sip_edit_replace(&e, m->uri, "%s", u->binding.contact);
	if (u->binding.path[0])
		sip_edit_insert(&e, SIP_HDR_ROUTE, "Route: %s", u->binding.path);
	sip_edit_remove_all(&e, SIP_HDR_P_CALLED_PARTY_ID);
	sip_edit_append(&e, "P-Called-Party-ID: <%.*s>", SV_ARG(m->uri));
	pass_end(s, &e, m, (struct sv){0}, 480);
}

static void terminating(struct scscf *s, const struct sip_msg *m, bool own_route)
{
	struct user *u = session_user(s, m->uri);

	if (u)
		to_user(s, m, u, own_route);
	else /* the HSS names us for a user whose registration has ended */
		reply_status(s, m, own_route ? 480 : 404);
}

/* Users of ours are reached here, others of the home network by the I-CSCF, the rest by domain. */
static void originating(struct scscf *s, const struct sip_msg *m)
{
	bool hop_by_hop = m->method == SIP_ACK || m->method == SIP_CANCEL;
	struct user *u;
	struct sip_edit e;

	if (!hop_by_hop && !asserted_user(s, m)) {
		reply_status(s, m, 403);
		return;
	}
	u = session_user(s, m->uri);
	if (u) {
		to_user(s, m, u, true);
		return;
	}
	pass_begin(s, &e, m, true);
	pass_end(s, &e, m, home_uri(s, m->uri) ? sv_of(s->icscf_host) : (struct sv){0}, 404);
}

static void in_dialog(struct scscf *s, const struct sip_msg *m)
{
	struct sip_edit e;

	pass_begin(s, &e, m, true);
	pass_end(s, &e, m, (struct sv){0}, 404);
}

void session_input(struct scscf *s, const struct sip_msg *m, uint64_t now)
{
	struct sv user;
	struct sip_uri uri;
	bool own_route;

	if (!mw_proxy_check(&s->proxy, m))
		return;
	if (m->method != SIP_ACK && m->method != SIP_CANCEL &&
	    is_barred(s, asserted_user(s, m), m)) {
		reply_status(s, m, 403);
		return;
	}
	own_route = mw_proxy_own_route(&s->proxy, m, &user);
	if (subscribe_concerns(s, m))
		subscribe_input(s, m, now);
	else if (own_route && sv_eq(user, originating_user))
		originating(s, m);
	else if (own_route && sv_eq(user, dialog_user))
		in_dialog(s, m);
	else if (!own_route && mw_proxy_is_own(&s->proxy, m->uri) &&
		 sip_uri_parse(&uri, m->uri) == 0 && sv_empty(uri.user))
		mw_proxy_self(&s->proxy, m, SV("OPTIONS, REGISTER, SUBSCRIBE"));
	else
		terminating(s, m, own_route);
}
