#include "tests/control/pcscf/rig.h"

#include <stdlib.h>

/* ---- data plane */

static int sa_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set)
{
	struct rig *r = ctx;

	for (unsigned i = 0; i < RIG_SETS; i++) {
		struct rig_sa *sa = &r->sas[i];

		if (sa->reserved)
			continue;
		sa->reserved = true;
		set->id = sa->set.id = ++r->next_id;
		for (unsigned k = 0; k < SA_PAIRS; k++) {
			do {
				set->spi_in[k] = r->next_spi++;
			} while ((n > 0 && set->spi_in[k] == avoid[0]) ||
				 (n > 1 && set->spi_in[k] == avoid[1]));
		}
		return 0;
	}
	return -ENOSPC;
}

static struct rig_sa *sa_find(struct rig *r, sa_set_id id)
{
	for (unsigned i = 0; i < RIG_SETS; i++)
		if (r->sas[i].reserved && r->sas[i].set.id == id)
			return &r->sas[i];
	return NULL;
}

static int sa_install(void *ctx, const struct sa_set *set)
{
	struct rig *r = ctx;
	struct rig_sa *sa = sa_find(r, set->id);

	assert_non_null(sa);
	assert_false(sa->installed);
	r->installs++;
	if (r->install_result)
		return r->install_result;
	sa->set = *set;
	sa->installed = true;
	return 0;
}

static void sa_remove(void *ctx, sa_set_id id)
{
	struct rig *r = ctx;
	struct rig_sa *sa = sa_find(r, id);

	assert_non_null(sa);
	memset(sa, 0, sizeof(*sa));
	r->removes++;
}

static int resolve(void *ctx, const char *host, uint32_t id)
{
	struct rig *r = ctx;

	if (r->resolve_result)
		return r->resolve_result;
	r->resolves++;
	snprintf(r->resolve_host, sizeof(r->resolve_host), "%s", host);
	r->resolve_id = id;
	return 0;
}

unsigned rig_installed(const struct rig *r)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RIG_SETS; i++)
		n += r->sas[i].reserved;
	return n;
}

const struct sa_set *rig_sa(const struct rig *r, sa_set_id id)
{
	const struct rig_sa *sa = sa_find((struct rig *)r, id);

	return sa && sa->installed ? &sa->set : NULL;
}

/* ---- both sides */

static struct rig_message *box_add(struct rig_box *b, struct sv text)
{
	struct rig_message *m = &b->messages[b->n];

	assert_true(b->n < RIG_MESSAGES);
	assert_true(text.n < RIG_TEXT);
	memcpy(m->text, text.p, text.n);
	m->text[text.n] = '\0';
	assert_int_equal(sip_msg_parse(&m->m, (struct sv){m->text, text.n}), 0);
	b->n++;
	return m;
}

static void to_ue(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct rig *r = ctx;
	const struct sa_set *sa;

	if (flow->set) {
		sa = rig_sa(r, flow->set);
		assert_non_null(sa);
		assert_int_equal(flow->local.port, sa->local_port[flow->pair]);
		assert_int_equal(flow->remote.port, sa->remote_port[flow->pair]);
		if (sa->mode == SA_MODE_TRANSPORT)
			assert_true(ip_addr_eq(&flow->remote.addr, &sa->remote));
	} else {
		assert_int_equal(flow->local.port,
				 flow->transport == SIP_TRANSPORT_TLS ? 5061 : 5060);
	}
	box_add(&r->ue, text)->flow = *flow;
}

static int to_ue_stream(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct rig *r = ctx;

	assert_int_not_equal(flow->transport, SIP_TRANSPORT_UDP);
	assert_int_equal(flow->transport == SIP_TRANSPORT_TLS, flow->session != 0);
	if (!flow->set && r->clear_stream_result)
		return r->clear_stream_result;
	if (flow->session && r->tls_result)
		return r->tls_result;
	if (flow->set && r->stream_result[flow->pair])
		return r->stream_result[flow->pair];
	to_ue(ctx, flow, text);
	return 0;
}

static void hang_up(void *ctx, const struct sip_flow *flow)
{
	struct rig *r = ctx;

	assert_true(flow->session);
	r->hung_up = flow->session;
	r->hang_ups++;
}

static void to_icscf(void *arg, struct sv text, uint64_t now)
{
	(void)now;
	box_add(&((struct rig *)arg)->core, text)->host = SV(RIG_ICSCF);
}

static void to_scscf(void *arg, struct sv text, uint64_t now)
{
	(void)now;
	box_add(&((struct rig *)arg)->core, text)->host = SV(RIG_SCSCF);
}

