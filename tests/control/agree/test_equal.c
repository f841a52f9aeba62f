#include "control/agree/agree.h"
#include "tests/support/test.h"

#define A                                                                                          \
	"ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4096;spi-s=4097;port-c=8001;port-"  \
	"s=8002"
#define B "ipsec-3gpp;q=0.8;alg=hmac-md5-96;ealg=null;spi-c=4096;spi-s=4097;port-c=8001;port-s=8002"

static bool equal(const char *a, const char *b)
{
	static struct agree_list la, lb;
	bool there, back;

	la.n = lb.n = 0;
	if (agree_parse_value(&la, sv_of(a)) || agree_parse_value(&lb, sv_of(b)))
		fail_msg("not read: %s or %s", a, b);
	there = agree_equal(&la, &lb);
	back = agree_equal(&lb, &la);
	assert_int_equal(there, back);
	return there;
}

/* covers: HX-13 */
static void test_equal(void **state)
{
	static const char *const same[] = {
		A "," B,
		A " ,\t" B,
		/* blanks and letter case */
		"IPSEC-3GPP ; Q=0.9;ALG=HMAC-SHA-1-96;\r\n EALG=AES-CBC;SPI-C=4096;SPI-S = "
		"4097;port-c=8001;port-s=8002," B,
		/* leading zeros */
		"ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=0000004096;spi-s=4097;port-"
		"c=08001;port-s=8002," B,
		/* another order of parameters (F02) */
		"ipsec-3gpp;port-s=8002;port-c=8001;spi-s=4097;spi-c=4096;ealg=aes-cbc;alg=hmac-"
		"sha-1-96;q=0.9," B,
		/* defaults said or not (HX-06) */
		A ";prot=esp;mod=trans," B,
		A ",ipsec-3gpp;q=0.8;alg=hmac-md5-96;spi-c=4096;spi-s=4097;port-c=8001;port-s=8002;"
		  "mod=Trans",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(same); i++)
		if (!equal(A "," B, same[i]))
			fail_msg("differs: %s", same[i]);
}

/* One thing changed, and the lists differ. covers: HX-13, SU-10, SU-11 */
static void test_changed(void **state)
{
	static const char *const others[] = {
		A,	       /* an entry less */
		A "," B "," B, /* one more */
		B "," A,       /* another order */
		A "," A,
		"tls," B,
		"ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4095;spi-s=4097;port-c=8001;"
		"port-s=8002," B,
		"ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4096;spi-s=4098;port-c=8001;"
		"port-s=8002," B,
		"ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4097;spi-s=4096;port-c=8001;"
		"port-s=8002," B,
		"ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4096;spi-s=4097;port-c=8002;"
		"port-s=8001," B,
		"ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4096;spi-s=4097;port-c=8001;"
		"port-s=8003," B,
		"ipsec-3gpp;q=0.9;alg=hmac-md5-96;ealg=aes-cbc;spi-c=4096;spi-s=4097;port-c=8001;"
		"port-s=8002," B,
		"ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=null;spi-c=4096;spi-s=4097;port-c=8001;"
		"port-s=8002," B,
		"ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;spi-c=4096;spi-s=4097;port-c=8001;port-s="
		"8002," B,
		"ipsec-3gpp;q=0.7;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4096;spi-s=4097;port-c=8001;"
		"port-s=8002," B,
		"ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=4096;spi-s=4097;port-c=8001;port-"
		"s=8002," B,
		A ";mod=tun," B,
		A ";mod=UDP-enc-tun," B,
		A ";prot=ah," B,
		A ";x," B,
		A ";x=1," B,
	};

	(void)state;
	for (size_t i = 0; i < N_OF(others); i++)
		if (equal(A "," B, others[i]))
			fail_msg("equal: %s", others[i]);
}

static void test_extensions(void **state)
{
	(void)state;
	assert_true(equal("x;a;b=\"Q\";c=[::1]", "X ; C=[::1];a;B=\"Q\""));
	assert_false(equal("x;a;b=\"Q\"", "x;a;b=\"q\"")); /* quoted text has letter case */
	assert_false(equal("x;a", "x;a=1"));
	assert_false(equal("x;a=1", "x;a=2"));
	assert_false(equal("x;a=0x", "x;a=x"));
	assert_false(equal("tls;prot=esp", "tls")); /* no default of another mechanism */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_extensions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
