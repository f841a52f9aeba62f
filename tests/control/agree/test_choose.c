/* Who picks what, and that both sides of an agreement pick the same. */
#include <errno.h>

#include "control/agree/agree.h"
#include "tests/support/test.h"

#define IPSEC(alg, ealg, more)                                                                     \
	"ipsec-3gpp;alg=" alg ";ealg=" ealg ";spi-c=4096;spi-s=4097;port-c=31001;port-s="          \
	"31002" more
#define SHA "hmac-sha-1-96"
#define MD5 "hmac-md5-96"

static const struct agree_choice sha_aes = {SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC,
					    SA_MODE_TRANSPORT};
static const struct agree_choice sha_null = {SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL,
					     SA_MODE_TRANSPORT};
static const struct agree_choice md5_null = {SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, SA_MODE_TRANSPORT};
static const struct agree_choice sha_aes_tun = {SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC,
						SA_MODE_UDP_ENC_TUN};

static const struct agree_choice tls = {.type = AGREE_TLS};

static struct agree_list list;

static void read_value(struct agree_list *l, struct sv value)
{
	l->n = 0;
	assert_int_equal(agree_parse_value(l, value), 0);
}

/* The P-CSCF: its own order, whatever the phone's. covers: SU-04, F01, F02 */
static void test_own_order(void **state)
{
	const struct agree_choice aes_first[] = {sha_aes, sha_null, md5_null};
	const struct agree_choice md5_first[] = {md5_null, sha_null};
	const struct agree_mech *m = NULL;

	(void)state;
	read_value(&list, SV(IPSEC(MD5, "null", ";q=0.9") "," IPSEC(
				  SHA, "null",
				  ";q=0.5") ", "
					    "ipsec-3gpp;prot=esp;mod=trans;port-s=2;spi-s=2002;spi-"
					    "c=2001;ealg=aes-cbc;port-c=1;alg=" SHA));
	assert_int_equal(agree_choose(&list, aes_first, 3, &m), 0);
	assert_ptr_equal(m, &list.m[2]);
	assert_int_equal(agree_choose(&list, md5_first, 2, &m), 0);
	assert_ptr_equal(m, &list.m[0]);
	assert_int_equal(agree_choose(&list, &sha_aes_tun, 1, &m), -ENOENT);
	assert_int_equal(agree_choose(&list, aes_first, 0, &m), -ENOENT);
}

/* Six offers with 3DES and MD5 first, blanks behind ";", no prot, no mod. covers: F01, HX-06 */
static void test_six_offers(void **state)
{
	const struct agree_choice ours[] = {sha_aes, sha_null};
	const struct agree_mech *m = NULL;

	(void)state;
	read_value(&list,
		   SV("ipsec-3gpp; alg=hmac-md5-96; ealg=des-ede3-cbc; spi-c=1; spi-s=2; port-c=3; "
		      "port-s=4,"
		      "ipsec-3gpp; alg=hmac-md5-96; ealg=aes-cbc; spi-c=300; spi-s=301; port-c=3; "
		      "port-s=4,"
		      "ipsec-3gpp; alg=hmac-md5-96; spi-c=300; spi-s=301; port-c=3; port-s=4,"
		      "ipsec-3gpp; alg=hmac-sha-1-96; ealg=des-ede3-cbc; spi-c=300; spi-s=301; "
		      "port-c=3; port-s=4,"
		      "ipsec-3gpp; alg=hmac-sha-1-96; spi-c=300; spi-s=301; port-c=3; port-s=4,"
		      "ipsec-3gpp; alg=hmac-sha-1-96; ealg=aes-cbc; spi-c=300; spi-s=301; "
		      "port-c=3; port-s=4"));
	assert_int_equal(agree_choose(&list, ours, 2, &m), 0);
	assert_ptr_equal(m, &list.m[5]);
	assert_int_equal(agree_choose(&list, ours + 1, 1, &m), 0);
	assert_ptr_equal(m, &list.m[4]);
	assert_int_equal(m->prot, AGREE_PROT_ESP);
	assert_int_equal(m->mod, AGREE_MOD_TRANS);
}

/* The UE: the list's order, q before position. covers: SU-07, HX-04 */
static void test_server_order(void **state)
{
	const struct agree_choice ours[] = {md5_null, sha_null, sha_aes};
	const struct agree_mech *m = NULL;

	(void)state;
	read_value(&list, SV(IPSEC(SHA, "aes-cbc", ";q=0.1") "," IPSEC(
				  SHA, "null", ";q=0.9") "," IPSEC(MD5, "null", ";q=0.5")));
	assert_int_equal(agree_choose_server(&list, ours, 3, &m), 1);
	assert_ptr_equal(m, &list.m[1]);
	read_value(&list, SV(IPSEC(SHA, "aes-cbc", "") "," IPSEC(SHA, "null",
								 "") "," IPSEC(MD5, "null", "")));
	assert_int_equal(agree_choose_server(&list, ours, 3, &m), 2);
	assert_ptr_equal(m, &list.m[0]);
	assert_int_equal(agree_choose_server(&list, ours, 2, &m), 1);
	assert_int_equal(agree_choose_server(&list, &sha_aes_tun, 1, &m), -ENOENT);
	/* without q it stands at the top */
	read_value(&list, SV(IPSEC(SHA, "aes-cbc", ";q=0.9") "," IPSEC(SHA, "null", "")));
	assert_int_equal(agree_choose_server(&list, ours, 3, &m), 1);
}

