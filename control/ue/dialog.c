/* What a UE keeps of a dialog, and its requests inside (RFC 3261 12). */
#include "control/ue/dialog.h"

#include <errno.h>
#include <stdlib.h>

static int keep(char **field, struct sv value)
{
	char *copy;

	if (value.n > UE_DIALOG_FIELD)
		return -EBADMSG;
	copy = sv_dup(value);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

void ue_dialog_clear(struct ue_dialog *d)
{
	free(d->call_id);
	free(d->remote_tag);
	free(d->local);
	free(d->remote);
	free(d->target);
	free(d->route);
	memset(d, 0, sizeof(*d));
}

int ue_route_keep(char **route, const struct sip_msg *m, bool backwards)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_RECORD_ROUTE};
	char store[2][UE_DIALOG_FIELD];
	struct sv element, all = {0};
	unsigned turn = 0;

	while (sip_list_walk(&l, &element)) {
		struct sbuf b = sbuf_of(store[turn], sizeof(store[turn]));
		struct sv first = backwards ? element : all, second = backwards ? all : element;

		sbuf_printf(&b, "%.*s%s%.*s", SV_ARG(first), all.n ? ", " : "", SV_ARG(second));
		if (b.overflow)
			return -EBADMSG;
		all = sbuf_sv(&b);
		turn = !turn;
	}
	if (all.n)
		return keep(route, all);
	free(*route);
	*route = NULL;
	return 0;
}

void ue_target_keep(char **target, const struct sip_msg *m)
{
	struct sip_list contacts = {.msg = m, .id = SIP_HDR_CONTACT};
	struct sip_addr a;
	struct sip_uri uri;
	struct sv element;

	if (sip_list_walk(&contacts, &element) && sip_addr_parse(&a, element) == 0 &&
	    sip_uri_parse(&uri, a.uri) == 0)
		(void)keep(target, a.uri);
}

static struct sv uri_of(const struct sip_msg *m, enum sip_hdr id)
{
	struct sip_addr a;

	return sip_addr_parse(&a, sip_msg_value(m, id)) == 0 ? a.uri : (struct sv){0};
}

int ue_dialog_out(struct ue_dialog *d, const struct ue *u, struct sv to)
{
	char call_id[33];

	memset(d, 0, sizeof(*d));
	sip_token(d->tag, sizeof(d->tag));
	sip_token(call_id, sizeof(call_id));
	if (keep(&d->call_id, sv_of(call_id)) < 0 || keep(&d->local, u->impu) < 0 ||
	    keep(&d->remote, to) < 0 || keep(&d->target, to) < 0) {
		ue_dialog_clear(d);
		return -ENOMEM;
	}
	return 0;
}

int ue_dialog_in(struct ue_dialog *d, const struct sip_msg *invite)
{
	memset(d, 0, sizeof(*d));
	sip_token(d->tag, sizeof(d->tag));
	d->remote_cseq = invite->cseq;
	ue_target_keep(&d->target, invite);
	if (!d->target || keep(&d->call_id, invite->call_id) < 0 ||
	    keep(&d->remote_tag, invite->from_tag) < 0 ||
	    keep(&d->local, uri_of(invite, SIP_HDR_TO)) < 0 ||
	    keep(&d->remote, uri_of(invite, SIP_HDR_FROM)) < 0 ||
	    ue_route_keep(&d->route, invite, false) < 0) {
		ue_dialog_clear(d);
		return -EBADMSG;
	}
	return 0;
}

int ue_dialog_answered(struct ue_dialog *d, const struct sip_msg *m)
{
	int rc = keep(&d->remote_tag, m->to_tag);

	if (rc == 0)
		rc = ue_route_keep(&d->route, m, true);
	ue_target_keep(&d->target, m);
	return rc;
}

bool ue_dialog_has(const struct ue_dialog *d, const struct sip_msg *request)
{
	return d->call_id && sv_eq(request->call_id, sv_of(d->call_id)) &&
	       sv_eq(request->to_tag, sv_of(d->tag)) && d->remote_tag &&
	       sv_eq(request->from_tag, sv_of(d->remote_tag));
}

/* Where requests inside of a dialog come to. */
void ue_contact_end_write(const struct ue *u, struct sbuf *b)
{
	ue_host_write(b, u->unprotected ? &u->local.addr : ue_public_addr(u));
	if (ue_uses_tls(u) && !u->unprotected)
		sbuf_printf(b, ":%u;transport=tls;ob>", u->local.port);
	else if (u->unprotected)
		sbuf_printf(b, ":%u%s>", u->local.port,
			    u->transport == UE_TRANSPORT_TCP ? ";transport=tcp" : "");
	else
		sbuf_printf(b, ":%u>", u->port_us);
}

void ue_contact_write(const struct ue *u, struct sbuf *b)
{
	sbuf_printf(b, "Contact: <sip:%.*s@", SV_ARG(u->user));
	ue_contact_end_write(u, b);
	sbuf_put(b, SV("\r\n"));
}

void ue_dialog_write(const struct ue *u, const struct ue_dialog *d, const struct ue_set *on,
		     const char *branch, enum sip_method method, uint32_t cseq, struct sbuf *b)
{
	struct sv name = sip_method_text(method);

	sbuf_printf(b, "%.*s %s SIP/2.0\r\n", SV_ARG(name), d->target);
	ue_via_write(u, b, on, branch);
	if (d->route)
		sbuf_printf(b, "Route: %s\r\n", d->route);
	else
		ue_route_write(u, on, b);
	sbuf_printf(b, "Max-Forwards: 70\r\nFrom: <%s>;tag=%s\r\nTo: <%s>%s%s\r\n", d->local,
		    d->tag, d->remote, d->remote_tag ? ";tag=" : "",
		    d->remote_tag ? d->remote_tag : "");
	sbuf_printf(b, "Call-ID: %s\r\nCSeq: %u %.*s\r\n", d->call_id, cseq, SV_ARG(name));
	ue_identity_write(u, method, b);
	if (method == SIP_ACK) /* TS 24.229 5.1.2A.1.1 */
		return;
	ue_agreement_write(on, b);
	ue_access_write(u, b);
}
