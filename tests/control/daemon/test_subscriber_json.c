#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <string.h>

#include "control/daemon/subscriber_json.h"

#define K     "465b5ce8b199b49faa5f0a2ee238a6bc" /* TS 35.208 test set 1 */
#define OP    "cdc202d5123e20f62b6d676ac72cb318"
#define OPC   "cd63cb71954a9f4e48a5994e37a02baf"
#define IDS   "\"impi\":\"a@x\",\"impus\":[\"sip:A@X;user=phone\",\"tel:+49-123\"]"
#define KEYS  "\"k\":\"" K "\",\"opc\":\"" OPC "\""
#define PASS  "\"password\":\"465bgeheim\""
#define BLANK "\"impi\":\"a@x\",\"impus\":"

static const char *read_text(struct hss_subscriber *s, const char *text)
{
	json_t *o = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	const char *why;

	assert_non_null(o);
	why = subscriber_from_json(s, o, "usual");
	json_decref(o);
	return why;
}

static void test_subscriber_good(void **state)
{
	static const uint8_t opc[16] = {0xcd, 0x63, 0xcb, 0x71, 0x95, 0x4a, 0x9f, 0x4e,
					0x48, 0xa5, 0x99, 0x4e, 0x37, 0xa0, 0x2b, 0xaf};
	struct hss_subscriber s;

	(void)state;
	assert_null(read_text(&s, "{" IDS ",\"k\":\"" K "\",\"op\":\"" OP
				  "\",\"amf\":\"b9b9\",\"sqn\":281474976710655}"));
	assert_string_equal(s.impi, "a@x");
	assert_int_equal(s.n_impus, 2);
	assert_string_equal(s.impus[0], "sip:A@x"); /* canonical */
	assert_string_equal(s.impus[1], "tel:+49123");
	assert_memory_equal(s.opc, opc, 16);
	assert_int_equal(s.k[0], 0x46);
	assert_int_equal(s.amf[0], 0xb9);
	assert_true(s.sqn == 281474976710655);

	assert_null(read_text(&s, "{" IDS "," KEYS "}"));
	assert_memory_equal(s.opc, opc, 16);
	assert_int_equal(s.amf[0], 0x80);
	assert_int_equal(s.amf[1], 0);
	assert_true(s.sqn == 0);
}

/* Python: md5(b"a@x:usual:465bgeheim").hexdigest(), and so on */
#define HA1_MD5	   "5198349b490530f0cc37973c1de8628d"
#define HA1_SHA256 "ca834315d45f04b8a02f506f37079681cbdba302b4b39e4d14b2d3832ca76f89"
#define HA1_OTHER  "ab8f70ab8543f6ff3e8784e541a6a6d9"

