#include <errno.h>
#include <stdlib.h>

#include "control/agree/agree.h"
#include "tests/support/test.h"

#define TAIL ";spi-c=4096;spi-s=4097;port-c=31001;port-s=31002"
#define GOOD "ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc" TAIL

static struct agree_list list;

static int strict(const char *value)
{
	list.n = 0;
	return agree_parse_value(&list, sv_of(value));
}

/* Header field lines, read as one list out of a message. */
static int lenient(const char *lines)
{
	static struct sip_msg m;
	static char texts[2][20000]; /* two, for the views of the list before */
	static unsigned turn;
	char *text = texts[turn++ % 2];

	snprintf(text, sizeof(texts[0]),
		 "REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: sip:a@x\r\nTo: sip:a@x\r\n"
		 "Call-ID: c\r\nCSeq: 1 REGISTER\r\n%s\r\n",
		 lines);
	assert_int_equal(sip_msg_parse(&m, sv_of(text)), 0);
	return agree_parse(&list, &m, SIP_HDR_SECURITY_CLIENT);
}

static void test_fields(void **state)
{
	(void)state;
	assert_int_equal(
		strict(" ipsec-3gpp;alg=hmac-md5-96 ; ealg=des-ede3-cbc;mod=UDP-enc-tun;q=0.25" TAIL
		       " "),
		0);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.m[0].type, AGREE_IPSEC_3GPP);
	assert_int_equal(list.m[0].alg, SA_INTEG_HMAC_MD5_96);
	assert_int_equal(list.m[0].ealg, SA_ENCR_DES_EDE3_CBC);
	assert_int_equal(list.m[0].mod, AGREE_MOD_UDP_ENC_TUN);
	assert_int_equal(list.m[0].q, 250);
	assert_int_equal(list.m[0].spi_c, 4096);
	assert_int_equal(list.m[0].spi_s, 4097);
	assert_int_equal(list.m[0].port_c, 31001);
	assert_int_equal(list.m[0].port_s, 31002);
	assert_true(list.m[0].usable);
	assert_true(sv_eq(list.m[0].name, SV("ipsec-3gpp")));
	assert_int_equal(list.m[0].text.p[0], 'i');
	assert_int_equal(list.m[0].text.p[list.m[0].text.n - 1], '2');
}

/* covers: HX-01 */
static void test_one_line_or_three(void **state)
{
	static struct agree_list one;

	(void)state;
	assert_int_equal(lenient("Security-Client: " GOOD ", tls;q=0.1 ,x\r\n"), 0);
	one = list;
	assert_int_equal(lenient("Security-Client: " GOOD
				 "\r\nX: y\r\nSecurity-Client:\r\n tls ; q = 0.1\r\n"
				 "Security-Client: x\r\n"),
			 0);
	assert_int_equal(list.n, 3);
	assert_true(agree_equal(&one, &list));
}

/* covers: HX-02, HX-10 */
static void test_names(void **state)
{
	(void)state;
	/* the seed's print fault is two tokens: no mechanism */
	assert_int_equal(strict("ipsec- 3gpp;alg=hmac-sha-1-96" TAIL), -EBADMSG);
	assert_int_equal(strict("ipsec-3gpp;alg=hmac-sha-1-96;spi-c=4096;spi-s=4097;port-c=31001;"
				"port-s=31002"),
			 0);
	/* U+2011 is no hyphen-minus */
	assert_int_equal(strict("ipsec-3gpp;alg=hmac-sha-1-96;spi\xe2\x80\x91"
				"c=4096;spi-s=4097;port-c=31001;port-s=31002"),
			 -EBADMSG);
	assert_int_equal(strict("tls"), 0);
	assert_int_equal(list.m[0].type, AGREE_TLS);
	assert_int_equal(strict("digest;d-alg=md5"), 0);
	assert_int_equal(list.m[0].type, AGREE_OTHER);
	assert_false(list.m[0].usable);
}

/* covers: HX-03, HX-05 */
static void test_bad_beside_good(void **state)
{
	static const char *const bad[] = {
		"ipsec-3gpp;ealg=aes-cbc" TAIL,			/* no alg */
		"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1;spi-s=2", /* no ports */
		"ipsec-3gpp;alg=hmac-sha-1-96;alg=hmac-md5-96" TAIL,
		"ipsec-3gpp;alg=\"hmac-sha-1-96\"" TAIL,
		"ipsec-3gpp;alg=hmac-sha-1-96;x=<a" TAIL,
		"ipsec-3gpp alg=hmac-sha-1-96" TAIL,
		";alg=hmac-sha-1-96",
		"tls;q=7",
		"",
	};
	char lines[1000];

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		snprintf(lines, sizeof(lines), "Security-Client: %s, " GOOD "\r\n", bad[i]);
		if (lenient(lines) || list.n != 1 || !list.m[0].usable)
			fail_msg("%s", lines);
		snprintf(lines, sizeof(lines),
			 "Security-Client: " GOOD "\r\nSecurity-Client: %s\r\n", bad[i]);
		if (lenient(lines) || list.n != 1 || !list.m[0].usable)
			fail_msg("%s", lines);
		snprintf(lines, sizeof(lines), "Security-Client: %s\r\n", bad[i]);
		assert_int_equal(lenient(lines), -EBADMSG);
		assert_int_equal(strict(bad[i]), -EBADMSG);
	}
	assert_int_equal(lenient("X: y\r\n"), -ENOENT);
}

