#include <errno.h>

#include "control/base/parse.h"
#include "control/sip/msg.h"
#include "control/sip/scan.h"

/* The "<" that opens the URI: the first one outside quotes. NULL: none, or a quote does not end. */
static const char *find_open(struct sv v)
{
	size_t i = 0, n;

	while (i < v.n && v.p[i] != '<') {
		n = v.p[i] == '"' ? scan_quoted(sv_skip(v, i)) : 1;
		if (n == 0)
			return NULL;
		i += n;
	}
	return i < v.n ? v.p + i : NULL;
}

static bool is_uri_text(struct sv u)
{
	for (size_t i = 0; i < u.n; i++)
		if ((unsigned char)u.p[i] <= ' ' || u.p[i] == '"' || u.p[i] == '<' || u.p[i] == '>')
			return false;
	return u.n != 0;
}

/*
 * One quoted string, or words. Words should be tokens, but people write "Bell, A." (RFC
 * 4475 3.1.2.15); what would make another reader find another URI is not taken.
 */
static bool is_display(struct sv v)
{
	if (v.n && v.p[0] == '"')
		return scan_quoted(v) == v.n;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] && strchr("\":;>@?=[]\\", v.p[i]))
			return false;
	return true;
}

static int read_params(struct sip_addr *a, struct sv rest)
{
	a->params = sv_trim(rest);
	if (a->params.n == 0)
		return 0;
	return a->params.p[0] == ';' && scan_is_closed(a->params) ? 0 : -EBADMSG;
}

/* addr-spec: parameters behind it are the field's, not the URI's, and "?" needs <> (RFC
 * 3261 20.10). */
static int read_addr_spec(struct sip_addr *a, struct sv v)
{
	const char *semicolon = memchr(v.p, ';', v.n);

	a->uri = sv_trim(semicolon ? sv_between(v.p, semicolon) : v);
	if (!is_uri_text(a->uri) || memchr(a->uri.p, '?', a->uri.n))
		return -EBADMSG;
	return semicolon ? read_params(a, sv_between(semicolon, v.p + v.n)) : 0;
}

int sip_addr_parse(struct sip_addr *a, struct sv element)
{
	const char *open, *close, *end;

	memset(a, 0, sizeof(*a));
	element = sv_trim(element);
	if (element.n == 0)
		return -EBADMSG;
	end = element.p + element.n;
	open = find_open(element);
	if (!open)
		return read_addr_spec(a, element);
	close = memchr(open, '>', (size_t)(end - open));
	if (!close)
		return -EBADMSG;
	a->display = sv_trim(sv_between(element.p, open));
	a->uri = sv_between(open + 1, close);
	if (!is_display(a->display) || !is_uri_text(a->uri))
		return -EBADMSG;
	return read_params(a, sv_between(close + 1, end));
}