/* C-26: with q falling by position all three ways of choosing come to the same entry. covers:
 * SU-04, SU-07 */
static void test_both_sides_agree(void **state)
{
	const struct agree_choice all[] = {sha_aes, sha_null, md5_null, sha_aes_tun};
	const struct agree_params p = {
		.spi_c = 4096, .spi_s = 4097, .port_c = 31001, .port_s = 31002};
	static struct agree_list offer, answer;
	char buf[1000];

	(void)state;
	/* every order of what each side supports: subsets and rotations in both directions */
	for (unsigned ue = 1; ue < 16; ue++)
		for (unsigned pcscf = 1; pcscf < 16; pcscf++)
			for (unsigned turn = 0; turn < 8; turn++) {
				struct agree_choice ue_list[4], pcscf_list[4];
				const struct agree_mech *offered, *taken = NULL;
				unsigned n_ue = 0, n_pcscf = 0;
				struct sbuf b = sbuf_of(buf, sizeof(buf));
				int at_pcscf, at_ue;

				for (unsigned i = 0; i < 4; i++) {
					unsigned k = turn < 4 ? (i + turn) % 4 : 3 - (i + turn) % 4;

					if (ue >> i & 1)
						ue_list[n_ue++] = all[i];
					if (pcscf >> k & 1)
						pcscf_list[n_pcscf++] = all[k];
				}
				agree_write(&b, ue_list, n_ue, &p, false);
				read_value(&offer, sbuf_sv(&b));
				at_pcscf = agree_choose(&offer, pcscf_list, n_pcscf, &offered);
				b = sbuf_of(buf, sizeof(buf));
				agree_write(&b, pcscf_list, n_pcscf, &p, true);
				read_value(&answer, sbuf_sv(&b));
				at_ue = agree_choose_server(&answer, ue_list, n_ue, &taken);
				assert_int_equal(at_pcscf < 0, at_ue < 0);
				assert_int_equal(at_pcscf < 0, (ue & pcscf) == 0);
				if (at_ue >= 0)
					assert_ptr_equal(taken, &answer.m[at_pcscf]);
			}
}

/* covers: F31, SU-02, F22 */
static void test_write(void **state)
{
	const struct agree_choice some[] = {sha_aes, md5_null, sha_aes_tun};
	const struct agree_params p = {
		.spi_c = 256, .spi_s = UINT32_MAX, .port_c = 1, .port_s = 65535};
	char buf[600];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	(void)state;
	agree_write(&b, some, 3, &p, true);
	assert_true(sv_eq(sbuf_sv(&b), SV("ipsec-3gpp;q=0.9;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c="
					  "256;spi-s=4294967295;port-c=1;port-s=65535, "
					  "ipsec-3gpp;q=0.8;alg=hmac-md5-96;ealg=null;spi-c=256;"
					  "spi-s=4294967295;port-c=1;port-s=65535, "
					  "ipsec-3gpp;q=0.7;alg=hmac-sha-1-96;ealg=aes-cbc;mod=UDP-"
					  "enc-tun;spi-c=256;spi-s=4294967295;"
					  "port-c=1;port-s=65535")));
	b = sbuf_of(buf, sizeof(buf));
	agree_write(&b, some, 1, &p, false);
	assert_true(sv_eq(sbuf_sv(&b), SV("ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=256;spi-"
					  "s=4294967295;port-c=1;port-s=65535")));
}

