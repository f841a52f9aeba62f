/* Sequence numbers: none twice, whatever happens; resynchronisation. */
#include "tests/control/hss/harness.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/hss/internal.h"

static void card_accepts(struct sqn_array *sqn, const struct h_answer *a, unsigned n)
{
	assert_int_equal(a->result, CX_SUCCESS);
	for (unsigned i = 0; i < a->n_vectors; i++)
		assert_true(sqn_accept(sqn, h_sqn(&a->vectors[i], n)));
}

/* The promise of hss.h, seen in the file itself. */
static void stored_covers(const char *file, const struct h_answer *a)
{
	sqlite3 *db;
	sqlite3_stmt *q;

	assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db, "SELECT sqn FROM subscriber WHERE impi = ?1", -1, &q, NULL),
		SQLITE_OK);
	sqlite3_bind_text(q, 1, H_IMPI, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(q), SQLITE_ROW);
	assert_true((uint64_t)sqlite3_column_int64(q, 0) >=
		    h_sqn(&a->vectors[a->n_vectors - 1], 0));
	sqlite3_finalize(q);
	sqlite3_close(db);
}

static void test_persisted_ahead(void **state)
{
	static const uint32_t blocks[] = {1, 2, 5, 32};
	struct sqn_array sqn;
	struct h_answer a;
	struct h_dir d;
	struct hss *h;

	(void)state;
	for (unsigned b = 0; b < N_OF(blocks); b++) {
		h_dir_make(&d);
		h = h_open(d.file, blocks[b]);
		h_add(h, 0);
		memset(&sqn, 0, sizeof(sqn));
		for (unsigned i = 0; i < 200; i++) {
			h_mar(h, 0, 1 + i % CX_MAX_VECTORS, &a);
			card_accepts(&sqn, &a, 0);
			stored_covers(d.file, &a);
		}
		hss_free(h);
		h_dir_free(&d);
	}
}

struct child {
	const char *file;
	int fd; /* where it tells the SQNs of the vectors it draws */
	uint32_t block;
	unsigned added; /* it works in a batch that has added this subscriber; 0: in none */
	unsigned n;	/* how many, then it ends */
};

static void child_run(const struct child *c)
{
	struct hss *h = h_open(c->file, c->block);
	struct h_answer a;
	unsigned n = 0;

	if (c->added) {
		hss_batch_begin(h);
		h_add(h, c->added);
	}
	while (n < c->n) {
		uint64_t sqn;

		h_mar(h, 0, 1, &a);
		if (a.result != CX_SUCCESS)
			continue; /* two at the same row: it says so, and gives out nothing */
		sqn = h_sqn(&a.vectors[0], 0);
		if (write(c->fd, &sqn, sizeof(sqn)) != sizeof(sqn))
			_exit(1);
		n++;
	}
	_exit(0);
}

/* What a killed process had given out, to the card. */
static void crash_once(const char *file, struct sqn_array *sqn, unsigned reads, unsigned added)
{
	int fds[2], status;
	uint64_t value;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		child_run(&(struct child){file, fds[1], 8, added, UINT_MAX});
	}
	close(fds[1]);
	for (unsigned i = 0; i < reads; i++) {
		assert_int_equal(read(fds[0], &value, sizeof(value)), sizeof(value));
		assert_true(sqn_accept(sqn, value));
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(fds[0], &value, sizeof(value)) == sizeof(value))
		assert_true(sqn_accept(sqn, value)); /* given out before it died */
	close(fds[0]);
}

/* covers: AK-04 */
static void test_crash(void **state)
{
	struct sqn_array sqn = {0};
	struct h_answer a;
	struct h_dir d;
	struct hss *h;

	(void)state;
	h_dir_make(&d);
	h = h_open(d.file, 8);
	h_add(h, 0);
	hss_free(h);
	for (unsigned i = 0; i < 12; i++) {
		crash_once(d.file, &sqn, 1 + 7 * i, i % 3 == 2 ? 500 + i : 0);
		h = h_open(d.file, 1 + i);
		h_mar(h, 0, 3, &a);
		card_accepts(&sqn, &a, 0); /* SEQ higher than all: none repeated */
		hss_free(h);
	}
	h_dir_free(&d);
}

