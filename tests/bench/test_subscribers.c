/* Subscribers as CSV. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/subscribers.h"

#define K "465b5ce8b199b49faa5f0a2ee238a6bc"
#define O "cd63cb71954a9f4e48a5994e37a02baf"

static void written_and_read(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	struct subscribers r;
	struct subscriber s, first = {0};
	unsigned count = 0;

	(void)state;
	assert_int_equal(subscribers_write(f, 20, 9999999, "ims.example"), 0);
	fclose(f);
	r = (struct subscribers){.file = fmemopen(text, n, "r")};
	while (subscribers_read(&r, &s) == 1) {
		if (count == 0)
			first = s;
		else
			assert_memory_not_equal(&s.key, &first.key, sizeof(s.key));
		count++;
	}
	assert_null(r.why);
	assert_int_equal(count, 20);
	assert_string_equal(first.impi, "001010009999999@ims.example");
	assert_string_equal(first.impu, "sip:001010009999999@ims.example");
	assert_string_equal(s.impi, "001010010000018@ims.example");
	assert_int_equal(s.sqn, 0);
	fclose(r.file);
	free(text);
}

/* The HSS gets no password, only H(A1). */
static void passwords(void **state)
{
	char *text = NULL, *hss_text = NULL;
	size_t n = 0, hss_n = 0;
	FILE *f = open_memstream(&text, &n), *hss = open_memstream(&hss_text, &hss_n);
	struct subscriber s;
	char start[] = "001010000000005@ims.example,password,";

	(void)state;
	assert_int_equal(subscribers_digest_write(f, hss, 2, 5, "ims.example"), 0);
	fclose(f);
	fclose(hss);
	assert_memory_equal(text, start, strlen(start));
	assert_null(subscriber_parse(&s, (struct sv){text, strcspn(text, "\n")}));
	assert_true(s.digest);
	assert_int_equal(strlen(s.password), 32);
	assert_string_equal(s.impu, "sip:001010000000005@ims.example");
	assert_null(strstr(hss_text, s.password));
	assert_memory_equal(hss_text, "001010000000005@ims.example,digest,ims.example,", 47);
	assert_null(subscriber_parse(&s, SV("a@b,password,x y,sip:a@b")));
	assert_string_equal(s.password, "x y");
	assert_non_null(subscriber_parse(&s, SV("a@b,password,,sip:a@b")));
	assert_non_null(subscriber_parse(&s, SV("a@b,password,x")));
	free(text);
	free(hss_text);
}

static void values(void **state)
{
	struct subscriber s;
	const uint8_t k[4] = {0x46, 0x5b, 0x5c, 0xe8};

	(void)state;
	assert_null(subscriber_parse(&s, SV("a@b.c, " K "," O ",b9b9,4096,sip:a@b.c,tel:+1")));
	assert_string_equal(s.impi, "a@b.c");
	assert_string_equal(s.impu, "sip:a@b.c");
	assert_memory_equal(s.key.k, k, sizeof(k));
	assert_int_equal(s.key.opc[15], 0xaf);
	assert_int_equal(s.sqn, 4096);
}

static void wrong_lines(void **state)
{
	static const char *const lines[] = {
		"",
		"a",
		"a,b,c,d,e,f",
		"ab.c," K "," O ",8000,0,sip:a@b.c",
		"a@b.c," K "0," O ",8000,0,sip:a@b.c",
		"a@b.c,x" K "," O ",8000,0,sip:a@b.c",
		"a@b.c," K ",,8000,0,sip:a@b.c",
		"a@b.c," K "," O ",80000,0,sip:a@b.c",
		"a@b.c," K "," O ",8000,,sip:a@b.c",
		"a@b.c," K "," O ",8000,281474976710656,sip:a@b.c",
		"a@b.c," K "," O ",8000,0",
		"a@b.c," K "," O ",8000,0,",
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct subscriber s;

		if (!subscriber_parse(&s, sv_of(lines[i])))
			fail_msg("accepted: %s", lines[i]);
	}
}

static void files(void **state)
{
	static const char good[] = "# comment\n\n  \na@b.c," K "," O ",8000,0,sip:a@b.c\r\n"
				   "b@b.c," K "," O ",8000,0,sip:b@b.c"; /* no end of line */
	static char text[2 * SUBSCRIBER_LINE];
	struct subscribers r = {.file = fmemopen((void *)(uintptr_t)good, sizeof(good) - 1, "r")};
	struct subscriber s;

	(void)state;
	assert_int_equal(subscribers_read(&r, &s), 1);
	assert_int_equal(r.line, 4);
	assert_string_equal(s.impu, "sip:a@b.c");
	assert_int_equal(subscribers_read(&r, &s), 1);
	assert_string_equal(s.impu, "sip:b@b.c");
	assert_int_equal(subscribers_read(&r, &s), 0);
	fclose(r.file);
	memset(text, 'x', sizeof(text));
	r = (struct subscribers){.file = fmemopen(text, sizeof(text), "r")};
	assert_int_equal(subscribers_read(&r, &s), -EINVAL);
	assert_non_null(r.why);
	fclose(r.file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords), cmocka_unit_test(written_and_read),
		cmocka_unit_test(values),    cmocka_unit_test(wrong_lines),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
