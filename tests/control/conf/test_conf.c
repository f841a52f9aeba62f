#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/conf/key.h"

struct faults {
	unsigned n;
	struct {
		unsigned line;
		char file[64], text[768];
	} f[8];
};

static void fault_add(void *arg, const char *file, unsigned line, const char *text)
{
	struct faults *fs = arg;

	if (fs->n < 8) {
		fs->f[fs->n].line = line;
		snprintf(fs->f[fs->n].file, sizeof(fs->f[0].file), "%s", file);
		snprintf(fs->f[fs->n].text, sizeof(fs->f[0].text), "%s", text);
	}
	fs->n++;
}

static unsigned load(struct esp_conf *c, struct faults *fs, const char *text)
{
	memset(fs, 0, sizeof(*fs));
	return conf_load_text(c, text, strlen(text), "t.conf", NULL, fault_add, fs);
}

#define CORE  "roles = [\"i-cscf\", \"s-cscf\", \"hss\"]; realm = \"r.example\"; "
#define HSS   "hss = { database = \"h.db\"; }; "
#define EDGE  "roles = [\"p-cscf\", \"i-cscf\", \"s-cscf\", \"hss\"]; realm = \"r.example\"; " HSS
#define PORT  "dataplane = { ue_port = \"net_null0\"; }; "
#define ACC   "access = { addresses = [\"192.0.2.1\"]; }; "
#define BASE1 EDGE PORT "\n" /* settings under test start on line 2 */
#define BASE2 EDGE PORT ACC "\n"
#define BASE3 EDGE ACC "\n"

struct bad {
	const char *text;
	unsigned line;
	const char *says;
};

