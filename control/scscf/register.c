/* What becomes of a REGISTER (TS 24.229 5.4.1.2, TS 33.203 6.1). */
#include "control/scscf/internal.h"

enum verdict {
	V_CHALLENGE,
	V_RESYNC,      /* the card says SQN is not fresh */
	V_MAC_FAILURE, /* the card says we are not its home network */
	V_ACCEPT,
	V_DIGEST, /* answers by SIP Digest: rightly? */
	V_WRONG,
	V_MIXED,      /* AKA over TLS, Digest over IPsec or on 3GPP access (C-32) */
	V_INCOMPLETE, /* cannot be checked at all (F27) */
	V_LATE,	      /* answers a challenge that a newer one has voided (DF-05) */
	V_OVERTAKEN,  /* a later REGISTER of the same Call-ID was here before */
};

/*
 * RFC 3261 10.3 step 7: a REGISTER overtaken by a later one of the same Call-ID. After a new AKA
 * run it does not count: a UE that lost its memory may begin again at CSeq 1.
 */
static bool out_of_order(const struct user *u, const struct sip_msg *m)
{
	return u->registered && sv_eq(sv_of(u->binding.call_id), m->call_id) &&
	       m->cseq <= u->binding.cseq;
}

/* RFC 2617 3.2.2: with qop, nc and cnonce must be there. */
static bool complete(const struct auth_response *a)
{
	return sv_empty(a->qop) || !(sv_empty(a->nc) || sv_empty(a->cnonce));
}

static bool removes(const struct reg *r)
{
	return r->action == REG_REMOVE || r->action == REG_REMOVE_ALL;
}

/* An answer to the open challenge of AKA */
static enum verdict aka_verdict(struct user *u, const struct reg *r)
{
	/* A card that refused the challenge has no keys, so these two may come unprotected (F26).
	 */
	if (!sv_empty(r->auth.auts))
		return V_RESYNC;
	if (sv_empty(r->auth.response))
		return V_MAC_FAILURE;
	if (r->protection == REG_CLEAR)
		return V_CHALLENGE;
	if (r->protection != REG_IPSEC)
		return V_MIXED;
	if (!complete(&r->auth))
		return V_INCOMPLETE;
	return challenge_answered(u, r) ? V_ACCEPT : V_WRONG;
}

/* The same of Digest, or with the last good nonce once more */
static enum verdict digest_verdict(const struct reg *r)
{
	if (r->protection == REG_IPSEC || r->on_3gpp)
		return V_MIXED;
	return complete(&r->auth) ? V_DIGEST : V_INCOMPLETE;
}

/*
 * Does how it came say who it is from? Only for whom is registered in the same way; by an address
 * and port alone only if policy trusts in them.
 */
static bool is_vouched_for(const struct user *u, const struct reg *r)
{
	bool by_aka = user_by_aka(u);

	if (!u->registered || by_aka != (r->protection == REG_IPSEC))
		return false;
	return by_aka || (!r->on_3gpp && (r->protection == REG_TLS ||
					  (r->protection == REG_IP && u->scscf->trust_ip)));
}

/* A refresh shows no answer, or the last good one again (TS 24.229 5.1.1.4). */
static bool shows_nothing_new(const struct user *u, const struct reg *r)
{
	if (sv_empty(r->auth.response))
		return true;
	return r->protection == REG_IPSEC ? sv_eq(r->auth.nonce, sv_of(u->good_nonce))
					  : digest_is_repeat(u, r);
}

static enum verdict verdict_of(struct user *u, const struct reg *r, uint64_t now)
{
	if (challenge_matches(u, r) && u->challenge.scheme == CX_SCHEME_AKA)
		return aka_verdict(u, r);
	if (digest_is_answer(u, r, now))
		return digest_verdict(r);
	if (digest_is_late(u, r))
		return V_LATE;
	if (r->protection == REG_IPSEC && u->challenge.pending && !shows_nothing_new(u, r))
		return V_LATE;
	if (is_vouched_for(u, r) && shows_nothing_new(u, r) &&
	    (removes(r) || !(u->scscf->challenge_protected || u->reauth.due)))
		return out_of_order(u, r->m) ? V_OVERTAKEN : V_ACCEPT;
	return V_CHALLENGE;
}

static void verdict_carry_out(struct user *u, const struct reg *r, enum verdict v, uint64_t now)
{
	struct scscf *s = u->scscf;

	switch (v) {
	case V_CHALLENGE:
		challenge_start(u, r, now);
		break;
	case V_RESYNC:
		challenge_resync(u, r, now);
		break;
	case V_ACCEPT:
		binding_apply(u, r, now);
		break;
	case V_DIGEST:
		digest_answer(u, r, now);
		break;
	case V_MAC_FAILURE:
	case V_WRONG:
	case V_MIXED:
		challenge_failed(u, now);
		reply_status(s, r->m, 403);
		break;
	case V_INCOMPLETE:
		mw_proxy_reply(&s->proxy, r->m, 400,
			       SV("Warning: 399 s-cscf \"qop without nc or cnonce\"\r\n"));
		break;
	case V_LATE:
		reply_status(s, r->m, 403);
		break;
	case V_OVERTAKEN:
		reply_status(s, r->m, 500);
		break;
	}
}

void register_input(struct scscf *s, const struct sip_msg *m, uint64_t now)
{
	static const struct sv known[] = {{"path", 4}};
	struct reg r;
	struct user *u;
	unsigned status;

	if (!mw_proxy_options_known(&s->proxy, m, SIP_HDR_REQUIRE, known, 1))
		return;
	status = reg_parse(&r, s, m);
	if (status == 423) {
		reply_min_expires(s, m);
		return;
	}
	u = status ? NULL : user_get(s, r.impi);
	if (!u) {
		reply_status(s, m, status ? status : 500);
		return;
	}
	user_hold(u);
	verdict_carry_out(u, &r, verdict_of(u, &r, now), now);
	user_release(u, now);
}
