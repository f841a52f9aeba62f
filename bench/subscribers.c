#include "bench/subscribers.h"

#include <errno.h>

#include "control/base/parse.h"
#include "control/base/sbuf.h"
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

const char *subscriber_parse(struct subscriber *s, struct sv line)
{
	struct sv rest = line;
	uint8_t amf[2];

	memset(s, 0, sizeof(*s));
	if (!identity_copy(s->impi, field_take(&rest)) || !strchr(s->impi, '@'))
		return "field 1 is not an IMPI (user@realm)";
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