static const struct bad bad[] = {
	/* syntax */
	{"roles = [", 1, "syntax error"},
	{"\nrealm = \"r;\n\n", 2, "the string that begins here"},
	{CORE HSS "\n\nlog = { level = \"info\"; level = \"debug\"; };", 3, "duplicate"},
	{CORE "\n@include \"x\"\n" HSS, 2, "@include"},
	/* digest */
	{CORE HSS "\ndigest = { variant = \"hs\"; };", 2, "digest.variant: expected"},
	{CORE HSS "\ndigest = { algorithms = [\"SHA-1\"]; };", 2, "SHA-256-sess, MD5 and MD5-sess"},
	{CORE HSS "\ndigest = { algorithms = [\"MD5\", \"md5\"]; };", 2, "twice"},
	{CORE HSS "\ndigest = { algorithms = [\"MD5\", \"SHA-256\"]; };", 2, "SHA-256 before MD5"},
	{CORE HSS "\ndigest = { algorithms = []; };", 2, "empty list"},
	{CORE HSS "\ndigest = { realm = \"a:b\"; };", 2, "digest.realm: expected a realm"},
	{CORE HSS "\ndigest = { realm = \"\"; };", 2, "digest.realm: expected a realm"},
	{CORE HSS "\ndigest = { realm = 5; };", 2, "digest.realm: expected a realm"},
	{CORE HSS "\ndigest = { hss_realms = [\"a\", \"b\\\"c\"]; };", 2,
	 "digest.hss_realms: expected"},
	{CORE HSS "\ndigest = { nonce_lifetime = 9; };", 2, "digest.nonce_lifetime: expected"},
	{CORE HSS "\ndigest = { password = \"x\"; };", 2, "unknown key digest.password"},
	/* missing */
	{"realm = \"r\";", 1, "roles is missing: expected a list of roles"},
	{"roles = [\"hss\"];\n" HSS, 1, "realm is missing: expected a host name"},
	{CORE, 1, "hss.database is missing: expected a file name"},
	{CORE "\n\nhss = { };", 3, "hss.database is missing"},
	{BASE3, 1, "dataplane.ue_port is missing"},
	{BASE1, 1, "access.addresses is missing"},
	/* unknown */
	{BASE2 "\nlogs = { };", 3, "unknown key logs: expected one of roles, realm, names"},
	{BASE2 "log = {\n lvl = \"info\"; };", 3, "unknown key log.lvl: expected one of level"},
	/* types */
	{BASE2 "timers = {\n t1_ms = \"x\"; };", 3, "expected a whole number, found a string"},
	{BASE2 "timers = {\n t1_ms = 1.5; };", 3, "expected a whole number, found a fraction"},
	{BASE2 "timers = {\n t1_ms = true; };", 3, "found true or false"},
	{BASE2 "timers = {\n t1_ms = [1]; };", 3, "found a list"},
	{BASE2 "legacy = {\n hmac_md5_96 = 1; };", 3, "expected true or false, found a whole"},
	{BASE2 "names = {\n pcscf = 7; };", 3, "names.pcscf: expected a host name, found a whole"},
	{BASE2 "log = 3;", 2, "log: expected a group"},
	{"realm = \"r\"; " HSS "\nroles = \"hss\";", 2, "expected a list of roles, found a string"},
	{BASE1 "access = {\n addresses = \"192.0.2.1\"; };", 3, "expected a list of IP addresses"},
	{BASE1 "access = {\n addresses = (\n 5 ); };", 4, "expected a list of IP addresses, found"},
	/* ranges and words */
	{BASE3 "dataplane = { ue_port = \"a\";\n workers = 0; };", 3, "expected 1 to 32, found 0"},
	{BASE3 "dataplane = { ue_port = \"a\";\n mtu = 1279; };", 3, "expected 1280 to 9216"},
	{BASE3 "dataplane = { ue_port = \"a\";\n replay_window = 1025; };", 3, "32 to 1024"},
	{BASE3 "dataplane = { ue_port = \"a\";\n sa_sets = -1; };", 3, "found -1"},
	{BASE3 "dataplane = { ue_port = \"a\";\n sa_sets = 99999999999L; };", 3,
	 "found 99999999999"},
	{BASE3 "dataplane = { ue_port = \"a\";\n sa_sets = 4294968296; };", 3, "number too large"},
	{BASE3 "dataplane = { ue_port = \"a\";\n sa_sets = 0x100000100; };", 3, "number too large"},
	{BASE3 "dataplane = {\n ue_port = \"\"; };", 3, "expected 1 to 255 characters"},
	{BASE2 "log = {\n level = \"loud\"; };", 3,
	 "one of \"error\", \"warning\", \"info\", \"debug\""},
	{BASE2 "ipsec = {\n policy = \"no\"; };", 3, "one of \"required\", \"optional\""},
	{"realm = \"r\"; " HSS "\nroles = [\"hss\",\n\"mgcf\"];", 3, "found \"mgcf\""},
	{"roles = [\"hss\"]; " HSS "\nrealm = \"a b\";", 2, "expected a host name, found \"a b\""},
	{"roles = [\"hss\"]; " HSS "\nrealm = \"a..b\";", 2, "expected a host name"},
	{"roles = [\"hss\"]; " HSS "\nrealm = \"-a\";", 2, "expected a host name"},
	{"roles = [\"hss\"]; " HSS "\nrealm = \"a.\";", 2, "expected a host name"},
	{BASE1 "access = { addresses = [\n\"10.0.0.256\"]; };", 3,
	 "expected the address of a host"},
	{BASE1 "access = { addresses = [\n\"ff02::1\"]; };", 3, "expected the address of a host"},
	{BASE1 "access = { addresses = [\n\"0.0.0.0\"]; };", 3, "expected the address of a host"},
	{BASE1 "access = { addresses = [\"10.0.0.1\",\n\"10.0.0.2\"]; };", 3, "second IPv4"},
	/* NAT */
	{BASE2 "nat = { udp_enc_tun = 1; };", 2, "nat.udp_enc_tun: expected true or false"},
	{BASE2 "nat = { aliases = [\"198.18.0.1/15\"]; };", 2,
	 "nat.aliases: expected ADDRESS/LENGTH"},
	{BASE2 "nat = { aliases = [\"198.18.0.0/31\"]; };", 2,
	 "nat.aliases: expected ADDRESS/LENGTH"},
	{BASE2 "nat = { aliases = [\"198.18.0.0\"]; };", 2, "nat.aliases: expected ADDRESS/LENGTH"},
	{BASE2 "nat = { aliases = [\"fd00::/129\"]; };", 2, "nat.aliases: expected ADDRESS/LENGTH"},
	{BASE2 "nat = { aliases = [\"10.0.0.0/8\",\n\"11.0.0.0/8\"]; };", 3, "second IPv4 prefix"},
	{BASE2 "nat = { aliases = [\"192.0.2.0/24\"]; };", 2, "without our access.addresses"},
	{BASE1 "access = { addresses = [\"10.0.0.1\"]; port_ps = 4400;\nport_pc_min = 4401; "
	       "port_pc_max = 4501; };",
	 1, "nat.udp_enc_tun: "},
	{BASE1 "access = {\n addresses = []; };", 3, "found an empty list"},
	/* algorithms */
	{BASE2 "ipsec = { algorithms = [\n\"hmac-sha-1-96\"]; };", 3, "found \"hmac-sha-1-96\""},
	{BASE2 "ipsec = { algorithms = [\n\"sha1/null\"]; };", 3, "expected hmac-sha-1-96 or"},
	{BASE2 "ipsec = { algorithms = [\"hmac-md5-96/null\",\n\"hmac-md5-96/null\"]; };", 3,
	 "twice"},
	{BASE2 "ipsec = {\n algorithms = [\"hmac-md5-96/des-ede3-cbc\"]; };", 3,
	 "des-ede3-cbc needs legacy.des_ede3_cbc = true"},
	{BASE2
	 "legacy = { hmac_md5_96 = false; };\nipsec = { algorithms = [\"hmac-md5-96/null\"]; };",
	 3, "nothing is left"},
	{BASE2 "ipsec = { null_encryption = false;\n algorithms = [\"hmac-sha-1-96/null\"]; };", 3,
	 "nothing is left"},
/* access networks */
#define NET(text) BASE2 "access_networks = ({ type = \"IEEE-802.11\"; }, {\n" text " });"
	{NET("policy = \"required\";"), 2, "expected type, source or both"},
	{NET("type = \"ieee-802.11\";"), 2, "same type and source as in line 2"},
	{NET("source = \"10.0.0.1/8\";"), 3, "access_networks.source: expected ADDRESS/LENGTH"},
	{NET("type = \"a b\"; source = \"10.0.0.0/8\";"), 3, "access_networks.type: expected how"},
	{NET("type = \"x\"; policy = \"never\";"), 3, "expected \"required\" or \"optional\""},
	{NET("type = \"x\"; null_encryption = 1;"), 3, "expected true or false"},
	{NET("type = \"x\"; algorithms = [\"aes/sha\"];"), 3, "expected alg/ealg"},
	{NET("type = \"x\"; algorithms = [\"hmac-sha-1-96/des-ede3-cbc\"];"), 2,
	 "needs legacy.des_ede3_cbc"},
	{NET("type = \"x\"; null_encryption = false; algorithms = [\"hmac-sha-1-96/null\"];"), 2,
	 "no algorithm is left"},
	{NET("type = \"x\"; bogus = 1;"), 3, "unknown key access_networks.bogus"},
	{BASE2 "access_networks =\n 1;", 2, "a list of 1 to 16 groups"},
	/* against each other */
	{"realm = \"r\"; " HSS "\nroles = [\"s-cscf\", \"hss\", \"p-cscf\"]; " PORT ACC, 2,
	 "\"p-cscf\" needs \"i-cscf\""},
	{"realm = \"r\"; " HSS "\nroles = [\"hss\", \"i-cscf\"];", 2,
	 "\"i-cscf\" needs \"s-cscf\""},
	{"realm = \"r\"; \nroles = [\"s-cscf\"];", 2, "\"s-cscf\" needs \"hss\""},
	{BASE2 "names = {\n icscf = \"S\"; scscf = \"s\"; };", 3,
	 "names.icscf: expected a name of"},
	{BASE2 "names = {\n ecscf = \"PCSCF.r.example\"; };", 3, "names.ecscf: expected another"},
	{BASE2 "ipsec = {\n clear_accept = \"all\"; };", 3, "expected one of \"register\""},
	{BASE1 "access = { addresses = [\"192.0.2.1\"];\n port_ps = 6150; };", 3,
	 "expected a port outside port_pc_min to port_pc_max (6101 to 6199), found 6150"},
	{BASE1 "access = { addresses = [\"192.0.2.1\"];\n port_ps = 5060; };", 3,
	 "expected neither 5060, 5061 nor sip_port, found 5060"},
	{BASE1 "access = { addresses = [\"192.0.2.1\"];\n port_ps = 5061; };", 3, "found 5061"},
	{BASE1 "access = { addresses = [\"192.0.2.1\"]; sip_port = 7000;\n port_ps = 7000; };", 3,
	 "found 7000"},
	{BASE1 "access = { addresses = [\"192.0.2.1\"];\n port_pc_min = 5000; port_ps = 4999; };",
	 3, "must not hold 5060"},
	{BASE1 "access = { addresses = [\"192.0.2.1\"]; port_ps = 5000;\n port_pc_min = 5500; };",
	 3, "(5000 to 6199) must not hold 5060"},
	{BASE1 "access = { addresses = [\"192.0.2.1\"];\n port_pc_max = 6099; };", 3,
	 "expected port_pc_min (6101) or more, found 6099"},
	{BASE1 "access = { addresses = [\"192.0.2.1\"];\n port_pc_max = 6103; };", 3,
	 "expected 4 ports or more"},
	{BASE2 "registrar = {\n expires_min = 7200;\n };", 2,
	 "expires_min (7200) or more, found 3600"},
	{BASE2 "registrar = {\n expires_max = 100; };", 3, "expires_default (3600) or more"},
	{BASE2 "timers = {\n t1_ms = 20000; };", 2, "timers.t2_ms: expected t1_ms (20000) or more"},
	{BASE3 "dataplane = { ue_port = \"a\"; host_port = \"b\";\n gateways = [\"10.0.0.1\"]; };",
	 3, "expected only without host_port"},
	{BASE3 "dataplane = { ue_port = \"a\";\n host_port = \"a\"; };", 3,
	 "another port than ue_port"},
	{BASE3 "dataplane = { ue_port = \"a\";\n cores = \"0;rm\"; };", 3, "found \"0;rm\""},
	{BASE2 "limits = {\n pending_registrations = 100000; };", 3, "sa_sets (65536) or less"},
	{BASE3 "dataplane = { ue_port = \"a\"; spi_min = 5000;\n spi_max = 100000; };", 3,
	 "expected 524288 SPIs or more from spi_min (5000) on, for 65536 sa_sets"},
	{BASE3 "dataplane = { ue_port = \"a\"; sa_sets = 16; spi_min = 1000;\n spi_max = 1126; };",
	 3, "expected 128 SPIs"},
	{BASE3 "dataplane = { ue_port = \"a\"; sa_sets = 16; spi_min = 9000;\n spi_max = 8000; };",
	 3, "expected 128 SPIs"},
	{BASE3 "dataplane = { ue_port = \"a\";\n spi_min = 255; };", 3, "256 to 4294967295"},
	{BASE2 "control = {\n socket = \"/0123456789/0123456789/0123456789/0123456789/0123456789/"
	       "0123456789/0123456789/0123456789/0123456789/01234567890\"; };",
	 3, "expected a path of 107 octets or less"},
};

