#include "control/base/sbuf.h"
#include "tests/support/test.h"

static void test_put(void **state)
{
	char buf[6];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	(void)state;
	sbuf_put(&b, SV("abc"));
	sbuf_put(&b, SV(""));
	sbuf_put(&b, (struct sv){0});
	sbuf_put(&b, SV("def"));
	assert_false(b.overflow);
	assert_true(sv_eq(sbuf_sv(&b), SV("abcdef")));
	sbuf_put(&b, SV("g"));
	assert_true(b.overflow);
	assert_int_equal(b.n, 6);
}

/* Once something did not fit, nothing more is added: a gap would not be seen. */
static void test_overflow_stays(void **state)
{
	char buf[4];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	(void)state;
	sbuf_put(&b, SV("too long"));
	sbuf_put(&b, SV("x"));
	sbuf_printf(&b, "%d", 1);
	sbuf_hex(&b, "x", 1);
	assert_true(b.overflow);
	assert_int_equal(b.n, 0);
}

static void test_printf(void **state)
{
	char buf[8];
	struct sbuf b = sbuf_of(buf, sizeof(buf)), none = sbuf_of(NULL, 0);

	(void)state;
	sbuf_printf(&b, "%s=%d", "ab", 7);
	assert_true(sv_eq(sbuf_sv(&b), SV("ab=7")));
	sbuf_printf(&b, "%s", "");
	sbuf_printf(&b, "%s", "xyz");
	assert_false(b.overflow);
	sbuf_printf(&b, "%s", "0123456789");
	assert_true(b.overflow);
	assert_true(sv_eq(sbuf_sv(&b), SV("ab=7xyz")));
	sbuf_printf(&none, "%s", "");
	assert_false(none.overflow);
	sbuf_printf(&none, "%s", "x");
	assert_true(none.overflow);
}

static void test_hex(void **state)
{
	char buf[5];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	(void)state;
	sbuf_hex(&b, "\x00\xfe", 2);
	assert_true(sv_eq(sbuf_sv(&b), SV("00fe")));
	sbuf_hex(&b, "\x01", 1);
	assert_true(b.overflow);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put),
		cmocka_unit_test(test_overflow_stays),
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_hex),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
