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

static enum agree_mech_type first_of(const struct pcscf_policy *policy,
				     const struct pcscf_terms *terms)
{
	for (unsigned i = 0; i < policy->n_choices; i++)
		if (policy->choices[i].type == AGREE_TLS ? terms->tls : terms->ipsec)
			return policy->choices[i].type;
	return AGREE_OTHER;
}

/* IPsec does not go into TLS, nor TLS into IPsec; Digest goes with neither SAs (DN-03) nor 3GPP
 * access. */
struct pcscf_terms pcscf_terms_of(const struct pcscf *p, const struct pcscf_policy *policy,
				  const struct sip_flow *from, const struct pcscf_set *s,
				  const struct sip_msg *m, bool nat)
{
	bool over_tls = from->transport == SIP_TRANSPORT_TLS, over_sa = s && s->kind == PCSCF_IPSEC;
	bool by_digest = !over_sa && !sip_access_is_3gpp(m);
	struct pcscf_terms t = {
		.mode = nat ? SA_MODE_UDP_ENC_TUN : SA_MODE_TRANSPORT,
		.ipsec = over_sa || (!over_tls && (!nat || p->conf.udp_enc_port)),
		.tls = by_digest,
		.digest = by_digest && policy->digest && !over_tls,
	};

	t.first = first_of(policy, &t);
	return t;
}

static bool choices_ok(const struct pcscf_policy *policy)
{
	bool tls = false;

	for (unsigned i = 0; i < policy->n_choices; i++) {
		const struct agree_choice *c = &policy->choices[i];

		if (c->type == AGREE_TLS
			    ? tls
			    : c->type != AGREE_IPSEC_3GPP || c->mode != SA_MODE_TRANSPORT)
			return false;
		tls |= c->type == AGREE_TLS;
	}
	return true;
}

static bool policy_ok(const struct pcscf_policy *policy)
{
	if ((!policy->n_choices && !policy->digest) || policy->n_choices > PCSCF_MAX_CHOICES)
		return false;
	return choices_ok(policy);
}

bool pcscf_policies_ok(const struct pcscf_conf *c)
{
	struct pcscf_policy rest = {.n_choices = c->n_choices, .digest = c->digest};

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
	rest->digest = c->digest;
	rest->ipsec_required = c->ipsec_required;
	rest->spi_ten_digits = c->spi_ten_digits;
	return 0;
}

void pcscf_policies_free(struct pcscf *p)
{
	for (unsigned i = 0; i < p->n_policies; i++)
		free((char *)p->policies[i].type);
}
