/* The HSS's answers on Cx (TS 29.228 clause 6). */
#include "control/hss/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#define SQN_BLOCK_DEFAULT 32
#define SQN_BLOCK_MAX                                                                              \
	(UINT32_C(1) << 20) /* a fraction of what a card takes as one jump (SQN_DELTA) */

static int subscribers_count(struct hss *h)
{
	sqlite3_stmt *q = h->store.query[STORE_COUNT];
	int err = 0;

	if (sqlite3_step(q) == SQLITE_ROW)
		h->subscribers = (unsigned)sqlite3_column_int64(q, 0);
	else
		err = store_fail(&h->store, "counting subscribers");
	store_done(q);
	return err;
}

int hss_alloc(struct hss **hp, const struct hss_conf *conf)
{
	size_t n = strlen(conf->path) + 1;
	struct hss *h = calloc(1, sizeof(*h) + n);
	struct hss_conf own = *conf;
	int err;

	if (!h)
		return -ENOMEM;
	memcpy(h->path, conf->path, n);
	own.path = h->path;
	h->sqn_block = conf->sqn_block ? conf->sqn_block : SQN_BLOCK_DEFAULT;
	if (h->sqn_block > SQN_BLOCK_MAX)
		h->sqn_block = SQN_BLOCK_MAX;
	err = sqn_cache_alloc(&h->sqns);
	if (!err)
		err = nonces_alloc(&h->nonces);
	if (!err)
		err = hss_digest_init(h, &conf->digest);
	if (!err)
		err = store_open(&h->store, &own);
	if (!err)
		err = subscribers_count(h);
	if (err) {
		hss_free(h);
		return err;
	}
	*hp = h;
	return 0;
}

void hss_free(struct hss *h)
{
	if (!h)
		return;
	store_close(&h->store);
	sqn_cache_free(&h->sqns);
	nonces_free(&h->nonces);
	free(h->digest_texts);
	free(h);
}

/* ---- Cx ----------------------------------------------------------------------------------- */

static enum cx_result result_of(int err)
{
	return err == 0 ? CX_SUCCESS : err == -ENOENT ? CX_USER_UNKNOWN : CX_UNABLE;
}

/* The subscriber of a request, if IMPI and IMPU belong together. */
static enum cx_result subscriber_find(struct hss *h, const struct cx_request *r,
				      struct store_row *row)
{
	enum cx_result result = result_of(store_find(&h->store, r->impi, r->impu, row));

	if (result == CX_SUCCESS && !row->owns_impu)
		result = CX_IDENTITIES_DONT_MATCH;
	return result;
}

static enum cx_result registration_query(struct hss *h, const struct cx_request *r,
					 struct store_row *row)
{
	return subscriber_find(h, r, row);
}

static enum cx_result location_query(struct hss *h, const struct cx_request *r,
				     struct store_row *row)
{
	return result_of(store_find_impu(&h->store, r->impu, row));
}

int hss_pending_write(struct hss *h, const struct cx_request *r, struct store_row *row,
		      uint64_t sqn)
{
	bool pending = row->flag == CX_NOT_REGISTERED;
	bool moved = !sv_eq(sv_of(row->scscf), r->scscf);

	if (!pending && !moved && sqn == row->sqn)
		return 0;
	if (r->scscf.n >= sizeof(row->scscf))
		return -EIO;
	if (pending)
		row->flag = CX_PENDING;
	if (moved)
		snprintf(row->scscf, sizeof(row->scscf), "%.*s", SV_ARG(r->scscf));
	return store_update(&h->store, row, sqn);
}

/* DN-09: the scheme is the HSS's to choose, within what the S-CSCF can take. */
static enum cx_result authentication(struct hss *h, const struct cx_request *r,
				     struct store_row *row, struct cx_answer *a, uint64_t now,
				     bool *again)
{
	enum cx_result result = CX_SCHEME_NOT_SUPPORTED;
	bool aka = row->aka && r->scheme != CX_SCHEME_DIGEST;
	bool digest = r->scheme != CX_SCHEME_AKA && !r->resync;

	if (digest && (!aka || r->prefers_digest || h->digest.before_aka))
		result = hss_digest_offer(h, r, row, a, now, again);
	if (aka && result == CX_SCHEME_NOT_SUPPORTED) {
		a->scheme = CX_SCHEME_AKA;
		result = hss_vectors_make(h, r, row, a, again);
	}
	return result;
}

