#include "tests/control/scscf/core.h"

#include <stdio.h>
#include <string.h>

#include "control/base/parse.h"

/* ---- Cx ----------------------------------------------------------------------------------- */

struct passing { /* an answer on its way */
	struct core *core;
	const struct cx_request *r;
	cx_answer_h *handler;
	void *arg;
};

static void cx_answered(void *arg, const struct cx_answer *a, uint64_t now)
{
	const struct passing *p = arg;
	const struct digest_input *d = &p->r->digest;
	struct core *c = p->core;

	if (a->scheme == CX_SCHEME_DIGEST)
		memcpy(c->vector_nonce, a->digest.nonce, sizeof(c->vector_nonce));
	if (p->r->command == CX_CHECK)
		snprintf(c->checked, sizeof(c->checked),
			 "%.*s|%.*s|%.*s|%d|%d|%.*s|%.*s|%.*s|%.*s|%.*s > %d|%.*s|%d|%s|%.*s|%.*s",
			 SV_ARG(d->method), SV_ARG(d->username), SV_ARG(d->realm), d->algorithm,
			 d->qop, SV_ARG(d->nonce), SV_ARG(d->nc), SV_ARG(d->cnonce), SV_ARG(d->uri),
			 SV_ARG(p->r->response), a->result, SV_ARG(a->impi), a->qop, a->rspauth,
			 SV_ARG(a->cnonce), SV_ARG(a->nc));
	p->handler(p->arg, a, now);
}

static void cx_ask(struct core *c, const struct cx_request *r, cx_answer_h *handler, void *arg)
{
	const struct cx_answer failed = {.result = c->failure};
	struct passing p = {c, r, handler, arg};
	struct cx hss = hss_cx(c->hss);

	if (c->fail && (r->command == CX_MAR || r->command == CX_SAR || r->command == CX_CHECK))
		handler(arg, &failed, c->now);
	else
		hss.request(hss.ctx, r, cx_answered, &p, c->now);
}

static struct sv copy(char buf[256], struct sv text)
{
	assert_true(text.n < 256);
	if (text.n)
		memcpy(buf, text.p, text.n);
	return (struct sv){buf, text.n};
}

static void cx_request(void *ctx, const struct cx_request *r, cx_answer_h *handler, void *arg,
		       uint64_t now)
{
	struct core *c = ctx;
	struct c_held *h;

	assert_int_equal(now, c->now);
	c->asked[r->command]++;
	if (r->command == CX_SAR)
		c->puts[r->put]++;
	if (!c->hold) {
		cx_ask(c, r, handler, arg);
		return;
	}
	assert_true(c->n_held < C_HELD);
	h = &c->held[c->n_held++];
	*h = (struct c_held){.r = *r, .handler = handler, .arg = arg};
	h->r.impi = copy(h->impi, r->impi);
	h->r.impu = copy(h->impu, r->impu);
	h->r.scscf = copy(h->scscf, r->scscf);
	if (r->command != CX_CHECK)
		return;
	h->r.digest.username = copy(h->digest[0], r->digest.username);
	h->r.digest.realm = copy(h->digest[1], r->digest.realm);
	h->r.digest.nonce = copy(h->digest[2], r->digest.nonce);
	h->r.digest.uri = copy(h->digest[3], r->digest.uri);
	h->r.digest.method = copy(h->digest[4], r->digest.method);
	h->r.digest.nc = copy(h->digest[5], r->digest.nc);
	h->r.digest.cnonce = copy(h->digest[6], r->digest.cnonce);
	h->r.response = copy(h->digest[7], r->response);
}

void core_let_go(struct core *c)
{
	for (unsigned i = 0; i < c->n_held; i++) /* answers may make new questions */
		cx_ask(c, &c->held[i].r, c->held[i].handler, c->held[i].arg);
	c->n_held = 0;
	if (c->scscf)
		mw_run(c->mw, c->now);
}

/* ---- the P-CSCF --------------------------------------------------------------------------- */

