/* static_sas: SAs keyed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/conf/conf.h"

struct faults {
	unsigned n, line;
	char text[768];
};

static void fault_add(void *arg, const char *file, unsigned line, const char *text)
{
	struct faults *fs = arg;

	(void)file;
	if (fs->n++ == 0) {
		fs->line = line;
		snprintf(fs->text, sizeof(fs->text), "%s", text);
	}
}

static unsigned load(struct esp_conf *c, struct faults *fs, const char *text)
{
	memset(fs, 0, sizeof(*fs));
	return conf_load_text(c, text, strlen(text), "t.conf", NULL, fault_add, fs);
}

#define HOST	  "dataplane = { ue_port = \"net_null0\"; host_port = \"net_null1\"; sa_sets = 20; }; "
#define ACCESS	  "access = { addresses = [\"192.0.2.1\"]; }; "
#define BASE	  HOST ACCESS "\n" /* static_sas begins on line 2, its first group on line 3 */
#define SHA1	  "integ_key = \"000102030405060708090a0b0c0d0e0f10111213\"; "
#define AES	  "encr_key = \"000102030405060708090A0B0C0D0E0F\"; "
#define WHO	  "remote = \"192.0.2.9\"; local_port = 6101; remote_port = 7000; "
#define ALG	  "algorithm = \"hmac-sha-1-96/aes-cbc\"; "
#define LIST(...) BASE "static_sas = (\n" __VA_ARGS__ "\n);"
#define OUT(spi)  "{ direction = \"out\"; spi = " spi "; " WHO ALG SHA1 AES "}"
#define IN(spi)	  "{ direction = \"in\"; spi = " spi "; " WHO ALG SHA1 AES "}"

static void test_good(void **state)
{
	struct esp_conf c;
	struct faults fs;

	(void)state;
	/* No roles, no realm: it runs without SIP. */
	assert_int_equal(load(&c, &fs,
			      LIST(OUT("0xfedcba98") ",\n" IN(
				      "256") ",\n"
					     "{ direction = \"in\"; spi = 3000000001L; " WHO
					     "algorithm = \"hmac-md5-96/null\"; integ_key = "
					     "\"ff0102030405060708090a0b0c0d0e0f\";\n"
					     " anti_replay = false; }")),
			 0);
	assert_int_equal(c.roles, 0);
	assert_int_equal(c.n_static_sas, 3);
	assert_int_equal(c.static_sas[0].direction, CONF_OUT);
	assert_int_equal(c.static_sas[0].spi, 0xfedcba98);
	assert_int_equal(c.static_sas[0].remote.b[3], 9);
	assert_int_equal(c.static_sas[0].local_port, 6101);
	assert_int_equal(c.static_sas[0].remote_port, 7000);
	assert_int_equal(c.static_sas[0].algorithm.integ, SA_INTEG_HMAC_SHA_1_96);
	assert_int_equal(c.static_sas[0].algorithm.encr, SA_ENCR_AES_CBC);
	assert_int_equal(c.static_sas[0].keys.integ[19], 0x13);
	assert_int_equal(c.static_sas[0].keys.encr[10], 0x0a);
	assert_true(c.static_sas[0].anti_replay);
	assert_int_equal(c.static_sas[0].line, 3);
	assert_int_equal(c.static_sas[1].direction, CONF_IN);
	assert_int_equal(c.static_sas[2].spi, 3000000001u);
	assert_int_equal(c.static_sas[2].keys.integ[0], 0xff);
	assert_false(c.static_sas[2].anti_replay);
	conf_free(&c);
	assert_null(c.static_sas);
}

struct bad {
	const char *text;
	unsigned line;
	const char *says;
};

