#include <errno.h>

#include "control/agree/agree.h"

static bool fits(const struct agree_mech *m, const struct agree_choice *c)
{
	bool tunnel = c->mode == SA_MODE_UDP_ENC_TUN;

	if (c->type != AGREE_IPSEC_3GPP)
		return m->type == c->type;
	return m->usable && m->alg == c->integ && m->ealg == c->encr &&
	       m->mod == (tunnel ? AGREE_MOD_UDP_ENC_TUN : AGREE_MOD_TRANS);
}

int agree_choose(const struct agree_list *l, const struct agree_choice *choices, unsigned n,
		 const struct agree_mech **mech)
{
	for (unsigned c = 0; c < n; c++)
		for (unsigned i = 0; i < l->n; i++)
			if (fits(&l->m[i], &choices[c])) {
				*mech = &l->m[i];
				return (int)c;
			}
	return -ENOENT;
}

static int find_choice(const struct agree_mech *m, const struct agree_choice *choices, unsigned n)
{
	for (unsigned c = 0; c < n; c++)
		if (fits(m, &choices[c]))
			return (int)c;
	return -ENOENT;
}

/* Without q an entry stands at the top, as in every list with q (RFC 3261 20.10, HTTP). */
static int preference(const struct agree_mech *m)
{
	return m->q < 0 ? 1000 : m->q;
}

int agree_choose_server(const struct agree_list *l, const struct agree_choice *choices, unsigned n,
			const struct agree_mech **mech)
{
	const struct agree_mech *best = NULL;
	int choice = -ENOENT;

	for (unsigned i = 0; i < l->n; i++) {
		int c = find_choice(&l->m[i], choices, n);

		if (c < 0 || (best && preference(&l->m[i]) <= preference(best)))
			continue;
		best = &l->m[i];
		choice = c;
	}
	if (best)
		*mech = best;
	return choice;
}
