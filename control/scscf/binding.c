/* Bindings: made, refreshed, removed; Cx-Put; expiry (TS 24.229 5.4.1.2.2, 5.4.1.4, 5.4.1.5). */
#include "control/scscf/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/base/sbuf.h"

#define PATH_MAX_LENGTH	  4096
#define PARAMS_MAX_LENGTH 2048

/* Path values of all fields as one list. */
static char *path_dup(const struct sip_msg *m)
{
	char text[PATH_MAX_LENGTH];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct sip_list paths = {.msg = m, .id = SIP_HDR_PATH};
	struct sv element;

	while (sip_list_walk(&paths, &element)) {
		if (b.n)
			sbuf_put(&b, SV(", "));
		sbuf_put(&b, element);
	}
	return b.overflow ? NULL : sv_dup(sbuf_sv(&b));
}

/* The Contact's parameters without expires, which we decide. */
static char *params_dup(struct sv params)
{
	char text[PARAMS_MAX_LENGTH];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct sv name, value;

	while (sip_param_next(&params, &name, &value)) {
		if (sv_caseeq(name, SV("expires")))
			continue;
		sbuf_printf(&b, ";%.*s", SV_ARG(name));
		if (!sv_empty(value))
			sbuf_printf(&b, "=%.*s", SV_ARG(value));
	}
	return b.overflow ? NULL : sv_dup(sbuf_sv(&b));
}

static int binding_set(struct user *u, const struct reg *r, uint64_t now)
{
	struct binding b = {
		.contact = sv_dup(r->contact.uri),
		.params = params_dup(r->contact.params),
		.path = path_dup(r->m),
		.call_id = sv_dup(r->m->call_id),
		.cseq = r->m->cseq,
		.protection = r->protection,
		.expires_at = now + (uint64_t)r->expires * 1000,
	};
	int err = -ENOMEM;

	if (b.contact && b.params && b.path && b.call_id)
		err = user_binding_set(u, &b);
	if (err)
		binding_clear(&b);
	return err;
}

static bool uri_equal(struct sv a, struct sv b)
{
	struct sip_uri x, y;

	return sip_uri_parse(&x, a) == 0 && sip_uri_parse(&y, b) == 0 &&
	       sv_caseeq(x.scheme, y.scheme) && sv_eq(x.user, y.user) &&
	       sv_caseeq(x.host, y.host) && x.port == y.port;
}

/* Subscribers hear of a refresh only if it ends what they know of as shortened: the UE and its
 * P-CSCF have seen it. news: there is more. */
static void bind_and_reply(struct user *u, const struct reg *r, bool news, uint64_t now)
{
	bool was = u->registered;
	bool moved = was && !uri_equal(r->contact.uri, sv_of(u->binding.contact));

	news |= moved || u->event == REGINFO_SHORTENED;
	if (binding_set(u, r, now) < 0) {
		reply_status(u->scscf, r->m, 500);
		return;
	}
	u->event = was && !moved ? REGINFO_REFRESHED : REGINFO_REGISTERED;
	reply_registered(u, r->m, now);
	if (was && news)
		subscriptions_notify(u, now);
}

/* ---- Cx-Put ------------------------------------------------------------------------------- */

static void put_registered(struct user *u, const struct sip_msg *m, const struct cx_answer *a,
			   uint64_t now)
{
	struct scscf *s = u->scscf;
	struct reg r;

	if (a->result != CX_SUCCESS)
		reply_status(s, m, query_status(a));
	else if (reg_parse(&r, s, m) || user_served_set(u, a->impus, a->n_impus) < 0)
		reply_status(s, m, 500);
	else
		bind_and_reply(u, &r, true, now);
	if (a->result == CX_SUCCESS && !u->registered) /* no memory: the HSS must not believe it */
		binding_end(u, REGINFO_REJECTED, now);
}

/* The user is gone even if the HSS has trouble with it: it learns at the next registration. */
static void put_removed(struct user *u, const struct sip_msg *m, const struct cx_answer *a,
			uint64_t now)
{
	if (a->result == CX_IDENTITIES_DONT_MATCH) {
		reply_status(u->scscf, m, query_status(a));
		return;
	}
	/* The last NOTIFY does not go by the I-CSCF and overtakes it. */
	mw_proxy_reply(&u->scscf->proxy, m, 200, (struct sv){0});
	subscriptions_end(u, REGINFO_UNREGISTERED, now);
	user_unregister(u);
}

static void remove_and_reply(struct user *u, const struct reg *r, uint64_t now)
{
	if (query_put(u, r->impu, CX_NOT_REGISTERED, r->m, put_removed, now) < 0)
		reply_status(u->scscf, r->m, 500);
}

/* ---- applying ----------------------------------------------------------------------------- */

/* Does it leave the binding alone: a query, or the removal of a Contact that another has replaced?
 */
static bool leaves_binding(const struct user *u, const struct reg *r)
{
	return r->action == REG_FETCH ||
	       (r->action == REG_REMOVE && !uri_equal(r->contact.uri, sv_of(u->binding.contact)));
}

void binding_apply(struct user *u, const struct reg *r, uint64_t now)
{
	if (r->action == REG_BIND) {
		/* DH-06: Cx-Put only if the IMPU was not registered before. */
		if (u->registered && user_serves(u, r->impu))
			bind_and_reply(u, r, false, now);
		else if (query_put(u, r->impu, CX_REGISTERED, r->m, put_registered, now) < 0)
			reply_status(u->scscf, r->m, 500);
	} else if (u->registered && leaves_binding(u, r)) {
		reply_registered(u, r->m, now);
	} else {
		remove_and_reply(u, r, now);
	}
}

void binding_end(struct user *u, enum reginfo_event event, uint64_t now)
{
	subscriptions_end(u, event, now);
	user_challenge_end(
		u, USER_ON_VOID); /* no late SM7 brings back what subscribers know as ended */
	if (u->n_served)
		(void)query_put(u, sv_of(u->served[0].impu), CX_NOT_REGISTERED, NULL, NULL, now);
	user_unregister(u);
}

int binding_shorten(struct user *u, uint64_t expires_at)
{
	u->binding.expires_at = expires_at;
	return timer_start(u->scscf->timers, &u->expiry, expires_at, binding_timeout, u);
}

void binding_timeout(struct timer *t, void *arg, uint64_t now)
{
	struct user *u = arg;

	(void)t;
	if (reauth_repeat(u, now))
		return;
	user_hold(u);
	binding_end(u, REGINFO_EXPIRED, now);
	user_release(u, now);
}
