#include "bench/key_export.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/esp.h"
#include "crypto/secret.h"

FILE *key_export_open(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *f;

	if (fd < 0)
		return NULL;
	if (fchmod(fd, 0600) < 0) { /* it may have been there before */
		close(fd);
		return NULL;
	}
	f = fdopen(fd, "w");
	if (!f)
		close(fd);
	return f;
}

static const char *encr_name(enum sa_encr encr)
{
	static const char *const names[SA_ENCR_COUNT] = {
		[SA_ENCR_NULL] = "NULL",
		[SA_ENCR_AES_CBC] = "AES-CBC [RFC3602]",
		[SA_ENCR_DES_EDE3_CBC] = "TripleDES-CBC [RFC2451]",
	};

	return names[encr];
}

static const char *integ_name(enum sa_integ integ)
{
	static const char *const names[SA_INTEG_COUNT] = {
		[SA_INTEG_HMAC_SHA_1_96] = "HMAC-SHA-1-96 [RFC2404]",
		[SA_INTEG_HMAC_MD5_96] = "HMAC-MD5-96 [RFC2403]",
	};

	return names[integ];
}

static void key_write(struct sbuf *b, const uint8_t *key, size_t n)
{
	sbuf_put(b, SV("\""));
	if (n) {
		sbuf_put(b, SV("0x"));
		sbuf_hex(b, key, n);
	}
	sbuf_put(b, SV("\""));
}

static void sa_write(struct sbuf *b, const struct sa_set *set, const struct ip_addr *from,
		     const struct ip_addr *to, uint32_t spi)
{
	const struct esp_suite *suite = esp_suite(set->integ, set->encr);
	char src[IP_ADDR_STRLEN], dst[IP_ADDR_STRLEN];

	sbuf_printf(b, "\"IPv%u\",\"%s\",\"%s\",\"0x%08x\",\"%s\",", from->version,
		    ip_addr_format(from, src), ip_addr_format(to, dst), spi, encr_name(set->encr));
	key_write(b, set->keys.encr, suite->encr_key_len);
	sbuf_printf(b, ",\"%s\",", integ_name(set->integ));
	key_write(b, set->keys.integ, suite->integ_key_len);
	sbuf_put(b, SV("\n"));
}

void key_export_write(struct sbuf *b, const struct sa_set *set)
{
	for (unsigned p = 0; p < SA_PAIRS; p++) {
		sa_write(b, set, &set->local, &set->remote, set->spi_out[p]);
		sa_write(b, set, &set->remote, &set->local, set->spi_in[p]);
	}
}

int key_export_set(FILE *f, const struct sa_set *set)
{
	char text[KEY_EXPORT_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));
	int rc;

	key_export_write(&b, set);
	rc = !b.overflow && fwrite(b.p, 1, b.n, f) == b.n ? 0 : -EIO;
	secret_wipe(text, sizeof(text));
	return rc;
}
