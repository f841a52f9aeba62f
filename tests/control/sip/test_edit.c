#include <errno.h>

#include "control/sip/edit.h"
#include "tests/support/test.h"

#define START "INVITE sip:b@x SIP/2.0\r\n"
#define HEAD                                                                                       \
	"Via: SIP/2.0/UDP h1;branch=z9hG4bK1, SIP/2.0/UDP h2\r\n"                                  \
	"Via: SIP/2.0/UDP h3\r\n"                                                                  \
	"From: <sip:a@x>;tag=1\r\n"                                                                \
	"To: <sip:b@x>\r\n"                                                                        \
	"Call-ID: c\r\n"                                                                           \
	"CSeq: 1 INVITE\r\n"

struct fixture {
	struct sip_msg m;
	struct sip_edit e;
	char out[2048];
};

static void begin(struct fixture *f, const char *text)
{
	assert_int_equal(sip_msg_parse(&f->m, sv_of(text)), 0);
	sip_edit_init(&f->e, &f->m);
}

static void finish(struct fixture *f, const char *want)
{
	struct sv v = sip_edit_text(&f->e, f->out, sizeof(f->out));

	if (!sv_eq(v, sv_of(want)))
		fail_msg("got:\n%.*s\nwant:\n%s", SV_ARG(v), want);
}

static void test_nothing(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, START HEAD "\r\nbody");
	finish(&f, START HEAD "\r\nbody");
	/* octets behind the message are not sent on */
	begin(&f, "\r\n" START HEAD "l: 1\r\n\r\nbody");
	finish(&f, START HEAD "l: 1\r\n\r\nb");
}

/* Calls in an order that has nothing to do with positions. */
static void test_mixed(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, START HEAD "Route: <sip:r1>, <sip:r2>\r\nX: 1\r\nRequire: sec-agree\r\n\r\nbody");
	sip_edit_append(&f.e, "Path: <sip:%s>", "p");
	sip_edit_remove_token(&f.e, SIP_HDR_REQUIRE, SV("sec-agree"));
	sip_edit_remove_first(&f.e, SIP_HDR_ROUTE);
	sip_edit_replace(&f.e, f.m.uri, "sip:%d", 7);
	sip_edit_insert(&f.e, SIP_HDR_VIA, "Via: SIP/2.0/UDP h0");
	sip_edit_append(&f.e, "Y: 2");
	sip_edit_insert(&f.e, SIP_HDR_RECORD_ROUTE, "Record-Route: <sip:p>");
	finish(&f, "INVITE sip:7 SIP/2.0\r\nVia: SIP/2.0/UDP h0\r\n" HEAD
		   "Route: <sip:r2>\r\nX: 1\r\nPath: <sip:p>\r\nY: 2\r\nRecord-Route: "
		   "<sip:p>\r\n\r\nbody");
}

static void test_remove(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, START HEAD "Route: <sip:1>\r\nX: 1\r\nRoute: <sip:2>\r\n <sip:3>\r\n\r\n");
	sip_edit_remove(&f.e, sip_msg_find(&f.m, SIP_HDR_ROUTE));
	finish(&f, START HEAD "X: 1\r\nRoute: <sip:2>\r\n <sip:3>\r\n\r\n");
	sip_edit_remove_all(&f.e, SIP_HDR_ROUTE);
	sip_edit_remove_all(&f.e, SIP_HDR_PATH);
	finish(&f, START HEAD "X: 1\r\n\r\n");
}

static void test_remove_first(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, START HEAD "\r\n");
	sip_edit_remove_first(&f.e, SIP_HDR_VIA);
	finish(&f, START "Via: SIP/2.0/UDP h2\r\nVia: SIP/2.0/UDP h3\r\nFrom: "
			 "<sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n"
			 "Call-ID: c\r\nCSeq: 1 INVITE\r\n\r\n");
	sip_edit_remove_first(&f.e, SIP_HDR_VIA);
	finish(&f, START "Via: SIP/2.0/UDP h3\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n"
			 "Call-ID: c\r\nCSeq: 1 INVITE\r\n\r\n");
	sip_edit_insert(&f.e, SIP_HDR_VIA, "Via: SIP/2.0/UDP h0");
	sip_edit_remove_first(&f.e, SIP_HDR_VIA);
	sip_edit_remove_first(&f.e, SIP_HDR_VIA);
	finish(&f, START "Via: SIP/2.0/UDP h0\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:b@x>\r\n"
			 "Call-ID: c\r\nCSeq: 1 INVITE\r\n\r\n");
}

/* covers: F23 */
static void test_remove_token(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{"Require: sec-agree\r\n", ""},
		{"Require: SEC-Agree\r\nX: 1\r\nRequire: sec-agree\r\n", "X: 1\r\n"},
		{"Require: sec-agree, path\r\n", "Require: path\r\n"},
		{"Require: path,sec-agree\r\n", "Require: path\r\n"},
		{"Require: a, sec-agree , b\r\n", "Require: a, b\r\n"},
		{"Require: sec-agree,sec-agree\r\n", ""},
		{"Require: ,sec-agree,,\r\n", ""},
		{"Require: a,\r\n sec-agree\r\n", "Require: a\r\n"},
		{"Require: sec-agreement, a\r\n", "Require: sec-agreement, a\r\n"},
		{"Proxy-Require: sec-agree\r\n", "Proxy-Require: sec-agree\r\n"},
		{"Require: \r\n", "Require: \r\n"},
	};
	static struct fixture f;
	char text[512];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		snprintf(text, sizeof(text), "%s%s\r\nbody", START HEAD, cases[i].before);
		begin(&f, text);
		sip_edit_remove_token(&f.e, SIP_HDR_REQUIRE, SV("sec-agree"));
		snprintf(text, sizeof(text), "%s%s\r\nbody", START HEAD, cases[i].after);
		finish(&f, text);
	}
}

