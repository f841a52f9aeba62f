#include "control/hss/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

static const char *const sql[STORE_QUERIES] = {
	[STORE_FIND] = "SELECT id, sqn, flag, scscf, impi, EXISTS (SELECT 1 FROM impu WHERE"
		       " impu = ?2 AND subscriber = id), k IS NOT NULL, variant"
		       " FROM subscriber WHERE impi = ?1",
	[STORE_FIND_IMPU] = "SELECT s.id, s.sqn, s.flag, s.scscf, s.impi, 1,"
			    " s.k IS NOT NULL, s.variant FROM impu i"
			    " JOIN subscriber s ON s.id = i.subscriber WHERE i.impu = ?1",
	[STORE_KEYS] = "SELECT k, opc, amf FROM subscriber WHERE id = ?1",
	[STORE_SET] = "SELECT impu FROM impu WHERE subscriber = ?1 ORDER BY place",
	[STORE_UPDATE_STATE] = "UPDATE subscriber SET sqn = ?2, flag = ?3, scscf = ?4"
			       " WHERE id = ?1 AND sqn = ?5",
	[STORE_ADD] = "INSERT INTO subscriber (impi, k, opc, amf, sqn, variant)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[STORE_ADD_IMPU] = "INSERT INTO impu (impu, subscriber, place) VALUES (?1, ?2, ?3)",
	[STORE_DEL] = "DELETE FROM subscriber WHERE id = ?1",
	[STORE_LIST] = "SELECT id, sqn, flag, scscf, impi, 1, k IS NOT NULL, variant, amf"
		       " FROM subscriber ORDER BY impi",
	[STORE_COUNT] = "SELECT count(*) FROM subscriber",
	[STORE_DIGESTS] = "SELECT realm, hash, ha1 FROM digest WHERE subscriber = ?1"
			  " ORDER BY realm, hash",
	[STORE_PUT_DIGEST] = "INSERT OR REPLACE INTO digest (subscriber, realm, hash, ha1)"
			     " VALUES (?1, ?2, ?3, ?4)",
	[STORE_DEL_DIGEST] = "DELETE FROM digest WHERE subscriber = ?1 AND realm = ?2",
};

int store_fail(const struct store *s, const char *doing)
{
	fprintf(stderr, "hss: %s: %s: %s\n", s->path, doing,
		s->db ? sqlite3_errmsg(s->db) : "out of memory");
	return -EIO;
}

int store_exec(struct store *s, const char *statement)
{
	return sqlite3_exec(s->db, statement, NULL, NULL, NULL) == SQLITE_OK
		       ? 0
		       : store_fail(s, statement);
}

/* ---- opening ------------------------------------------------------------------------------ */

/* The file holds keys: nobody else's business, whatever the umask and whoever made it. */
static int file_private(const char *path)
{
	int fd, err = 0;

	if (strcmp(path, ":memory:") == 0)
		return 0;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fchmod(fd, 0600) < 0) {
		fprintf(stderr, "hss: %s: %s\n", path, strerror(errno));
		err = -EIO;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int pragmas_set(struct store *s, bool full)
{
	static const char pragmas[] = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
				      "PRAGMA secure_delete = ON; PRAGMA cache_size = -16384;"
				      "PRAGMA wal_autocheckpoint = 4096;"
				      "PRAGMA foreign_keys = ON;";

	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_busy_timeout(s->db, 200); /* another program writes: signalling cannot wait long */
	if (sqlite3_exec(s->db, pragmas, NULL, NULL, NULL) != SQLITE_OK)
		return store_fail(s, "cannot read the file");
	return store_exec(s, full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

static int queries_prepare(struct store *s)
{
	for (unsigned i = 0; i < STORE_QUERIES; i++)
		if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->query[i],
				       NULL) != SQLITE_OK)
			return store_fail(s, "schema differs");
	return 0;
}

int store_open(struct store *s, const struct hss_conf *conf)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	int err;

	*s = (struct store){.path = conf->path};
	if (strcmp(conf->path, ":memory:") == 0)
		flags |= SQLITE_OPEN_CREATE;
	err = file_private(conf->path);
	if (err)
		return err;
	if (sqlite3_open_v2(conf->path, &s->db, flags, NULL) != SQLITE_OK)
		err = store_fail(s, "cannot open");
	if (!err)
		err = pragmas_set(s, conf->synchronous_full);
	if (!err)
		err = schema_check(s); /* before WAL mode, which changes a foreign file too */
	if (!err)
		err = store_exec(s, "PRAGMA journal_mode = WAL");
	if (!err)
		err = schema_integrity_check(s);
	if (!err)
		err = queries_prepare(s);
	if (err)
		store_close(s);
	return err;
}

