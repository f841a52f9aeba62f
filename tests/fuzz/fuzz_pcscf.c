/*
 * Stories told to a P-CSCF: records separated by the octet 0x1e, each an order and its text. UE and
 * core say anything on any flow; templates with the branches of the moment let them get far.
 * Whatever they say: nothing leaves on a set that is not installed, keys do not reach the UE, and
 * in the end nothing is left.
 *
 *   1 SM1 in clear, 2 SM1 on the newest set, 7 SM7, i INVITE on it   text: more header fields
 *   n 1 through a NAT, v the NAT moves the newest set       text of v: where to, an octet
 *   d       REGISTER in clear of one without SAs, l over TLS, e INVITE over TLS or in clear, s as
 * it is over TLS, x a TLS connection ends; first octet: which connection, and bits as below c p o
 * text as it is in clear, on the newest, on the oldest set k       challenge to the last request at
 * the core                text: more header fields a u     answer of the core, of the UE to its
 * last request        text: three digits, header fields r       request to the UE by Path text:
 * method, blank, header fields m       text from the core as it is t       time passes: first octet
 * of the text, in seconds
 */
#include <assert.h>
#include <stdlib.h>

#include "control/pcscf/pcscf.h"
#include "control/sip/edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SETS 32
#define TEXT 65536
#define IK   "0badc0de0badc0de0badc0de0badc0de"
#define CORE "core.test"
#define SM_HEAD(port)                                                                              \
	"REGISTER sip:home.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:" port                      \
	";branch=z9hG4bK%u\r\n"                                                                    \
	"From: <sip:a@home.test>;tag=1\r\nTo: <sip:a@home.test>\r\nCall-ID: c\r\n"                 \
	"CSeq: %u REGISTER\r\nContact: <sip:192.0.2.77:5070>;expires=600\r\n"
#define CLIENT                                                                                     \
	"Security-Client: "                                                                        \
	"ipsec-3gpp;alg=hmac-sha-1-96%s;spi-c=%u;spi-s=%u;port-c=%u;port-s=5070\r\n"

struct world {
	struct pcscf *p;
	struct timers *timers;
	struct mw *mw;
	uint64_t now;
	struct {
		bool used, installed;
		struct sa_set set;
	} sas[SETS];
	uint32_t next_id;
	unsigned serial, proposal;
	char to_ue[TEXT], to_core[TEXT], request_to_ue[TEXT], verify[4096], path[1024];
	size_t n_to_ue, n_to_core, n_request_to_ue;
	bool no_keys; /* what goes to the UE now must not hold IK */
	char text[TEXT];
};

static int sa_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set)
{
	struct world *w = ctx;

	(void)avoid;
	(void)n;
	for (unsigned i = 0; i < SETS; i++) {
		if (w->sas[i].used)
			continue;
		w->sas[i].used = true;
		w->sas[i].installed = false;
		w->sas[i].set.id = set->id = ++w->next_id;
		set->spi_in[0] = 0x10000000 + 2 * set->id;
		set->spi_in[1] = 0x10000001 + 2 * set->id;
		return 0;
	}
	return -ENOSPC;
}

static int sa_find(struct world *w, sa_set_id id)
{
	for (int i = 0; i < SETS; i++)
		if (w->sas[i].used && w->sas[i].set.id == id)
			return i;
	return -1;
}

static int sa_install(void *ctx, const struct sa_set *set)
{
	struct world *w = ctx;
	int i = sa_find(w, set->id);

	assert(i >= 0 && !w->sas[i].installed);
	w->sas[i].set = *set;
	w->sas[i].installed = true;
	return 0;
}

static void hang_up(void *ctx, const struct sip_flow *flow)
{
	(void)ctx;
	assert(flow->session);
}

static void sa_remove(void *ctx, sa_set_id id)
{
	struct world *w = ctx;
	int i = sa_find(w, id);

	assert(i >= 0);
	memset(&w->sas[i], 0, sizeof(w->sas[i]));
}

static void to_ue(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct world *w = ctx;
	int i = flow->set ? sa_find(w, flow->set) : -1;
	struct sip_msg m;
	struct sv list;

	assert(!flow->set || (i >= 0 && w->sas[i].installed));
	assert(!w->no_keys || !memmem(text.p, text.n, IK, sizeof(IK) - 1));
	assert(text.n <= TEXT && sip_msg_parse(&m, text) == 0);
	memcpy(w->to_ue, text.p, text.n);
	w->n_to_ue = text.n;
	if (m.request) {
		memcpy(w->request_to_ue, text.p, text.n);
		w->n_request_to_ue = text.n;
	}
	list = sip_msg_value(&m, SIP_HDR_SECURITY_SERVER);
	if (!m.request && m.status == 401 && list.n < sizeof(w->verify))
		snprintf(w->verify, sizeof(w->verify), "%.*s", SV_ARG(list));
}

