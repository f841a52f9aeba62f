/* SM2 and SM8: the UE's REGISTER as the core gets it. */
#include "control/pcscf/internal.h"

static struct sv indicator_text(enum pcscf_indicator i)
{
	return i == PCSCF_INTEGRITY_YES ? SV("yes") : SV("no");
}

/* "sip:example.org" of "sip:example.org;x=y" */
static struct sv home_domain(const struct sip_msg *m)
{
	struct sip_uri u;

	return sip_uri_parse(&u, m->uri) == 0 ? u.host : (struct sv){0};
}

/* Ours alone says whether the message was protected (IN-01..IN-05). */
static void indicate(struct sip_edit *e, const struct sip_msg *m, const struct pcscf_request *q,
		     enum pcscf_indicator indicator)
{
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_AUTHORIZATION);
	struct sv domain = home_domain(m), yesno = indicator_text(indicator);
	char store[PCSCF_LIST_MAX];
	struct sbuf b = sbuf_of(store, sizeof(store));

	if (!h) {
		if (indicator == PCSCF_INTEGRITY_YES)
			sip_edit_append(e,
					"Authorization: Digest username=\"%.*s\", realm=\"%.*s\", "
					"uri=\"sip:%.*s\", nonce=\"\", response=\"\", "
					"integrity-protected=\"yes\"",
					SV_ARG(q->impi_sv), SV_ARG(domain), SV_ARG(domain));
		return;
	}
	if (!auth_strip_integrity(&b, h->value) || b.overflow)
		e->failed = true;
	else if (indicator == PCSCF_INTEGRITY_NONE)
		sip_edit_replace(e, h->value, "%.*s", SV_ARG(sbuf_sv(&b)));
	else
		sip_edit_replace(e, h->value, "%.*s, integrity-protected=\"%.*s\"",
				 SV_ARG(sbuf_sv(&b)), SV_ARG(yesno));
}

static void own_fields(struct sip_edit *e, const struct pcscf_reg *r)
{
	static const uint8_t not_the_ues[] = {
		SIP_HDR_PATH,	       SIP_HDR_P_VISITED_NETWORK_ID, SIP_HDR_P_ASSERTED_IDENTITY,
		SIP_HDR_SERVICE_ROUTE, SIP_HDR_P_ASSOCIATED_URI,     SIP_HDR_ROUTE};
	const struct pcscf_conf *conf = &r->p->conf;

	for (unsigned i = 0; i < sizeof(not_the_ues); i++)
		sip_edit_remove_all(e, (enum sip_hdr)not_the_ues[i]);
	sip_edit_remove_token(e, SIP_HDR_REQUIRE, SV("path"));
	sip_edit_append(e, "Require: path");
	sip_edit_append(e, "Path: <sip:%s@%s;lr>", r->token, conf->host);
	if (conf->visited_network)
		sip_edit_append(e, "P-Visited-Network-ID: \"%s\"", conf->visited_network);
}

static unsigned register_edit(struct sip_edit *e, const struct pcscf_reg *r,
			      const struct sip_msg *m, const struct pcscf_request *q,
			      enum pcscf_indicator indicator)
{
	char branch[SIP_BRANCH_LEN];
	unsigned status;

	sip_edit_init(e, m);
	status = pcscf_max_forwards(e, m);
	sip_branch(branch);
	sip_edit_insert(e, SIP_HDR_VIA, "Via: SIP/2.0/TCP %s;branch=%s", r->p->conf.host, branch);
	pcscf_strip_agreement(e);
	pcscf_strip_network(e, m);
	own_fields(e, r);
	indicate(e, m, q, indicator);
	return status;
}

bool pcscf_register_forward(struct pcscf_run *run, const struct sip_flow *reply,
			    struct pcscf_set *came_on, const struct sip_msg *m,
			    const struct pcscf_request *q, enum pcscf_indicator indicator,
			    uint64_t now)
{
	struct pcscf_refusal why = {.status = 503, .retry_after = 5};
	struct sip_flow core = pcscf_core_flow();
	struct pcscf *p = run->reg->p;
	struct pcscf_relay *relay;
	struct sip_edit e;

	if (pcscf_relay_create(p, PCSCF_RELAY_REGISTER, reply, m, came_on, &relay, now) < 0)
		return false;
	if (relay->clear)
		pcscf_relay_place(relay, run->reg);
	relay->sm7 = run->state == PCSCF_RUN_SM7;
	why.status = register_edit(&e, run->reg, m, q, indicator);
	if (why.status == 0) {
		relay->run = run;
		run->relay = relay;
		if (pcscf_relay_send(relay, &core, sip_edit_text(&e, p->out, PCSCF_TEXT_MAX),
				     now) == 0)
			return true;
		why.status = e.failed ? 400 : 503;
		relay->run = NULL;
		run->relay = NULL;
	}
	if (why.status != 503)
		why.retry_after = 0;
	pcscf_relay_answer(relay, &why, now);
	return false;
}