/* One fault each, at its line, saying what was expected, and nothing left in the struct.
 * expires_min above points at the group, since expires_default itself is not set. */
/* covers: SP-09 */
static void test_conf_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		static const struct esp_conf empty;
		struct esp_conf c;
		struct faults fs;
		unsigned n = load(&c, &fs, bad[i].text);

		if (n != 1 || !strstr(fs.f[0].text, bad[i].says))
			print_error("%s\n-> %u: %s | %s\n", bad[i].text, n, fs.f[0].text,
				    fs.f[1].text);
		assert_int_equal(n, 1);
		assert_int_equal(fs.n, 1);
		assert_non_null(strstr(fs.f[0].text, bad[i].says));
		assert_string_equal(fs.f[0].file, "t.conf");
		if (fs.f[0].line != bad[i].line)
			print_error("%s\n-> line %u\n", bad[i].text, fs.f[0].line);
		assert_int_equal(fs.f[0].line, bad[i].line);
		assert_memory_equal(&c, &empty, sizeof(c));
	}
}

static void test_conf_reports_all(void **state)
{
	struct esp_conf c;
	struct faults fs;

	(void)state;
	assert_int_equal(load(&c, &fs,
			      EDGE PORT
			      "\naccess = {\n addresses = [ \"x\" ];\n port_ps = 5060;\n};\n"
			      "bogus = 1;\nlog = { level = 1; };"),
			 4);
	assert_int_equal(fs.f[0].line, 3);
	assert_int_equal(fs.f[1].line, 6);
	assert_int_equal(fs.f[2].line, 7);
	assert_int_equal(fs.f[3].line, 4); /* checks across keys come last */
}

