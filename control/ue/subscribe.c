/* SUBSCRIBE to the own registration state: first, again, in vain (TS 24.229 5.1.1.3, RFC 6665). */
#include <errno.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/ue/dialog.h"
#include "control/ue/subscription.h"

/* ---- life --------------------------------------------------------------------------------- */

static void replace(char **field, char *value)
{
	free(*field);
	*field = value;
}

static void dialog_new(struct ue_subscription *s)
{
	replace(&s->remote_tag, NULL);
	replace(&s->target, NULL);
	replace(&s->route, NULL);
	sip_token(s->call_id, sizeof(s->call_id));
	sip_token(s->tag, sizeof(s->tag));
	s->cseq = s->remote_cseq = 0;
	s->informed = false;
}

void ue_subscription_forget(struct ue *u)
{
	dialog_new(u->subscription);
	u->subscription->request = NULL;
}

void ue_subscription_start(struct ue *u, uint64_t now)
{
	if (!u->reg_event)
		return;
	if (u->subscription) { /* refused for good: for as long as the registration lasted */
		if (!u->subscription->request && !timer_running(&u->subscription->timer))
			ue_subscription_later(u, 0, now);
		return;
	}
	u->subscription = calloc(1, sizeof(*u->subscription));
	if (!u->subscription)
		return;
	dialog_new(u->subscription);
	ue_subscription_later(u, 0, now);
}

void ue_subscription_end(struct ue *u)
{
	struct ue_subscription *s = u->subscription;

	if (!s)
		return;
	timer_stop(u->timers, &s->timer);
	free(s->remote_tag);
	free(s->target);
	free(s->route);
	free(s);
	u->subscription = NULL;
}

/* ---- the answer --------------------------------------------------------------------------- */

void ue_subscription_target(struct ue_subscription *s, const struct sip_msg *m)
{
	ue_target_keep(&s->target, m);
}

static void accepted(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	struct ue_subscription *s = u->subscription;
	uint32_t expires = UE_SUBSCRIPTION_EXPIRES;

	(void)parse_u32(sip_msg_value(m, SIP_HDR_EXPIRES), UINT32_MAX, &expires);
	if (!s->route)
		(void)ue_route_keep(&s->route, m, true);
	if (!s->remote_tag && m->to_tag.n <= UE_SUBSCRIPTION_FIELD)
		s->remote_tag = sv_dup(m->to_tag);
	ue_subscription_target(s, m);
	ue_subscription_lasts(u, expires, now);
}

/* What will not change before the next registration is not asked for again. */
static bool final_refusal(unsigned status)
{
	return status == 403 || status == 404 || status == 405 || status == 489 || status == 501;
}

static void answered(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	struct ue_subscription *s = u->subscription;

	s->request = NULL;
	if (m && m->status < 300) {
		accepted(u, m, now);
		return;
	}
	if (m && m->status == 481 && s->remote_tag) { /* RFC 6665 4.1.2.2 */
		ue_subscription_forget(u);
		ue_subscription_later(u, 0, now);
	} else if (!m || !final_refusal(m->status)) {
		ue_subscription_forget(u);
		ue_subscription_later(u, UE_SUBSCRIPTION_RETRY, now);
	}
}

static void on_response(void *arg, const struct sip_msg *m, uint64_t now)
{
	struct ue_request *r = arg;
	sa_set_id set = r->set;
	struct ue *u = r->ue;
	bool ours = u->subscription && u->subscription->request == r;

	if (m && m->status < 200)
		return;
	ue_request_done(r);
	if (ours)
		answered(u, m, now);
	if (!m)
		ue_request_unanswered(u, set, now);
}

/* ---- the request -------------------------------------------------------------------------- */

static void dialog_write(const struct ue *u, struct sbuf *b)
{
	struct ue_subscription *s = u->subscription;

	sbuf_printf(b, "Max-Forwards: 70\r\nFrom: <%.*s>;tag=%s\r\nTo: <%.*s>", SV_ARG(u->impu),
		    s->tag, SV_ARG(u->impu));
	if (s->remote_tag)
		sbuf_printf(b, ";tag=%s", s->remote_tag);
	sbuf_printf(b, "\r\nCall-ID: %s\r\nCSeq: %u SUBSCRIBE\r\n", s->call_id, s->cseq);
	ue_identity_write(u, SIP_SUBSCRIBE, b);
	ue_contact_write(u, b);
}

static void subscribe_write(const struct ue *u, const struct ue_set *on, const char *branch,
			    struct sbuf *b)
{
	const struct ue_subscription *s = u->subscription;

	if (s->target && s->remote_tag)
		sbuf_printf(b, "SUBSCRIBE %s SIP/2.0\r\n", s->target);
	else
		sbuf_printf(b, "SUBSCRIBE %.*s SIP/2.0\r\n", SV_ARG(u->impu));
	ue_via_write(u, b, on, branch);
	if (s->route)
		sbuf_printf(b, "Route: %s\r\n", s->route);
	else
		ue_route_write(u, on, b);
	dialog_write(u, b);
	ue_agreement_write(on, b);
	ue_access_write(u, b);
	sbuf_printf(b,
		    "Event: reg\r\nAccept: " REGINFO_TYPE
		    "\r\nExpires: %u\r\nContent-Length: 0\r\n\r\n",
		    UE_SUBSCRIPTION_EXPIRES);
}

static int subscribe(struct ue *u, uint64_t now)
{
	char text[UE_TEXT_MAX];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct ue_request *r;
	struct ue_set *on;
	int rc = ue_request_create(u, &r, &on);

	if (rc < 0)
		return rc;
	u->subscription->cseq++;
	subscribe_write(u, on, r->branch, &b);
	rc = ue_request_send(r, on, &b, on_response, now);
	if (rc == 0)
		u->subscription->request = r;
	return rc;
}

static void on_timer(struct timer *t, void *arg, uint64_t now)
{
	struct ue *u = arg;

	(void)t;
	if (!u->subscription->request && subscribe(u, now) < 0)
		ue_subscription_later(u, UE_SUBSCRIPTION_RETRY, now);
}

void ue_subscription_later(struct ue *u, uint64_t seconds, uint64_t now)
{
	(void)timer_start(u->timers, &u->subscription->timer, now + seconds * 1000, on_timer, u);
}

void ue_subscription_lasts(struct ue *u, uint32_t seconds, uint64_t now)
{
	uint32_t after = seconds > 1200 ? seconds - 600 : seconds / 2;

	if (after < UE_SUBSCRIPTION_LEAST)
		after = UE_SUBSCRIPTION_LEAST;
	ue_subscription_later(u, after, now);
}
