#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "control/ctl/args.h"

#define K "00112233445566778899aabbccddeeff"

/* Splits `line` at blanks; what args_parse() says goes to `said`. */
static int parse(struct args *a, const char *line, char *said, size_t cap)
{
	static char copy[2048]; /* struct args points into it */
	char *argv[64] = {(char[]){"esplanadectl"}};
	FILE *err = fmemopen(said, cap, "w");
	int argc = 1, result;

	memset(said, 0, cap);
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *p = copy, *word; (word = strsep(&p, " ")) && argc < 63;)
		if (*word)
			argv[argc++] = word;
	result = args_parse(a, argc, argv, err);
	fclose(err);
	return result;
}

static void test_args_good(void **state)
{
	static const struct {
		const char *line;
		enum args_verb verb;
	} rows[] = {
		{"show registrations", ARGS_SHOW_REGISTRATIONS},
		{"--json show sas --limit 5 --offset 10", ARGS_SHOW_SAS},
		{"show workers --json", ARGS_SHOW_WORKERS},
		{"show workers --watch 2", ARGS_SHOW_WORKERS},
		{"show drops", ARGS_SHOW_DROPS},
		{"show tcp", ARGS_SHOW_TCP},
		{"show status --socket /x", ARGS_SHOW_STATUS},
		{"subscriber list", ARGS_SUBSCRIBER_LIST},
		{"subscriber del a@b", ARGS_SUBSCRIBER_DEL},
		{"subscriber add --file -", ARGS_SUBSCRIBER_ADD},
		{"subscriber add --impi a@b --impu sip:a@b --k " K " --opc " K,
		 ARGS_SUBSCRIBER_ADD},
		{"subscriber add --impi a@b --impu sip:a@b --impu tel:+1 --k-file - --op " K
		 " --amf b9b9 --sqn 281474976710655",
		 ARGS_SUBSCRIBER_ADD},
		{"subscriber add --impi a@b --impu sip:a@b --digest --password-file -",
		 ARGS_SUBSCRIBER_ADD},
		{"subscriber add --impi a@b --impu sip:a@b --digest --password-file p --realm r "
		 "--variant hss --k-file - --opc " K,
		 ARGS_SUBSCRIBER_ADD},
		{"subscriber password a@b --password-file - --realm r", ARGS_SUBSCRIBER_PASSWORD},
		{"deregister a@b", ARGS_DEREGISTER},
		{"deregister --reject a@b", ARGS_DEREGISTER},
		{"check-cert a.pem", ARGS_CHECK_CERT},
		{"check-cert a.pem --ca b --crl c --name d.e --legacy --json", ARGS_CHECK_CERT},
		{"reauth a@b", ARGS_REAUTH},
		{"reauth a@b --expires 4294967295", ARGS_REAUTH},
		{"--help", ARGS_HELP},
		{"show -h", ARGS_HELP},
		{"--version", ARGS_VERSION},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char said[256];
		struct args a;

		if (parse(&a, rows[i].line, said, sizeof(said)))
			print_error("%s: %s\n", rows[i].line, said);
		assert_int_equal(parse(&a, rows[i].line, said, sizeof(said)), 0);
		assert_int_equal(a.verb, rows[i].verb);
		assert_string_equal(said, "");
	}
}

static void test_args_values(void **state)
{
	char said[256];
	struct args a;

	(void)state;
	unsetenv("ESPLANADE_SOCKET");
	assert_int_equal(parse(&a,
			       "subscriber add --impi a@b --impu sip:a@b --impu tel:+1 --k " K
			       " --op " K " --sqn 7 --socket /s",
			       said, sizeof(said)),
			 0);
	assert_string_equal(a.impi, "a@b");
	assert_int_equal(a.n_impus, 2);
	assert_string_equal(a.impus[1], "tel:+1");
	assert_string_equal(a.amf, "8000");
	assert_int_equal(a.sqn, 7);
	assert_string_equal(a.socket, "/s");
	assert_null(a.opc);
	assert_int_equal(parse(&a, "show sas --limit 0", said, sizeof(said)), 0);
	assert_true(a.has_limit);
	assert_string_equal(a.socket, ARGS_DEFAULT_SOCKET);
	setenv("ESPLANADE_SOCKET", "/env", 1);
	assert_int_equal(parse(&a, "show sas", said, sizeof(said)), 0);
	assert_false(a.has_limit);
	assert_string_equal(a.socket, "/env");
	unsetenv("ESPLANADE_SOCKET");
}

