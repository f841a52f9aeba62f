/* Writing REGISTER (TS 24.229 5.1.1.2, 5.1.1.4, 5.1.1.5). */
#include <errno.h>

#include "control/ue/call.h"

void ue_host_write(struct sbuf *b, const struct ip_addr *a)
{
	char text[IP_ADDR_STRLEN];

	sbuf_printf(b, a->version == 6 ? "[%s]" : "%s", ip_addr_format(a, text));
}

bool ue_host_read(struct sv host, struct ip_addr *a)
{
	char text[IP_ADDR_STRLEN];

	if (host.n == 0 || host.n >= sizeof(text) || memchr(host.p, 0, host.n))
		return false;
	memcpy(text, host.p, host.n);
	text[host.n] = '\0';
	return ip_addr_parse(a, text) == 0;
}

/* The port where answers are to come: port_us if protected (SP-15). */
void ue_via_write(const struct ue *u, struct sbuf *b, const struct ue_set *on, const char *branch)
{
	sbuf_put(b, SV("Via: SIP/2.0/UDP "));
	ue_host_write(b, &u->local.addr);
	sbuf_printf(b, ":%u;branch=%s\r\n", on ? on->sa.local_port[SA_SERVER] : u->local.port,
		    branch);
}

static void identity_write(const struct ue *u, struct sbuf *b)
{
	sbuf_printf(b, "Max-Forwards: 70\r\nFrom: <%.*s>;tag=%s\r\nTo: <%.*s>\r\n", SV_ARG(u->impu),
		    u->tag, SV_ARG(u->impu));
	sbuf_printf(b, "Call-ID: %s\r\nCSeq: %u REGISTER\r\n", u->call_id, u->cseq);
}

/* Who takes no TCP says so: else what is long would be tried over it first. */
static const char *const transport_params[] = {
	[UE_TRANSPORT_UDP] = ";transport=udp",
	[UE_TRANSPORT_TCP] = ";transport=tcp",
	[UE_TRANSPORT_MIXED] = "",
};

/* RFC 5626 4.2: requests to us come by the connection that we have opened. */
static void contact_params_write(const struct ue *u, struct sbuf *b)
{
	if (!ue_uses_tls(u)) {
		sbuf_printf(b, "%s>", transport_params[u->transport]);
		return;
	}
	sbuf_printf(b, ";transport=tls;ob>;+sip.instance=\"<%s>\";reg-id=1", u->instance);
}

static void contact_write(const struct ue *u, struct sbuf *b, const struct ue_set *on)
{
	uint32_t expires = u->run.deregister ? 0 : u->expires;
	uint16_t port = u->port_us && u->run.fresh ? u->port_us : u->local.port;
	/* In clear our own address, protected the public one (TS 24.229 Annex F) */
	const struct ip_addr *host = on ? ue_public_addr(u) : &u->local.addr;

	sbuf_printf(b, "Contact: <sip:%.*s@", SV_ARG(u->user));
	ue_host_write(b, host);
	sbuf_printf(b, ":%u", port);
	contact_params_write(u, b);
	sbuf_printf(b, ";expires=%u\r\nExpires: %u\r\n", expires, expires);
}

static void ipsec_choices_write(struct ue *u, struct sbuf *b)
{
	const struct ue_set *s = u->run.fresh;

	if (s && !s->tls)
		u->run.offered = (struct agree_params){
			.spi_c = s->sa.spi_in[SA_CLIENT],
			.spi_s = s->sa.spi_in[SA_SERVER],
			.port_c = s->sa.local_port[SA_CLIENT],
			.port_s = s->sa.local_port[SA_SERVER],
			.ten_digits = u->spi_ten_digits,
		};
	agree_write(b, u->choices, u->n_choices, &u->run.offered, false);
}

static void agree_fields_write(struct ue *u, struct sbuf *b, const char *verify)
{
	bool both = ue_offers_both(u);

	sbuf_put(b, SV("Require: sec-agree\r\nProxy-Require: sec-agree\r\nSecurity-Client: "));
	if (both || !ue_uses_tls(u))
		ipsec_choices_write(u, b);
	if (both)
		sbuf_put(b, SV(", "));
	if (both || ue_uses_tls(u))
		sbuf_put(b, SV("tls"));
	sbuf_put(b, SV("\r\n"));
	if (verify)
		sbuf_printf(b, "Security-Verify: %s\r\n", verify);
}

static const char *supported_field(const struct ue *u)
{
	if (ue_uses_tls(u))
		return ue_agrees(u) ? "Supported: path, sec-agree, outbound\r\n"
				    : "Supported: path, outbound\r\n";
	return ue_agrees(u) ? "Supported: path, sec-agree\r\n" : "Supported: path\r\n";
}

void ue_access_write(const struct ue *u, struct sbuf *b)
{
	sbuf_printf(b, "P-Access-Network-Info: %s\r\n", u->access);
}

static void register_write(struct ue *u, struct sbuf *b, const struct ue_register_args *a)
{
	sbuf_printf(b, "REGISTER %.*s SIP/2.0\r\n", SV_ARG(u->home));
	ue_via_write(u, b, a->on, u->run.reg.branch);
	identity_write(u, b);
	contact_write(u, b, a->on);
	if (u->auth != UE_AUTH_NONE) {
		sbuf_put(b, SV("Authorization: "));
		auth_answer_write(b, a->auth);
		sbuf_put(b, SV("\r\n"));
	}
	if (a->agree)
		agree_fields_write(u, b, a->verify);
	sbuf_put(b, sv_of(supported_field(u)));
	sbuf_put(b, sv_of(ue_call_allow));
	ue_access_write(u, b);
	sbuf_put(b,
		 SV("User-Agent: esplanade-ue/" ESPLANADE_VERSION "\r\nContent-Length: 0\r\n\r\n"));
}

static void on_silence(struct timer *t, void *arg, uint64_t now)
{
	(void)t;
	ue_run_timeout(arg, "no answer to REGISTER", now);
}

int ue_register_send(struct ue *u, const struct ue_register_args *a, uint64_t now)
{
	struct ue_request *r = &u->run.reg;
	char text[UE_TEXT_MAX];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct sip_flow flow;

	u->cseq++;
	r->ue = u;
	r->set = a->on ? a->on->sa.id : 0;
	sip_branch(r->branch);
	register_write(u, &b, a);
	if (b.overflow)
		return -EMSGSIZE;
	ue_request_flow(u, a->on, &b, &flow, now);
	if (a->on && u->patience)
		(void)timer_start(u->timers, &u->silence, now + (uint64_t)u->patience * 1000,
				  on_silence, u);
	return sip_client_create(u->txns, &r->txn, &flow, sbuf_sv(&b), ue_run_response, u, now);
}
