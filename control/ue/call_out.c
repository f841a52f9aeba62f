/* The caller: INVITE, PRACK, ACK, CANCEL (RFC 3261 13.2, 9.1; RFC 3262 4). */
#include "control/ue/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/base/parse.h"

static void ignored(void *arg, const struct sip_msg *m, uint64_t now)
{
	struct ue_request *r = arg;
	sa_set_id set = r->set;
	struct ue *u = r->ue;

	if (m && m->status < 200)
		return;
	ue_request_done(r);
	if (!m)
		ue_request_unanswered(u, set, now);
}

/* ---- CANCEL ------------------------------------------------------------------------------- */

static void copy_all(struct sbuf *b, const struct sip_msg *m, enum sip_hdr id)
{
	for (const struct sip_header *h = sip_msg_find(m, id); h; h = sip_msg_next(m, h))
		sbuf_put(b, h->line);
}

static void cancel_answered(void *arg, const struct sip_msg *m, uint64_t now)
{
	(void)arg;
	(void)m;
	(void)now;
}

static void on_given_up(struct timer *t, void *arg, uint64_t now)
{
	struct ue_call *c = arg;
	struct sip_client_txn *txn = c->invite ? c->invite->txn : NULL;

	(void)t;
	if (txn)
		sip_client_fail(txn, now); /* on_invite() */
}

static void give_up_at(struct ue_call *c, uint64_t at)
{
	(void)timer_start(c->ue->timers, &c->timer, at, on_given_up, c);
}

void ue_call_set_gone(struct ue *u, sa_set_id id)
{
	if (u->call && u->call->invite && u->call->invite->set == id)
		give_up_at(u->call, timers_now(u->timers));
}

/* RFC 3261 9.1: not before the INVITE is known to have arrived; on its flow. Whoever has it need
 * not answer any more: then it is over after 64 T1. */
void ue_call_cancel(struct ue_call *c, uint64_t now)
{
	char text[UE_TEXT_MAX];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct sip_client_txn *txn;
	struct sip_msg m;

	c->cancelled = true;
	if (!c->provisional || !c->invite)
		return;
	if (!timer_running(&c->timer))
		give_up_at(c, now + UE_TRANSACTION_S * UINT64_C(1000));
	if (!c->sent || sip_msg_parse(&m, (struct sv){c->sent, c->sent_len}) < 0)
		return;
	sbuf_printf(&b, "CANCEL %.*s SIP/2.0\r\n", SV_ARG(m.uri));
	copy_all(&b, &m, SIP_HDR_VIA);
	copy_all(&b, &m, SIP_HDR_ROUTE);
	copy_all(&b, &m, SIP_HDR_FROM);
	copy_all(&b, &m, SIP_HDR_TO);
	copy_all(&b, &m, SIP_HDR_CALL_ID);
	sbuf_printf(&b, "CSeq: %u CANCEL\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n", m.cseq);
	if (!b.overflow)
		(void)sip_client_create(c->ue->txns, &txn, sip_client_flow(c->invite->txn),
					sbuf_sv(&b), cancel_answered, NULL, now);
	free(c->sent); /* once */
	c->sent = NULL;
}

/* ---- provisional answers ------------------------------------------------------------------ */

static void prack(struct ue_call *c, const struct sip_msg *m, uint64_t now)
{
	char rack[64];
	uint32_t rseq = 0;

	for (unsigned i = 0; i < m->n; i++)
		if (m->h[i].id == SIP_HDR_OTHER && sv_caseeq(m->h[i].name, SV("RSeq")))
			(void)parse_u32(m->h[i].value, UINT32_MAX, &rseq);
	if (rseq == 0 || rseq == c->rseq_seen) /* a repeat: the PRACK's transaction sees to it */
		return;
	c->rseq_seen = rseq;
	snprintf(rack, sizeof(rack), "RAck: %u %u INVITE\r\n", rseq, c->invite_cseq);
	(void)ue_call_request(c, SIP_PRACK, rack, (struct sv){0}, ignored, NULL, now);
}

static void provisional(struct ue_call *c, const struct sip_msg *m, uint64_t now)
{
	bool other = !c->d.remote_tag || !sv_eq(sv_of(c->d.remote_tag), m->to_tag);

	c->provisional = true; /* it has not "arrived": CANCEL and ACK may follow on its flow */
	if (c->cancelled)
		ue_call_cancel(c, now);
	if (m->status == 100 || sv_empty(m->to_tag))
		return;
	if (other) /* another fork rings: each counts its RSeq for itself */
		c->rseq_seen = 0;
	if (ue_dialog_answered(&c->d, m) == 0 && ue_call_lists(m, SIP_HDR_REQUIRE, SV("100rel")))
		prack(c, m, now);
	if (m->status == 180)
		ue_event(c->ue, UE_CALL_RINGING, (struct sv){0}, now);
}

/* ---- 2xx ---------------------------------------------------------------------------------- */

