/*
 * The nonces of SIP Digest in the HSS variant: the latest one of each subscriber, and how often it
 * has been used. A bounded, direct-mapped table: what falls out is stale, which costs its
 * subscriber one more challenge.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sv.h"

#define NONCES_SIZE                                                                                \
	(UINT32_C(1) << 18) /* entries; a power of two. Untouched ones take no memory              \
			     */
#define NONCE_DIGITS 32	    /* of hex: 128 random bits */

struct nonce_entry {
	int64_t id;	/* of the subscriber; 0: free */
	uint64_t until; /* ms */
	uint8_t octets[NONCE_DIGITS / 2];
	uint64_t nc; /* the highest so far; 0: not answered yet */
};

struct nonces {
	struct nonce_entry *entry;
};

int nonces_alloc(struct nonces *t); /* -ENOMEM */
void nonces_free(struct nonces *t);
/* A fresh one in place of the one before (DF-05). */
void nonces_new(struct nonces *t, int64_t id, uint64_t until, char text[NONCE_DIGITS + 1]);
/* Is it the latest and still good? NULL if not. */
struct nonce_entry *nonces_find(struct nonces *t, int64_t id, struct sv text, uint64_t now);
/* The one that subscriber `id` has, if any, is no more. */
void nonces_forget(struct nonces *t, int64_t id);
