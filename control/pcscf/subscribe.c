/* SUBSCRIBE to the registration state of a UE (TS 24.229 5.2.3). */
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/pcscf/subscription.h"

static void dialog_reset(struct pcscf_subscription *s)
{
	free(s->remote_tag);
	free(s->target);
	s->remote_tag = s->target = NULL;
	s->cseq = s->remote_cseq = 0;
	s->informed = false;
	sip_token(s->call_id, sizeof(s->call_id));
	sip_token(s->tag, sizeof(s->tag));
}

void pcscf_subscription_start(struct pcscf_reg *r, uint64_t now)
{
	const struct pcscf_impu *impu = pcscf_impus_default(r);
	struct pcscf_subscription *s;

	if (!r->p->conf.reg_event || r->subscription || !impu)
		return;
	s = calloc(1, sizeof(*s));
	if (!s)
		return;
	s->reg = r;
	s->impu = sv_dup((struct sv){impu->text, impu->len});
	if (!s->impu) {
		free(s);
		return;
	}
	dialog_reset(s);
	r->subscription = s;
	pcscf_subscription_later(s, 0, now);
}

void pcscf_subscription_free(struct pcscf_subscription *s)
{
	if (!s)
		return;
	s->reg->subscription = NULL;
	timer_stop(s->reg->p->timers, &s->timer);
	if (s->txn)
		sip_client_cancel(s->txn);
	free(s->impu);
	free(s->remote_tag);
	free(s->target);
	free(s);
}

/* ---- the answer --------------------------------------------------------------------------- */

static void keep(char **field, struct sv value)
{
	char *copy = value.n <= PCSCF_SUBSCRIPTION_FIELD ? sv_dup(value) : NULL;

	if (!copy)
		return;
	free(*field);
	*field = copy;
}

void pcscf_subscription_peer(struct pcscf_subscription *s, struct sv tag, const struct sip_msg *m)
{
	struct sip_list contacts = {.msg = m, .id = SIP_HDR_CONTACT};
	struct sip_uri uri;
	struct sip_addr a;
	struct sv element;

	if (!s->remote_tag)
		keep(&s->remote_tag, tag);
	if (sip_list_walk(&contacts, &element) && sip_addr_parse(&a, element) == 0 &&
	    sip_uri_parse(&uri, a.uri) == 0)
		keep(&s->target, a.uri);
}

static bool final_refusal(unsigned status)
{
	return status == 403 || status == 404 || status == 405 || status == 489 || status == 501;
}

static void on_response(void *arg, const struct sip_msg *m, uint64_t now)
{
	struct pcscf_subscription *s = arg;
	uint32_t expires = PCSCF_SUBSCRIPTION_EXPIRES;

	if (m && m->status < 200)
		return;
	s->txn = NULL;
	if (m && m->status < 300) {
		(void)parse_u32(sip_msg_value(m, SIP_HDR_EXPIRES), UINT32_MAX, &expires);
		pcscf_subscription_peer(s, m->to_tag, m);
		pcscf_subscription_lasts(s, expires, now);
		return;
	}
	if (m && final_refusal(m->status))
		return; /* until the next registration */
	pcscf_subscription_later(
		s, m && m->status == 481 && s->remote_tag ? 0 : PCSCF_SUBSCRIPTION_RETRY, now);
	dialog_reset(s);
}

/* ---- the request -------------------------------------------------------------------------- */

static struct sv subscribe_text(struct pcscf_subscription *s)
{
	const struct pcscf_reg *r = s->reg;
	const struct pcscf_conf *conf = &r->p->conf;
	struct sbuf b = sbuf_of(r->p->out, PCSCF_TEXT_MAX);
	bool again = s->remote_tag && s->target;
	char branch[SIP_BRANCH_LEN];

	sip_branch(branch);
	sbuf_printf(&b,
		    "SUBSCRIBE %s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=%s\r\nMax-Forwards: 70\r\n",
		    again ? s->target : s->impu, conf->host, branch);
	if (!again)
		sbuf_printf(&b, "Route: <sip:%s;lr>\r\n", conf->icscf_host);
	sbuf_printf(&b, "From: <sip:%s@%s>;tag=%s\r\nTo: <%s>%s%s\r\n", r->token, conf->host,
		    s->tag, s->impu, again ? ";tag=" : "", again ? s->remote_tag : "");
	/* the URI of Path: by it the S-CSCF knows us (TS 24.229 5.4.2.1.1) */
	sbuf_printf(&b,
		    "Call-ID: %s\r\nCSeq: %u SUBSCRIBE\r\n"
		    "P-Asserted-Identity: <sip:%s@%s>\r\nContact: <sip:%s@%s>\r\n"
		    "Event: reg\r\nAccept: " REGINFO_TYPE
		    "\r\nExpires: %u\r\nContent-Length: 0\r\n\r\n",
		    s->call_id, ++s->cseq, r->token, conf->host, r->token, conf->host,
		    PCSCF_SUBSCRIPTION_EXPIRES);
	return b.overflow ? (struct sv){0} : sbuf_sv(&b);
}

static void on_timer(struct timer *t, void *arg, uint64_t now)
{
	struct sip_flow core = pcscf_core_flow();
	struct pcscf_subscription *s = arg;
	struct sv text;

	(void)t;
	if (s->txn)
		return;
	text = subscribe_text(s);
	if (sv_empty(text) ||
	    sip_client_create(s->reg->p->core, &s->txn, &core, text, on_response, s, now) < 0)
		pcscf_subscription_later(s, PCSCF_SUBSCRIPTION_RETRY, now);
}

void pcscf_subscription_later(struct pcscf_subscription *s, uint64_t seconds, uint64_t now)
{
	(void)timer_start(s->reg->p->timers, &s->timer, now + seconds * 1000, on_timer, s);
}

void pcscf_subscription_lasts(struct pcscf_subscription *s, uint32_t seconds, uint64_t now)
{
	uint32_t after = seconds > 1200 ? seconds - 600 : seconds / 2;

	if (after < PCSCF_SUBSCRIPTION_LEAST)
		after = PCSCF_SUBSCRIPTION_LEAST;
	pcscf_subscription_later(s, after, now);
}
