#include <stdint.h>

#include "control/sip/scan.h"

/* An octet for each character: looked up for every one of every field name, so not packed into
 * bits. */
static const bool token_chars[256] = {
	['!'] = 1,	   ['%'] = 1, ['\''] = 1,	 ['*'] = 1, ['+'] = 1,
	['-'] = 1,	   ['.'] = 1, ['0' ... '9'] = 1, ['_'] = 1, ['`'] = 1,
	['A' ... 'Z'] = 1, ['~'] = 1, ['a' ... 'z'] = 1,
};

bool scan_is_token_char(char c)
{
	return token_chars[(uint8_t)c];
}

size_t scan_token(struct sv v)
{
	size_t i = 0;

	while (i < v.n && token_chars[(uint8_t)v.p[i]])
		i++;
	return i;
}

bool scan_all_token(struct sv v)
{
	return v.n && scan_token(v) == v.n;
}

size_t scan_lws(struct sv v)
{
	size_t i = 0;

	for (;;) {
		if (i < v.n && scan_is_blank(v.p[i]))
			i++;
		else if (i + 2 < v.n && v.p[i] == '\r' && v.p[i + 1] == '\n' &&
			 scan_is_blank(v.p[i + 2]))
			i += 3;
		else
			return i;
	}
}

size_t scan_quoted(struct sv v)
{
	if (v.n == 0 || v.p[0] != '"')
		return 0;
	for (size_t i = 1; i < v.n; i++) {
		if (v.p[i] == '"')
			return i + 1;
		if (v.p[i] == '\\')
			i++;
	}
	return 0;
}

/* Octets of the "<...>" that v begins with; 0: it does not end. */
static size_t scan_angle(struct sv v)
{
	const char *close = memchr(v.p, '>', v.n);

	return close ? (size_t)(close - v.p) + 1 : 0;
}

size_t scan_span(struct sv v, char stop)
{
	size_t i = 0, n;

	for (;;) {
		while (i < v.n && v.p[i] != stop && v.p[i] != '"' && v.p[i] != '<')
			i++;
		if (i == v.n || v.p[i] == stop)
			return i;
		n = v.p[i] == '"' ? scan_quoted(sv_skip(v, i)) : scan_angle(sv_skip(v, i));
		if (n == 0)
			return SIZE_MAX;
		i += n;
	}
}
