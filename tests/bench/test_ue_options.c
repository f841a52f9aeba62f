/* Command line of esplanade-ue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/ue_options.h"

#define MAX_ARGS 40
#define NEEDED                                                                                     \
	"--port net_null0 --ues 10 --local 10.45.0.0/16 --pcscf 10.44.0.1 --subscribers s.csv "

/* Splits `line` at blanks. */
static int parse(struct ue_options *o, const char *line, char *why, size_t cap)
{
	static char text[1024];
	char *argv[MAX_ARGS + 1], *save = NULL;
	int argc = 0;

	argv[argc++] = (char *)(uintptr_t) "esplanade-ue";
	snprintf(text, sizeof(text), "%s", line);
	for (char *word = strtok_r(text, " ", &save); word && argc < MAX_ARGS;
	     word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	return ue_options_parse(o, argc, argv, why, cap);
}

static void defaults(void **state)
{
	struct ue_options o;
	char why[256] = "", text[IP_ADDR_STRLEN];

	(void)state;
	assert_int_equal(parse(&o, "load " NEEDED, why, sizeof(why)), 0);
	assert_int_equal(o.command, UE_COMMAND_LOAD);
	assert_string_equal(o.load.port, "net_null0");
	assert_int_equal(o.load.ues, 10);
	assert_int_equal(o.load.rate, 100);
	assert_int_equal(o.load.seconds, 120);
	assert_int_equal(o.load.messages, 1);
	assert_int_equal(o.load.ip, 4);
	assert_int_equal(o.load.local.len, 16);
	assert_int_equal(o.load.pcscf.port, 5060);
	assert_string_equal(ip_addr_format(&o.load.pcscf.addr, text), "10.44.0.1");
	assert_int_equal(o.load.n_algorithms, 6);
	assert_false(o.load.offer_all);
	assert_false(o.load.json || o.load.keep || o.load.progress || o.load.no_deregister);
	assert_null(o.load.export_keys);
	assert_int_equal(o.load.transport, UE_TRANSPORT_UDP);
	assert_int_equal(
		parse(&o, "load " NEEDED "--transport tcp --host-port net_tap0", why, sizeof(why)),
		0);
	assert_int_equal(o.load.transport, UE_TRANSPORT_TCP);
	assert_string_equal(o.load.host_port, "net_tap0");
}

static void gateway(void **state)
{
	struct ue_options o;
	char why[256] = "", text[IP_ENDPOINT_STRLEN];

	(void)state;
	assert_int_equal(parse(&o,
			       "gateway --port x --local 10.45.0.0/16 --pcscf 10.44.0.1 "
			       "--subscribers s",
			       why, sizeof(why)),
			 0);
	assert_int_equal(o.command, UE_COMMAND_GATEWAY);
	assert_int_equal(o.load.ues, 1);
	assert_int_equal(o.load.messages, 0);
	assert_string_equal(ip_endpoint_format(&o.load.listen, text), "127.0.0.1:5070");
	assert_string_equal(ip_endpoint_format(&o.load.deliver, text), "127.0.0.1:5080");
	assert_int_equal(
		parse(&o, "gateway " NEEDED "--listen [::1]:6000 --deliver ::1", why, sizeof(why)),
		0);
	assert_int_equal(o.load.ues, 10);
	assert_string_equal(ip_endpoint_format(&o.load.listen, text), "[::1]:6000");
	assert_string_equal(ip_endpoint_format(&o.load.deliver, text), "[::1]:5060");
	assert_int_equal(parse(&o, "gateway " NEEDED "--auth digest --security tls-plain --ca x",
			       why, sizeof(why)),
			 0);
	assert_int_equal(parse(&o, "load " NEEDED, why, sizeof(why)), 0);
	assert_int_equal(o.load.listen.port, 0);
}

static void everything(void **state)
{
	struct ue_options o;
	char why[256] = "";

	(void)state;
	assert_int_equal(parse(&o,
			       "load --port=net_tap0 --ip 6 --ues 2000 --rate 500 --seconds 30 "
			       "--local fd00:45::/64 --router-local fd00:44::2 "
			       "--gateway fd00:44::1 --pcscf [fd00:44::1]:5070 "
			       "--subscribers x --alg sha1/aes-cbc,md5/3des --messages 0 --json "
			       "--export-keys k --progress --keep --no-deregister --workers 2",
			       why, sizeof(why)),
			 0);
	assert_int_equal(o.load.ip, 6);
	assert_int_equal(o.load.rate, 500);
	assert_int_equal(o.load.messages, 0);
	assert_int_equal(o.load.pcscf.port, 5070);
	assert_int_equal(o.load.gateway.version, 6);
	assert_int_equal(o.load.n_algorithms, 2);
	assert_int_equal(o.load.algorithms[0].integ, SA_INTEG_HMAC_SHA_1_96);
	assert_int_equal(o.load.algorithms[0].encr, SA_ENCR_AES_CBC);
	assert_int_equal(o.load.algorithms[1].integ, SA_INTEG_HMAC_MD5_96);
	assert_int_equal(o.load.algorithms[1].encr, SA_ENCR_DES_EDE3_CBC);
	assert_true(o.load.json && o.load.keep && o.load.progress && o.load.no_deregister);
	assert_string_equal(o.load.export_keys, "k");
	assert_int_equal(o.load.workers, 2);
	assert_false(o.load.udp_enc_tun);
	assert_int_equal(parse(&o,
			       "load " NEEDED "--udp-enc-tun --keepalive 3 --peer sip:b@x "
			       "--delay 4 --interval 50",
			       why, sizeof(why)),
			 0);
	assert_true(o.load.udp_enc_tun);
	assert_int_equal(o.load.keepalive, 3);
	assert_string_equal(o.load.peer, "sip:b@x");
	assert_int_equal(o.load.delay, 4);
	assert_int_equal(o.load.interval, 50);
	assert_int_equal(parse(&o, "load " NEEDED "--alg all", why, sizeof(why)), 0);
	assert_true(o.load.offer_all);
	assert_int_equal(o.load.n_algorithms, 6);
	assert_int_equal(
		parse(&o, "subscribers --count 5 --first 7 --realm ims.example", why, sizeof(why)),
		0);
	assert_int_equal(o.command, UE_COMMAND_SUBSCRIBERS);
	assert_int_equal(o.subscribers.count, 5);
	assert_int_equal(o.subscribers.first, 7);
	assert_string_equal(o.subscribers.realm, "ims.example");
	assert_int_equal(parse(&o, "subscribers --count 5 --digest --hss h", why, sizeof(why)), 0);
	assert_true(o.subscribers.digest);
	assert_string_equal(o.subscribers.hss, "h");
	assert_int_equal(parse(&o, "--help", why, sizeof(why)), 0);
	assert_int_equal(o.command, UE_COMMAND_HELP);
	assert_int_equal(parse(&o, "load --help", why, sizeof(why)), 0);
	assert_int_equal(o.command, UE_COMMAND_HELP);
	assert_int_equal(parse(&o, "--version", why, sizeof(why)), 0);
	assert_int_equal(o.command, UE_COMMAND_VERSION);
}

/* TL-08: there is no way to do without the certificate's check. */
/* covers: TL-01, TL-08, DT-01 */
static void without_ipsec(void **state)
{
	struct ue_options o;
	char why[256] = "";

	(void)state;
	assert_int_equal(
		parse(&o,
		      "load --ues 3 --local 10.45.0.0/16 --pcscf 10.44.0.1 --subscribers x "
		      "--auth digest --security tls --ca root.pem --server-name p.example "
		      "--tls-port 16061 --access DOCSIS --sha256",
		      why, sizeof(why)),
		0);
	assert_int_equal(o.load.auth, UE_AUTH_DIGEST);
	assert_int_equal(o.load.security, UE_SECURITY_TLS);
	assert_string_equal(o.load.ca, "root.pem");
	assert_string_equal(o.load.server_name, "p.example");
	assert_int_equal(o.load.tls_port, 16061);
	assert_int_equal(o.load.tcp_ping, 100);
	assert_false(o.load.one_address || o.load.rspauth_optional || o.load.clear_optional);
	assert_int_equal(
		parse(&o,
		      "phone --pcscf 127.0.0.1 --impi a@b --impu sip:a@b --password-file p "
		      "--auth digest --security none --transport tcp",
		      why, sizeof(why)),
		0);
	assert_int_equal(o.command, UE_COMMAND_PHONE);
	assert_int_equal(o.load.ues, 1);
	assert_true(o.load.one_address); /* that of the host towards the registrar */
	assert_int_equal(o.load.local.addr.b[0], 127);
	assert_int_equal(o.load.local_port, 5060);
	assert_int_equal(o.load.transport, UE_TRANSPORT_TCP);
	assert_int_equal(parse(&o,
			       "phone --pcscf 127.0.0.1 --impi a@b --impu sip:a@b --auth none "
			       "--security none --local 127.0.0.1:5070",
			       why, sizeof(why)),
			 0);
	assert_int_equal(o.load.local_port, 5070);
}

struct wrong_case {
	const char *line, *word; /* the complaint names it */
};

static void wrong(void **state)
{
	static const struct wrong_case cases[] = {
		{"", "command"},
		{"lode", "lode"},
		{"load", "--port"},
		{"load --port x --ues 1 --local 10.0.0.0/8 --pcscf 10.0.0.1", "--subscribers"},
		{"load " NEEDED "--ues 0", "--ues"},
		{"load " NEEDED "--ues -1", "--ues"},
		{"load " NEEDED "--ues 1x", "--ues"},
		{"load " NEEDED "--ues 99999999999999999999", "--ues"},
		{"load " NEEDED "--rate", "--rate"},
		{"load " NEEDED "--bogus", "--bogus"},
		{"load " NEEDED "extra", "extra"},
		{"load " NEEDED "--local 10.45.0.1/16", "--local"},
		{"load " NEEDED "--local 10.45.0.0/33", "--local"},
		{"load " NEEDED "--local 10.45.0.0", "--local"}, /* all on one: not with IPsec */
		{"load " NEEDED "--gateway 10.44.0", "--gateway"},
		{"load " NEEDED "--transport sctp", "--transport"},
		{"load " NEEDED "--transport mixed", "--host-port"},
		{"load " NEEDED "--gateway fd00::1", "version"},
		{"load " NEEDED "--ip 6", "version"},
		{"load " NEEDED "--ip 5", "--ip"},
		{"load " NEEDED "--pcscf 10.44.0.1:0", "--pcscf"},
		{"load " NEEDED "--pcscf 10.44.0.1:65536", "--pcscf"},
		{"load " NEEDED "--pcscf [fd00::1", "--pcscf"},
		{"load " NEEDED "--pcscf [fd00::1]5060", "--pcscf"},
		{"load " NEEDED "--pcscf name", "--pcscf"},
		{"load " NEEDED "--keepalive 0", "--keepalive"},
		{"load " NEEDED "--peer=", "--peer"},
		{"load " NEEDED "--alg sha1", "--alg"},
		{"load " NEEDED "--alg sha1/rot13", "--alg"},
		{"load " NEEDED "--alg sha1/null,", "--alg"},
		{"load " NEEDED "--alg ,", "--alg"},
		{"load " NEEDED "--size 63", "--size"},
		{"load " NEEDED "--auth digest", "--auth aka"},
		{"load " NEEDED "--auth digest --security tls", "--ca"},
		{"load " NEEDED "--security tls --ca x", "--auth aka"},
		{"load " NEEDED "--auth none --security tls --ca x", "--auth none"},
		{"load " NEEDED "--auth basic", "--auth"},
		{"load " NEEDED "--security ssl", "--security"},
		{"load " NEEDED "--impi a@b", "--impu"},
		{"load " NEEDED "--local 10.0.0.1", "--local"},
		{"phone --pcscf 127.0.0.1 --auth digest --security none", "--subscribers"},
		{"phone --pcscf 127.0.0.1 --auth digest --security none --impi a --impu b",
		 "--password-file"},
		{"phone --pcscf 127.0.0.1 --auth none --security none --impi a --impu b --ues 2",
		 "--impi"},
		{"subscribers --count 1 --hss x", "--digest"},
		{"load " NEEDED "--json=1", "--json"},
		{"load " NEEDED "--listen 127.0.0.1", "--listen"},
		{"gateway " NEEDED "--listen 127.0.0.1 --deliver ::1", "version"},
		{"gateway " NEEDED "--listen 127.0.0.1:65530", "ports"},
		{"gateway " NEEDED "--auth none --security none", "--security none"},
		{"gateway " NEEDED "--auth digest --security none", "--security none"},
		{"gateway " NEEDED "--auth digest --security tls --ca x --allow-unprotected",
		 "--allow-unprotected"},
		{"subscribers", "--count"},
		{"subscribers --count 0", "--count"},
		{"subscribers --count 1 --realm a,b", "--realm"},
		{"subscribers --count 1 --ues 3", "--ues"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ue_options o;
		char why[256] = "";

		if (parse(&o, cases[i].line, why, sizeof(why)) != -EINVAL)
			fail_msg("accepted: %s", cases[i].line);
		if (!strstr(why, cases[i].word))
			fail_msg("%s: %s", cases[i].line, why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_ipsec), cmocka_unit_test(defaults),
		cmocka_unit_test(everything),	 cmocka_unit_test(gateway),
		cmocka_unit_test(wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