/* A copy of the file taken while the HSS runs is as good as the file. */
static void test_copy(void **state)
{
	static const char *const ends[] = {"", "-wal"};
	struct sqn_array sqn = {0};
	struct h_answer a;
	struct h_dir d, e;
	struct hss *h, *copy;
	char command[256];

	(void)state;
	h_dir_make(&d);
	h_dir_make(&e);
	h = h_open(d.file, 8);
	h_add(h, 0);
	for (unsigned i = 0; i < 13; i++) {
		h_mar(h, 0, 1, &a);
		card_accepts(&sqn, &a, 0);
	}
	for (unsigned i = 0; i < N_OF(ends); i++) {
		snprintf(command, sizeof(command), "cp %s%s %s%s", d.file, ends[i], e.file,
			 ends[i]);
		assert_int_equal(system(command), 0);
	}
	copy = h_open(e.file, 8);
	h_mar(copy, 0, 3, &a);
	card_accepts(&sqn, &a, 0);
	hss_free(copy);
	hss_free(h);
	h_dir_free(&e);
	h_dir_free(&d);
}

/* Two HSSs on one file, in turns of odd lengths: still no number twice. */
static void test_shared_file(void **state)
{
	struct sqn_array sqn = {0};
	struct h_answer a;
	struct h_dir d;
	struct hss *h[2];

	(void)state;
	h_dir_make(&d);
	h[0] = h_open(d.file, 4);
	h_add(h[0], 0);
	h[1] = h_open(d.file, 7);
	for (unsigned i = 0; i < 100; i++) {
		h_mar(h[i % 5 < 2], 0, 1 + i % 3, &a);
		card_accepts(&sqn, &a, 0);
	}
	hss_free(h[0]);
	hss_free(h[1]);
	h_dir_free(&d);
}

/* And at the same time, from two processes that write for each vector. */
static void test_two_processes(void **state)
{
	enum { N = 600 };
	static bool seen[4 * N];
	struct h_dir d;
	struct hss *h;
	int fds[2];
	uint64_t sqn;
	unsigned n = 0;

	(void)state;
	h_dir_make(&d);
	h = h_open(d.file, 1);
	h_add(h, 0);
	hss_free(h);
	assert_int_equal(pipe(fds), 0);
	for (unsigned i = 0; i < 2; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			child_run(&(struct child){d.file, fds[1], 1, 0, N});
	}
	close(fds[1]);
	while (read(fds[0], &sqn, sizeof(sqn)) == sizeof(sqn)) {
		n++;
		assert_true(sqn >> SQN_IND_BITS < N_OF(seen));
		assert_false(seen[sqn >> SQN_IND_BITS]);
		seen[sqn >> SQN_IND_BITS] = true;
	}
	assert_int_equal(n, 2 * N);
	while (wait(NULL) > 0)
		;
	close(fds[0]);
	h_dir_free(&d);
}

/* The moment that matters: the other one writes between our reading and our writing. */
static void test_overtaken(void **state)
{
	struct store_row row;
	struct h_answer a;
	struct h_dir d;
	struct hss *h, *other;

	(void)state;
	h_dir_make(&d);
	h = h_open(d.file, 1);
	h_add(h, 0);
	other = h_open(d.file, 1);
	assert_int_equal(store_find(&h->store, SV(H_IMPI), SV(H_IMPU), &row), 0);
	h_mar(other, 0, 1, &a);
	assert_int_equal(store_update(&h->store, &row, row.sqn + 100), -EAGAIN);
	assert_int_equal(store_find(&h->store, SV(H_IMPI), SV(H_IMPU), &row), 0);
	assert_int_equal(store_update(&h->store, &row, row.sqn + 100), 0);
	hss_free(other);
	hss_free(h);
	h_dir_free(&d);
}

