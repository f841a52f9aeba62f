/* Authorization, as the network reads it */
#include <errno.h>
#include <sodium.h>

#include "control/auth/algorithm.h"
#include "control/auth/auth.h"
#include "control/auth/params.h"
#include "control/base/parse.h"

static bool read_qop(struct auth_response *r)
{
	if (sv_empty(r->qop))
		r->qop_value = DIGEST_QOP_NONE;
	else if (sv_caseeq(r->qop, SV("auth")))
		r->qop_value = DIGEST_QOP_AUTH;
	else if (sv_caseeq(r->qop, SV("auth-int")))
		r->qop_value = DIGEST_QOP_AUTH_INT;
	else
		return false;
	return true;
}

/* nc-value = 8LHEX */
static bool is_nc(struct sv nc)
{
	uint8_t octets[4];

	return sv_empty(nc) || parse_hex(nc, octets, sizeof(octets));
}

int auth_response_parse(struct auth_response *r, struct sv value)
{
	struct sv algorithm = {0};
	const struct auth_field fields[] = {
		{"username", &r->username}, {"realm", &r->realm},
		{"nonce", &r->nonce},	    {"uri", &r->uri},
		{"response", &r->response}, {"cnonce", &r->cnonce},
		{"opaque", &r->opaque},	    {"nc", &r->nc},
		{"qop", &r->qop},	    {"auts", &r->auts},
		{"algorithm", &algorithm},  {"integrity-protected", &r->integrity_protected},
	};

	memset(r, 0, sizeof(*r));
	if (auth_fields_read(value, fields, sizeof(fields) / sizeof(fields[0])) ||
	    sv_empty(r->username) || !read_qop(r) || !is_nc(r->nc))
		return -EBADMSG;
	r->known_algorithm = auth_algorithm_of(algorithm, &r->algorithm);
	return 0;
}

static bool is_complete(const struct auth_response *r)
{
	if (!r->known_algorithm || sv_empty(r->nonce) || sv_empty(r->uri))
		return false;
	if (r->algorithm == DIGEST_MD5_SESS && sv_empty(r->cnonce))
		return false;
	/* RFC 2617 3.2.2: with qop both must be there */
	return r->qop_value == DIGEST_QOP_NONE || (r->nc.n && r->cnonce.n);
}

bool auth_response_check(const struct auth_response *r, struct sv method, struct sv body,
			 const void *password, size_t password_len)
{
	const struct digest_input in = {
		.algorithm = r->algorithm,
		.qop = r->qop_value,
		.username = r->username,
		.realm = r->realm,
		.nonce = r->nonce,
		.uri = r->uri,
		.method = method,
		.nc = r->nc,
		.cnonce = r->cnonce,
		.body = body,
	};
	char ha1[DIGEST_HEX], expected[DIGEST_HEX];
	uint8_t ours[16], theirs[16];
	bool ok = false;

	if (!is_complete(r) || !parse_hex(r->response, theirs, sizeof(theirs)))
		return false;
	digest_ha1(ha1, &in, password, password_len);
	digest_response(expected, &in, ha1);
	if (parse_hex(sv_of(expected), ours, sizeof(ours)))
		ok = sodium_memcmp(ours, theirs, sizeof(ours)) == 0;
	sodium_memzero(ha1, sizeof(ha1));
	sodium_memzero(expected, sizeof(expected));
	sodium_memzero(ours, sizeof(ours));
	return ok;
}
