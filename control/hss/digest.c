/* SIP Digest (TS 33.203 Annex N): vectors, and in the HSS variant the check of responses. */
#include "control/hss/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "control/base/parse.h"
#include "crypto/secret.h"

#define NONCE_WAIT     240  /* s */
#define NONCE_LIFETIME 3600 /* s */

/* ---- policy ------------------------------------------------------------------------------- */

static size_t texts_size(const struct hss_digest_conf *c)
{
	size_t n = c->n_hss_realms * sizeof(char *);

	n += (c->realm ? strlen(c->realm) + 1 : 0) + (c->domain ? strlen(c->domain) + 1 : 0);
	for (unsigned i = 0; i < c->n_hss_realms; i++)
		n += strlen(c->hss_realms[i]) + 1;
	return n;
}

static const char *text_keep(char **at, const char *text)
{
	char *copy = *at;
	size_t n;

	if (!text)
		return NULL;
	n = strlen(text) + 1;
	memcpy(copy, text, n);
	*at += n;
	return copy;
}

int hss_digest_init(struct hss *h, const struct hss_digest_conf *conf)
{
	struct hss_digest_conf *c = &h->digest;
	const char **realms;
	char *at;

	h->digest_texts = calloc(1, texts_size(conf) + 1);
	if (!h->digest_texts)
		return -ENOMEM;
	*c = *conf;
	realms = (const char **)(void *)h->digest_texts;
	at = h->digest_texts + c->n_hss_realms * sizeof(char *);
	for (unsigned i = 0; i < c->n_hss_realms; i++)
		realms[i] = text_keep(&at, conf->hss_realms[i]);
	c->hss_realms = realms;
	c->realm = text_keep(&at, conf->realm);
	c->domain = text_keep(&at, conf->domain);
	if (c->n_algorithms == 0 || c->n_algorithms > CX_MAX_DIGESTS) {
		c->n_algorithms = 1;
		c->algorithms[0] = DIGEST_MD5;
	}
	if (!c->nonce_wait)
		c->nonce_wait = NONCE_WAIT;
	if (!c->nonce_lifetime)
		c->nonce_lifetime = NONCE_LIFETIME;
	return 0;
}

static bool checked_here(const struct hss *h, const struct store_row *row, const char *realm)
{
	if (row->variant != HSS_VARIANT_DEFAULT)
		return row->variant == HSS_VARIANT_HSS;
	for (unsigned i = 0; i < h->digest.n_hss_realms; i++)
		if (strcmp(h->digest.hss_realms[i], realm) == 0)
			return true;
	return h->digest.variant == HSS_VARIANT_HSS;
}

static enum hss_hash hash_of(enum digest_algorithm algorithm)
{
	return digest_digits(algorithm) == 64 ? HSS_SHA256 : HSS_MD5;
}

static bool allowed(const struct hss *h, enum digest_algorithm algorithm)
{
	for (unsigned i = 0; i < h->digest.n_algorithms; i++)
		if (h->digest.algorithms[i] == algorithm)
			return true;
	return false;
}

struct digests { /* of a subscriber; wiped after use */
	struct hss_digest d[HSS_MAX_REALMS];
	unsigned n;
};

/* The realm of the configuration, else the subscriber's first. */
static const struct hss_digest *home_find(const struct hss *h, const struct digests *s)
{
	for (unsigned i = 0; h->digest.realm && i < s->n; i++)
		if (strcmp(s->d[i].realm, h->digest.realm) == 0)
			return &s->d[i];
	return s->n ? &s->d[0] : NULL;
}

/* ---- CM2 ---------------------------------------------------------------------------------- */

/* What the vector has in either variant; false: nothing that policy allows. */
static bool offer_fill(const struct hss *h, const struct hss_digest *d, struct cx_digest *to)
{
	uint8_t opaque[8];

	secret_random(opaque, sizeof(opaque));
	sodium_bin2hex(to->opaque, sizeof(to->opaque), opaque, sizeof(opaque));
	to->without_qop = h->digest.without_qop;
	to->domain = h->digest.domain ? sv_of(h->digest.domain) : (struct sv){0};
	to->n = 0;
	for (unsigned i = 0; i < h->digest.n_algorithms; i++) {
		enum digest_algorithm algorithm = h->digest.algorithms[i];
		const char *ha1 = d->ha1[hash_of(algorithm)];

		if (!ha1[0])
			continue;
		to->choice[to->n].algorithm = algorithm;
		memcpy(to->choice[to->n++].ha1, ha1, DIGEST_HEX);
	}
	return to->n > 0;
}

/* The HSS variant has a nonce in place of H(A1) (DH-01). */
static void offer_finish(struct hss *h, struct store_row *row, const struct hss_digest *d,
			 struct cx_digest *to, uint64_t now)
{
	memcpy(row->realm, d->realm, sizeof(row->realm));
	to->realm = sv_of(row->realm);
	if (!checked_here(h, row, d->realm))
		return;
	nonces_new(&h->nonces, row->id, now + (uint64_t)h->digest.nonce_wait * 1000, to->nonce);
	for (unsigned i = 0; i < to->n; i++)
		sodium_memzero(to->choice[i].ha1, sizeof(to->choice[i].ha1));
}