static void input(void *arg, struct sv text, uint64_t now)
{
	struct core *c = arg;

	(void)now;
	assert_true(text.n < sizeof(c->text));
	memcpy(c->text, text.p, text.n);
	c->text[text.n] = '\0';
	if (c->n_received < C_LOG)
		memcpy(c->log[c->n_received], c->text, text.n + 1);
	c->n_received++;
	assert_int_equal(sip_msg_parse(&c->m, (struct sv){c->text, text.n}), 0);
}

static void tap(void *arg, struct sv host, struct sv text)
{
	struct core *c = arg;

	(void)host;
	if (memmem(text.p, text.n, "ck=", 3))
		c->n_keys++;
}

void core_send(struct core *c, const char *host, const char *text)
{
	c->n_received = 0;
	memset(&c->m, 0, sizeof(c->m));
	assert_int_equal(mw_send(c->mw, sv_of(host), sv_of(text)), 0);
	mw_run(c->mw, c->now);
}

void core_pass(struct core *c, uint64_t ms)
{
	c->now += ms;
	timers_run(c->timers, c->now);
	mw_run(c->mw, c->now);
}

void core_wait(struct core *c, uint64_t ms)
{
	c->n_received = 0;
	memset(&c->m, 0, sizeof(c->m));
	core_pass(c, ms);
}

const char *core_field(struct core *c, enum sip_hdr id)
{
	static char value[4096];

	snprintf(value, sizeof(value), "%.*s", SV_ARG(sip_msg_value(&c->m, id)));
	return value;
}

/* ---- life --------------------------------------------------------------------------------- */

void core_conf(struct scscf_conf *conf)
{
	*conf = (struct scscf_conf){
		.host = "scscf.home.net",
		.icscf_host = "icscf.home.net",
		.realm = C_REALM,
		.expires_default = 3600,
		.expires_min = 60,
		.expires_max = 7200,
		.await_auth = 240,
		.vectors = 1,
	};
}

static struct core *core_make(const struct scscf_conf *conf, const struct hss_conf *hss)
{
	const struct icscf_conf icscf = {.host = conf->icscf_host, .scscf_host = conf->host};
	struct core *c = test_calloc(1, sizeof(*c));
	const struct cx cx = {.ctx = c, .request = cx_request};

	c->now = 1000;
	assert_int_equal(timers_alloc(&c->timers), 0);
	assert_int_equal(mw_alloc(&c->mw), 0);
	assert_int_equal(hss_alloc(&c->hss, hss), 0);
	assert_int_equal(icscf_alloc(&c->icscf, &icscf, c->mw, cx), 0);
	assert_int_equal(scscf_alloc(&c->scscf, conf, c->timers, c->mw, cx), 0);
	assert_int_equal(mw_attach(c->mw, SV("pcscf.visited.net"), input, c), 0);
	mw_tap(c->mw, tap, c);
	return c;
}

struct core *core_alloc(const struct scscf_conf *conf, const char *db)
{
	return core_make(conf, &(struct hss_conf){.path = db ? db : ":memory:"});
}

struct core *core_alloc_digest(const struct scscf_conf *conf, const struct hss_digest_conf *digest)
{
	return core_make(conf, &(struct hss_conf){.path = ":memory:", .digest = *digest});
}

void core_free(struct core *c)
{
	scscf_free(c->scscf);
	c->scscf = NULL;
	icscf_free(c->icscf);
	core_let_go(c); /* answers that come too late find nobody */
	hss_free(c->hss);
	mw_free(c->mw);
	timers_free(c->timers);
	test_free(c);
}

static void flag_keep(void *arg, const struct cx_answer *a, uint64_t now)
{
	(void)now;
	*(enum cx_registration *)arg = a->flag;
}

enum cx_registration core_flag(struct core *c, unsigned n)
{
	char impu[64];
	struct cx hss = hss_cx(c->hss);
	struct cx_request r = {.command = CX_LIR};
	enum cx_registration flag = CX_NOT_REGISTERED;

	snprintf(impu, sizeof(impu), "sip:u%u@" C_REALM, n);
	r.impu = sv_of(impu);
	hss.request(hss.ctx, &r, flag_keep, &flag, c->now);
	return flag;
}

/* ---- a UE behind it ----------------------------------------------------------------------- */

void ue_init(struct ue *u, struct core *c, unsigned n)
{
	ue_init_has(u, c, n, UE_AKA);
}