/* One after the other, they leave no empty field and no stray comma. */
static void test_remove_tokens(void **state)
{
	static const char *const order[][3] = {
		{"a", "b", "c"}, {"a", "c", "b"}, {"b", "a", "c"},
		{"b", "c", "a"}, {"c", "a", "b"}, {"c", "b", "a"},
	};
	static struct fixture f;

	(void)state;
	for (size_t i = 0; i < N_OF(order); i++) {
		char last[256];

		begin(&f, START HEAD "Supported: a, b, c\r\n\r\n");
		sip_edit_remove_token(&f.e, SIP_HDR_SUPPORTED, sv_of(order[i][0]));
		sip_edit_remove_token(&f.e, SIP_HDR_SUPPORTED, sv_of(order[i][1]));
		snprintf(last, sizeof(last), "%sSupported: %s\r\n\r\n", START HEAD, order[i][2]);
		finish(&f, last);
		sip_edit_remove_token(&f.e, SIP_HDR_SUPPORTED, sv_of(order[i][2]));
		finish(&f, START HEAD "\r\n");
	}
}

static void test_replace_wins_once(void **state)
{
	static struct fixture f;

	(void)state;
	begin(&f, START HEAD "X: old\r\n\r\n");
	sip_edit_replace(&f.e, f.m.h[6].value, "new");
	sip_edit_replace(&f.e, f.m.h[6].value, "newer %u", 1);
	finish(&f, START HEAD "X: newer 1\r\n\r\n");
	sip_edit_remove(&f.e, &f.m.h[6]); /* and then all of it goes */
	finish(&f, START HEAD "\r\n");

	/* both begin at the same octet: the one that reaches further takes the other with it */
	begin(&f, START HEAD "X: old\r\nRequire: a, b\r\n\r\n");
	sip_edit_replace(&f.e, f.m.h[6].name, "Y");
	sip_edit_remove(&f.e, &f.m.h[6]);
	sip_edit_remove(&f.e, &f.m.h[7]);
	sip_edit_remove_token(&f.e, SIP_HDR_REQUIRE, SV("a"));
	finish(&f, START HEAD "\r\n");
}

static void assert_failed(struct fixture *f)
{
	struct iovec iov[2 * SIP_EDIT_MAX + 1];

	assert_int_equal(sip_edit_iov(&f->e, iov, N_OF(iov)), -E2BIG);
	assert_int_equal(sip_edit_text(&f->e, f->out, sizeof(f->out)).n, 0);
}

/* A change that would silently get lost, or that is none of the message, is an error. */
static void test_refused(void **state)
{
	static struct fixture f;
	struct sv value;

	(void)state;
	begin(&f, START HEAD "X: abcdef\r\n\r\n");
	value = f.m.h[6].value;
	sip_edit_replace(&f.e, value, "whole");
	sip_edit_replace(&f.e, (struct sv){value.p + 1, 2}, "part");
	assert_failed(&f);

	begin(&f, START HEAD "X: abcdef\r\n\r\n");
	value = f.m.h[6].value;
	sip_edit_replace(&f.e, (struct sv){value.p, 3}, "%s", "");
	sip_edit_replace(&f.e, (struct sv){value.p + 2, 3}, "%s", "");
	assert_failed(&f);

	begin(&f, START HEAD "\r\n");
	sip_edit_replace(&f.e, SV("elsewhere"), "x");
	assert_failed(&f);
}

static void test_limits(void **state)
{
	static struct fixture f;
	struct iovec iov[3];

	(void)state;
	begin(&f, START HEAD "\r\n");
	for (unsigned i = 0; i < SIP_EDIT_MAX; i++)
		sip_edit_append(&f.e, "X: %u", i);
	assert_true(sip_edit_text(&f.e, f.out, sizeof(f.out)).n > 0);
	sip_edit_append(&f.e, "X: one too many");
	assert_failed(&f);

	begin(&f, START HEAD "\r\n");
	sip_edit_append(&f.e, "X: %*s", SIP_EDIT_TEXT_MAX - 6, "");
	assert_false(f.e.failed);
	sip_edit_append(&f.e, "Y:");
	assert_failed(&f);

	begin(&f, START HEAD "\r\n"); /* the text fits, its CRLF does not */
	sip_edit_append(&f.e, "X: %*s", SIP_EDIT_TEXT_MAX - 4, "");
	assert_failed(&f);

	begin(&f, START HEAD "Require: sec-agree, path\r\n\r\n");
	sip_edit_append(&f.e, "X: %*s", SIP_EDIT_TEXT_MAX - 6, "");
	sip_edit_remove_token(&f.e, SIP_HDR_REQUIRE, SV("sec-agree"));
	assert_failed(&f);

	begin(&f, START HEAD "\r\n");
	sip_edit_append(&f.e, "X: 1");
	assert_int_equal(sip_edit_iov(&f.e, iov, 3), 3);
	assert_int_equal(sip_edit_iov(&f.e, iov, 2), -E2BIG);
	assert_int_equal(sip_edit_text(&f.e, f.out, f.m.raw.n + 6).n, f.m.raw.n + 6);
	assert_int_equal(sip_edit_text(&f.e, f.out, f.m.raw.n + 5).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_remove),
		cmocka_unit_test(test_remove_first),
		cmocka_unit_test(test_remove_token),
		cmocka_unit_test(test_remove_tokens),
		cmocka_unit_test(test_replace_wins_once),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
