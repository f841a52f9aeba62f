/* Shared by the files of hss/ only. */
#pragma once

#include "control/hss/hss.h"
#include "control/hss/sqn_cache.h"
#include "control/hss/store.h"

struct hss {
	struct store store;
	struct sqn_cache sqns;
	uint32_t sqn_block;
	unsigned subscribers;
	char path[];
};

/*
 * Answers a MAR: vectors, and with AUTS resynchronisation first. Vectors in *a must be wiped by the
 * caller. *again: the row is out of date, read it again.
 */
enum cx_result hss_vectors_make(struct hss *h, const struct cx_request *r, struct store_row *row,
				struct cx_answer *a, bool *again);
