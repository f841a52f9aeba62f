/* Subscribers added, removed and listed. */
#include "tests/control/hss/harness.h"

#include <errno.h>
#include <stdio.h>

static int setup(void **state)
{
	*state = h_open(":memory:", 32);
	return 0;
}

static int teardown(void **state)
{
	hss_free(*state);
	return 0;
}

static enum cx_result known(struct hss *h, const char *impi, const char *impu)
{
	const struct cx_request r = {.command = CX_UAR, .impi = sv_of(impi), .impu = sv_of(impu)};
	struct h_answer a;

	h_ask(h, &r, &a);
	return a.result;
}

static void test_add(void **state)
{
	struct hss_subscriber s;

	h_add(*state, 0);
	assert_int_equal(hss_subscribers(*state), 1);
	h_subscriber(&s, 0);
	assert_int_equal(hss_subscriber_add(*state, &s), -EEXIST);
	/* somebody else's IMPU: all or nothing */
	h_subscriber(&s, 1);
	snprintf(s.impus[1], sizeof(s.impus[1]), "%s", H_TEL);
	assert_int_equal(hss_subscriber_add(*state, &s), -EEXIST);
	assert_int_equal(known(*state, "name1@home.net", "sip:name1@home.net"), CX_USER_UNKNOWN);
	assert_int_equal(hss_subscribers(*state), 1);
	h_add(*state, 1);
	assert_int_equal(hss_subscribers(*state), 2);
}

static void test_invalid(void **state)
{
	static const struct {
		const char *impi, *impu;
	} cases[] = {
		{"", H_IMPU},
		{"alice", H_IMPU},
		{"@home.net", H_IMPU},
		{"alice@", H_IMPU},
		{"a@b@c", H_IMPU},
		{"al ice@home.net", H_IMPU},
		{"al\"ice@home.net", H_IMPU},
		{"alice\r\n@home.net", H_IMPU},
		{H_IMPI, ""},
		{H_IMPI, "alice@home.net"},
		{H_IMPI, "sip:alice@HOME.net"}, /* not canonical: would never be found */
		{H_IMPI, "sip:alice@home.net:5060"},
		{H_IMPI, "tel:+49-170"},
		{H_IMPI, "http://home.net"},
		{H_IMPI, "sip:alice@home.net\r\nX: y"},
	};
	struct hss_subscriber s;

	for (unsigned i = 0; i < N_OF(cases); i++) {
		h_subscriber(&s, 0);
		snprintf(s.impi, sizeof(s.impi), "%s", cases[i].impi);
		snprintf(s.impus[1], sizeof(s.impus[1]), "%s", cases[i].impu);
		assert_int_equal(hss_subscriber_add(*state, &s), -EINVAL);
	}
	h_subscriber(&s, 0);
	s.n_impus = 0;
	assert_int_equal(hss_subscriber_add(*state, &s), -EINVAL);
	s.n_impus = CX_MAX_IMPUS + 1;
	assert_int_equal(hss_subscriber_add(*state, &s), -EINVAL);
	s.n_impus = 2;
	s.sqn = SQN_MAX + 1;
	assert_int_equal(hss_subscriber_add(*state, &s), -EINVAL);
	memset(s.impi, 'a', sizeof(s.impi)); /* no NUL */
	assert_int_equal(hss_subscriber_add(*state, &s), -EINVAL);
	assert_int_equal(hss_subscribers(*state), 0);
}

static void test_largest_set(void **state)
{
	const struct cx_request r = {.command = CX_SAR,
				     .impi = SV(H_IMPI),
				     .impu = SV("sip:alias20@home.net"),
				     .scscf = H_SCSCF,
				     .put = CX_REGISTERED};
	struct hss_subscriber s;
	struct h_answer a;

	h_subscriber(&s, 0);
	s.n_impus = CX_MAX_IMPUS;
	for (unsigned i = 0; i < CX_MAX_IMPUS; i++) /* not in the order of the alphabet */
		snprintf(s.impus[i], sizeof(s.impus[i]), "sip:alias%u@home.net", CX_MAX_IMPUS - i);
	assert_int_equal(hss_subscriber_add(*state, &s), 0);
	h_ask(*state, &r, &a);
	assert_int_equal(a.n_impus, CX_MAX_IMPUS);
	for (unsigned i = 0; i < CX_MAX_IMPUS; i++)
		assert_string_equal(a.impus[i], s.impus[i]);
}

