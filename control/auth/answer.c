/* Authorization, as the UE writes it */
#include <sodium.h>

#include "control/auth/algorithm.h"
#include "control/auth/auth.h"

static enum digest_qop choose_qop(const struct auth_challenge *c)
{
	if (c->qop_auth)
		return DIGEST_QOP_AUTH;
	return c->qop_auth_int ? DIGEST_QOP_AUTH_INT : DIGEST_QOP_NONE;
}

static void write_first(struct sbuf *b, const struct auth_answer *a)
{
	sbuf_printf(b,
		    "Digest username=\"%.*s\", realm=\"%.*s\", nonce=\"\", uri=\"%.*s\", "
		    "response=\"\"",
		    SV_ARG(a->username), SV_ARG(a->realm), SV_ARG(a->uri));
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

	if (!sv_empty(c->algorithm_text))
		sbuf_printf(b, ", algorithm=%.*s", SV_ARG(c->algorithm_text));
	if (c->opaque.p)
		sbuf_printf(b, ", opaque=\"%.*s\"", SV_ARG(c->opaque));
	if (in->qop != DIGEST_QOP_NONE)
		sbuf_printf(b, ", qop=%s, nc=%.*s", auth_qop_name(in->qop), SV_ARG(in->nc));
	if (in->qop != DIGEST_QOP_NONE || in->algorithm == DIGEST_MD5_SESS)
		sbuf_printf(b, ", cnonce=\"%.*s\"", SV_ARG(in->cnonce));
	if (!sv_empty(a->auts))
		sbuf_printf(b, ", auts=\"%.*s\"", SV_ARG(a->auts));
}

void auth_answer_write(struct sbuf *b, const struct auth_answer *a)
{
	const struct auth_challenge *c = a->challenge;
	char response[DIGEST_HEX] = "", nc[9];
	struct sbuf nc_text = sbuf_of(nc, sizeof(nc));
	struct digest_input in;

	if (!c) {
		write_first(b, a);
		return;
	}
	sbuf_printf(&nc_text, "%08x", a->nc);
	in = (struct digest_input){
		.algorithm = c->algorithm,
		.qop = choose_qop(c),
		.username = a->username,
		.realm = c->realm,
		.nonce = c->nonce,
		.uri = a->uri,
		.method = a->method,
		.nc = sbuf_sv(&nc_text),
		.cnonce = a->cnonce,
		.body = a->body,
	};
	if (!a->empty_response)
		compute(response, a, &in);
	sbuf_printf(b,
		    "Digest username=\"%.*s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\", "
		    "response=\"%s\"",
		    SV_ARG(a->username), SV_ARG(c->realm), SV_ARG(c->nonce), SV_ARG(a->uri),
		    response);
	write_rest(b, a, &in);
}
