/* Bounded text building: appends never overrun; overflow is remembered and checked once at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sv.h"

struct sbuf {
	char *p;
	size_t n, cap;
	bool overflow;
};

static inline struct sbuf sbuf_of(char *p, size_t cap)
{
	return (struct sbuf){.p = p, .cap = cap};
}

static inline struct sv sbuf_sv(const struct sbuf *b)
{
	return (struct sv){b->p, b->n};
}

void sbuf_put(struct sbuf *b, struct sv text);
__attribute__((format(printf, 2, 3))) void sbuf_printf(struct sbuf *b, const char *fmt, ...);
void sbuf_hex(struct sbuf *b, const void *octets, size_t n); /* lower case */
