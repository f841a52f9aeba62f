/*
 * The subscriber database: one SQLite file. Tables:
 *
 *   subscriber  one per IMPI: AKA keys and AMF (NULL: Digest only), SQN (at least the highest ever
 *               given out), registration flag of its implicit registration set, name of its S-CSCF
 *               (NULL: none), who checks Digest responses (enum hss_variant)
 *   impu        one per IMPU: whose it is, and its place in the set (0: the default IMPU)
 *   digest      H(A1) by subscriber, realm and hash (enum hss_hash)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "control/cx/cx.h"
#include "control/hss/hss.h"
#include "crypto/milenage.h"

enum store_query {
	STORE_FIND,	    /* by IMPI, and is this IMPU its own? */
	STORE_FIND_IMPU,    /* by IMPU */
	STORE_KEYS,	    /* of a subscriber */
	STORE_SET,	    /* IMPUs of a subscriber */
	STORE_UPDATE_STATE, /* SQN, flag, S-CSCF, if SQN is still what was read */
	STORE_ADD,
	STORE_ADD_IMPU,
	STORE_DEL,
	STORE_LIST,
	STORE_COUNT,
	STORE_DIGESTS, /* of a subscriber */
	STORE_PUT_DIGEST,
	STORE_DEL_DIGEST, /* of a realm */
	STORE_QUERIES,
};

struct store {
	sqlite3 *db;
	const char *path; /* for messages */
	sqlite3_stmt *query[STORE_QUERIES];
	bool batch; /* inside hss_batch_begin() and _end() */
};

/* A subscriber without keys. */
struct store_row {
	int64_t id;
	uint64_t sqn;
	enum cx_registration flag;
	bool aka; /* has keys */
	enum hss_variant variant;
	bool owns_impu; /* STORE_FIND: the IMPU asked for is this subscriber's */
	char impi[HSS_MAX_IDENTITY];
	char scscf[HSS_MAX_IDENTITY]; /* empty: none */
	char realm[HSS_MAX_IDENTITY]; /* not in the row: of the Digest chosen */
};

struct store_impus { /* an implicit registration set */
	unsigned n;
	char text[CX_MAX_IMPUS][HSS_MAX_IDENTITY];
};

int store_open(struct store *s, const struct hss_conf *conf); /* -EIO with a message */
void store_close(struct store *s);
/* Says what SQLite has against us; returns -EIO. */
int store_fail(const struct store *s, const char *doing);

/* 0, -ENOENT or -EIO */
int store_find(struct store *s, struct sv impi, struct sv impu, struct store_row *row);
int store_find_impu(struct store *s, struct sv impu, struct store_row *row);
int store_keys(struct store *s, int64_t id, struct milenage_key *key, uint8_t amf[2]);
/* H(A1)s, at most HSS_MAX_REALMS, to be wiped; -EIO */
int store_digests(struct store *s, int64_t id, struct hss_digest *digests, unsigned *n);
int store_impus(struct store *s, int64_t id, struct store_impus *impus);

/*
 * Writes row's flag and scscf, and `sqn`, if the stored SQN is still row->sqn; then row->sqn = sqn.
 * On return it is in the file, in a batch too. -EAGAIN: somebody else changed SQN, read again.
 */
int store_update(struct store *s, struct store_row *row, uint64_t sqn);

/* Binds text; SQLite does not copy it, so it must live until store_done(). */
int store_bind_text(sqlite3_stmt *q, int place, struct sv text);
/* Ends a query: lets go of what it points to. */
void store_done(sqlite3_stmt *q);
int store_exec(struct store *s, const char *sql);

/* ---- schema.c ---- */
/* Makes a new file ours, brings an older one up to date; -EIO with a message for any other. */
int schema_check(struct store *s);
int schema_integrity_check(struct store *s); /* -EIO with a message */
