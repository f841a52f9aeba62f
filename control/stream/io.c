/* Octets in and out. */
#include <errno.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/stream/inside.h"

#define UNCONFIRMED_MAX 16 /* requests */
#define TLS_HANDSHAKE	22 /* content type of a record (RFC 8446 5.1); no message begins so */

/* ---- in ----------------------------------------------------------------------------------- */

static void buffer_give(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct stream_conn *c = h->data;

	(void)suggested;
	*buf = uv_buf_init(c->s->buf, sizeof(c->s->buf));
}

static void message_take(struct stream_conn *c, struct sv text, uint64_t now)
{
	struct stream *s = c->s;

	s->counters.messages_in++;
	c->heard_message = true;
	c->message_since = 0; /* what follows it has a time of its own */
	s->env.message(s->env.ctx, &c->flow, text, now);
}

/* false: the stream cannot be read any further. */
static bool frames_take(struct stream_conn *c, uint64_t now)
{
	struct sv text;

	while (!c->closing) {
		switch (stream_framer_next(&c->framer, &text)) {
		case STREAM_FRAME_MESSAGE:
			message_take(c, text, now);
			break;
		case STREAM_FRAME_PING:
			c->s->counters.pings_in++;
			(void)stream_io_send(c, SV("\r\n"));
			break;
		case STREAM_FRAME_PONG:
			c->s->counters.pongs_in++;
			break;
		case STREAM_FRAME_MORE:
			return true;
		case STREAM_FRAME_BAD:
			c->s->counters.bad++;
			return false;
		}
	}
	return true;
}

int stream_filter_plain(struct stream_conn *c, struct sv octets)
{
	uint64_t now = stream_now();
	int rc;

	if (c->closing)
		return 0;
	rc = stream_framer_put(&c->framer, octets.p, octets.n);
	if (rc == 0 && !frames_take(c, now))
		rc = -EBADMSG;
	if (!stream_framer_partial(&c->framer))
		c->message_since = 0;
	else if (!c->message_since)
		c->message_since = now;
	return rc;
}

/* A TLS handshake begins where a message could (TS 33.203 draft of Annex O: on port 5060). */
static bool turns_to_tls(const struct stream_conn *c, struct sv octets)
{
	return c->s->conf.upgrade && !c->filter && !c->sa && !c->we_opened &&
	       !stream_framer_partial(&c->framer) && (uint8_t)octets.p[0] == TLS_HANDSHAKE;
}

static void socket_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct stream_conn *c = h->data;
	struct sv octets = {buf->base, n > 0 ? (size_t)n : 0};
	int rc = 0;

	c->s->counters.events++;
	if (n == 0 || c->closing)
		return;
	if (n < 0) {
		stream_conn_close(c, n == UV_EOF ? STREAM_END_CLOSE : STREAM_END_RESET);
		return;
	}
	c->heard = stream_now();
	if (turns_to_tls(c, octets))
		rc = stream_upgrade(c);
	if (rc == 0)
		rc = c->filter ? c->filter->input(c->filter_state, octets)
			       : stream_filter_plain(c, octets);
	if (rc < 0) /* a filter has said why: that shall arrive */
		stream_conn_close(c, c->filter ? STREAM_END_CLOSE : STREAM_END_RESET);
	else
		stream_conn_watch(c, c->heard);
}

int stream_io_start(struct stream_conn *c)
{
	stream_socket_tune(c->s, &c->tcp);
	return uv_read_start((uv_stream_t *)&c->tcp, buffer_give, socket_read);
}

/* ---- out ---------------------------------------------------------------------------------- */

static struct stream_out *out_make(struct stream_conn *c, struct sv text, bool message)
{
	struct stream_out *o = malloc(sizeof(*o) + text.n);

	if (!o)
		return NULL;
	memset(o, 0, sizeof(*o));
	o->c = c;
	o->message = message;
	o->n = text.n;
	o->req.data = o;
	memcpy(o->text, text.p, text.n);
	return o;
}

/* What it takes while it waits: many small ones are mostly our own bookkeeping. */
static size_t out_cost(const struct stream_out *o)
{
	return sizeof(*o) + o->n;
}

static void unconfirmed_add(struct stream_conn *c, struct stream_out *o)
{
	if (c->n_unconfirmed == UNCONFIRMED_MAX)
		stream_io_forget(c, c->unconfirmed->written_at);
	DL_APPEND(c->unconfirmed, o);
	c->n_unconfirmed++;
}

/*
 * The kernel has it. A request is kept for a while: if the connection ends, perhaps nobody has read
 * it, or its answer was lost; so it goes another way, unless its transaction is over.
 */
static void out_written(struct stream_out *o)
{
	struct stream_conn *c = o->c;

	c->progress = o->written_at = stream_now();
	if (o->message)
		c->s->counters.messages_out++;
	if (o->message && !sv_has_prefix((struct sv){o->text, o->n}, SV("SIP/2.0 ")))
		unconfirmed_add(c, o);
	else
		free(o);
}