/* Subscribers whose places in the cache clash lose the rest of a block, not their order. */
static void test_cache_clash(void **state)
{
	struct sqn_cache c;

	(void)state;
	assert_int_equal(sqn_cache_alloc(&c), 0);
	sqn_cache_put(&c, 5, 100, 70);
	assert_int_equal(sqn_cache_given(&c, 5, 100), 70);
	assert_int_equal(sqn_cache_given(&c, 5, 101), 101); /* the store has moved on */
	assert_int_equal(sqn_cache_given(&c, 5 + SQN_CACHE_SIZE, 100), 100);
	sqn_cache_put(&c, 5 + SQN_CACHE_SIZE, 200, 150);
	assert_int_equal(sqn_cache_given(&c, 5, 100), 100);
	sqn_cache_forget(&c, 5);
	assert_int_equal(sqn_cache_given(&c, 5 + SQN_CACHE_SIZE, 200), 150);
	sqn_cache_forget(&c, 5 + SQN_CACHE_SIZE);
	assert_int_equal(sqn_cache_given(&c, 5 + SQN_CACHE_SIZE, 200), 200);
	sqn_cache_free(&c);
}

/* ---- resynchronisation -------------------------------------------------------------------- */

static uint64_t start_of(uint64_t seq)
{
	return seq << SQN_IND_BITS;
}

/* A card that has accepted seq under every IND. */
static struct sqn_array card_at(uint64_t seq)
{
	struct sqn_array card;

	for (unsigned i = 0; i < SQN_INDS; i++)
		card.seq[i] = seq;
	return card;
}

static struct hss *hss_at(uint64_t sqn)
{
	struct hss *h = h_open(":memory:", 32);
	struct hss_subscriber s;

	h_subscriber(&s, 0);
	s.sqn = sqn;
	assert_int_equal(hss_subscriber_add(h, &s), 0);
	return h;
}

/* The card at seq_ms refuses the vector; its AUTS goes to the HSS. */
static void resync(struct hss *h, struct sqn_array *card, struct h_answer *a)
{
	struct milenage_key key;
	struct aka_answer answer;
	struct cx_request r = {.command = CX_MAR,
			       .impi = SV(H_IMPI),
			       .impu = SV(H_IMPU),
			       .scscf = H_SCSCF,
			       .n_vectors = 1,
			       .resync = true};

	h_key(&key, 0);
	h_mar(h, 0, 1, a);
	assert_int_equal(
		aka_card_answer(&answer, &key, card, a->vectors[0].rand, a->vectors[0].autn),
		AKA_SYNC_FAILURE);
	memcpy(r.rand, a->vectors[0].rand, sizeof(r.rand));
	memcpy(r.auts, answer.auts, sizeof(r.auts));
	h_ask(h, &r, a);
	if (a->result == CX_SUCCESS)
		assert_int_equal(aka_card_answer(&answer, &key, card, a->vectors[0].rand,
						 a->vectors[0].autn),
				 AKA_OK);
}

/* covers: AK-04, ER-06 */
static void test_resync(void **state)
{
	static const struct {
		uint64_t seq_he, seq_ms; /* highest given out, highest accepted */
		uint64_t seq_next;	 /* of the vector after resynchronisation */
	} cases[] = {
		{0, 1000, 1001}, /* the HSS lost its memory */
		{10, 5000000, 5000001},
		{SQN_DELTA + 500, 100, 101}, /* the HSS ran away: too far for the card */
	};
	struct h_answer a;

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct hss *h = hss_at(start_of(cases[i].seq_he));
		struct sqn_array card = card_at(cases[i].seq_ms);

		resync(h, &card, &a);
		assert_int_equal(a.result, CX_SUCCESS);
		assert_int_equal(h_sqn(&a.vectors[0], 0) >> SQN_IND_BITS, cases[i].seq_next);
		h_mar(h, 0, 1, &a); /* and goes on from there */
		assert_int_equal(h_sqn(&a.vectors[0], 0) >> SQN_IND_BITS, cases[i].seq_next + 1);
		hss_free(h);
	}
}