static const struct bad bad[] = {
	{BASE "\nstatic_sas = { };", 3, "static_sas: expected a list of groups"},
	{LIST("5"), 3, "expected groups"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO ALG SHA1 AES "\nkey = 1; }"), 4,
	 "unknown key static_sas.key"},
	{LIST("{ spi = 256; " WHO ALG SHA1 AES "}"), 3, "static_sas.direction is missing"},
	{LIST("{ direction = \"out\"; " WHO ALG SHA1 AES "}"), 3, "static_sas.spi is missing"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO SHA1 AES "}"), 3,
	 "static_sas.algorithm is missing"},
	{LIST("{ direction = \"up\"; spi = 256; " WHO ALG SHA1 AES "}"), 3, "\"in\", \"out\""},
	/* SPIs */
	{LIST(OUT("255")), 3, "expected an SPI, from 256 on, found 255"},
	{LIST(OUT("-1")), 3, "found -1"},
	{LIST(OUT("\"x\"")), 3, "expected an SPI"},
	{LIST(OUT("5000000000L")), 3, "found 5000000000"},
	{LIST(OUT("0x100000100")), 3, "number too large"},
	{LIST(IN("256") ",\n" IN("0x120")), 4,
	 "0x120 has the place of 0x100 in line 3: expected inbound SPIs that differ modulo "
	 "sa_sets (32)"},
	{LIST(IN("256") ",\n\n" IN("256")), 5, "0x100 has the place of 0x100 in line 3"},
	/* selectors */
	{LIST(OUT("256") ",\n" OUT("257")), 4, "the SA in line 3 has these ports and address"},
	{LIST(OUT(
		 "256") ",\n{ direction = \"out\"; spi = 256; remote = \"192.0.2.9\"; local_port = "
			"6101; remote_port = 7001; " ALG SHA1 AES "}"),
	 4, "the SA in line 3 to the same peer has it already"},
	{LIST("{ direction = \"out\"; spi = 256; remote = \"192.0.2.300\"; local_port = 6101; "
	      "remote_port = 7; " ALG SHA1 AES "}"),
	 3, "expected the address of a host, found 192.0.2.300"},
	{LIST("{ direction = \"out\"; spi = 256; remote = \"224.0.0.1\"; local_port = 6101; "
	      "remote_port = 7; " ALG SHA1 AES "}"),
	 3, "expected the address of a host"},
	{LIST("{ direction = \"out\"; spi = 256; remote = \"192.0.2.1\"; local_port = 6101; "
	      "remote_port = 7; " ALG SHA1 AES "}"),
	 3, "the peer's address, not ours"},
	{LIST("{ direction = \"out\"; spi = 256; remote = \"2001:db8::1\"; local_port = 6101; "
	      "remote_port = 7; " ALG SHA1 AES "}"),
	 3, "IPv6, but access.addresses has no such address"},
	{LIST("{ direction = \"out\"; spi = 256; remote = \"192.0.2.9\"; local_port = 6099; "
	      "remote_port = 7; " ALG SHA1 AES "}"),
	 3, "expected a protected port (access.port_ps, port_pc_min to port_pc_max: 6100 to 6199)"},
	{LIST("{ direction = \"out\"; spi = 256; remote = \"192.0.2.9\"; local_port = 6101;\n"
	      "remote_port = 65536; " ALG SHA1 AES "}"),
	 4, "expected 1 to 65535, found 65536"},
	/* algorithms and keys */
	{LIST("{ direction = \"out\"; spi = 256; " WHO "\nalgorithm = \"aes\"; " SHA1 AES "}"), 4,
	 "expected hmac-sha-1-96 or hmac-md5-96"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO ALG AES "}"), 3, "integ_key is missing"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO ALG SHA1 "}"), 3, "encr_key is missing"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO
	      "algorithm = \"hmac-sha-1-96/null\"; " SHA1 AES "}"),
	 3, "encr_key: the algorithm has no such key"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO ALG "integ_key = \"00\"; " AES "}"), 3,
	 "integ_key: expected 40 hexadecimal digits"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO ALG SHA1
	      "encr_key = \"x00102030405060708090A0B0C0D0E0F\"; }"),
	 3, "encr_key: expected 32 hexadecimal digits"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO ALG SHA1 AES "key_file = \"k\"; }"), 3,
	 "either key_file, or integ_key and encr_key"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO
	      "algorithm = \"hmac-md5-96/des-ede3-cbc\"; integ_key = "
	      "\"000102030405060708090a0b0c0d0e0f\"; encr_key = "
	      "\"010202040101020401010204010102040101020401010204\"; }"),
	 3, "des-ede3-cbc needs legacy.des_ede3_cbc = true"},
	{LIST("{ direction = \"out\"; spi = 256; " WHO
	      "algorithm = \"hmac-md5-96/null\"; integ_key = "
	      "\"000102030405060708090a0b0c0d0e0f\"; }") " legacy = { hmac_md5_96 = false; };",
	 3, "hmac-md5-96 is withdrawn"},
	/* the rest of the configuration */
	{"dataplane = { ue_port = \"net_null0\"; }; " ACCESS "\nstatic_sas = (\n" OUT("256") ");",
	 2, "expected dataplane.host_port to be set"},
	{"dataplane = { host_port = \"net_null0\"; }; " ACCESS "\nstatic_sas = (\n" OUT("256") ");",
	 2, "expected dataplane.ue_port to be set"},
	{HOST "\nstatic_sas = (\n" OUT("256") ");", 3, "access.addresses has no such address"},
	{BASE "static_sas = ( );", 2, "expected a list of groups"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		static const struct esp_conf empty;
		struct esp_conf c;
		struct faults fs;
		unsigned n = load(&c, &fs, bad[i].text);

		if (n != 1 || !strstr(fs.text, bad[i].says) || fs.line != bad[i].line)
			print_error("%s\n-> %u: line %u: %s\n", bad[i].text, n, fs.line, fs.text);
		assert_int_equal(n, 1);
		assert_non_null(strstr(fs.text, bad[i].says));
		assert_int_equal(fs.line, bad[i].line);
		assert_memory_equal(&c, &empty, sizeof(c));
	}
}

