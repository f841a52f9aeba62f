/*
 * A man in the middle of the access who would have the UE and the P-CSCF take less than both have:
 * with a real UE, P-CSCF and core, and all that can be read in clear in his hands. TLS is modelled:
 * what goes by it, he cannot touch.
 */
#include <stdlib.h>

#include "control/hss/hss.h"
#include "control/icscf/icscf.h"
#include "control/pcscf/pcscf.h"
#include "control/scscf/scscf.h"
#include "control/ue/ue.h"
#include "crypto/secret.h"
#include "tests/support/test.h"

#define REALM	 "home.test"
#define TEXT_MAX 8192
#define MS	 300000 /* longer than any transaction and challenge */

struct packet {
	struct packet *next;
	bool up; /* to the P-CSCF */
	struct sip_flow flow;
	size_t n;
	char text[TEXT_MAX];
};

enum world_kind {
	USUAL,
	OPTIONAL,    /* the P-CSCF lets UEs in without agreement */
	SHA256_ONLY, /* the UE answers no MD5 challenge */
	KINDS,
};

struct attack {
	bool up;
	const char *field, *from,
		*to; /* in lines of that field; to NULL: the line goes; from NULL:
		      * the line is doubled, from "": field values change places */
};

struct world {
	struct timers *timers;
	struct mw *mw;
	struct hss *hss;
	struct icscf *icscf;
	struct scscf *scscf;
	struct pcscf *pcscf;
	struct ue *ue;
	struct packet *head, **tail;
	uint64_t now, sessions;
	const struct attack *up, *down;
	unsigned attacked[2]; /* down, up */
	unsigned clear_answers, events[UE_UNPROTECTED + 1];
	/* What answers inside TLS said; both ends have SHA-256, and qop */
	unsigned sha256, md5, without_qop;
};

/* ---- the man in the middle ------------------------------------------------------------------ */

static const char *line_of(const char *text, const char *field)
{
	size_t n = strlen(field);

	for (const char *at = text; (at = strstr(at, "\r\n")) && at[2] != '\r';) {
		at += 2;
		if (strncasecmp(at, field, n) == 0 && at[n] == ':')
			return at;
	}
	return NULL;
}

/* "a, b" to "b, a" */
static bool value_turn(const char *line, size_t n, struct sbuf *b)
{
	const char *colon = memchr(line, ':', n), *comma = colon ? memchr(line, ',', n) : NULL;

	if (!comma)
		return false;
	sbuf_printf(b, "%.*s%.*s,%.*s\r\n", (int)(colon + 1 - line), line,
		    (int)(line + n - 2 - comma - 1), comma + 1, (int)(comma - colon - 1),
		    colon + 1);
	return true;
}

static bool line_change(const struct attack *a, const char *line, size_t n, struct sbuf *b)
{
	const char *at;

	if (!a->from) {
		sbuf_printf(b, "%.*s%.*s", (int)n, line, (int)n, line);
		return true;
	}
	if (!*a->from)
		return value_turn(line, n, b);
	if (!a->to)
		return true;
	at = memmem(line, n, a->from, strlen(a->from));
	if (!at)
		return false;
	sbuf_printf(b, "%.*s%s%.*s", (int)(at - line), line, a->to,
		    (int)(line + n - at - (ptrdiff_t)strlen(a->from)), at + strlen(a->from));
	return true;
}

static void tamper(struct world *w, struct packet *k)
{
	const struct attack *a = k->up ? w->up : w->down;
	const char *line, *end;
	char text[TEXT_MAX];
	struct sbuf b = sbuf_of(text, sizeof(text));

	if (!a || k->flow.session)
		return;
	line = line_of(k->text, a->field);
	if (!line)
		return;
	end = strstr(line, "\r\n") + 2;
	sbuf_printf(&b, "%.*s", (int)(line - k->text), k->text);
	if (!line_change(a, line, (size_t)(end - line), &b))
		return;
	sbuf_printf(&b, "%s", end);
	assert_false(b.overflow);
	memcpy(k->text, text, b.n);
	k->n = b.n;
	k->text[k->n] = '\0';
	w->attacked[k->up]++;
}

/* ---- the access ------------------------------------------------------------------------------ */

static bool holds(struct sv text, const char *what)
{
	return memmem(text.p, text.n, what, strlen(what));
}

static void answer_watch(struct world *w, const struct sip_flow *flow, struct sv text)
{
	if (!holds(text, "response=\"") || holds(text, "response=\"\""))
		return;
	if (!flow->session) {
		w->clear_answers++;
		return;
	}
	if (holds(text, "algorithm=SHA-256,"))
		w->sha256++;
	else
		w->md5++;
	w->without_qop += !holds(text, "qop=auth,");
}

