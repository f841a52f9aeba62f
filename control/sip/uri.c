#include <errno.h>

#include "control/sip/host.h"
#include "control/sip/msg.h"
#include "control/sip/msg_check.h"
#include "control/sip/scan.h"

static bool is_scheme(struct sv s)
{
	if (s.n == 0 || !scan_is_alpha(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!scan_is_alpha(s.p[i]) && !scan_is_digit(s.p[i]) && s.p[i] != '+' &&
		    s.p[i] != '-' && s.p[i] != '.')
			return false;
	return true;
}

/* Nothing of a URI is a blank, a control character, a quote, an angle bracket or beyond ASCII. */
static bool is_printable(struct sv u)
{
	for (size_t i = 0; i < u.n; i++) {
		unsigned char c = (unsigned char)u.p[i];

		if (c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"')
			return false;
	}
	return true;
}

bool sip_uri_is_absolute(struct sv text)
{
	const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;

	return colon && colon + 1 < text.p + text.n && is_scheme(sv_between(text.p, colon)) &&
	       is_printable(text);
}

/* [userinfo "@"] hostport uri-parameters [headers] */
static int read_sip(struct sip_uri *u, struct sv rest)
{
	/* userinfo may hold ";" and "?" but no "@", and nothing behind it may hold one unescaped */
	const char *at = rest.n ? memchr(rest.p, '@', rest.n) : NULL, *question;

	if (at) {
		u->user = sv_between(rest.p, at);
		if (u->user.n == 0)
			return -EBADMSG;
		rest = sv_skip(rest, u->user.n + 1);
	}
	if (sip_hostport_read(&rest, false, &u->host, &u->port))
		return -EBADMSG;
	if (rest.n && rest.p[0] != ';' && rest.p[0] != '?')
		return -EBADMSG;
	question = rest.n ? memchr(rest.p, '?', rest.n) : NULL;
	u->params = question ? sv_between(rest.p, question) : rest;
	u->headers = sv_skip(rest, u->params.n);
	return 0;
}

/* number *(";" par) (RFC 3966) */
static int read_tel(struct sip_uri *u, struct sv rest)
{
	const char *semicolon = rest.n ? memchr(rest.p, ';', rest.n) : NULL;

	u->user = semicolon ? sv_between(rest.p, semicolon) : rest;
	u->params = sv_skip(rest, u->user.n);
	return u->user.n ? 0 : -EBADMSG;
}

int sip_uri_parse(struct sip_uri *u, struct sv text)
{
	struct sv rest;

	memset(u, 0, sizeof(*u));
	if (!sip_uri_is_absolute(text))
		return -EBADMSG;
	u->text = text;
	u->scheme = sv_between(text.p, memchr(text.p, ':', text.n));
	rest = sv_skip(text, u->scheme.n + 1);
	if (sv_caseeq(u->scheme, SV("sip")) || sv_caseeq(u->scheme, SV("sips")))
		return read_sip(u, rest);
	if (sv_caseeq(u->scheme, SV("tel")))
		return read_tel(u, rest);
	return 0;
}
