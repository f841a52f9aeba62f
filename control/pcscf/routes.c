/*
 * Route and Record-Route. Our element is "<sip:TOKEN@...;lr>": to the core with the host name of
 * Mw, to the UE with our address and port_ps; the token names the registration in both.
 */
#include "control/base/parse.h"
#include "control/pcscf/internal.h"

bool pcscf_host_ours(const struct pcscf *p, struct sv host)
{
	char text[IP_ADDR_STRLEN];
	struct ip_addr a;

	if (sv_caseeq(host, sv_of(p->conf.host)))
		return true;
	if (sv_empty(host) || host.n >= sizeof(text)) /* tel: has none */
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	if (ip_addr_parse(&a, text) < 0)
		return false;
	return ip_addr_eq(&a, &p->conf.access[0].addr) || ip_addr_eq(&a, &p->conf.access[1].addr);
}

bool pcscf_route_ours(struct pcscf *p, struct sv element, struct sv *token)
{
	struct sip_addr a;
	struct sip_uri u;

	if (sip_addr_parse(&a, element) < 0 || sip_uri_parse(&u, a.uri) < 0 ||
	    !pcscf_host_ours(p, u.host))
		return false;
	*token = u.user;
	return true;
}

static void own_uri(const struct pcscf_reg *r, const struct pcscf_set *towards_ue, struct sbuf *b)
{
	char host[IP_ENDPOINT_STRLEN];

	if (!towards_ue) {
		sbuf_printf(b, "sip:%s@%s;lr", r->token, r->p->conf.host);
		return;
	}
	pcscf_via_host(
		&(struct ip_endpoint){towards_ue->sa.local, towards_ue->sa.local_port[SA_SERVER]},
		host);
	sbuf_printf(b, "sip:%s@%s;lr", r->token, host);
	if (towards_ue->flow.transport != SIP_TRANSPORT_UDP)
		sbuf_printf(b, ";transport=%s", towards_ue->kind == PCSCF_TLS ? "tls" : "tcp");
}

void pcscf_record_route(struct sip_edit *e, const struct pcscf_reg *r,
			const struct pcscf_set *towards_ue)
{
	char store[PCSCF_IDENTITY_MAX * 2];
	struct sbuf b = sbuf_of(store, sizeof(store));

	own_uri(r, towards_ue, &b);
	if (b.overflow)
		e->failed = true;
	else
		sip_edit_insert(e, SIP_HDR_RECORD_ROUTE, "Record-Route: <%.*s>",
				SV_ARG(sbuf_sv(&b)));
}

/* The caller's leg wrote its element first, so it stands last; the callee's stands first. */
static struct sv own_element(struct pcscf *p, const struct sip_msg *m, const struct pcscf_reg *r,
			     bool last)
{
	struct sip_list l = {.msg = m, .id = SIP_HDR_RECORD_ROUTE};
	struct sv element, token, found = {0};
	struct sip_addr a;

	while (sip_list_walk(&l, &element)) {
		if (!pcscf_route_ours(p, element, &token) || !sv_eq(token, sv_of(r->token)) ||
		    sip_addr_parse(&a, element) < 0)
			continue;
		if (sv_empty(found) || last)
			found = a.uri;
	}
	return found;
}

void pcscf_record_route_turn(struct pcscf *p, struct sip_edit *e, const struct sip_msg *m,
			     const struct pcscf_reg *r, const struct pcscf_set *towards_ue)
{
	char store[PCSCF_IDENTITY_MAX * 2];
	struct sbuf b = sbuf_of(store, sizeof(store));
	struct sv uri = own_element(p, m, r, towards_ue != NULL);

	if (sv_empty(uri))
		return;
	own_uri(r, towards_ue, &b);
	if (b.overflow)
		e->failed = true;
	else
		sip_edit_replace(e, uri, "%.*s", SV_ARG(sbuf_sv(&b)));
}

bool pcscf_dialog_forming(const struct sip_msg *m)
{
	return sv_empty(m->to_tag) &&
	       (m->method == SIP_INVITE || m->method == SIP_SUBSCRIBE || m->method == SIP_REFER);
}

unsigned pcscf_max_forwards(struct sip_edit *e, const struct sip_msg *m)
{
	const struct sip_header *h = sip_msg_find(m, SIP_HDR_MAX_FORWARDS);
	uint32_t hops;

	if (!h) {
		sip_edit_append(e, "Max-Forwards: 70");
		return 0;
	}
	if (!parse_u32(h->value, 255, &hops))
		return 400;
	if (hops == 0)
		return 483;
	sip_edit_replace(e, h->value, "%u", hops - 1);
	return 0;
}
