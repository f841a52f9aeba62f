#include "tests/control/flow/mitm.h"

#include "control/base/sbuf.h"

static const char *line_of(struct sv text, const char *field, const char **end)
{
	size_t n = strlen(field);

	for (const char *at = text.p, *stop = text.p + text.n, *cr;
	     (cr = memmem(at, (size_t)(stop - at), "\r\n", 2)); at = cr + 2)
		if ((size_t)(cr - at) > n && strncasecmp(at, field, n) == 0 && at[n] == ':') {
			*end = cr + 2;
			return at;
		}
	return NULL;
}

static bool replace(const struct mitm_attack *a, const char *line, const char *end, struct sbuf *b)
{
	size_t n = strlen(a->from);
	const char *at = memmem(line, (size_t)(end - line), a->from, n);

	if (!at)
		return false;
	for (; at;
	     at = a->how == MITM_ALL ? memmem(line, (size_t)(end - line), a->from, n) : NULL) {
		sbuf_put(b, (struct sv){line, (size_t)(at - line)});
		sbuf_put(b, sv_of(a->to));
		line = at + n;
	}
	sbuf_put(b, (struct sv){line, (size_t)(end - line)});
	return true;
}

/* What becomes of the entries, and of the line as one. */
static bool reshape(const struct mitm_attack *a, const char *line, const char *end, struct sbuf *b)
{
	const char *value = line + strlen(a->field) + 2, *crlf = end - 2;
	const char *first = memchr(line, ',', (size_t)(crlf - line));
	const char *last = memrchr(line, ',', (size_t)(crlf - line));

	if (a->how >= MITM_SWAP && !first)
		return false;
	sbuf_put(b, (struct sv){line, a->how == MITM_GONE ? 0 : (size_t)(value - line)});
	if (a->how == MITM_FRONT)
		sbuf_put(b, sv_of(a->to));
	if (a->how == MITM_FRONT || a->how == MITM_BACK)
		sbuf_put(b, (struct sv){value, (size_t)(crlf - value)});
	if (a->how == MITM_BACK)
		sbuf_put(b, sv_of(a->to));
	if (a->how == MITM_TWICE)
		sbuf_printf(b, "%.*s%.*s", (int)(end - value), value, (int)(crlf - line), line);
	if (a->how == MITM_SWAP || a->how == MITM_BEHEAD)
		sbuf_put(b, (struct sv){first + 1, (size_t)(crlf - first - 1)});
	if (a->how == MITM_SWAP)
		sbuf_printf(b, ", %.*s", (int)(first - value), value);
	if (a->how == MITM_LAST)
		sbuf_put(b, (struct sv){last + 1, (size_t)(crlf - last - 1)});
	if (a->how != MITM_GONE)
		sbuf_put(b, SV("\r\n"));
	return true;
}

struct sv mitm_alter(struct net *n, const struct net_packet *k, void *arg)
{
	struct mitm *m = arg;
	bool up = k->from != &n->edge;
	const struct mitm_attack *a = up ? m->up : m->down;
	struct sv text = {k->text, k->n};
	struct sbuf b = sbuf_of(m->text, sizeof(m->text));
	const char *line, *end;

	if (!a || k->flow.set || k->flow.session)
		return (struct sv){0};
	line = line_of(text, a->field, &end);
	if (!line)
		return (struct sv){0};
	sbuf_put(&b, (struct sv){text.p, (size_t)(line - text.p)});
	if (!(a->how <= MITM_FIRST ? replace(a, line, end, &b) : reshape(a, line, end, &b)))
		return (struct sv){0};
	sbuf_put(&b, (struct sv){end, (size_t)(text.p + text.n - end)});
	assert_false(b.overflow);
	m->hits[up]++;
	return sbuf_sv(&b);
}