/* Good grammar, but nothing to set SAs up with. covers: HX-03, HX-07, HX-08 */
static void test_not_usable(void **state)
{
	static const char *const values[] = {
		"ipsec-3gpp;alg=hmac-sha-1-96;prot=ah" TAIL,
		"ipsec-3gpp;alg=hmac-sha-1-96;prot=x" TAIL,
		"ipsec-3gpp;alg=hmac-sha-1-96;mod=tun" TAIL,
		"ipsec-3gpp;alg=hmac-sha-1-96;mod=x" TAIL,
		"ipsec-3gpp;alg=hmac-sha2-256-128" TAIL,
		"ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-gcm" TAIL,
		"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=255;spi-s=4097;port-c=31001;port-s=31002",
		"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=4097;spi-s=0;port-c=31001;port-s=31002",
		"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=4097;spi-s=4097;port-c=31001;port-s=31002",
		"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=4096;spi-s=4097;port-c=31001;port-s=31001",
		"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=4096;spi-s=4097;port-c=5060;port-s=31001",
		"ipsec-3gpp;alg=hmac-sha-1-96;spi-c=4096;spi-s=4097;port-c=31001;port-s=5061",
		"tls",
	};
	static const struct agree_choice all[] = {
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_TRANSPORT},
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, SA_MODE_TRANSPORT},
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, SA_MODE_UDP_ENC_TUN},
	};
	const struct agree_mech *m;

	(void)state;
	for (size_t i = 0; i < N_OF(values); i++) {
		assert_int_equal(strict(values[i]), 0);
		if (list.m[0].usable || agree_choose(&list, all, N_OF(all), &m) != -ENOENT)
			fail_msg("usable: %s", values[i]);
	}
}

/* covers: HX-14 */
static void test_tls(void **state)
{
	(void)state;
	assert_int_equal(strict("tls;q=0.5;spi-c=1;alg=\"x\";port-s"), 0);
	assert_int_equal(list.m[0].type, AGREE_TLS);
	assert_int_equal(list.m[0].q, 500);
	assert_int_equal(list.m[0].spi_c, 0);
	assert_false(list.m[0].usable);
}

/* covers: F31 */
static void test_spi_digits(void **state)
{
	static const struct {
		const char *spi;
		uint32_t value; /* 0: refused */
	} cases[] = {
		{"4096", 4096},	   {"0000004096", 4096}, {"4294967295", UINT32_MAX},
		{"4294967296", 0}, {"0x10", 0},		 {"00000004096", 0},
		{"", 0},	   {"-4096", 0},
	};
	char value[200];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		snprintf(value, sizeof(value),
			 "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=%s;spi-s=300;port-c=1;port-s=2",
			 cases[i].spi);
		assert_int_equal(strict(value), cases[i].value ? 0 : -EBADMSG);
		if (cases[i].value)
			assert_int_equal(list.m[0].spi_c, cases[i].value);
	}
}

/* One offer does not colour the next. covers: F03, F22 */
static void test_offers_apart(void **state)
{
	(void)state;
	assert_int_equal(
		strict("ipsec-3gpp;alg=hmac-md5-96;spi-c=1001;spi-s=1002;port-c=1003;port-s=1004,"
		       "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=2001;spi-s=2002;port-c=2003;port-s="
		       "2004"),
		0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(list.m[i].spi_c, 1000 * (i + 1) + 1);
		assert_int_equal(list.m[i].spi_s, 1000 * (i + 1) + 2);
		assert_int_equal(list.m[i].port_c, 1000 * (i + 1) + 3);
		assert_int_equal(list.m[i].port_s, 1000 * (i + 1) + 4);
	}
	assert_int_equal(list.m[0].alg, SA_INTEG_HMAC_MD5_96);
	assert_int_equal(list.m[1].alg, SA_INTEG_HMAC_SHA_1_96);
}

static void test_limits(void **state)
{
	static char text[70000];
	char lines[500];
	size_t n = 0;

	(void)state;
	for (unsigned i = 0; i <= AGREE_MAX_MECHS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%sm%u", i ? "," : "", i);
	assert_int_equal(strict(text), -E2BIG);
	assert_int_equal(list.n, 0);
	*strrchr(text, ',') = '\0';
	assert_int_equal(strict(text), 0);
	assert_int_equal(list.n, AGREE_MAX_MECHS);
	assert_int_equal(agree_parse_value(&list, SV("one,more")), -E2BIG);
	assert_int_equal(list.n, AGREE_MAX_MECHS);
	memcpy(lines, "Security-Client: ", 17);
	snprintf(lines + 17, sizeof(lines) - 17, "%.400s\r\nSecurity-Client: m\r\n", text);
	assert_int_equal(lenient(lines), -E2BIG);
	/* many parameters cost linear time or are refused */
	n = (size_t)snprintf(text, sizeof(text), "m");
	for (unsigned i = 0; i < 8000; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ";p%u", i);
	assert_int_equal(strict(text), -EBADMSG);
	memset(text, 'a', sizeof(text));
	assert_int_equal(agree_parse_value(&list, (struct sv){text, 65536}), -E2BIG);
}

/* A value that is refused leaves the list as it was. */
static void test_append(void **state)
{
	(void)state;
	assert_int_equal(strict("a,b"), 0);
	assert_int_equal(agree_parse_value(&list, SV("c,,d")), -EBADMSG);
	assert_int_equal(list.n, 2);
	assert_int_equal(agree_parse_value(&list, SV("c")), 0);
	assert_int_equal(list.n, 3);
	assert_int_equal(agree_parse_value(&list, SV("")), -EBADMSG);
	assert_int_equal(agree_parse_value(&list, (struct sv){0}), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),	   cmocka_unit_test(test_one_line_or_three),
		cmocka_unit_test(test_names),	   cmocka_unit_test(test_bad_beside_good),
		cmocka_unit_test(test_not_usable), cmocka_unit_test(test_tls),
		cmocka_unit_test(test_spi_digits), cmocka_unit_test(test_offers_apart),
		cmocka_unit_test(test_limits),	   cmocka_unit_test(test_append),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
