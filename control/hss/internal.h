/* Shared by the files of hss/ only. */
#pragma once

#include "control/hss/hss.h"
#include "control/hss/nonces.h"
#include "control/hss/sqn_cache.h"
#include "control/hss/store.h"

struct hss {
	struct store store;
	struct sqn_cache sqns;
	struct nonces nonces;
	struct hss_digest_conf digest;
	char *digest_texts; /* what its pointers point into */
	uint32_t sqn_block;
	unsigned subscribers;
	char path[];
};

/*
 * Before a challenge goes out: the flag of a user who is not registered becomes pending, and the
 * asking S-CSCF is noted (TS 29.228 6.3.1); `sqn` as in store_update(). Writes only what changes.
 */
int hss_pending_write(struct hss *h, const struct cx_request *r, struct store_row *row,
		      uint64_t sqn);

/* ---- digest.c ---- */
int hss_digest_init(struct hss *h, const struct hss_digest_conf *conf);
/* Answers a MAR with the vector of SIP Digest; H(A1) to be wiped. *again as below. */
enum cx_result hss_digest_offer(struct hss *h, const struct cx_request *r, struct store_row *row,
				struct cx_answer *a, uint64_t now, bool *again);
/* CM5: is the response right, and is its nonce one of ours (DH-04, DF-08)? */
enum cx_result hss_digest_check(struct hss *h, const struct cx_request *r, struct store_row *row,
				struct cx_answer *a, uint64_t now);

/*
 * Answers a MAR: vectors, and with AUTS resynchronisation first. Vectors in *a must be wiped by the
 * caller. *again: the row is out of date, read it again.
 */
enum cx_result hss_vectors_make(struct hss *h, const struct cx_request *r, struct store_row *row,
				struct cx_answer *a, bool *again);
