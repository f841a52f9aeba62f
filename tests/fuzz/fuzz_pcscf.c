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

#include "control/sip/edit.h"
#include "tests/fuzz/pcscf_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SM_HEAD(port)                                                                              \
	"REGISTER sip:home.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:" port                      \
	";branch=z9hG4bK%u\r\n"                                                                    \
	"From: <sip:a@home.test>;tag=1\r\nTo: <sip:a@home.test>\r\nCall-ID: c\r\n"                 \
	"CSeq: %u REGISTER\r\nContact: <sip:192.0.2.77:5070>;expires=600\r\n"
#define CLIENT                                                                                     \
	"Security-Client: "                                                                        \
	"ipsec-3gpp;alg=hmac-sha-1-96%s;spi-c=%u;spi-s=%u;port-c=%u;port-s=5070\r\n"

struct story {
	struct world w;
	unsigned serial, proposal;
	char to_core[WORLD_TEXT], request_to_ue[WORLD_TEXT], verify[4096], path[1024];
	size_t n_to_core, n_request_to_ue;
};

static void to_ue(void *told, const struct sip_flow *flow, const struct sip_msg *m)
{
	struct sv list = sip_msg_value(m, SIP_HDR_SECURITY_SERVER);
	struct story *t = told;

	(void)flow;
	if (m->request) {
		memcpy(t->request_to_ue, m->raw.p, m->raw.n);
		t->n_request_to_ue = m->raw.n;
	} else if (m->status == 401 && list.n < sizeof(t->verify)) {
		snprintf(t->verify, sizeof(t->verify), "%.*s", SV_ARG(list));
	}
}

static void to_core(void *told, const struct sip_msg *m)
{
	struct sv path = sip_msg_value(m, SIP_HDR_PATH);
	struct story *t = told;

	if (!m->request || m->method == SIP_ACK || m->method == SIP_CANCEL)
		return;
	memcpy(t->to_core, m->raw.p, m->raw.n);
	t->n_to_core = m->raw.n;
	if (path.n && path.n < sizeof(t->path))
		snprintf(t->path, sizeof(t->path), "%.*s", SV_ARG(path));
}

/* The flow of the newest or the oldest installed set; false: there is none. */
static bool flow_of(const struct story *t, bool newest, struct sip_flow *f)
{
	unsigned n = world_sets(&t->w);

	return n && world_flow_of_set(&t->w, newest ? n - 1 : 0, f);
}

static struct sip_flow nat_flow(void)
{
	struct sip_flow f = world_clear_flow();

	ip_addr_parse(&f.remote.addr, "203.0.113.9");
	f.remote.port = 3100;
	return f;
}

/* A TLS connection; another octet, another one. */
static struct sip_flow tls_flow(struct sv text)
{
	return world_tls_flow(text.n ? 1 + (uint8_t)text.p[0] % 4 : 1);
}

static void nat_moves(struct story *t, sa_set_id set, struct sv text)
{
	struct ip_endpoint outer = {.port = 4500};
	struct ip_addr inner;

	ip_addr_parse(&outer.addr, "203.0.113.9");
	ip_addr_parse(&inner, "192.0.2.77");
	if (text.n)
		outer.addr.b[3] = (uint8_t)text.p[0];
	pcscf_ue_moved(t->w.p, set, &outer, &inner);
}

static void ue_register(struct story *t, struct sv more, const struct sip_flow *f, bool sm7)
{
	struct sbuf b = sbuf_of(t->w.text, sizeof(t->w.text));
	unsigned spi;

	if (!sm7)
		t->proposal++;
	spi = 5000 + 2 * t->proposal;
	t->serial++;
	if (f->set)
		sbuf_printf(&b, SM_HEAD("5070"), t->serial, t->serial);
	else
		sbuf_printf(&b, SM_HEAD("5060"), t->serial, t->serial);
	for (unsigned mode = 0; mode < 2; mode++)
		sbuf_printf(&b, CLIENT, mode ? ";mod=UDP-enc-tun" : "", spi, spi + 1,
			    40000 + t->proposal % 1000);
	if (sm7)
		sbuf_printf(&b, "Security-Verify: %s\r\n", t->verify);
	sbuf_printf(&b,
		    "Authorization: Digest username=\"a@home.test\", realm=\"h\", uri=\"sip:h\", "
		    "nonce=\"%s\", response=\"%s\"\r\n",
		    sm7 ? "bm9uY2U=" : "", sm7 ? "00" : "");
	sbuf_put(&b, more);
	sbuf_put(&b, SV("\r\n"));
	world_ue_says(&t->w, f, sbuf_sv(&b));
}