void rig_init(struct rig *r, void (*tweak)(struct pcscf_conf *conf))
{
	rig_init_resolver(r, tweak, false);
}

void rig_init_resolver(struct rig *r, void (*tweak)(struct pcscf_conf *conf), bool resolver)
{
	struct pcscf_env env = {.ctx = r,
				.send = to_ue,
				.sa_reserve = sa_reserve,
				.sa_install = sa_install,
				.sa_remove = sa_remove,
				.resolve = resolver ? resolve : NULL,
				.stream_send = to_ue_stream,
				.hang_up = hang_up};
	struct pcscf_conf conf = {
		.host = RIG_HOST,
		.icscf_host = RIG_ICSCF,
		.visited_network = "visited.test",
		.port_ps = 6060,
		.port_pc_min = 20000,
		.port_pc_max = 20999,
		.choices = {{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_TRANSPORT}},
		.n_choices = 3,
		.ipsec_required = true,
		.await_auth = 240,
		.guard = 30,
		.linger = 32,
		.max_pending = 1000,
	};

	memset(r, 0, sizeof(*r));
	r->next_spi = 1000;
	r->now = 1000000;
	r->ue.messages = calloc(RIG_MESSAGES, sizeof(*r->ue.messages));
	r->core.messages = calloc(RIG_MESSAGES, sizeof(*r->core.messages));
	assert_true(r->ue.messages && r->core.messages);
	ip_addr_parse(&conf.access[0].addr, "192.0.2.1");
	ip_addr_parse(&conf.access[1].addr, "2001:db8::1");
	conf.access[0].port = conf.access[1].port = 5060;
	if (tweak)
		tweak(&conf);
	assert_int_equal(timers_alloc(&r->timers), 0);
	assert_int_equal(mw_alloc(&r->mw), 0);
	assert_int_equal(mw_attach(r->mw, SV(RIG_ICSCF), to_icscf, r), 0);
	assert_int_equal(mw_attach(r->mw, SV(RIG_SCSCF), to_scscf, r), 0);
	r->conf = conf;
	assert_int_equal(pcscf_alloc(&r->p, &conf, &env, r->timers, r->mw), 0);
}

void rig_end(struct rig *r)
{
	pcscf_free(r->p);
	assert_int_equal(rig_installed(r), 0);
	assert_int_equal(timers_count(r->timers), 0);
	mw_free(r->mw);
	timers_free(r->timers);
	free(r->ue.messages);
	free(r->core.messages);
}

void rig_run(struct rig *r, uint64_t ms)
{
	uint64_t end = r->now + ms, due;

	for (;;) {
		mw_run(r->mw, r->now);
		due = timers_run(r->timers, r->now);
		mw_run(r->mw, r->now);
		if (due > end)
			break;
		r->now = due > r->now ? due : r->now;
	}
	r->now = end;
}

struct pcscf_counters rig_counters(const struct rig *r)
{
	struct pcscf_counters c;

	pcscf_counters(r->p, &c);
	return c;
}

const struct rig_message *rig_last_ue(const struct rig *r)
{
	assert_true(r->ue.n > 0);
	return &r->ue.messages[r->ue.n - 1];
}

const struct rig_message *rig_last_core(const struct rig *r)
{
	assert_true(r->core.n > 0);
	return &r->core.messages[r->core.n - 1];
}

void rig_forget(struct rig *r)
{
	r->ue.n = r->core.n = 0;
}

bool rig_holds(const struct rig_message *m, const char *text)
{
	return strcasestr(m->text, text) != NULL;
}

const char *rig_field(struct rig *r, const struct rig_message *m, enum sip_hdr id)
{
	struct sv v = sip_msg_value(&m->m, id);

	if (!sip_msg_find(&m->m, id))
		return NULL;
	snprintf(r->text, sizeof(r->text), "%.*s", SV_ARG(v));
	return r->text;
}

/* ---- the UE */

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

/* ---- the core */

static void core_reply(struct rig *r, const struct rig_message *request, unsigned status,
		       const char *fields)
{
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_reply_begin(&b, &request->m, status, SV("core"));
	sbuf_printf(&b, "%s", fields);
	sip_reply_end(&b, (struct sv){0});
	assert_false(b.overflow);
	assert_int_equal(mw_forward(r->mw, sbuf_sv(&b)), 0);
	mw_run(r->mw, r->now);
}

void rig_answer_to(struct rig *r, const struct rig_message *request, unsigned status,
		   const char *fields)
{
	core_reply(r, request, status, fields);
}

void rig_answer(struct rig *r, unsigned status, const char *fmt, ...)
{
	char fields[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fields, sizeof(fields), fmt, ap);
	va_end(ap);
	core_reply(r, rig_last_core(r), status, fields);
}