static void test_conf_defaults(void **state)
{
	struct esp_conf c;
	struct faults fs;
	uint16_t min, max;

	(void)state;
	assert_int_equal(load(&c, &fs, BASE2), 0);
	assert_string_equal(c.pcscf_host, "pcscf.r.example");
	assert_string_equal(c.visited_network, "r.example");
	assert_int_equal(c.roles, CONF_PCSCF | CONF_ICSCF | CONF_SCSCF | CONF_HSS);
	assert_int_equal(c.replay_window, 128);
	assert_int_equal(c.reg_await_auth, 240);
	assert_int_equal(c.sa_guard, 30);
	assert_int_equal(c.ipsec_policy, CONF_IPSEC_REQUIRED);
	assert_int_equal(c.clear_accept, CONF_CLEAR_REGISTER);
	assert_null(c.ecscf_host);
	assert_int_equal(c.max_emergency, 1000);
	assert_true(c.huge_pages);
	assert_true(c.synchronous);
	assert_null(c.host_port);
	assert_int_equal(c.addresses[0].version, 4);
	assert_int_equal(c.addresses[1].version, 0);
	conf_protected_ports(&c, &min, &max);
	assert_int_equal(min, 6100);
	assert_int_equal(max, 6199);
	conf_free(&c);
}

