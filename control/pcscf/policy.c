/*
 * What holds in which access network (F16). A UE says in clear where it is, and could be made to
 * say something else; so the same policy must hold for SM7, which nobody can alter (PO-01).
 */
#include <stdlib.h>
#include <strings.h>

#include "control/base/parse.h"
#include "control/pcscf/internal.h"

static bool type_fits(const struct pcscf_policy *policy, const struct sip_msg *m)
{
	struct sv type;
	size_t n;

	if (!policy->type)
		return true;
	type = sip_msg_value(m, SIP_HDR_P_ACCESS_NETWORK_INFO);
	n = strlen(policy->type);
	return type.n >= n && strncasecmp(type.p, policy->type, n) == 0;
}

const struct pcscf_policy *pcscf_policy_of(const struct pcscf *p, const struct ip_addr *source,
					   const struct sip_msg *m)
{
	for (unsigned i = 0; i < p->n_policies; i++) {
		const struct pcscf_policy *policy = &p->policies[i];

		if ((!policy->source.addr.version || ip_prefix_holds(&policy->source, source)) &&
		    type_fits(policy, m))
			return policy;
	}
	return &p->policies[p->n_policies];
}

static bool policy_ok(const struct pcscf_policy *policy)
{
	if (!policy->n_choices || policy->n_choices > PCSCF_MAX_CHOICES)
		return false;
	for (unsigned i = 0; i < policy->n_choices; i++)
		if (policy->choices[i].mode != SA_MODE_TRANSPORT)
			return false;
	return true;
}

bool pcscf_policies_ok(const struct pcscf_conf *c)
{
	struct pcscf_policy rest = {.n_choices = c->n_choices};

	memcpy(rest.choices, c->choices, sizeof(rest.choices));
	if (c->n_policies > PCSCF_MAX_POLICIES || !policy_ok(&rest))
		return false;
	for (unsigned i = 0; i < c->n_policies; i++)
		if (!policy_ok(&c->policies[i]))
			return false;
	return true;
}

/* The last one is that of all the rest. */
int pcscf_policies_copy(struct pcscf *p, const struct pcscf_conf *c)
{
	struct pcscf_policy *rest = &p->policies[c->n_policies];

	for (unsigned i = 0; i < c->n_policies; i++) {
		p->policies[i] = c->policies[i];
		if (!c->policies[i].type)
			continue;
		p->policies[i].type = sv_dup(sv_of(c->policies[i].type));
		if (!p->policies[i].type)
			return -ENOMEM;
		p->n_policies = i + 1;
	}
	p->n_policies = c->n_policies;
	memcpy(rest->choices, c->choices, sizeof(rest->choices));
	rest->n_choices = c->n_choices;
	rest->ipsec_required = c->ipsec_required;
	rest->spi_ten_digits = c->spi_ten_digits;
	return 0;
}

void pcscf_policies_free(struct pcscf *p)
{
	for (unsigned i = 0; i < p->n_policies; i++)
		free((char *)p->policies[i].type);
}
