/* SM6 and what follows it: the card's answer, the agreement, the new SAs, SM7 (TS 33.203 6.1, 7.2).
 */
#include <errno.h>

#include "control/base/parse.h"
#include "control/ue/ue_internal.h"
#include "crypto/keyexp.h"
#include "crypto/secret.h"

static bool challenge_find(const struct sip_msg *m, struct auth_challenge *c, uint8_t rand[16],
			   uint8_t autn[16])
{
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_WWW_AUTHENTICATE);

	for (; h; h = sip_msg_next(m, h))
		if (auth_challenge_parse(c, h->value) == 0 && c->known_algorithm &&
		    c->algorithm == DIGEST_AKAV1_MD5 && auth_aka_nonce(c->nonce, rand, autn))
			return true;
	return false;
}

static void answer_init(const struct ue *u, struct auth_answer *a, const struct auth_challenge *c,
			char cnonce[17])
{
	sip_token(cnonce, 17);
	*a = (struct auth_answer){
		.username = u->impi,
		.realm = c->realm,
		.uri = u->home,
		.challenge = c,
		.cnonce = sv_of(cnonce),
		.nc = 1,
		.method = SV("REGISTER"),
	};
}

/* ---- AUTN is bad (ER-06) ------------------------------------------------------------------ */

/*
 * auts NULL: the MAC is wrong. The REGISTER goes the way SM1 went (ER-03, ER-04) and proposes SAs
 * of its own: the network may challenge it again (F05).
 */
static void autn_failure_report(struct ue *u, const struct auth_challenge *c, const uint8_t *auts,
				uint64_t now)
{
	struct ue_set *on = ue_set_find(u, u->run.sm1_set);
	char cnonce[17], auts_text[4 * ((14 + 2) / 3) + 1];
	struct auth_answer a;

	if (u->run.fresh)
		ue_set_remove(u, u->run.fresh);
	u->run.fresh = NULL;
	if ((u->run.sm1_set && !on) || ue_set_propose(u, &u->run.fresh) < 0) {
		ue_run_fail(u, "cannot propose SAs", now);
		return;
	}
	answer_init(u, &a, c, cnonce);
	a.empty_response = !auts;
	if (auts) {
		format_base64(auts_text, auts, 14);
		a.auts = sv_of(auts_text);
	}
	if (!ue_run_step(u, UE_RUN_ON_BAD_AUTN) ||
	    ue_register_send(u,
			     &(struct ue_register_args){
				     .on = on,
				     .auth = &a,
				     .agree = true,
				     .verify = on ? on->security_server : NULL,
			     },
			     now) < 0)
		ue_run_fail(u, "cannot send REGISTER", now);
}

static void autn_failure(struct ue *u, const struct auth_challenge *c, const uint8_t *auts,
			 uint64_t now)
{
	if (++u->run.autn_failures > UE_AUTN_FAILURES)
		ue_run_fail(u, auts ? "AUTN: SQN still not fresh" : "AUTN: MAC still wrong", now);
	else
		autn_failure_report(u, c, auts, now);
}

/* ---- the agreement ------------------------------------------------------------------------ */

/* Security-Verify is a copy of Security-Server, byte by byte; several fields are one list. */
char *ue_security_server_dup(const struct sip_msg *m)
{
	char text[UE_TEXT_MAX / 2];
	struct sbuf b = sbuf_of(text, sizeof(text));
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_SECURITY_SERVER);

	for (; h; h = sip_msg_next(m, h)) {
		if (b.n)
			sbuf_put(&b, SV(", "));
		sbuf_put(&b, h->value);
	}
	return b.overflow ? NULL : sv_dup(sbuf_sv(&b));
}

/* Also a reflected packet must not find an SA (SP-04): all four SPIs differ. */
static bool spis_differ(const struct sa_set *sa, const struct agree_mech *mech)
{
	for (unsigned p = 0; p < SA_PAIRS; p++)
		if (sa->spi_in[p] == mech->spi_c || sa->spi_in[p] == mech->spi_s)
			return false;
	return true;
}

