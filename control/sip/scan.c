#include <stdint.h>

#include "control/sip/scan.h"

/* One bit for each of the 128 ASCII characters that may stand in a token. */
static const uint32_t token_chars[4] = {
	0x00000000, /* controls */
	0x03ff6ca2, /* ! % ' * + - . 0-9 */
	0x87fffffe, /* A-Z _ */
	0x47ffffff, /* ` a-z ~ */
};

bool scan_is_token_char(char c)
{
	uint8_t u = (uint8_t)c;

	return u < 128 && (token_chars[u / 32] >> u % 32 & 1);
}

size_t scan_token(struct sv v)
{
	size_t i = 0;

	while (i < v.n && scan_is_token_char(v.p[i]))
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
	size_t i = 0, n = 1;

	while (i < v.n && v.p[i] != stop && n) {
		if (v.p[i] == '"')
			n = scan_quoted(sv_skip(v, i));
		else
			n = v.p[i] == '<' ? scan_angle(sv_skip(v, i)) : 1;
		i += n;
	}
	return n ? i : SIZE_MAX;
}
