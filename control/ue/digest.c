/*
 * SIP Digest at the UE (TS 33.203 Annex N): which challenge is answered, with which nonce count,
 * and whether the network knows the password, too.
 */
#include "control/ue/digest.h"

#include <errno.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/ue/ue_internal.h"
#include "crypto/secret.h"

int ue_digest_init(struct ue_digest *d, const struct ue_conf *c)
{
	d->rspauth_optional = c->rspauth_optional;
	d->sha256_only = c->sha256_only;
	d->password = strdup(c->password ? c->password : "");
	return d->password ? 0 : -ENOMEM;
}

void ue_digest_forget(struct ue_digest *d)
{
	free(d->challenge);
	free(d->nextnonce);
	d->challenge = d->nextnonce = NULL;
	d->nc = 0;
}

void ue_digest_clear(struct ue_digest *d)
{
	ue_digest_forget(d);
	if (d->password)
		secret_wipe(d->password, strlen(d->password));
	free(d->password);
	secret_wipe(d, sizeof(*d));
}

/* ---- the challenge ------------------------------------------------------------------------ */

/* The stronger hash; with -sess, a response says nothing of H(A1) under another nonce. 0: not
 * Digest, or ruled out. */
static unsigned strength(const struct ue_digest *d, const struct auth_challenge *c)
{
	if (!c->known_algorithm || sv_empty(c->nonce) ||
	    (c->qop.n && !c->qop_auth && !c->qop_auth_int))
		return 0;
	switch (c->algorithm) {
	case DIGEST_MD5:
		return d->sha256_only ? 0 : 1;
	case DIGEST_MD5_SESS:
		return d->sha256_only ? 0 : 2;
	case DIGEST_SHA256:
		return 3;
	case DIGEST_SHA256_SESS:
		return 4;
	default:
		return 0;
	}
}

/*
 * RFC 8760 2.4 would have the topmost, "unless a local policy dictates otherwise": in clear anybody
 * can change the order, so it is the strongest.
 */
static struct sv strongest(const struct ue_digest *d, const struct sip_msg *m)
{
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_WWW_AUTHENTICATE);
	struct auth_challenge c;
	struct sv best = {0};
	unsigned most = 0;

	for (; h; h = sip_msg_next(m, h)) {
		if (auth_challenge_parse(&c, h->value) < 0 || strength(d, &c) <= most)
			continue;
		most = strength(d, &c);
		best = h->value;
	}
	secret_wipe(&c, sizeof(c));
	return best;
}

bool ue_digest_take(struct ue_digest *d, const struct sip_msg *m)
{
	struct sv value = strongest(d, m);
	char *copy = value.n ? sv_dup(value) : NULL;

	if (!copy)
		return false;
	ue_digest_forget(d);
	d->challenge = copy;
	sip_token(d->cnonce, sizeof(d->cnonce));
	return true;
}

bool ue_digest_stale(const struct ue_digest *d, const struct sip_msg *m)
{
	struct sv value = strongest(d, m);
	struct auth_challenge c;

	return value.n && auth_challenge_parse(&c, value) == 0 && sv_caseeq(c.stale, SV("true"));
}

/* ---- the answer --------------------------------------------------------------------------- */

/* The last answer given, as it was. */
static bool answer(const struct ue *u, struct auth_challenge *c, struct auth_answer *a)
{
	const struct ue_digest *d = &u->digest;

	if (!d->challenge || auth_challenge_parse(c, sv_of(d->challenge)) < 0)
		return false;
	if (d->nextnonce)
		c->nonce = sv_of(d->nextnonce);
	*a = (struct auth_answer){
		.username = u->impi,
		.realm = c->realm,
		.uri = u->home,
		.challenge = c,
		.password = d->password,
		.password_len = strlen(d->password),
		.cnonce = sv_of(d->cnonce),
		.nc = d->nc,
		.method = SV("REGISTER"),
	};
	return true;
}

bool ue_digest_answer(struct ue *u, struct auth_challenge *c, struct auth_answer *a)
{
	if (!u->digest.challenge)
		return false;
	u->digest.nc++; /* RFC 2617 3.2.2: of the requests with this nonce */
	return answer(u, c, a);
}

/* ---- the network's answer ----------------------------------------------------------------- */

/* The session key of -sess is made with the first nonce (RFC 2617 3.2.2.2): it ends with that. */
static void nextnonce_take(struct ue_digest *d, const struct auth_challenge *c, struct sv nonce)
{
	char *copy;

	if (sv_eq(nonce, c->nonce)) /* Kamailio: it is still good, so the count goes on */
		return;
	copy = sv_dup(nonce);
	if (!copy || digest_is_session(c->algorithm)) {
		free(copy);
		ue_digest_forget(d);
		return;
	}
	free(d->nextnonce);
	d->nextnonce = copy;
	d->nc = 0;
	sip_token(d->cnonce, sizeof(d->cnonce));
}

const char *ue_digest_check(struct ue *u, const struct sip_msg *m, bool needed)
{
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_AUTHENTICATION_INFO);
	struct auth_challenge c;
	struct auth_answer a;
	struct auth_info i;

	if (!answer(u, &c, &a))
		return needed ? "200 without authentication" : NULL;
	if (!h)
		return needed && !u->digest.rspauth_optional
			       ? "the network does not prove itself: no rspauth"
			       : NULL;
	if (auth_info_parse(&i, h->value) < 0)
		return "malformed Authentication-Info";
	if (i.rspauth.n == 0 && needed && !u->digest.rspauth_optional)
		return "the network does not prove itself: no rspauth";
	if (i.rspauth.n && !auth_info_check(&i, &a, m->body))
		return "the network does not know the password: wrong rspauth";
	if (i.nextnonce.n)
		nextnonce_take(&u->digest, &c, i.nextnonce);
	return NULL;
}
