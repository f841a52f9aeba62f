#include "control/stream/framer.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/sip/header_names.h"
#include "control/sip/scan.h"

#define BUFFER_MIN  2048
#define START_MAX   2048 /* octets of a start line; a protocol other than SIP is known by it */
#define VERSION	    SV("SIP/2.0")
#define VERSION_LEN 7

void stream_framer_init(struct stream_framer *f, size_t head_max, size_t message_max)
{
	memset(f, 0, sizeof(*f));
	f->head_max = head_max < message_max ? head_max : message_max;
	f->message_max = message_max;
}

void stream_framer_free(struct stream_framer *f)
{
	if (f->buf)
		sodium_memzero(f->buf, f->cap);
	free(f->buf);
	f->buf = NULL;
	f->at = f->n = f->cap = 0;
}

/* ---- buffer ------------------------------------------------------------------------------- */

static void buffer_compact(struct stream_framer *f)
{
	if (f->at == f->n) {
		stream_framer_free(f);
	} else if (f->at) {
		memmove(f->buf, f->buf + f->at, f->n - f->at);
		f->n -= f->at;
		f->at = 0;
	}
}

static int buffer_grow(struct stream_framer *f, size_t need)
{
	size_t cap = f->cap ? f->cap : BUFFER_MIN;
	char *bigger;

	while (cap < need)
		cap *= 2;
	if (cap == f->cap)
		return 0;
	bigger = malloc(cap);
	if (!bigger)
		return -ENOMEM;
	if (f->buf) {
		memcpy(bigger, f->buf, f->n);
		sodium_memzero(f->buf, f->cap);
		free(f->buf);
	}
	f->buf = bigger;
	f->cap = cap;
	return 0;
}

int stream_framer_put(struct stream_framer *f, const void *octets, size_t n)
{
	int rc;

	if (f->bad || n == 0)
		return 0;
	buffer_compact(f);
	rc = buffer_grow(f, f->n + n);
	if (rc < 0)
		return rc;
	memcpy(f->buf + f->n, octets, n);
	f->n += n;
	return 0;
}

/* ---- head --------------------------------------------------------------------------------- */

static struct sv rest_of(const struct stream_framer *f)
{
	return f->n > f->at ? (struct sv){f->buf + f->at, f->n - f->at} : (struct sv){0};
}

/* Request-Line ends with the version, Status-Line begins with it (RFC 3261 7.1, 7.2). */
static bool start_line_is_sip(struct sv line)
{
	struct sv end = {line.p + line.n - VERSION_LEN, VERSION_LEN};

	if (line.n <= VERSION_LEN)
		return false;
	return sv_caseeq((struct sv){line.p, VERSION_LEN}, VERSION) ||
	       (sv_caseeq(end, VERSION) && end.p[-1] == ' ');
}

/* False as soon as it is clear that this is no SIP: nobody has to wait for its end. */
static bool start_is_plausible(struct sv text)
{
	const char *lf = memchr(text.p, '\n', text.n < START_MAX ? text.n : START_MAX);

	if (!scan_is_token_char(text.p[0]))
		return false;
	if (!lf)
		return text.n < START_MAX;
	return lf > text.p && lf[-1] == '\r' && start_line_is_sip(sv_between(text.p, lf - 1));
}

/* Length of the head with its empty line; 0: it has not come yet. */
static size_t head_find(struct stream_framer *f, struct sv text)
{
	size_t from = f->scanned > 3 ? f->scanned - 3 : 0;
	const char *end = memmem(text.p + from, text.n - from, "\r\n\r\n", 4);

	f->scanned = text.n;
	return end ? (size_t)(end - text.p) + 4 : 0;
}

/* Takes one header field, folds inclusive, off *head. */
static struct sv field_take(struct sv *head)
{
	const char *p = head->p, *end = head->p + head->n;
	struct sv field;

	do {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : end;
	} while (p < end && scan_is_blank(*p));
	field = sv_between(head->p, p);
	*head = sv_between(p, end);
	return field;
}

/* The value if the field is Content-Length in any of its forms. */
static bool field_is_length(struct sv field, struct sv *value)
{
	struct sv name = {field.p, scan_token(field)}, rest = sv_skip(field, name.n);

	if (name.n == 0 || sip_header_id(name) != SIP_HDR_CONTENT_LENGTH)
		return false;
	while (rest.n && scan_is_blank(rest.p[0]))
		rest = sv_skip(rest, 1);
	if (rest.n == 0 || rest.p[0] != ':')
		return false;
	*value = sv_trim(sv_skip(rest, 1));
	return true;
}

/* Exactly one Content-Length that is a number (RFC 3261 18.3, 20.14). */
static bool body_length(struct sv head, uint32_t max, uint32_t *length)
{
	unsigned found = 0;
	struct sv value;

	(void)field_take(&head);
	while (head.n)
		if (field_is_length(field_take(&head), &value)) {
			found++;
			if (!parse_u32(value, max, length))
				return false;
		}
	return found == 1;
}

static bool head_read(struct stream_framer *f, struct sv text)
{
	uint32_t body = 0;

	if (!start_is_plausible(text))
		return false;
	f->head = head_find(f, text);
	if (f->head == 0)
		return text.n < f->head_max;
	if (f->head > f->head_max ||
	    !body_length((struct sv){text.p, f->head}, (uint32_t)f->message_max, &body))
		return false;
	f->length = f->head + body;
	return f->length <= f->message_max;
}

/* ---- frames ------------------------------------------------------------------------------- */

static enum stream_frame bad(struct stream_framer *f)
{
	f->bad = true;
	stream_framer_free(f);
	return STREAM_FRAME_BAD;
}

static enum stream_frame message(struct stream_framer *f, struct sv text, struct sv *out)
{
	if (text.n < f->length)
		return STREAM_FRAME_MORE;
	*out = (struct sv){text.p, f->length};
	f->at += f->length;
	f->scanned = f->head = f->length = 0;
	return STREAM_FRAME_MESSAGE;
}

/*
 * CRLF between messages. Two are a ping, one answers ours, and one alone means nothing (RFC
 * 3261 7.5).
 */
static bool crlf_take(struct stream_framer *f, enum stream_frame *frame)
{
	f->at += 2;
	if (f->pong_due) {
		f->pong_due = false;
		*frame = STREAM_FRAME_PONG;
		return true;
	}
	f->half_ping = !f->half_ping;
	*frame = STREAM_FRAME_PING;
	return !f->half_ping;
}

enum stream_frame stream_framer_next(struct stream_framer *f, struct sv *text)
{
	enum stream_frame frame;
	struct sv rest;

	if (f->bad)
		return STREAM_FRAME_BAD;
	for (rest = rest_of(f); rest.n && rest.p[0] == '\r'; rest = rest_of(f)) {
		if (rest.n == 1)
			return STREAM_FRAME_MORE;
		if (rest.p[1] != '\n')
			return bad(f);
		if (crlf_take(f, &frame))
			return frame;
	}
	if (rest.n == 0) {
		buffer_compact(f);
		return STREAM_FRAME_MORE;
	}
	f->half_ping = false;
	if (f->head == 0 && !head_read(f, rest))
		return bad(f);
	return f->head ? message(f, rest, text) : STREAM_FRAME_MORE;
}

bool stream_framer_partial(const struct stream_framer *f)
{
	return f->n > f->at;
}
