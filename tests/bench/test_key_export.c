/* The esp_sa table of Wireshark, as the captures among the vectors have it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/key_export.h"
#include "crypto/keyexp.h"

static void set_make(struct sa_set *set, const char *local, const char *remote, enum sa_integ integ,
		     enum sa_encr encr)
{
	uint8_t ik[16], ck[16];

	for (unsigned i = 0; i < 16; i++) {
		ik[i] = (uint8_t)(0x10 + i);
		ck[i] = (uint8_t)(0xa0 + i);
	}
	memset(set, 0, sizeof(*set));
	ip_addr_parse(&set->local, local);
	ip_addr_parse(&set->remote, remote);
	set->spi_in[SA_SERVER] = 0x1001;
	set->spi_in[SA_CLIENT] = 0x1002;
	set->spi_out[SA_SERVER] = 0xfffffffe;
	set->spi_out[SA_CLIENT] = 0xffffffff;
	set->integ = integ;
	set->encr = encr;
	keyexp_esp(&set->keys, integ, encr, ik, ck);
}

#define SHA "0x101112131415161718191a1b1c1d1e1f00000000"
#define MD5 "0x101112131415161718191a1b1c1d1e1f"
#define AES "0xa0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
#define DES "0xa1a1a2a2a4a4a7a7a8a8ababadadaeaea1a1a2a2a4a4a7a7"

static void lines(void **state)
{
	char text[KEY_EXPORT_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));
	struct sa_set set;

	(void)state;
	set_make(&set, "10.45.0.1", "10.44.0.1", SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC);
	key_export_write(&b, &set);
	sbuf_put(&b, (struct sv){"", 1});
	assert_string_equal(
		text,
		"\"IPv4\",\"10.45.0.1\",\"10.44.0.1\",\"0xfffffffe\",\"AES-CBC [RFC3602]\",\"" AES
		"\",\"HMAC-SHA-1-96 [RFC2404]\",\"" SHA "\"\n"
		"\"IPv4\",\"10.44.0.1\",\"10.45.0.1\",\"0x00001001\",\"AES-CBC [RFC3602]\",\"" AES
		"\",\"HMAC-SHA-1-96 [RFC2404]\",\"" SHA "\"\n"
		"\"IPv4\",\"10.45.0.1\",\"10.44.0.1\",\"0xffffffff\",\"AES-CBC [RFC3602]\",\"" AES
		"\",\"HMAC-SHA-1-96 [RFC2404]\",\"" SHA "\"\n"
		"\"IPv4\",\"10.44.0.1\",\"10.45.0.1\",\"0x00001002\",\"AES-CBC [RFC3602]\",\"" AES
		"\",\"HMAC-SHA-1-96 [RFC2404]\",\"" SHA "\"\n");
}

static void first_line_is(const struct sa_set *set, const char *expected)
{
	char text[KEY_EXPORT_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	key_export_write(&b, set);
	assert_false(b.overflow);
	assert_true(b.n > strlen(expected));
	text[strlen(expected)] = '\0';
	assert_string_equal(text, expected);
}

static void algorithms(void **state)
{
	struct sa_set set;

	(void)state;
	set_make(&set, "fd00:45::1", "fd00:44::1", SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL);
	first_line_is(&set, "\"IPv6\",\"fd00:45::1\",\"fd00:44::1\",\"0xfffffffe\",\"NULL\",\"\","
			    "\"HMAC-MD5-96 [RFC2403]\",\"" MD5 "\"\n");
	set_make(&set, "10.0.0.1", "10.0.0.2", SA_INTEG_HMAC_MD5_96, SA_ENCR_DES_EDE3_CBC);
	first_line_is(&set, "\"IPv4\",\"10.0.0.1\",\"10.0.0.2\",\"0xfffffffe\","
			    "\"TripleDES-CBC [RFC2451]\",\"" DES
			    "\",\"HMAC-MD5-96 [RFC2403]\",\"" MD5 "\"\n");
}

static void file_is_private(void **state)
{
	char dir[] = "/tmp/test_key_export.XXXXXX", path[64], link[64];
	struct stat st;
	struct sa_set set;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/keys", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	f = fopen(path, "w"); /* there already, and open to all */
	assert_non_null(f);
	fclose(f);
	assert_int_equal(chmod(path, 0666), 0);
	f = key_export_open(path);
	assert_non_null(f);
	set_make(&set, "10.0.0.1", "10.0.0.2", SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL);
	assert_int_equal(key_export_set(f, &set), 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(st.st_size > 100);
	assert_int_equal(symlink(path, link), 0);
	assert_null(key_export_open(link));
	unlink(link);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(algorithms),
		cmocka_unit_test(file_is_private),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
