/* Calls (RFC 3261 13 to 15), signalling only: what both ends have in common. */
#include "control/ue/call.h"

#include <errno.h>
#include <stdlib.h>

#define T1_MS 2000 /* over the access (TS 24.229 7.7) */
#define T2_MS 16000

const char ue_call_allow[] =
	"Allow: INVITE, ACK, BYE, CANCEL, PRACK, UPDATE, MESSAGE, NOTIFY, OPTIONS\r\n";

/* Nobody will hear its final answer. */
static void invite_forget(struct ue_call *c)
{
	struct ue_request *r = c->invite;

	c->invite = NULL;
	if (r->txn)
		sip_client_cancel(r->txn);
	ue_request_done(r);
}

static void call_free(struct ue_call *c)
{
	timer_stop(c->ue->timers, &c->timer);
	if (c->invite)
		invite_forget(c);
	if (c->server)
		ue_served_unwatch(c->server);
	ue_dialog_clear(&c->d);
	free(c->sent);
	free(c->ack);
	free(c->received);
	free(c->repeat);
	c->ue->call = NULL;
	free(c);
}

void ue_call_over(struct ue_call *c, struct sv reason, uint64_t now)
{
	struct ue *u = c->ue;
	char text[64];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sbuf_put(&b, (struct sv){reason.p, reason.n < 60 ? reason.n : 60});
	call_free(c);
	ue_event(u, UE_CALL_ENDED, sbuf_sv(&b), now);
}

void ue_call_drop(struct ue *u)
{
	if (u->call)
		call_free(u->call);
}

void ue_call_lost(struct ue *u, uint64_t now)
{
	if (u->call)
		ue_call_over(u->call, SV("registration ended"), now);
}

enum ue_call_state ue_call_state(const struct ue *u)
{
	return u->call ? u->call->state : UE_CALL_NONE;
}

/* ---- repeats ------------------------------------------------------------------------------ */

void ue_call_repeat_stop(struct ue_call *c)
{
	timer_stop(c->ue->timers, &c->timer);
	free(c->repeat);
	c->repeat = NULL;
}

/* Neither ACK nor PRACK: RFC 3261 13.3.1.4, RFC 3262 3. */
static void unacknowledged(struct ue_call *c, uint64_t now)
{
	ue_call_repeat_stop(c);
	if (c->state == UE_CALL_INCOMING_RINGING)
		(void)ue_call_refuse(c, 504, now);
	else if (ue_call_bye(c, now) < 0)
		ue_call_over(c, SV("no ACK"), now);
}

static void on_repeat(struct timer *t, void *arg, uint64_t now)
{
	struct ue_call *c = arg;

	if (now >= c->until || (c->flow.set && !ue_set_find(c->ue, c->flow.set))) {
		unacknowledged(c, now);
		return;
	}
	c->interval = c->interval * 2 < T2_MS || c->state == UE_CALL_INCOMING_RINGING
			      ? c->interval * 2
			      : T2_MS;
	(void)timer_start(c->ue->timers, t, now + c->interval, on_repeat, c);
	ue_transport_send(c->ue, &c->flow, (struct sv){c->repeat, c->repeat_len});
}

void ue_call_repeat(struct ue_call *c, struct sv text, const struct sip_flow *flow, uint64_t now)
{
	ue_call_repeat_stop(c);
	c->repeat = sv_dup(text);
	if (!c->repeat)
		return;
	c->repeat_len = text.n;
	c->flow = *flow;
	c->interval = T1_MS;
	c->until = now + UE_TRANSACTION_S * UINT64_C(1000);
	(void)timer_start(c->ue->timers, &c->timer, now + T1_MS, on_repeat, c);
}

/* ---- requests ----------------------------------------------------------------------------- */

bool ue_call_lists(const struct sip_msg *m, enum sip_hdr id, struct sv tag)
{
	struct sip_list l = {.msg = m, .id = id};
	struct sv element;

	while (sip_list_walk(&l, &element))
		if (sv_caseeq(element, tag))
			return true;
	return false;
}

void ue_call_body(struct sbuf *b, struct sv body)
{
	if (body.n)
		sbuf_put(b, SV("Content-Type: application/sdp\r\n"));
	sbuf_printf(b, "Content-Length: %zu\r\n\r\n", body.n);
	sbuf_put(b, body);
}

int ue_call_request(struct ue_call *c, enum sip_method method, const char *fields, struct sv body,
		    sip_client_h *handler, struct ue_request **rp, uint64_t now)
{
	struct ue *u = c->ue;
	char text[UE_TEXT_MAX];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct ue_request *r;
	struct ue_set *on;
	int rc = ue_request_create(u, &r, &on);

	if (rc < 0)
		return rc;
	ue_dialog_write(u, &c->d, on, r->branch, method, ++c->d.cseq, &b);
	sbuf_put(&b, sv_of(fields));
	ue_call_body(&b, body);
	rc = ue_request_send(r, on, &b, handler, now);
	if (rc < 0)
		return rc;
	if (rp)
		*rp = r;
	if (method == SIP_INVITE) {
		c->sent = sv_dup(sbuf_sv(&b));
		c->sent_len = b.n;
		c->invite_cseq = c->d.cseq;
	}
	return 0;
}

static void on_bye(void *arg, const struct sip_msg *m, uint64_t now)
{
	struct ue_request *r = arg;
	sa_set_id set = r->set;
	struct ue *u = r->ue;
	struct ue_call *c = u->call;

	if (m && m->status < 200)
		return;
	if (c && c->bye != r)
		c = NULL;
	ue_request_done(r);
	if (c)
		ue_call_over(c, m && m->status < 300 ? SV("") : SV("BYE failed"), now);
	if (!m)
		ue_request_unanswered(u, set, now);
}

int ue_call_bye(struct ue_call *c, uint64_t now)
{
	int rc;

	if (c->bye)
		return -EBUSY;
	ue_call_repeat_stop(c);
	rc = ue_call_request(c, SIP_BYE, "", (struct sv){0}, on_bye, &c->bye, now);
	if (rc == 0)
		c->state = UE_CALL_ENDING;
	return rc;
}

int ue_call_end(struct ue *u, uint64_t now)
{
	struct ue_call *c = u->call;

	switch (ue_call_state(u)) {
	case UE_CALL_OUTGOING:
		ue_call_cancel(c, now);
		return 0;
	case UE_CALL_INCOMING_RINGING:
		return ue_call_refuse(c, 603, now);
	case UE_CALL_TALKING:
		return ue_call_bye(c, now);
	default:
		return -ENOTCONN;
	}
}