static void transmit(struct world *w, bool up, const struct sip_flow *flow, struct sv text)
{
	struct packet *k = calloc(1, sizeof(*k));

	assert_non_null(k);
	assert_true(text.n < TEXT_MAX);
	assert_int_equal(flow->set, 0); /* Digest has no SAs */
	k->up = up;
	k->flow = *flow;
	k->n = text.n;
	memcpy(k->text, text.p, text.n);
	if (up)
		answer_watch(w, flow, text);
	tamper(w, k);
	*w->tail = k;
	w->tail = &k->next;
}

static void ue_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	(void)u;
	transmit(ctx, true, flow, text);
}

static int ue_stream_send(void *ctx, struct ue *u, const struct sip_flow *flow, struct sv text)
{
	struct sip_flow f = *flow;
	struct world *w = ctx;

	(void)u;
	if (!f.session)
		f.session = ++w->sessions;
	transmit(w, true, &f, text);
	return 0;
}

static void edge_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	transmit(ctx, false, flow, text);
}

static int edge_stream_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	transmit(ctx, false, flow, text);
	return 0;
}

static void ue_hang_up(void *ctx, struct ue *u, const struct sip_flow *flow)
{
	(void)ctx;
	(void)u;
	(void)flow;
}

static void edge_hang_up(void *ctx, const struct sip_flow *flow)
{
	(void)ctx;
	(void)flow;
}

static int no_sa(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set)
{
	(void)ctx;
	(void)avoid;
	(void)n;
	(void)set;
	fail_msg("SAs for Digest");
	return -ENOSPC;
}

static int no_install(void *ctx, const struct sa_set *set)
{
	(void)ctx;
	(void)set;
	return -ENOSPC;
}

static void no_remove(void *ctx, sa_set_id id)
{
	(void)ctx;
	(void)id;
}

static void event(void *ctx, struct ue *u, enum ue_event e, struct sv text, uint64_t now)
{
	(void)u;
	(void)text;
	(void)now;
	((struct world *)ctx)->events[e]++;
}

static void deliver(struct world *w, const struct packet *k)
{
	struct sip_flow f = k->flow;

	f.local = k->flow.remote;
	f.remote = k->flow.local;
	if (k->up)
		pcscf_input(w->pcscf, &f, (struct sv){k->text, k->n}, w->now);
	else
		ue_input(w->ue, &f, (struct sv){k->text, k->n}, w->now);
}

static void step(struct world *w)
{
	struct packet *k;

	mw_run(w->mw, w->now);
	while ((k = w->head)) {
		w->head = k->next;
		if (!w->head)
			w->tail = &w->head;
		deliver(w, k);
		free(k);
		mw_run(w->mw, w->now);
	}
}

static void run(struct world *w, uint64_t ms)
{
	uint64_t end = w->now + ms, due;

	for (;;) {
		step(w);
		due = timers_run(w->timers, w->now);
		step(w);
		if (due > end)
			break;
		w->now = due > w->now ? due : w->now + 1;
	}
	w->now = end;
}

/* ---- who takes part -------------------------------------------------------------------------- */

static void core_make(struct world *w)
{
	struct hss_conf hss = {
		.path = ":memory:",
		.sqn_block = 32,
		.digest = {.algorithms = {DIGEST_SHA256, DIGEST_MD5}, .n_algorithms = 2}};
	struct icscf_conf icscf = {.host = "icscf." REALM, .scscf_host = "scscf." REALM};
	struct scscf_conf scscf = {.host = "scscf." REALM,
				   .icscf_host = "icscf." REALM,
				   .realm = REALM,
				   .expires_default = 3600,
				   .expires_min = 60,
				   .expires_max = 7200,
				   .await_auth = 240,
				   .vectors = 1};
	struct hss_subscriber s = {
		.impi = "u@" REALM, .n_impus = 1, .impus = {"sip:u@" REALM}, .no_aka = true};

	assert_int_equal(hss_alloc(&w->hss, &hss), 0);
	assert_int_equal(hss_subscriber_password(&s, SV(REALM), "secret", 6), 0);
	assert_int_equal(hss_subscriber_add(w->hss, &s), 0);
	assert_int_equal(icscf_alloc(&w->icscf, &icscf, w->mw, hss_cx(w->hss)), 0);
	assert_int_equal(scscf_alloc(&w->scscf, &scscf, w->timers, w->mw, hss_cx(w->hss)), 0);
}