static void ack_send(struct ue *u, struct sv text, uint64_t now)
{
	char copy[UE_TEXT_MAX];
	struct sbuf b = sbuf_of(copy, sizeof(copy));
	struct ue_set *on = ue_set_in(u, UE_SET_CURRENT);
	struct sip_flow flow;

	sbuf_put(&b, text);
	if (b.overflow || (!on && !u->unprotected))
		return;
	ue_request_flow(u, on, &b, &flow, now);
	ue_transport_send(u, &flow, sbuf_sv(&b));
}

static void ack(struct ue_call *c, uint64_t now)
{
	char text[UE_TEXT_MAX], branch[SIP_BRANCH_LEN];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_branch(branch);
	ue_dialog_write(c->ue, &c->d, ue_set_in(c->ue, UE_SET_CURRENT), branch, SIP_ACK,
			c->invite_cseq, &b);
	ue_call_body(&b, (struct sv){0});
	if (b.overflow)
		return;
	free(c->ack);
	c->ack = sv_dup(sbuf_sv(&b));
	c->ack_len = b.n;
	ack_send(c->ue, sbuf_sv(&b), now);
}

static void answered(struct ue_call *c, const struct sip_msg *m, uint64_t now)
{
	if (ue_dialog_answered(&c->d, m) < 0) {
		ue_call_over(c, SV("bad answer"), now);
		return;
	}
	ack(c, now);
	if (c->cancelled) { /* it crossed our CANCEL */
		if (ue_call_bye(c, now) < 0)
			ue_call_over(c, SV("cancelled"), now);
		return;
	}
	c->state = UE_CALL_TALKING;
	ue_event(c->ue, UE_CALL_ANSWERED, (struct sv){0}, now);
}

/* A 2xx behind the first: a repeat wants its ACK again; another fork's is taken and ended. */
bool ue_call_answer_repeated(struct ue *u, const struct sip_msg *m, uint64_t now)
{
	struct ue_call *c = u->call, other = {.ue = u};
	struct ue_dialog *d = &other.d;

	if (!c || !c->ack || m->method != SIP_INVITE || m->status < 200 || m->status > 299 ||
	    m->cseq != c->invite_cseq || !sv_eq(m->call_id, sv_of(c->d.call_id)) ||
	    !sv_eq(m->from_tag, sv_of(c->d.tag)))
		return false;
	if (sv_eq(m->to_tag, sv_of(c->d.remote_tag))) {
		ack_send(u, (struct sv){c->ack, c->ack_len}, now);
		return true;
	}
	if (ue_dialog_out(d, u, sv_of(c->d.remote)) == 0) {
		memcpy(d->tag, c->d.tag, sizeof(d->tag));
		free(d->call_id);
		d->call_id = sv_dup(sv_of(c->d.call_id));
		d->cseq = other.invite_cseq = c->invite_cseq;
		if (d->call_id && ue_dialog_answered(d, m) == 0) {
			ack(&other, now);
			(void)ue_call_request(&other, SIP_BYE, "", (struct sv){0}, ignored, NULL,
					      now);
		}
	}
	ue_dialog_clear(d);
	free(other.ack);
	return true;
}

/* ---- INVITE ------------------------------------------------------------------------------- */

static void on_invite(void *arg, const struct sip_msg *m, uint64_t now)
{
	struct ue_request *r = arg;
	sa_set_id set = r->set;
	struct ue *u = r->ue;
	struct ue_call *c = u->call;
	char reason[64] = "no answer";

	if (c && c->invite != r)
		c = NULL;
	if (m && m->status < 200) {
		if (c)
			provisional(c, m, now);
		return;
	}
	if (c) {
		c->invite = NULL;
		timer_stop(u->timers, &c->timer);
	}
	ue_request_done(r);
	if (!c)
		return;
	if (m && m->status < 300) {
		answered(c, m, now);
		return;
	}
	if (m)
		snprintf(reason, sizeof(reason), "%u %.*s", m->status,
			 (int)(m->reason.n < 48 ? m->reason.n : 48), m->reason.p);
	ue_call_over(c, sv_of(reason), now);
	if (!m)
		ue_request_unanswered(u, set, now);
}

int ue_call(struct ue *u, struct sv to_uri, uint64_t now)
{
	char body[512], fields[512];
	struct sbuf sdp = sbuf_of(body, sizeof(body)), b = sbuf_of(fields, sizeof(fields));
	struct ue_call *c;
	int rc;

	if (u->call)
		return -EBUSY;
	if (!ue_uri_is_safe(to_uri))
		return -EINVAL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->ue = u;
	c->state = UE_CALL_OUTGOING;
	ue_sdp_offer(&sdp, &u->local.addr);
	ue_contact_write(u, &b);
	sbuf_printf(&b, "Supported: 100rel\r\n%s%c", ue_call_allow, '\0');
	rc = ue_dialog_out(&c->d, u, to_uri);
	u->call = c;
	if (rc == 0)
		rc = ue_call_request(c, SIP_INVITE, fields, sbuf_sv(&sdp), on_invite, &c->invite,
				     now);
	if (rc < 0)
		ue_call_drop(u);
	return rc;
}
