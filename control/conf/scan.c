/*
 * A look at the raw text for what libconfig 1.5 does in silence: it cuts whole numbers to 32 bits
 * (4294968296 reads as 1000), ends at a NUL, and follows @include, after which lines would no
 * longer be those of the file we name.
 */
#include <ctype.h>
#include <string.h>

#include "control/base/parse.h"
#include "control/conf/key.h"

struct cursor {
	const char *p, *end;
	unsigned line;
};

static bool at(const struct cursor *c, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(c->end - c->p) >= n && memcmp(c->p, word, n) == 0;
}

static void step(struct cursor *c)
{
	if (*c->p++ == '\n')
		c->line++;
}

static void skip_line(struct cursor *c)
{
	while (c->p < c->end && *c->p != '\n')
		c->p++;
}

static void skip_comment(struct cursor *c)
{
	while (c->p < c->end && !at(c, "*/"))
		step(c);
}

/* false: it does not end. */
static bool skip_string(struct cursor *c)
{
	for (step(c); c->p < c->end && *c->p != '"'; step(c))
		if (*c->p == '\\' && c->p + 1 < c->end)
			step(c);
	if (c->p == c->end)
		return false;
	step(c);
	return true;
}

/* A word or number whole, so that digits within names are not looked at. */
static struct sv take_token(struct cursor *c)
{
	const char *start = c->p;

	while (c->p < c->end && (isalnum((unsigned char)*c->p) || strchr("_.", *c->p)) && *c->p)
		c->p++;
	return (struct sv){start, (size_t)(c->p - start)};
}

static bool number_fits(struct sv token)
{
	uint64_t v;

	if (token.n > 2 && token.p[0] == '0' && (token.p[1] | 0x20) == 'x')
		return token.n <= 2 + 8;
	if (strspn(token.p, "0123456789") < token.n)
		return true; /* a fraction, 64 bits by its "L", or a name */
	return parse_u64(token, INT32_MAX, &v);
}

void conf_scan(struct loader *l, const char *text, size_t n)
{
	struct cursor c = {text, text + n, 1};

	while (c.p < c.end) {
		if (*c.p == '#' || at(&c, "//")) {
			skip_line(&c);
		} else if (at(&c, "/*")) {
			skip_comment(&c);
		} else if (*c.p == '"') {
			unsigned line = c.line;

			if (!skip_string(&c))
				conf_fault(l, line, "expected the string that begins here to end");
		} else if (at(&c, "@include")) {
			conf_fault(l, c.line, "@include: expected all in one file");
			skip_line(&c);
		} else if (*c.p == '\0') {
			conf_fault(l, c.line, "expected text, found a NUL octet");
			return;
		} else if (isalnum((unsigned char)*c.p)) {
			struct sv token = take_token(&c);

			if (!number_fits(token))
				conf_fault(l, c.line, "number too large: %.*s", SV_ARG(token));
		} else {
			step(&c);
		}
	}
}
