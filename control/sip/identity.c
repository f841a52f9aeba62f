#include "control/base/parse.h"
#include "control/base/sbuf.h"
#include "control/sip/msg.h"
#include "control/sip/scan.h"

static void put_lower(struct sbuf *b, struct sv text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c | 0x20);
		sbuf_put(b, (struct sv){&c, 1});
	}
}

/* Characters that a user part may hold as they are (RFC 3261 25.1: unreserved, user-unreserved). */
static bool user_char(char c)
{
	return scan_is_alpha(c) || scan_is_digit(c) || (c && strchr("-_.!~*'()&=+$,;?/", c));
}

/* Escapes are undone where they need not be, and have upper-case digits where they must (10.3). */
static bool put_user(struct sbuf *b, struct sv user)
{
	const char *colon = user.n ? memchr(user.p, ':', user.n) : NULL;
	uint8_t octet;

	if (colon) /* a password is no part of the identity */
		user = sv_between(user.p, colon);
	if (user.n == 0)
		return false;
	for (size_t i = 0; i < user.n; i++) {
		if (user.p[i] != '%') {
			sbuf_put(b, (struct sv){user.p + i, 1});
			continue;
		}
		if (i + 2 >= user.n || !parse_hex((struct sv){user.p + i + 1, 2}, &octet, 1))
			return false;
		if (user_char((char)octet))
			sbuf_put(b, (struct sv){(const char *)&octet, 1});
		else
			sbuf_printf(b, "%%%02X", octet);
		i += 2;
	}
	return true;
}

static bool put_sip(struct sbuf *b, const struct sip_uri *u)
{
	bool ipv6 = memchr(u->host.p, ':', u->host.n) != NULL;

	/* SIPS names the same resource as SIP (RFC 5630 3.1.3). */
	sbuf_put(b, SV("sip:"));
	if (u->user.n) {
		if (!put_user(b, u->user))
			return false;
		sbuf_put(b, SV("@"));
	}
	sbuf_put(b, ipv6 ? SV("[") : SV(""));
	put_lower(b, u->host);
	sbuf_put(b, ipv6 ? SV("]") : SV(""));
	return true;
}

static bool put_tel(struct sbuf *b, const struct sip_uri *u)
{
	size_t before;

	sbuf_put(b, SV("tel:"));
	before = b->n;
	for (size_t i = 0; i < u->user.n; i++)
		if (!strchr("-.()", u->user.p[i]))
			put_lower(b, (struct sv){u->user.p + i, 1});
	return b->n > before;
}

struct sv sip_identity(struct sv uri, char *buf, size_t cap)
{
	struct sbuf b = sbuf_of(buf, cap);
	struct sip_uri u;
	bool ok;

	if (sip_uri_parse(&u, uri))
		return (struct sv){0};
	if (u.host.n)
		ok = put_sip(&b, &u);
	else
		ok = sv_caseeq(u.scheme, SV("tel")) && put_tel(&b, &u);
	return ok && !b.overflow ? sbuf_sv(&b) : (struct sv){0};
}
