/* The callee, and requests inside of a call (RFC 3261 13.3, 14.2, 15.1.2; RFC 3262 3; RFC 3311). */
#include "control/ue/call.h"

#include <errno.h>
#include <stdlib.h>

#include "control/base/parse.h"
#include "control/sip/edit.h"

/* ---- answers ------------------------------------------------------------------------------ */

struct answer {
	const struct sip_msg *request;
	unsigned status;
	struct sv body;
	bool contact; /* and Allow */
	uint32_t rseq;
};

static void answer_write(const struct ue_call *c, const struct answer *a, struct sbuf *b)
{
	const struct sip_msg *m = a->request;

	sip_reply_begin(b, m, a->status, sv_of(c->d.tag));
	if (a->contact) {
		for (const struct sip_header *h = sip_msg_find(m, SIP_HDR_RECORD_ROUTE); h;
		     h = sip_msg_next(m, h))
			sbuf_put(b, h->line);
		ue_contact_write(c->ue, b);
		sbuf_put(b, sv_of(ue_call_allow));
	}
	if (a->rseq)
		sbuf_printf(b, "Require: 100rel\r\nRSeq: %u\r\n", a->rseq);
	ue_call_body(b, a->body);
}

static int answer_send(struct ue_call *c, struct sip_server_txn *txn, const struct answer *a,
		       const struct sip_flow *flow, bool repeated, uint64_t now)
{
	char text[UE_TEXT_MAX];
	struct sbuf b = sbuf_of(text, sizeof(text));

	answer_write(c, a, &b);
	if (b.overflow)
		return -EMSGSIZE;
	if (repeated)
		ue_call_repeat(c, sbuf_sv(&b), flow, now);
	return sip_server_respond(txn, a->status, sbuf_sv(&b), now);
}

/* The session of a 2xx: an answer to the offer, or an offer if there was none. */
static int session(const struct ue *u, const struct sip_msg *m, struct sbuf *sdp)
{
	if (!sv_empty(m->body))
		return ue_sdp_answer(sdp, m->body, &u->local.addr);
	ue_sdp_offer(sdp, &u->local.addr);
	return 0;
}

/* ---- INVITE ------------------------------------------------------------------------------- */

static int invite_answer(struct ue_call *c, unsigned status, uint64_t now)
{
	char body[1024];
	struct sbuf sdp = sbuf_of(body, sizeof(body));
	struct answer a = {.status = status, .contact = status > 100 && status < 300};
	struct sip_flow flow;
	struct sip_msg m;

	if (!c->server || sip_msg_parse(&m, (struct sv){c->received, c->received_len}) < 0)
		return -ENOTCONN;
	a.request = &m;
	if (status == 200 && session(c->ue, &m, &sdp) == 0)
		a.body = sbuf_sv(&sdp);
	if (status == 180)
		a.rseq = c->rseq;
	ue_reply_flow(c->ue, &c->from, &flow);
	return answer_send(c, c->server, &a, &flow, a.rseq || status == 200, now);
}

int ue_call_refuse(struct ue_call *c, unsigned status, uint64_t now)
{
	int rc;

	ue_call_repeat_stop(c);
	rc = invite_answer(c, status, now);
	ue_call_over(c, sv_of(sip_reason(status)), now);
	return rc;
}

int ue_call_accept(struct ue *u, uint64_t now)
{
	struct ue_call *c = u->call;
	int rc;

	if (ue_call_state(u) != UE_CALL_INCOMING_RINGING)
		return -ENOTCONN;
	c->state = UE_CALL_TALKING;
	rc = invite_answer(c, 200, now);
	if (rc < 0)
		ue_call_over(c, SV("cannot answer"), now);
	return rc;
}

static unsigned refusal(const struct ue *u, const struct sip_msg *m)
{
	char body[1024];
	struct sbuf sdp = sbuf_of(body, sizeof(body));

	if (u->call)
		return 486;
	if (session(u, m, &sdp) < 0 || sdp.overflow)
		return 488;
	return 0;
}

static struct ue_call *call_alloc(struct ue *u, const struct sip_flow *from,
				  const struct sip_msg *m)
{
	struct ue_call *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->ue = u;
	c->state = UE_CALL_INCOMING_RINGING;
	c->from = *from;
	c->ok_seq = m->cseq;
	c->received = sv_dup(m->raw);
	c->received_len = m->raw.n;
	if (ue_call_lists(m, SIP_HDR_SUPPORTED, SV("100rel")) ||
	    ue_call_lists(m, SIP_HDR_REQUIRE, SV("100rel")))
		c->rseq = 1 + (uint32_t)(m->cseq % 1000);
	if (c->received && ue_dialog_in(&c->d, m) == 0)
		return c;
	free(c->received);
	free(c);
	return NULL;
}

static void invited(struct ue *u, const struct sip_flow *from, const struct sip_msg *m,
		    uint64_t now)
{
	unsigned status = refusal(u, m);
	struct ue_call *c;

	if (status) {
		(void)ue_answer(u, from, m, status, now);
		return;
	}
	c = call_alloc(u, from, m);
	if (!c) {
		(void)ue_answer(u, from, m, 500, now);
		return;
	}
	u->call = c;
	if (ue_serve_begin(u, from, m, &c->server, now) < 0) {
		ue_call_drop(u);
		return;
	}
	(void)invite_answer(c, 180, now);
	ue_event(u, UE_CALL_INCOMING, sv_of(c->d.remote), now);
}

