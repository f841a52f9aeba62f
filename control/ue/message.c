/* MESSAGE out and in (RFC 3428, TS 24.229 5.1.2A). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/reginfo/reginfo.h"
#include "control/sip/edit.h"
#include "control/ue/call.h"

/* ---- out ---------------------------------------------------------------------------------- */

static void on_response(void *arg, const struct sip_msg *m, uint64_t now)
{
	struct ue_request *r = arg;
	sa_set_id set = r->set;
	struct ue *u = r->ue;
	char reason[64] = "no answer";

	if (m && m->status < 200) {
		ue_set_arrived(u, set, !r->arrived);
		r->arrived = true;
		return;
	}
	ue_request_done(r);
	if (m && m->status < 300) {
		ue_event(u, UE_MESSAGE_SENT_OK, (struct sv){0}, now);
		return;
	}
	if (m)
		snprintf(reason, sizeof(reason), "%u %.*s", m->status,
			 (int)(m->reason.n < 48 ? m->reason.n : 48), m->reason.p);
	ue_event(u, UE_MESSAGE_FAILED, sv_of(reason), now);
	if (!m)
		ue_request_unanswered(u, set, now);
}

static void dialog_write(const struct ue *u, struct sv to, struct sbuf *b)
{
	char tag[17], call_id[33];

	sip_token(tag, sizeof(tag));
	sip_token(call_id, sizeof(call_id));
	sbuf_printf(b, "Max-Forwards: 70\r\nFrom: <%.*s>;tag=%s\r\nTo: <%.*s>\r\n", SV_ARG(u->impu),
		    tag, SV_ARG(to));
	sbuf_printf(b, "Call-ID: %s\r\nCSeq: 1 MESSAGE\r\n", call_id);
	ue_identity_write(u, SIP_MESSAGE, b);
}

static void message_write(const struct ue *u, const struct ue_set *on, const char *branch,
			  struct sv to, struct sv body, struct sbuf *b)
{
	sbuf_printf(b, "MESSAGE %.*s SIP/2.0\r\n", SV_ARG(to));
	ue_via_write(u, b, on, branch);
	ue_route_write(u, on, b);
	dialog_write(u, to, b);
	ue_agreement_write(on, b);
	ue_access_write(u, b);
	sbuf_printf(b, "Content-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", body.n);
	sbuf_put(b, body);
}

bool ue_uri_is_safe(struct sv uri)
{
	struct sip_uri parsed;

	for (size_t i = 0; i < uri.n; i++)
		if ((unsigned char)uri.p[i] <= ' ' || uri.p[i] == '<' || uri.p[i] == '>')
			return false;
	return sip_uri_parse(&parsed, uri) == 0;
}

int ue_message(struct ue *u, struct sv to_uri, struct sv body, uint64_t now)
{
	char text[UE_TEXT_MAX];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct ue_request *r;
	struct ue_set *on;
	int rc;

	if (!ue_uri_is_safe(to_uri))
		return -EINVAL;
	rc = ue_request_create(u, &r, &on);
	if (rc < 0)
		return rc;
	message_write(u, on, r->branch, to_uri, body, &b);
	return ue_request_send(r, on, &b, on_response, now);
}

/* ---- in ----------------------------------------------------------------------------------- */

void ue_served_free(struct ue_served *s)
{
	*s->prev = s->next;
	if (s->next)
		s->next->prev = s->prev;
	free(s);
}

static void on_gone(void *arg)
{
	struct ue_served *s = arg;
	struct ue *u = s->ue;
	sa_set_id set = s->set;

	if (s->handle)
		*s->handle = NULL;
	ue_served_free(s);
	ue_set_busy(u, set, -1);
}

static struct ue_served *served_alloc(struct ue *u, sa_set_id set)
{
	struct ue_served *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->ue = u;
	s->set = set;
	s->next = u->served;
	s->prev = &u->served;
	if (s->next)
		s->next->prev = &s->next;
	u->served = s;
	return s;
}

void ue_served_unwatch(struct sip_server_txn *txn)
{
	struct ue_served *s = sip_server_arg(txn);

	s->handle = NULL;
}

/* LU-09: the answer leaves on the set that brought the request, over UDP from port_uc (SP-15). */
int ue_serve_begin(struct ue *u, const struct sip_flow *from, const struct sip_msg *m,
		   struct sip_server_txn **handle, uint64_t now)
{
	struct ue_served *served = served_alloc(u, from->set);
	struct sip_flow reply;
	int rc;

	if (!served)
		return -ENOMEM;
	ue_reply_flow(u, from, &reply);
	rc = sip_server_create(u->txns, handle, &reply, m, on_gone, served, now);
	if (rc < 0) {
		ue_served_free(served);
		return rc;
	}
	served->handle = handle;
	ue_set_busy(u, from->set, 1);
	return 0;
}

int ue_answer(struct ue *u, const struct sip_flow *from, const struct sip_msg *m, unsigned status,
	      uint64_t now)
{
	struct sip_server_txn *txn;
	char text[UE_TEXT_MAX], tag[17];
	struct sbuf b = sbuf_of(text, sizeof(text));
	int rc;

	sip_token(tag, sizeof(tag));
	sip_reply_begin(&b, m, status, sv_of(tag));
	if (status == 405)
		sbuf_put(&b, sv_of(ue_call_allow));
	if (status == 489)
		sbuf_put(&b, SV("Allow-Events: reg\r\n"));
	if (status == 415)
		sbuf_put(&b, SV("Accept: " REGINFO_TYPE "\r\n"));
	sip_reply_end(&b, (struct sv){0});
	rc = b.overflow ? -EMSGSIZE : ue_serve_begin(u, from, m, &txn, now);
	if (rc < 0)
		return rc;
	ue_served_unwatch(txn);
	return sip_server_respond(txn, status, sbuf_sv(&b), now);
}

static unsigned status_for(const struct sip_msg *m)
{
	switch (m->method) {
	case SIP_MESSAGE:
	case SIP_OPTIONS:
		return 200;
	case SIP_CANCEL:
	case SIP_BYE:
	case SIP_PRACK:
	case SIP_UPDATE:
		return 481; /* there is no dialog */
	default:
		return 405;
	}
}

void ue_serve(struct ue *u, const struct sip_flow *from, const struct sip_msg *m, uint64_t now)
{
	if (ue_call_input(u, from, m, now) || m->method == SIP_ACK)
		return;
	if (m->method == SIP_NOTIFY) {
		ue_notify_input(u, from, m, now);
		return;
	}
	if (ue_answer(u, from, m, status_for(m), now) == 0 && m->method == SIP_MESSAGE)
		ue_event(u, UE_MESSAGE_RECEIVED, m->body, now);
}