/* C-02: SHA-1 before MD5, no 3DES until it is enabled; ES-10: one line withdraws MD5. */
/* covers: ES-10 */
static void test_conf_algorithms(void **state)
{
	struct esp_conf c;
	struct faults fs;

	(void)state;
	assert_int_equal(load(&c, &fs, BASE2), 0);
	assert_int_equal(c.n_algorithms, 4);
	assert_int_equal(c.algorithms[0].integ, SA_INTEG_HMAC_SHA_1_96);
	assert_int_equal(c.algorithms[0].encr, SA_ENCR_AES_CBC);
	assert_int_equal(c.algorithms[3].integ, SA_INTEG_HMAC_MD5_96);
	conf_free(&c);

	assert_int_equal(load(&c, &fs, BASE2 "legacy = { hmac_md5_96 = false; };"), 0);
	assert_int_equal(c.n_algorithms, 2);
	for (unsigned i = 0; i < c.n_algorithms; i++)
		assert_int_equal(c.algorithms[i].integ, SA_INTEG_HMAC_SHA_1_96);
	conf_free(&c);

	assert_int_equal(load(&c, &fs,
			      BASE2 "legacy = { des_ede3_cbc = true; }; ipsec = { algorithms = "
				    "[\"hmac-md5-96/des-ede3-cbc\", \"hmac-sha-1-96/null\"]; };"),
			 0);
	assert_int_equal(c.n_algorithms, 2);
	assert_int_equal(c.algorithms[0].encr, SA_ENCR_DES_EDE3_CBC);
	conf_free(&c);
}

static void test_conf_run_dir(void **state)
{
	const char *text = CORE "hss = { database = \"h.db\"; }; control = { socket = \"/x/s\"; };";
	const char *memory = CORE "hss = { database = \":memory:\"; };";
	struct esp_conf c;

	(void)state;
	assert_int_equal(conf_load_text(&c, text, strlen(text), "t", "/run/e", NULL, NULL), 0);
	assert_string_equal(c.hss_path, "/run/e/h.db");
	assert_string_equal(c.socket_path, "/x/s");
	conf_free(&c);
	assert_int_equal(conf_load_text(&c, memory, strlen(memory), "t", "/run/e", NULL, NULL), 0);
	assert_string_equal(c.hss_path, ":memory:");
	conf_free(&c);
}

