/* IMPUs bound to a registration and so to its SAs (LP-04), in groups: the implicit registration
 * sets. */
#include <stdlib.h>

#include "control/pcscf/internal.h"

static const struct pcscf_impu *impu_same(const struct pcscf_reg *r, struct sv canonical)
{
	for (const struct pcscf_impu *i = r->impus; i; i = i->next)
		if (sv_eq((struct sv){i->text, i->len}, canonical))
			return i;
	return NULL;
}

static void impu_drop(struct pcscf_reg *r, struct pcscf_impu **at)
{
	struct pcscf_impu *i = *at;

	*at = i->next;
	free(i);
	if (--r->n_impus == 0)
		r->p->registered--;
}

static void group_remove(struct pcscf_reg *r, uint8_t group)
{
	for (struct pcscf_impu **at = &r->impus, *i; (i = *at);) {
		if (i->group != group) {
			at = &i->next;
			continue;
		}
		impu_drop(r, at);
	}
}

/* The number of groups is bounded by PCSCF_MAX_IMPUS, so 8 bits always hold a free one. */
static uint8_t group_new(const struct pcscf_reg *r)
{
	for (uint8_t g = 0;; g++) {
		const struct pcscf_impu *i = r->impus;

		while (i && i->group != g)
			i = i->next;
		if (!i)
			return g;
	}
}

static int impu_add(struct pcscf_reg *r, struct sv canonical, uint8_t group, bool barred,
		    uint64_t expires_at)
{
	struct pcscf_impu *i, **at = &r->impus;

	if (r->n_impus >= PCSCF_MAX_IMPUS || impu_same(r, canonical))
		return 0;
	i = malloc(sizeof(*i) + canonical.n);
	if (!i)
		return -ENOMEM;
	*i = (struct pcscf_impu){NULL, expires_at, group, barred, (uint16_t)canonical.n};
	memcpy(i->text, canonical.p, canonical.n);
	while (*at)
		at = &(*at)->next;
	*at = i;
	if (r->n_impus++ == 0)
		r->p->registered++;
	return 0;
}

static struct sv uri_canonical(struct sv element, char buf[PCSCF_IDENTITY_MAX])
{
	struct sip_addr a;

	if (sip_addr_parse(&a, element) < 0)
		return (struct sv){0};
	return sip_identity(a.uri, buf, PCSCF_IDENTITY_MAX);
}

int pcscf_impus_bind(struct pcscf_reg *r, struct sv impu, const struct sip_msg *response,
		     uint64_t expires_at)
{
	struct sip_list associated = {.msg = response, .id = SIP_HDR_P_ASSOCIATED_URI};
	const struct pcscf_impu *known = impu_same(r, impu);
	uint8_t group = known ? known->group : group_new(r);
	bool listed = sip_msg_find(response, SIP_HDR_P_ASSOCIATED_URI) != NULL;
	char buf[PCSCF_IDENTITY_MAX];
	struct sv element, uri;
	int rc = 0;

	group_remove(r, group);
	while (!rc && sip_list_walk(&associated, &element)) {
		uri = uri_canonical(element, buf);
		if (!sv_empty(uri))
			rc = impu_add(r, uri, group, false, expires_at);
	}
	/* registered but not listed: barred, it names the group (TS 24.229 5.2.3) */
	if (!rc)
		rc = impu_add(r, impu, group, listed, expires_at);
	return rc;
}

void pcscf_impus_unbind(struct pcscf_reg *r, struct sv impu)
{
	const struct pcscf_impu *i = impu_same(r, impu);

	if (i)
		group_remove(r, i->group);
}

void pcscf_impus_remove(struct pcscf_reg *r, struct sv uri)
{
	const struct pcscf_impu *i = pcscf_impus_find(r, uri);

	if (i)
		group_remove(r, i->group);
}

