/*
 * SM5 to SM6. AKA: keys taken out, the new SA set installed, Security-Server added (TS 33.203 7.2).
 * Digest: TLS if both have it, else the UE's address alone, as the policy has it (Annexes N, O).
 * AKA goes with IPsec and Digest with TLS: mixed pairings are refused (C-32).
 */
#include <sodium.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

enum scheme { SCHEME_NONE, SCHEME_AKA, SCHEME_DIGEST };

static enum scheme scheme_of(const struct auth_challenge *c)
{
	if (!c->known_algorithm)
		return SCHEME_NONE;
	if (c->algorithm != DIGEST_AKAV1_MD5)
		return SCHEME_DIGEST;
	return c->has_ik && c->has_ck ? SCHEME_AKA : SCHEME_NONE;
}

/* The first challenge that can be met; AKA before Digest. Wipe *c. */
static enum scheme challenge_find(const struct sip_msg *m, struct auth_challenge *c)
{
	for (enum scheme wanted = SCHEME_AKA; wanted <= SCHEME_DIGEST; wanted++) {
		const struct sip_header *h = sip_msg_find(m, SIP_HDR_WWW_AUTHENTICATE);

		for (; h; h = sip_msg_next(m, h)) {
			if (auth_challenge_parse(c, h->value) == 0 && scheme_of(c) == wanted)
				return wanted;
			sodium_memzero(c, sizeof(*c));
		}
	}
	return SCHEME_NONE;
}

bool pcscf_challenge_is_stale(const struct sip_msg *m)
{
	struct auth_challenge c;
	bool stale = challenge_find(m, &c) == SCHEME_DIGEST && sv_caseeq(c.stale, SV("true"));

	sodium_memzero(&c, sizeof(c));
	return stale;
}

bool pcscf_challenge_counts(const struct pcscf_run *run, const struct sip_msg *m)
{
	struct auth_challenge c;
	enum scheme scheme = challenge_find(m, &c);

	sodium_memzero(&c, sizeof(c));
	return run->offer.present || run->policy->ipsec_required || scheme == SCHEME_DIGEST;
}

static struct sv sm6_text(struct pcscf *p, const struct sip_msg *m, const struct pcscf_run *run)
{
	char list[PCSCF_LIST_MAX];
	struct sbuf b = sbuf_of(list, sizeof(list));
	struct sip_edit e;

	if (!pcscf_via_below(m))
		return (struct sv){0};
	sip_edit_init(&e, m);
	sip_edit_remove_first(&e, SIP_HDR_VIA);
	pcscf_strip_agreement(&e);
	pcscf_strip_keys(&e, m);
	if (run->agreed) {
		pcscf_server_list(run, &b);
		sip_edit_append(&e, "Security-Server: %.*s", SV_ARG(sbuf_sv(&b)));
	}
	return b.overflow ? (struct sv){0} : sip_edit_text(&e, p->out, PCSCF_TEXT_MAX);
}

/* What was preferred may not go with the challenge, and the next best may. */
static bool agree(struct pcscf_run *run, enum agree_mech_type type)
{
	struct pcscf_terms terms = run->terms;
	struct pcscf_offer offer;

	if (run->offer.present && run->offer.choice.type == type)
		return true;
	terms.ipsec &= type == AGREE_IPSEC_3GPP;
	terms.tls &= type == AGREE_TLS;
	if (pcscf_offer_again(run->policy, run->client, &terms, &offer) < 0)
		return false;
	run->offer = offer;
	run->terms.first = type;
	return true;
}

static unsigned aka_prepare(struct pcscf_run *run, const struct auth_challenge *c, uint64_t now)
{
	int rc;

	if (!agree(run, AGREE_IPSEC_3GPP))
		return run->offer.present ? 403 : 494;
	run->kind = PCSCF_IPSEC;
	run->agreed = true;
	rc = pcscf_set_create(run, c->ik, c->ck, now);
	if (rc == -EEXIST)
		return 400;
	return rc < 0 ? 503 : 0;
}

/*
 * A UE with ipsec-3gpp has an ISIM, and shows its IMPI in SM1 (TS 24.229 5.1.1.2): without it the
 * HSS takes the UE for one of Digest, so it could be taken out to bring both from ipsec-3gpp to
 * tls.
 */
static bool brought_to_tls(const struct pcscf_run *run)
{
	return run->offer.present && run->offer.choice.type == AGREE_IPSEC_3GPP && !run->named;
}

/* TLS without Security-Client is for policies that do not insist on it (PO-03). */
static unsigned digest_prepare(struct pcscf_run *run, uint64_t now)
{
	bool over_tls = run->reply.transport == SIP_TRANSPORT_TLS, brought = brought_to_tls(run);

	run->agreed = run->terms.tls && agree(run, AGREE_TLS);
	if (run->agreed && brought)
		return 403;
	if (!run->agreed && over_tls && run->policy->ipsec_required)
		return 494;
	if (run->agreed || (over_tls && run->terms.tls))
		run->kind = PCSCF_TLS;
	else if (run->terms.digest)
		run->kind = PCSCF_ADDRESS;
	else
		return 403;
	return pcscf_run_wait(run, now) < 0 ? 503 : 0;
}

/* 0, or the status of the answer that the UE gets instead of SM6. */
static unsigned challenge_prepare(struct pcscf_run *run, const struct sip_msg *m, uint64_t now)
{
	struct auth_challenge c;
	enum scheme scheme = challenge_find(m, &c);
	unsigned status = 500;

	if (scheme == SCHEME_AKA)
		status = aka_prepare(run, &c, now);
	else if (scheme == SCHEME_DIGEST)
		status = digest_prepare(run, now);
	else if (!run->offer.present)
		status = 494;
	if (status == 403)
		pcscf_drop(run->reg->p, PCSCF_REFUSED_PAIRING);
	free(run->nonce);
	run->nonce = status ? NULL : sv_dup(c.nonce);
	if (!status && !run->nonce)
		status = 503;
	sodium_memzero(&c, sizeof(c));
	return status;
}

static void sm6(struct pcscf_run *run, struct pcscf_relay *relay, bool again)
{
	relay->run = NULL;
	run->relay = NULL;
	if (again)
		return;
	relay->sm1_of = run;
	run->sm1 = relay;
}

void pcscf_challenge(struct pcscf_relay *relay, const struct sip_msg *m, bool again, uint64_t now)
{
	struct pcscf_run *run = relay->run;
	struct pcscf_reg *r = run->reg;
	struct pcscf *p = relay->p;
	struct pcscf_refusal why = {.status = challenge_prepare(run, m, now)};
	struct sv text = {0};

	if (why.status == 0) {
		text = sm6_text(p, m, run);
		why.status = sv_empty(text) || !pcscf_run_step(run, PCSCF_ON_SM5) ? 500 : 0;
	}
	if (why.status == 0) {
		sm6(run, relay, again);
		pcscf_relay_respond(relay, m->status, text, now);
		return;
	}
	if (why.status == 400)
		why.warning = pcscf_port_in_use;
	if (why.status == 403)
		why.warning = "authentication and access security do not go together";
	why.agreement = why.status == 494;
	why.policy = run->policy;
	why.terms = run->terms;
	pcscf_run_end(run, PCSCF_ON_FAILURE, false, now);
	pcscf_relay_answer(relay, &why, now);
	pcscf_reg_reap(r);
}
