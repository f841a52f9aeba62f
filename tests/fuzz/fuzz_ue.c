/*
 * A UE, with a network and a program behind it that say anything. The first octet of an input
 * chooses what kind of UE; then come steps, each ending in "----" and begun by what it is:
 *
 *   c TEXT   a message in clear          x TEXT   by the flow of what was sent last
 *   s TEXT   to the server port of the newest SAs
 *   p TEXT   of the program behind       u TEXT   a URI, to call     m TEXT   and to send text to
 *   r d a e  register, de-register, accept a call, end it            t        time passes
 *
 * In a text %V %I %Q %F %T stand for values of what was sent or passed last (Via, Call-ID, CSeq,
 * From, To), %W for a good AKA challenge and Security-Server. All memory and all SAs are given back
 * in the end.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/auth/auth.h"
#include "control/base/parse.h"
#include "control/base/timer.h"
#include "control/sip/msg.h"
#include "control/ue/ue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS 64
#define SETS  32
#define TEXT  16384

static const struct sv separator = {"----", 4};

struct net {
	struct timers *timers;
	struct ue *ue;
	uint64_t now, sqn;
	struct milenage_key key;
	struct sip_flow flow;
	char last[TEXT]; /* sent */
	size_t n;
	sa_set_id id, held[SETS]; /* the last; those not removed */
	uint32_t spi;
	struct sa_set set; /* installed last */
};

static void on_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	struct net *n = ctx;

	(void)u;
	assert(text.n <= sizeof(n->last));
	if (text.n < 5) /* a keepalive */
		return;
	n->flow = *flow;
	n->n = text.n;
	memcpy(n->last, text.p, text.n);
}

static int on_stream(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	on_send(ctx, u, flow, text);
	return 0;
}

static int on_reserve(void *ctx, const uint32_t *avoid, unsigned n_avoid, struct sa_set *set)
{
	struct net *n = ctx;

	(void)avoid;
	(void)n_avoid;
	for (unsigned i = 0; i < SETS; i++) {
		if (n->held[i])
			continue;
		set->id = n->held[i] = ++n->id;
		set->spi_in[0] = ++n->spi;
		set->spi_in[1] = ++n->spi;
		return 0;
	}
	return -ENOSPC;
}

static int on_install(void *ctx, const struct sa_set *set)
{
	struct net *n = ctx;

	assert(set->id);
	n->set = *set;
	return 0;
}

static void on_remove(void *ctx, sa_set_id id)
{
	struct net *n = ctx;

	for (unsigned i = 0; i < SETS; i++)
		if (n->held[i] == id)
			n->held[i] = 0;
}

static void on_event(void *ctx, struct ue *u, enum ue_event event, struct sv text, uint64_t now)
{
	(void)ctx;
	(void)u;
	(void)event;
	(void)text;
	(void)now;
}

static void on_hang_up(void *ctx, struct ue *u, const struct sip_flow *flow)
{
	(void)ctx;
	(void)u;
	(void)flow;
}

/* What goes to the program is a message, and all of it its own. */
static void on_pass(void *ctx, struct ue *u, struct sv text)
{
	struct net *n = ctx;
	struct sip_msg m;

	(void)u;
	if (text.n > sizeof(n->last) || sip_msg_parse(&m, text) < 0)
		abort();
	n->n = text.n;
	memcpy(n->last, text.p, text.n);
}

static void net_start(struct net *n, uint8_t kind)
{
	const struct ue_env env = {.ctx = n,
				   .send = on_send,
				   .sa_reserve = on_reserve,
				   .sa_install = on_install,
				   .sa_remove = on_remove,
				   .event = on_event,
				   .stream_send = kind & 4 ? on_stream : NULL,
				   .hang_up = on_hang_up,
				   .pass = on_pass};
	struct ue_conf c = {.impi = "u@h",
			    .impu = "sip:u@h",
			    .realm = "h",
			    .key = n->key,
			    .local = {{.version = 4, .b = {10, 0, 0, 1}}, 5060},
			    .pcscf = {{.version = 4, .b = {10, 0, 0, 2}}, 5060},
			    .port_min = 20000,
			    .port_max = 20100,
			    .choices = {{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT}},
			    .n_choices = 1,
			    .expires = 600,
			    .await_auth = 240,
			    .guard = 30,
			    .transport = kind & 4 ? UE_TRANSPORT_MIXED : UE_TRANSPORT_UDP,
			    .reg_event = kind & 8,
			    .protect_or_abort = !(kind & 16),
			    .udp_enc_tun = kind & 32,
			    .rspauth_optional = kind & 64,
			    .password = "p"};

	if (kind & 1) {
		c.auth = UE_AUTH_DIGEST;
		c.security = kind & 4 ? UE_SECURITY_TLS : UE_SECURITY_NONE;
		c.n_choices = 0;
	}
	if (kind & 2)
		c.behind = (struct ip_endpoint){{.version = 4, .b = {127, 0, 0, 1}}, 5070};
	if (timers_alloc(&n->timers) < 0 || ue_alloc(&n->ue, &c, &env, n->timers) < 0)
		abort();
}

