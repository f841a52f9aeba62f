/* Challenges; AKA runs: 401 with a vector, its answer, resynchronisation, reg-await-auth
 * (TS 24.229 5.4.1.2, TS 33.203 6.1). */
#include "control/scscf/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "control/base/parse.h"
#include "crypto/secret.h"

/* ---- challenging -------------------------------------------------------------------------- */

int challenge_begin(struct user *u, enum cx_scheme scheme, const char *nonce, struct sv impu,
		    uint64_t now)
{
	struct scscf *s = u->scscf;
	char *copy = sv_dup(impu);
	struct challenge *c = &u->challenge;

	if (!copy)
		return -ENOMEM;
	if (c->pending && c->scheme == CX_SCHEME_DIGEST && u->digest)
		memcpy(u->digest->voided, c->nonce, sizeof(c->nonce));
	user_challenge_end(u, USER_ON_VOID);
	if (timer_start(s->timers, &u->await, now + s->await_auth, challenge_timeout, u) < 0) {
		free(copy);
		return -ENOMEM;
	}
	free(u->auth_impu);
	u->auth_impu = copy;
	if (user_step(u, USER_ON_CHALLENGE))
		s->n_challenges++;
	c->scheme = scheme;
	snprintf(c->nonce, sizeof(c->nonce), "%s", nonce);
	return 0;
}

/* The vector is used once: wiped by the caller. */
static int challenge_keep(struct user *u, const struct aka_vector *av, struct sv impu, uint64_t now)
{
	struct challenge *c = &u->challenge;
	char nonce[CX_NONCE];
	int err;

	auth_aka_nonce_write(nonce, av->rand, av->autn);
	err = challenge_begin(u, CX_SCHEME_AKA, nonce, impu, now);
	if (err)
		return err;
	memcpy(c->rand, av->rand, sizeof(c->rand));
	memcpy(c->xres, av->xres, sizeof(c->xres));
	return 0;
}

/* Sends the next vector in store. */
static void challenge_send(struct user *u, const struct sip_msg *m, struct sv impu, uint64_t now)
{
	struct aka_vector *av = &u->vectors[u->next_vector];

	if (challenge_keep(u, av, impu, now) < 0)
		reply_status(u->scscf, m, 500);
	else
		reply_challenge(u->scscf, m, av);
	sodium_memzero(av, sizeof(*av));
	if (++u->next_vector == u->n_vectors)
		user_vectors_drop(u);
}

static void vectors_came(struct user *u, const struct sip_msg *m, const struct cx_answer *a,
			 uint64_t now)
{
	struct scscf *s = u->scscf;
	struct reg r;

	if (a->result != CX_SUCCESS)
		reply_status(s, m, query_status(a));
	else if (a->scheme == CX_SCHEME_DIGEST && reg_parse(&r, s, m) == 0)
		digest_challenge(u, &r, a, now);
	else if (reg_parse(&r, s, m) || a->n_vectors == 0 || a->n_vectors > CX_MAX_VECTORS ||
		 user_vectors_store(u, a->vectors, a->n_vectors) < 0)
		reply_status(s, m, 500);
	else
		challenge_send(u, m, r.impu, now);
}

/*
 * AKA goes with IPsec, Digest with TLS or nothing, and 3GPP access with AKA (AK-02, DN-02, DN-03,
 * C-32). Where nothing is said the HSS has the choice; a UE with ISIM shows its IMPI from the start
 * (TS 24.229 5.1.1.2), so one that does not is rather one of Digest.
 */
static enum cx_scheme scheme_wished(const struct reg *r)
{
	if (r->on_3gpp || r->protection == REG_IPSEC)
		return CX_SCHEME_AKA;
	return r->protection == REG_CLEAR ? CX_SCHEME_ANY : CX_SCHEME_DIGEST;
}

/* AK-07: CM1 only without a usable vector in store. */
void challenge_start(struct user *u, const struct reg *r, uint64_t now)
{
	struct cx_request ask = {.command = CX_MAR,
				 .impu = r->impu,
				 .scheme = scheme_wished(r),
				 .prefers_digest = !r->has_auth,
				 .n_vectors = u->scscf->vectors};

	if (u->vectors && ask.scheme != CX_SCHEME_DIGEST && !ask.prefers_digest)
		challenge_send(u, r->m, r->impu, now);
	else if (query_ask(u, &ask, r->m, vectors_came, now) < 0)
		reply_status(u->scscf, r->m, 500);
}

/* TS 33.203 6.1.3: the new vectors take the place of those in store, which are as stale as the one
 * refused. */
void challenge_resync(struct user *u, const struct reg *r, uint64_t now)
{
	struct cx_request ask = {.command = CX_MAR,
				 .impu = r->impu,
				 .scheme = CX_SCHEME_AKA,
				 .n_vectors = u->scscf->vectors,
				 .resync = true};
	size_t n;

	if (!parse_base64(r->auth.auts, ask.auts, sizeof(ask.auts), &n) || n != sizeof(ask.auts)) {
		reply_status(u->scscf, r->m, 400);
		return;
	}
	memcpy(ask.rand, u->challenge.rand, sizeof(ask.rand));
	if (query_ask(u, &ask, r->m, vectors_came, now) < 0)
		reply_status(u->scscf, r->m, 500);
}

/* ---- the answer --------------------------------------------------------------------------- */

bool challenge_matches(const struct user *u, const struct reg *r)
{
	return u->challenge.pending && r->has_auth &&
	       sv_eq(r->auth.nonce, sv_of(u->challenge.nonce));
}

bool challenge_answered(struct user *u, const struct reg *r)
{
	struct sv realm = sv_of(u->scscf->realm);
	bool right = sv_caseeq(r->auth.realm, realm) &&
		     auth_response_check(&r->auth, r->m->method_name, r->m->body, u->challenge.xres,
					 sizeof(u->challenge.xres));

	if (right) {
		memcpy(u->good_nonce, u->challenge.nonce, sizeof(u->good_nonce));
		digest_forget(u);
		user_challenge_end(u, USER_ON_RIGHT_ANSWER);
		reauth_done(u);
	}
	return right;
}

void challenge_failed(struct user *u, uint64_t now)
{
	user_challenge_end(u, USER_ON_FAILURE);
	if (!u->registered && u->auth_impu)
		(void)query_put(u, sv_of(u->auth_impu), CX_NOT_REGISTERED, NULL, NULL, now);
}

void challenge_timeout(struct timer *t, void *arg, uint64_t now)
{
	struct user *u = arg;

	(void)t;
	user_hold(u);
	if (u->challenge.pending)
		challenge_failed(u, now);
	else
		user_vectors_drop(u); /* kept long enough for a user who is gone */
	user_release(u, now);
}
