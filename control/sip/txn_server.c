#include <errno.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/sip/edit.h"
#include "control/sip/txn_impl.h"

#define TRYING_AFTER 200 /* ms, RFC 3261 17.2.1 */

static struct sv text_of(const struct sip_server_txn *s)
{
	return (struct sv){s->text, s->text_len};
}

void txn_server_free(struct sip_server_txn *s)
{
	sip_server_gone_h *gone = s->gone;
	void *arg = s->arg;

	timer_stop(s->owner->timers, &s->retry);
	timer_stop(s->owner->timers, &s->life);
	txn_table_remove(&s->owner->servers, &s->node);
	free(s->text);
	free(s);
	if (gone)
		gone(arg);
}

/* Timers H, I, J and L. */
static void end(struct timer *timer, void *arg, uint64_t now)
{
	(void)timer;
	(void)now;
	txn_server_free(arg);
}

static void set_life(struct sip_server_txn *s, uint64_t due)
{
	timer_start(s->owner->timers, &s->life, due, end, s);
}

/* Timer G: repeat a final response of 300 and above until its ACK comes. */
static void repeat(struct timer *timer, void *arg, uint64_t now)
{
	struct sip_server_txn *s = arg;
	struct sip_txns *t = s->owner;

	s->interval = s->interval < t->v.t2 / 2 ? s->interval * 2 : t->v.t2;
	timer_start(t->timers, timer, now + s->interval, repeat, s);
	txn_resend(t, &s->flow, text_of(s));
}

/* The user has not said anything yet, so we do. */
static void send_trying(struct timer *timer, void *arg, uint64_t now)
{
	struct sip_server_txn *s = arg;
	struct sip_txns *t = s->owner;

	(void)timer;
	(void)now;
	t->env.send(t->env.ctx, &s->flow, text_of(s));
}

static struct sip_server_txn *find(struct sip_txns *t, const struct txn_key *key)
{
	return (struct sip_server_txn *)txn_table_find(&t->servers, key);
}

/* Without memory for it there is no 100, and the peer repeats its INVITE: no harm. */
static void prepare_trying(struct sip_server_txn *s, const struct sip_msg *request, uint64_t now)
{
	size_t cap = request->raw.n + 128;
	struct sbuf b = sbuf_of(malloc(cap), cap);

	if (!b.p)
		return;
	sip_reply_begin(&b, request, 100, (struct sv){0});
	sip_reply_end(&b, (struct sv){0});
	s->text = b.p;
	s->text_len = b.n;
	timer_start(s->owner->timers, &s->retry, now + TRYING_AFTER, send_trying, s);
}

int sip_server_create(struct sip_txns *t, struct sip_server_txn **sp, const struct sip_flow *reply,
		      const struct sip_msg *request, sip_server_gone_h *gone, void *arg,
		      uint64_t now)
{
	struct sip_server_txn *s;
	int err;

	if (!request->request || request->method == SIP_ACK)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->owner = t;
	s->flow = *reply;
	s->invite = request->method == SIP_INVITE;
	s->state = s->invite ? TXN_PROCEEDING : TXN_TRYING;
	s->node.key = txn_server_key(t, request, request->method_name);
	err = timer_start(t->timers, &s->life, TIMER_NEVER, end, s);
	if (!err)
		err = txn_table_add(&t->servers, &s->node);
	if (err) {
		timer_stop(t->timers, &s->life);
		free(s);
		return err;
	}
	s->gone = gone;
	s->arg = arg;
	*sp = s;
	if (s->invite)
		prepare_trying(s, request, now);
	return 0;
}

static bool is_done(const struct sip_server_txn *s, unsigned status)
{
	if (s->state == TXN_ACCEPTED) /* its core repeats the 2xx (RFC 6026 7.1) */
		return status < 200 || status >= 300;
	return s->state == TXN_COMPLETED || s->state == TXN_CONFIRMED;
}

/*
 * Timer J is 0 over reliable transports. But the client of a connection that ended cannot know
 * whether its request got through, and repeats it on another one.
 */
