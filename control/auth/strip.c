/* Parameters that end at the P-CSCF (TS 24.229 5.2.2, 7.2A). */
#include "control/auth/auth.h"
#include "control/auth/params.h"

static bool is_one_of(struct sv name, const struct sv *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (sv_caseeq(name, names[i]))
			return true;
	return false;
}

/*
 * Writes anew what stays rather than cutting out what goes: so whatever separators stood around it,
 * nothing of it is left; and what cannot be read does not pass.
 */
static bool strip(struct sbuf *out, struct sv value, const struct sv *names, unsigned n)
{
	const struct sbuf before = *out;
	struct auth_param p;
	struct sv scheme;
	unsigned kept = 0;
	int more;

	if (!auth_scheme_read(&value, &scheme))
		return false;
	sbuf_put(out, scheme);
	while ((more = auth_param_read(&value, &p)) > 0) {
		if (is_one_of(p.name, names, n))
			continue;
		sbuf_put(out, kept++ ? SV(", ") : SV(" "));
		sbuf_put(out, p.text);
	}
	if (more == 0 && kept && !out->overflow)
		return true;
	*out = before;
	return false;
}

bool auth_strip_keys(struct sbuf *out, struct sv value)
{
	const struct sv names[] = {SV("ik"), SV("ck")};

	return strip(out, value, names, 2);
}

bool auth_strip_integrity(struct sbuf *out, struct sv value)
{
	const struct sv name = SV("integrity-protected");

	return strip(out, value, &name, 1);
}
