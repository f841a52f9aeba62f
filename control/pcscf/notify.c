/* NOTIFY of the registration state of a UE, and what follows: new lifetimes, or the end
 * (TS 24.229 5.2.3, 5.2.5.2). */
#include "control/base/parse.h"
#include "control/pcscf/subscription.h"

/* ---- what follows ------------------------------------------------------------------------- */

static bool uri_equal(struct sv a, struct sv b)
{
	struct sip_uri x, y;

	return sip_uri_parse(&x, a) == 0 && sip_uri_parse(&y, b) == 0 && sv_eq(x.user, y.user) &&
	       sv_caseeq(x.host, y.host) && x.port == y.port;
}

/* What a document says of the UE's Contact under one IMPU. */
struct finding {
	bool seen, active, shortened;
	uint32_t expires;
};

static struct finding look(const struct pcscf_reg *r, const struct reginfo *info,
			   const struct reginfo_registration *g)
{
	struct finding f = {.seen = g->state == REGINFO_TERMINATED};

	for (unsigned i = 0; i < g->n; i++) {
		const struct reginfo_contact *c = &info->contacts[g->first + i];

		if (!r->contact || !uri_equal(c->uri, sv_of(r->contact)))
			continue;
		f.seen = true;
		f.active |= c->active;
		f.shortened |= c->active && c->event == REGINFO_SHORTENED && c->has_expires;
		f.expires = c->expires;
	}
	return f;
}

/* The SAs must not outlive the registration but for the guard time (AK-17). */
static void shorten(struct pcscf_reg *r, uint32_t expires, uint64_t now)
{
	uint64_t end = now + expires * UINT64_C(1000);
	uint64_t sa_end = end + r->p->conf.guard * UINT64_C(1000);

	r->reauth = true;
	pcscf_impus_shorten(r, end);
	pcscf_expiry_arm(r);
	for (unsigned i = 0; i < r->n_sets; i++)
		if ((r->sets[i]->role == PCSCF_SET_CURRENT || r->sets[i]->role == PCSCF_SET_OLD) &&
		    r->sets[i]->expires_at > sa_end)
			pcscf_set_lifetime(r->sets[i], sa_end);
}

/* The SAs stay for a while, so that the UE gets its own last NOTIFY by them, and repeats. */
static void withdrawn(struct pcscf_reg *r, uint64_t now)
{
	pcscf_expiry_arm(r);
	if (r->impus)
		return;
	r->p->counters.deregistrations++;
	pcscf_sets_end(r, now);
}

