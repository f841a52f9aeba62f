#include "bench/subscribers.h"

#include <errno.h>

#include "control/base/parse.h"
#include "control/base/sbuf.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "crypto/sqn.h"

static bool subscriber_line(FILE *f, uint32_t number, const char *realm)
{
	uint8_t secret[32]; /* K and OPc; OPc need not come from an OP */
	char line[SUBSCRIBER_LINE];
	struct sbuf b = sbuf_of(line, sizeof(line));
	bool ok;

	secret_random(secret, sizeof(secret));
	sbuf_printf(&b, "00101%010u@%s,", number, realm);
	sbuf_hex(&b, secret, 16);
	sbuf_put(&b, SV(","));
	sbuf_hex(&b, secret + 16, 16);
	sbuf_printf(&b, ",8000,0,sip:00101%010u@%s,tel:+88299%010u\n", number, realm, number);
	ok = !b.overflow && fwrite(b.p, 1, b.n, f) == b.n;
	secret_wipe(secret, sizeof(secret));
	secret_wipe(line, sizeof(line));
	return ok;
}

int subscribers_write(FILE *f, uint32_t count, uint32_t first, const char *realm)
{
	for (uint32_t i = 0; i < count; i++)
		if (!subscriber_line(f, first + i, realm))
			return -EIO;
	return fflush(f) == 0 ? 0 : -EIO;
}

/* ---- passwords ---------------------------------------------------------------------------- */

static void ha1_write(struct sbuf *b, enum digest_algorithm algorithm, const char *impi,
		      const char *realm, const char *password)
{
	const struct digest_input in = {
		.algorithm = algorithm, .username = sv_of(impi), .realm = sv_of(realm)};
	char ha1[DIGEST_HEX];

	digest_ha1(ha1, &in, password, strlen(password));
	sbuf_printf(b, ",%s", ha1);
	secret_wipe(ha1, sizeof(ha1));
}

static bool line_write(FILE *f, struct sbuf *b, uint32_t number, const char *realm)
{
	sbuf_printf(b, ",sip:00101%010u@%s,tel:+88299%010u\n", number, realm, number);
	return !b->overflow && fwrite(b->p, 1, b->n, f) == b->n;
}

static bool digest_lines(FILE *f, FILE *hss, uint32_t number, const char *realm)
{
	char line[SUBSCRIBER_LINE], impi[SUBSCRIBER_IDENTITY], password[33];
	struct sbuf b = sbuf_of(line, sizeof(line)), text = sbuf_of(password, sizeof(password) - 1);
	uint8_t secret[16];
	bool ok;

	secret_random(secret, sizeof(secret));
	sbuf_hex(&text, secret, sizeof(secret));
	password[text.n] = '\0';
	snprintf(impi, sizeof(impi), "00101%010u@%s", number, realm);
	sbuf_printf(&b, "%s,password,%s", impi, password);
	ok = line_write(f, &b, number, realm);
	if (hss) {
		b = sbuf_of(line, sizeof(line));
		sbuf_printf(&b, "%s,digest,%s", impi, realm);
		ha1_write(&b, DIGEST_MD5, impi, realm, password);
		ha1_write(&b, DIGEST_SHA256, impi, realm, password);
		ok = line_write(hss, &b, number, realm) && ok;
	}
	secret_wipe(secret, sizeof(secret));
	secret_wipe(password, sizeof(password));
	secret_wipe(line, sizeof(line));
	return ok;
}

int subscribers_digest_write(FILE *f, FILE *hss, uint32_t count, uint32_t first, const char *realm)
{
	for (uint32_t i = 0; i < count; i++)
		if (!digest_lines(f, hss, first + i, realm))
			return -EIO;
	return fflush(f) == 0 && (!hss || fflush(hss) == 0) ? 0 : -EIO;
}

/* ---- reading ------------------------------------------------------------------------------ */

static struct sv field_take(struct sv *rest)
{
	const char *comma = rest->n ? memchr(rest->p, ',', rest->n) : NULL;
	size_t n = comma ? (size_t)(comma - rest->p) : rest->n;
	struct sv field = {rest->p, n};

	n += comma != NULL;
	rest->p += n;
	rest->n -= n;
	return sv_trim(field);
}

static bool identity_copy(char *to, struct sv v)
{
	if (v.n == 0 || v.n >= SUBSCRIBER_IDENTITY || memchr(v.p, '\0', v.n))
		return false;
	memcpy(to, v.p, v.n);
	to[v.n] = '\0';
	return true;
}

static const char *digest_parse(struct subscriber *s, struct sv rest)
{
	s->digest = true;
	if (!identity_copy(s->password, field_take(&rest)))
		return "field 3 is not a password of 1 to 255 characters";
	if (!identity_copy(s->impu, field_take(&rest)))
		return "field 4 is not an IMPU";
	return NULL;
}

const char *subscriber_parse(struct subscriber *s, struct sv line)
{
	struct sv rest = line, next;
	uint8_t amf[2];

	memset(s, 0, sizeof(*s));
	if (!identity_copy(s->impi, field_take(&rest)) || !strchr(s->impi, '@'))
		return "field 1 is not an IMPI (user@realm)";
	next = rest;
	if (sv_eq(field_take(&next), SV("password")))
		return digest_parse(s, next);
	if (!parse_hex(field_take(&rest), s->key.k, 16))
		return "field 2 is not a key K (32 hex digits)";
	if (!parse_hex(field_take(&rest), s->key.opc, 16))
		return "field 3 is not an OPc (32 hex digits)";
	if (!parse_hex(field_take(&rest), amf, 2))
		return "field 4 is not an AMF (4 hex digits)";
	if (!parse_u64(field_take(&rest), SQN_MAX, &s->sqn))
		return "field 5 is not an SQN (a decimal number below 2^48)";
	if (!identity_copy(s->impu, field_take(&rest)))
		return "field 6 is not an IMPU";
	return NULL;
}

int subscribers_read(struct subscribers *r, struct subscriber *s)
{
	char text[SUBSCRIBER_LINE];
	struct sv line;
	int rc = 0;

	r->why = NULL;
	while (rc == 0 && fgets(text, sizeof(text), r->file)) {
		r->line++;
		line = sv_of(text);
		if (line.n == sizeof(text) - 1 && text[line.n - 1] != '\n') {
			r->why = "line is too long";
			rc = -EINVAL;
			break;
		}
		line = sv_trim(line);
		if (line.n == 0 || line.p[0] == '#')
			continue;
		r->why = subscriber_parse(s, line);
		rc = r->why ? -EINVAL : 1;
	}
	secret_wipe(text, sizeof(text));
	return rc == 0 && ferror(r->file) ? -EIO : rc;
}