/* Somebody else may have written to the same file meanwhile: then once more. */
static enum cx_result authentication_query(struct hss *h, const struct cx_request *r,
					   struct store_row *row, struct cx_answer *a, uint64_t now)
{
	enum cx_result result = CX_UNABLE;
	bool again = true;

	for (unsigned tries = 0; again && tries < 10; tries++) {
		again = false;
		result = subscriber_find(h, r, row);
		if (result != CX_SUCCESS)
			break;
		a->flag = row->flag;
		result = authentication(h, r, row, a, now, &again);
	}
	return result;
}

static enum cx_result check_query(struct hss *h, const struct cx_request *r, struct store_row *row,
				  struct cx_answer *a, uint64_t now)
{
	enum cx_result result = subscriber_find(h, r, row);

	a->flag = row->flag;
	return result == CX_SUCCESS ? hss_digest_check(h, r, row, a, now) : result;
}

static int assignment_write(struct hss *h, const struct cx_request *r, struct store_row *row)
{
	enum cx_registration flag = r->put;
	struct sv scscf = flag == CX_REGISTERED	      ? r->scscf
			  : flag == CX_NOT_REGISTERED ? (struct sv){0}
						      : sv_of(row->scscf);

	if (row->flag == flag && sv_eq(scscf, sv_of(row->scscf)))
		return 0;
	if (scscf.n >= sizeof(row->scscf))
		return -EINVAL;
	row->flag = flag;
	if (scscf.p != row->scscf)
		snprintf(row->scscf, sizeof(row->scscf), "%.*s", SV_ARG(scscf));
	return store_update(&h->store, row, row->sqn);
}

/* SAR: only the S-CSCF that has the user may give it up (TS 29.228 6.1.2.1). */
static enum cx_result assignment(struct hss *h, const struct cx_request *r, struct store_row *row,
				 struct cx_answer *a, struct store_impus *impus)
{
	enum cx_result result = subscriber_find(h, r, row);
	int err;

	if (result != CX_SUCCESS)
		return result;
	a->flag = row->flag;
	if (r->put != CX_REGISTERED && row->scscf[0] && !sv_eq(sv_of(row->scscf), r->scscf))
		return CX_UNABLE;
	err = store_impus(&h->store, row->id, impus);
	if (!err)
		err = assignment_write(h, r, row);
	for (unsigned i = 0; i < impus->n; i++)
		a->impus[i] = sv_of(impus->text[i]);
	a->n_impus = impus->n;
	return err ? CX_UNABLE : CX_SUCCESS;
}

static void request(void *ctx, const struct cx_request *r, cx_answer_h *handler, void *arg,
		    uint64_t now)
{
	struct hss *h = ctx;
	struct store_row row = {0};
	struct store_impus impus;
	struct cx_answer a = {.result = CX_UNABLE};

	impus.n = 0;
	switch (r->command) {
	case CX_UAR:
		a.result = registration_query(h, r, &row);
		a.flag = row.flag;
		break;
	case CX_LIR:
		a.result = location_query(h, r, &row);
		a.flag = row.flag;
		break;
	case CX_MAR:
		a.result = authentication_query(h, r, &row, &a, now);
		break;
	case CX_CHECK:
		a.result = check_query(h, r, &row, &a, now);
		break;
	case CX_SAR:
		a.result = assignment(h, r, &row, &a, &impus);
		break;
	case CX_COMMANDS:
		break;
	}
	if (a.result == CX_SUCCESS) {
		a.scscf = sv_of(row.scscf);
		a.impi = sv_of(row.impi);
	}
	handler(arg, &a, now);
	sodium_memzero(a.vectors, sizeof(a.vectors));
	sodium_memzero(&a.digest, sizeof(a.digest));
}

struct cx hss_cx(struct hss *h)
{
	return (struct cx){.ctx = h, .request = request};
}

unsigned hss_subscribers(struct hss *h)
{
	return h->subscribers;
}

int hss_batch_begin(struct hss *h)
{
	int err = h->store.batch ? -EBUSY : store_exec(&h->store, "BEGIN IMMEDIATE");

	if (!err)
		h->store.batch = true;
	return err;
}

int hss_batch_end(struct hss *h)
{
	int err;

	if (!h->store.batch)
		return 0;
	h->store.batch = false;
	err = store_exec(&h->store, "COMMIT");
	if (err) {
		sqlite3_exec(h->store.db, "ROLLBACK", NULL, NULL, NULL);
		(void)subscribers_count(h);
	}
	return err;
}