static void act(struct pcscf_reg *r, const struct reginfo *info, uint64_t now)
{
	bool registered = pcscf_reg_registered(r), shortened = false;
	uint32_t expires = UINT32_MAX;
	struct finding f;

	for (unsigned i = 0; i < info->n_registrations; i++) {
		const struct reginfo_registration *g = &info->registrations[i];

		if (!pcscf_impus_find(r, g->aor))
			continue;
		f = look(r, info, g);
		if (f.seen && !f.active)
			pcscf_impus_remove(r, g->aor);
		shortened |= f.shortened;
		if (f.shortened && f.expires < expires)
			expires = f.expires;
	}
	if (registered)
		withdrawn(r, now);
	if (shortened && pcscf_reg_registered(r))
		shorten(r, expires, now);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* RFC 3680 5.1: what is older is ignored; a gap before a partial document means that one is
 * missing. */
static bool version_is_new(struct pcscf_subscription *s, const struct reginfo *info, uint64_t now)
{
	bool asked = s->lacking;

	if (s->informed && info->version <= s->version)
		return false;
	s->lacking = !info->full && (s->lacking || !s->informed || info->version != s->version + 1);
	if (s->lacking)
		pcscf_subscription_later(s, asked ? PCSCF_SUBSCRIPTION_LEAST : 0, now);
	s->version = info->version;
	s->informed = true;
	return true;
}

static struct sv word_of(struct sv value)
{
	const char *semicolon = value.n ? memchr(value.p, ';', value.n) : NULL;

	if (semicolon)
		value.n = (size_t)(semicolon - value.p);
	return sv_trim(value);
}

/* 200 and *ip (NULL without a body), or the status to refuse with. */
static unsigned notify_read(const struct pcscf_subscription *s, const struct sip_msg *m,
			    struct reginfo **ip)
{
	int err;

	if (!s || !sv_eq(m->call_id, sv_of(s->call_id)) || !sv_eq(m->to_tag, sv_of(s->tag)) ||
	    (s->remote_tag && !sv_eq(m->from_tag, sv_of(s->remote_tag))))
		return 481;
	if (!sv_eq(word_of(sip_msg_value(m, SIP_HDR_EVENT)), SV("reg")))
		return 489;
	if (m->cseq <= s->remote_cseq)
		return 500;
	if (sv_empty(sip_msg_value(m, SIP_HDR_SUBSCRIPTION_STATE)))
		return 400;
	if (sv_empty(m->body))
		return 200;
	if (!sv_caseeq(word_of(sip_msg_value(m, SIP_HDR_CONTENT_TYPE)), SV(REGINFO_TYPE)))
		return 415;
	err = reginfo_parse(ip, m->body);
	return err == 0 ? 200 : err == -EBADMSG ? 400 : err == -E2BIG ? 413 : 500;
}

/* RFC 6665 4.1.3. A new subscription begins when there is a reason, or with the next registration.
 */
static void subscription_state(struct pcscf_subscription *s, struct sv state, uint64_t now)
{
	struct sv word = word_of(state), value, reason = {0};
	struct sv params = sv_empty(word)
				   ? state
				   : (struct sv){word.p + word.n,
						 (size_t)(state.p + state.n - word.p) - word.n};
	struct pcscf_reg *r = s->reg;
	uint32_t seconds;

	if (!sv_caseeq(word, SV("terminated"))) {
		if (!s->txn && !s->lacking && sip_param(params, SV("expires"), &value) &&
		    parse_u32(value, UINT32_MAX, &seconds))
			pcscf_subscription_lasts(s, seconds, now);
		return;
	}
	(void)sip_param(params, SV("reason"), &reason);
	pcscf_subscription_free(s);
	if (!pcscf_reg_registered(r) || sv_caseeq(reason, SV("rejected")) ||
	    sv_caseeq(reason, SV("noresource")) || sv_caseeq(reason, SV("invariant")))
		return;
	pcscf_subscription_start(r, now);
	if (r->subscription && !sv_caseeq(reason, SV("timeout")) &&
	    !sv_caseeq(reason, SV("deactivated")))
		pcscf_subscription_later(r->subscription, PCSCF_SUBSCRIPTION_RETRY, now);
}

static bool routed(const struct sip_msg *m)
{
	return sip_msg_find(m, SIP_HDR_ROUTE) != NULL;
}

bool pcscf_notify_input(struct pcscf *p, const struct sip_msg *m, uint64_t now)
{
	struct sip_flow core = pcscf_core_flow();
	struct pcscf_subscription *s;
	struct reginfo *info = NULL;
	struct pcscf_reg *r;
	struct sip_uri uri;
	unsigned status;

	if (m->method != SIP_NOTIFY || routed(m) || sip_uri_parse(&uri, m->uri) < 0 ||
	    !sv_caseeq(uri.host, sv_of(p->conf.host)))
		return false;
	r = pcscf_reg_find_token(p, uri.user);
	s = r ? r->subscription : NULL;
	status = notify_read(s, m, &info);
	pcscf_answer(p, p->core, &core, m, &(struct pcscf_refusal){.status = status}, now);
	if (status == 200) {
		s->remote_cseq = m->cseq;
		pcscf_subscription_peer(s, m->from_tag, m);
		if (info && version_is_new(s, info, now))
			act(r, info, now);
		subscription_state(s, sip_msg_value(m, SIP_HDR_SUBSCRIPTION_STATE), now);
		pcscf_reg_reap(r);
	}
	reginfo_free(info);
	return true;
}