/* SU-02, SU-07: the peer's values and the algorithms into the proposed set. */
static int agreement_take(struct ue *u, const struct sip_msg *m)
{
	struct ue_set *s = u->run.fresh;
	const struct agree_mech *mech;
	struct agree_list l;
	int i;

	memset(&l, 0, sizeof(l));
	if (!s || agree_parse(&l, m, SIP_HDR_SECURITY_SERVER) < 0)
		return -ENOENT;
	i = ue_nat_choose(u, &l, &mech);
	if (i < 0 || !spis_differ(&s->sa, mech))
		return -ENOENT;
	s->sa.spi_out[SA_CLIENT] = mech->spi_s;
	s->sa.spi_out[SA_SERVER] = mech->spi_c;
	s->sa.remote_port[SA_CLIENT] = mech->port_s;
	s->sa.remote_port[SA_SERVER] = mech->port_c;
	s->sa.integ = u->choices[i].integ;
	s->sa.encr = u->choices[i].encr;
	s->sa.mode = u->choices[i].mode;
	ue_nat_tunnel_fill(u, &s->sa);
	s->security_server = ue_security_server_dup(m);
	return s->security_server ? 0 : -ENOMEM;
}

/* ---- SM7 ---------------------------------------------------------------------------------- */

static void sm7_send(struct ue *u, const struct auth_challenge *c, const uint8_t res[AKA_RES_LEN],
		     uint64_t now)
{
	struct ue_set *s = u->run.fresh;
	struct auth_answer a;
	char cnonce[17];

	answer_init(u, &a, c, cnonce);
	a.password = res;
	a.password_len = AKA_RES_LEN;
	u->run.authenticated = true;
	if (!ue_run_step(u, UE_RUN_ON_SM6) ||
	    ue_register_send(u,
			     &(struct ue_register_args){
				     .on = s,
				     .auth = &a,
				     .agree = s != NULL,
				     .verify = s ? s->security_server : NULL,
			     },
			     now) < 0)
		ue_run_fail(u, "cannot send SM7", now);
}

/* PO-02: only if the policy lets us, and only where there was no protection yet. */
static void unprotected_go_on(struct ue *u, const struct auth_challenge *c,
			      const struct aka_answer *answer, uint64_t now)
{
	ue_set_remove(u, u->run.fresh);
	u->run.fresh = NULL;
	ue_event(u, UE_UNPROTECTED, SV("no Security-Server in the challenge"), now);
	sm7_send(u, c, answer->res, now);
}

static void answer_challenge(struct ue *u, const struct sip_msg *m, const struct auth_challenge *c,
			     const struct aka_answer *answer, uint64_t now)
{
	bool absent = !sip_msg_find(m, SIP_HDR_SECURITY_SERVER);

	if (absent && !u->protect_or_abort && u->run.sm1_set == 0 && !u->registered) {
		unprotected_go_on(u, c, answer, now);
		return;
	}
	if (agreement_take(u, m) < 0) { /* ER-09, PO-01 */
		ue_run_fail(u, absent ? "no Security-Server" : "no acceptable Security-Server",
			    now);
		return;
	}
	keyexp_esp(&u->run.fresh->sa.keys, u->run.fresh->sa.integ, u->run.fresh->sa.encr,
		   answer->ik, answer->ck);
	if (ue_set_install(u, u->run.fresh, now) < 0) {
		ue_run_fail(u, "cannot make SAs", now);
		return;
	}
	sm7_send(u, c, answer->res, now);
}

void ue_challenge_input(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	struct auth_challenge c;
	struct aka_answer answer;
	uint8_t rand[16], autn[16];

	if (ue_either_take(u, m) < 0) {
		ue_run_fail(u, "cannot propose TLS", now);
		return;
	}
	if (u->auth != UE_AUTH_AKA) {
		ue_digest_challenge_input(u, m, now);
		return;
	}
	memset(&c, 0, sizeof(c));
	memset(&answer, 0, sizeof(answer));
	if (!challenge_find(m, &c, rand, autn)) {
		ue_run_fail(u, "no AKAv1-MD5 challenge", now);
		goto out;
	}
	switch (aka_card_answer(&answer, &u->key, u->sqn, rand, autn)) { /* AK-08: first of all */
	case AKA_OK:
		answer_challenge(u, m, &c, &answer, now);
		break;
	case AKA_MAC_FAILURE:
		autn_failure(u, &c, NULL, now);
		break;
	case AKA_SYNC_FAILURE:
		autn_failure(u, &c, answer.auts, now);
		break;
	}
out:
	secret_wipe(&answer, sizeof(answer));
	secret_wipe(&c, sizeof(c)); /* holds keys if the network leaked them (F32) */
}
