/*
 * Any SIP text into Mw, at S-CSCF and I-CSCF. Each message but the last ends in "----" and 's' or
 * 'i', its receiver. The seeds register a user with a right answer. Whatever comes, all that is
 * pending drains in time.
 */
#include <assert.h>
#include <stdlib.h>

#include "control/base/timer.h"
#include "control/icscf/icscf.h"
#include "control/scscf/scscf.h"

#define SEPARATOR "----"
#define MESSAGES  64 /* per input, with what comes of them: no endless loops */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *arg, struct sv text, uint64_t now)
{
	(void)arg;
	(void)text;
	(void)now;
}

/*
 * SIP Digest with the password "p": d@h is checked by the HSS and has always the same nonce, so
 * that an input can hold a right answer; e@h is checked by the S-CSCF.
 */
static void digest_offer(const struct cx_request *r, struct cx_answer *a)
{
	static const enum digest_algorithm algorithms[] = {DIGEST_SHA256, DIGEST_MD5};
	struct cx_digest *d = &a->digest;
	struct digest_input in = {.username = r->impi, .realm = SV("h")};

	a->scheme = CX_SCHEME_DIGEST;
	*d = (struct cx_digest){.realm = SV("h"), .opaque = "o", .without_qop = true, .n = 2};
	for (unsigned i = 0; i < 2; i++) {
		d->choice[i].algorithm = in.algorithm = algorithms[i];
		if (sv_eq(r->impi, SV("e@h")))
			digest_ha1(d->choice[i].ha1, &in, "p", 1);
		else
			memcpy(d->nonce, "n", 2);
	}
}

static void digest_check(const struct cx_request *r, struct cx_answer *a)
{
	char ha1[DIGEST_HEX], response[DIGEST_HEX];

	digest_ha1(ha1, &r->digest, "p", 1);
	digest_response(response, &r->digest, ha1);
	digest_rspauth(a->rspauth, &r->digest, ha1);
	if (!sv_caseeq(r->response, sv_of(response))) {
		a->result = CX_AUTH_REJECTED;
	} else if (!sv_eq(r->digest.nonce, SV("n"))) {
		a->result = CX_NONCE_STALE;
		digest_offer(r, a);
	}
}

static bool by_digest(struct sv impi)
{
	return sv_eq(impi, SV("d@h")) || sv_eq(impi, SV("e@h"));
}

/* An HSS whose vectors are all zero, so that an input can hold a right answer. */
static void hss(void *ctx, const struct cx_request *r, cx_answer_h *handler, void *arg,
		uint64_t now)
{
	const struct sv impus[] = {{"sip:u@h", 7}, {"tel:+1", 6}, {"sip:s@s", 7}};
	struct cx_answer a = {.result = CX_USER_UNKNOWN};

	(void)ctx;
	for (unsigned i = 0; i < 3; i++)
		if (sv_eq(r->impu, impus[i]))
			a.result = CX_SUCCESS;
	if (r->command != CX_LIR && !sv_eq(r->impi, SV("u@h")) && !by_digest(r->impi))
		a.result = CX_NOT_ALLOWED;
	if (a.result == CX_SUCCESS) {
		a.scscf = SV("sip:s");
		a.n_vectors = r->n_vectors;
		a.n_impus = 3;
		memcpy(a.impus, impus, sizeof(impus));
	}
	if (a.result == CX_SUCCESS && r->command == CX_MAR && by_digest(r->impi))
		digest_offer(r, &a);
	if (a.result == CX_SUCCESS && r->command == CX_CHECK)
		digest_check(r, &a);
	handler(arg, &a, now);
}

struct core {
	struct timers *timers;
	struct mw *mw;
	struct icscf *icscf;
	struct scscf *scscf;
};

static void core_make(struct core *c, struct cx cx, bool challenge_protected)
{
	const struct icscf_conf icscf = {.host = "i", .scscf_host = "s"};
	const struct scscf_conf scscf = {.host = "s",
					 .icscf_host = "i",
					 .realm = "h",
					 .expires_default = 600,
					 .expires_min = 60,
					 .expires_max = 3600,
					 .await_auth = 240,
					 .vectors = 2,
					 .challenge_protected = challenge_protected,
					 .trust_ip = !challenge_protected,
					 .tls_required = challenge_protected};

	if (timers_alloc(&c->timers) < 0 || mw_alloc(&c->mw) < 0 ||
	    icscf_alloc(&c->icscf, &icscf, c->mw, cx) < 0 ||
	    scscf_alloc(&c->scscf, &scscf, c->timers, c->mw, cx) < 0 ||
	    mw_attach(c->mw, SV("p"), ignore, NULL) < 0)
		abort();
}

static void core_free(struct core *c)
{
	scscf_free(c->scscf);
	icscf_free(c->icscf);
	mw_free(c->mw);
	timers_free(c->timers);
}

/* The next message of the input, and for whom. */
static struct sv next_message(struct sv *rest, struct sv *host)
{
	const char *end =
		rest->n ? memmem(rest->p, rest->n, SEPARATOR, sizeof(SEPARATOR) - 1) : NULL;
	struct sv text = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
	size_t skip = text.n + (end ? sizeof(SEPARATOR) - 1 : 0);

	*host = SV("s");
	if (end && skip < rest->n && rest->p[skip++] == 'i')
		*host = SV("i");
	*rest = (struct sv){rest->p + skip, rest->n - skip};
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv rest = {(const char *)data, size}, host, text;
	struct core c = {0};
	uint64_t now = 0;

	core_make(&c, (struct cx){.request = hss}, size % 2);
	for (unsigned i = 0; i < MESSAGES && rest.n; i++) {
		text = next_message(&rest, &host);
		mw_send(c.mw, host, text);
		mw_run(c.mw, now);
		if (i % 4 == 3)
			(void)scscf_reauthenticate(c.scscf, SV("u@h"), i, now);
		timers_run(c.timers, now += 7000);
		mw_run(c.mw, now);
	}
	for (unsigned i = 0; i < 20; i++) {
		timers_run(c.timers, now += 1000 * 1000);
		mw_run(c.mw, now);
	}
	assert(scscf_registered(c.scscf) == 0);
	assert(scscf_subscriptions(c.scscf) == 0);
	assert(scscf_pending(c.scscf) == 0);
	assert(timers_count(c.timers) == 0);
	assert(scscf_impossible(c.scscf) == 0);
	core_free(&c);
	return 0;
}
