/* Inside sip/ and its readers: character classes and white space of RFC 3261 clause 25.1. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sv.h"

static inline bool scan_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool scan_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool scan_is_alpha(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* alphanum / "-" / "." / "!" / "%" / "*" / "_" / "+" / "`" / "'" / "~" */
bool scan_is_token_char(char c);
/* Length of the token that v begins with; 0: none. */
size_t scan_token(struct sv v);
bool scan_all_token(struct sv v);
/* Octets of linear white space that v begins with; a fold is CRLF and at least one blank. */
size_t scan_lws(struct sv v);
/* Length of the quoted string that v begins with, both quotes inclusive; 0: not one, or it does not
 * end. */
size_t scan_quoted(struct sv v);
/*
 * Octets up to the first `stop` outside quoted strings and <>, all of v if there is none; SIZE_MAX
 * if one of those does not end, so that what stands behind v would be inside of it.
 */
size_t scan_span(struct sv v, char stop);

/* An empty view may have no address to count from. */
static inline struct sv sv_skip(struct sv v, size_t n)
{
	return n ? (struct sv){v.p + n, v.n - n} : v;
}

static inline bool scan_is_closed(struct sv v)
{
	return scan_span(v, '\0') != SIZE_MAX; /* no NUL in a head */
}

static inline struct sv scan_skip_lws(struct sv v)
{
	return sv_skip(v, scan_lws(v));
}

/* [from, to) */
static inline struct sv sv_between(const char *from, const char *to)
{
	return (struct sv){from, (size_t)(to - from)};
}
