/*
 * Lives of two UEs that share an address: what is well-formed in any order. Each pair of octets is
 * an act and what with: registrations by AKA and Digest on any SA set, TLS connection or in clear,
 * answers of the core to any of the last requests, requests both ways, connections that end, time.
 * Nothing leaves on a set that is not installed, no state machine gets what cannot be, and in the
 * end nothing is left.
 */
#include <assert.h>
#include <stdlib.h>

#include "control/sip/edit.h"
#include "tests/fuzz/pcscf_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define UES    2
#define LAST   8 /* requests that can be answered */
#define ACTS   200
#define KEPT   8192
#define FIELDS 1024

struct request {
	struct sip_flow flow; /* that it came by, at the UE */
	char text[KEPT];
	size_t n;
};

struct ue {
	char name;
	unsigned proposal, invite; /* the latest one's number */
	char verify[512], path[256];
};

struct lives {
	struct world w;
	struct ue ues[UES];
	struct request at_core[LAST], at_ue[LAST];
	unsigned n_at_core, n_at_ue, serial;
};

static struct ue *ue_of(struct lives *l, uint8_t with)
{
	return &l->ues[with >> 7];
}

/* ---- what arrives ------------------------------------------------------------------------- */

static void keep(struct request *r, const struct sip_flow *flow, const struct sip_msg *m)
{
	if (m->raw.n > KEPT)
		return;
	if (flow)
		r->flow = *flow;
	memcpy(r->text, m->raw.p, m->raw.n);
	r->n = m->raw.n;
}

static void to_ue(void *told, const struct sip_flow *flow, const struct sip_msg *m)
{
	struct sv list = sip_msg_value(m, SIP_HDR_SECURITY_SERVER);
	struct sv from = sip_msg_value(m, SIP_HDR_FROM);
	struct lives *l = told;
	struct ue *u = &l->ues[from.n > 5 && from.p[5] == 'b'];

	if (m->request && m->method != SIP_ACK)
		keep(&l->at_ue[l->n_at_ue++ % LAST], flow, m);
	else if (m->status == 401 && list.n < sizeof(u->verify))
		snprintf(u->verify, sizeof(u->verify), "%.*s", SV_ARG(list));
}

static void to_core(void *told, const struct sip_msg *m)
{
	struct sv path = sip_msg_value(m, SIP_HDR_PATH), from = sip_msg_value(m, SIP_HDR_FROM);
	struct lives *l = told;
	struct ue *u = &l->ues[from.n > 5 && from.p[5] == 'b'];

	if (m->request && m->method != SIP_ACK)
		keep(&l->at_core[l->n_at_core++ % LAST], NULL, m);
	if (path.n && path.n < sizeof(u->path))
		snprintf(u->path, sizeof(u->path), "%.*s", SV_ARG(path));
}

/* ---- what the UEs do ---------------------------------------------------------------------- */

/* Clear, a TLS connection, an SA set. */
static bool flow_choose(const struct lives *l, uint8_t with, struct sip_flow *f)
{
	unsigned k = with & 7;

	*f = k ? world_tls_flow(k) : world_clear_flow();
	return k < 4 || world_flow_of_set(&l->w, k - 4, f);
}

static void ue_head(struct sbuf *b, const struct ue *u, const char *method,
		    const struct sip_flow *f, unsigned number)
{
	sbuf_printf(
		b,
		"%s sip:home.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:%u;branch=z9hG4bK%u\r\n"
		"From: <sip:%c@home.test>;tag=1\r\nTo: <sip:%c@home.test>\r\nCall-ID: %s%c\r\n"
		"CSeq: %u %s\r\n",
		method, f->set ? 5070u : 5060u, number, u->name,
		strcmp(method, "REGISTER") ? 'x' : u->name, method[0] == 'R' ? "r" : "c", u->name,
		number, method);
}

