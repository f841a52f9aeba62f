#include <stdlib.h>

#include "control/base/parse.h"
#include "tests/support/test.h"

static void test_u64(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t value;
	} cases[] = {
		{"0", 0, true, 0},
		{"0000004096", UINT32_MAX, true, 4096},
		{"4294967295", UINT32_MAX, true, UINT32_MAX},
		{"4294967296", UINT32_MAX, false, 0},
		{"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, false, 0},
		{"18446744073709551617", UINT64_MAX, false, 0},
		{"99999999999999999999", UINT64_MAX, false, 0},
		{"00000000000000000001", 9, true, 1},
		{"000000000000000000001", 9, false, 0}, /* 21 digits */
		{"", 9, false, 0},
		{"+1", 9, false, 0},
		{"-1", 9, false, 0},
		{" 1", 9, false, 0},
		{"1 ", 9, false, 0},
		{"0x1", 9, false, 0},
		{"1\xb2", 9, false, 0},
		{"10", 9, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		uint64_t v = 77;

		if (parse_u64(sv_of(cases[i].text), cases[i].max, &v) != cases[i].ok)
			fail_msg("%s", cases[i].text);
		assert_int_equal(v, cases[i].ok ? cases[i].value : 77);
	}
	assert_false(parse_u64((struct sv){0}, 9, &(uint64_t){0}));
}

static void test_hex(void **state)
{
	uint8_t o[2] = {0};

	(void)state;
	assert_true(parse_hex(SV("00fE"), o, 2));
	assert_memory_equal(o, "\x00\xfe", 2);
	assert_false(parse_hex(SV("00f"), o, 2));
	assert_false(parse_hex(SV("00f"), o, 1));
	assert_false(parse_hex(SV("00fe0"), o, 2));
	assert_false(parse_hex(SV("00fg"), o, 2));
	assert_false(parse_hex(SV("0 fe"), o, 2));
	assert_true(parse_hex(SV(""), o, 0));
}

/* The examples of RFC 4648 clause 10, both ways. */
static void test_base64(void **state)
{
	static const char *const cases[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
		{"\xfb\xff", "+/8="},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		char out[16], text[16];
		size_t n = 99, len = strlen(cases[i][0]);

		format_base64(text, cases[i][0], len);
		assert_string_equal(text, cases[i][1]);
		assert_true(parse_base64(sv_of(text), out, sizeof(out), &n));
		assert_int_equal(n, len);
		assert_memory_equal(out, cases[i][0], n);
		assert_true(parse_base64(sv_of(text), out, len, &n));
		if (len)
			assert_false(parse_base64(sv_of(text), out, len - 1, &n));
	}
}

static void test_base64_bad(void **state)
{
	static const char *const cases[] = {
		"Z",	"Zg",	"Zg=",	"Zg===", "Z===", "====",     "Zm9v=",	 "=m9v",
		"Zm=v", "Zm9-", "Zm9_", "Zm 9v", "Zh==", "Zm9=Zm9v", "Zg==Zm9v", "Zm9\xff",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		char out[16];
		size_t n;

		if (parse_base64(sv_of(cases[i]), out, sizeof(out), &n))
			fail_msg("%s was taken", cases[i]);
	}
}

static void test_prefix(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{"10.0.0.0/8", true},	 {"192.0.2.1/32", true},    {"0.0.0.0/0", true},
		{"2001:db8::/32", true}, {"2001:db8::1/128", true}, {"10.0.0.1/8", false},
		{"10.0.0.0/33", false},	 {"2001:db8::/129", false}, {"2001:db8::1/127", false},
		{"10.0.0.0", false},	 {"10.0.0.0/", false},	    {"10.0.0/8", false},
		{"/8", false},		 {"10.0.0.0/8x", false},    {"", false},
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		struct ip_prefix p;

		if (parse_prefix(cases[i].text, &p) != cases[i].good)
			fail_msg("%s", cases[i].text);
	}
}

static void test_views(void **state)
{
	char *copy = sv_dup(SV("ab\0c"));

	(void)state;
	assert_true(sv_eq(sv_trim(SV(" \t\r\n a b \r\n\t")), SV("a b")));
	assert_int_equal(sv_trim(SV(" \r\n")).n, 0);
	assert_true(sv_eq(sv_unquote(SV("\"a\"b\"")), SV("a\"b")));
	assert_true(sv_eq(sv_unquote(SV("\"\"")), SV("")));
	assert_true(sv_eq(sv_unquote(SV("\"")), SV("\"")));
	assert_true(sv_eq(sv_unquote(SV("\"a")), SV("\"a")));
	assert_true(sv_has_prefix(SV("abc"), SV("ab")));
	assert_true(sv_has_prefix(SV("abc"), SV("")));
	assert_false(sv_has_prefix(SV("a"), SV("ab")));
	assert_memory_equal(copy, "ab\0c", 5);
	free(copy);
	copy = sv_dup((struct sv){0});
	assert_string_equal(copy, "");
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_u64),    cmocka_unit_test(test_hex),
		cmocka_unit_test(test_base64), cmocka_unit_test(test_base64_bad),
		cmocka_unit_test(test_prefix), cmocka_unit_test(test_views),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
