/* Authentication vectors: the AuC (TS 33.102 6.3.2, 6.3.5, Annex C). */
#include "control/hss/internal.h"

#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "crypto/secret.h"

/* SEQ `block` further on, with the highest IND: at least any of the next `block` numbers. */
static uint64_t sqn_ahead(uint64_t sqn, uint32_t block)
{
	uint64_t seq = (sqn >> SQN_IND_BITS) + block;

	return seq > SQN_MAX >> SQN_IND_BITS ? SQN_MAX : seq << SQN_IND_BITS | (SQN_INDS - 1);
}

/* What must be written before vectors up to SQN `last` go out */
static int state_write(struct hss *h, const struct cx_request *r, struct store_row *row,
		       uint64_t base, uint64_t last, unsigned n, bool reset)
{
	uint64_t sqn = row->sqn;

	if (reset || last > sqn)
		sqn = sqn_ahead(base, n > h->sqn_block ? n : h->sqn_block);
	return hss_pending_write(h, r, row, sqn);
}

/*
 * The highest SQN given out, or where AUTS puts it (TS 33.102 6.3.5): SQN_HE stays if the next one
 * is fresh for the card, else it becomes SQN_MS.
 */
static enum cx_result base_find(struct hss *h, const struct cx_request *r,
				const struct store_row *row, const struct milenage_key *key,
				uint64_t *base, bool *reset)
{
	uint64_t sqn_ms;

	*reset = false;
	*base = sqn_cache_given(&h->sqns, row->id, row->sqn);
	if (!r->resync)
		return CX_SUCCESS;
	if (aka_auts_check(&sqn_ms, key, r->rand, r->auts) != AKA_OK)
		return CX_AUTH_REJECTED;
	if (!sqn_next_fits(*base, sqn_ms)) {
		*base = sqn_ms;
		*reset = true;
	}
	return CX_SUCCESS;
}

/* Takes n numbers after base, in the file before they are in anybody's hand. */
static int sqns_take(struct hss *h, const struct cx_request *r, struct store_row *row,
		     uint64_t base, bool reset, uint64_t *sqn, unsigned n)
{
	uint64_t last = base;
	int err;

	for (unsigned i = 0; i < n; i++) {
		last = sqn_next(last);
		if (last == 0) {
			fprintf(stderr, "hss: %s: sequence numbers used up\n", row->impi);
			return -EIO;
		}
		sqn[i] = last;
	}
	err = state_write(h, r, row, base, last, n, reset);
	if (!err)
		sqn_cache_put(&h->sqns, row->id, row->sqn, last);
	return err;
}

enum cx_result hss_vectors_make(struct hss *h, const struct cx_request *r, struct store_row *row,
				struct cx_answer *a, bool *again)
{
	unsigned n = r->n_vectors < 1 ? 1 : r->n_vectors;
	struct milenage_key key;
	uint64_t base, sqn[CX_MAX_VECTORS];
	uint8_t amf[2], rand[16];
	bool reset;
	int err;
	enum cx_result result = CX_UNABLE;

	if (n > CX_MAX_VECTORS)
		n = CX_MAX_VECTORS;
	if (store_keys(&h->store, row->id, &key, amf) < 0)
		goto out;
	result = base_find(h, r, row, &key, &base, &reset);
	if (result != CX_SUCCESS)
		goto out;
	err = sqns_take(h, r, row, base, reset, sqn, n);
	*again = err == -EAGAIN;
	if (err) {
		result = CX_UNABLE;
		goto out;
	}
	for (unsigned i = 0; i < n; i++) {
		secret_random(rand, sizeof(rand));
		aka_vector_make(&a->vectors[i], &key, amf, sqn[i], rand);
	}
	a->n_vectors = n;
out:
	sodium_memzero(&key, sizeof(key));
	return result;
}
