#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "control/base/sbuf.h"

void sbuf_put(struct sbuf *b, struct sv text)
{
	if (b->overflow || text.n > b->cap - b->n) {
		b->overflow = true;
		return;
	}
	if (text.n)
		memcpy(b->p + b->n, text.p, text.n);
	b->n += text.n;
}

void sbuf_printf(struct sbuf *b, const char *fmt, ...)
{
	size_t room = b->cap - b->n;
	va_list ap;
	int n;

	if (b->overflow)
		return;
	va_start(ap, fmt);
	n = vsnprintf(room ? b->p + b->n : NULL, room, fmt, ap);
	va_end(ap);
	/* vsnprintf() wants a place for its NUL, so the last octet of cap is out of reach here. */
	if (n < 0 || (n > 0 && (size_t)n >= room))
		b->overflow = true;
	else
		b->n += (size_t)n;
}

void sbuf_hex(struct sbuf *b, const void *octets, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *o = octets;

	if (b->overflow || n > (b->cap - b->n) / 2) {
		b->overflow = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		b->p[b->n++] = digits[o[i] >> 4];
		b->p[b->n++] = digits[o[i] & 15];
	}
}
