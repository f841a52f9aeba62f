/* Authorization, as the network reads it */
#include <errno.h>
#include <sodium.h>

#include "control/auth/algorithm.h"
#include "control/auth/compute.h"
#include "control/auth/params.h"
#include "control/base/parse.h"

bool auth_is_nc(struct sv nc)
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
	    sv_empty(r->username) || !auth_qop_of(r->qop, &r->qop_value) || !auth_is_nc(r->nc))
		return -EBADMSG;
	r->known_algorithm = auth_algorithm_of(algorithm, &r->algorithm);
	return 0;
}

static bool is_complete(const struct auth_response *r)
{
	if (!r->known_algorithm || sv_empty(r->nonce) || sv_empty(r->uri))
		return false;
	if (digest_is_session(r->algorithm) && sv_empty(r->cnonce))
		return false;
	/* RFC 2617 3.2.2: with qop both must be there */
	return r->qop_value == DIGEST_QOP_NONE || (r->nc.n && r->cnonce.n);
}

struct digest_input auth_response_input(const struct auth_response *r, struct sv method,
					struct sv body)
{
	return (struct digest_input){
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
}

bool auth_digest_equal(struct sv theirs, const char ours[DIGEST_HEX])
{
	uint8_t a[DIGEST_HEX / 2], b[DIGEST_HEX / 2];
	size_t n = strlen(ours) / 2;
	bool equal = n > 0 && parse_hex(theirs, a, n) && parse_hex(sv_of(ours), b, n) &&
		     sodium_memcmp(a, b, n) == 0;

	sodium_memzero(b, sizeof(b));
	return equal;
}

bool auth_response_check_ha1(const struct auth_response *r, struct sv method, struct sv body,
			     const char ha1[DIGEST_HEX])
{
	const struct digest_input in = auth_response_input(r, method, body);
	char expected[DIGEST_HEX];
	bool ok;

	if (!is_complete(r))
		return false;
	digest_response(expected, &in, ha1);
	ok = auth_digest_equal(r->response, expected);
	sodium_memzero(expected, sizeof(expected));
	return ok;
}

bool auth_response_check(const struct auth_response *r, struct sv method, struct sv body,
			 const void *password, size_t password_len)
{
	const struct digest_input in = auth_response_input(r, method, body);
	char ha1[DIGEST_HEX];
	bool ok;

	digest_ha1(ha1, &in, password, password_len);
	ok = auth_response_check_ha1(r, method, body, ha1);
	sodium_memzero(ha1, sizeof(ha1));
	return ok;
}