static void to_core(void *arg, struct sv text, uint64_t now)
{
	struct world *w = arg;
	struct sip_msg m;
	struct sv path;

	(void)now;
	assert(text.n <= TEXT && sip_msg_parse(&m, text) == 0);
	if (!m.request || m.method == SIP_ACK || m.method == SIP_CANCEL)
		return;
	memcpy(w->to_core, text.p, text.n);
	w->n_to_core = text.n;
	path = sip_msg_value(&m, SIP_HDR_PATH);
	if (path.n && path.n < sizeof(w->path))
		snprintf(w->path, sizeof(w->path), "%.*s", SV_ARG(path));
}

static int stream_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	if (flow->session == 3) /* gone unseen */
		return -ENOTCONN;
	to_ue(ctx, flow, text);
	return 0;
}

/* The flow of the newest or the oldest installed set; false: there is none. */
static bool flow_of(struct world *w, bool newest, struct sip_flow *f)
{
	int found = -1;

	for (int i = 0; i < SETS; i++)
		if (w->sas[i].installed &&
		    (found < 0 || (w->sas[i].set.id > w->sas[found].set.id) == newest))
			found = i;
	if (found < 0)
		return false;
	*f = (struct sip_flow){.set = w->sas[found].set.id, .pair = SA_SERVER};
	f->local = (struct ip_endpoint){w->sas[found].set.local,
					w->sas[found].set.local_port[SA_SERVER]};
	f->remote = (struct ip_endpoint){w->sas[found].set.mode == SA_MODE_TRANSPORT
						 ? w->sas[found].set.remote
						 : w->sas[found].set.tunnel.inner_remote[0],
					 w->sas[found].set.remote_port[SA_SERVER]};
	return true;
}

static struct sip_flow clear_flow(void)
{
	struct sip_flow f = {.local.port = 5060, .remote.port = 5060};

	ip_addr_parse(&f.local.addr, "192.0.2.1");
	ip_addr_parse(&f.remote.addr, "192.0.2.77");
	return f;
}

static struct sip_flow nat_flow(void)
{
	struct sip_flow f = clear_flow();

	ip_addr_parse(&f.remote.addr, "203.0.113.9");
	f.remote.port = 3100;
	return f;
}

/* A TLS connection; another octet, another one. */
static struct sip_flow tls_flow(struct sv text)
{
	struct sip_flow f = clear_flow();

	f.transport = SIP_TRANSPORT_TLS;
	f.local.port = 5061;
	f.session = text.n ? 1 + (uint8_t)text.p[0] % 4 : 1;
	f.remote.port = (uint16_t)(33000 + f.session);
	return f;
}

static void nat_moves(struct world *w, sa_set_id set, struct sv text)
{
	struct ip_endpoint outer = {.port = 4500};
	struct ip_addr inner;

	ip_addr_parse(&outer.addr, "203.0.113.9");
	ip_addr_parse(&inner, "192.0.2.77");
	if (text.n)
		outer.addr.b[3] = (uint8_t)text.p[0];
	pcscf_ue_moved(w->p, set, &outer, &inner);
}

static void ue_says(struct world *w, const struct sip_flow *f, struct sv text)
{
	pcscf_input(w->p, f, text, w->now);
	mw_run(w->mw, w->now);
}

static void ue_register(struct world *w, struct sv more, const struct sip_flow *f, bool sm7)
{
	struct sbuf b = sbuf_of(w->text, sizeof(w->text));
	unsigned spi;

	if (!sm7)
		w->proposal++;
	spi = 5000 + 2 * w->proposal;
	w->serial++;
	if (f->set)
		sbuf_printf(&b, SM_HEAD("5070"), w->serial, w->serial);
	else
		sbuf_printf(&b, SM_HEAD("5060"), w->serial, w->serial);
	for (unsigned mode = 0; mode < 2; mode++)
		sbuf_printf(&b, CLIENT, mode ? ";mod=UDP-enc-tun" : "", spi, spi + 1,
			    40000 + w->proposal % 1000);
	if (sm7)
		sbuf_printf(&b, "Security-Verify: %s\r\n", w->verify);
	sbuf_printf(&b,
		    "Authorization: Digest username=\"a@home.test\", realm=\"h\", uri=\"sip:h\", "
		    "nonce=\"%s\", response=\"%s\"\r\n",
		    sm7 ? "bm9uY2U=" : "", sm7 ? "00" : "");
	sbuf_put(&b, more);
	sbuf_put(&b, SV("\r\n"));
	ue_says(w, f, sbuf_sv(&b));
}

