/*
 * HSS: subscribers in SQLite, authentication vectors, registration flags (TS 33.203 6.1,
 * TS 29.228).
 *
 * SQN is persisted ahead: before a number is given out, the store holds one at least as high, so a
 * crash skips some and repeats none.
 */
#pragma once

#include <stdint.h>

#include "control/cx/cx.h"

struct hss;

struct hss_conf {
	const char *path;      /* database file; ":memory:" for tests */
	uint32_t sqn_block;    /* sequence numbers reserved per write, >= 1; default 32 */
	bool synchronous_full; /* fsync each reservation: survives power loss, not only crashes */
};

int hss_alloc(struct hss **hp, const struct hss_conf *conf); /* -EIO with a message on stderr */
void hss_free(struct hss *h);

struct cx hss_cx(struct hss *h);

#define HSS_MAX_IDENTITY 256
struct hss_subscriber { /* wipe after use */
	char impi[HSS_MAX_IDENTITY];
	unsigned n_impus;
	char impus[CX_MAX_IMPUS]
		  [HSS_MAX_IDENTITY]; /* one implicit registration set, default first; canonical */
	uint8_t k[16], opc[16], amf[2];
	uint64_t sqn; /* highest given out (listing), or where to start (adding) */
};

/* -EEXIST, -EINVAL (identities), -EIO */
int hss_subscriber_add(struct hss *h, const struct hss_subscriber *s);
int hss_subscriber_del(struct hss *h, struct sv impi); /* -ENOENT */
/* Many adds in one transaction between these two. */
int hss_batch_begin(struct hss *h);
int hss_batch_end(struct hss *h);

/* Calls each in order of IMPI, k and opc left zero; a handler that returns false ends it. */
typedef bool hss_subscriber_h(void *arg, const struct hss_subscriber *s, enum cx_registration flag);
int hss_subscriber_each(struct hss *h, hss_subscriber_h *handler, void *arg);
unsigned hss_subscribers(struct hss *h);
