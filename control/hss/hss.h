/*
 * HSS: subscribers in SQLite, authentication vectors, SIP Digest, registration flags
 * (TS 33.203 6.1, Annex N, TS 29.228).
 *
 * SQN is persisted ahead: before a number is given out, the store holds one at least as high, so a
 * crash skips some and repeats none.
 */
#pragma once

#include <stdint.h>

#include "control/cx/cx.h"

struct hss;

#define HSS_MAX_IDENTITY 256

/* Who checks Digest responses (TS 33.203 N.2, N.3) */
enum hss_variant { HSS_VARIANT_DEFAULT, HSS_VARIANT_SCSCF, HSS_VARIANT_HSS };

struct hss_digest_conf { /* zero: MD5 in the S-CSCF variant, in the realm that subscribers have */
	const char *realm, *domain; /* of challenges; NULL: what there is; none */
	enum hss_variant variant;
	const char *const *hss_realms; /* realms that have the HSS variant anyway */
	unsigned n_hss_realms;
	unsigned n_algorithms; /* allowed, the preferred first; none: MD5 */
	enum digest_algorithm algorithms[CX_MAX_DIGESTS];
	bool without_qop;	 /* clients that know no qop are good enough */
	bool before_aka;	 /* who has both is asked for Digest if nothing is against it */
	uint32_t nonce_wait;	 /* s that a nonce waits for its first answer; 0: 240 */
	uint32_t nonce_lifetime; /* s that it lasts after that; 0: 3600 */
};

struct hss_conf {
	const char *path;      /* database file; ":memory:" for tests */
	uint32_t sqn_block;    /* sequence numbers reserved per write, >= 1; default 32 */
	bool synchronous_full; /* fsync each reservation: survives power loss, not only crashes */
	struct hss_digest_conf digest;
};

int hss_alloc(struct hss **hp, const struct hss_conf *conf); /* -EIO with a message on stderr */
void hss_free(struct hss *h);

struct cx hss_cx(struct hss *h);

enum hss_hash { HSS_MD5, HSS_SHA256, HSS_HASHES };
#define HSS_MAX_REALMS 4

/* H(A1) of one realm: H(IMPI:realm:password). */
struct hss_digest {
	char realm[HSS_MAX_IDENTITY];
	char ha1[HSS_HASHES][DIGEST_HEX]; /* hex; empty: none */
};

struct hss_subscriber { /* wipe after use */
	char impi[HSS_MAX_IDENTITY];
	unsigned n_impus;
	char impus[CX_MAX_IMPUS]
		  [HSS_MAX_IDENTITY]; /* one implicit registration set, default first; canonical */
	bool no_aka;		      /* neither k, opc nor amf: Digest only */
	uint8_t k[16], opc[16], amf[2];
	enum hss_variant variant;
	unsigned n_digests; /* 0: AKA only */
	struct hss_digest digests[HSS_MAX_REALMS];
	uint64_t sqn; /* highest given out (listing), or where to start (adding) */
};

/* -EEXIST, -EINVAL (identities), -EIO */
int hss_subscriber_add(struct hss *h, const struct hss_subscriber *s);
int hss_subscriber_del(struct hss *h, struct sv impi); /* -ENOENT */
/* Many adds in one transaction between these two. */
int hss_batch_begin(struct hss *h);
int hss_batch_end(struct hss *h);

/* H(A1) of a password, for each hash. s->impi must be set. -E2BIG: too many realms, or too long */
int hss_subscriber_password(struct hss_subscriber *s, struct sv realm, const void *password,
			    size_t n);
/* New H(A1)s in place of those of the same realm; s has the IMPI and them. -ENOENT, -EINVAL, -EIO,
 * -E2BIG: more than HSS_MAX_REALMS then */
int hss_subscriber_digest_set(struct hss *h, const struct hss_subscriber *s);
/* Calls each in order of IMPI, k, opc and ha1 left zero; a handler that returns false ends it. */
typedef bool hss_subscriber_h(void *arg, const struct hss_subscriber *s, enum cx_registration flag);
int hss_subscriber_each(struct hss *h, hss_subscriber_h *handler, void *arg);
unsigned hss_subscribers(struct hss *h);
