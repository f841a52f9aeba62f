/* NOTIFY of the own registration state, and what follows from it (TS 24.229 5.1.1.5A, 5.1.1.7). */
#include <errno.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/ue/subscription.h"

/* ---- what it says ------------------------------------------------------------------------- */

/* What a document says of our Contact. */
struct finding {
	bool active, terminated;
	bool shortened;
	uint32_t expires;	  /* s, the least, if shortened */
	enum reginfo_event event; /* if terminated */
};

/* In a partial document only our own identity counts: others may go without us. */
static void registration_look(const struct ue *u, const struct reginfo *r,
			      const struct reginfo_registration *g, struct finding *f)
{
	char buf[UE_SUBSCRIPTION_FIELD];
	bool own = sv_eq(sip_identity(g->aor, buf, sizeof(buf)), u->impu) || sv_eq(g->aor, u->impu);

	for (unsigned i = 0; i < g->n; i++) {
		const struct reginfo_contact *c = &r->contacts[g->first + i];

		if (!ue_contact_is_ours(u, c->uri))
			continue;
		f->active |= c->active;
		if (!c->active && (own || r->full)) {
			f->terminated = true;
			f->event = c->event;
		}
		if (c->active && c->event == REGINFO_SHORTENED && c->has_expires &&
		    (!f->shortened || c->expires < f->expires)) {
			f->shortened = true;
			f->expires = c->expires;
		}
	}
}

/* RFC 3680 5.1: an old document says nothing; a gap before a partial one means that we lack
 * something. */
static bool version_is_new(struct ue *u, const struct reginfo *r, uint64_t now)
{
	struct ue_subscription *s = u->subscription;
	bool asked = s->lacking;

	if (s->informed && r->version <= s->version)
		return false;
	s->lacking = !r->full && (s->lacking || !s->informed || r->version != s->version + 1);
	if (s->lacking)
		ue_subscription_later(u, asked ? UE_SUBSCRIPTION_LEAST : 0, now);
	s->version = r->version;
	s->informed = true;
	return true;
}

/* ---- what follows ------------------------------------------------------------------------- */

/* De-registered by the network: TS 24.229 5.1.1.7. `answered`: the set that the NOTIFY came by
 * lives until its transaction ends. */
static void deregistered(struct ue *u, enum reginfo_event event, sa_set_id answered, uint64_t now)
{
	if (u->run.deregister) /* our own wish: its answer is on the way */
		return;
	ue_run_abandon(u);
	ue_set_leave(u, answered, now);
	ue_unregister_services(u);
	ue_event(u, UE_DEREGISTERED, sv_of(reginfo_event_name(event)), now);
	if ((event == REGINFO_DEACTIVATED || event == REGINFO_EXPIRED) && !u->registered &&
	    u->run.step == UE_STEP_NONE)
		(void)ue_register(u, now);
}

static void act(struct ue *u, const struct finding *f, sa_set_id set, uint64_t now)
{
	if (f->terminated && !f->active) {
		deregistered(u, f->event, set, now);
	} else if (f->shortened) {
		ue_event(u, UE_SHORTENED, (struct sv){0}, now);
		ue_registration_shorten(u, f->expires, now);
	}
}

/* RFC 6665 4.1.3 */
static void subscription_over(struct ue *u, struct sv params, uint64_t now)
{
	struct sv reason = {0}, value;
	uint32_t after = 0;

	(void)sip_param(params, SV("reason"), &reason);
	if (sip_param(params, SV("retry-after"), &value))
		(void)parse_u32(value, UINT32_MAX, &after);
	ue_subscription_forget(u);
	if (sv_caseeq(reason, SV("rejected")) || sv_caseeq(reason, SV("noresource")) ||
	    sv_caseeq(reason, SV("invariant")))
		timer_stop(u->timers, &u->subscription->timer);
	else if (sv_caseeq(reason, SV("deactivated")) || sv_caseeq(reason, SV("timeout")))
		ue_subscription_later(u, 0, now);
	else
		ue_subscription_later(u, after ? after : UE_SUBSCRIPTION_RETRY, now);
}

static void subscription_state(struct ue *u, struct sv state, uint64_t now)
{
	const char *semicolon = state.n ? memchr(state.p, ';', state.n) : NULL;
	size_t n = semicolon ? (size_t)(semicolon - state.p) : state.n;
	struct sv word = sv_trim((struct sv){state.p, n}), value;
	struct sv params = {state.p + n, state.n - n};
	uint32_t seconds;

	if (sv_caseeq(word, SV("terminated")))
		subscription_over(u, params, now);
	else if (!u->subscription->request && !u->subscription->lacking &&
		 sip_param(params, SV("expires"), &value) && parse_u32(value, UINT32_MAX, &seconds))
		ue_subscription_lasts(u, seconds, now);
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool package_is_reg(const struct sip_msg *m)
{
	struct sv event = sip_msg_value(m, SIP_HDR_EVENT);
	const char *semicolon = event.n ? memchr(event.p, ';', event.n) : NULL;

	if (semicolon)
		event.n = (size_t)(semicolon - event.p);
	return sv_eq(sv_trim(event), SV("reg"));
}

static bool in_dialog(const struct ue_subscription *s, const struct sip_msg *m)
{
	return s && sv_eq(m->call_id, sv_of(s->call_id)) && sv_eq(m->to_tag, sv_of(s->tag)) &&
	       (!s->remote_tag || sv_eq(m->from_tag, sv_of(s->remote_tag)));
}

/* 200 and *rp (NULL without a body), or the status to refuse with. */
static unsigned notify_read(const struct ue *u, const struct sip_msg *m, struct reginfo **rp)
{
	struct sv type = sip_msg_value(m, SIP_HDR_CONTENT_TYPE);
	const char *semicolon = type.n ? memchr(type.p, ';', type.n) : NULL;

	if (!in_dialog(u->subscription, m))
		return 481;
	if (!package_is_reg(m))
		return 489;
	if (m->cseq <= u->subscription->remote_cseq)
		return 500; /* RFC 3261 12.2.2 */
	if (sv_empty(sip_msg_value(m, SIP_HDR_SUBSCRIPTION_STATE)))
		return 400;
	if (sv_empty(m->body))
		return 200;
	if (semicolon)
		type.n = (size_t)(semicolon - type.p);
	if (!sv_caseeq(sv_trim(type), SV(REGINFO_TYPE)))
		return 415;
	switch (reginfo_parse(rp, m->body)) {
	case 0:
		return 200;
	case -EBADMSG:
		return 400;
	case -E2BIG:
		return 413;
	default:
		return 500;
	}
}

void ue_notify_input(struct ue *u, const struct sip_flow *from, const struct sip_msg *m,
		     uint64_t now)
{
	struct ue_subscription *s = u->subscription;
	struct reginfo *r = NULL;
	struct finding f = {0};
	unsigned status = notify_read(u, m, &r);

	if (ue_answer(u, from, m, status, now) < 0 || status != 200) {
		reginfo_free(r);
		return;
	}
	s->remote_cseq = m->cseq;
	if (!s->remote_tag && m->from_tag.n <= UE_SUBSCRIPTION_FIELD)
		s->remote_tag = sv_dup(m->from_tag);
	ue_subscription_target(s, m);
	if (r && version_is_new(u, r, now))
		for (unsigned i = 0; i < r->n_registrations; i++)
			registration_look(u, r, &r->registrations[i], &f);
	subscription_state(u, sip_msg_value(m, SIP_HDR_SUBSCRIPTION_STATE), now);
	reginfo_free(r);
	act(u, &f, from->set, now);
}
