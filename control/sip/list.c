#include "control/base/parse.h"
#include "control/sip/msg.h"
#include "control/sip/scan.h"

static size_t span(struct sv v, char stop)
{
	size_t n = scan_span(v, stop);

	return n < v.n ? n : v.n;
}

bool sip_list_next(struct sv *rest, struct sv *element)
{
	while (rest->n) {
		size_t n = span(*rest, ',');

		*element = sv_trim((struct sv){rest->p, n});
		*rest = sv_skip(*rest, n < rest->n ? n + 1 : n);
		/* Empty elements mean nothing (RFC 2616 2.1). */
		if (element->n)
			return true;
	}
	return false;
}

bool sip_list_walk(struct sip_list *l, struct sv *element)
{
	for (;;) {
		if (sip_list_next(&l->rest, element))
			return true;
		if (!l->started)
			l->h = sip_msg_find(l->msg, l->id);
		else if (l->h)
			l->h = sip_msg_next(l->msg, l->h);
		l->started = true;
		if (!l->h)
			return false;
		l->rest = l->h->value;
	}
}

bool sip_param_next(struct sv *rest, struct sv *name, struct sv *value)
{
	for (;;) {
		struct sv p, v = scan_skip_lws(*rest);

		if (v.n == 0 || v.p[0] != ';')
			return false;
		v = sv_skip(v, 1);
		p = (struct sv){v.p, span(v, ';')};
		*rest = sv_skip(v, p.n);
		p = sv_trim(p);
		if (p.n == 0)
			continue; /* ";;" */
		*name = (struct sv){p.p, span(p, '=')};
		*value = (struct sv){p.p + name->n, 0};
		if (name->n < p.n)
			*value = sv_trim(sv_skip(p, name->n + 1));
		*name = sv_trim(*name);
		return true;
	}
}

bool sip_param(struct sv params, struct sv name, struct sv *value)
{
	struct sv n, v;

	while (sip_param_next(&params, &n, &v)) {
		if (!sv_caseeq(n, name))
			continue;
		if (value)
			*value = v;
		return true;
	}
	return false;
}
