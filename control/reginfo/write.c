/* Writing: attributes and text are escaped, and what XML 1.0 cannot hold is left out. */
#include <inttypes.h>

#include "control/reginfo/reginfo.h"

static const char *const event_names[REGINFO_EVENTS] = {
	[REGINFO_REGISTERED] = "registered", [REGINFO_CREATED] = "created",
	[REGINFO_REFRESHED] = "refreshed",   [REGINFO_SHORTENED] = "shortened",
	[REGINFO_EXPIRED] = "expired",	     [REGINFO_DEACTIVATED] = "deactivated",
	[REGINFO_PROBATION] = "probation",   [REGINFO_UNREGISTERED] = "unregistered",
	[REGINFO_REJECTED] = "rejected",
};

const char *reginfo_event_name(enum reginfo_event e)
{
	return e < REGINFO_EVENTS ? event_names[e] : "";
}

/* Octets above ASCII would have to be checked for UTF-8: no URI has them (RFC 3986 2). */
static void put_escaped(struct sbuf *b, struct sv text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c == '&')
			sbuf_put(b, SV("&amp;"));
		else if (c == '<')
			sbuf_put(b, SV("&lt;"));
		else if (c == '>')
			sbuf_put(b, SV("&gt;"));
		else if (c == '"')
			sbuf_put(b, SV("&quot;"));
		else if (c >= ' ' && c < 0x7f)
			sbuf_put(b, (struct sv){text.p + i, 1});
	}
}

static void put_attribute(struct sbuf *b, const char *name, struct sv value)
{
	sbuf_printf(b, " %s=\"", name);
	put_escaped(b, value);
	sbuf_put(b, SV("\""));
}

void reginfo_begin(struct sbuf *b, uint32_t version, bool full)
{
	sbuf_printf(b,
		    "<?xml version=\"1.0\"?>\n"
		    "<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" version=\"%" PRIu32
		    "\" state=\"%s\">\n",
		    version, full ? "full" : "partial");
}

void reginfo_registration_begin(struct sbuf *b, struct sv aor, struct sv id,
				enum reginfo_state state)
{
	static const char *const names[] = {"init", "active", "terminated"};

	sbuf_put(b, SV("<registration"));
	put_attribute(b, "aor", aor);
	put_attribute(b, "id", id);
	sbuf_printf(b, " state=\"%s\">\n", names[state]);
}

void reginfo_contact(struct sbuf *b, const struct reginfo_contact *c)
{
	sbuf_put(b, SV("<contact"));
	put_attribute(b, "id", c->id);
	sbuf_printf(b, " state=\"%s\" event=\"%s\"", c->active ? "active" : "terminated",
		    reginfo_event_name(c->event));
	if (c->has_expires)
		sbuf_printf(b, " expires=\"%" PRIu32 "\"", c->expires);
	sbuf_put(b, SV("><uri>"));
	put_escaped(b, c->uri);
	sbuf_put(b, SV("</uri></contact>\n"));
}

void reginfo_registration_end(struct sbuf *b)
{
	sbuf_put(b, SV("</registration>\n"));
}

void reginfo_end(struct sbuf *b)
{
	sbuf_put(b, SV("</reginfo>\n"));
}