/* with: bits 0 to 2 the flow, 3 an answer, 4 ipsec-3gpp, 5 tls, 6 the end */
static void ue_registers(struct lives *l, uint8_t with)
{
	struct sbuf b = sbuf_of(l->w.text, sizeof(l->w.text));
	bool answers = with & 8;
	struct ue *u = ue_of(l, with);
	struct sip_flow f;
	unsigned spi;

	if (!flow_choose(l, with, &f))
		return;
	if (!answers)
		u->proposal++;
	spi = 5000 + 2000 * (u->name == 'b') + 2 * u->proposal;
	l->serial++;
	ue_head(&b, u, "REGISTER", &f, l->serial);
	sbuf_printf(&b, "Contact: <sip:%c@192.0.2.77:5070>;expires=%u\r\n", u->name,
		    with & 64 ? 0 : 600u);
	if (with & 16)
		sbuf_printf(&b,
			    "Security-Client: ipsec-3gpp;alg=hmac-sha-1-96;spi-c=%u;spi-s=%u;"
			    "port-c=%u;port-s=5070\r\n",
			    spi, spi + 1, 40000 + spi % 1000);
	if (with & 32)
		sbuf_printf(&b, "Security-Client: tls\r\n");
	if (answers && u->verify[0])
		sbuf_printf(&b, "Security-Verify: %s\r\n", u->verify);
	sbuf_printf(&b,
		    "Authorization: Digest username=\"%c@home.test\", realm=\"h\", uri=\"sip:h\", "
		    "nonce=\"%s\", response=\"%s\"\r\n\r\n",
		    u->name, answers ? "bm9uY2U=" : "", answers ? "00" : "");
	world_ue_says(&l->w, &f, sbuf_sv(&b));
}

/* bits 3 and 4: which; CANCEL is of the last INVITE */
static void ue_asks(struct lives *l, uint8_t with)
{
	static const char *const methods[] = {"MESSAGE", "INVITE", "CANCEL", "BYE"};
	const char *method = methods[with >> 3 & 3];
	struct sbuf b = sbuf_of(l->w.text, sizeof(l->w.text));
	struct ue *u = ue_of(l, with);
	struct sip_flow f;

	if (!flow_choose(l, with, &f))
		return;
	l->serial++;
	if (method[0] == 'I')
		u->invite = l->serial;
	ue_head(&b, u, method, &f, method[0] == 'C' ? u->invite : l->serial);
	sbuf_printf(&b, "\r\n");
	world_ue_says(&l->w, &f, sbuf_sv(&b));
}

static void ue_calls_for_help(struct lives *l, uint8_t with)
{
	struct sbuf b = sbuf_of(l->w.text, sizeof(l->w.text));
	struct ue *u = ue_of(l, with);
	struct sip_flow f;

	if (!flow_choose(l, with, &f))
		return;
	l->serial++;
	sbuf_printf(
		&b,
		"INVITE urn:service:sos SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.77:%u;"
		"branch=z9hG4bK%u\r\nFrom: <sip:%c@home.test>;tag=1\r\nTo: <urn:service:sos>\r\n"
		"Call-ID: s%u\r\nCSeq: 1 INVITE\r\nContact: <sip:192.0.2.77>\r\n\r\n",
		f.set ? 5070u : 5060u, l->serial, u->name, with >> 3 & 3);
	world_ue_says(&l->w, &f, sbuf_sv(&b));
}

/* On the flow that it came by, if that stands. */
static void ue_answers(struct lives *l, uint8_t with)
{
	static const unsigned statuses[] = {180, 200, 486, 487};
	const struct request *r = &l->at_ue[with % LAST];

	if (r->n)
		world_ue_says(&l->w, &r->flow,
			      world_answer(&l->w, (struct sv){r->text, r->n},
					   statuses[with >> 3 & 3], SV("")));
}

/* ---- what the core does ------------------------------------------------------------------- */

static void core_answers(struct lives *l, uint8_t with, unsigned status, struct sv fields)
{
	const struct request *r = &l->at_core[with % LAST];

	if (r->n)
		world_core_says(&l->w,
				world_answer(&l->w, (struct sv){r->text, r->n}, status, fields));
}