static void written(uv_write_t *req, int status)
{
	struct stream_out *o = req->data;
	struct stream_conn *c = o->c;

	c->s->counters.events++;
	c->queued -= out_cost(o);
	if (status == 0) {
		out_written(o);
		stream_conn_watch(c, stream_now());
		return;
	}
	DL_APPEND(c->waiting, o); /* until the handle is closed: stream_io_lost() */
	stream_conn_close(c, STREAM_END_RESET);
}

static int out_write(struct stream_conn *c, struct stream_out *o)
{
	uv_stream_t *h = (uv_stream_t *)&c->tcp;
	uv_buf_t buf = uv_buf_init(o->text, (unsigned)o->n);
	int n = c->queued ? UV_EAGAIN : uv_try_write(h, &buf, 1), rc;

	if (n == (int)o->n) {
		out_written(o);
		return 0;
	}
	if (n < 0 && n != UV_EAGAIN) {
		free(o);
		return n;
	}
	if (n > 0) {
		buf.base += n;
		buf.len -= (size_t)n;
	}
	rc = uv_write(&o->req, h, &buf, 1, written);
	if (rc < 0) {
		free(o);
		return rc;
	}
	if (c->queued == 0)
		c->progress = stream_now();
	c->queued += out_cost(o);
	return 0;
}

/* What a filter makes of messages is not told back if it gets lost. */
int stream_filter_wire(struct stream_conn *c, struct sv octets)
{
	struct stream_out *o;

	if (octets.n == 0 || uv_is_closing((uv_handle_t *)&c->tcp))
		return 0;
	if (c->queued + octets.n > 2 * c->s->conf.queue_max)
		return -ENOBUFS;
	o = out_make(c, octets, false);
	return o ? out_write(c, o) : -ENOMEM;
}

static int send_now(struct stream_conn *c, struct sv text, bool message)
{
	struct stream_out *o;

	if (c->filter)
		return c->filter->output(c->filter_state, text);
	o = out_make(c, text, message);
	return o ? out_write(c, o) : -ENOMEM;
}

static int send_later(struct stream_conn *c, struct sv text, bool message)
{
	struct stream_out *o = out_make(c, text, message);

	if (!o)
		return -ENOMEM;
	DL_APPEND(c->waiting, o);
	c->queued += out_cost(o);
	return 0;
}

int stream_io_send(struct stream_conn *c, struct sv text)
{
	bool message = text.n > 4; /* else CRLF or CRLFCRLF */
	int rc;

	if (c->closing)
		return -ENOTCONN;
	if (text.n > c->s->conf.message_max)
		return -EMSGSIZE;
	if (c->queued + text.n > c->s->conf.queue_max) {
		c->s->counters.stalled++;
		stream_conn_close(c, STREAM_END_RESET);
		return -ENOBUFS;
	}
	rc = c->ready ? send_now(c, text, message) : send_later(c, text, message);
	if (rc < 0) {
		stream_conn_close(c, STREAM_END_RESET);
		return rc == -ENOMEM ? rc : -ENOTCONN;
	}
	stream_conn_watch(c, stream_now());
	return 0;
}

void stream_io_ready(struct stream_conn *c)
{
	struct stream_out *o, *list = c->waiting;

	c->waiting = NULL;
	while ((o = list)) {
		struct sv text = {o->text, o->n};
		int rc;

		c->queued -= out_cost(o);
		rc = c->closing ? -ENOTCONN : send_now(c, text, o->message);
		DL_DELETE(list, o);
		if (rc == 0) {
			free(o);
			continue;
		}
		c->queued += out_cost(o);
		DL_APPEND(c->waiting, o);
		stream_conn_close(c, STREAM_END_RESET);
	}
}

/* ---- what was lost ------------------------------------------------------------------------ */

void stream_io_forget(struct stream_conn *c, uint64_t before)
{
	while (c->unconfirmed && c->unconfirmed->written_at <= before) {
		struct stream_out *o = c->unconfirmed;

		DL_DELETE(c->unconfirmed, o);
		c->n_unconfirmed--;
		free(o);
	}
}

static void list_lost(struct stream_conn *c, struct stream_out **list)
{
	struct stream *s = c->s;

	while (*list) {
		struct stream_out *o = *list;

		DL_DELETE(*list, o);
		if (o->message && !c->mute && !s->closing) {
			s->counters.undelivered++;
			s->env.undelivered(s->env.ctx, &c->flow, (struct sv){o->text, o->n},
					   c->ready, stream_now());
		}
		free(o);
	}
}

void stream_io_lost(struct stream_conn *c)
{
	list_lost(c, &c->unconfirmed);
	list_lost(c, &c->waiting);
}
