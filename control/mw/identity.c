#include "control/mw/identity.h"

#include "control/base/parse.h"
#include "control/base/sbuf.h"
#include "control/sip/msg.h"

struct sv mw_derived_impi(struct sv impu)
{
	const struct sv scheme = SV("sip:");

	if (!sv_has_prefix(impu, scheme))
		return (struct sv){0};
	return (struct sv){impu.p + scheme.n, impu.n - scheme.n};
}

struct sv mw_phone_alias(struct sv uri, char *buf, size_t cap)
{
	char tel[MW_MAX_IDENTITY];
	struct sbuf text = sbuf_of(tel, sizeof(tel));
	struct sip_uri u;
	struct sv kind;

	if (sip_uri_parse(&u, uri) < 0 || sv_empty(u.user) ||
	    !(sv_caseeq(u.scheme, SV("sip")) || sv_caseeq(u.scheme, SV("sips"))) ||
	    !sip_param(u.params, SV("user"), &kind) || !sv_caseeq(kind, SV("phone")))
		return (struct sv){0};
	sbuf_put(&text, SV("tel:"));
	sbuf_put(&text, u.user);
	return text.overflow ? (struct sv){0} : sip_identity(sbuf_sv(&text), buf, cap);
}
