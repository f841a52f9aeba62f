#include "control/daemon/subscriber_json.h"

#include <sodium.h>
#include <string.h>

#include "control/base/parse.h"
#include "control/sip/msg.h"
#include "crypto/milenage.h"
#include "crypto/secret.h"

#define SUBSCRIBER_MAX_PASSWORD 255 /* octets of UTF-8 */

static struct sv text_of(const json_t *o)
{
	return (struct sv){json_string_value(o), json_string_length(o)};
}

static bool hex_read(const json_t *o, const char *name, uint8_t *octets, size_t n)
{
	return parse_hex(text_of(json_object_get(o, name)), octets, n);
}

static const char *names_known(const json_t *o, const char *const *known, size_t n, const char *why)
{
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)o, name, v)
	{
		bool found = false;

		for (size_t i = 0; i < n; i++)
			found |= strcmp(name, known[i]) == 0;
		if (!found)
			return why;
	}
	return NULL;
}

static bool identity_plain(struct sv text)
{
	for (size_t i = 0; i < text.n; i++)
		if ((unsigned char)text.p[i] <= ' ' || (unsigned char)text.p[i] >= 0x7f)
			return false;
	return text.n > 0 && text.n < HSS_MAX_IDENTITY;
}

static const char *impi_read(struct hss_subscriber *s, const json_t *o)
{
	struct sv impi = text_of(json_object_get(o, "impi"));

	if (!identity_plain(impi) || !memchr(impi.p, '@', impi.n))
		return "impi: expected user@realm, up to 255 characters without blanks";
	memcpy(s->impi, impi.p, impi.n);
	return NULL;
}

static const char *impus_read(struct hss_subscriber *s, const json_t *o)
{
	const json_t *impus = json_object_get(o, "impus"), *e;
	size_t i;

	if (json_array_size(impus) < 1 || json_array_size(impus) > CX_MAX_IMPUS)
		return "impus: expected a list of 1 to 32";
	json_array_foreach(impus, i, e)
	{
		struct sv impu = text_of(e), canonical;

		if (!identity_plain(impu))
			return "impus: expected up to 255 characters without blanks";
		canonical = sip_identity(impu, s->impus[i], HSS_MAX_IDENTITY - 1);
		if (sv_empty(canonical))
			return "impus: expected sip:, sips: or tel: URIs";
		s->impus[i][canonical.n] = '\0';
	}
	s->n_impus = (unsigned)i;
	return NULL;
}

static const char *keys_read(struct hss_subscriber *s, const json_t *o)
{
	bool has_op = json_object_get(o, "op"), has_opc = json_object_get(o, "opc");
	uint8_t op[16];

	if (!hex_read(o, "k", s->k, sizeof(s->k)))
		return "k: expected 32 hexadecimal digits";
	if (has_op == has_opc)
		return "expected one of op and opc";
	if (!hex_read(o, has_op ? "op" : "opc", has_op ? op : s->opc, sizeof(op)))
		return has_op ? "op: expected 32 hexadecimal digits"
			      : "opc: expected 32 hexadecimal digits";
	if (has_op)
		milenage_opc(s->opc, s->k, op);
	secret_wipe(op, sizeof(op));
	return NULL;
}

/* ---- SIP Digest --------------------------------------------------------------------------- */

static bool has_digest(const json_t *o)
{
	return json_object_get(o, "password") || json_object_get(o, "ha1") ||
	       json_object_get(o, "ha1_sha256");
}

/* Lower case, as we make them ourselves. */
static bool ha1_read(const json_t *o, const char *name, char ha1[DIGEST_HEX], size_t octets)
{
	uint8_t value[32];
	bool fits = hex_read(o, name, value, octets);

	if (fits)
		sodium_bin2hex(ha1, DIGEST_HEX, value, octets);
	secret_wipe(value, sizeof(value));
	return fits;
}

static const char *hashes_read(struct hss_subscriber *s, const json_t *o, struct sv realm)
{
	struct hss_digest *d = &s->digests[0];

	if (json_object_get(o, "password"))
		return "expected either password or ha1 and ha1_sha256";
	s->n_digests = 1;
	memcpy(d->realm, realm.p, realm.n);
	if (json_object_get(o, "ha1") && !ha1_read(o, "ha1", d->ha1[HSS_MD5], 16))
		return "ha1: expected 32 hexadecimal digits";
	if (json_object_get(o, "ha1_sha256") && !ha1_read(o, "ha1_sha256", d->ha1[HSS_SHA256], 32))
		return "ha1_sha256: expected 64 hexadecimal digits";
	return NULL;
}

