/* SM2 and SM8: the UE's REGISTER as the core gets it. */
#include "control/pcscf/internal.h"

static const char *const indicator_text[] = {
	[PCSCF_INTEGRITY_NO] = "no",
	[PCSCF_INTEGRITY_YES] = "yes",
	[PCSCF_INTEGRITY_TLS_PENDING] = "tls-pending",
	[PCSCF_INTEGRITY_TLS_YES] = "tls-yes",
	[PCSCF_INTEGRITY_IP_PENDING] = "ip-assoc-pending",
	[PCSCF_INTEGRITY_IP_YES] = "ip-assoc-yes",
};

/* What our own tables vouch for is said even where the UE says nothing. */
static bool positive(enum pcscf_indicator i)
{
	return i == PCSCF_INTEGRITY_YES || i == PCSCF_INTEGRITY_TLS_YES ||
	       i == PCSCF_INTEGRITY_IP_YES;
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
	struct sv domain = home_domain(m);
	char store[PCSCF_LIST_MAX];
	struct sbuf b = sbuf_of(store, sizeof(store));

	if (!h) {
		if (positive(indicator))
			sip_edit_append(e,
					"Authorization: Digest username=\"%.*s\", realm=\"%.*s\", "
					"uri=\"sip:%.*s\", nonce=\"\", response=\"\", "
					"integrity-protected=\"%s\"",
					SV_ARG(q->impi_sv), SV_ARG(domain), SV_ARG(domain),
					indicator_text[indicator]);
		return;
	}
	if (!auth_strip_integrity(&b, h->value) || b.overflow)
		e->failed = true;
	else if (indicator == PCSCF_INTEGRITY_NONE)
		sip_edit_replace(e, h->value, "%.*s", SV_ARG(sbuf_sv(&b)));
	else
		sip_edit_replace(e, h->value, "%.*s, integrity-protected=\"%s\"",
				 SV_ARG(sbuf_sv(&b)), indicator_text[indicator]);
}

/* RFC 5626 4.2.1: the UE would have its registration reached by this flow. */
static bool outbound_wanted(const struct sip_msg *m)
{
	struct sip_list supported = {.msg = m, .id = SIP_HDR_SUPPORTED},
			contacts = {.msg = m, .id = SIP_HDR_CONTACT};
	struct sip_addr a;
	struct sv element;

	while (sip_list_walk(&supported, &element))
		if (sv_caseeq(element, SV("outbound")))
			return true;
	return sip_list_walk(&contacts, &element) && sip_addr_parse(&a, element) == 0 &&
	       sip_param(a.params, SV("reg-id"), NULL);
}

/* Of a UE without SAs the flow is in it: no other than that one will do (RFC 5626 5.1, TL-13). */
static void path_add(struct sip_edit *e, const struct pcscf_reg *r, const struct sip_msg *m,
		     const struct pcscf_set *s)
{
	const char *ob = outbound_wanted(m) ? ";ob" : "", *host = r->p->conf.host;

	if (s && s->kind != PCSCF_IPSEC)
		sip_edit_append(e, "Path: <sip:%s@%s;lr%s;flow=%08x>", r->token, host, ob,
				s->sa.id);
	else
		sip_edit_append(e, "Path: <sip:%s@%s;lr>", r->token, host);
}

static void own_fields(struct sip_edit *e, const struct pcscf_reg *r, const struct sip_msg *m,
		       const struct pcscf_set *s)
{
	static const uint8_t not_the_ues[] = {
		SIP_HDR_PATH,	       SIP_HDR_P_VISITED_NETWORK_ID, SIP_HDR_P_ASSERTED_IDENTITY,
		SIP_HDR_SERVICE_ROUTE, SIP_HDR_P_ASSOCIATED_URI,     SIP_HDR_ROUTE};
	const struct pcscf_conf *conf = &r->p->conf;

	for (unsigned i = 0; i < sizeof(not_the_ues); i++)
		sip_edit_remove_all(e, (enum sip_hdr)not_the_ues[i]);
	sip_edit_remove_token(e, SIP_HDR_REQUIRE, SV("path"));
	sip_edit_append(e, "Require: path");
	path_add(e, r, m, s);
	if (conf->visited_network)
		sip_edit_append(e, "P-Visited-Network-ID: \"%s\"", conf->visited_network);
}

static unsigned register_edit(struct sip_edit *e, const struct pcscf_reg *r,
			      const struct pcscf_set *s, const struct sip_msg *m,
			      const struct pcscf_request *q, enum pcscf_indicator indicator)
{
	char branch[SIP_BRANCH_LEN];
	unsigned status;

	sip_edit_init(e, m);
	status = pcscf_max_forwards(e, m);
	sip_branch(branch);
	sip_edit_insert(e, SIP_HDR_VIA, "Via: SIP/2.0/TCP %s;branch=%s", r->p->conf.host, branch);
	pcscf_strip_agreement(e);
	pcscf_strip_network(e, m);
	own_fields(e, r, m, s);
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
	why.status = register_edit(&e, run->reg, came_on, m, q, indicator);
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