void ue_init_has(struct ue *u, struct core *c, unsigned n, enum ue_has has)
{
	struct test_random random = {.state = n};
	struct hss_subscriber s = {.n_impus = 3, .amf = {0x80}};

	*u = (struct ue){.core = c, .n = n};
	test_random_fill(&random, &u->key, sizeof(u->key));
	memcpy(s.k, u->key.k, sizeof(s.k));
	memcpy(s.opc, u->key.opc, sizeof(s.opc));
	snprintf(u->impi, sizeof(u->impi), "u%u@" C_REALM, n);
	snprintf(u->impu, sizeof(u->impu), "sip:%s", u->impi);
	snprintf(u->contact, sizeof(u->contact), "sip:u%u@192.0.2.7:6%03u", n, n % 1000);
	snprintf(u->call_id, sizeof(u->call_id), "call%u@ue", n);
	snprintf(s.impi, sizeof(s.impi), "%s", u->impi);
	snprintf(s.impus[0], sizeof(s.impus[0]), "%s", u->impu);
	snprintf(s.impus[1], sizeof(s.impus[1]), "tel:+49100%u", n);
	snprintf(s.impus[2], sizeof(s.impus[2]), "sip:alias%u@" C_REALM, n);
	s.no_aka = !(has & UE_AKA);
	if (has & UE_DIGEST)
		assert_int_equal(
			hss_subscriber_password(&s, SV(C_REALM), C_PASSWORD, strlen(C_PASSWORD)),
			0);
	assert_int_equal(hss_subscriber_add(c->hss, &s), 0);
}

static void challenge_keep(struct ue *u)
{
	struct core *c = u->core;

	snprintf(u->challenge_text, sizeof(u->challenge_text), "%.1000s",
		 core_field(c, SIP_HDR_WWW_AUTHENTICATE));
	assert_int_equal(auth_challenge_parse(&u->challenge, sv_of(u->challenge_text)), 0);
}

static void authorization_write(struct sbuf *b, const struct ue *u, const struct reg_opts *o)
{
	if (o->authorization && !o->authorization[0])
		return;
	if (o->authorization)
		sbuf_printf(b, "Authorization: %s", o->authorization);
	else
		sbuf_printf(b,
			    "Authorization: Digest username=\"%s\", realm=\"" C_REALM
			    "\", nonce=\"\", uri=\"sip:" C_REALM "\", response=\"\"",
			    u->impi);
	if (o->integrity)
		sbuf_printf(b, ", integrity-protected=\"%s\"", o->integrity);
	sbuf_put(b, SV("\r\n"));
}

unsigned ue_register(struct ue *u, const struct reg_opts *o)
{
	const char *impu = o->impu ? o->impu : u->impu;
	char text[8192];
	struct sbuf b = sbuf_of(text, sizeof(text) - 1);

	sbuf_printf(&b,
		    "REGISTER sip:" C_REALM " SIP/2.0\r\n"
		    "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bKp%u.%u\r\n"
		    "Via: SIP/2.0/UDP 192.0.2.7:6000;branch=z9hG4bKu%u.%u\r\n"
		    "Max-Forwards: 69\r\nFrom: <%s>;tag=f\r\nTo: <%s>\r\nCall-ID: %s\r\n"
		    "CSeq: %u REGISTER\r\n",
		    u->n, u->cseq + 1, u->n, u->cseq + 1, impu, impu, u->call_id, u->cseq + 1);
	u->cseq++;
	if (!o->path)
		sbuf_put(&b, SV("Path: <sip:term@pcscf.visited.net;lr>\r\nRequire: path\r\n"));
	else if (o->path[0])
		sbuf_printf(&b, "Path: %s\r\n", o->path);
	if (!o->contact)
		sbuf_printf(&b, "Contact: <%s>;+g.3gpp.smsip;+sip.instance=\"<urn:x:%u>\"\r\n",
			    u->contact, u->n);
	else if (o->contact[0])
		sbuf_printf(&b, "Contact: %s\r\n", o->contact);
	if (!o->expires || o->expires[0])
		sbuf_printf(&b, "Expires: %s\r\n", o->expires ? o->expires : "600");
	authorization_write(&b, u, o);
	sbuf_printf(&b, "%sContent-Length: 0\r\n\r\n", o->fields ? o->fields : "");
	assert_false(b.overflow);
	text[b.n] = '\0';
	core_send(u->core, "icscf.home.net", text);
	if (u->core->m.status == 401)
		challenge_keep(u);
	return u->core->m.status;
}