/* REGISTER of one that has TLS, or nothing but Digest. */
static void digest_register(struct world *w, struct sv more, const struct sip_flow *f, bool tls,
			    bool sm7)
{
	struct sbuf b = sbuf_of(w->text, sizeof(w->text));

	w->serial++;
	sbuf_printf(&b, SM_HEAD("5060"), w->serial, w->serial);
	if (tls)
		sbuf_printf(&b, "Security-Client: tls\r\n");
	if (tls && sm7)
		sbuf_printf(&b, "Security-Verify: %s\r\n", w->verify);
	sbuf_printf(&b,
		    "Authorization: Digest username=\"a@home.test\", realm=\"h\", uri=\"sip:h\", "
		    "nonce=\"%s\", response=\"%s\"\r\n",
		    sm7 ? "bm9uY2U=" : "", sm7 ? "00" : "");
	sbuf_put(&b, more);
	sbuf_put(&b, SV("\r\n"));
	ue_says(w, f, sbuf_sv(&b));
}

static void invite(struct world *w, struct sv more, const struct sip_flow *f)
{
	struct sbuf b = sbuf_of(w->text, sizeof(w->text));

	w->serial++;
	sbuf_printf(&b,
		    "INVITE sip:b@home.test SIP/2.0\r\nVia: SIP/2.0/UDP "
		    "192.0.2.77:5070;branch=z9hG4bK%u\r\n"
		    "From: <sip:a@home.test>;tag=1\r\nTo: <sip:b@home.test>\r\nCall-ID: i%u\r\n"
		    "CSeq: 1 INVITE\r\n",
		    w->serial, w->serial);
	sbuf_put(&b, more);
	sbuf_put(&b, SV("\r\n"));
	ue_says(w, f, sbuf_sv(&b));
}

/* A response to `request` into w->text. */
static struct sv answer(struct world *w, struct sv request, unsigned status, struct sv more)
{
	struct sbuf b = sbuf_of(w->text, sizeof(w->text));
	struct sip_msg m;

	if (sip_msg_parse(&m, request) < 0)
		return (struct sv){0};
	sip_reply_begin(&b, &m, status, SV("peer"));
	sbuf_put(&b, more);
	sip_reply_end(&b, (struct sv){0});
	return b.overflow ? (struct sv){0} : sbuf_sv(&b);
}

static unsigned status_of(struct sv *text)
{
	unsigned status = 0;

	for (unsigned i = 0; i < 3 && text->n; i++, text->p++, text->n--)
		status = status * 10 + ((unsigned char)text->p[0] - '0') % 10;
	return 100 + status % 600;
}

static void core_says(struct world *w, struct sv text)
{
	if (text.n && mw_send(w->mw, SV("pcscf.test"), text) == 0)
		mw_run(w->mw, w->now);
}

static void challenge(struct world *w, struct sv more)
{
	char fields[4096];
	struct sbuf b = sbuf_of(fields, sizeof(fields));

	sbuf_printf(&b, "WWW-Authenticate: Digest realm=\"h\", nonce=\"bm9uY2U=\", "
			"algorithm=AKAv1-MD5, ik=\"" IK "\", ck=\"" IK "\"\r\n");
	sbuf_put(&b, more);
	w->no_keys = !memmem(more.p, more.n, IK, sizeof(IK) - 1) &&
		     !memmem(w->to_core, w->n_to_core, IK, sizeof(IK) - 1);
	core_says(w, answer(w, (struct sv){w->to_core, w->n_to_core}, 401, sbuf_sv(&b)));
	w->no_keys = false;
}

static void core_requests(struct world *w, struct sv more)
{
	struct sbuf b = sbuf_of(w->text, sizeof(w->text));
	struct sv method = more;

	for (method.n = 0; method.n < more.n && method.p[method.n] != ' '; method.n++)
		;
	w->serial++;
	sbuf_printf(&b,
		    "%.*s sip:a@192.0.2.77 SIP/2.0\r\nVia: SIP/2.0/TCP " CORE
		    ";branch=z9hG4bK%u\r\n"
		    "Route: %s\r\nFrom: <sip:b@home.test>;tag=1\r\nTo: <sip:a@home.test>\r\n"
		    "Call-ID: r%u\r\nCSeq: 1 %.*s\r\n",
		    SV_ARG(method), w->serial, w->path, w->serial, SV_ARG(method));
	if (method.n < more.n)
		sbuf_put(&b, (struct sv){more.p + method.n + 1, more.n - method.n - 1});
	sbuf_put(&b, SV("\r\n"));
	if (!b.overflow)
		core_says(w, sbuf_sv(&b));
}

static void pass_time(struct world *w, uint64_t ms)
{
	uint64_t end = w->now + ms, due;

	while ((due = timers_run(w->timers, w->now)) <= end) {
		mw_run(w->mw, w->now);
		w->now = due > w->now ? due : w->now;
	}
	mw_run(w->mw, w->now);
	w->now = end;
}

