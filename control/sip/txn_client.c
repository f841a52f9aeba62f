#include <errno.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/sip/edit.h"
#include "control/sip/txn_impl.h"

static bool is_live(const struct sip_client_txn *c)
{
	return c->state == TXN_TRYING || c->state == TXN_PROCEEDING;
}

static struct sv text_of(const struct sip_client_txn *c)
{
	return (struct sv){c->text, c->text_len};
}

void txn_client_free(struct sip_client_txn *c)
{
	timer_stop(c->owner->timers, &c->retry);
	timer_stop(c->owner->timers, &c->life);
	txn_table_remove(&c->owner->clients, &c->node);
	free(c->text);
	free(c->ack);
	free(c);
}

/* Timers A and E: repeat the request. */
static void repeat(struct timer *timer, void *arg, uint64_t now)
{
	struct sip_client_txn *c = arg;
	struct sip_txns *t = c->owner;

	if (c->state == TXN_PROCEEDING)
		c->interval = t->v.t2;
	else if (c->invite || c->interval < t->v.t2 / 2)
		c->interval *= 2;
	else
		c->interval = t->v.t2;
	timer_start(t->timers, timer, now + c->interval, repeat, c);
	txn_resend(t, &c->flow, text_of(c));
}

/* Timers B and F: no final response. D, K and M: the end. */
static void end(struct timer *timer, void *arg, uint64_t now)
{
	struct sip_client_txn *c = arg;
	sip_client_h *handler = is_live(c) ? c->handler : NULL;
	void *handler_arg = c->arg;

	(void)timer;
	txn_client_free(c);
	if (handler)
		handler(handler_arg, NULL, now);
}

static void set_life(struct sip_client_txn *c, uint64_t due)
{
	timer_start(c->owner->timers, &c->life, due, end, c);
}

static struct sip_client_txn *find(struct sip_txns *t, const struct txn_key *key)
{
	return (struct sip_client_txn *)txn_table_find(&t->clients, key);
}

static int client_make(struct sip_txns *t, struct sip_client_txn **cp, const struct sip_msg *m,
		       struct sv text, uint64_t now)
{
	struct sip_client_txn *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (!c)
		return err;
	c->owner = t;
	c->invite = m->method == SIP_INVITE;
	c->interval = t->v.t1;
	c->node.key = txn_client_key(t, m);
	c->text = sv_dup(text);
	c->text_len = text.n;
	if (!c->text || timer_start(t->timers, &c->life, now + txn_64t1(t), end, c))
		goto fail;
	err = txn_table_add(&t->clients, &c->node);
	if (err)
		goto fail;
	*cp = c;
	return 0;
fail:
	timer_stop(t->timers, &c->life);
	free(c->text);
	free(c);
	return err;
}

int sip_client_create(struct sip_txns *t, struct sip_client_txn **cp, const struct sip_flow *flow,
		      struct sv text, sip_client_h *handler, void *arg, uint64_t now)
{
	struct sip_client_txn *c;
	struct sip_msg m;
	int err;

	if (sip_msg_parse(&m, text) || !m.request || m.method == SIP_ACK || !m.branch.n)
		return -EINVAL;
	err = client_make(t, &c, &m, text, now);
	if (err)
		return err;
	c->flow = *flow;
	c->handler = handler;
	c->arg = arg;
	*cp = c;
	if (!sip_flow_reliable(flow))
		timer_start(t->timers, &c->retry, now + c->interval, repeat, c);
	/* last: in one process the answer may come before this returns */
	t->env.send(t->env.ctx, flow, text_of(c));
	return 0;
}

void sip_client_cancel(struct sip_client_txn *c)
{
	txn_client_free(c);
}

void sip_client_fail(struct sip_client_txn *c, uint64_t now)
{
	end(&c->life, c, now);
}

bool sip_client_reroute(struct sip_txns *t, const struct sip_msg *request,
			const struct sip_flow *flow, uint64_t now)
{
	struct txn_key key = txn_client_key(t, request);
	struct sip_client_txn *c = find(t, &key);

	if (!c || c->state != TXN_TRYING)
		return false;
	c->flow = *flow;
	c->interval = t->v.t1;
	sip_via_transport_set(c->text, c->text_len, sv_of(sip_transport_name(flow->transport)));
	if (sip_flow_reliable(flow))
		timer_stop(t->timers, &c->retry);
	else
		timer_start(t->timers, &c->retry, now + c->interval, repeat, c);
	t->env.send(t->env.ctx, &c->flow, text_of(c));
	return true;
}

const struct sip_flow *sip_client_flow(const struct sip_client_txn *c)
{
	return &c->flow;
}

static void provisional(struct sip_client_txn *c, const struct sip_msg *m, uint64_t now)
{
	c->state = TXN_PROCEEDING;
	if (c->invite) { /* the called user may take any time: timer C is the proxy's */
		timer_stop(c->owner->timers, &c->retry);
		set_life(c, TIMER_NEVER);
	}
	c->handler(c->arg, m, now);
}

static void acknowledge(struct sip_client_txn *c, const struct sip_msg *m)
{
	struct sip_txns *t = c->owner;

	if (txn_ack_make(text_of(c), m, &c->ack, &c->ack_len) == 0)
		t->env.send(t->env.ctx, &c->flow, (struct sv){c->ack, c->ack_len});
}

/* Timers D, K and M: how long repeated responses may come. */
static uint64_t linger(const struct sip_client_txn *c)
{
	if (c->state == TXN_ACCEPTED)
		return txn_64t1(c->owner);
	if (sip_flow_reliable(&c->flow))
		return 0;
	return c->invite ? txn_64t1(c->owner) : c->owner->v.t4;
}

static void final(struct sip_client_txn *c, const struct sip_msg *m, uint64_t now)
{
	sip_client_h *handler = c->handler;
	void *arg = c->arg;

	c->state = c->invite && m->status < 300 ? TXN_ACCEPTED : TXN_COMPLETED;
	timer_stop(c->owner->timers, &c->retry);
	set_life(c, now + linger(c));
	if (c->invite && c->state == TXN_COMPLETED)
		acknowledge(c, m);
	handler(arg, m, now);
}

/* A response behind the final one. A 2xx to INVITE is its core's business (RFC
 * 3261 13.2.2.4, 16.7). */
static bool late(struct sip_client_txn *c, const struct sip_msg *m)
{
	if (c->state == TXN_ACCEPTED)
		return m->status < 200 || m->status >= 300;
	if (c->ack && m->status >= 300)
		txn_resend(c->owner, &c->flow, (struct sv){c->ack, c->ack_len});
	return true;
}

bool txn_client_input(struct sip_txns *t, const struct sip_flow *from,
		      const struct sip_msg *response, uint64_t now)
{
	struct txn_key key = txn_client_key(t, response);
	struct sip_client_txn *c = find(t, &key);

	/* What went out protected is not answered in clear: that would be somebody else. */
	if (!c || (c->flow.set && !from->set) ||
	    (c->flow.session && c->flow.session != from->session))
		return false;
	if (!is_live(c))
		return late(c, response);
	if (response->status < 200)
		provisional(c, response, now);
	else
		final(c, response, now);
	return true;
}
