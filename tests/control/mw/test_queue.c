/* The queue in memory, and next hops. */
#include "tests/support/test.h"

#include <errno.h>

#include "control/mw/mw.h"
#include "control/sip/msg.h"

struct sink {
	struct mw *mw;
	unsigned n, tapped;
	uint64_t now;
	char order[512];
	const char *answer_to; /* sends on what it gets */
};

static void keep(void *arg, struct sv text, uint64_t now)
{
	struct sink *s = arg;

	s->n++;
	s->now = now;
	assert_true(strlen(s->order) + text.n < sizeof(s->order));
	memcpy(s->order + strlen(s->order), text.p, text.n);
	assert_int_equal(mw_run(s->mw, now), 0); /* from inside: the outer call does the work */
	if (s->answer_to)
		assert_int_equal(mw_send(s->mw, sv_of(s->answer_to), SV("answer")), 0);
}

static void tap(void *arg, struct sv host, struct sv text)
{
	struct sink *s = arg;

	(void)text;
	assert_true(sv_eq(host, SV("a.net")));
	s->tapped++;
}

static void test_order(void **state)
{
	struct sink a = {0}, b = {0};
	struct mw *m;

	(void)state;
	assert_int_equal(mw_alloc(&m), 0);
	a.mw = b.mw = m;
	b.answer_to = "a.net";
	assert_int_equal(mw_attach(m, SV("a.net"), keep, &a), 0);
	assert_int_equal(mw_attach(m, SV("b.net"), keep, &b), 0);
	assert_int_equal(mw_attach(m, SV("A.NET"), keep, &b), -EEXIST);
	assert_int_equal(mw_send(m, SV("a.net"), SV("1")), 0);
	assert_int_equal(mw_send(m, SV("B.net"), SV("x")), 0);
	assert_int_equal(mw_send(m, SV("A.Net"), SV("2")), 0);
	assert_int_equal(a.n, 0); /* nothing moves before the run */
	assert_int_equal(mw_run(m, 77), 4);
	assert_string_equal(a.order, "12answer");
	assert_string_equal(b.order, "x");
	assert_int_equal(a.now, 77);
	assert_int_equal(mw_run(m, 78), 0);
	mw_free(m);
}

static void test_lost(void **state)
{
	struct sink a = {0};
	struct mw *m;

	(void)state;
	assert_int_equal(mw_alloc(&m), 0);
	a.mw = m;
	assert_int_equal(mw_send(m, SV("a.net"), SV("1")), -ENOENT);
	assert_int_equal(mw_send(m, SV(""), SV("1")), -ENOENT);
	assert_int_equal(mw_lost(m), 2);
	assert_int_equal(mw_attach(m, SV("a.net"), keep, &a), 0);
	assert_int_equal(mw_send(m, SV("a.net"), SV("1")), 0);
	mw_detach(m, SV("a.net")); /* with a message on the way */
	assert_int_equal(mw_run(m, 0), 1);
	assert_int_equal(a.n, 0);
	assert_int_equal(mw_lost(m), 3);
	assert_int_equal(mw_send(m, SV("a.net"), SV("1")), -ENOENT);
	assert_int_equal(mw_attach(m, SV("a.net"), keep, &a), 0);
	assert_int_equal(mw_send(m, SV("a.net"), SV("1")),
			 0); /* left in the queue: mw_free frees it */
	mw_free(m);
}

static void test_tap(void **state)
{
	struct sink a = {0};
	struct mw *m;

	(void)state;
	assert_int_equal(mw_alloc(&m), 0);
	a.mw = m;
	assert_int_equal(mw_attach(m, SV("a.net"), keep, &a), 0);
	mw_tap(m, tap, &a);
	mw_send(m, SV("a.net"), SV("1"));
	mw_run(m, 0);
	mw_tap(m, NULL, NULL);
	mw_send(m, SV("a.net"), SV("1"));
	mw_run(m, 0);
	assert_int_equal(a.tapped, 1);
	assert_int_equal(a.n, 2);
	mw_free(m);
}

#define REST                                                                                       \
	"From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 "                         \
	"MESSAGE\r\nContent-Length: 0\r\n\r\n"
#define VIA "Via: SIP/2.0/TCP via.net;branch=z9hG4bK1\r\n"

static void test_next_hop(void **state)
{
	static const struct {
		const char *text, *hop;
	} cases[] = {
		{"MESSAGE sip:b@home.net SIP/2.0\r\n" VIA REST, "home.net"},
		{"MESSAGE tel:+49123 SIP/2.0\r\n" VIA REST, ""},
		{"MESSAGE sip:b@home.net SIP/2.0\r\nRoute: <sip:x@r1.net:5070;lr>, "
		 "<sip:r2.net;lr>\r\n" VIA REST,
		 "r1.net"},
		{"MESSAGE tel:+49123 SIP/2.0\r\nRoute: <sip:[2001:db8::1];lr>\r\n" VIA REST,
		 "2001:db8::1"},
		{"MESSAGE sip:b@home.net SIP/2.0\r\nRoute: <broken\r\n" VIA REST, ""},
		{"SIP/2.0 200 OK\r\n" VIA "Via: SIP/2.0/TCP other.net;branch=z9hG4bK1\r\n" REST,
		 "via.net"},
		{"SIP/2.0 200 OK\r\nRoute: <sip:r1.net;lr>\r\n" VIA REST, "via.net"},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(cases); i++) {
		struct sip_msg m;

		assert_int_equal(sip_msg_parse(&m, sv_of(cases[i].text)), 0);
		assert_true(sv_eq(mw_next_hop(&m), sv_of(cases[i].hop)));
	}
}

static void test_forward(void **state)
{
	struct sink a = {0};
	struct mw *m;

	(void)state;
	assert_int_equal(mw_alloc(&m), 0);
	a.mw = m;
	assert_int_equal(mw_attach(m, SV("home.net"), keep, &a), 0);
	assert_int_equal(mw_forward(m, sv_of("MESSAGE sip:b@home.net SIP/2.0\r\n" VIA REST)), 0);
	assert_int_equal(mw_forward(m, sv_of("MESSAGE sip:b@gone.net SIP/2.0\r\n" VIA REST)),
			 -ENOENT);
	assert_int_equal(mw_forward(m, sv_of("MESSAGE tel:+1 SIP/2.0\r\n" VIA REST)), -ENOENT);
	assert_int_equal(mw_forward(m, sv_of("no SIP at all")), -EBADMSG);
	assert_int_equal(mw_run(m, 0), 1);
	mw_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	cmocka_unit_test(test_lost),
		cmocka_unit_test(test_tap),	cmocka_unit_test(test_next_hop),
		cmocka_unit_test(test_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
