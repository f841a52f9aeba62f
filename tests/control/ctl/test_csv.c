#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "control/ctl/csv.h"
#include "control/ctl/table.h"

#define K "00112233445566778899aabbccddeeff"
#define O "FFeeddccbbaa99887766554433221100"

static void test_csv_good(void **state)
{
	const char *why = NULL;
	json_t *o, *want;

	(void)state;
	assert_int_equal(
		csv_subscriber(&o, sv_of("a@b , " K "," O ",8000,32,sip:a@b, tel:+1\r\n"), &why),
		0);
	want = json_pack("{s:s, s:s, s:s, s:s, s:i, s:[ss]}", "impi", "a@b", "k", K, "opc", O,
			 "amf", "8000", "sqn", 32, "impus", "sip:a@b", "tel:+1");
	assert_true(json_equal(o, want));
	json_decref(want);
	json_decref(o);
}

/* Lines of SIP Digest */
static void test_csv_digest(void **state)
{
	static const struct {
		const char *line, *json;
	} rows[] = {
		{"a@b,digest,r," K ",,sip:a@b",
		 "{\"impi\":\"a@b\",\"realm\":\"r\",\"ha1\":\"" K "\",\"impus\":[\"sip:a@b\"]}"},
		{" a@b , Digest, , " K " , " K K " , sip:a@b , tel:+1\r\n",
		 "{\"impi\":\"a@b\",\"ha1\":\"" K "\",\"ha1_sha256\":\"" K K
		 "\",\"impus\":[\"sip:a@b\",\"tel:+1\"]}"},
		{"a@b,digest,r,," K K ",sip:a@b",
		 "{\"impi\":\"a@b\",\"realm\":\"r\",\"ha1_sha256\":\"" K K
		 "\",\"impus\":[\"sip:a@b\"]}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *o, *want = json_loads(rows[i].json, 0, NULL);
		const char *why = NULL;

		assert_int_equal(csv_subscriber(&o, sv_of(rows[i].line), &why), 0);
		assert_true(json_equal(o, want));
		json_decref(want);
		json_decref(o);
	}
}

static void test_csv_nothing(void **state)
{
	static const char *const lines[] = {"", "\n", "  \r\n", "# impi,k,opc,amf,sqn,impu\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *why = NULL;
		json_t *o;

		assert_int_equal(csv_subscriber(&o, sv_of(lines[i]), &why), 0);
		assert_null(o);
	}
}

static void test_csv_bad(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{",", "field 1, impi"},
		{",digest,r," K ",,b", "field 1, impi"},
		{"a,digest,r,,,b", "fields 4 and 5"},
		{"a,digest", "fields 4 and 5"},
		{"a,digest,r,geheim,,b", "field 4, ha1"},
		{"a,digest,r," K "," K ",b", "field 5, ha1_sha256"},
		{"a,digest,\xff," K ",,b", "field 3, realm"},
		{"a,digest,r," K ",,", "field 6"},
		{"a,digest,r," K, "field 6"},
		{"\xff,digest,r," K ",,b", "UTF-8"},
		{"a", "field 2, k"},
		{"a," K "0", "field 2, k"},
		{"a," K, "field 3, opc"},
		{"a," K ",xx112233445566778899aabbccddeeff", "field 3, opc"},
		{"a," K "," O ",80", "field 4, amf"},
		{"a," K "," O ",8000", "field 5, sqn"},
		{"a," K "," O ",8000,-1,b", "field 5, sqn"},
		{"a," K "," O ",8000,281474976710656,b", "field 5, sqn"},
		{"a," K "," O ",8000,0", "field 6"},
		{"a," K "," O ",8000,0,", "field 6"},
		{"a," K "," O ",8000,0,b,,c", "field 6"},
		{"a," K "," O ",8000,0,\xff", "UTF-8"},
		{"\xff," K "," O ",8000,0,b", "UTF-8"},
		{"a," K "," O
		 ",8000,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
		 "25,26,27,28,29,30,31,32,33",
		 "at most 32"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *why = NULL;
		json_t *o;

		assert_int_equal(csv_subscriber(&o, sv_of(rows[i].line), &why), -EINVAL);
		assert_null(o);
		assert_non_null(why);
		if (!strstr(why, rows[i].says))
			print_error("%s: %s\n", rows[i].line, why);
		assert_non_null(strstr(why, rows[i].says));
	}
}

static void test_table(void **state)
{
	static const char *const head[] = {"A", "LONG", NULL};
	char text[512] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");
	struct table *t;

	(void)state;
	assert_int_equal(table_alloc(&t, head), 0);
	assert_int_equal(table_add(t, (const char *[]){"abc", "x"}), 0);
	assert_int_equal(table_add(t, (const char *[]){"", "\x1b[2J\xff"}), 0);
	table_print(t, out);
	assert_int_equal(table_add(t, (const char *[]){"d", "y"}), 0);
	table_print(t, out);
	table_free(t);
	fclose(out);
	assert_string_equal(text, "A    LONG\nabc  x\n-    ?[2J?\nd    y\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv_good),    cmocka_unit_test(test_csv_digest),
		cmocka_unit_test(test_csv_nothing), cmocka_unit_test(test_csv_bad),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
