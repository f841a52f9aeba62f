/* Authentication-Info: the network proves itself (RFC 2617 3.2.3, RFC 3261 20.6) */
#include <errno.h>
#include <sodium.h>

#include "control/auth/algorithm.h"
#include "control/auth/compute.h"
#include "control/auth/params.h"
#include "control/base/parse.h"

int auth_info_parse(struct auth_info *i, struct sv value)
{
	const struct auth_field fields[] = {
		{"rspauth", &i->rspauth},     {"cnonce", &i->cnonce}, {"nc", &i->nc},
		{"nextnonce", &i->nextnonce}, {"qop", &i->qop},
	};

	memset(i, 0, sizeof(*i));
	if (auth_params_read(value, fields, sizeof(fields) / sizeof(fields[0])) ||
	    !auth_qop_of(i->qop, &i->qop_value) || !auth_is_nc(i->nc))
		return -EBADMSG;
	return 0;
}

void auth_info_write(struct sbuf *b, const struct auth_info *i)
{
	sbuf_put(b, SV("rspauth=\""));
	sbuf_put(b, i->rspauth);
	sbuf_put(b, SV("\""));
	if (i->qop_value != DIGEST_QOP_NONE)
		auth_token_write(b, SV("qop"), sv_of(auth_qop_name(i->qop_value)));
	if (!sv_empty(i->cnonce))
		auth_field_write(b, false, SV("cnonce"), i->cnonce);
	if (!sv_empty(i->nc))
		auth_token_write(b, SV("nc"), i->nc);
	if (!sv_empty(i->nextnonce))
		auth_field_write(b, false, SV("nextnonce"), i->nextnonce);
}

void auth_response_rspauth(char rspauth[DIGEST_HEX], const struct auth_response *r, struct sv body,
			   const char ha1[DIGEST_HEX])
{
	const struct digest_input in = auth_response_input(r, (struct sv){0}, body);

	digest_rspauth(rspauth, &in, ha1);
}

static bool same_nc(struct sv ours, struct sv theirs)
{
	uint8_t a[4], b[4];

	return parse_hex(ours, a, sizeof(a)) && parse_hex(theirs, b, sizeof(b)) &&
	       memcmp(a, b, sizeof(a)) == 0;
}

/* rspauth is over our own qop, cnonce and nc: those that stand beside it must not be others. */
static bool contradicts(const struct auth_info *i, const struct digest_input *in)
{
	return (!sv_empty(i->qop) && i->qop_value != in->qop) ||
	       (!sv_empty(i->cnonce) && !sv_eq(i->cnonce, in->cnonce)) ||
	       (!sv_empty(i->nc) && !same_nc(i->nc, in->nc));
}

bool auth_info_check(const struct auth_info *i, const struct auth_answer *a, struct sv body)
{
	char nc[AUTH_NC], ha1[DIGEST_HEX], expected[DIGEST_HEX];
	struct digest_input in;
	bool ok;

	if (!a->challenge || !a->challenge->known_algorithm)
		return false;
	in = auth_answer_input(a, nc);
	in.body = body;
	if (contradicts(i, &in))
		return false;
	digest_ha1(ha1, &in, a->password, a->password_len);
	digest_rspauth(expected, &in, ha1);
	ok = auth_digest_equal(i->rspauth, expected);
	sodium_memzero(ha1, sizeof(ha1));
	sodium_memzero(expected, sizeof(expected));
	return ok;
}