static void test_conf_scan_knows_strings_and_comments(void **state)
{
	struct esp_conf c;
	struct faults fs;

	(void)state;
	assert_int_equal(load(&c, &fs,
			      BASE2
			      "# 99999999999 @include\n// 0x1ffffffff\n/* 99999999999 \"\n */\n"
			      "names = { pcscf = \"a99999999999.\\x62\"; };"),
			 0);
	assert_string_equal(c.pcscf_host, "a99999999999.b");
	conf_free(&c);
	assert_int_equal(conf_load_text(&c, "a\0b", 3, "t.conf", NULL, fault_add, &fs), 1);
}

static void test_conf_files(void **state)
{
	struct esp_conf c;
	struct faults fs = {0};

	(void)state;
	assert_int_equal(conf_load(&c, CONF_ETC "/esplanade.conf", NULL, fault_add, &fs), 0);
	assert_string_equal(c.hss_path, "/var/lib/esplanade/hss.db");
	conf_free(&c);
	assert_int_equal(conf_load(&c, CONF_ETC "/demo.conf", "/tmp/d", fault_add, &fs), 0);
	assert_int_equal(c.n_algorithms, 6);
	assert_string_equal(c.socket_path, "/tmp/d/esplanade.sock");
	assert_false(c.huge_pages);
	conf_free(&c);
	assert_int_equal(conf_load(&c, CONF_ETC "/static.conf", NULL, fault_add, &fs), 0);
	assert_int_equal(c.n_static_sas, 2);
	conf_free(&c);
	assert_int_equal(conf_load(&c, CONF_ETC, NULL, fault_add, &fs), 1);
	assert_non_null(strstr(fs.f[0].text, "Is a directory"));
	assert_int_equal(conf_load(&c, CONF_ETC "/none.conf", NULL, fault_add, &fs), 1);
	assert_non_null(strstr(fs.f[1].text, "No such file"));
}

static bool is_explained(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = text; (p = strstr(p, key)); p += n)
		if (p > text && strchr("\t#\n", p[-1]) && strncmp(p + n, " =", 2) == 0)
			return true;
	return false;
}

/* The sample has every key. Those of static_sas are in docs/static-sas.md. */
static void test_conf_sample_is_complete(void **state)
{
	FILE *f = fopen(CONF_ETC "/esplanade.conf", "re");
	char text[32768];
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	assert_in_range(n, 1, sizeof(text) - 2);
	text[n] = '\0';
	for (size_t i = 0; i < conf_n_keys; i++) {
		const char *dot = strchr(conf_keys[i].path, '.');

		if (!is_explained(text, dot ? dot + 1 : conf_keys[i].path))
			fail_msg("%s is not in etc/esplanade.conf", conf_keys[i].path);
	}
}

/* covers: F16, ES-10, HX-09 */
static void test_conf_access_networks(void **state)
{
	static const char text[] = BASE2
		"ipsec = { policy = \"optional\"; spi_ten_digits = true; };\n"
		"access_networks = (\n"
		"{ type = \"IEEE-802.11\"; policy = \"required\"; null_encryption = false; },\n"
		"{ source = \"10.0.0.0/8\"; spi_ten_digits = false;\n"
		"  algorithms = [\"hmac-md5-96/null\", \"hmac-sha-1-96/aes-cbc\"]; });\n"
		"legacy = { hmac_md5_96 = false; };";
	struct esp_conf c;
	struct faults fs;

	(void)state;
	assert_int_equal(load(&c, &fs, text), 0);
	assert_int_equal(c.n_algorithms, 2); /* sha with aes and null */
	assert_int_equal(c.n_networks, 2);
	assert_string_equal(c.networks[0].type, "IEEE-802.11");
	assert_int_equal(c.networks[0].policy, CONF_IPSEC_REQUIRED);
	assert_true(c.networks[0].spi_ten_digits);
	assert_int_equal(c.networks[0].n_algorithms, 1);
	assert_int_equal(c.networks[0].algorithms[0].encr, SA_ENCR_AES_CBC);
	assert_int_equal(c.networks[1].source.len, 8);
	assert_int_equal(c.networks[1].policy, CONF_IPSEC_OPTIONAL);
	assert_false(c.networks[1].spi_ten_digits);
	assert_int_equal(c.networks[1].n_algorithms, 1);
	assert_int_equal(c.networks[1].algorithms[0].integ, SA_INTEG_HMAC_SHA_1_96);
	conf_free(&c);
}

