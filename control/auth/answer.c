/* Authorization, as the UE writes it */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

#include "control/auth/algorithm.h"
#include "control/auth/compute.h"
#include "control/auth/params.h"

static enum digest_qop choose_qop(const struct auth_challenge *c)
{
	if (c->qop_auth)
		return DIGEST_QOP_AUTH;
	return c->qop_auth_int ? DIGEST_QOP_AUTH_INT : DIGEST_QOP_NONE;
}

static void write_first(struct sbuf *b, const struct auth_answer *a, struct sv realm,
			struct sv nonce, struct sv response)
{
	sbuf_put(b, SV("Digest"));
	auth_field_write(b, true, SV("username"), a->username);
	auth_field_write(b, false, SV("realm"), realm);
	auth_field_write(b, false, SV("nonce"), nonce);
	auth_field_write(b, false, SV("uri"), a->uri);
	auth_field_write(b, false, SV("response"), response);
}

static void compute(char response[DIGEST_HEX], const struct auth_answer *a,
		    const struct digest_input *in)
{
	/* RFC 3310 3.4: there is no RES when the card is out of step */
	size_t len = sv_empty(a->auts) ? a->password_len : 0;
	char ha1[DIGEST_HEX];

	digest_ha1(ha1, in, a->password, len);
	digest_response(response, in, ha1);
	sodium_memzero(ha1, sizeof(ha1));
}

static void write_rest(struct sbuf *b, const struct auth_answer *a, const struct digest_input *in)
{
	const struct auth_challenge *c = a->challenge;
	bool qop = in->qop != DIGEST_QOP_NONE;

	if (!sv_empty(c->algorithm_text))
		auth_token_write(b, SV("algorithm"), c->algorithm_text);
	if (c->opaque.p)
		auth_field_write(b, false, SV("opaque"), c->opaque);
	if (qop) {
		auth_token_write(b, SV("qop"), sv_of(auth_qop_name(in->qop)));
		auth_token_write(b, SV("nc"), in->nc);
	}
	if (qop || digest_is_session(in->algorithm))
		auth_field_write(b, false, SV("cnonce"), in->cnonce);
	if (!sv_empty(a->auts))
		auth_field_write(b, false, SV("auts"), a->auts);
}

struct digest_input auth_answer_input(const struct auth_answer *a, char nc[AUTH_NC])
{
	const struct auth_challenge *c = a->challenge;

	snprintf(nc, AUTH_NC, "%08" PRIx32, a->nc);
	return (struct digest_input){
		.algorithm = c->algorithm,
		.qop = choose_qop(c),
		.username = a->username,
		.realm = c->realm,
		.nonce = c->nonce,
		.uri = a->uri,
		.method = a->method,
		.nc = sv_of(nc),
		.cnonce = a->cnonce,
		.body = a->body,
	};
}

static void write_answer(struct sbuf *b, const struct auth_answer *a)
{
	const struct auth_challenge *c = a->challenge;
	char response[DIGEST_HEX] = "", nc[AUTH_NC];
	const struct digest_input in = auth_answer_input(a, nc);

	if (!a->empty_response)
		compute(response, a, &in);
	write_first(b, a, c->realm, c->nonce, sv_of(response));
	write_rest(b, a, &in);
}

void auth_answer_write(struct sbuf *b, const struct auth_answer *a)
{
	if (a->challenge)
		write_answer(b, a);
	else
		write_first(b, a, a->realm, SV(""), SV(""));
}