enum cx_result hss_digest_offer(struct hss *h, const struct cx_request *r, struct store_row *row,
				struct cx_answer *a, uint64_t now, bool *again)
{
	enum cx_result result = CX_SCHEME_NOT_SUPPORTED;
	const struct hss_digest *d;
	struct digests s;
	int err = store_digests(&h->store, row->id, s.d, &s.n);

	d = err ? NULL : home_find(h, &s);
	if (d && offer_fill(h, d, &a->digest)) {
		err = hss_pending_write(h, r, row, row->sqn);
		*again = err == -EAGAIN;
	}
	if (err) {
		result = CX_UNABLE;
	} else if (a->digest.n) {
		offer_finish(h, row, d, &a->digest, now);
		a->scheme = CX_SCHEME_DIGEST;
		result = CX_SUCCESS;
	}
	sodium_memzero(&s, sizeof(s));
	return result;
}

/* ---- CM5 ---------------------------------------------------------------------------------- */

/* What policy has against it, whatever its digest: auth-int would need the body (DH-04). */
static bool acceptable(const struct hss *h, const struct digest_input *in)
{
	return allowed(h, in->algorithm) && (in->qop == DIGEST_QOP_AUTH ||
					     (in->qop == DIGEST_QOP_NONE && h->digest.without_qop));
}

static const char *ha1_find(const struct hss *h, const struct store_row *row,
			    const struct digests *s, const struct digest_input *in)
{
	if (!acceptable(h, in))
		return NULL;
	for (unsigned i = 0; i < s->n; i++)
		if (sv_eq(sv_of(s->d[i].realm), in->realm) && checked_here(h, row, s->d[i].realm) &&
		    s->d[i].ha1[hash_of(in->algorithm)][0])
			return s->d[i].ha1[hash_of(in->algorithm)];
	return NULL;
}

static bool response_right(const struct cx_request *r, const char ha1[DIGEST_HEX])
{
	char expected[DIGEST_HEX];
	uint8_t ours[DIGEST_HEX / 2], theirs[DIGEST_HEX / 2];
	size_t n = digest_digits(r->digest.algorithm) / 2;
	bool right;

	digest_response(expected, &r->digest, ha1);
	right = parse_hex(r->response, theirs, n) && parse_hex(sv_of(expected), ours, n) &&
		secret_eq(ours, theirs, n);
	sodium_memzero(expected, sizeof(expected));
	sodium_memzero(ours, sizeof(ours));
	return right;
}

/* Is it the nonce's turn? An answer without nc can be given once only. */
static bool nonce_use(struct hss *h, int64_t id, const struct digest_input *in, uint64_t now)
{
	struct nonce_entry *e = nonces_find(&h->nonces, id, in->nonce, now);
	uint8_t octets[4];
	uint64_t nc = UINT64_MAX;

	if (in->qop != DIGEST_QOP_NONE && parse_hex(in->nc, octets, sizeof(octets)))
		nc = (uint64_t)octets[0] << 24 | (uint64_t)octets[1] << 16 |
		     (uint64_t)octets[2] << 8 | octets[3];
	if (!e || nc <= e->nc)
		return false;
	if (e->nc == 0)
		e->until = now + (uint64_t)h->digest.nonce_lifetime * 1000;
	e->nc = nc;
	return true;
}

static void proof_fill(const struct cx_request *r, const char ha1[DIGEST_HEX], struct cx_answer *a)
{
	digest_rspauth(a->rspauth, &r->digest, ha1);
	a->qop = r->digest.qop;
	a->nc = r->digest.nc;
	a->cnonce = r->digest.cnonce;
}

/* One guess per nonce: a wrong answer to it is the last one. */
static void nonce_spoil(struct hss *h, int64_t id, struct sv nonce, uint64_t now)
{
	if (nonces_find(&h->nonces, id, nonce, now))
		nonces_forget(&h->nonces, id);
}

enum cx_result hss_digest_check(struct hss *h, const struct cx_request *r, struct store_row *row,
				struct cx_answer *a, uint64_t now)
{
	enum cx_result result = CX_AUTH_REJECTED;
	const char *ha1;
	struct digests s;

	if (store_digests(&h->store, row->id, s.d, &s.n) < 0) {
		result = CX_UNABLE;
		goto out;
	}
	ha1 = ha1_find(h, row, &s, &r->digest);
	if (!ha1 || !response_right(r, ha1)) {
		nonce_spoil(h, row->id, r->digest.nonce, now);
	} else if (nonce_use(h, row->id, &r->digest, now)) {
		proof_fill(r, ha1, a);
		result = CX_SUCCESS;
	} else if (offer_fill(h, home_find(h, &s), &a->digest)) {
		offer_finish(h, row, home_find(h, &s), &a->digest, now);
		a->scheme = CX_SCHEME_DIGEST;
		result = CX_NONCE_STALE;
	}
out:
	sodium_memzero(&s, sizeof(s));
	return result;
}
