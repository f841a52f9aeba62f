/*
 * SIP Digest (TS 33.203 Annex N): challenges, answers, nonces out of date. The HSS's vector has
 * H(A1), and answers are checked here; or a nonce, and answers are checked there.
 */
#include "control/scscf/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "control/base/parse.h"
#include "crypto/secret.h"

void digest_free(struct digest *d)
{
	if (!d)
		return;
	free(d->realm);
	free(d->domain);
	sodium_memzero(d, sizeof(*d));
	free(d);
}

void digest_forget(struct user *u)
{
	digest_free(u->digest);
	u->digest = NULL;
}

/* ---- what it is --------------------------------------------------------------------------- */

/* Only of what has a response. */
static bool nonce_is(const struct reg *r, const char *nonce)
{
	return nonce[0] && !sv_empty(r->auth.response) && sv_eq(r->auth.nonce, sv_of(nonce));
}

static bool answers_challenge(const struct user *u, const struct reg *r)
{
	return u->challenge.pending && u->challenge.scheme == CX_SCHEME_DIGEST &&
	       nonce_is(r, u->challenge.nonce);
}

bool digest_is_late(const struct user *u, const struct reg *r)
{
	return u->digest && u->challenge.pending && nonce_is(r, u->digest->voided);
}

bool digest_is_repeat(const struct user *u, const struct reg *r)
{
	return u->digest && nonce_is(r, u->good_nonce) &&
	       sv_caseeq(r->auth.response, sv_of(u->digest->response));
}

/* nc-value; an answer without one can be given once only. */
static uint64_t count_of(const struct auth_response *a)
{
	uint8_t octets[4];

	if (a->qop_value == DIGEST_QOP_NONE || !parse_hex(a->nc, octets, sizeof(octets)))
		return UINT64_MAX;
	return (uint64_t)octets[0] << 24 | (uint64_t)octets[1] << 16 | (uint64_t)octets[2] << 8 |
	       octets[3];
}

/* A count that has been used is a replay. The network's wish to authenticate takes a new nonce. */
static bool continues(const struct user *u, const struct reg *r, uint64_t now)
{
	const struct digest *d = u->digest;

	return d && u->registered && nonce_is(r, u->good_nonce) && now < d->good_until &&
	       count_of(&r->auth) > d->nc && !u->reauth.due;
}

bool digest_is_answer(const struct user *u, const struct reg *r, uint64_t now)
{
	return answers_challenge(u, r) || continues(u, r, now);
}

/* ---- the challenge ------------------------------------------------------------------------ */

static bool checked_by_hss(const struct cx_digest *av)
{
	return av->nonce[0];
}

static int vector_keep(struct user *u, const struct cx_digest *av)
{
	char *realm = sv_dup(av->realm), *domain = sv_dup(av->domain);
	struct digest *d = u->digest ? u->digest : calloc(1, sizeof(*d));

	if (!realm || !domain || !d) {
		free(realm);
		free(domain);
		if (!u->digest)
			free(d);
		return -ENOMEM;
	}
	u->digest = d;
	free(d->realm);
	free(d->domain);
	d->realm = realm;
	d->domain = domain;
	d->av = *av;
	d->av.realm = sv_of(realm);
	d->av.domain = sv_of(domain);
	return 0;
}

static int challenge_make(struct user *u, const struct cx_digest *av, struct sv impu, bool stale,
			  uint64_t now)
{
	char nonce[CX_NONCE];
	uint8_t octets[16];
	int err = av->n && av->n <= CX_MAX_DIGESTS ? vector_keep(u, av) : -EINVAL;

	if (err)
		return err;
	memcpy(nonce, av->nonce, sizeof(nonce));
	if (!checked_by_hss(av)) {
		secret_random(octets, sizeof(octets));
		sodium_bin2hex(nonce, sizeof(nonce), octets, sizeof(octets));
	}
	u->digest->stale = stale;
	return challenge_begin(u, CX_SCHEME_DIGEST, nonce, impu, now);
}

static void pending_put(struct user *u, const struct sip_msg *m, const struct cx_answer *a,
			uint64_t now)
{
	(void)now;
	if (a->result != CX_SUCCESS)
		reply_status(u->scscf, m, query_status(a));
	else if (!u->challenge.pending || u->challenge.scheme != CX_SCHEME_DIGEST)
		reply_status(u->scscf, m, 500); /* overtaken by an end of all */
	else
		reply_digest_challenge(u, m);
}

/* DN-06: before SM4 the flag becomes "pending"; it stays for whom is registered. */
static void challenge_send(struct user *u, const struct reg *r, uint64_t now)
{
	if (u->registered && user_serves(u, r->impu))
		reply_digest_challenge(u, r->m);
	else if (query_put(u, r->impu, CX_PENDING, r->m, pending_put, now) < 0)
		reply_status(u->scscf, r->m, 500);
}

/* ---- is the answer right? ----------------------------------------------------------------- */

/* By the H(A1) of the vector. Only what was offered counts: auth-int never is. */
static const char *ha1_find(const struct cx_digest *av, const struct auth_response *a)
{
	if (!a->known_algorithm || !sv_eq(a->realm, av->realm) ||
	    !(a->qop_value == DIGEST_QOP_AUTH ||
	      (a->qop_value == DIGEST_QOP_NONE && av->without_qop)))
		return NULL;
	for (unsigned i = 0; i < av->n; i++)
		if (av->choice[i].algorithm == a->algorithm)
			return av->choice[i].ha1;
	return NULL;
}

