/* WWW-Authenticate */
#include <errno.h>
#include <sodium.h>

#include "control/auth/algorithm.h"
#include "control/auth/auth.h"
#include "control/auth/params.h"
#include "control/base/parse.h"

/* qop-options: a list inside the quotes */
static void read_qop(struct auth_challenge *c)
{
	struct sv rest = c->qop, word;

	while (sip_list_next(&rest, &word)) {
		c->qop_auth |= sv_caseeq(word, SV("auth"));
		c->qop_auth_int |= sv_caseeq(word, SV("auth-int"));
	}
}

/* A key that is there must be one: better no registration than one with half a key. */
static bool read_key(struct sv text, bool *has, uint8_t key[16])
{
	*has = text.p && parse_hex(text, key, 16);
	return *has || !text.p;
}

int auth_challenge_parse(struct auth_challenge *c, struct sv value)
{
	struct sv ik = {0}, ck = {0};
	const struct auth_field fields[] = {
		{"realm", &c->realm},
		{"nonce", &c->nonce},
		{"opaque", &c->opaque},
		{"domain", &c->domain},
		{"qop", &c->qop},
		{"stale", &c->stale},
		{"algorithm", &c->algorithm_text},
		{"ik", &ik},
		{"ck", &ck},
	};

	memset(c, 0, sizeof(*c));
	if (auth_fields_read(value, fields, sizeof(fields) / sizeof(fields[0])) || !c->realm.p ||
	    !c->nonce.p)
		return -EBADMSG;
	c->known_algorithm = auth_algorithm_of(c->algorithm_text, &c->algorithm);
	read_qop(c);
	if (!read_key(ik, &c->has_ik, c->ik) || !read_key(ck, &c->has_ck, c->ck)) {
		sodium_memzero(c, sizeof(*c));
		return -EBADMSG;
	}
	return 0;
}

void auth_challenge_write(struct sbuf *b, const struct auth_offer *o)
{
	sbuf_put(b, SV("Digest"));
	auth_field_write(b, true, SV("realm"), o->realm);
	if (!sv_empty(o->domain))
		auth_field_write(b, false, SV("domain"), o->domain);
	auth_field_write(b, false, SV("nonce"), o->nonce);
	if (!sv_empty(o->opaque))
		auth_field_write(b, false, SV("opaque"), o->opaque);
	if (o->stale)
		auth_token_write(b, SV("stale"), SV("TRUE"));
	auth_token_write(b, SV("algorithm"), sv_of(auth_algorithm_name(o->algorithm)));
	if (o->qop_auth)
		auth_field_write(b, false, SV("qop"), SV("auth"));
}

static void write_key(struct sbuf *b, struct sv name, const uint8_t key[16])
{
	char hex[32];
	struct sbuf text = sbuf_of(hex, sizeof(hex));

	sbuf_hex(&text, key, 16);
	auth_field_write(b, false, name, sbuf_sv(&text));
	sodium_memzero(hex, sizeof(hex));
}

void auth_aka_challenge_write(struct sbuf *b, struct sv realm, const struct aka_vector *av)
{
	char nonce[45];

	auth_aka_nonce_write(nonce, av->rand, av->autn);
	sbuf_put(b, SV("Digest"));
	auth_field_write(b, true, SV("realm"), realm);
	auth_field_write(b, false, SV("nonce"), sv_of(nonce));
	sbuf_put(b, SV(", algorithm=AKAv1-MD5"));
	auth_field_write(b, false, SV("qop"), SV("auth"));
	write_key(b, SV("ik"), av->ik);
	write_key(b, SV("ck"), av->ck);
}
