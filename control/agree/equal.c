/* Does one list repeat the other? (RFC 3329 2.3.1, TS 33.203 7.2) */
#include "control/agree/agree.h"
#include "control/agree/param.h"
#include "control/base/parse.h"

static bool same_value(const struct agree_param *a, const struct agree_param *b)
{
	uint64_t x, y;

	if (a->has_value != b->has_value)
		return false;
	if (a->value.n && a->value.p[0] == '"')
		return sv_eq(a->value, b->value);
	/* leading zeros come and go on the way through a parser */
	if (parse_u64(a->value, UINT64_MAX, &x) && parse_u64(b->value, UINT64_MAX, &y))
		return x == y;
	return sv_caseeq(a->value, b->value);
}

static bool find(const struct agree_mech *m, struct sv name, struct agree_param *p)
{
	struct sv rest = m->text, mech;

	agree_name_read(&rest, &mech);
	while (agree_param_read(&rest, p) > 0)
		if (sv_caseeq(p->name, name))
			return true;
	return false;
}

/* To say a default or not to say it is the same (HX-06). */
static bool is_default(const struct agree_mech *m, const struct agree_param *p)
{
	if (m->type != AGREE_IPSEC_3GPP)
		return false;
	return (sv_caseeq(p->name, SV("prot")) && sv_caseeq(p->value, SV("esp"))) ||
	       (sv_caseeq(p->name, SV("mod")) && sv_caseeq(p->value, SV("trans"))) ||
	       (sv_caseeq(p->name, SV("ealg")) && sv_caseeq(p->value, SV("null")));
}

/* Is every parameter of a in b? In any order: no phone is held to the order of another's parser. */
static bool holds(const struct agree_mech *b, const struct agree_mech *a)
{
	struct sv rest = a->text, mech;
	struct agree_param p, other;

	agree_name_read(&rest, &mech);
	while (agree_param_read(&rest, &p) > 0) {
		if (find(b, p.name, &other) ? !same_value(&p, &other) : !is_default(a, &p))
			return false;
	}
	return true;
}

bool agree_equal(const struct agree_list *a, const struct agree_list *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++)
		if (!sv_caseeq(a->m[i].name, b->m[i].name) || !holds(&a->m[i], &b->m[i]) ||
		    !holds(&b->m[i], &a->m[i]))
			return false;
	return true;
}
