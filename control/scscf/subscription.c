/* The dialogs of subscribers: made, refreshed, ended. */
#include "control/scscf/subscription.h"

#include <errno.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/scscf/internal.h"

/* ---- making ------------------------------------------------------------------------------- */

/* To without parameters: we are its tag. */
static char *local_dup(const struct sip_msg *m)
{
	struct sip_addr to;
	char text[SUBSCRIPTION_MAX_LENGTH];
	struct sbuf b = sbuf_of(text, sizeof(text));

	if (sip_addr_parse(&to, sip_msg_value(m, SIP_HDR_TO)) < 0)
		return NULL;
	sbuf_printf(&b, "<%.*s>", SV_ARG(to.uri));
	return b.overflow ? NULL : sv_dup(sbuf_sv(&b));
}

/* RFC 3261 12.1.1: the notifier's route set is Record-Route as it stands. */
static char *route_dup(const struct sip_msg *m)
{
	struct sip_list records = {.msg = m, .id = SIP_HDR_RECORD_ROUTE};
	char text[SUBSCRIPTION_MAX_LENGTH];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct sv element;

	while (sip_list_walk(&records, &element))
		sbuf_printf(&b, "%s%.*s", b.n ? ", " : "", SV_ARG(element));
	return b.overflow ? NULL : sv_dup(sbuf_sv(&b));
}

static char *field_dup(struct sv value)
{
	return value.n > SUBSCRIPTION_MAX_LENGTH ? NULL : sv_dup(value);
}

static bool dialog_fill(struct subscription *b, const struct sip_msg *m, struct sv target)
{
	sip_token(b->tag, sizeof(b->tag));
	b->remote_cseq = m->cseq;
	b->call_id = field_dup(m->call_id);
	b->local = local_dup(m);
	b->remote = field_dup(sip_msg_value(m, SIP_HDR_FROM));
	b->remote_tag = field_dup(m->from_tag);
	b->event = field_dup(sip_msg_value(m, SIP_HDR_EVENT));
	b->route = route_dup(m);
	b->target = field_dup(target);
	return b->call_id && b->local && b->remote && b->remote_tag && b->event && b->route &&
	       b->target;
}

static void fields_free(struct subscription *b)
{
	free(b->call_id);
	free(b->local);
	free(b->remote);
	free(b->remote_tag);
	free(b->event);
	free(b->route);
	free(b->target);
	free(b);
}

static void link_in(struct user *u, struct subscription *b)
{
	struct subscription **at = &u->subscriptions;

	while (b->network && *at)
		at = &(*at)->next;
	b->next = *at;
	*at = b;
	b->serial = ++u->scscf->subscription_serial;
	u->n_subscriptions++;
	u->scscf->n_subscriptions++;
	map_put(&u->scscf->by_tag, &b->node, sv_of(b->tag));
}

static struct subscription *oldest(struct user *u)
{
	struct subscription *found = u->subscriptions;

	for (struct subscription *b = found; b; b = b->next)
		if (b->serial < found->serial)
			found = b;
	return found;
}

int subscription_create(struct user *u, struct subscription **sp, const struct sip_msg *m,
			struct sv target, bool network, uint64_t now)
{
	struct subscription *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	b->user = u;
	b->network = network;
	if (!dialog_fill(b, m, target)) {
		fields_free(b);
		return -ENOMEM;
	}
	if (u->n_subscriptions >= SUBSCRIPTIONS_MAX)
		subscription_end(oldest(u), "rejected", now);
	link_in(u, b);
	*sp = b;
	return 0;
}

struct subscription *subscription_find(const struct scscf *s, struct sv tag)
{
	return (struct subscription *)map_find(&s->by_tag, tag); /* node is the first member */
}

/* ---- while it lasts ----------------------------------------------------------------------- */

static void on_timeout(struct timer *t, void *arg, uint64_t now)
{
	(void)t;
	subscription_end(arg, "timeout", now);
}

int subscription_refresh(struct subscription *b, uint32_t expires, uint64_t now)
{
	b->expires_at = now + (uint64_t)expires * 1000;
	return timer_start(b->user->scscf->timers, &b->timer, b->expires_at, on_timeout, b);
}

int subscription_retarget(struct subscription *b, struct sv target)
{
	char *copy;

	if (sv_eq(target, sv_of(b->target)))
		return 0;
	copy = field_dup(target);
	if (!copy)
		return -ENOMEM;
	free(b->target);
	b->target = copy;
	return 0;
}

/* ---- ending ------------------------------------------------------------------------------- */

void subscription_free(struct subscription *b)
{
	struct user *u = b->user;
	struct scscf *s = u->scscf;
	struct subscription **at = &u->subscriptions;

	while (*at != b)
		at = &(*at)->next;
	*at = b->next;
	u->n_subscriptions--;
	s->n_subscriptions--;
	map_remove(&s->by_tag, &b->node);
	timer_stop(s->timers, &b->timer);
	if (b->txn)
		sip_client_cancel(b->txn);
	fields_free(b);
}

void subscription_end(struct subscription *b, const char *reason, uint64_t now)
{
	notify_last(b, reason, NULL, now);
	subscription_free(b);
}

/* ---- all of a user ------------------------------------------------------------------------ */

void subscriptions_notify(struct user *u, uint64_t now)
{
	struct subscription *next;

	for (struct subscription *b = u->subscriptions; b; b = next) {
		next = b->next;
		notify_send(b, false, now);
	}
}

/* "noresource": there is nothing more to subscribe to (RFC 6665 4.1.3). */
void subscriptions_end(struct user *u, enum reginfo_event event, uint64_t now)
{
	while (u->subscriptions) {
		notify_last(u->subscriptions, "noresource", &event, now);
		subscription_free(u->subscriptions);
	}
}

void subscriptions_drop(struct user *u)
{
	while (u->subscriptions)
		subscription_free(u->subscriptions);
}