struct file {
	const char *text;
	mode_t mode;
	const char *says; /* NULL: good */
};

#define INTEG "integ 000102030405060708090a0b0c0d0e0f10111213\n"
#define ENCR  "encr 000102030405060708090a0b0c0d0e0f\n"

static const struct file files[] = {
	{INTEG ENCR, 0600, NULL},
	{"# of SA 1\n\n" ENCR "  integ\t000102030405060708090a0b0c0d0e0f10111213", 0400,
	 "line 4: expected \"integ\" and 40"},
	{"# of SA 1\n\n" ENCR "  integ  000102030405060708090a0b0c0d0e0f10111213", 0400, NULL},
	{INTEG ENCR, 0640, "owner's alone"},
	{INTEG ENCR, 0604, "owner's alone"},
	{INTEG, 0600, "expected a line \"encr\""},
	{ENCR, 0600, "expected a line \"integ\""},
	{INTEG INTEG ENCR, 0600, "line 2: expected"},
	{INTEG "encr 00\n", 0600, "line 2: expected"},
	{INTEG ENCR "x\n", 0600, "line 3: expected"},
	{"", 0600, "expected a line"},
};

static void test_key_file(void **state)
{
	char path[] = "/tmp/esplanade-keys-XXXXXX", text[600];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	snprintf(text, sizeof(text),
		 LIST("{ direction = \"out\"; spi = 256; " WHO ALG "key_file = \"%s\"; }"), path);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t n = strlen(files[i].text);
		struct esp_conf c;
		struct faults fs;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, files[i].text, n, 0), n);
		assert_int_equal(fchmod(fd, files[i].mode), 0);
		if (!files[i].says) {
			assert_int_equal(load(&c, &fs, text), 0);
			assert_int_equal(c.static_sas[0].keys.integ[19], 0x13);
			assert_int_equal(c.static_sas[0].keys.encr[15], 0x0f);
			conf_free(&c);
			continue;
		}
		assert_int_equal(load(&c, &fs, text), 1);
		assert_int_equal(fs.line, 3);
		assert_non_null(strstr(fs.text, path));
		if (!strstr(fs.text, files[i].says))
			print_error("file %zu: %s\n", i, fs.text);
		assert_non_null(strstr(fs.text, files[i].says));
	}
	close(fd);
	unlink(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(test_good),
						  cmocka_unit_test(test_bad),
						  cmocka_unit_test(test_key_file)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