void rig_challenge(struct rig *r, struct rig_ue *u)
{
	const struct rig_message *sm6;
	sa_set_id before = r->next_id;

	rig_answer(r, 401,
		   "WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_NONCE
		   "\", algorithm=AKAv1-MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK "\"\r\n");
	sm6 = rig_last_ue(r);
	assert_int_equal(sm6->m.status, 401);
	u->set = before + 1;
	snprintf(u->verify, sizeof(u->verify), "%.*s",
		 SV_ARG(sip_msg_value(&sm6->m, SIP_HDR_SECURITY_SERVER)));
}

void rig_challenge_digest(struct rig *r, struct rig_ue *u, const char *more)
{
	const struct rig_message *sm6;

	rig_answer(r, 401,
		   "WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_DIGEST
		   "\", algorithm=MD5, qop=\"auth\"%s\r\n",
		   more);
	sm6 = rig_last_ue(r);
	snprintf(u->verify, sizeof(u->verify), "%.*s",
		 SV_ARG(sip_msg_value(&sm6->m, SIP_HDR_SECURITY_SERVER)));
}

void rig_ok(struct rig *r, const struct rig_ue *u, unsigned expires)
{
	char contact[512] = "";
	struct sv asked = sip_msg_value(&rig_last_core(r)->m, SIP_HDR_CONTACT);
	struct sip_addr a;

	if (expires && sip_addr_parse(&a, asked) == 0)
		snprintf(contact, sizeof(contact), "Contact: <%.*s>;expires=%u\r\n", SV_ARG(a.uri),
			 expires);
	rig_answer(r, 200,
		   "%sP-Associated-URI: <%s>, <tel:+4930%u>\r\n"
		   "Service-Route: <sip:orig@" RIG_SCSCF ";lr>\r\n"
		   "Security-Server: ipsec-3gpp;alg=hmac-md5-96\r\n",
		   contact, u->impu, u->ours.spi_s / 1000);
}

void rig_from_core(struct rig *r, const char *fmt, ...)
{
	char text[RIG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_int_equal(mw_send(r->mw, SV(RIG_HOST), sv_of(text)), 0);
	mw_run(r->mw, r->now);
}

/* ---- flows */

void rig_sm1(struct rig *r, struct rig_ue *u, sa_set_id over)
{
	rig_register(r, u,
		     &(struct rig_register){.over = over, .client = u->client, .expires = 3600});
}

void rig_sm7(struct rig *r, struct rig_ue *u)
{
	rig_register(r, u,
		     &(struct rig_register){.over = u->set,
					    .client = u->client,
					    .verify = u->verify,
					    .authorization = "nonce=\"" RIG_NONCE
							     "\", response=\"0123456789abcdef"
							     "0123456789abcdef\"",
					    .expires = 3600});
}

void rig_registered(struct rig *r, struct rig_ue *u, sa_set_id over, unsigned expires)
{
	rig_sm1(r, u, over);
	rig_challenge(r, u);
	rig_sm7(r, u);
	rig_ok(r, u, expires);
	assert_int_equal(rig_last_ue(r)->m.status, 200);
}

void rig_registered_digest(struct rig *r, struct rig_ue *u, uint64_t session, unsigned expires)
{
	const char *client = session ? "tls" : NULL;

	rig_register(r, u, &(struct rig_register){.client = client, .expires = expires});
	rig_challenge_digest(r, u, "");
	assert_int_equal(rig_last_ue(r)->m.status, 401);
	rig_register(r, u,
		     &(struct rig_register){.client = client,
					    .verify = session ? u->verify : NULL,
					    .authorization = RIG_ANSWER,
					    .expires = expires,
					    .session = session});
	rig_ok(r, u, expires);
	assert_int_equal(rig_last_ue(r)->m.status, 200);
}

struct search {
	const struct rig_ue *u;
	struct pcscf_registration *out;
	bool found;
};

static bool match(void *arg, const struct pcscf_registration *g)
{
	struct search *s = arg;

	if (!sv_eq(g->impi, sv_of(s->u->impi)))
		return true;
	*s->out = *g;
	s->found = true;
	return false;
}

bool rig_registration(const struct rig *r, const struct rig_ue *u, struct pcscf_registration *out)
{
	struct search s = {u, out, false};

	pcscf_registration_each(r->p, match, &s);
	return s.found;
}

const struct pcscf_set_info *rig_set(const struct pcscf_registration *g, enum pcscf_set_role role)
{
	for (unsigned i = 0; i < g->n_sets; i++)
		if (g->sets[i].role == role)
			return &g->sets[i];
	return NULL;
}