/* REGISTER of one that has TLS, or nothing but Digest. */
static void digest_register(struct story *t, struct sv more, const struct sip_flow *f, bool tls,
			    bool sm7)
{
	struct sbuf b = sbuf_of(t->w.text, sizeof(t->w.text));

	t->serial++;
	sbuf_printf(&b, SM_HEAD("5060"), t->serial, t->serial);
	if (tls)
		sbuf_printf(&b, "Security-Client: tls\r\n");
	if (tls && sm7)
		sbuf_printf(&b, "Security-Verify: %s\r\n", t->verify);
	sbuf_printf(&b,
		    "Authorization: Digest username=\"a@home.test\", realm=\"h\", uri=\"sip:h\", "
		    "nonce=\"%s\", response=\"%s\"\r\n",
		    sm7 ? "bm9uY2U=" : "", sm7 ? "00" : "");
	sbuf_put(&b, more);
	sbuf_put(&b, SV("\r\n"));
	world_ue_says(&t->w, f, sbuf_sv(&b));
}

static void invite(struct story *t, struct sv more, const struct sip_flow *f)
{
	struct sbuf b = sbuf_of(t->w.text, sizeof(t->w.text));

	t->serial++;
	sbuf_printf(&b,
		    "INVITE sip:b@home.test SIP/2.0\r\nVia: SIP/2.0/UDP "
		    "192.0.2.77:5070;branch=z9hG4bK%u\r\n"
		    "From: <sip:a@home.test>;tag=1\r\nTo: <sip:b@home.test>\r\nCall-ID: i%u\r\n"
		    "CSeq: 1 INVITE\r\n",
		    t->serial, t->serial);
	sbuf_put(&b, more);
	sbuf_put(&b, SV("\r\n"));
	world_ue_says(&t->w, f, sbuf_sv(&b));
}

static unsigned status_of(struct sv *text)
{
	unsigned status = 0;

	for (unsigned i = 0; i < 3 && text->n; i++, text->p++, text->n--)
		status = status * 10 + ((unsigned char)text->p[0] - '0') % 10;
	return 100 + status % 600;
}

static void challenge(struct story *t, struct sv more)
{
	char fields[4096];
	struct sbuf b = sbuf_of(fields, sizeof(fields));

	sbuf_printf(&b, "WWW-Authenticate: Digest realm=\"h\", nonce=\"bm9uY2U=\", "
			"algorithm=AKAv1-MD5, ik=\"" WORLD_IK "\", ck=\"" WORLD_IK "\"\r\n");
	sbuf_put(&b, more);
	t->w.no_keys = !memmem(more.p, more.n, WORLD_IK, sizeof(WORLD_IK) - 1) &&
		       !memmem(t->to_core, t->n_to_core, WORLD_IK, sizeof(WORLD_IK) - 1);
	world_core_says(&t->w, world_answer(&t->w, (struct sv){t->to_core, t->n_to_core}, 401,
					    sbuf_sv(&b)));
	t->w.no_keys = false;
}