/* ---- the network's texts ------------------------------------------------------------------ */

static void challenge_put(struct net *n, struct sbuf *b)
{
	static const uint8_t amf[2] = {0x80, 0}, rand[16] = {1};
	struct aka_vector av;
	char nonce[45];

	n->sqn += 32;
	aka_vector_make(&av, &n->key, amf, n->sqn, rand);
	auth_aka_nonce_write(nonce, av.rand, av.autn);
	sbuf_printf(b,
		    "WWW-Authenticate: Digest realm=\"h\",nonce=\"%s\",algorithm=AKAv1-MD5,qop="
		    "\"auth\"\r\nSecurity-Server: ipsec-3gpp;alg=hmac-sha-1-96;ealg=null;spi-c=%u;"
		    "spi-s=%u;port-c=6101;port-s=6100\r\n",
		    nonce, 900000 + (unsigned)n->sqn, 900001 + (unsigned)n->sqn);
}

static void value_put(struct net *n, struct sbuf *b, char what)
{
	static const char letters[] = "VIQFT";
	static const uint8_t ids[] = {SIP_HDR_VIA, SIP_HDR_CALL_ID, SIP_HDR_CSEQ, SIP_HDR_FROM,
				      SIP_HDR_TO};
	const char *at = strchr(letters, what);
	struct sip_msg m;

	if (what == 'W')
		challenge_put(n, b);
	else if (what && at && n->n && sip_msg_parse(&m, (struct sv){n->last, n->n}) == 0)
		sbuf_put(b, sip_msg_value(&m, (enum sip_hdr)ids[at - letters]));
}

/* In memory that ends with it, for the address checker. */
static struct sv text_make(struct net *n, struct sv from)
{
	char text[TEXT], *exact;
	struct sbuf b = sbuf_of(text, sizeof(text));

	for (size_t i = 0; i < from.n; i++) {
		if (from.p[i] == '%' && i + 1 < from.n)
			value_put(n, &b, from.p[++i]);
		else
			sbuf_put(&b, (struct sv){from.p + i, 1});
	}
	exact = malloc(b.n ? b.n : 1);
	if (!exact)
		abort();
	memcpy(exact, text, b.n);
	return (struct sv){exact, b.n};
}

/* ---- steps -------------------------------------------------------------------------------- */

static void input(struct net *n, char how, struct sv text)
{
	struct sip_flow from = n->flow;

	if (how == 'c')
		from = (struct sip_flow){
			.transport = SIP_TRANSPORT_UDP,
			.local = {{.version = 4, .b = {10, 0, 0, 1}}, 5060},
			.remote = {{.version = 4, .b = {10, 0, 0, 2}}, 5060},
		};
	if (how == 's') {
		from = (struct sip_flow){
			.transport = SIP_TRANSPORT_UDP,
			.set = n->set.id,
			.pair = SA_SERVER,
			.local = {n->set.local, n->set.local_port[SA_SERVER]},
			.remote = {n->set.remote, n->set.remote_port[SA_SERVER]},
		};
	}
	ue_input(n->ue, &from, text, n->now);
}

static void step(struct net *n, char what, struct sv text)
{
	switch (what) {
	case 'c':
	case 's':
	case 'x':
		input(n, what, text);
		break;
	case 'p':
		(void)ue_pass(n->ue, text, n->now);
		break;
	case 'u':
		(void)ue_call(n->ue, text, n->now);
		break;
	case 'm':
		(void)ue_message(n->ue, text, SV("hello"), n->now);
		break;
	case 'r':
		(void)ue_register(n->ue, n->now);
		break;
	case 'd':
		(void)ue_deregister(n->ue, n->now);
		break;
	case 'a':
		(void)ue_call_accept(n->ue, n->now);
		break;
	case 'e':
		(void)ue_call_end(n->ue, n->now);
		break;
	default:
		n->now += 7000;
		break;
	}
	timers_run(n->timers, n->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv rest = {(const char *)data, size};
	struct net n = {.now = 1000, .spi = 4096, .key = {.k = {1}, .opc = {2}}};

	if (size < 2)
		return 0;
	net_start(&n, data[0]);
	rest = (struct sv){rest.p + 1, rest.n - 1};
	for (unsigned i = 0; i < STEPS && rest.n; i++) {
		const char *end = memmem(rest.p, rest.n, separator.p, separator.n);
		size_t len = end ? (size_t)(end - rest.p) : rest.n;
		size_t whole = len + (end ? separator.n : 0);
		struct sv text = text_make(&n, (struct sv){rest.p + 1, len ? len - 1 : 0});

		step(&n, len ? rest.p[0] : 't', text);
		free((char *)(uintptr_t)text.p);
		rest = (struct sv){rest.p + whole, rest.n - whole};
	}
	ue_free(n.ue);
	for (unsigned i = 0; i < SETS; i++)
		assert(n.held[i] == 0);
	assert(timers_count(n.timers) == 0);
	timers_free(n.timers);
	return 0;
}
