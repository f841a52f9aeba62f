#include "control/scscf/internal.h"

#include <errno.h>
#include <stdlib.h>

#include <sodium.h>

#include "control/base/parse.h"

struct user *user_find(const struct scscf *s, struct sv impi)
{
	return (struct user *)map_find(&s->by_impi, impi); /* node is the first member */
}

struct user *user_served(const struct scscf *s, struct sv impu)
{
	struct map_node *node = sv_empty(impu) ? NULL : map_find(&s->by_impu, impu);

	return node ? ((struct served *)node)->user : NULL;
}

struct user *user_get(struct scscf *s, struct sv impi)
{
	struct user *u = user_find(s, impi);

	if (u)
		return u;
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->scscf = s;
	u->impi = sv_dup(impi);
	if (!u->impi) {
		free(u);
		return NULL;
	}
	map_put(&s->by_impi, &u->node, sv_of(u->impi));
	return u;
}

void user_hold(struct user *u)
{
	u->holds++;
}

void user_free(struct user *u)
{
	struct scscf *s = u->scscf;

	user_challenge_end(u, USER_ON_VOID);
	user_vectors_drop(u);
	user_unregister(u);
	timer_stop(s->timers, &u->await);
	map_remove(&s->by_impi, &u->node);
	digest_free(u->digest);
	free(u->auth_impu);
	free(u->impi);
	free(u);
}

void user_release(struct user *u, uint64_t now)
{
	struct scscf *s = u->scscf;

	if (--u->holds > 0 || u->registered || u->challenge.pending)
		return;
	if (u->vectors &&
	    (timer_running(&u->await) ||
	     timer_start(s->timers, &u->await, now + s->await_auth, challenge_timeout, u) == 0))
		return;
	user_free(u);
}

/* ---- challenge and vectors ---------------------------------------------------------------- */

void user_challenge_end(struct user *u, enum user_event why)
{
	if (!u->challenge.pending)
		return;
	u->scscf->n_challenges--;
	timer_stop(u->scscf->timers, &u->await);
	sodium_memzero(&u->challenge, sizeof(u->challenge));
	(void)user_step(u, why);
}

void user_vectors_drop(struct user *u)
{
	if (u->vectors)
		sodium_memzero(u->vectors, u->n_vectors * sizeof(*u->vectors));
	free(u->vectors);
	u->vectors = NULL;
	u->n_vectors = u->next_vector = 0;
}

int user_vectors_store(struct user *u, const struct aka_vector *vectors, unsigned n)
{
	struct aka_vector *copy = calloc(n, sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, vectors, n * sizeof(*copy));
	user_vectors_drop(u);
	u->vectors = copy;
	u->n_vectors = n;
	return 0;
}

/* ---- registration ------------------------------------------------------------------------- */

static void served_free(struct scscf *s, struct served *served, unsigned n, bool in_map)
{
	for (unsigned i = 0; i < n; i++) {
		if (in_map)
			map_remove(&s->by_impu, &served[i].node);
		free(served[i].impu);
	}
	free(served);
}

int user_served_set(struct user *u, const struct sv *impus, unsigned n)
{
	struct scscf *s = u->scscf;
	struct served *served = calloc(n ? n : 1, sizeof(*served));

	if (!served)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		served[i].user = u;
		served[i].impu = sv_dup(impus[i]);
		if (!served[i].impu) {
			served_free(s, served, i, false);
			return -ENOMEM;
		}
	}
	served_free(s, u->served, u->n_served, true);
	for (unsigned i = 0; i < n; i++)
		map_put(&s->by_impu, &served[i].node, sv_of(served[i].impu));
	u->served = served;
	u->n_served = n;
	u->served_edition++;
	return 0;
}

bool user_serves(const struct user *u, struct sv impu)
{
	for (unsigned i = 0; i < u->n_served; i++)
		if (sv_eq(sv_of(u->served[i].impu), impu))
			return true;
	return false;
}

bool user_by_aka(const struct user *u)
{
	return u->registered && u->binding.protection == REG_IPSEC;
}

bool user_tls_protected(const struct user *u)
{
	return u->registered &&
	       (u->binding.protection == REG_TLS || u->binding.protection == REG_TLS_PENDING);
}

void binding_clear(struct binding *b)
{
	free(b->contact);
	free(b->params);
	free(b->path);
	free(b->call_id);
	*b = (struct binding){0};
}

int user_binding_set(struct user *u, const struct binding *b)
{
	struct scscf *s = u->scscf;
	int err = timer_start(s->timers, &u->expiry, b->expires_at, binding_timeout, u);

	if (err)
		return err;
	binding_clear(&u->binding);
	u->binding = *b;
	if (!u->registered)
		s->n_registered++;
	(void)user_step(u, USER_ON_BINDING);
	return 0;
}

void user_unregister(struct user *u)
{
	struct scscf *s = u->scscf;

	subscriptions_drop(u);
	reauth_done(u);
	timer_stop(s->timers, &u->expiry);
	binding_clear(&u->binding);
	served_free(s, u->served, u->n_served, true);
	u->served = NULL;
	u->n_served = 0;
	sodium_memzero(u->good_nonce, sizeof(u->good_nonce));
	if (u->registered)
		s->n_registered--;
	(void)user_step(u, USER_ON_END);
}