/* covers: DN-01, DN-08 */
static void test_subscriber_digest(void **state)
{
	static const struct {
		const char *text, *realm, *md5, *sha256;
		bool aka;
		enum hss_variant variant;
	} rows[] = {
		{"{" IDS "," PASS "}", "usual", HA1_MD5, HA1_SHA256, false, HSS_VARIANT_DEFAULT},
		{"{" IDS "," PASS "," KEYS ",\"variant\":\"hss\"}", "usual", HA1_MD5, HA1_SHA256,
		 true, HSS_VARIANT_HSS},
		{"{" IDS "," PASS ",\"realm\":\"other\",\"variant\":\"s-cscf\"}", "other",
		 HA1_OTHER, NULL, false, HSS_VARIANT_SCSCF},
		{"{" IDS ",\"ha1\":\"ABCDEF"
		 "00112233445566778899aabbcc"
		 "\"}",
		 "usual",
		 "abcdef"
		 "00112233445566778899aabbcc",
		 "", false, HSS_VARIANT_DEFAULT},
		{"{" IDS ",\"ha1_sha256\":\"" HA1_SHA256 "\"}", "usual", "", HA1_SHA256, false,
		 HSS_VARIANT_DEFAULT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hss_subscriber s;

		assert_null(read_text(&s, rows[i].text));
		assert_int_equal(s.n_digests, 1);
		assert_string_equal(s.digests[0].realm, rows[i].realm);
		assert_string_equal(s.digests[0].ha1[HSS_MD5], rows[i].md5);
		if (rows[i].sha256)
			assert_string_equal(s.digests[0].ha1[HSS_SHA256], rows[i].sha256);
		assert_int_equal(s.no_aka, !rows[i].aka);
		assert_int_equal(s.variant, rows[i].variant);
	}
}

static void test_new_password(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: good */
	} rows[] = {
		{"{" PASS "}", NULL},
		{"{\"ha1\":\"" HA1_MD5 "\",\"realm\":\"usual\"}", NULL},
		{"{}", "password: expected"},
		{"[]", "expected an object"},
		{"{" PASS ",\"variant\":\"hss\"}", "expected only"},
		{"{" PASS ",\"k\":\"" K "\"}", "expected only"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *o = json_loads(rows[i].text, 0, NULL);
		struct hss_subscriber s;
		const char *why = digest_from_json(&s, "a@x", o, "usual");

		assert_int_equal(why == NULL, rows[i].says == NULL);
		if (why)
			assert_non_null(strstr(why, rows[i].says));
		else
			assert_string_equal(s.digests[0].ha1[HSS_MD5], HA1_MD5);
		json_decref(o);
	}
}

static void test_subscriber_bad(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{"1", "expected an object"},
		{"{}", "impi: expected"},
		{"{\"impi\":5}", "impi: expected"},
		{"{\"impi\":\"a\"}", "impi: expected"},
		{"{\"impi\":\"a @x\"}", "impi: expected"},
		{"{\"impi\":\"a@x\\u0000\"}", "impi: expected"},
		{"{\"impi\":\"a@x\"}", "impus: expected a list"},
		{"{" BLANK "[]}", "impus: expected a list"},
		{"{" BLANK "[1]}", "impus: expected"},
		{"{" BLANK "[\"http://x\"]}", "impus: expected sip:"},
		{"{" BLANK "[\"sip:a\\n@x\"]}", "impus: expected"},
		{"{" IDS "}", "k: expected 32"},
		{"{" IDS "," KEYS ",\"realm\":\"r\"}", "expected a password"},
		{"{" IDS "," KEYS ",\"variant\":\"hss\"}", "expected a password"},
		{"{" IDS "," PASS ",\"variant\":\"x\"}", "variant: expected"},
		{"{" IDS "," PASS ",\"opc\":\"" OPC "\"}", "k: expected"},
		{"{" IDS "," PASS ",\"k\":\"" K "\"}", "expected one of op and opc"},
		{"{" IDS "," PASS ",\"ha1\":\"" K "\"}", "either password or ha1"},
		{"{" IDS ",\"password\":\"\"}", "password: expected"},
		{"{" IDS ",\"password\":5}", "password: expected"},
		{"{" IDS "," PASS ",\"realm\":\"\"}", "realm: expected"},
		{"{" IDS "," PASS ",\"realm\":\"a:b\"}", "realm: expected"},
		{"{" IDS "," PASS ",\"realm\":\"a\\u0000b\"}", "realm: expected"},
		{"{" IDS ",\"ha1\":\"geheim\"}", "ha1: expected 32"},
		{"{" IDS ",\"ha1_sha256\":\"" K "\"}", "ha1_sha256: expected 64"},
		{"{" IDS ",\"k\":\"00\"}", "k: expected 32"},
		{"{" IDS ",\"k\":\"" K "\"}", "expected one of op and opc"},
		{"{" IDS "," KEYS ",\"op\":\"" OP "\"}", "expected one of op and opc"},
		{"{" IDS ",\"k\":\"" K "\",\"op\":\"x\"}", "op: expected 32"},
		{"{" IDS "," KEYS ",\"amf\":\"80\"}", "amf: expected 4"},
		{"{" IDS "," KEYS ",\"sqn\":-1}", "sqn: expected"},
		{"{" IDS "," KEYS ",\"sqn\":281474976710656}", "sqn: expected"},
		{"{" IDS "," KEYS ",\"sqn\":\"1\"}", "sqn: expected"},
		{"{" IDS "," KEYS ",\"key\":\"1\"}", "expected only"},
	};
	static const struct hss_subscriber empty;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hss_subscriber s;
		const char *why = read_text(&s, rows[i].text);

		assert_non_null(why);
		if (!strstr(why, rows[i].says))
			print_error("%s: %s\n", rows[i].text, why);
		assert_non_null(strstr(why, rows[i].says));
		assert_null(strstr(why, "465b"));
		if (rows[i].text[0] == '{') /* nothing is left of the keys */
			assert_memory_equal(&s, &empty, sizeof(s));
	}
}

static void test_subscriber_too_many_impus(void **state)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:[]}", "impi", "a@x", "k", K, "opc", OPC, "impus");
	struct hss_subscriber s;

	(void)state;
	for (unsigned i = 0; i < CX_MAX_IMPUS; i++)
		json_array_append_new(json_object_get(o, "impus"), json_string("sip:a@x"));
	assert_null(subscriber_from_json(&s, o, "usual"));
	assert_int_equal(s.n_impus, CX_MAX_IMPUS);
	json_array_append_new(json_object_get(o, "impus"), json_string("sip:a@x"));
	assert_non_null(subscriber_from_json(&s, o, "usual"));
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subscriber_good),
		cmocka_unit_test(test_subscriber_bad),
		cmocka_unit_test(test_subscriber_digest),
		cmocka_unit_test(test_new_password),
		cmocka_unit_test(test_subscriber_too_many_impus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
