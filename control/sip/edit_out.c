/* Putting an edited message together. */
#include <errno.h>

#include "control/sip/edit.h"
#include "control/sip/scan.h"

/* By position; at one place insertions first, then the longest removal; else in the order of the
 * calls. */
static bool comes_before(const struct sip_splice *a, const struct sip_splice *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	if (!a->removed || !b->removed)
		return !a->removed && b->removed;
	return a->removed > b->removed;
}

static void sort(const struct sip_edit *e, const struct sip_splice *order[])
{
	for (unsigned i = 0; i < e->n; i++) {
		unsigned at = i;

		for (; at > 0 && comes_before(&e->s[i], order[at - 1]); at--)
			order[at] = order[at - 1];
		order[at] = &e->s[i];
	}
}

struct pieces {
	struct iovec *iov;
	unsigned n, max;
};

static bool add(struct pieces *p, struct sv text)
{
	if (text.n == 0)
		return true;
	if (p->n == p->max)
		return false;
	/* iovec knows no const; nobody writes through it */
	p->iov[p->n++] = (struct iovec){(void *)(uintptr_t)text.p, text.n};
	return true;
}

/*
 * A splice inside a removed stretch goes with it. Inside a replaced one it would be lost without
 * anybody knowing, as would the end of one that reaches over the edge: both are mistakes of the
 * caller.
 */
static bool swallows(const struct sip_splice *outer, const struct sip_splice *s)
{
	return outer && outer->text.n == 0 && s->at + s->removed <= outer->at + outer->removed;
}

int sip_edit_iov(const struct sip_edit *e, struct iovec *iov, unsigned max)
{
	const struct sip_splice *order[SIP_EDIT_MAX], *outer = NULL;
	const struct sv raw = e->msg->raw;
	struct pieces p = {iov, 0, max};
	const char *at = raw.p;

	if (e->failed)
		return -E2BIG;
	sort(e, order);
	for (unsigned i = 0; i < e->n; i++) {
		const struct sip_splice *s = order[i];

		if (s->at < at) {
			if (!swallows(outer, s))
				return -E2BIG;
			continue;
		}
		if (!add(&p, sv_between(at, s->at)) || !add(&p, s->text))
			return -E2BIG;
		at = s->at + s->removed;
		outer = s;
	}
	if (!add(&p, sv_between(at, raw.p + raw.n)))
		return -E2BIG;
	return (int)p.n;
}

struct sv sip_edit_text(const struct sip_edit *e, char *buf, size_t cap)
{
	struct iovec iov[2 * SIP_EDIT_MAX + 1];
	struct sbuf b = sbuf_of(buf, cap);
	int n = sip_edit_iov(e, iov, 2 * SIP_EDIT_MAX + 1);

	for (int i = 0; i < n; i++)
		sbuf_put(&b, (struct sv){iov[i].iov_base, iov[i].iov_len});
	return n < 0 || b.overflow ? (struct sv){0} : sbuf_sv(&b);
}
