#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "control/daemon/log.h"
#include "control/daemon/options.h"

struct row {
	int argc;
	const char *argv[8];
	int result;
	enum options_verb verb;
	const char *conf, *run_dir, *says;
};

static const struct row rows[] = {
	{3, {"e", "-c", "f"}, 0, OPTIONS_RUN, "f", NULL, ""},
	{2, {"e", "--config=f"}, 0, OPTIONS_RUN, "f", NULL, ""},
	{4, {"e", "--check", "-c", "f"}, 0, OPTIONS_CHECK, "f", NULL, ""},
	{5, {"e", "-c", "f", "--run-dir", "d"}, 0, OPTIONS_RUN, "f", "d", ""},
	{2, {"e", "--keys"}, 0, OPTIONS_KEYS, NULL, NULL, ""},
	{2, {"e", "--help"}, 0, OPTIONS_HELP, NULL, NULL, ""},
	{2, {"e", "-h"}, 0, OPTIONS_HELP, NULL, NULL, ""},
	{2, {"e", "--version"}, 0, OPTIONS_VERSION, NULL, NULL, ""},
	{1, {"e"}, -EINVAL, 0, NULL, NULL, "expected -c FILE"},
	{2, {"e", "--check"}, -EINVAL, 0, NULL, NULL, "expected -c FILE"},
	{2, {"e", "-c"}, -EINVAL, 0, NULL, NULL, "expected a value after -c"},
	{4, {"e", "-c", "f", "g"}, -EINVAL, 0, NULL, NULL, "unexpected: g"},
	{2, {"e", "--bogus"}, -EINVAL, 0, NULL, NULL, "unknown option: --bogus"},
};

static void text_same(const char *a, const char *b)
{
	if (a && b)
		assert_string_equal(a, b);
	else
		assert_true(a == b);
}

static void test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char said[256] = "", *argv[8] = {NULL};
		FILE *err = fmemopen(said, sizeof(said), "w");
		struct options o;

		for (int n = 0; n < rows[i].argc; n++)
			argv[n] = strdup(rows[i].argv[n]);
		assert_int_equal(options_parse(&o, rows[i].argc, argv, err), rows[i].result);
		fclose(err);
		assert_non_null(strstr(said, rows[i].says));
		if (rows[i].result == 0) {
			assert_int_equal(o.verb, rows[i].verb);
			text_same(o.conf, rows[i].conf);
			text_same(o.run_dir, rows[i].run_dir);
		}
		for (int n = 0; n < rows[i].argc; n++)
			free(argv[n]);
	}
}

/* Lines below the level do not appear, a flood is cut, errors pass, control characters do not. */
static void test_log(void **state)
{
	char said[16384] = "";
	FILE *out = fmemopen(said, sizeof(said), "w"), *before = stderr;
	struct log log = {.level = CONF_LOG_INFO};
	unsigned lines = 0;

	(void)state;
	stderr = out;
	log_line(&log, CONF_LOG_DEBUG, "hidden");
	log_line(&log, CONF_LOG_INFO, "a\x1b[2Jb\n");
	for (unsigned i = 0; i < 100; i++)
		log_line(&log, CONF_LOG_WARNING, "flood");
	log_line(&log, CONF_LOG_ERROR, "the end");
	stderr = before;
	fclose(out);
	assert_null(strstr(said, "hidden"));
	assert_non_null(strstr(said, "esplanade: info: a?[2Jb?\n"));
	assert_non_null(strstr(said, "esplanade: error: the end\n"));
	for (const char *p = said; (p = strstr(p, "flood")); p++)
		lines++;
	assert_in_range(lines, 19, 41); /* a second may end in between */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