static void world_make(struct world *w, bool edge_has_tls, bool tls_first, enum world_kind kind)
{
	struct pcscf_env edge = {.ctx = w,
				 .send = edge_send,
				 .sa_reserve = no_sa,
				 .sa_install = no_install,
				 .sa_remove = no_remove,
				 .stream_send = edge_stream_send,
				 .hang_up = edge_hang_up};
	struct ue_env env = {.ctx = w,
			     .send = ue_send,
			     .sa_reserve = no_sa,
			     .sa_install = no_install,
			     .sa_remove = no_remove,
			     .event = event,
			     .stream_send = ue_stream_send,
			     .hang_up = ue_hang_up};
	/* Digest alone is let in, so that there is something to be brought down to */
	struct pcscf_conf conf = {
		.host = "pcscf.visited.test",
		.icscf_host = "icscf." REALM,
		.port_ps = 6060,
		.port_pc_min = 20000,
		.port_pc_max = 20999,
		.choices = {{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
			    {.type = AGREE_TLS}},
		.n_choices = edge_has_tls ? 2 : 1,
		.digest = true,
		.ipsec_required = kind != OPTIONAL,
		.await_auth = 240,
		.guard = 30,
		.linger = 32,
		.max_pending = 100};
	struct ue_conf ue = {.impi = "u@" REALM,
			     .impu = "sip:u@" REALM,
			     .realm = REALM,
			     .port_min = 30000,
			     .port_max = 40000,
			     .expires = 3600,
			     .await_auth = 240,
			     .guard = 30,
			     .protect_or_abort = true,
			     .auth = UE_AUTH_DIGEST,
			     .password = "secret",
			     .sha256_only = kind == SHA256_ONLY,
			     .security = tls_first ? UE_SECURITY_TLS_FIRST : UE_SECURITY_TLS,
			     .local.port = 5060,
			     .pcscf.port = 5060};

	memset(w, 0, sizeof(*w));
	w->tail = &w->head;
	w->now = 1000;
	ip_addr_parse(&conf.access[0].addr, "192.0.2.1");
	conf.access[0].port = 5060;
	ip_addr_parse(&ue.local.addr, "10.1.0.1");
	ue.pcscf.addr = conf.access[0].addr;
	assert_int_equal(secret_init(), 0);
	assert_int_equal(timers_alloc(&w->timers), 0);
	assert_int_equal(mw_alloc(&w->mw), 0);
	core_make(w);
	assert_int_equal(pcscf_alloc(&w->pcscf, &conf, &edge, w->timers, w->mw), 0);
	assert_int_equal(ue_alloc(&w->ue, &ue, &env, w->timers), 0);
}

static void world_free(struct world *w)
{
	ue_free(w->ue);
	pcscf_free(w->pcscf);
	scscf_free(w->scscf);
	icscf_free(w->icscf);
	hss_free(w->hss);
	while (w->head) {
		struct packet *k = w->head;

		w->head = k->next;
		free(k);
	}
	mw_free(w->mw);
	timers_free(w->timers);
}

struct found {
	unsigned tls, address;
};

static bool count(void *arg, const struct pcscf_registration *r)
{
	struct found *f = arg;

	for (unsigned i = 0; r->registered && i < r->n_sets; i++) {
		f->tls += r->sets[i].kind == PCSCF_TLS;
		f->address += r->sets[i].kind == PCSCF_ADDRESS;
	}
	return true;
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* Nobody in between: both ways lead to a registration inside TLS. covers: TS-01, TS-02, TS-05,
 * TS-06, DT-01, DT-04, DN-15, TL-03 */
static void registers(void **state)
{
	struct world w;

	(void)state;
	for (unsigned first = 0; first < 2; first++) {
		struct found f = {0};

		world_make(&w, true, first, USUAL);
		assert_int_equal(ue_register(w.ue, w.now), 0);
		run(&w, 5000);
		pcscf_registration_each(w.pcscf, count, &f);
		assert_int_equal(w.events[UE_REGISTERED], 1);
		assert_int_equal(f.tls, 1);
		assert_int_equal(f.address, 0);
		assert_int_equal(w.clear_answers, 0);
		assert_int_equal(w.sha256, 1);
		run(&w, 3600 * 1000); /* with refreshes */
		assert_true(w.events[UE_REGISTERED] > 1);
		assert_int_equal(w.events[UE_FAILED], 0);
		world_free(&w);
	}
}

static const struct attack attacks[] = {
	/* SM1: remove, alter, duplicate, reorder */
	{true, "Security-Client", "x", NULL},
	{true, "Security-Client", "tls", "ipsec-3gpp"},
	{true, "Security-Client", "tls", "digest;d-qop=auth"},
	{true, "Security-Client", "tls", "tls;q=0.1, digest;q=0.9"},
	{true, "Security-Client", "tls", "xls"},
	{true, "Security-Client", NULL, NULL},
	{true, "Require", "sec-agree", "x"},
	{true, "Require", "x", NULL},
	{true, "Proxy-Require", "x", NULL},
	{true, "Supported", "x", NULL},
	{true, "P-Access-Network-Info", "x", NULL},
	{true, "P-Access-Network-Info", ": ", ": 3GPP-E-UTRAN-FDD; x=\""},
	{true, "Authorization", "x", NULL},
	{true, "Authorization", NULL, NULL},
	/* SM6 */
	{false, "Security-Server", "x", NULL},
	{false, "Security-Server", "tls", "digest"},
	{false, "Security-Server", "tls;q=0.9", "tls;q=0.1, digest;q=0.9"},
	{false, "Security-Server", "q=0.9", "q=0.0"},
	{false, "Security-Server", "q=0.9", "q=0.8"},
	{false, "Security-Server", "tls", "ipsec-3gpp;alg=hmac-md5-96"},
	{false, "Security-Server", NULL, NULL},
	{false, "WWW-Authenticate", "", NULL},
	{false, "WWW-Authenticate", "qop=\"auth\"", "x=y"},
	{false, "WWW-Authenticate", "qop=\"auth\"", "qop=\"auth-int\""},
	{false, "WWW-Authenticate", "algorithm=", "algorithm=MD5-sess, y="},
	{false, "WWW-Authenticate", "algorithm=", "algorithm=AKAv1-MD5, y="},
	{false, "WWW-Authenticate", "nonce=\"", "nonce=\"0"},
	{false, "WWW-Authenticate", "realm=\"", "realm=\"x"},
	{false, "WWW-Authenticate", "x", NULL},
	{false, "WWW-Authenticate", NULL, NULL},
};

static size_t row(const struct attack *a)
{
	return a ? (size_t)(a - attacks) : N_OF(attacks);
}

/*
 * In SM6 the strongest challenge can be taken out, and nothing tells: a UE that takes MD5 at all
 * then gives it, to the P-CSCF and inside TLS. What else he does must not lead there.
 */
static bool is_weaker(const struct world *w, enum world_kind kind)
{
	bool altered = w->down && strcmp(w->down->field, "WWW-Authenticate") == 0;

	return w->clear_answers || w->events[UE_UNPROTECTED] ||
	       (w->without_qop && w->events[UE_REGISTERED]) ||
	       (w->md5 && (kind == SHA256_ONLY || !altered));
}

static void tried(const struct attack *up, const struct attack *down, enum world_kind kind)
{
	struct found f = {0};
	struct world w;

	world_make(&w, true, false, kind);
	w.up = up;
	w.down = down;
	(void)ue_register(w.ue, w.now);
	run(&w, MS);
	pcscf_registration_each(w.pcscf, count, &f);
	if (f.address || is_weaker(&w, kind) || (w.events[UE_REGISTERED] && !f.tls))
		fail_msg("attack %zu, %zu, kind %u: registered %u, tls %u, address %u, clear %u, "
			 "md5 %u, no qop %u",
			 row(up), row(down), kind, w.events[UE_REGISTERED], f.tls, f.address,
			 w.clear_answers, w.md5, w.without_qop);
	if ((up && !w.attacked[true]) || (down && !up && !w.attacked[false]))
		fail_msg("attack %zu, %zu did not happen", row(up), row(down));
	world_free(&w);
}

/*
 * Whatever he does to what can be read: the UE is inside TLS, or not registered, and its password
 * has answered nobody outside. covers: PO-01, PO-02, TS-05, TS-03
 */
static void nothing_brings_them_down(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (const struct attack *a = attacks; a < attacks + N_OF(attacks); a++)
			tried(a->up ? a : NULL, a->up ? NULL : a, kind);
}

/* SM1 and SM6 altered so that they fit. covers: SU-10, SU-12, HX-13 */
static void nor_do_both_directions(void **state)
{
	const struct attack *end = attacks + N_OF(attacks);

	(void)state;
	for (const struct attack *up = attacks; up < end; up++)
		for (const struct attack *down = attacks; up->up && down < end; down++)
			for (unsigned kind = 0; !down->up && kind < KINDS; kind++)
				tried(up, down, kind);
}

/* One who has no TLS to offer gets nothing from a UE that insists on it. covers: PO-01 */
static void without_common_mechanism_the_ue_gives_up(void **state)
{
	struct found f = {0};
	struct world w;

	(void)state;
	world_make(&w, false, false, USUAL);
	(void)ue_register(w.ue, w.now);
	run(&w, MS);
	pcscf_registration_each(w.pcscf, count, &f);
	assert_int_equal(w.events[UE_REGISTERED], 0);
	assert_int_equal(f.tls + f.address, 0);
	assert_int_equal(w.clear_answers, 0);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers),
		cmocka_unit_test(nothing_brings_them_down),
		cmocka_unit_test(nor_do_both_directions),
		cmocka_unit_test(without_common_mechanism_the_ue_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