/* ---- inside a dialog ---------------------------------------------------------------------- */

static void serve(struct ue_call *c, const struct sip_flow *from, const struct answer *a,
		  bool repeated, uint64_t now)
{
	struct sip_server_txn *txn;
	struct sip_flow reply;

	ue_reply_flow(c->ue, from, &reply);
	if (ue_serve_begin(c->ue, from, a->request, &txn, now) == 0) {
		ue_served_unwatch(txn);
		(void)answer_send(c, txn, a, &reply, repeated, now);
	}
}

/* re-INVITE and UPDATE: a new session or the old one (RFC 3261 14.2, RFC 3311 5.2). */
static void session_changed(struct ue_call *c, const struct sip_flow *from, const struct sip_msg *m,
			    uint64_t now)
{
	char body[1024];
	struct sbuf sdp = sbuf_of(body, sizeof(body));
	struct answer a = {.request = m, .status = 200, .contact = true};
	bool invite = m->method == SIP_INVITE;

	if (invite && (c->repeat || c->invite)) {
		a.status = 491;
	} else if (invite || !sv_empty(m->body)) {
		if (session(c->ue, m, &sdp) < 0 || sdp.overflow)
			a.status = 488;
		else
			a.body = sbuf_sv(&sdp);
	}
	a.contact = a.status == 200;
	if (a.contact)
		ue_target_keep(&c->d.target, m);
	if (a.contact && invite)
		c->ok_seq = m->cseq;
	serve(c, from, &a, a.contact && invite, now);
}

static void pracked(struct ue_call *c, const struct sip_flow *from, const struct sip_msg *m,
		    uint64_t now)
{
	struct answer a = {.request = m, .status = 481};
	uint32_t rseq = 0;

	for (unsigned i = 0; i < m->n; i++) {
		struct sv v = m->h[i].value;
		const char *blank = v.n ? memchr(v.p, ' ', v.n) : NULL;

		if (m->h[i].id == SIP_HDR_OTHER && blank && sv_caseeq(m->h[i].name, SV("RAck")))
			(void)parse_u32((struct sv){v.p, (size_t)(blank - v.p)}, UINT32_MAX, &rseq);
	}
	if (c->rseq && rseq == c->rseq) {
		a.status = 200;
		if (c->state == UE_CALL_INCOMING_RINGING)
			ue_call_repeat_stop(c);
	}
	serve(c, from, &a, false, now);
}

static void hung_up(struct ue_call *c, const struct sip_flow *from, const struct sip_msg *m,
		    uint64_t now)
{
	serve(c, from, &(struct answer){.request = m, .status = 200}, false, now);
	if (c->state == UE_CALL_INCOMING_RINGING)
		(void)ue_call_refuse(c, 487, now);
	else if (c->invite) /* nobody may, but then the INVITE is to have its end as well */
		ue_call_cancel(c, now);
	else
		ue_call_over(c, (struct sv){0}, now);
}

static void acknowledged(struct ue_call *c, const struct sip_msg *m, uint64_t now)
{
	bool first = c->repeat && m->cseq == c->ok_seq && c->state == UE_CALL_TALKING;

	if (!first)
		return;
	ue_call_repeat_stop(c);
	if (c->received) { /* of the first INVITE */
		free(c->received);
		c->received = NULL;
		ue_event(c->ue, UE_CALL_ANSWERED, (struct sv){0}, now);
	}
}

static void in_dialog(struct ue_call *c, const struct sip_flow *from, const struct sip_msg *m,
		      uint64_t now)
{
	if (m->method == SIP_ACK) {
		acknowledged(c, m, now);
		return;
	}
	if (m->cseq <= c->d.remote_cseq) { /* RFC 3261 12.2.2 */
		serve(c, from, &(struct answer){.request = m, .status = 500}, false, now);
		return;
	}
	c->d.remote_cseq = m->cseq;
	switch (m->method) {
	case SIP_BYE:
		hung_up(c, from, m, now);
		break;
	case SIP_INVITE:
	case SIP_UPDATE:
		session_changed(c, from, m, now);
		break;
	case SIP_PRACK:
		pracked(c, from, m, now);
		break;
	default:
		serve(c, from, &(struct answer){.request = m, .status = 405}, false, now);
	}
}

/* RFC 3261 9.2: after the final answer it changes nothing. */
static bool cancelled(struct ue *u, const struct sip_flow *from, const struct sip_msg *m,
		      uint64_t now)
{
	struct ue_call *c = u->call;

	if (!c || !c->server || sip_server_find(u->txns, m, SIP_INVITE) != c->server)
		return false;
	serve(c, from, &(struct answer){.request = m, .status = 200}, false, now);
	if (c->state == UE_CALL_INCOMING_RINGING)
		(void)ue_call_refuse(c, 487, now);
	return true;
}

bool ue_call_input(struct ue *u, const struct sip_flow *from, const struct sip_msg *m, uint64_t now)
{
	if (m->method == SIP_CANCEL)
		return cancelled(u, from, m, now);
	if (u->call && ue_dialog_has(&u->call->d, m)) {
		in_dialog(u->call, from, m, now);
		return true;
	}
	if (m->method != SIP_INVITE)
		return false;
	if (sv_empty(m->to_tag))
		invited(u, from, m, now);
	else
		(void)ue_answer(u, from, m, 481, now);
	return true;
}
