#include "bench/bench_options.h"
#include "tests/support/test.h"

#define MAX_ARGS 24

static int parse(struct bench_options *o, const char *const *words)
{
	char program[] = "esplanade-bench", *argv[MAX_ARGS + 2] = {program}, why[256];
	int argc = 1;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	return bench_options_parse(o, argc, argv, why, sizeof(why));
}

static void test_default(void **state)
{
	const char *words[] = {"esp", NULL};
	struct bench_options o;

	(void)state;
	assert_int_equal(parse(&o, words), 0);
	assert_int_equal(o.command, BENCH_COMMAND_ESP);
	assert_false(o.inbound);
	assert_int_equal(o.ip, 4);
	assert_int_equal(o.integ, SA_INTEG_HMAC_SHA_1_96);
	assert_int_equal(o.encr, SA_ENCR_AES_CBC);
	assert_int_equal(o.size, 512);
	assert_int_equal(o.sas, 1);
	assert_int_equal(o.workers, 1);
	assert_false(o.json);
}

static void test_all(void **state)
{
	const char *words[] = {"esp",	       "--dir",	 "in",	      "--mode",	     "udp-enc-tun",
			       "--ip",	       "6",	 "--integ",   "hmac-md5-96", "--encr",
			       "des-ede3-cbc", "--size", "1408",      "--sas",	     "4000000",
			       "--seconds",    "0.5",	 "--workers", "2",	     "--json",
			       "--stages",     NULL};
	struct bench_options o;

	(void)state;
	assert_int_equal(parse(&o, words), 0);
	assert_true(o.inbound && o.json && o.stages);
	assert_int_equal(o.mode, SA_MODE_UDP_ENC_TUN);
	assert_int_equal(o.ip, 6);
	assert_int_equal(o.integ, SA_INTEG_HMAC_MD5_96);
	assert_int_equal(o.encr, SA_ENCR_DES_EDE3_CBC);
	assert_int_equal(o.size, 1408);
	assert_int_equal(o.sas, 4000000);
	assert_int_equal(o.workers, 2);
	assert_true(o.seconds == 0.5);
}

static void test_commands(void **state)
{
	static const struct {
		const char *words[8];
		int command; /* -1: refused */
	} t[] = {
		{{NULL}, BENCH_COMMAND_HELP},
		{{"--help"}, BENCH_COMMAND_HELP},
		{{"--version"}, BENCH_COMMAND_VERSION},
		{{"churn"}, BENCH_COMMAND_CHURN},
		{{"esp"}, BENCH_COMMAND_ESP},
		{{"ESP"}, -1},
		{{"-h"}, BENCH_COMMAND_HELP},
		{{"esp", "--help"}, BENCH_COMMAND_HELP},
		{{"churn", "--help"}, BENCH_COMMAND_HELP},
		{{"esp", "--sas", "5", "-h"}, BENCH_COMMAND_HELP},
		{{"signal", "--ues", "9", "--rate", "50", "--loss", "1.5"}, BENCH_COMMAND_SIGNAL},
		{{"esp", "--loss", "1"}, -1},
		{{"signal", "--loss", "101"}, -1},
		{{"signal", "--rate", "0"}, -1},
		{{"signal", "--size", "143"}, -1},
		{{"signal", "--ues", "0"}, -1},
	};
	struct bench_options o;

	(void)state;
	for (unsigned i = 0; i < N_OF(t); i++) {
		int rc = parse(&o, t[i].words);

		assert_int_equal(rc < 0, t[i].command < 0);
		if (rc == 0)
			assert_int_equal(o.command, t[i].command);
	}
}

static void test_refused(void **state)
{
	static const char *const t[][4] = {
		{"esp", "--dir", "up"},
		{"esp", "--ip", "5"},
		{"esp", "--size", "63"},
		{"esp", "--size", "1409"},
		{"esp", "--size", "512x"},
		{"esp", "--size", "-1"},
		{"esp", "--sas", "0"},
		{"esp", "--sas", "8388609"},
		{"esp", "--seconds", "0"},
		{"esp", "--seconds", "nan"},
		{"esp", "--workers", "17"},
		{"esp", "--encr", "aes"},
		{"esp", "--integ", "sha1"},
		{"esp", "--mode", "tunnel"},
		{"esp", "--nonsense"},
		{"esp", "--size"},
		{"esp", "more"},
	};
	struct bench_options o;

	(void)state;
	for (unsigned i = 0; i < N_OF(t); i++)
		assert_int_not_equal(parse(&o, t[i]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