void store_close(struct store *s)
{
	for (unsigned i = 0; i < STORE_QUERIES; i++)
		sqlite3_finalize(s->query[i]);
	if (s->db && sqlite3_close(s->db) != SQLITE_OK)
		(void)store_fail(s, "closing");
	*s = (struct store){0};
}

/* ---- queries ------------------------------------------------------------------------------ */

int store_bind_text(sqlite3_stmt *q, int place, struct sv text)
{
	if (text.n > HSS_MAX_IDENTITY)
		return -EINVAL;
	return sqlite3_bind_text(q, place, text.n ? text.p : "", (int)text.n, SQLITE_STATIC) ==
			       SQLITE_OK
		       ? 0
		       : -EIO;
}

void store_done(sqlite3_stmt *q)
{
	sqlite3_reset(q);
	sqlite3_clear_bindings(q);
}

/* Text of a column, if it fits and holds no NUL. */
static bool column_copy(sqlite3_stmt *q, int column, char *buf, size_t cap)
{
	const char *text = (const char *)sqlite3_column_text(q, column);
	int n = sqlite3_column_bytes(q, column);

	buf[0] = '\0';
	if (!text)
		return true;
	if (n < 0 || (size_t)n >= cap || memchr(text, '\0', (size_t)n))
		return false;
	memcpy(buf, text, (size_t)n);
	buf[n] = '\0';
	return true;
}

/* The first row of a query of the eight columns of struct store_row. */
static int row_read(struct store *s, sqlite3_stmt *q, struct store_row *row)
{
	int step = sqlite3_step(q);

	if (step == SQLITE_DONE)
		return -ENOENT;
	if (step != SQLITE_ROW)
		return store_fail(s, "reading a subscriber");
	*row = (struct store_row){
		.id = sqlite3_column_int64(q, 0),
		.sqn = (uint64_t)sqlite3_column_int64(q, 1),
		.flag = (enum cx_registration)sqlite3_column_int(q, 2),
		.owns_impu = sqlite3_column_int(q, 5),
		.aka = sqlite3_column_int(q, 6),
		.variant = (enum hss_variant)sqlite3_column_int(q, 7),
	};
	if (!column_copy(q, 3, row->scscf, sizeof(row->scscf)) ||
	    !column_copy(q, 4, row->impi, sizeof(row->impi)) || row->sqn >> 48 ||
	    row->flag > CX_REGISTERED || row->variant > HSS_VARIANT_HSS) {
		fprintf(stderr, "hss: %s: subscriber %" PRId64 " is damaged\n", s->path, row->id);
		return -EIO;
	}
	return 0;
}

int store_find(struct store *s, struct sv impi, struct sv impu, struct store_row *row)
{
	sqlite3_stmt *q = s->query[STORE_FIND];
	int err;

	if (store_bind_text(q, 1, impi) < 0 || store_bind_text(q, 2, impu) < 0)
		err = -ENOENT; /* too long to be anybody's */
	else
		err = row_read(s, q, row);
	store_done(q);
	return err;
}

int store_find_impu(struct store *s, struct sv impu, struct store_row *row)
{
	sqlite3_stmt *q = s->query[STORE_FIND_IMPU];
	int err = store_bind_text(q, 1, impu) < 0 ? -ENOENT : row_read(s, q, row);

	store_done(q);
	return err;
}

