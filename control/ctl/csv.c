#include "control/ctl/csv.h"

#include <errno.h>
#include <stdint.h>

#include "control/base/parse.h"

#define MAX_IMPUS 32
#define MAX_NAME  255
#define SQN_MAX	  ((UINT64_C(1) << 48) - 1)

struct fields {
	struct sv impi, k, opc, amf, sqn;
	uint64_t sqn_value;
};

/* Cuts the first field off the line. An empty one comes back when nothing is left. */
static struct sv field_take(struct sv *line)
{
	const char *comma = line->n ? memchr(line->p, ',', line->n) : NULL;
	size_t n = comma ? (size_t)(comma - line->p) : line->n;
	struct sv field = {line->p, n};

	line->p += comma ? n + 1 : n;
	line->n -= comma ? n + 1 : n;
	return sv_trim(field);
}

static bool hex_fits(struct sv text, size_t octets)
{
	uint8_t out[32];
	bool fits = parse_hex(text, out, octets);

	explicit_bzero(out, sizeof(out));
	return fits;
}

static const char *fields_take(struct fields *f, struct sv *line)
{
	f->impi = field_take(line);
	f->k = field_take(line);
	f->opc = field_take(line);
	f->amf = field_take(line);
	f->sqn = field_take(line);
	if (f->impi.n == 0 || f->impi.n > MAX_NAME)
		return "field 1, impi: expected 1 to 255 characters";
	if (!hex_fits(f->k, 16))
		return "field 2, k: expected 32 hexadecimal digits";
	if (!hex_fits(f->opc, 16))
		return "field 3, opc: expected 32 hexadecimal digits";
	if (!hex_fits(f->amf, 2))
		return "field 4, amf: expected 4 hexadecimal digits";
	if (!parse_u64(f->sqn, SQN_MAX, &f->sqn_value))
		return "field 5, sqn: expected a number below 2^48";
	return NULL;
}

static const char *impus_take(json_t *impus, struct sv *line)
{
	unsigned n = 0;

	do {
		struct sv impu = field_take(line);

		if (impu.n == 0 || impu.n > MAX_NAME)
			return "field 6 and on, impu: expected 1 to 255 characters";
		if (++n > MAX_IMPUS)
			return "expected at most 32 impus";
		if (json_array_append_new(impus, json_stringn(impu.p, impu.n)))
			return "impu: expected UTF-8";
	} while (line->n);
	return NULL;
}

static json_t *subscriber_make(const struct fields *f, json_t *impus)
{
	return json_pack("{s:s%, s:s%, s:s%, s:s%, s:I, s:O}", "impi", f->impi.p, f->impi.n, "k",
			 f->k.p, f->k.n, "opc", f->opc.p, f->opc.n, "amf", f->amf.p, f->amf.n,
			 "sqn", (json_int_t)f->sqn_value, "impus", impus);
}

/* ---- SIP Digest --------------------------------------------------------------------------- */

/* realm,ha1,ha1_sha256: empty ones are left to the daemon, but for one of the hashes. */
static const char *digest_fields_take(json_t *o, struct sv *line)
{
	static const struct {
		const char *name;
		size_t octets; /* 0: text */
	} fields[] = {{"realm", 0}, {"ha1", 16}, {"ha1_sha256", 32}};
	unsigned hashes = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct sv text = field_take(line);

		if (text.n == 0)
			continue;
		if (fields[i].octets && !hex_fits(text, fields[i].octets))
			return i == 1 ? "field 4, ha1: expected 32 hexadecimal digits, or nothing"
				      : "field 5, ha1_sha256: expected 64 hexadecimal digits, or "
					"nothing";
		hashes += fields[i].octets > 0;
		if (json_object_set_new(o, fields[i].name, json_stringn(text.p, text.n)))
			return "field 3, realm: expected UTF-8";
	}
	return hashes ? NULL : "fields 4 and 5: expected H(A1) in one of them, or both";
}

static int csv_digest(json_t **op, struct sv line, const char **why)
{
	struct sv impi = field_take(&line);
	json_t *impus = json_array(), *o;

	(void)field_take(&line); /* the word */
	*why = "field 1, impi: expected 1 to 255 characters in UTF-8";
	o = impi.n && impi.n <= MAX_NAME ? json_pack("{s:s%}", "impi", impi.p, impi.n) : NULL;
	if (o)
		*why = digest_fields_take(o, &line);
	if (o && !*why)
		*why = impus_take(impus, &line);
	if (o && !*why)
		json_object_set(o, "impus", impus);
	json_decref(impus);
	if (*why) {
		json_decref(o);
		o = NULL;
	}
	*op = o;
	return o ? 0 : -EINVAL;
}

/* The second field says so, where others have K. */
static bool is_digest(struct sv line)
{
	(void)field_take(&line);
	return sv_caseeq(field_take(&line), SV("digest"));
}

int csv_subscriber(json_t **op, struct sv line, const char **why)
{
	struct fields f;
	json_t *impus;

	*op = NULL;
	line = sv_trim(line);
	if (line.n == 0 || line.p[0] == '#')
		return 0;
	if (is_digest(line))
		return csv_digest(op, line, why);
	*why = fields_take(&f, &line);
	if (*why)
		return -EINVAL;
	impus = json_array();
	if (impus)
		*why = impus_take(impus, &line);
	if (!*why) {
		*op = subscriber_make(&f, impus);
		*why = "impi: expected UTF-8";
	}
	json_decref(impus);
	return *op ? 0 : -EINVAL;
}
