#include <errno.h>

#include "control/auth/params.h"
#include "control/base/parse.h"
#include "control/sip/scan.h"

bool auth_scheme_read(struct sv *rest, struct sv *scheme)
{
	struct sv v = scan_skip_lws(*rest);
	size_t blanks;

	*scheme = (struct sv){v.p, scan_token(v)};
	v = sv_skip(v, scheme->n);
	blanks = scan_lws(v);
	*rest = sv_skip(v, blanks);
	return scheme->n && blanks;
}

/* White space and commas before a parameter: empty list elements mean nothing (RFC 2616 2.1). */
static struct sv skip_commas(struct sv v)
{
	for (;;) {
		v = scan_skip_lws(v);
		if (v.n == 0 || v.p[0] != ',')
			return v;
		v = sv_skip(v, 1);
	}
}

/* A token or a quoted string. Base64 outside quotes is no token but seen, so "=" and "/" pass here.
 */
static size_t value_length(struct sv v)
{
	size_t i = 0;

	if (v.n && v.p[0] == '"')
		return scan_quoted(v);
	while (i < v.n && (scan_is_token_char(v.p[i]) || v.p[i] == '=' || v.p[i] == '/' ||
			   v.p[i] == ':' || v.p[i] == '@'))
		i++;
	return i;
}

int auth_param_read(struct sv *rest, struct auth_param *p)
{
	struct sv v = skip_commas(*rest);
	size_t n;

	if (v.n == 0)
		return 0;
	p->name = (struct sv){v.p, scan_token(v)};
	v = scan_skip_lws(sv_skip(v, p->name.n));
	if (p->name.n == 0 || v.n == 0 || v.p[0] != '=')
		return -EBADMSG;
	v = scan_skip_lws(sv_skip(v, 1));
	n = value_length(v);
	if (n == 0)
		return -EBADMSG;
	p->value = sv_unquote((struct sv){v.p, n});
	p->text = sv_between(p->name.p, v.p + n);
	v = scan_skip_lws(sv_skip(v, n));
	if (v.n && v.p[0] != ',')
		return -EBADMSG;
	*rest = v;
	return 1;
}

static int field_set(const struct auth_field *fields, unsigned n, const struct auth_param *p)
{
	for (unsigned i = 0; i < n; i++) {
		if (!sv_caseeq(p->name, sv_of(fields[i].name)))
			continue;
		if (fields[i].value->p)
			return -EBADMSG;
		*fields[i].value = p->value;
		return 0;
	}
	return 0;
}

int auth_params_read(struct sv value, const struct auth_field *fields, unsigned n)
{
	struct auth_param p;
	int more;

	while ((more = auth_param_read(&value, &p)) > 0)
		if (field_set(fields, n, &p))
			return -EBADMSG;
	return more;
}

int auth_fields_read(struct sv value, const struct auth_field *fields, unsigned n)
{
	struct sv scheme;

	if (!auth_scheme_read(&value, &scheme) || !sv_caseeq(scheme, SV("Digest")))
		return -EBADMSG;
	return auth_params_read(value, fields, n);
}

void auth_field_write(struct sbuf *b, bool first, struct sv name, struct sv value)
{
	sbuf_put(b, first ? SV(" ") : SV(", "));
	sbuf_put(b, name);
	sbuf_put(b, SV("=\""));
	sbuf_put(b, value);
	sbuf_put(b, SV("\""));
}

void auth_token_write(struct sbuf *b, struct sv name, struct sv value)
{
	sbuf_put(b, SV(", "));
	sbuf_put(b, name);
	sbuf_put(b, SV("="));
	sbuf_put(b, value);
}
