/* Provisioning: subscribers added, removed, listed. */
#include "control/hss/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "control/base/parse.h"
#include "control/sip/msg.h"

/* ---- adding ------------------------------------------------------------------------------- */

/* An IMPI is a NAI (TS 23.003 13.3): printable, one @ with something on each side. */
static bool impi_valid(const char *impi)
{
	size_t n = strnlen(impi, HSS_MAX_IDENTITY);
	const char *at = memchr(impi, '@', n);

	if (n == HSS_MAX_IDENTITY || !at || at == impi || at == impi + n - 1 ||
	    memchr(at + 1, '@', n - (size_t)(at + 1 - impi)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (impi[i] <= ' ' || impi[i] >= 0x7f || impi[i] == '"' || impi[i] == '\\')
			return false;
	return true;
}

static bool impu_valid(const char *impu)
{
	char buf[HSS_MAX_IDENTITY];
	struct sv text = {impu, strnlen(impu, HSS_MAX_IDENTITY)};

	return text.n < HSS_MAX_IDENTITY && sv_eq(sip_identity(text, buf, sizeof(buf)), text) &&
	       !sv_empty(text);
}

/* A realm stands in quotes in header fields, and before a colon in H(A1). */
static bool realm_valid(const char *realm)
{
	size_t n = strnlen(realm, HSS_MAX_IDENTITY);

	for (size_t i = 0; i < n; i++)
		if (realm[i] < ' ' || realm[i] >= 0x7f || realm[i] == '"' || realm[i] == '\\' ||
		    realm[i] == ':')
			return false;
	return n > 0 && n < HSS_MAX_IDENTITY;
}

/* All the digits of its hash, or none. */
static bool ha1_valid(const char *ha1, enum hss_hash hash)
{
	size_t n = strnlen(ha1, DIGEST_HEX);

	return (n == 0 || n == (hash == HSS_MD5 ? 32 : 64)) && strspn(ha1, "0123456789abcdef") == n;
}

static bool digests_valid(const struct hss_subscriber *s)
{
	if (s->n_digests > HSS_MAX_REALMS)
		return false;
	for (unsigned i = 0; i < s->n_digests; i++) {
		const struct hss_digest *d = &s->digests[i];

		if (!realm_valid(d->realm) || !ha1_valid(d->ha1[HSS_MD5], HSS_MD5) ||
		    !ha1_valid(d->ha1[HSS_SHA256], HSS_SHA256) ||
		    !(d->ha1[HSS_MD5][0] || d->ha1[HSS_SHA256][0]))
			return false;
	}
	return true;
}

static bool subscriber_valid(const struct hss_subscriber *s)
{
	if (!digests_valid(s) || (s->no_aka && s->n_digests == 0) || s->variant > HSS_VARIANT_HSS)
		return false;
	if (!impi_valid(s->impi) || s->n_impus < 1 || s->n_impus > CX_MAX_IMPUS || s->sqn > SQN_MAX)
		return false;
	for (unsigned i = 0; i < s->n_impus; i++)
		if (!impu_valid(s->impus[i]))
			return false;
	return true;
}

/* Steps a query that returns nothing. */
static int query_run(struct hss *h, sqlite3_stmt *q, const char *doing)
{
	int step = sqlite3_step(q);
	int err = 0;

	if ((step & 0xff) == SQLITE_CONSTRAINT)
		err = -EEXIST;
	else if (step != SQLITE_DONE)
		err = store_fail(&h->store, doing);
	store_done(q);
	return err;
}

static int row_insert(struct hss *h, const struct hss_subscriber *s)
{
	sqlite3_stmt *q = h->store.query[STORE_ADD];

	store_bind_text(q, 1, sv_of(s->impi));
	if (!s->no_aka) {
		sqlite3_bind_blob(q, 2, s->k, sizeof(s->k), SQLITE_STATIC);
		sqlite3_bind_blob(q, 3, s->opc, sizeof(s->opc), SQLITE_STATIC);
		sqlite3_bind_blob(q, 4, s->amf, sizeof(s->amf), SQLITE_STATIC);
	}
	sqlite3_bind_int64(q, 5, (int64_t)s->sqn);
	sqlite3_bind_int(q, 6, (int)s->variant);
	return query_run(h, q, "adding a subscriber");
}

static int impu_insert(struct hss *h, const char *impu, int64_t id, unsigned place)
{
	sqlite3_stmt *q = h->store.query[STORE_ADD_IMPU];

	store_bind_text(q, 1, sv_of(impu));
	sqlite3_bind_int64(q, 2, id);
	sqlite3_bind_int64(q, 3, place);
	return query_run(h, q, "adding an identity");
}

static int hash_insert(struct hss *h, const struct hss_digest *d, enum hss_hash hash, int64_t id)
{
	sqlite3_stmt *q = h->store.query[STORE_PUT_DIGEST];
	int n = hash == HSS_MD5 ? 16 : 32;
	uint8_t ha1[32];
	int err;

	if (!parse_hex(sv_of(d->ha1[hash]), ha1, (size_t)n))
		return -EINVAL;
	sqlite3_bind_int64(q, 1, id);
	store_bind_text(q, 2, sv_of(d->realm));
	sqlite3_bind_int(q, 3, (int)hash);
	sqlite3_bind_blob(q, 4, ha1, n, SQLITE_STATIC);
	err = query_run(h, q, "adding a digest");
	sodium_memzero(ha1, sizeof(ha1));
	return err;
}

static int digests_insert(struct hss *h, const struct hss_subscriber *s, int64_t id)
{
	int err = 0;

	for (unsigned i = 0; i < s->n_digests; i++)
		for (unsigned hash = 0; !err && hash < HSS_HASHES; hash++)
			if (s->digests[i].ha1[hash][0])
				err = hash_insert(h, &s->digests[i], (enum hss_hash)hash, id);
	return err;
}

/* All of what came since "SAVEPOINT one", or nothing. */
static int savepoint_end(struct hss *h, int err)
{
	if (err)
		sqlite3_exec(h->store.db, "ROLLBACK TO one", NULL, NULL, NULL);
	if (store_exec(&h->store, "RELEASE one") < 0 && !err) {
		/* Not in a batch this is the commit, which may fail; the savepoint must not stay
		 * open. */
		sqlite3_exec(h->store.db, "ROLLBACK TO one; RELEASE one", NULL, NULL, NULL);
		err = -EIO;
	}
	return err;
}

int hss_subscriber_add(struct hss *h, const struct hss_subscriber *s)
{
	int64_t id;
	int err;

	if (!subscriber_valid(s))
		return -EINVAL;
	err = store_exec(&h->store, "SAVEPOINT one");
	if (err)
		return err;
	err = row_insert(h, s);
	id = sqlite3_last_insert_rowid(h->store.db);
	for (unsigned i = 0; !err && i < s->n_impus; i++)
		err = impu_insert(h, s->impus[i], id, i);
	if (!err)
		err = digests_insert(h, s, id);
	err = savepoint_end(h, err);
	if (!err)
		h->subscribers++;
	return err;
}

/* ---- passwords ---------------------------------------------------------------------------- */

int hss_subscriber_password(struct hss_subscriber *s, struct sv realm, const void *password,
			    size_t n)
{
	static const enum digest_algorithm algorithms[] = {
		[HSS_MD5] = DIGEST_MD5, [HSS_SHA256] = DIGEST_SHA256};
	struct digest_input in = {.username = sv_of(s->impi), .realm = realm};
	struct hss_digest *d;

	if (s->n_digests == HSS_MAX_REALMS || realm.n >= HSS_MAX_IDENTITY)
		return -E2BIG;
	d = &s->digests[s->n_digests++];
	*d = (struct hss_digest){0};
	memcpy(d->realm, realm.p, realm.n);
	for (unsigned hash = 0; hash < HSS_HASHES; hash++) {
		in.algorithm = algorithms[hash];
		digest_ha1(d->ha1[hash], &in, password, n);
	}
	return 0;
}

/* A hash that is not given anew would still let the old password in. */
static int realm_delete(struct hss *h, int64_t id, const char *realm)
{
	sqlite3_stmt *q = h->store.query[STORE_DEL_DIGEST];

	sqlite3_bind_int64(q, 1, id);
	store_bind_text(q, 2, sv_of(realm));
	return query_run(h, q, "removing a digest");
}

static bool has_realm(const struct hss_digest *digests, unsigned n, const char *realm)
{
	for (unsigned i = 0; i < n; i++)
		if (strcmp(digests[i].realm, realm) == 0)
			return true;
	return false;
}

/* Of one realm more than HSS_MAX_REALMS nobody could read any. */
static int realms_fit(struct hss *h, int64_t id, const struct hss_subscriber *s)
{
	struct hss_digest digests[HSS_MAX_REALMS];
	unsigned n, more = 0;
	int err = store_digests(&h->store, id, digests, &n);

	for (unsigned i = 0; i < s->n_digests; i++)
		more += !has_realm(digests, n, s->digests[i].realm) &&
			!has_realm(s->digests, i, s->digests[i].realm);
	sodium_memzero(digests, sizeof(digests));
	if (err)
		return err;
	return n + more > HSS_MAX_REALMS ? -E2BIG : 0;
}

int hss_subscriber_digest_set(struct hss *h, const struct hss_subscriber *s)
{
	struct store_row row;
	int err;

	if (!digests_valid(s) || s->n_digests == 0)
		return -EINVAL;
	err = store_find(&h->store, sv_of(s->impi), (struct sv){0}, &row);
	if (!err)
		err = realms_fit(h, row.id, s);
	if (!err)
		err = store_exec(&h->store, "SAVEPOINT one");
	if (err)
		return err;
	for (unsigned i = 0; !err && i < s->n_digests; i++)
		err = realm_delete(h, row.id, s->digests[i].realm);
	if (!err)
		err = digests_insert(h, s, row.id);
	err = savepoint_end(h, err);
	if (!err)
		nonces_forget(&h->nonces, row.id);
	return err;
}

/* ---- removing ----------------------------------------------------------------------------- */

static int row_delete(struct hss *h, int64_t id)
{
	sqlite3_stmt *q = h->store.query[STORE_DEL];

	sqlite3_bind_int64(q, 1, id);
	return query_run(h, q, "removing a subscriber");
}

int hss_subscriber_del(struct hss *h, struct sv impi)
{
	struct store_row row;
	int err = store_find(&h->store, impi, (struct sv){0}, &row);

	if (!err)
		err = row_delete(h, row.id);
	if (!err) {
		sqn_cache_forget(&h->sqns, row.id); /* SQLite may give the id to somebody else */
		nonces_forget(&h->nonces, row.id);
		h->subscribers--;
	}
	return err;
}

/* ---- listing ------------------------------------------------------------------------------ */

/* Somebody may have written to the file since it was checked. */
static bool row_in_range(const struct hss *h, sqlite3_stmt *q)
{
	int flag = sqlite3_column_int(q, 2), variant = sqlite3_column_int(q, 7);

	if (flag >= 0 && flag <= CX_REGISTERED && variant >= 0 && variant <= HSS_VARIANT_HSS)
		return true;
	fprintf(stderr, "hss: %s: subscriber %lld is damaged\n", h->path,
		(long long)sqlite3_column_int64(q, 0));
	return false;
}

static int listing_fill(struct hss *h, sqlite3_stmt *q, struct hss_subscriber *s,
			struct store_impus *impus)
{
	int64_t id = sqlite3_column_int64(q, 0);
	const char *impi = (const char *)sqlite3_column_text(q, 4);
	const void *amf = sqlite3_column_blob(q, 8);
	int err = row_in_range(h, q) ? store_impus(&h->store, id, impus) : -EIO;

	if (err)
		return err;
	*s = (struct hss_subscriber){.n_impus = impus->n,
				     .no_aka = !sqlite3_column_int(q, 6),
				     .variant = (enum hss_variant)sqlite3_column_int(q, 7)};
	err = store_digests(&h->store, id, s->digests, &s->n_digests);
	for (unsigned i = 0; i < s->n_digests; i++)
		sodium_memzero(s->digests[i].ha1, sizeof(s->digests[i].ha1));
	if (err)
		return err;
	snprintf(s->impi, sizeof(s->impi), "%s", impi ? impi : "");
	for (unsigned i = 0; i < impus->n; i++)
		memcpy(s->impus[i], impus->text[i], sizeof(s->impus[i]));
	if (amf && sqlite3_column_bytes(q, 8) == sizeof(s->amf))
		memcpy(s->amf, amf, sizeof(s->amf));
	s->sqn = sqn_cache_given(&h->sqns, id, (uint64_t)sqlite3_column_int64(q, 1));
	return 0;
}

int hss_subscriber_each(struct hss *h, hss_subscriber_h *handler, void *arg)
{
	sqlite3_stmt *q = h->store.query[STORE_LIST];
	struct store_impus impus;
	struct hss_subscriber s;
	int step = SQLITE_DONE, err = 0;

	while (!err && (step = sqlite3_step(q)) == SQLITE_ROW) {
		err = listing_fill(h, q, &s, &impus);
		if (!err && !handler(arg, &s, (enum cx_registration)sqlite3_column_int(q, 2)))
			break;
	}
	if (!err && step != SQLITE_ROW && step != SQLITE_DONE)
		err = store_fail(&h->store, "listing subscribers");
	store_done(q);
	return err;
}