static void core_requests(struct story *t, struct sv more)
{
	struct sbuf b = sbuf_of(t->w.text, sizeof(t->w.text));
	struct sv method = more;

	for (method.n = 0; method.n < more.n && method.p[method.n] != ' '; method.n++)
		;
	t->serial++;
	sbuf_printf(&b,
		    "%.*s sip:a@192.0.2.77 SIP/2.0\r\nVia: SIP/2.0/TCP " WORLD_CORE
		    ";branch=z9hG4bK%u\r\n"
		    "Route: %s\r\nFrom: <sip:b@home.test>;tag=1\r\nTo: <sip:a@home.test>\r\n"
		    "Call-ID: r%u\r\nCSeq: 1 %.*s\r\n",
		    SV_ARG(method), t->serial, t->path, t->serial, SV_ARG(method));
	if (method.n < more.n)
		sbuf_put(&b, (struct sv){more.p + method.n + 1, more.n - method.n - 1});
	sbuf_put(&b, SV("\r\n"));
	if (!b.overflow)
		world_core_says(&t->w, sbuf_sv(&b));
}

static void core_order(struct story *t, char what, struct sv text)
{
	unsigned status;

	switch (what) {
	case 'k':
		challenge(t, text);
		break;
	case 'a':
		status = status_of(&text);
		world_core_says(&t->w, world_answer(&t->w, (struct sv){t->to_core, t->n_to_core},
						    status, text));
		break;
	case 'r':
		core_requests(t, text);
		break;
	case 'm':
		world_core_says(&t->w, text);
		break;
	}
}

static void order(struct story *t, char what, struct sv text)
{
	struct sip_flow clear = world_clear_flow(), nat = nat_flow(), set, tls = tls_flow(text);
	struct sv rest = text.n ? (struct sv){text.p + 1, text.n - 1} : text;
	unsigned status;

	switch (what) {
	case '1':
		ue_register(t, text, &clear, false);
		break;
	case 'd':
		digest_register(t, rest, &clear, text.n && text.p[0] & 1, text.n && text.p[0] & 2);
		break;
	case 'l':
		digest_register(t, rest, &tls, true, text.n && text.p[0] & 8);
		break;
	case 'e':
		invite(t, rest, text.n && text.p[0] & 8 ? &clear : &tls);
		break;
	case 's':
		world_ue_says(&t->w, &tls, rest);
		break;
	case 'x':
		pcscf_session_closed(t->w.p, &tls, t->w.now);
		mw_run(t->w.mw, t->w.now);
		break;
	case 'n':
		ue_register(t, text, &nat, false);
		break;
	case 'v':
		if (flow_of(t, true, &set))
			nat_moves(t, set.set, text);
		break;
	case '2':
	case '7':
		if (flow_of(t, true, &set))
			ue_register(t, text, &set, what == '7');
		break;
	case 'i':
		if (flow_of(t, true, &set))
			invite(t, text, &set);
		break;
	case 'c':
		world_ue_says(&t->w, &clear, text);
		break;
	case 'p':
	case 'o':
		if (flow_of(t, what == 'p', &set))
			world_ue_says(&t->w, &set, text);
		break;
	case 'u':
		status = status_of(&text);
		text = world_answer(&t->w, (struct sv){t->request_to_ue, t->n_request_to_ue},
				    status, text);
		if (flow_of(t, true, &set))
			world_ue_says(&t->w, &set, text);
		break;
	case 't':
		world_pass_time(&t->w, text.n ? (uint8_t)text.p[0] * UINT64_C(1000) : 0);
		break;
	default:
		core_order(t, what, text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story *t = calloc(1, sizeof(*t));
	const char *at = (const char *)data, *end = at + size;
	struct pcscf_counters c;

	assert(t);
	t->w.told = t;
	t->w.to_ue = to_ue;
	t->w.to_core = to_core;
	/* not each: a core that never answers makes it ask again for all its days */
	world_begin(&t->w, size % 4 == 0, size % 4 == 0);
	while (at < end) {
		const char *stop = memchr(at, 0x1e, (size_t)(end - at));

		stop = stop ? stop : end;
		if (stop > at)
			order(t, at[0], (struct sv){at + 1, (size_t)(stop - at - 1)});
		pcscf_counters(t->w.p, &c);
		assert(c.pending <= 8 && c.sets <= WORLD_SETS);
		at = stop + 1;
	}
	world_end(&t->w);
	free(t);
	return 0;
}
