#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "control/base/parse.h"
#include "control/sip/edit.h"
#include "control/sip/scan.h"

#define EMPTY ((struct sv){0})

void sip_edit_init(struct sip_edit *e, const struct sip_msg *m)
{
	e->msg = m;
	e->n = 0;
	e->failed = false;
	e->text = sbuf_of(e->store, sizeof(e->store));
}

static struct sip_splice *find(struct sip_edit *e, struct sv old)
{
	for (unsigned i = 0; i < e->n; i++)
		if (e->s[i].at == old.p && e->s[i].removed == old.n)
			return &e->s[i];
	return NULL;
}

static void splice(struct sip_edit *e, struct sv old, struct sv text)
{
	const struct sv raw = e->msg->raw;

	if (e->n == SIP_EDIT_MAX || old.p < raw.p || old.p > raw.p + raw.n ||
	    old.n > (size_t)(raw.p + raw.n - old.p))
		e->failed = true;
	else
		e->s[e->n++] = (struct sip_splice){old.p, old.n, text};
}

/* A second replacement of the same octets takes the place of the first. */
static void replace(struct sip_edit *e, struct sv old, struct sv text)
{
	struct sip_splice *s = old.n ? find(e, old) : NULL;

	if (s)
		s->text = text;
	else
		splice(e, old, text);
}

static bool is_removed(struct sip_edit *e, const struct sip_header *h)
{
	const struct sip_splice *s = find(e, h->line);

	return s && s->text.n == 0;
}

/* The value as it stands after the edits so far. */
static struct sv value_now(struct sip_edit *e, const struct sip_header *h)
{
	const struct sip_splice *s = h->value.n ? find(e, h->value) : NULL;

	return s ? s->text : h->value;
}

void sip_edit_remove(struct sip_edit *e, const struct sip_header *h)
{
	replace(e, h->line, EMPTY);
}

void sip_edit_remove_all(struct sip_edit *e, enum sip_hdr id)
{
	for (const struct sip_header *h = sip_msg_find(e->msg, id); h; h = sip_msg_next(e->msg, h))
		sip_edit_remove(e, h);
}

/* A value that has lost elements; the field goes with the last of them. */
static void set_value(struct sip_edit *e, const struct sip_header *h, struct sv value)
{
	if (value.n)
		replace(e, h->value, value);
	else
		sip_edit_remove(e, h);
}

void sip_edit_remove_first(struct sip_edit *e, enum sip_hdr id)
{
	const struct sip_header *h = sip_msg_find(e->msg, id);
	struct sv rest, element;

	while (h && is_removed(e, h))
		h = sip_msg_next(e->msg, h);
	if (!h)
		return;
	rest = value_now(e, h);
	sip_list_next(&rest, &element);
	set_value(e, h, sv_trim(rest));
}

/* The text formatted into the store, with `end` behind it. Empty and e->failed if it does not fit.
 */
static struct sv format(struct sip_edit *e, struct sv end, const char *fmt, va_list ap)
{
	struct sbuf *b = &e->text;
	size_t from = b->n, room = b->cap - b->n;
	int n = vsnprintf(b->p + from, room, fmt, ap);

	if (n < 0 || (size_t)n >= room) {
		e->failed = true;
		return EMPTY;
	}
	b->n += (size_t)n;
	sbuf_put(b, end);
	if (b->overflow)
		e->failed = true;
	return (struct sv){b->p + from, b->n - from};
}

void sip_edit_replace(struct sip_edit *e, struct sv old, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	replace(e, old, format(e, EMPTY, fmt, ap));
	va_end(ap);
}

static const char *head_end(const struct sip_msg *m)
{
	const struct sv last = m->n ? m->h[m->n - 1].line : m->start_line;

	return last.p + last.n;
}

void sip_edit_insert(struct sip_edit *e, enum sip_hdr id, const char *fmt, ...)
{
	const struct sip_header *h = sip_msg_find(e->msg, id);
	va_list ap;

	va_start(ap, fmt);
	splice(e, (struct sv){h ? h->line.p : head_end(e->msg), 0}, format(e, SV("\r\n"), fmt, ap));
	va_end(ap);
}

void sip_edit_append(struct sip_edit *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	splice(e, (struct sv){head_end(e->msg), 0}, format(e, SV("\r\n"), fmt, ap));
	va_end(ap);
}

/* `list` without `token`, into the store. false if it is not in there. */
static bool without_token(struct sip_edit *e, struct sv list, struct sv token, struct sv *result)
{
	size_t from = e->text.n;
	bool found = false;
	struct sv element;

	while (sip_list_next(&list, &element)) {
		if (sv_caseeq(element, token)) {
			found = true;
			continue;
		}
		if (e->text.n > from)
			sbuf_put(&e->text, SV(", "));
		sbuf_put(&e->text, element);
	}
	if (e->text.overflow)
		e->failed = true;
	*result = (struct sv){e->text.p + from, e->text.n - from};
	return found;
}

void sip_edit_remove_token(struct sip_edit *e, enum sip_hdr id, struct sv token)
{
	struct sv value;
	size_t before;

	for (const struct sip_header *h = sip_msg_find(e->msg, id); h;
	     h = sip_msg_next(e->msg, h)) {
		if (is_removed(e, h))
			continue;
		before = e->text.n;
		if (without_token(e, value_now(e, h), token, &value))
			set_value(e, h, value);
		else
			e->text.n = before;
	}
}