static bool column_octets(sqlite3_stmt *q, int column, void *octets, int n)
{
	const void *blob = sqlite3_column_blob(q, column);

	if (!blob || sqlite3_column_bytes(q, column) != n)
		return false;
	memcpy(octets, blob, (size_t)n);
	return true;
}

int store_keys(struct store *s, int64_t id, struct milenage_key *key, uint8_t amf[2])
{
	sqlite3_stmt *q = s->query[STORE_KEYS];
	int err = 0;

	sqlite3_bind_int64(q, 1, id);
	if (sqlite3_step(q) != SQLITE_ROW)
		err = store_fail(s, "reading keys");
	else if (!column_octets(q, 0, key->k, sizeof(key->k)) ||
		 !column_octets(q, 1, key->opc, sizeof(key->opc)) || !column_octets(q, 2, amf, 2))
		err = store_fail(s, "keys are damaged");
	store_done(q);
	return err;
}

/* One row of STORE_DIGESTS: of the realm before, or of another one. */
static bool digest_read(sqlite3_stmt *q, struct hss_digest *digests, unsigned *n)
{
	char realm[HSS_MAX_IDENTITY];
	uint8_t ha1[32];
	int hash = sqlite3_column_int(q, 1);
	int octets = hash == HSS_MD5 ? 16 : 32;
	bool fits = hash >= 0 && hash < HSS_HASHES && column_copy(q, 0, realm, sizeof(realm)) &&
		    column_octets(q, 2, ha1, octets);

	if (fits && (*n == 0 || strcmp(digests[*n - 1].realm, realm) != 0)) {
		fits = *n < HSS_MAX_REALMS;
		if (fits) {
			digests[*n] = (struct hss_digest){0};
			memcpy(digests[(*n)++].realm, realm, strlen(realm) + 1);
		}
	}
	if (fits)
		sodium_bin2hex(digests[*n - 1].ha1[hash], DIGEST_HEX, ha1, (size_t)octets);
	sodium_memzero(ha1, sizeof(ha1));
	return fits;
}

int store_digests(struct store *s, int64_t id, struct hss_digest *digests, unsigned *n)
{
	sqlite3_stmt *q = s->query[STORE_DIGESTS];
	int step, err = 0;

	*n = 0;
	sqlite3_bind_int64(q, 1, id);
	while ((step = sqlite3_step(q)) == SQLITE_ROW && digest_read(q, digests, n))
		;
	if (step != SQLITE_DONE)
		err = store_fail(s, "reading digests");
	store_done(q);
	return err;
}

int store_impus(struct store *s, int64_t id, struct store_impus *impus)
{
	sqlite3_stmt *q = s->query[STORE_SET];
	int step, err = 0;

	impus->n = 0;
	sqlite3_bind_int64(q, 1, id);
	while ((step = sqlite3_step(q)) == SQLITE_ROW) {
		if (impus->n == CX_MAX_IMPUS ||
		    !column_copy(q, 0, impus->text[impus->n], HSS_MAX_IDENTITY))
			break;
		impus->n++;
	}
	if (step != SQLITE_DONE)
		err = store_fail(s, "reading identities");
	store_done(q);
	return err;
}

int store_update(struct store *s, struct store_row *row, uint64_t sqn)
{
	sqlite3_stmt *q = s->query[STORE_UPDATE_STATE];
	int err = 0;

	sqlite3_bind_int64(q, 1, row->id);
	sqlite3_bind_int64(q, 2, (int64_t)sqn);
	sqlite3_bind_int(q, 3, (int)row->flag);
	if (row->scscf[0])
		store_bind_text(q, 4, sv_of(row->scscf));
	sqlite3_bind_int64(q, 5, (int64_t)row->sqn);
	if (sqlite3_step(q) != SQLITE_DONE)
		err = store_fail(s, "writing a subscriber's state");
	else if (sqlite3_changes(s->db) == 0)
		err = -EAGAIN;
	store_done(q);
	/* A number may be given out only when it is in the file, so a batch is cut in two here. */
	if (!err && s->batch)
		err = store_exec(s, "COMMIT; BEGIN IMMEDIATE");
	if (!err)
		row->sqn = sqn;
	return err;
}