/* TS 33.102 6.3.5: if the next number fits anyway SQN_HE stays: an old AUTS cannot turn it back. */
static void test_resync_not_back(void **state)
{
	struct milenage_key key;
	struct sqn_array card = card_at(50);
	struct aka_answer answer;
	struct h_answer a;
	struct hss *h = hss_at(start_of(10));
	uint64_t last = 0;
	struct cx_request r = {.command = CX_MAR,
			       .impi = SV(H_IMPI),
			       .impu = SV(H_IMPU),
			       .scscf = H_SCSCF,
			       .n_vectors = 1,
			       .resync = true};

	(void)state;
	h_key(&key, 0);
	h_mar(h, 0, 1, &a);
	assert_int_equal(
		aka_card_answer(&answer, &key, &card, a.vectors[0].rand, a.vectors[0].autn),
		AKA_SYNC_FAILURE);
	memcpy(r.rand, a.vectors[0].rand, sizeof(r.rand));
	memcpy(r.auts, answer.auts, sizeof(r.auts));
	for (unsigned i = 0; i < 40; i++) { /* the same AUTS again and again */
		h_ask(h, &r, &a);
		assert_int_equal(a.result, CX_SUCCESS);
		assert_true(h_sqn(&a.vectors[0], 0) > last);
		last = h_sqn(&a.vectors[0], 0);
	}
	hss_free(h);
}

static void test_resync_wrong(void **state)
{
	struct milenage_key key;
	struct sqn_array card = card_at(50);
	struct aka_answer answer;
	struct h_answer a;
	struct hss *h = hss_at(start_of(10));
	uint64_t sqn;
	struct cx_request r = {.command = CX_MAR,
			       .impi = SV(H_IMPI),
			       .impu = SV(H_IMPU),
			       .scscf = H_SCSCF,
			       .n_vectors = 1,
			       .resync = true};

	(void)state;
	h_key(&key, 0);
	h_mar(h, 0, 1, &a);
	sqn = h_sqn(&a.vectors[0], 0);
	assert_int_equal(
		aka_card_answer(&answer, &key, &card, a.vectors[0].rand, a.vectors[0].autn),
		AKA_SYNC_FAILURE);
	memcpy(r.rand, a.vectors[0].rand, sizeof(r.rand));
	for (unsigned bit = 0; bit < 8 * sizeof(r.auts); bit += 5) {
		memcpy(r.auts, answer.auts, sizeof(r.auts));
		r.auts[bit / 8] ^= (uint8_t)(1u << bit % 8);
		h_ask(h, &r, &a);
		assert_int_equal(a.result, CX_AUTH_REJECTED);
		assert_int_equal(a.n_vectors, 0);
	}
	memcpy(r.auts, answer.auts, sizeof(r.auts));
	r.rand[0] ^= 1; /* an AUTS for another challenge */
	h_ask(h, &r, &a);
	assert_int_equal(a.result, CX_AUTH_REJECTED);
	h_mar(h, 0, 1, &a);
	assert_int_equal(h_sqn(&a.vectors[0], 0), sqn_next(sqn)); /* nothing has moved */
	hss_free(h);
}

static void test_exhausted(void **state)
{
	struct h_answer a;
	struct hss *h = hss_at(SQN_MAX - start_of(5));

	(void)state;
	h_mar(h, 0, 3, &a);
	assert_int_equal(a.result, CX_SUCCESS);
	h_mar(h, 0, 3, &a);
	assert_int_equal(a.result, CX_UNABLE);
	assert_int_equal(a.n_vectors, 0);
	hss_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_persisted_ahead),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_shared_file),
		cmocka_unit_test(test_two_processes),
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_cache_clash),
		cmocka_unit_test(test_resync),
		cmocka_unit_test(test_resync_not_back),
		cmocka_unit_test(test_resync_wrong),
		cmocka_unit_test(test_exhausted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