static void test_args_bad(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{"", "expected a command"},
		{"show", "unknown command: show"},
		{"show nothing", "unknown command: show nothing"},
		{"subscriber", "unknown command: subscriber"},
		{"show drops more", "unexpected: more"},
		{"deregister", "expected an IMPI"},
		{"check-cert", "expected a file"},
		{"check-cert a b", "unexpected: b"},
		{"check-cert a --crl c", "--crl: expected --ca"},
		{"show tcp --ca c", "--ca: not with this command"},
		{"reauth", "expected an IMPI"},
		{"reauth a b", "unexpected: b"},
		{"reauth a --expires 0", "--expires: expected at least 1"},
		{"reauth a --expires 4294967296", "--expires: expected a number"},
		{"reauth a --reject", "--reject: not with this command"},
		{"deregister a --expires 5", "--expires: not with this command"},
		{"subscriber del", "expected an IMPI"},
		{"subscriber password", "expected an IMPI"},
		{"subscriber password a", "expected --password-file"},
		{"subscriber password a --password-file - --variant hss", "not with this command"},
		{"subscriber add --impi a --impu b --digest", "--password-file together"},
		{"subscriber add --impi a --impu b --password-file p", "--password-file together"},
		{"subscriber add --impi a --impu b --k " K " --opc " K " --realm r",
		 "with --digest"},
		{"subscriber add --impi a --impu b --digest --password-file p --variant x",
		 "--variant: expected s-cscf or hss"},
		{"subscriber add --impi a --impu b --digest --password-file p --opc " K,
		 "one of --k-file and --k"},
		{"subscriber add --impi a --impu b --digest --password-file - --k-file - --opc " K,
		 "only one of them from stdin"},
		{"deregister a b", "unexpected: b"},
		{"show sas --limit", "expected a value"},
		{"show sas --limit x", "--limit: expected a number"},
		{"show sas --bogus", "--bogus: unknown option"},
		{"show workers --limit 1", "--limit: not with this command"},
		{"show workers --watch 0", "--watch: expected seconds"},
		{"show workers --watch 1.5", "--watch: expected seconds"},
		{"show workers --watch 90000", "--watch: expected seconds"},
		{"show sas --watch 1", "--watch: not with this command"},
		{"show drops --k " K, "--k: not with this command"},
		{"subscriber add", "expected --impi and --impu, or --file"},
		{"subscriber add --impi a --k " K " --op " K, "expected --impi and --impu"},
		{"subscriber add --impi a --impu b --op " K, "expected one of --k-file and --k"},
		{"subscriber add --impi a --impu b --k-file - --k " K " --op " K,
		 "expected one of --k-file and --k"},
		{"subscriber add --impi a --impu b --k " K, "expected one of --opc and --op"},
		{"subscriber add --impi a --impu b --k " K " --op " K " --opc " K,
		 "expected one of --opc and --op"},
		{"subscriber add --impi a --impu b --k 0011",
		 "--k: expected 32 hexadecimal digits"},
		{"subscriber add --amf 80000", "--amf: expected 4 hexadecimal digits"},
		{"subscriber add --sqn 281474976710656", "--sqn: expected a number up to"},
		{"subscriber add --file - --impi a", "--file: expected alone"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char said[256];
		struct args a;

		assert_int_equal(parse(&a, rows[i].line, said, sizeof(said)), -EINVAL);
		if (!strstr(said, rows[i].says))
			print_error("%s: %s\n", rows[i].line, said);
		assert_non_null(strstr(said, rows[i].says));
		assert_null(strstr(said, K));
	}
}

/* Each option and command of the help is known, so the help is true. */
static void test_args_help_is_complete(void **state)
{
	static const char *const words[] = {"show registrations",
					    "show sas",
					    "show workers",
					    "show drops",
					    "show status",
					    "subscriber add",
					    "--file CSV",
					    "subscriber list",
					    "subscriber del",
					    "deregister IMPI",
					    "--socket",
					    "--json",
					    "--limit",
					    "--offset",
					    "--impi",
					    "--impu",
					    "--k HEX",
					    "--k-file",
					    "--op HEX",
					    "--opc HEX",
					    "--amf",
					    "--sqn",
					    "--help",
					    "--version",
					    "ps",
					    "exit status"};
	char text[8192] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	args_help(out);
	fclose(out);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_non_null(strstr(text, words[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_args_good),
		cmocka_unit_test(test_args_values),
		cmocka_unit_test(test_args_bad),
		cmocka_unit_test(test_args_help_is_complete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