void pcscf_impus_shorten(struct pcscf_reg *r, uint64_t expires_at)
{
	for (struct pcscf_impu *i = r->impus; i; i = i->next)
		if (i->expires_at > expires_at)
			i->expires_at = expires_at;
}

bool pcscf_impus_expire(struct pcscf_reg *r, uint64_t now)
{
	for (struct pcscf_impu **at = &r->impus, *i; (i = *at);) {
		if (i->expires_at > now) {
			at = &i->next;
			continue;
		}
		impu_drop(r, at);
	}
	return r->impus != NULL;
}

uint64_t pcscf_impus_next(const struct pcscf_reg *r)
{
	uint64_t next = TIMER_NEVER;

	for (const struct pcscf_impu *i = r->impus; i; i = i->next)
		if (i->expires_at < next)
			next = i->expires_at;
	return next;
}

uint64_t pcscf_impus_last(const struct pcscf_reg *r)
{
	uint64_t last = 0;

	for (const struct pcscf_impu *i = r->impus; i; i = i->next)
		if (i->expires_at > last)
			last = i->expires_at;
	return last;
}

const struct pcscf_impu *pcscf_impus_find(const struct pcscf_reg *r, struct sv uri)
{
	char buf[PCSCF_IDENTITY_MAX];
	struct sv canonical = sip_identity(uri, buf, sizeof(buf));
	const struct pcscf_impu *i;

	if (sv_empty(canonical))
		return NULL;
	i = impu_same(r, canonical);
	return i && !i->barred ? i : NULL;
}

const struct pcscf_impu *pcscf_impus_default(const struct pcscf_reg *r)
{
	const struct pcscf_impu *i = r->impus;

	while (i && i->barred)
		i = i->next;
	return i;
}

void pcscf_impus_clear(struct pcscf_reg *r)
{
	while (r->impus)
		impu_drop(r, &r->impus);
}

/* Inside a dialog of its own the From of a callee is what the caller dialled, so it need not be one
 * of its IMPUs. */
static bool from_is_claim(const struct pcscf_reg *r, const struct sip_msg *m)
{
	if (sv_empty(m->to_tag) || !pcscf_dialog_known(r, m))
		return true;
	switch (m->method) {
	case SIP_MESSAGE:
	case SIP_OPTIONS:
	case SIP_PUBLISH:
	case SIP_OTHER:
		return true;
	default:
		return false;
	}
}

static bool anonymous(struct sv uri)
{
	struct sip_uri u;

	return sip_uri_parse(&u, uri) == 0 && sv_caseeq(u.host, SV("anonymous.invalid"));
}

const struct pcscf_impu *pcscf_impus_claimed(const struct pcscf_reg *r, const struct sip_msg *m)
{
	struct sip_list preferred = {.msg = m, .id = SIP_HDR_P_PREFERRED_IDENTITY};
	const struct pcscf_impu *claimed = NULL, *i;
	struct sip_addr a;
	struct sv element;

	while (sip_list_walk(&preferred, &element)) {
		if (sip_addr_parse(&a, element) < 0 || !(i = pcscf_impus_find(r, a.uri)))
			return NULL;
		if (!claimed)
			claimed = i;
	}
	if (sip_addr_parse(&a, sip_msg_value(m, SIP_HDR_FROM)) < 0)
		return NULL;
	i = pcscf_impus_find(r, a.uri);
	if (!i && from_is_claim(r, m) && !anonymous(a.uri))
		return NULL;
	if (claimed)
		return claimed;
	return i ? i : pcscf_impus_default(r);
}

const struct pcscf_impu *pcscf_impus_called(const struct pcscf_reg *r, const struct sip_msg *m)
{
	const struct pcscf_impu *called = NULL;
	struct sip_addr a;

	if (!sv_empty(m->to_tag))
		return NULL;
	if (sip_addr_parse(&a, sip_msg_value(m, SIP_HDR_P_CALLED_PARTY_ID)) == 0)
		called = pcscf_impus_find(r, a.uri);
	return called ? called : pcscf_impus_default(r);
}
