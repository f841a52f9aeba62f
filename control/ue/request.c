/* What all requests of a registered UE share: where they go out, what they say of the agreement,
 * and the transaction (TS 24.229 5.1.2A). */
#include <errno.h>
#include <stdlib.h>

#include "control/ue/ue_internal.h"

/* LU-06: an unprotected SM1 bars all services until SM12. */
bool ue_service_allowed(const struct ue *u)
{
	return u->registered && (u->run.step == UE_STEP_NONE || u->run.sm1_set);
}

/* The P-CSCF and what it told us at registration (TS 24.229 5.1.2A.1.1). */
void ue_route_write(const struct ue *u, const struct ue_set *on, struct sbuf *b)
{
	if (!ue_agrees(u) && !u->service_route)
		return; /* a registrar that is its own proxy needs none */
	sbuf_put(b, SV("Route: <sip:"));
	ue_host_write(b, &u->pcscf.addr);
	sbuf_printf(b, ":%u%s;lr>", on ? on->sa.remote_port[SA_CLIENT] : u->pcscf.port,
		    on && on->tls ? ";transport=tls" : "");
	if (u->service_route)
		sbuf_printf(b, ", %s", u->service_route);
	sbuf_put(b, SV("\r\n"));
}

bool ue_identity_fits(enum sip_method method)
{
	switch (method) {
	case SIP_ACK:
	case SIP_CANCEL:
	case SIP_INFO:
	case SIP_PRACK:
	case SIP_REGISTER:
	case SIP_UPDATE:
		return false;
	default:
		return true;
	}
}

void ue_identity_write(const struct ue *u, enum sip_method method, struct sbuf *b)
{
	if (ue_identity_fits(method))
		sbuf_printf(b, "P-Preferred-Identity: <%.*s>\r\n", SV_ARG(u->impu));
}

void ue_agreement_write(const struct ue_set *on, struct sbuf *b)
{
	if (on && on->security_server)
		sbuf_printf(
			b,
			"Require: sec-agree\r\nProxy-Require: sec-agree\r\nSecurity-Verify: %s\r\n",
			on->security_server);
}

void ue_request_free(struct ue_request *r)
{
	struct ue_request **p = &r->ue->requests;

	while (*p && *p != r)
		p = &(*p)->next;
	if (*p)
		*p = r->next;
	free(r);
}

int ue_request_create(struct ue *u, struct ue_request **rp, struct ue_set **on)
{
	struct ue_request *r;

	*on = ue_set_in(u, UE_SET_CURRENT); /* LU-02, LU-09 */
	if (!ue_service_allowed(u) || (!*on && !u->unprotected))
		return -ENOTCONN;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->ue = u;
	r->set = *on ? (*on)->sa.id : 0;
	r->next = u->requests;
	u->requests = r;
	sip_branch(r->branch);
	*rp = r;
	return 0;
}

int ue_request_send(struct ue_request *r, const struct ue_set *on, struct sbuf *b,
		    sip_client_h *handler, uint64_t now)
{
	struct ue *u = r->ue;
	struct sip_flow flow;
	int rc = -EMSGSIZE;

	if (!b->overflow) {
		ue_request_flow(u, on, b, &flow, now);
		rc = sip_client_create(u->txns, &r->txn, &flow, sbuf_sv(b), handler, r, now);
	}
	if (rc < 0)
		ue_request_free(r);
	else
		ue_set_busy(u, r->set, 1);
	return rc;
}

struct ue *ue_request_done(struct ue_request *r)
{
	struct ue *u = r->ue;
	sa_set_id set = r->set;

	ue_set_arrived(u, set, -r->arrived);
	ue_request_free(r);
	ue_set_busy(u, set, -1);
	return u;
}
