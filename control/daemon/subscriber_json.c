#include "control/daemon/subscriber_json.h"

#include <string.h>

#include "control/base/parse.h"
#include "control/sip/msg.h"
#include "crypto/milenage.h"
#include "crypto/secret.h"

static struct sv text_of(const json_t *o)
{
	return (struct sv){json_string_value(o), json_string_length(o)};
}

static bool hex_read(const json_t *o, const char *name, uint8_t *octets, size_t n)
{
	return parse_hex(text_of(json_object_get(o, name)), octets, n);
}

static const char *names_known(const json_t *o)
{
	static const char *const known[] = {"impi", "impus", "k", "op", "opc", "amf", "sqn"};
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)o, name, v)
	{
		bool found = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			found |= strcmp(name, known[i]) == 0;
		if (!found)
			return "expected only impi, impus, k, op, opc, amf and sqn";
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

const char *subscriber_from_json(struct hss_subscriber *s, const json_t *o)
{
	const char *why;

	memset(s, 0, sizeof(*s));
	if (!json_is_object(o))
		return "expected an object";
	why = names_known(o);
	if (!why)
		why = impi_read(s, o);
	if (!why)
		why = impus_read(s, o);
	if (!why)
		why = keys_read(s, o);
	if (!why)
		why = rest_read(s, o);
	if (why)
		secret_wipe(s, sizeof(*s));
	return why;
}
