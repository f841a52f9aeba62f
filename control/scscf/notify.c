/* NOTIFY: what subscribers get (RFC 6665 4.2.2, RFC 3680 4.6, TS 24.229 5.4.2.1.2). */
#include <inttypes.h>

#include "control/base/parse.h"
#include "control/scscf/internal.h"

#define DOCUMENT_MAX 32768

/* ---- the document ------------------------------------------------------------------------- */

/* The IMPU that the UE named is registered, the others of its set come with it
 * (TS 24.229 5.4.2.1.2). */
static enum reginfo_event event_of(const struct user *u, unsigned i)
{
	if (u->event == REGINFO_REGISTERED && u->auth_impu &&
	    !sv_eq(sv_of(u->auth_impu), sv_of(u->served[i].impu)))
		return REGINFO_CREATED;
	return u->event;
}

static void registration_write(struct sbuf *b, const struct user *u, unsigned i,
			       const enum reginfo_event *ended, uint64_t now)
{
	uint64_t end = u->binding.expires_at;
	char id[32], contact_id[32];
	struct reginfo_contact c = {
		.uri = sv_of(u->binding.contact),
		.active = !ended,
		.event = ended ? *ended : event_of(u, i),
		.has_expires = true,
		.expires = !ended && end > now ? (uint32_t)((end - now) / 1000) : 0,
	};

	snprintf(id, sizeof(id), "r%u.%u", u->served_edition, i);
	snprintf(contact_id, sizeof(contact_id), "c%u.%u", u->served_edition, i);
	c.id = sv_of(contact_id);
	reginfo_registration_begin(b, sv_of(u->served[i].impu), sv_of(id),
				   ended ? REGINFO_TERMINATED : REGINFO_ACTIVE);
	reginfo_contact(b, &c);
	reginfo_registration_end(b);
}

/* All IMPUs of an implicit registration set go together, so all of them are news. */
static void document_write(struct sbuf *b, struct subscription *sub, bool full,
			   const enum reginfo_event *ended, uint64_t now)
{
	const struct user *u = sub->user;

	reginfo_begin(b, sub->version++, full);
	for (unsigned i = 0; i < u->n_served; i++)
		registration_write(b, u, i, ended, now);
	reginfo_end(b);
}

/* ---- the request -------------------------------------------------------------------------- */

static void head_write(struct sbuf *b, struct subscription *sub)
{
	const struct scscf *s = sub->user->scscf;
	char branch[SIP_BRANCH_LEN];

	sip_branch(branch);
	sbuf_printf(b, "NOTIFY %s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=%s\r\nMax-Forwards: 70\r\n",
		    sub->target, s->host, branch);
	if (sub->route[0])
		sbuf_printf(b, "Route: %s\r\n", sub->route);
	sbuf_printf(b,
		    "From: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %" PRIu32 " NOTIFY\r\n"
		    "Contact: <sip:" SUBSCRIPTION_CONTACT_USER "@%s>\r\nEvent: %s\r\n",
		    sub->local, sub->tag, sub->remote, sub->call_id, ++sub->cseq, s->host,
		    sub->event);
}

/* 0 and *txn, or -E2BIG, -ENOMEM, ... */
static int transmit(struct subscription *sub, struct sv state, struct sv document,
		    sip_client_h *handler, void *arg, struct sip_client_txn **txn, uint64_t now)
{
	struct sip_flow core = {.transport = SIP_TRANSPORT_MW};
	char text[SIP_MAX_LENGTH];
	struct sbuf b = sbuf_of(text, sizeof(text));

	head_write(&b, sub);
	sbuf_printf(&b,
		    "Subscription-State: %.*s\r\nContent-Type: " REGINFO_TYPE
		    "\r\nContent-Length: %zu\r\n\r\n",
		    SV_ARG(state), document.n);
	sbuf_put(&b, document);
	if (b.overflow)
		return -E2BIG;
	return sip_client_create(sub->user->scscf->txns, txn, &core, sbuf_sv(&b), handler, arg,
				 now);
}

/* RFC 6665 4.2.2: a NOTIFY that fails ends the subscription, unless the subscriber says when to
 * come again. */
static void on_response(void *arg, const struct sip_msg *m, uint64_t now)
{
	struct subscription *sub = arg;

	if (m && m->status < 200)
		return;
	sub->txn = NULL;
	if (!m || (m->status >= 300 && !sip_msg_find(m, SIP_HDR_RETRY_AFTER))) {
		subscription_free(sub);
	} else if (sub->again) {
		sub->again = false;
		notify_send(sub, true, now);
	}
}

void notify_send(struct subscription *sub, bool full, uint64_t now)
{
	uint64_t left = sub->expires_at > now ? (sub->expires_at - now) / 1000 : 0;
	char document[DOCUMENT_MAX], state[48];
	struct sbuf d = sbuf_of(document, sizeof(document));

	if (sub->txn) { /* so that news cannot overtake each other */
		sub->again = true;
		return;
	}
	snprintf(state, sizeof(state), "active;expires=%" PRIu64, left);
	document_write(&d, sub, full, NULL, now);
	if (d.overflow ||
	    transmit(sub, sv_of(state), sbuf_sv(&d), on_response, sub, &sub->txn, now))
		subscription_free(sub);
}

static void nobody_waits(void *arg, const struct sip_msg *m, uint64_t now)
{
	(void)arg;
	(void)m;
	(void)now;
}

void notify_last(struct subscription *sub, const char *reason, const enum reginfo_event *ended,
		 uint64_t now)
{
	struct sip_client_txn *txn;
	char document[DOCUMENT_MAX], state[48];
	struct sbuf d = sbuf_of(document, sizeof(document));

	snprintf(state, sizeof(state), "terminated;reason=%s", reason);
	document_write(&d, sub, true, ended, now);
	if (!d.overflow)
		(void)transmit(sub, sv_of(state), sbuf_sv(&d), nobody_waits, NULL, &txn, now);
}
