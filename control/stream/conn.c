/* Life of a connection: tables, deadlines, its end. */
#include <errno.h>
#include <stdlib.h>

#include "control/stream/inside.h"

#define CONFIRM_MS 5000	 /* a request written so long ago was not lost with the connection */
#define PONG_MS	   10000 /* RFC 5626 4.4.1 */

struct stream_conn *stream_conn_find(struct stream *s, const struct stream_key *key)
{
	struct stream_conn *c;

	HASH_FIND(by_key, s->by_key, key, sizeof(*key), c);
	return c;
}

struct stream_conn *stream_conn_make(struct stream *s)
{
	struct stream_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->s = s;
	c->tcp.data = c;
	c->opened_at = c->heard = stream_now();
	DL_APPEND(s->conns, c);
	return c;
}

int stream_conn_insert(struct stream_conn *c)
{
	struct stream *s = c->s;

	if (stream_conn_find(s, &c->key))
		return -EEXIST;
	HASH_ADD(by_key, s->by_key, key, sizeof(c->key), c);
	if (!c->by_key.tbl)
		return -ENOMEM;
	if (c->sa)
		DL_APPEND2(c->sa->conns, c, sa_prev, sa_next);
	if (c->sa)
		s->n_protected++;
	s->counters.connections++;
	stream_framer_init(&c->framer, s->conf.head_max,
			   c->sa || c->filter ? s->conf.message_max : s->conf.clear_max);
	stream_conn_watch(c, stream_now());
	return 0;
}

/* ---- the end ------------------------------------------------------------------------------ */

static void leave_tables(struct stream_conn *c)
{
	struct stream *s = c->s;

	timer_stop(s->timers, &c->timer);
	stream_leave(c);
	if (!c->by_key.tbl)
		return;
	HASH_DELETE(by_key, s->by_key, c);
	c->by_key.tbl = NULL;
	if (c->sa)
		DL_DELETE2(c->sa->conns, c, sa_prev, sa_next);
	if (c->sa)
		s->n_protected--;
	c->sa = NULL;
	s->counters.connections--;
	s->counters.closed++;
}

static void handle_closed(uv_handle_t *h)
{
	struct stream_conn *c = h->data;
	struct stream *s = c->s;

	s->counters.events++;
	stream_io_lost(c);
	if (c->flow.session && !c->mute && !s->closing && s->env.closed)
		s->env.closed(s->env.ctx, &c->flow, stream_now());
	if (c->filter_state)
		c->filter->free(c->filter_state);
	stream_framer_free(&c->framer);
	DL_DELETE(s->conns, c);
	free(c);
}

/*
 * Reset: who closes first keeps the pair of ports for a minute (TIME_WAIT), and we could not open
 * the connection from our fixed port again.
 */
void stream_conn_close(struct stream_conn *c, enum stream_end how)
{
	if (c->closing)
		return;
	c->closing = true;
	leave_tables(c);
	if (c->filter_state && c->ready && c->filter->closing && how == STREAM_END_CLOSE)
		c->filter->closing(c->filter_state);
	if (how == STREAM_END_RESET && uv_tcp_close_reset(&c->tcp, handle_closed) == 0)
		return;
	uv_close((uv_handle_t *)&c->tcp, handle_closed);
}

/* ---- deadlines ---------------------------------------------------------------------------- */

static timer_h conn_due;

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t idle_end(const struct stream_conn *c)
{
	const struct stream_conf *conf = &c->s->conf;

	bool used = c->sa || (c->filter && (c->heard_message || c->we_opened));

	/* a stranger's keepalives, or pieces of records, keep nothing */
	if (!c->sa && !c->we_opened && !c->heard_message)
		return c->opened_at + conf->clear_idle_ms;
	return c->heard + (used ? conf->idle_ms : conf->clear_idle_ms);
}

/* Until then it must be ready. */
static uint64_t ready_end(const struct stream_conn *c)
{
	const struct stream_conf *conf = &c->s->conf;

	return c->opened_at +
	       (c->we_opened || !conf->handshake_ms ? conf->connect_ms : conf->handshake_ms);
}

static bool pings(const struct stream_conn *c)
{
	return c->s->conf.ping_ms && c->we_opened && c->ready;
}

static uint64_t ping_due(const struct stream_conn *c)
{
	if (c->framer.pong_due)
		return c->pinged + PONG_MS;
	return (c->pinged > c->heard ? c->pinged : c->heard) + c->s->conf.ping_ms;
}

void stream_conn_watch(struct stream_conn *c, uint64_t now)
{
	const struct stream_conf *conf = &c->s->conf;
	uint64_t due = idle_end(c);

	if (c->closing)
		return;
	if (!c->ready)
		due = earlier(due, ready_end(c));
	if (c->message_since)
		due = earlier(due, c->message_since + conf->message_ms);
	if (c->ready && c->queued)
		due = earlier(due, c->progress + conf->stall_ms);
	if (c->unconfirmed)
		due = earlier(due, c->unconfirmed->written_at + CONFIRM_MS);
	if (pings(c))
		due = earlier(due, ping_due(c));
	/* without memory for the timer the connection could stay for ever */
	if (timer_start(c->s->timers, &c->timer, due > now ? due : now, conn_due, c) < 0)
		stream_conn_close(c, STREAM_END_RESET);
}

static void ping(struct stream_conn *c, uint64_t now)
{
	c->pinged = now;
	c->framer.pong_due = true;
	(void)stream_io_send(c, SV("\r\n\r\n"));
}

/* What has run out, if anything: a counter of it. */
static uint64_t *overdue(struct stream_conn *c, uint64_t now)
{
	const struct stream_conf *conf = &c->s->conf;
	struct stream_counters *n = &c->s->counters;

	if (!c->ready && now >= ready_end(c))
		return &n->open_failed;
	if (c->message_since && now >= c->message_since + conf->message_ms)
		return &n->slow;
	if (c->ready && c->queued && now >= c->progress + conf->stall_ms)
		return &n->stalled;
	if (now >= idle_end(c) || (c->framer.pong_due && now >= c->pinged + PONG_MS))
		return &n->idle;
	return NULL;
}

static void conn_due(struct timer *t, void *arg, uint64_t now)
{
	struct stream_conn *c = arg;
	uint64_t *why = overdue(c, now);

	(void)t;
	if (why) {
		++*why;
		stream_conn_close(c, c->we_opened || why != &c->s->counters.idle
					     ? STREAM_END_RESET
					     : STREAM_END_CLOSE);
		return;
	}
	stream_io_forget(c, now > CONFIRM_MS ? now - CONFIRM_MS : 0);
	if (pings(c) && !c->framer.pong_due && now >= ping_due(c))
		ping(c, now);
	stream_conn_watch(c, now);
}

/* ---- filters ------------------------------------------------------------------------------ */

void stream_conn_start(struct stream_conn *c)
{
	int rc = stream_io_start(c);

	c->progress = stream_now();
	if (rc == 0 && c->filter)
		rc = c->filter->open(c->filter_ctx, c, c->we_opened, &c->filter_state);
	else if (rc == 0)
		stream_filter_ready(c);
	if (rc < 0)
		stream_conn_close(c, STREAM_END_RESET);
}

void stream_filter_ready(struct stream_conn *c)
{
	if (c->ready || c->closing)
		return;
	c->ready = true;
	stream_half_open_end(c);
	if (c->filter)
		c->flow.session = ++c->s->sessions;
	stream_io_ready(c);
	stream_conn_watch(c, stream_now());
}

struct sip_flow *stream_filter_flow(struct stream_conn *c)
{
	return &c->flow;
}