void ue_answer(struct ue *u, enum ue_answer kind, char *value, size_t cap)
{
	struct aka_answer card;
	uint8_t rand[16], autn[16];
	char auts[24];
	struct sbuf b = sbuf_of(value, cap - 1);
	struct auth_answer a = {.username = sv_of(u->impi),
				.realm = SV(C_REALM),
				.uri = SV("sip:" C_REALM),
				.challenge = &u->challenge,
				.password = card.res,
				.password_len = sizeof(card.res),
				.cnonce = SV("0a4f113b"),
				.nc = 1,
				.method = SV("REGISTER")};

	assert_true(auth_aka_nonce(u->challenge.nonce, rand, autn));
	if (kind == UE_MAC_FAILURE)
		autn[15] ^= 1;
	assert_int_equal(aka_card_answer(&card, &u->key, &u->sqn, rand, autn),
			 kind == UE_AUTS	  ? AKA_SYNC_FAILURE
			 : kind == UE_MAC_FAILURE ? AKA_MAC_FAILURE
						  : AKA_OK);
	if (kind == UE_WRONG_RES)
		card.res[7] ^= 1;
	if (kind == UE_RIGHT_NO_QOP)
		u->challenge.qop_auth = false;
	if (kind == UE_AUTS) {
		format_base64(auts, card.auts, sizeof(card.auts));
		a.auts = sv_of(auts);
	}
	a.empty_response = kind == UE_MAC_FAILURE;
	auth_answer_write(&b, &a);
	assert_false(b.overflow);
	value[b.n] = '\0';
}

unsigned ue_respond(struct ue *u, enum ue_answer kind)
{
	char value[1024];
	const struct reg_opts o = {.authorization = value, .integrity = "yes"};
	unsigned status;

	ue_answer(u, kind, value, sizeof(value));
	status = ue_register(u, &o);
	if (status == 200)
		memcpy(u->good, value, sizeof(u->good));
	return status;
}

static const char * or (const char *given, const char *usual)
{
	return given ? given : usual;
}

/* Terminated copies of the challenge's words. */
static const char *word(char buf[128], struct sv text)
{
	snprintf(buf, 128, "%.*s", SV_ARG(text));
	return buf;
}

void ue_digest_answer(struct ue *u, const struct ue_digest *d, char *value, size_t cap,
		      char rspauth[DIGEST_HEX])
{
	char words[3][128], ha1[DIGEST_HEX], response[DIGEST_HEX];
	const char *algorithm = or (d->algorithm, word(words[0], u->challenge.algorithm_text));
	const char *qop = or (d->qop, "auth"), *password = or (d->password, C_PASSWORD);
	struct digest_input in = {
		.qop = strcmp(qop, "auth") == 0	 ? DIGEST_QOP_AUTH
		       : strcmp(qop, "auth-int") ? DIGEST_QOP_NONE
						 : DIGEST_QOP_AUTH_INT,
		.username = sv_of(or (d->username, u->impi)),
		.realm = sv_of(or (d->realm, word(words[1], u->challenge.realm))),
		.nonce = sv_of(or (d->nonce, word(words[2], u->challenge.nonce))),
		.uri = sv_of(or (d->uri, "sip:" C_REALM)),
		.method = SV("REGISTER"),
		.nc = sv_of(or (d->nc, "00000001")),
		.cnonce = sv_of(or (d->cnonce, "0a4f113b")),
	};
	int n;

	(void)auth_algorithm_of(sv_of(algorithm), &in.algorithm);
	digest_ha1(ha1, &in, password, strlen(password));
	digest_response(response, &in, ha1);
	if (rspauth)
		digest_rspauth(rspauth, &in, ha1);
	response[strlen(response) - 1] ^= d->flip;
	n = snprintf(value, cap,
		     "Digest username=\"%.*s\", realm=\"%.*s\", nonce=\"%.*s\", uri=\"%.*s\", "
		     "response=\"%s\", algorithm=%s",
		     SV_ARG(in.username), SV_ARG(in.realm), SV_ARG(in.nonce), SV_ARG(in.uri),
		     response, algorithm);
	if (qop[0])
		n += snprintf(value + n, cap - (size_t)n, ", qop=%s, nc=%.*s, cnonce=\"%.*s\"", qop,
			      SV_ARG(in.nc), SV_ARG(in.cnonce));
	assert_true((size_t)n < cap);
}

