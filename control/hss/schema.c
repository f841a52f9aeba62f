/* The schema of the subscriber database, made or brought up to date. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/hss/store.h"

/* What makes a file ours: PRAGMA application_id ("ESPL") and the version of the schema below. */
#define APPLICATION_ID 0x4553504c
#define SCHEMA_VERSION 2

#define SUBSCRIBER                                                                                 \
	"("                                                                                        \
	" id INTEGER PRIMARY KEY,"                                                                 \
	" impi TEXT NOT NULL UNIQUE,"                                                              \
	" k BLOB CHECK (length(k) = 16),"                                                          \
	" opc BLOB CHECK (length(opc) = 16),"                                                      \
	" amf BLOB CHECK (length(amf) = 2),"                                                       \
	" sqn INTEGER NOT NULL CHECK (sqn BETWEEN 0 AND 281474976710655),"                         \
	" flag INTEGER NOT NULL DEFAULT 0 CHECK (flag BETWEEN 0 AND 3),"                           \
	" scscf TEXT,"                                                                             \
	" variant INTEGER NOT NULL DEFAULT 0 CHECK (variant BETWEEN 0 AND 2),"                     \
	" CHECK ((k IS NULL) = (opc IS NULL) AND (k IS NULL) = (amf IS NULL)));"

static const char digest_table[] =
	"CREATE TABLE digest ("
	" subscriber INTEGER NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,"
	" realm TEXT NOT NULL,"
	" hash INTEGER NOT NULL CHECK (hash BETWEEN 0 AND 1),"
	" ha1 BLOB NOT NULL CHECK (length(ha1) = 16 + 16 * hash),"
	" PRIMARY KEY (subscriber, realm, hash)) WITHOUT ROWID;";

static const char schema[] =
	"CREATE TABLE subscriber " SUBSCRIBER "CREATE TABLE impu ("
	" impu TEXT PRIMARY KEY,"
	" subscriber INTEGER NOT NULL REFERENCES subscriber (id) ON DELETE CASCADE,"
	" place INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX impu_set ON impu (subscriber, place);";

/*
 * Version 1 had no Digest, and keys for everybody. A NOT NULL cannot be taken off a column, so the
 * table is made anew, as SQLite's manual says (ALTER TABLE, 7).
 */
static const char upgrade_1[] = "CREATE TABLE subscriber_2 " SUBSCRIBER
				"INSERT INTO subscriber_2 (id, impi, k, opc, amf, sqn, flag, scscf)"
				" SELECT id, impi, k, opc, amf, sqn, flag, scscf FROM subscriber;"
				"DROP TABLE subscriber;"
				"ALTER TABLE subscriber_2 RENAME TO subscriber;";

static int value_get(struct store *s, const char *statement, int64_t *value)
{
	sqlite3_stmt *q = NULL;
	int err = 0;

	if (sqlite3_prepare_v2(s->db, statement, -1, &q, NULL) != SQLITE_OK ||
	    sqlite3_step(q) != SQLITE_ROW)
		err = store_fail(s, "cannot read the file");
	else
		*value = sqlite3_column_int64(q, 0);
	sqlite3_finalize(q);
	return err;
}

static int write_all(struct store *s, const char *first)
{
	char ids[96];
	int err;

	snprintf(ids, sizeof(ids), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
		 APPLICATION_ID, SCHEMA_VERSION);
	err = store_exec(s, "BEGIN IMMEDIATE");
	if (!err)
		err = store_exec(s, first);
	if (!err)
		err = store_exec(s, digest_table);
	if (!err)
		err = store_exec(s, ids);
	if (!err)
		err = store_exec(s, "COMMIT");
	return err;
}

int schema_integrity_check(struct store *s)
{
	sqlite3_stmt *q = NULL;
	const char *finding = NULL;
	int err = 0;

	if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &q, NULL) != SQLITE_OK ||
	    sqlite3_step(q) != SQLITE_ROW) {
		err = store_fail(s, "integrity check");
	} else {
		finding = (const char *)sqlite3_column_text(q, 0);
		if (!finding || strcmp(finding, "ok") != 0) {
			fprintf(stderr, "hss: %s: damaged: %s\n", s->path,
				finding ? finding : "no finding");
			err = -EIO;
		}
	}
	sqlite3_finalize(q);
	return err;
}

/* A process that stops half way leaves version 1. */
static int upgrade(struct store *s)
{
	int err = schema_integrity_check(s);

	/* else DROP would take the rows of impu with it; it cannot be set inside a transaction */
	if (!err)
		err = store_exec(s, "PRAGMA foreign_keys = OFF");
	if (!err)
		err = write_all(s, upgrade_1);
	if (!err)
		err = store_exec(s, "PRAGMA foreign_keys = ON");
	return err;
}

/* Ours, new, or not for us? */
int schema_check(struct store *s)
{
	int64_t application = 0, version = 0, tables = 0;
	int err;

	err = value_get(s, "SELECT count(*) FROM sqlite_schema", &tables);
	if (!err)
		err = value_get(s, "PRAGMA application_id", &application);
	if (!err)
		err = value_get(s, "PRAGMA user_version", &version);
	if (err)
		return err;
	if (tables == 0 && application == 0 && version == 0)
		return write_all(s, schema);
	if (application != APPLICATION_ID) {
		fprintf(stderr, "hss: %s: not an Esplanade subscriber database\n", s->path);
		return -EIO;
	}
	if (version == 1)
		return upgrade(s);
	if (version != SCHEMA_VERSION) {
		fprintf(stderr, "hss: %s: schema version %" PRId64 ", this program knows %d\n",
			s->path, version, SCHEMA_VERSION);
		return -EIO;
	}
	return 0;
}
