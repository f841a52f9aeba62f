/* String views: a pointer and a length, not NUL-terminated, owned by someone else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

struct sv {
	const char *p;
	size_t n;
};

#define SV(lit)	  ((struct sv){(lit), sizeof(lit) - 1}) /* of a string literal */
#define SV_ARG(v) (int)(v).n, (v).p			/* for "%.*s" */

static inline struct sv sv_of(const char *s)
{
	return (struct sv){s, s ? strlen(s) : 0};
}

static inline bool sv_eq(struct sv a, struct sv b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Equal but for the case of ASCII letters. */
static inline bool sv_caseeq(struct sv a, struct sv b)
{
	return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

static inline bool sv_empty(struct sv a)
{
	return a.n == 0;
}