unsigned ue_digest(struct ue *u, const struct ue_digest *d, const char *integrity)
{
	char value[1024], rspauth[DIGEST_HEX];
	const struct reg_opts o = {.authorization = value, .integrity = integrity};
	const struct sip_header *h;
	struct auth_info info;
	unsigned status;

	ue_digest_answer(u, d, value, sizeof(value), rspauth);
	status = ue_register(u, &o);
	h = sip_msg_find(&u->core->m, SIP_HDR_AUTHENTICATION_INFO);
	assert_int_equal(h != NULL, status == 200);
	if (status != 200)
		return status;
	assert_int_equal(auth_info_parse(&info, h->value), 0);
	assert_true(sv_eq(info.rspauth, sv_of(rspauth)));
	assert_true(sv_eq(info.nc, sv_of(d->qop && !d->qop[0] ? "" : or (d->nc, "00000001"))));
	memcpy(u->good, value, sizeof(u->good));
	return status;
}

void ue_digest_attach(struct ue *u, const char *integrity)
{
	assert_int_equal(ue_register(u, &(struct reg_opts){.authorization = ""}), 401);
	assert_int_equal(ue_digest(u, &(struct ue_digest){0}, integrity), 200);
}

void ue_attach(struct ue *u)
{
	assert_int_equal(ue_register(u, &(struct reg_opts){0}), 401);
	assert_int_equal(ue_respond(u, UE_RIGHT), 200);
}

unsigned ue_refresh(struct ue *u)
{
	return ue_register(u, &(struct reg_opts){.authorization = u->good, .integrity = "yes"});
}

unsigned ue_detach(struct ue *u)
{
	return ue_register(
		u,
		&(struct reg_opts){.authorization = u->good, .integrity = "yes", .expires = "0"});
}

void ue_request(struct ue *u, const char *method, const char *uri, const char *fields)
{
	char text[8192];

	u->cseq++;
	snprintf(text, sizeof(text),
		 "%s %s SIP/2.0\r\n"
		 "Via: SIP/2.0/TCP pcscf.visited.net;branch=z9hG4bKr%u.%u\r\n"
		 "Via: SIP/2.0/UDP 192.0.2.7:6000;branch=z9hG4bKv%u.%u\r\n"
		 "Route: <sip:orig@scscf.home.net;lr>\r\nMax-Forwards: 69\r\n"
		 "From: <%s>;tag=f\r\nTo: <%s>\r\nCall-ID: r%s\r\nCSeq: %u %s\r\n"
		 "P-Asserted-Identity: <%s>\r\n%sContent-Length: 5\r\n\r\nhello",
		 method, uri, u->n, u->cseq, u->n, u->cseq, u->impu, uri, u->call_id, u->cseq,
		 method, u->impu, fields);
	core_send(u->core, "scscf.home.net", text);
}

int core_pair_setup(void **state)
{
	struct core_pair *t = test_calloc(1, sizeof(*t));
	struct scscf_conf conf;

	core_conf(&conf);
	t->c = core_alloc(&conf, NULL);
	ue_init(&t->a, t->c, 1);
	ue_init(&t->b, t->c, 2);
	ue_attach(&t->a);
	ue_attach(&t->b);
	*state = t;
	return 0;
}

int core_pair_teardown(void **state)
{
	struct core_pair *t = *state;

	core_wait(t->c, 64000); /* transactions end */
	if (t->c->scscf)
		assert_int_equal(scscf_pending(t->c->scscf), 0);
	core_free(t->c);
	test_free(t);
	return 0;
}
