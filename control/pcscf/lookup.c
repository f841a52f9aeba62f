/*
 * A name in the UE's Via is resolved before it is compared with the packet's source (TS 33.203 7.1
 * rule 2). The environment does that; meanwhile the REGISTER waits here, and its repeats are
 * absorbed. What strangers can have looked up has a bound in number and time.
 */
#include <ctype.h>
#include <stdlib.h>
#include <utlist.h>

#include "control/pcscf/internal.h"

#define LOOKUPS_MAX	  64
#define LOOKUPS_CLEAR_MAX 48 /* so that a flood in clear leaves room for the registered */
#define LOOKUP_MS	  4000
#define NAME_MAX_LEN	  253 /* RFC 1035 2.3.4 */

struct pcscf_lookup {
	struct pcscf *p;
	struct pcscf_lookup *prev, *next;
	struct sip_flow from;
	struct timer timer;
	uint32_t id;
	size_t n;
	char text[]; /* the REGISTER */
};

/* A host name, and not what could pass for an address: its last label does not begin with a digit.
 */
static bool name_of(struct sv host, char name[NAME_MAX_LEN + 1])
{
	char last = '.';

	if (host.n > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < host.n; i++) {
		char c = host.p[i];

		if (!isalnum((unsigned char)c) && c != '-' && c != '.')
			return false;
		if (i == 0 || host.p[i - 1] == '.')
			last = c;
		name[i] = c;
	}
	name[host.n] = '\0';
	return isalpha((unsigned char)last);
}

static bool same_flow(const struct sip_flow *a, const struct sip_flow *b)
{
	return a->transport == b->transport && a->set == b->set &&
	       a->remote.port == b->remote.port && ip_addr_eq(&a->remote.addr, &b->remote.addr);
}

static bool under_way(const struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m)
{
	const struct pcscf_lookup *l;

	DL_FOREACH(p->lookups, l)
	{
		if (same_flow(&l->from, from) && sv_eq((struct sv){l->text, l->n}, m->raw))
			return true;
	}
	return false;
}

static unsigned count(const struct pcscf *p)
{
	const struct pcscf_lookup *l;
	unsigned n = 0;

	DL_FOREACH(p->lookups, l)
	{
		n++;
	}
	return n;
}

static void lookup_free(struct pcscf_lookup *l)
{
	timer_stop(l->p->timers, &l->timer);
	DL_DELETE(l->p->lookups, l);
	free(l);
}

static void lookup_end(struct pcscf_lookup *l, bool fits, uint64_t now)
{
	struct pcscf_set *s = l->from.set ? pcscf_set_of_flow(l->p, &l->from) : NULL;
	struct sip_msg m;

	if (l->from.set && !s)
		pcscf_drop(l->p, PCSCF_DROP_UNKNOWN_SET);
	else if (sip_msg_parse(&m, (struct sv){l->text, l->n}) == 0)
		pcscf_register_compared(l->p, &l->from, s, &m, fits, now);
	lookup_free(l);
}

static void too_late(struct timer *t, void *arg, uint64_t now)
{
	(void)t;
	lookup_end(arg, false, now);
}

static int lookup_create(struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m,
			 const char *name, uint64_t now)
{
	struct pcscf_lookup *l = calloc(1, sizeof(*l) + m->raw.n);
	int rc;

	if (!l)
		return -ENOMEM;
	l->p = p;
	l->from = *from;
	l->id = ++p->lookup_id;
	l->n = m->raw.n;
	memcpy(l->text, m->raw.p, m->raw.n);
	DL_APPEND(p->lookups, l);
	rc = timer_start(p->timers, &l->timer, now + LOOKUP_MS, too_late, l);
	if (rc == 0)
		rc = p->env.resolve(p->env.ctx, name, l->id);
	if (rc < 0)
		lookup_free(l);
	return rc;
}

bool pcscf_lookup_start(struct pcscf *p, const struct sip_flow *from, const struct sip_msg *m,
			uint64_t now)
{
	struct pcscf_refusal busy = {.status = 503, .retry_after = 5};
	struct pcscf_set *s = from->set ? pcscf_set_of_flow(p, from) : NULL;
	char name[NAME_MAX_LEN + 1];
	struct sip_via v;

	if (!p->env.resolve || m->raw.n > PCSCF_CLEAR_MAX || sip_via_top(&v, m) < 0 ||
	    !name_of(v.host, name))
		return false;
	if (under_way(p, from, m))
		return true;
	if (count(p) < (s ? LOOKUPS_MAX : LOOKUPS_CLEAR_MAX) &&
	    lookup_create(p, from, m, name, now) == 0)
		return true;
	pcscf_drop(p, PCSCF_DROP_OVERLOAD);
	pcscf_refuse(p, from, s, m, &busy, now);
	return true;
}

void pcscf_resolved(struct pcscf *p, uint32_t id, const struct ip_addr *addrs, unsigned n,
		    uint64_t now)
{
	struct pcscf_lookup *l;
	bool fits = false;

	DL_SEARCH_SCALAR(p->lookups, l, id, id);
	if (!l) /* it has waited long enough */
		return;
	for (unsigned i = 0; i < n; i++)
		fits |= ip_addr_eq(&addrs[i], &l->from.remote.addr);
	lookup_end(l, fits, now);
}

void pcscf_lookups_free(struct pcscf *p)
{
	while (p->lookups)
		lookup_free(p->lookups);
}
