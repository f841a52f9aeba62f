/* An HSS with a subscriber or more, and the cards that go with them. */
#pragma once

#include "tests/support/test.h"

#include "control/hss/hss.h"
#include "crypto/aka.h"

#define H_SCSCF SV("sip:scscf.home.net")
#define H_IMPI	"alice@home.net"
#define H_IMPU	"sip:alice@home.net"
#define H_TEL	"tel:+491701"

/* A copy of an answer that outlives the call. */
struct h_answer {
	unsigned n; /* calls of the handler: 1 */
	uint64_t now;
	enum cx_result result;
	enum cx_registration flag;
	char scscf[256], impi[256];
	unsigned n_impus;
	char impus[CX_MAX_IMPUS][256];
	unsigned n_vectors;
	struct aka_vector vectors[CX_MAX_VECTORS];
	enum cx_scheme scheme;
	struct cx_digest digest; /* realm and domain are below */
	char realm[256], domain[256];
	char rspauth[DIGEST_HEX], nc[16], cnonce[64];
	enum digest_qop qop;
};

/* A directory of its own for a database; h_dir_free() removes it. */
struct h_dir {
	char path[64], file[96];
};
void h_dir_make(struct h_dir *d);
void h_dir_free(struct h_dir *d);

struct hss *h_open(const char *path, uint32_t block);
/* "nameN@home.net" with sip: and tel: identities and keys that follow from n. n = 0: alice. */
void h_subscriber(struct hss_subscriber *s, unsigned n);
void h_add(struct hss *h, unsigned n);
void h_key(struct milenage_key *key, unsigned n);

/* At a time of its own; h_ask() has always the same. */
void h_ask_at(struct hss *h, const struct cx_request *r, struct h_answer *a, uint64_t now);
void h_ask(struct hss *h, const struct cx_request *r, struct h_answer *a);
/* MAR for subscriber n. */
void h_mar(struct hss *h, unsigned n, unsigned n_vectors, struct h_answer *a);
enum cx_registration h_flag(struct hss *h, unsigned n);
/* What SQN a vector of subscriber n holds, by the card's keys. */
uint64_t h_sqn(const struct aka_vector *av, unsigned n);
