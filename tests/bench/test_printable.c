/* What reaches a terminal of text from the network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/ctl/printable.h"

static void every_octet(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		assert_int_equal(printable((char)c), c >= 0x20 && c <= 0x7e ? c : '?');
}

static void written(void **state)
{
	static const char text[] = "403 \033[2J\xc2\x9b"
				   "2J \0end";
	char *got = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&got, &n);

	(void)state;
	assert_non_null(f);
	printable_write(f, text, sizeof(text) - 1);
	printable_write(f, NULL, 0);
	fclose(f);
	assert_string_equal(got, "403 ?[2J??2J ?end");
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_octet),
		cmocka_unit_test(written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
