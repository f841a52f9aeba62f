/* The UE of the rig. */
#include "tests/control/pcscf/rig.h"

void rig_ue_fresh(struct rig_ue *u)
{
	struct agree_choice offers[] = {
		{SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
		{SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_UDP_ENC_TUN},
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_UDP_ENC_TUN},
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_UDP_ENC_TUN},
	};
	struct sbuf b = sbuf_of(u->client, sizeof(u->client) - 1);

	u->ours.port_c += 2;
	u->ours.spi_c += 2;
	u->ours.spi_s += 2;
	agree_write(&b, offers, u->tunnel ? 6 : 3, &u->ours, false);
	u->client[b.n] = '\0';
}

void rig_ue_behind(struct rig_ue *u, const char *nat)
{
	assert_int_equal(ip_addr_parse(&u->nat, nat), 0);
	u->nat_port = 31000;
	u->tunnel = true;
	rig_ue_fresh(u);
}

void rig_ue_init(struct rig_ue *u, const char *name, const char *addr)
{
	static char store[16][2][64];
	unsigned i = (unsigned)(name[0] - 'a') % 16;

	memset(u, 0, sizeof(*u));
	snprintf(store[i][0], 64, "%s@home.test", name);
	snprintf(store[i][1], 64, "sip:%s@home.test", name);
	u->impi = store[i][0];
	u->impu = store[i][1];
	assert_int_equal(ip_addr_parse(&u->addr, addr), 0);
	u->ours = (struct agree_params){70000 + i * 1000, 70001 + i * 1000, 40000, 5070};
	u->call_id = name;
	rig_ue_fresh(u);
}

struct sip_flow rig_flow(const struct rig *r, const struct rig_ue *u, sa_set_id set)
{
	const struct sa_set *sa = set ? rig_sa(r, set) : NULL;
	struct sip_flow f = {.transport = SIP_TRANSPORT_UDP, .set = set};

	f.local = r->conf.access[u->addr.version == 6];
	f.remote = (struct ip_endpoint){u->addr, 5060};
	if (u->nat.version && !set)
		f.remote = (struct ip_endpoint){u->nat, u->nat_port};
	if (set) {
		assert_non_null(sa);
		f.pair = SA_SERVER;
		f.local.port = sa->local_port[SA_SERVER];
		f.remote.port = sa->remote_port[SA_SERVER];
	}
	return f;
}

struct sip_flow rig_tls(const struct rig *r, const struct rig_ue *u, uint64_t session)
{
	struct sip_flow f = rig_flow(r, u, 0);

	f.transport = SIP_TRANSPORT_TLS;
	f.local.port = 5061;
	f.remote.port = (uint16_t)(33000 + session);
	f.session = session;
	return f;
}

static void give(struct rig *r, const struct sip_flow *from, const char *fmt, va_list ap)
{
	char text[RIG_TEXT];
	int n = vsnprintf(text, sizeof(text), fmt, ap);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	pcscf_input(r->p, from, (struct sv){text, (size_t)n}, r->now);
	mw_run(r->mw, r->now);
}

void rig_from_ue(struct rig *r, const struct sip_flow *from, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	give(r, from, fmt, ap);
	va_end(ap);
}

static const char *host_text(const struct ip_addr *a, char *buf)
{
	char addr[IP_ADDR_STRLEN];

	snprintf(buf, IP_ENDPOINT_STRLEN, a->version == 6 ? "[%s]" : "%s", ip_addr_format(a, addr));
	return buf;
}

void rig_register(struct rig *r, struct rig_ue *u, const struct rig_register *g)
{
	struct sip_flow from = rig_flow(r, u, g->over);
	char host[IP_ENDPOINT_STRLEN], branch[64], client[1200] = "", verify[2200] = "";
	char authorization[1024] = "", contact[256];
	uint16_t port = g->over ? u->ours.port_s : 5060;

	if (g->session)
		from = rig_tls(r, u, g->session);
	if (g->tcp)
		from.transport = SIP_TRANSPORT_TCP;
	if (g->source_port)
		from.remote.port = g->source_port;
	host_text(&u->addr, host);
	snprintf(branch, sizeof(branch), "z9hG4bK%08u", ++r->serial);
	if (g->client)
		snprintf(client, sizeof(client), "Security-Client: %s\r\n", g->client);
	if (g->verify)
		snprintf(verify, sizeof(verify), "Security-Verify: %s\r\n", g->verify);
	if (!g->authorization || *g->authorization)
		snprintf(authorization, sizeof(authorization),
			 "Authorization: Digest username=\"%s\", realm=\"home.test\", "
			 "uri=\"sip:home.test\", %s\r\n",
			 g->impi ? g->impi : u->impi,
			 g->authorization ? g->authorization : "nonce=\"\", response=\"\"");
	snprintf(contact, sizeof(contact), "<sip:%s:%u>;expires=%u", host, port, g->expires);
	rig_from_ue(
		r, &from,
		"REGISTER sip:home.test SIP/2.0\r\n"
		"Via: SIP/2.0/UDP %s:%u;branch=%s\r\n"
		"Max-Forwards: 70\r\nFrom: <%s>;tag=f1\r\nTo: <%s>\r\n"
		"Call-ID: %s\r\nCSeq: %u REGISTER\r\nContact: %s\r\n%s%s%s"
		"Require: sec-agree\r\nProxy-Require: sec-agree\r\nSupported: path, sec-agree\r\n"
		"%sContent-Length: 0\r\n\r\n",
		g->via_host ? g->via_host : host, port, g->branch ? g->branch : branch, u->impu,
		g->to ? g->to : u->impu, u->call_id, ++u->cseq, g->contact ? g->contact : contact,
		authorization, client, verify, g->extra ? g->extra : "");
}

void rig_request_on(struct rig *r, struct rig_ue *u, const struct sip_flow *flow,
		    const char *method, const char *from)
{
	unsigned serial = ++r->serial;

	rig_from_ue(r, flow,
		    "%s sip:bob@home.test SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP 192.0.2.77;branch=z9hG4bK%08u\r\n"
		    "Max-Forwards: 70\r\nFrom: <%s>;tag=f2\r\nTo: <sip:bob@home.test>\r\n"
		    "Call-ID: c%u\r\nCSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
		    method, serial, from ? from : u->impu, serial, ++u->cseq, method);
}

void rig_request(struct rig *r, struct rig_ue *u, sa_set_id set, const char *method,
		 const char *extra)
{
	struct sip_flow from = rig_flow(r, u, set);
	char host[IP_ENDPOINT_STRLEN];
	unsigned serial = ++r->serial;

	rig_from_ue(r, &from,
		    "%s sip:bob@home.test SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK%08u\r\n"
		    "Max-Forwards: 70\r\nFrom: <%s>;tag=f2\r\nTo: <sip:bob@home.test>\r\n"
		    "Call-ID: c%u\r\nCSeq: %u %s\r\n%sContent-Length: 0\r\n\r\n",
		    method, host_text(&u->addr, host), set ? u->ours.port_s : 5060, serial, u->impu,
		    serial, ++u->cseq, method, extra ? extra : "");
}
