/* SM5 to SM6: keys taken out, the new SA set installed, Security-Server added (TS 33.203 7.2). */
#include <sodium.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

/* The AKA challenge among the fields; C-32: any other scheme does not go with IPsec. */
static bool challenge_find(const struct sip_msg *m, struct auth_challenge *c)
{
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_WWW_AUTHENTICATE);

	for (; h; h = sip_msg_next(m, h)) {
		if (auth_challenge_parse(c, h->value) == 0 && c->has_ik && c->has_ck &&
		    c->known_algorithm && c->algorithm == DIGEST_AKAV1_MD5)
			return true;
		sodium_memzero(c, sizeof(*c));
	}
	return false;
}

static struct sv sm6_text(struct pcscf *p, const struct sip_msg *m, const struct pcscf_set *s)
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
	pcscf_server_list(s, &b);
	sip_edit_append(&e, "Security-Server: %.*s", SV_ARG(sbuf_sv(&b)));
	return b.overflow ? (struct sv){0} : sip_edit_text(&e, p->out, PCSCF_TEXT_MAX);
}

/* 0, or the status of the answer that the UE gets instead of SM6. */
static unsigned challenge_prepare(struct pcscf_run *run, const struct sip_msg *m, uint64_t now)
{
	struct auth_challenge c;
	unsigned status = 0;
	int rc;

	if (!run->offer.present)
		return 494;
	if (!challenge_find(m, &c))
		return 500;
	rc = pcscf_set_create(run, c.ik, c.ck, now);
	if (rc == -EEXIST)
		status = 400;
	else if (rc < 0)
		status = 503;
	run->nonce = rc < 0 ? NULL : sv_dup(c.nonce);
	if (rc == 0 && !run->nonce)
		status = 503;
	sodium_memzero(&c, sizeof(c));
	return status;
}

void pcscf_challenge(struct pcscf_relay *relay, const struct sip_msg *m, uint64_t now)
{
	struct pcscf_run *run = relay->run;
	struct pcscf_reg *r = run->reg;
	struct pcscf *p = relay->p;
	struct pcscf_refusal why = {.status = challenge_prepare(run, m, now), .nat = run->path.nat};
	struct sv text = {0};

	if (why.status == 0) {
		text = sm6_text(p, m, run->set);
		why.status = sv_empty(text) || !pcscf_run_step(run, PCSCF_ON_SM5) ? 500 : 0;
	}
	if (why.status == 0) {
		relay->run = NULL;
		run->relay = NULL;
		relay->sm1_of = run;
		run->sm1 = relay;
		pcscf_relay_respond(relay, m->status, text, now);
		return;
	}
	if (why.status == 400)
		why.warning = pcscf_port_in_use;
	why.agreement = why.status == 494;
	why.policy = run->policy;
	pcscf_run_end(run, PCSCF_ON_FAILURE, false, now);
	pcscf_relay_answer(relay, &why, now);
	pcscf_reg_reap(r);
}