static void core_order(struct world *w, char what, struct sv text)
{
	unsigned status;

	switch (what) {
	case 'k':
		challenge(w, text);
		break;
	case 'a':
		status = status_of(&text);
		core_says(w, answer(w, (struct sv){w->to_core, w->n_to_core}, status, text));
		break;
	case 'r':
		core_requests(w, text);
		break;
	case 'm':
		core_says(w, text);
		break;
	}
}

static void order(struct world *w, char what, struct sv text)
{
	struct sip_flow clear = clear_flow(), nat = nat_flow(), set, tls = tls_flow(text);
	struct sv rest = text.n ? (struct sv){text.p + 1, text.n - 1} : text;
	unsigned status;

	switch (what) {
	case '1':
		ue_register(w, text, &clear, false);
		break;
	case 'd':
		digest_register(w, rest, &clear, text.n && text.p[0] & 1, text.n && text.p[0] & 2);
		break;
	case 'l':
		digest_register(w, rest, &tls, true, text.n && text.p[0] & 8);
		break;
	case 'e':
		invite(w, rest, text.n && text.p[0] & 8 ? &clear : &tls);
		break;
	case 's':
		ue_says(w, &tls, rest);
		break;
	case 'x':
		pcscf_session_closed(w->p, &tls, w->now);
		mw_run(w->mw, w->now);
		break;
	case 'n':
		ue_register(w, text, &nat, false);
		break;
	case 'v':
		if (flow_of(w, true, &set))
			nat_moves(w, set.set, text);
		break;
	case '2':
	case '7':
		if (flow_of(w, true, &set))
			ue_register(w, text, &set, what == '7');
		break;
	case 'i':
		if (flow_of(w, true, &set))
			invite(w, text, &set);
		break;
	case 'c':
		ue_says(w, &clear, text);
		break;
	case 'p':
	case 'o':
		if (flow_of(w, what == 'p', &set))
			ue_says(w, &set, text);
		break;
	case 'u':
		status = status_of(&text);
		text = answer(w, (struct sv){w->request_to_ue, w->n_request_to_ue}, status, text);
		if (flow_of(w, true, &set))
			ue_says(w, &set, text);
		break;
	case 't':
		pass_time(w, text.n ? (uint8_t)text.p[0] * UINT64_C(1000) : 0);
		break;
	default:
		core_order(w, what, text);
	}
}

static struct world *world_make(bool reg_event)
{
	struct world *w = calloc(1, sizeof(*w));
	struct pcscf_env env = {.ctx = w,
				.send = to_ue,
				.sa_reserve = sa_reserve,
				.sa_install = sa_install,
				.sa_remove = sa_remove,
				.stream_send = stream_send,
				.hang_up = hang_up};
	struct pcscf_conf conf = {
		.host = "pcscf.test",
		.icscf_host = CORE,
		.visited_network = "visited.test",
		.port_ps = 6060,
		.port_pc_min = 20000,
		.port_pc_max = 20099,
		.choices = {{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
			    {SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
			    {.type = AGREE_TLS}},
		.n_choices = 3,
		.digest = reg_event,
		.ipsec_required = true,
		.await_auth = 240,
		.guard = 30,
		.linger = 32,
		.max_pending = 8,
		.ecscf_host = CORE,
		.clear_emergency = true,
		.max_emergency = 4,
		.reg_event = reg_event,
		.udp_enc_port = 4500,
		.alias[0].len = 28,
	};

	ip_addr_parse(&conf.access[0].addr, "192.0.2.1");
	conf.access[0].port = 5060;
	ip_addr_parse(&conf.alias[0].addr, "198.18.0.0");
	assert(w && timers_alloc(&w->timers) == 0 && mw_alloc(&w->mw) == 0);
	assert(mw_attach(w->mw, SV(CORE), to_core, w) == 0);
	assert(pcscf_alloc(&w->p, &conf, &env, w->timers, w->mw) == 0);
	return w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* not each: a core that never answers makes it ask again for all its days */
	struct world *w = world_make(size % 4 == 0);
	const char *at = (const char *)data, *end = at + size;
	struct pcscf_counters c;

	while (at < end) {
		const char *stop = memchr(at, 0x1e, (size_t)(end - at));

		stop = stop ? stop : end;
		if (stop > at)
			order(w, at[0], (struct sv){at + 1, (size_t)(stop - at - 1)});
		pcscf_counters(w->p, &c);
		assert(c.pending <= 8 && c.sets <= SETS);
		at = stop + 1;
	}
	pass_time(w, 1000000);
	pcscf_counters(w->p, &c);
	assert(c.pending == 0 && c.transactions == 0);
	pcscf_free(w->p);
	for (unsigned i = 0; i < SETS; i++)
		assert(!w->sas[i].used);
	assert(timers_count(w->timers) == 0);
	mw_free(w->mw);
	timers_free(w->timers);
	free(w);
	return 0;
}
