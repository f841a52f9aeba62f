/* The database file: private, lasting, and refused if it is not ours or broken. */
#include "tests/control/hss/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <sqlite3.h>

static int setup(void **state)
{
	struct h_dir *d = test_calloc(1, sizeof(*d));

	h_dir_make(d);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	h_dir_free(*state);
	test_free(*state);
	return 0;
}

static void assert_private(const char *file)
{
	struct stat st;

	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_mode(void **state)
{
	struct h_dir *d = *state;
	char wal[112];
	mode_t old = umask(0);
	struct hss *h = h_open(d->file, 32);

	snprintf(wal, sizeof(wal), "%s-wal", d->file);
	h_add(h, 0);
	assert_private(d->file);
	assert_private(wal);
	hss_free(h);
	assert_int_equal(chmod(d->file, 0666), 0);
	hss_free(h_open(d->file, 32)); /* tightened */
	assert_private(d->file);
	umask(old);
}

static void test_lasting(void **state)
{
	const struct cx_request sar = {.command = CX_SAR,
				       .impi = SV(H_IMPI),
				       .impu = SV(H_IMPU),
				       .scscf = H_SCSCF,
				       .put = CX_REGISTERED};
	struct h_dir *d = *state;
	struct hss *h = h_open(d->file, 32);
	struct h_answer a;

	h_add(h, 0);
	h_ask(h, &sar, &a);
	hss_free(h);
	h = h_open(d->file, 32);
	assert_int_equal(hss_subscribers(h), 1);
	assert_int_equal(h_flag(h, 0), CX_REGISTERED);
	hss_free(h);
}

static void refused(const char *path)
{
	const struct hss_conf conf = {.path = path};
	struct hss *h = NULL;

	assert_int_equal(hss_alloc(&h, &conf), -EIO);
	assert_null(h);
}

static void write_file(const char *path, const void *octets, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(octets, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void sql(const char *file, const char *statements)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void test_not_ours(void **state)
{
	static const char text[] =
		"this is no database at all, but a text of more than a hundred octets, "
		"so that it could well have had a header if it had wanted to";
	struct h_dir *d = *state;

	refused("/nonexistent/directory/hss.db");
	refused(d->path); /* a directory */
	write_file(d->file, text, sizeof(text));
	refused(d->file);
	unlink(d->file);
	sql(d->file, "CREATE TABLE cats (name TEXT)"); /* somebody else's */
	refused(d->file);
	unlink(d->file);
	sql(d->file, "PRAGMA application_id = 7");
	refused(d->file);
	unlink(d->file);
	hss_free(h_open(d->file, 32));
	sql(d->file, "PRAGMA application_id = 7"); /* as good as ours, but not ours */
	refused(d->file);
	sql(d->file,
	    "PRAGMA application_id = 1163087948; PRAGMA user_version = 3"); /* of a later program */
	refused(d->file);
	sql(d->file, "PRAGMA user_version = 1; DROP TABLE impu");
	refused(d->file);
	unlink(d->file);
	write_file(d->file, "", 0); /* an empty file is a new one */
	hss_free(h_open(d->file, 32));
}

static size_t read_file(const char *path, unsigned char **octets)
{
	struct stat st;
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(stat(path, &st), 0);
	*octets = malloc((size_t)st.st_size);
	assert_non_null(*octets);
	assert_int_equal(fread(*octets, 1, (size_t)st.st_size, f), st.st_size);
	fclose(f);
	return (size_t)st.st_size;
}

/* Asks all there is to ask of a file that may say anything. */
static void use(const char *file)
{
	const struct hss_conf conf = {.path = file};
	struct h_answer a;
	struct hss *h = NULL;

	if (hss_alloc(&h, &conf) < 0)
		return;
	for (unsigned n = 0; n < 40; n += 13) {
		struct cx_request r = {.command = CX_SAR,
				       .impi = SV(H_IMPI),
				       .impu = SV(H_IMPU),
				       .scscf = H_SCSCF,
				       .put = n % 2 ? CX_REGISTERED : CX_NOT_REGISTERED};

		h_mar(h, n, 2, &a);
		h_ask(h, &r, &a);
	}
	hss_subscriber_del(h, SV("name3@home.net"));
	hss_free(h);
}

/* Damage of any kind is an error, or is not noticed; it is never a crash. */
static void test_damaged(void **state)
{
	struct test_random random = {.state = 5};
	struct h_dir *d = *state;
	struct hss *h = h_open(d->file, 32);
	unsigned char *good, *bad;
	size_t n;
	int quiet = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	for (unsigned i = 0; i < 40; i++)
		h_add(h, i);
	hss_free(h);
	n = read_file(d->file, &good);
	bad = malloc(n);
	assert_non_null(bad);
	write_file(d->file, good, n / 2);
	refused(d->file);	   /* cut in half */
	dup2(null, STDERR_FILENO); /* hundreds of messages */
	for (unsigned i = 0; i < 300; i++) {
		memcpy(bad, good, n);
		for (unsigned k = 0; k <= i % 20; k++)
			bad[test_random_below(&random, (uint32_t)n)] =
				(unsigned char)test_random(&random);
		write_file(d->file, bad, n);
		use(d->file);
	}
	memcpy(bad, good, n);
	memset(bad + 4096, 0xff, n - 4096); /* every page but the first */
	write_file(d->file, bad, n);
	refused(d->file);
	dup2(quiet, STDERR_FILENO);
	close(quiet);
	close(null);
	free(good);
	free(bad);
}

/* A row with values that our program never writes. */
static void test_damaged_row(void **state)
{
	static const char *const damages[] = {
		"UPDATE subscriber SET k = x'00'",
		"UPDATE subscriber SET opc = 'text of sixteen!'; UPDATE subscriber SET k = x''",
		"UPDATE subscriber SET sqn = -1",
		"UPDATE subscriber SET sqn = 281474976710656",
		"UPDATE subscriber SET flag = 99",
		"UPDATE subscriber SET scscf = printf('%.*c', 300, 'x')",
	};
	struct h_dir *d = *state;
	struct h_answer a;

	for (unsigned i = 0; i < N_OF(damages); i++) {
		char statements[256];
		struct hss *h = h_open(d->file, 32);

		h_add(h, 0);
		hss_free(h);
		snprintf(statements, sizeof(statements), "PRAGMA ignore_check_constraints = ON; %s",
			 damages[i]);
		sql(d->file, statements);
		if (i == 5) { /* quick_check sees what breaks a CHECK; this does not */
			h = h_open(d->file, 32);
			h_mar(h, 0, 1, &a);
			assert_int_equal(a.result, CX_UNABLE);
			assert_int_equal(a.n_vectors, 0);
			hss_free(h);
		} else {
			refused(d->file);
		}
		unlink(d->file);
	}
}

static bool listed(void *arg, const struct hss_subscriber *s, enum cx_registration flag)
{
	(void)s;
	(void)flag;
	++*(unsigned *)arg;
	return true;
}

/* The same behind our back, while the file is in use. */
static void test_damaged_later(void **state)
{
	static const char *const damages[] = {
		"UPDATE subscriber SET flag = 99", "UPDATE subscriber SET flag = -1",
		"UPDATE subscriber SET variant = 3", "UPDATE subscriber SET variant = -1"};
	struct h_dir *d = *state;

	for (unsigned i = 0; i < N_OF(damages); i++) {
		struct hss *h = h_open(d->file, 32);
		char statements[256];
		struct h_answer a;
		unsigned n = 0;

		h_add(h, 0);
		snprintf(statements, sizeof(statements), "PRAGMA ignore_check_constraints = ON; %s",
			 damages[i]);
		sql(d->file, statements);
		assert_int_equal(hss_subscriber_each(h, listed, &n), -EIO);
		assert_int_equal(n, 0);
		h_mar(h, 0, 1, &a);
		assert_int_equal(a.result, CX_UNABLE);
		hss_free(h);
		unlink(d->file);
	}
}

/* A file of the first release: all that is in it stays, and Digest can come in. */
static void test_upgrade(void **state)
{
	static const char version_1[] =
		"CREATE TABLE subscriber (id INTEGER PRIMARY KEY, impi TEXT NOT NULL UNIQUE,"
		" k BLOB NOT NULL CHECK (length(k) = 16), opc BLOB NOT NULL CHECK (length(opc) = "
		"16),"
		" amf BLOB NOT NULL CHECK (length(amf) = 2),"
		" sqn INTEGER NOT NULL CHECK (sqn BETWEEN 0 AND 281474976710655),"
		" flag INTEGER NOT NULL DEFAULT 0 CHECK (flag BETWEEN 0 AND 3), scscf TEXT);"
		"CREATE TABLE impu (impu TEXT PRIMARY KEY, subscriber INTEGER NOT NULL"
		" REFERENCES subscriber (id) ON DELETE CASCADE, place INTEGER NOT NULL)"
		" WITHOUT ROWID;"
		"CREATE UNIQUE INDEX impu_set ON impu (subscriber, place);"
		"PRAGMA application_id = 1163087948; PRAGMA user_version = 1;"
		"PRAGMA journal_mode = WAL;";
	struct h_dir *d = *state;
	struct hss_subscriber s = {.impi = "name1@home.net"};
	char row[512];
	struct hss *h;
	struct h_answer a;

	sql(d->file, version_1);
	for (unsigned i = 0; i < 3; i++) {
		struct milenage_key key;
		char k[33], opc[33];

		h_key(&key, i);
		sodium_bin2hex(k, sizeof(k), key.k, 16);
		sodium_bin2hex(opc, sizeof(opc), key.opc, 16);
		snprintf(row, sizeof(row),
			 "INSERT INTO subscriber VALUES (%u, '%s%.0u@home.net', x'%s', x'%s', "
			 "x'805a', 320, %u, 'sip:scscf.home.net');"
			 "INSERT INTO impu VALUES ('sip:%s%.0u@home.net', %u, 0),"
			 "('tel:+49170%u', %u, 1)",
			 i + 7, i ? "name" : "alice", i, k, opc, i, i ? "name" : "alice", i, i + 7,
			 i + 1, i + 7);
		sql(d->file, row);
	}
	h = h_open(d->file, 32);
	assert_int_equal(hss_subscribers(h), 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(h_flag(h, i), (int)i);
		h_mar(h, i, 1, &a);
		assert_int_equal(a.result, CX_SUCCESS);
		assert_true(h_sqn(&a.vectors[0], i) > 320); /* and the keys are right */
		assert_string_equal(a.scscf, "sip:scscf.home.net");
	}
	assert_int_equal(hss_subscriber_password(&s, SV("home.net"), "geheim", 6), 0);
	assert_int_equal(hss_subscriber_digest_set(h, &s), 0);
	hss_free(h);
	h = h_open(d->file, 32);
	assert_int_equal(hss_subscribers(h), 3);
	assert_int_equal(hss_subscriber_del(h, SV("alice@home.net")), 0);
	s = (struct hss_subscriber){.impi = "x@home.net", .n_impus = 1, .impus = {H_IMPU}};
	s.no_aka = true;
	assert_int_equal(hss_subscriber_password(&s, SV("home.net"), "geheim", 6), 0);
	assert_int_equal(hss_subscriber_add(h, &s), 0); /* alice's IMPU went with her */
	hss_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lasting, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged_later, setup, teardown),
		cmocka_unit_test_setup_teardown(test_upgrade, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