/* covers: HX-09 */
static void test_ten_digits(void **state)
{
	static const struct {
		const char *text;
		uint32_t spi; /* 0: refused */
	} read[] = {
		{"0000004096", 4096},	     {"4096", 4096},	  {"00000004096", 0},
		{"0000000256", 256},	     {"0000000377", 377}, {"4294967295", UINT32_MAX},
		{"4294967296", 0},	     {"0x1000", 0},	  {"0000000255", 0},
		{"99999999999999999999", 0},
	};
	const struct agree_params p = {256, UINT32_MAX, 1, 65535, true};
	char buf[600];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	(void)state;
	agree_write(&b, &sha_aes, 1, &p, false);
	assert_true(sv_eq(sbuf_sv(&b), SV("ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c="
					  "0000000256;spi-s=4294967295;port-c=1;port-s=65535")));
	for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++) {
		const struct agree_mech *mech = NULL;

		snprintf(buf, sizeof(buf),
			 "ipsec-3gpp;alg=hmac-sha-1-96;ealg=aes-cbc;spi-c=%s;spi-s=70000;"
			 "port-c=2000;port-s=3000",
			 read[i].text);
		list.n = 0;
		(void)agree_parse_value(&list, sv_of(buf));
		if (read[i].spi == 0) {
			assert_true(agree_choose(&list, &sha_aes, 1, &mech) < 0);
			continue;
		}
		assert_int_equal(agree_choose(&list, &sha_aes, 1, &mech), 0);
		assert_int_equal(mech->spi_c, read[i].spi);
	}
}

/* ipsec-3gpp and tls in one list: who comes first has the highest q, and that is what both sides
 * choose; parameters that are not of tls do not disturb. covers: TS-03, HX-14 */
static void test_tls(void **state)
{
	const struct agree_choice tls_first[] = {tls, sha_aes}, ipsec_first[] = {sha_aes, tls};
	const struct agree_params p = {256, UINT32_MAX, 1, 65535, false};
	const struct agree_mech *m = NULL;
	char buf[600];
	struct sbuf b = sbuf_of(buf, sizeof(buf));

	(void)state;
	read_value(&list, SV(IPSEC(SHA, "aes-cbc", ";q=0.9") ", TLS;q=0.1;alg=x;port-c=junk"));
	assert_int_equal(agree_choose(&list, tls_first, 2, &m), 0);
	assert_ptr_equal(m, &list.m[1]);
	assert_int_equal(agree_choose(&list, ipsec_first, 2, &m), 0);
	assert_ptr_equal(m, &list.m[0]);
	assert_int_equal(agree_choose(&list, &tls, 1, &m), 0);
	read_value(&list, SV("tlsx, digest;d-qop=auth"));
	assert_int_equal(agree_choose(&list, tls_first, 2, &m), -ENOENT);

	agree_write(&b, tls_first, 2, NULL, true);
	assert_true(sv_eq(sbuf_sv(&b),
			  SV("tls;q=0.9, ipsec-3gpp;q=0.8;alg=hmac-sha-1-96;ealg=aes-cbc")));
	b = sbuf_of(buf, sizeof(buf));
	agree_write(&b, tls_first, 2, &p, true);
	read_value(&list, sbuf_sv(&b));
	assert_int_equal(agree_choose_server(&list, ipsec_first, 2, &m), 1);
	assert_int_equal(agree_choose_server(&list, ipsec_first, 1, &m), 0);
	b = sbuf_of(buf, sizeof(buf));
	agree_write(&b, &tls, 1, NULL, false);
	assert_true(sv_eq(sbuf_sv(&b), SV("tls")));
}

/* q never rises and never repeats, however long the list (RFC 3329 forbids equal ones). */
static void test_write_many(void **state)
{
	const struct agree_params p = {.spi_c = 4096, .spi_s = 4097, .port_c = 1, .port_s = 2};
	struct agree_choice many[AGREE_MAX_MECHS];
	static char buf[8000];

	(void)state;
	for (unsigned n = 1; n <= AGREE_MAX_MECHS; n++) {
		struct sbuf b = sbuf_of(buf, sizeof(buf));

		many[n - 1] = sha_aes;
		agree_write(&b, many, n, &p, true);
		read_value(&list, sbuf_sv(&b));
		assert_int_equal(list.n, n);
		for (unsigned i = 1; i < n; i++)
			assert_true(list.m[i].q < list.m[i - 1].q && list.m[i].q > 0);
	}
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < SA_INTEG_COUNT; i++)
		assert_int_equal(agree_alg_of(sv_of(agree_alg_name((enum sa_integ)i))), i);
	for (int i = 0; i < SA_ENCR_COUNT; i++)
		assert_int_equal(agree_ealg_of(sv_of(agree_ealg_name((enum sa_encr)i))), i);
	assert_int_equal(agree_alg_of(SV("HMAC-SHA-1-96")), SA_INTEG_HMAC_SHA_1_96);
	assert_int_equal(agree_alg_of(SV("hmac-sha-1")), -ENOENT);
	assert_int_equal(agree_alg_of(SV("null")), -ENOENT);
	assert_int_equal(agree_ealg_of(SV("")), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_order),    cmocka_unit_test(test_six_offers),
		cmocka_unit_test(test_server_order), cmocka_unit_test(test_both_sides_agree),
		cmocka_unit_test(test_write),	     cmocka_unit_test(test_write_many),
		cmocka_unit_test(test_names),	     cmocka_unit_test(test_ten_digits),
		cmocka_unit_test(test_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
