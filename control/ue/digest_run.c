/* SM6 with a Digest challenge, and what follows it: the agreement, the TLS connection, SM7
 * (TS 33.203 N.2.1, O.2.2). */
#include <errno.h>
#include <stdlib.h>

#include "control/ue/ue_internal.h"
#include "crypto/secret.h"

/* On the current connection (TM-01), the new one, or (security none) in clear. */
static struct ue_set *set_of_run(struct ue *u)
{
	struct ue_set *current = ue_set_in(u, UE_SET_CURRENT);

	if (u->run.fresh)
		return u->run.fresh;
	return current && current->sa.id == u->run.sm1_set ? current : NULL;
}

static void sm7_send(struct ue *u, enum ue_run_event event, uint64_t now)
{
	struct ue_set *s = set_of_run(u);
	struct auth_challenge c;
	struct auth_answer a;

	u->run.authenticated = true;
	if (!ue_digest_answer(u, &c, &a) || !ue_run_step(u, event) ||
	    ue_register_send(u,
			     &(struct ue_register_args){
				     .on = s,
				     .auth = &a,
				     .agree = s && ue_agrees(u),
				     .verify = s ? s->security_server : NULL,
			     },
			     now) < 0)
		ue_run_fail(u, "cannot send SM7", now);
	secret_wipe(&c, sizeof(c));
}

/* ---- the agreement ------------------------------------------------------------------------ */

/* A challenge that came by the connection need not repeat the list that opened it. */
static const char *list_keep(struct ue_set *s, const struct sip_msg *m)
{
	char *list;

	if (!sip_msg_find(m, SIP_HDR_SECURITY_SERVER) && s->security_server)
		return NULL;
	if (!ue_tls_agreed(m)) /* ER-09, PO-01: whoever took it out, there is no SM7 */
		return sip_msg_find(m, SIP_HDR_SECURITY_SERVER) ? "no tls in Security-Server"
								: "no Security-Server";
	list = ue_security_server_dup(m);
	if (!list)
		return "no memory";
	free(s->security_server);
	s->security_server = list;
	return NULL;
}

/* PO-02: true if the user has said that no protection is good enough, too. */
static bool unprotected(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	if (u->protect_or_abort || u->run.sm1_set || u->registered ||
	    sip_msg_find(m, SIP_HDR_SECURITY_SERVER))
		return false;
	ue_set_remove(u, u->run.fresh);
	u->run.fresh = NULL;
	ue_event(u, UE_UNPROTECTED, SV("no Security-Server in the challenge"), now);
	return true;
}

/* NULL: SM7 can go out, on set_of_run(). */
static const char *protect(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	struct ue_set *s = set_of_run(u);
	const char *why;

	if (!ue_uses_tls(u))
		return NULL;
	if (!s) /* the connection that took SM1 has gone */
		return "no TLS connection";
	if (!ue_agrees(u))
		return NULL;
	why = list_keep(s, m);
	if (why)
		return unprotected(u, m, now) ? NULL : why;
	if (s->state == UE_SET_PROPOSED)
		ue_tls_open(u, s, now);
	return NULL;
}

/* ---- challenges --------------------------------------------------------------------------- */

void ue_digest_challenge_input(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	const char *why;

	if (u->auth != UE_AUTH_DIGEST || !ue_digest_take(&u->digest, m)) {
		ue_run_fail(u, "no Digest challenge that we may answer", now);
		return;
	}
	why = protect(u, m, now);
	if (why)
		ue_run_fail(u, why, now);
	else
		sm7_send(u, UE_RUN_ON_SM6, now);
}

bool ue_digest_again(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	struct ue_set *s = set_of_run(u);

	if (u->auth != UE_AUTH_DIGEST || u->run.stales == UE_STALES ||
	    !ue_digest_stale(&u->digest, m) || (s && ue_agrees(u) && list_keep(s, m)) ||
	    !ue_digest_take(&u->digest, m))
		return false;
	u->run.stales++;
	sm7_send(u, UE_RUN_ON_STALE, now);
	return true;
}