static bool right(const struct cx_digest *av, const struct reg *r)
{
	const char *ha1 = ha1_find(av, &r->auth);

	return ha1 && ha1[0] &&
	       auth_response_check_ha1(&r->auth, r->m->method_name, r->m->body, ha1);
}

/* CM5 with its ten fields (DH-03) */
static int hss_ask(struct user *u, const struct reg *r, query_h *done, uint64_t now)
{
	const struct auth_response *a = &r->auth;
	const struct cx_request ask = {
		.command = CX_CHECK,
		.impu = r->impu,
		.digest = {.algorithm = a->algorithm,
			   .qop = a->qop_value,
			   .username = a->username,
			   .realm = a->realm,
			   .nonce = a->nonce,
			   .uri = a->uri,
			   .method = r->m->method_name,
			   .nc = a->nc,
			   .cnonce = a->cnonce},
		.response = a->response,
	};

	return query_ask(u, &ask, r->m, done, now);
}

/*
 * RFC 2617 3.2.2.5: the digest is for the resource asked for, not for another one. The I-CSCF has
 * put our URI in place of the home domain's (TS 24.229 5.3.1.2).
 */
static bool uri_fits(const struct scscf *s, const struct reg *r)
{
	struct sip_uri theirs, ours;

	return sip_uri_parse(&theirs, r->auth.uri) == 0 &&
	       (sv_caseeq(theirs.host, sv_of(s->realm)) ||
		(sip_uri_parse(&ours, r->m->uri) == 0 && sv_caseeq(theirs.host, ours.host)));
}

/* ---- the nonce is none of ours, any more -------------------------------------------------- */

/* DF-08. Without a better word from the HSS the challenge goes as it is. */
static void stale_came(struct user *u, const struct sip_msg *m, const struct cx_answer *a,
		       uint64_t now)
{
	struct reg r;
	int err = reg_parse(&r, u->scscf, m) ? -EBADMSG : 0;

	if (!err && a->result == CX_NONCE_STALE)
		err = challenge_make(u, &a->digest, r.impu, true, now);
	if (err)
		reply_status(u->scscf, m, 500);
	else
		challenge_send(u, &r, now);
}

/*
 * A response to a nonce that does not count may still be right: then its owner knows the password
 * and need not be asked for it again (DF-07).
 */
void digest_challenge(struct user *u, const struct reg *r, const struct cx_answer *a, uint64_t now)
{
	const struct cx_digest *av = &a->digest;
	bool answers =
		!sv_empty(r->auth.response) && r->auth.known_algorithm && uri_fits(u->scscf, r);
	bool stale = answers && !checked_by_hss(av) && right(av, r);

	if (challenge_make(u, av, r->impu, stale, now) < 0)
		reply_status(u->scscf, r->m, 500);
	else if (!answers || !checked_by_hss(av))
		challenge_send(u, r, now);
	else if (hss_ask(u, r, stale_came, now) < 0)
		reply_status(u->scscf, r->m, 500);
}

/* ---- the answer --------------------------------------------------------------------------- */

/* DN-12, DH-06 */
static void accept_answer(struct user *u, const struct reg *r, const char rspauth[DIGEST_HEX],
			  uint64_t now)
{
	struct digest *d = u->digest;

	if (answers_challenge(u, r)) {
		memcpy(u->good_nonce, u->challenge.nonce, sizeof(u->good_nonce));
		d->good_until = now + u->scscf->nonce_lifetime;
		user_challenge_end(u, USER_ON_RIGHT_ANSWER);
		reauth_done(u);
	}
	d->nc = count_of(&r->auth);
	memcpy(d->rspauth, rspauth, sizeof(d->rspauth));
	snprintf(d->response, sizeof(d->response), "%.*s", SV_ARG(r->auth.response));
	binding_apply(u, r, now);
}

/* DF-01. With a nonce used before, the H(A1) in store may be that of an old password. */
static void refuse_answer(struct user *u, const struct reg *r, uint64_t now)
{
	if (!answers_challenge(u, r)) {
		challenge_start(u, r, now);
		return;
	}
	challenge_failed(u, now);
	reply_status(u->scscf, r->m, 403);
}

static void checked(struct user *u, const struct sip_msg *m, const struct cx_answer *a,
		    uint64_t now)
{
	struct reg r;

	if (reg_parse(&r, u->scscf, m))
		reply_status(u->scscf, m, 500);
	else if (!digest_is_answer(u, &r, now))
		reply_status(u->scscf, m, 403); /* voided meanwhile */
	else if (a->result == CX_SUCCESS)
		accept_answer(u, &r, a->rspauth, now);
	else if (a->result == CX_NONCE_STALE)
		stale_came(u, m, a, now);
	else if (a->result == CX_AUTH_REJECTED)
		refuse_answer(u, &r, now);
	else
		reply_status(u->scscf, m, query_status(a));
}

static void check_here(struct user *u, const struct reg *r, uint64_t now)
{
	const struct cx_digest *av = &u->digest->av;
	char rspauth[DIGEST_HEX];

	if (!right(av, r)) {
		refuse_answer(u, r, now);
		return;
	}
	auth_response_rspauth(rspauth, &r->auth, (struct sv){0}, ha1_find(av, &r->auth));
	accept_answer(u, r, rspauth, now);
}

void digest_answer(struct user *u, const struct reg *r, uint64_t now)
{
	if (!uri_fits(u->scscf, r))
		reply_status(u->scscf, r->m, 400);
	else if (!r->auth.known_algorithm)
		refuse_answer(u, r, now);
	else if (!checked_by_hss(&u->digest->av))
		check_here(u, r, now);
	else if (hss_ask(u, r, checked, now) < 0)
		reply_status(u->scscf, r->m, 500);
}