/* bit 3: by AKA, 4: stale */
static void core_challenges(struct lives *l, uint8_t with)
{
	char fields[FIELDS];
	struct sbuf b = sbuf_of(fields, sizeof(fields));

	sbuf_printf(&b, "WWW-Authenticate: Digest realm=\"h\", nonce=\"bm9uY2U=\", %s%s\r\n",
		    with & 8 ? "algorithm=AKAv1-MD5, ik=\"" WORLD_IK "\", ck=\"" WORLD_IK "\""
			     : "algorithm=MD5, qop=\"auth\"",
		    with & 16 ? ", stale=TRUE" : "");
	l->w.no_keys = true;
	core_answers(l, with, 401, sbuf_sv(&b));
	l->w.no_keys = false;
}

static void core_refuses(struct lives *l, uint8_t with)
{
	static const unsigned statuses[] = {100, 180, 403, 404, 423, 487, 500, 504};

	core_answers(l, with, statuses[with >> 3 & 7], SV(""));
}

static void core_asks(struct lives *l, uint8_t with)
{
	static const char *const methods[] = {"MESSAGE", "INVITE"};
	const char *method = methods[with & 1];
	struct sbuf b = sbuf_of(l->w.text, sizeof(l->w.text));
	struct ue *u = ue_of(l, with);

	if (!u->path[0])
		return;
	l->serial++;
	sbuf_printf(&b,
		    "%s sip:%c@192.0.2.77 SIP/2.0\r\nVia: SIP/2.0/TCP " WORLD_CORE
		    ";branch=z9hG4bK%u\r\nRoute: %s\r\nFrom: <sip:x@home.test>;tag=1\r\n"
		    "To: <sip:%c@home.test>\r\nCall-ID: t%u\r\nCSeq: 1 %s\r\n\r\n",
		    method, u->name, l->serial, u->path, u->name, l->serial, method);
	world_core_says(&l->w, sbuf_sv(&b));
}

/* ---- what happens ------------------------------------------------------------------------- */

/* bit 3: a message on the flow was lost; else its connection ends, if it is one */
static void flow_ends(struct lives *l, uint8_t with)
{
	struct sip_flow f;

	if (!flow_choose(l, with, &f))
		return;
	if (with & 8)
		pcscf_undelivered(l->w.p, &f, SV("MESSAGE"), with & 16, l->w.now);
	else if (f.session)
		pcscf_session_closed(l->w.p, &f, l->w.now);
	mw_run(l->w.mw, l->w.now);
}

static void operator_ends(struct lives *l, uint8_t with)
{
	char impi[] = "x@home.test";

	impi[0] = ue_of(l, with)->name;
	pcscf_deregister(l->w.p, sv_of(impi), l->w.now);
	mw_run(l->w.mw, l->w.now);
}

static void act(struct lives *l, uint8_t what, uint8_t with)
{
	switch (what % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
		ue_registers(l, with);
		break;
	case 4:
	case 5:
		core_challenges(l, with);
		break;
	case 6:
	case 7:
		core_answers(l, with, 200, SV("Expires: 600\r\n"));
		break;
	case 8:
		core_refuses(l, with);
		break;
	case 9:
		core_asks(l, with);
		break;
	case 10:
		ue_answers(l, with);
		break;
	case 11:
	case 12:
		ue_asks(l, with);
		break;
	case 13:
		flow_ends(l, with);
		break;
	case 14:
		world_pass_time(&l->w, with * UINT64_C(1500));
		break;
	case 15:
		if (with & 1)
			ue_calls_for_help(l, with);
		else if (with & 2)
			operator_ends(l, with);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lives *l = calloc(1, sizeof(*l));
	struct pcscf_counters c;

	assert(l);
	l->ues[0].name = 'a';
	l->ues[1].name = 'b';
	l->w.told = l;
	l->w.to_ue = to_ue;
	l->w.to_core = to_core;
	world_begin(&l->w, true, false);
	for (size_t i = 0; i + 1 < size && i < 2 * ACTS; i += 2) {
		act(l, data[i], data[i + 1]);
		pcscf_counters(l->w.p, &c);
		assert(c.pending <= 8 && c.sets <= WORLD_SETS && c.impossible == 0);
	}
	world_end(&l->w);
	free(l);
	return 0;
}