static void test_del(void **state)
{
	struct h_answer a;

	assert_int_equal(hss_subscriber_del(*state, SV(H_IMPI)), -ENOENT);
	h_add(*state, 0);
	h_mar(*state, 0, 1, &a);
	assert_int_equal(hss_subscriber_del(*state, SV(H_IMPI)), 0);
	assert_int_equal(hss_subscribers(*state), 0);
	assert_int_equal(known(*state, H_IMPI, H_IMPU), CX_USER_UNKNOWN);
	h_add(*state, 0); /* its identities are free again, and its SQN starts anew */
	h_mar(*state, 0, 1, &a);
	assert_int_equal(h_sqn(&a.vectors[0], 0) >> SQN_IND_BITS, 1);
}

/* A newcomer may get the row, and even the SQN, of somebody who left: the cache must not mix them
 * up. */
static void test_del_and_cache(void **state)
{
	const uint64_t start = UINT64_C(32) << SQN_IND_BITS | (SQN_INDS - 1); /* reserved for 0 */
	struct hss_subscriber s;
	struct h_answer a;

	h_add(*state, 0);
	h_mar(*state, 0, 1, &a);
	assert_int_equal(hss_subscriber_del(*state, SV(H_IMPI)), 0);
	h_subscriber(&s, 1);
	s.sqn = start;
	assert_int_equal(hss_subscriber_add(*state, &s), 0);
	h_mar(*state, 1, 1, &a);
	assert_true(h_sqn(&a.vectors[0], 1) > start);
}

struct listing {
	unsigned n, stop_at;
	char last[HSS_MAX_IDENTITY];
	enum cx_registration flag;
	uint64_t sqn;
};

static bool list(void *arg, const struct hss_subscriber *s, enum cx_registration flag)
{
	static const uint8_t zero[16];
	struct listing *l = arg;

	assert_true(strcmp(l->last, s->impi) < 0);
	assert_memory_equal(s->k, zero, 16); /* keys are nobody's business */
	assert_memory_equal(s->opc, zero, 16);
	assert_memory_equal(s->amf, "\x80\x5a", 2);
	assert_int_equal(s->n_impus, 2);
	snprintf(l->last, sizeof(l->last), "%s", s->impi);
	if (strcmp(s->impi, H_IMPI) == 0) {
		l->flag = flag;
		l->sqn = s->sqn;
	}
	return ++l->n != l->stop_at;
}

static void test_list(void **state)
{
	struct listing l = {0};
	struct h_answer a;

	assert_int_equal(hss_subscriber_each(*state, list, &l), 0);
	assert_int_equal(l.n, 0);
	assert_int_equal(hss_batch_begin(*state), 0);
	assert_int_equal(hss_batch_begin(*state), -EBUSY);
	for (unsigned i = 0; i < 50; i++)
		h_add(*state, 49 - i);
	assert_int_equal(hss_batch_end(*state), 0);
	assert_int_equal(hss_batch_end(*state), 0);
	h_mar(*state, 0, 1, &a);
	assert_int_equal(hss_subscriber_each(*state, list, &l), 0);
	assert_int_equal(l.n, 50);
	assert_int_equal(hss_subscribers(*state), 50);
	assert_int_equal(l.flag, CX_PENDING);
	assert_int_equal(l.sqn, h_sqn(&a.vectors[0], 0)); /* given out, not reserved */
	l = (struct listing){.stop_at = 7};
	assert_int_equal(hss_subscriber_each(*state, list, &l), 0);
	assert_int_equal(l.n, 7);
}

static void test_batch_with_failure(void **state)
{
	struct hss_subscriber s;

	assert_int_equal(hss_batch_begin(*state), 0);
	h_add(*state, 0);
	h_subscriber(&s, 0);
	assert_int_equal(hss_subscriber_add(*state, &s), -EEXIST);
	h_add(*state, 1); /* one that fails leaves the others alone */
	assert_int_equal(hss_batch_end(*state), 0);
	assert_int_equal(hss_subscribers(*state), 2);
	assert_int_equal(known(*state, H_IMPI, H_TEL), CX_SUCCESS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_add, setup, teardown),
		cmocka_unit_test_setup_teardown(test_invalid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_largest_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_del, setup, teardown),
		cmocka_unit_test_setup_teardown(test_del_and_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list, setup, teardown),
		cmocka_unit_test_setup_teardown(test_batch_with_failure, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