static bool realm_plain(struct sv realm)
{
	for (size_t i = 0; i < realm.n; i++)
		if (realm.p[i] < ' ' || realm.p[i] >= 0x7f || strchr("\"\\:", realm.p[i]))
			return false;
	return realm.n > 0 && realm.n < HSS_MAX_IDENTITY;
}

/* The password itself stays in the JSON text only. */
static const char *digest_read(struct hss_subscriber *s, const json_t *o, const char *usual)
{
	const json_t *given = json_object_get(o, "realm");
	struct sv realm = given ? text_of(given) : sv_of(usual);
	struct sv password = text_of(json_object_get(o, "password"));

	if (!realm_plain(realm))
		return "realm: expected up to 255 characters without quotes and colons";
	if (json_object_get(o, "ha1") || json_object_get(o, "ha1_sha256"))
		return hashes_read(s, o, realm);
	if (password.n < 1 || password.n > SUBSCRIBER_MAX_PASSWORD)
		return "password: expected 1 to 255 octets";
	if (hss_subscriber_password(s, realm, password.p, password.n))
		return "realm: too long";
	return NULL;
}

static const char *variant_read(struct hss_subscriber *s, const json_t *o)
{
	const json_t *v = json_object_get(o, "variant");
	struct sv text = text_of(v);

	if (!v)
		return NULL;
	if (sv_eq(text, SV("s-cscf")))
		s->variant = HSS_VARIANT_SCSCF;
	else if (sv_eq(text, SV("hss")))
		s->variant = HSS_VARIANT_HSS;
	else
		return "variant: expected \"s-cscf\" or \"hss\"";
	return NULL;
}

/* Keys of AKA may be missing if there is a password, not half of them. */
static const char *credentials_read(struct hss_subscriber *s, const json_t *o, const char *realm)
{
	bool digest = has_digest(o);
	const char *why = NULL;

	s->no_aka = digest && !json_object_get(o, "k");
	if (!s->no_aka)
		why = keys_read(s, o);
	else if (json_object_get(o, "op") || json_object_get(o, "opc"))
		why = "k: expected 32 hexadecimal digits";
	if (!why && digest)
		why = digest_read(s, o, realm);
	else if (!why && (json_object_get(o, "realm") || json_object_get(o, "variant")))
		why = "expected a password with realm and variant";
	return why ? why : variant_read(s, o);
}

static const char *rest_read(struct hss_subscriber *s, const json_t *o)
{
	const json_t *sqn = json_object_get(o, "sqn");

	s->amf[0] = 0x80; /* 8000, as esplanadectl has it */
	if (json_object_get(o, "amf") && !hex_read(o, "amf", s->amf, sizeof(s->amf)))
		return "amf: expected 4 hexadecimal digits";
	if (sqn && (!json_is_integer(sqn) || json_integer_value(sqn) < 0 ||
		    json_integer_value(sqn) > (json_int_t)SQN_MAX))
		return "sqn: expected a number from 0 to 281474976710655";
	s->sqn = (uint64_t)json_integer_value(sqn);
	return NULL;
}

const char *subscriber_from_json(struct hss_subscriber *s, const json_t *o, const char *realm)
{
	static const char *const known[] = {"impi", "impus",	  "k",	   "op",
					    "opc",  "amf",	  "sqn",   "password",
					    "ha1",  "ha1_sha256", "realm", "variant"};
	const char *why;

	memset(s, 0, sizeof(*s));
	if (!json_is_object(o))
		return "expected an object";
	why = names_known(o, known, sizeof(known) / sizeof(known[0]),
			  "expected only impi, impus, k, op, opc, amf, sqn, password, ha1, "
			  "ha1_sha256, realm and variant");
	if (!why)
		why = impi_read(s, o);
	if (!why)
		why = impus_read(s, o);
	if (!why)
		why = credentials_read(s, o, realm);
	if (!why)
		why = rest_read(s, o);
	if (why)
		secret_wipe(s, sizeof(*s));
	return why;
}

const char *digest_from_json(struct hss_subscriber *s, const char *impi, const json_t *o,
			     const char *realm)
{
	static const char *const known[] = {"password", "ha1", "ha1_sha256", "realm"};
	const char *why;

	memset(s, 0, sizeof(*s));
	if (!json_is_object(o))
		return "expected an object";
	if (strlen(impi) >= sizeof(s->impi))
		return "impi: expected up to 255 characters";
	memcpy(s->impi, impi, strlen(impi));
	why = names_known(o, known, sizeof(known) / sizeof(known[0]),
			  "expected only password, ha1, ha1_sha256 and realm");
	if (!why)
		why = digest_read(s, o, realm);
	if (why)
		secret_wipe(s, sizeof(*s));
	return why;
}