static uint32_t repeats_over_tcp(const struct sip_server_txn *s)
{
	return s->flow.transport == SIP_TRANSPORT_MW ? 0 : s->owner->v.t4;
}

static void become_final(struct sip_server_txn *s, unsigned status, uint64_t now)
{
	struct sip_txns *t = s->owner;
	bool reliable = sip_flow_reliable(&s->flow);

	s->state = s->invite && status < 300 ? TXN_ACCEPTED : TXN_COMPLETED;
	set_life(s, now + (s->invite || !reliable ? txn_64t1(t) : repeats_over_tcp(s)));
	if (s->invite && s->state == TXN_COMPLETED && !reliable) {
		s->interval = t->v.t1;
		timer_start(t->timers, &s->retry, now + s->interval, repeat, s);
	}
}

int sip_server_respond(struct sip_server_txn *s, unsigned status, struct sv text, uint64_t now)
{
	struct sip_txns *t = s->owner;
	char *copy;

	if (status < 100 || status > 699 || text.n == 0)
		return -EINVAL;
	if (is_done(s, status))
		return -EALREADY;
	copy = sv_dup(text);
	if (!copy)
		return -ENOMEM;
	free(s->text);
	s->text = copy;
	s->text_len = text.n;
	if (s->state != TXN_ACCEPTED) {
		timer_stop(t->timers, &s->retry);
		s->state = TXN_PROCEEDING;
		if (status >= 200)
			become_final(s, status, now);
	}
	t->env.send(t->env.ctx, &s->flow, text_of(s));
	return 0;
}

struct sip_server_txn *sip_server_find(struct sip_txns *t, const struct sip_msg *request,
				       enum sip_method method)
{
	struct txn_key key = txn_server_key(t, request, sip_method_text(method));

	return find(t, &key);
}

void *sip_server_arg(const struct sip_server_txn *s)
{
	return s->arg;
}

void sip_server_cancel(struct sip_server_txn *s)
{
	txn_server_free(s);
}

static bool acknowledged(struct sip_server_txn *s, uint64_t now)
{
	struct sip_txns *t = s->owner;

	if (s->state == TXN_ACCEPTED) /* the ACK to a 2xx is the core's */
		return false;
	if (s->state == TXN_COMPLETED) {
		s->state = TXN_CONFIRMED;
		timer_stop(t->timers, &s->retry);
		set_life(s, now + (sip_flow_reliable(&s->flow) ? 0 : t->v.t4));
	}
	return true;
}

/*
 * A repeat by another connection: the one of the first has ended, so the answer takes the new one.
 * Nobody else can turn it away: it comes from the same address, under the same SAs.
 */
static void follow(struct sip_server_txn *s, const struct sip_flow *from)
{
	if (from->transport == s->flow.transport && from->transport == SIP_TRANSPORT_TCP &&
	    from->set == s->flow.set && ip_addr_eq(&from->remote.addr, &s->flow.remote.addr))
		s->flow = *from;
}

/* A client that has gone over to UDP repeats as long as it lasts. */
static void prolong(struct sip_server_txn *s, const struct sip_flow *from, uint64_t now)
{
	if (s->prolonged || s->invite || s->state != TXN_COMPLETED ||
	    from->transport != SIP_TRANSPORT_UDP || s->flow.transport != SIP_TRANSPORT_TCP)
		return;
	s->prolonged = true;
	set_life(s, now + txn_64t1(s->owner));
}

bool txn_server_input(struct sip_txns *t, const struct sip_flow *from,
		      const struct sip_msg *request, uint64_t now)
{
	bool ack = request->method == SIP_ACK;
	struct txn_key key = txn_server_key(t, request, ack ? SV("INVITE") : request->method_name);
	struct sip_server_txn *s = find(t, &key);

	if (!s)
		return false;
	if (ack)
		return acknowledged(s, now);
	follow(s, from);
	prolong(s, from, now);
	if (s->text && (s->state == TXN_PROCEEDING || s->state == TXN_COMPLETED))
		txn_resend(t, &s->flow, text_of(s));
	return true;
}
