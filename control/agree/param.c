#include <errno.h>

#include "control/agree/param.h"
#include "control/sip/scan.h"
#include "ip.h"

bool agree_name_read(struct sv *rest, struct sv *name)
{
	struct sv v = scan_skip_lws(*rest);

	*name = (struct sv){v.p, scan_token(v)};
	*rest = scan_skip_lws(sv_skip(v, name->n));
	return name->n != 0;
}

/* Quoted strings are free text, but not of control characters (a fold is white space). */
static size_t quoted(struct sv v)
{
	size_t n = scan_quoted(v), lws;

	for (size_t i = 1; i + 1 < n; i += lws ? lws : 1) {
		unsigned char c = (unsigned char)v.p[i];

		lws = scan_lws(sv_skip(v, i));
		if (!lws && (c < ' ' || c == 0x7f))
			return 0;
	}
	return n;
}

/* "[" IPv6address "]", the only form of host that is no token */
static size_t bracketed(struct sv v)
{
	const char *close = memchr(v.p, ']', v.n);
	size_t n = close ? (size_t)(close - v.p) - 1 : 0;
	char text[IP_ADDR_STRLEN];
	struct ip_addr a;

	if (n == 0 || n >= sizeof(text) || memchr(v.p + 1, 0, n))
		return 0;
	memcpy(text, v.p + 1, n);
	text[n] = '\0';
	return ip_addr_parse(&a, text) == 0 && a.version == 6 ? n + 2 : 0;
}

static size_t value_length(struct sv v)
{
	if (v.n == 0)
		return 0;
	if (v.p[0] == '"')
		return quoted(v);
	return v.p[0] == '[' ? bracketed(v) : scan_token(v);
}

int agree_param_read(struct sv *rest, struct agree_param *p)
{
	struct sv v = scan_skip_lws(*rest);

	if (v.n == 0)
		return 0;
	if (v.p[0] != ';')
		return -EBADMSG;
	v = sv_skip(v, 1);
	if (!agree_name_read(&v, &p->name))
		return -EBADMSG;
	p->value = (struct sv){0};
	p->has_value = v.n && v.p[0] == '=';
	if (p->has_value) {
		v = scan_skip_lws(sv_skip(v, 1));
		p->value = (struct sv){v.p, value_length(v)};
		if (p->value.n == 0)
			return -EBADMSG;
		v = scan_skip_lws(sv_skip(v, p->value.n));
	}
	*rest = v;
	return 1;
}

bool agree_element_next(struct sv *rest, struct sv *element)
{
	size_t i = 0, n;

	if (!rest->p)
		return false;
	while (i < rest->n && rest->p[i] != ',') {
		n = rest->p[i] == '"' ? scan_quoted(sv_skip(*rest, i)) : 1;
		i += n ? n : rest->n - i;
	}
	*element = (struct sv){rest->p, i};
	*rest = i < rest->n ? sv_skip(*rest, i + 1) : (struct sv){0};
	return true;
}