/* By default IPsec alone, and TLS behind it where there is one; per network. covers: F16, TL-01,
 * DN-02 */
static void test_conf_mechanisms(void **state)
{
	static const char text[] =
		BASE2 "access_networks = ({ type = \"IEEE-802.11\"; mechanisms = [\"digest\"]; },\n"
		      "{ source = \"10.0.0.0/8\"; });\n"
		      "legacy = { tls_indicator = \"reauth-yes\"; };";
	static const char *const wrong[] = {
		BASE2 "access_networks = ({ type = \"x\"; mechanisms = [\"ah\"]; });",
		BASE2
		"access_networks = ({ type = \"x\"; mechanisms = [\"digest\", \"digest\"]; });",
		BASE2 "access_networks = ({ type = \"x\"; mechanisms = [\"tls\"]; });", /* off */
		BASE2 "access_networks = ({ type = \"x\"; mechanisms = \"digest\"; });",
		BASE2 "legacy = { tls_indicator = \"no\"; };",
	};
	struct esp_conf c;
	struct faults fs;

	(void)state;
	assert_int_equal(load(&c, &fs, text), 0);
	assert_int_equal(c.mechanisms.n, 1);
	assert_int_equal(c.mechanisms.list[0], CONF_MECHANISM_IPSEC);
	assert_int_equal(c.networks[0].mechanisms.n, 1);
	assert_int_equal(c.networks[0].mechanisms.list[0], CONF_MECHANISM_DIGEST);
	assert_int_equal(c.networks[1].mechanisms.n, 1);
	assert_true(conf_mechanism_stands(&c.networks[1].mechanisms, CONF_MECHANISM_IPSEC));
	assert_int_equal(c.tls_indicator, CONF_TLS_INDICATOR_REAUTH_YES);
	conf_free(&c);
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (load(&c, &fs, wrong[i]) == 0)
			fail_msg("read: %s", wrong[i]);
		conf_free(&c);
	}
}

static void test_digest(void **state)
{
	struct esp_conf c;
	struct faults fs;

	(void)state;
	assert_int_equal(load(&c, &fs, CORE HSS), 0);
	assert_int_equal(c.digest_variant, CONF_VARIANT_SCSCF);
	assert_string_equal(c.digest_realm, "r.example");
	assert_null(c.digest_domain);
	assert_int_equal(c.n_digest_algorithms, 1);
	assert_int_equal(c.digest_algorithms[0], CONF_MD5);
	assert_int_equal(c.digest_nonce_lifetime, 3600);
	assert_false(c.digest_without_qop || c.digest_before_aka || c.digest_trust_ip ||
		     c.digest_tls_required);
	conf_free(&c);

	assert_int_equal(load(&c, &fs,
			      CORE HSS "digest = { variant = \"hss\"; realm = \"other\"; domain = "
				       "\"sip:other\"; hss_realms = [\"a\", \"b\"]; algorithms = "
				       "[\"SHA-256\", \"md5\", \"MD5-sess\"]; without_qop = true; "
				       "tls_required = true; };"),
			 0);
	assert_int_equal(c.digest_variant, CONF_VARIANT_HSS);
	assert_string_equal(c.digest_realm, "other");
	assert_string_equal(c.digest_domain, "sip:other");
	assert_int_equal(c.n_digest_hss_realms, 2);
	assert_string_equal(c.digest_hss_realms[1], "b");
	assert_int_equal(c.n_digest_algorithms, 3);
	assert_int_equal(c.digest_algorithms[0], CONF_SHA256);
	assert_int_equal(c.digest_algorithms[2], CONF_MD5_SESS);
	assert_true(c.digest_without_qop && c.digest_tls_required);
	conf_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conf_bad),
		cmocka_unit_test(test_conf_reports_all),
		cmocka_unit_test(test_conf_defaults),
		cmocka_unit_test(test_conf_algorithms),
		cmocka_unit_test(test_conf_access_networks),
		cmocka_unit_test(test_conf_mechanisms),
		cmocka_unit_test(test_conf_run_dir),
		cmocka_unit_test(test_conf_scan_knows_strings_and_comments),
		cmocka_unit_test(test_conf_files),
		cmocka_unit_test(test_conf_sample_is_complete),
		cmocka_unit_test(test_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
