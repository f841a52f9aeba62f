/* Counters, and the view of the table for management. */
#include "control/pcscf/internal.h"

void pcscf_drop(struct pcscf *p, enum pcscf_drop reason)
{
	p->counters.drops[reason]++;
}

const char *pcscf_drop_name(enum pcscf_drop reason)
{
	static const char *const names[PCSCF_DROP_COUNT] = {
		[PCSCF_DROP_MALFORMED] = "malformed",
		[PCSCF_DROP_CLEAR_NOT_REGISTER] = "clear_not_register",
		[PCSCF_DROP_CLEAR_RESPONSE] = "clear_response",
		[PCSCF_DROP_UNKNOWN_SET] = "unknown_set",
		[PCSCF_DROP_WRONG_SA] = "wrong_sa",
		[PCSCF_DROP_WRONG_IMPU] = "wrong_impu",
		[PCSCF_DROP_VIA_ADDRESS] = "via_address",
		[PCSCF_DROP_NOT_REGISTERED] = "not_registered",
		[PCSCF_DROP_STRAY_RESPONSE] = "stray_response",
		[PCSCF_DROP_OVERLOAD] = "overload",
		[PCSCF_REFUSED_AGREEMENT] = "refused_agreement",
		[PCSCF_REFUSED_VERIFY] = "refused_verify",
		[PCSCF_REFUSED_PORT] = "refused_port",
		[PCSCF_REFUSED_NAT] = "refused_nat",
		[PCSCF_REFUSED_PAIRING] = "refused_pairing",
		[PCSCF_REFUSED_CLEAR] = "refused_clear",
		[PCSCF_REFUSED_SESSION] = "refused_session",
		[PCSCF_DROP_FLOW_FAILED] = "flow_failed",
	};

	return (unsigned)reason < PCSCF_DROP_COUNT ? names[reason] : "unknown";
}

void pcscf_counters(const struct pcscf *p, struct pcscf_counters *c)
{
	*c = p->counters;
	c->retransmissions =
		sip_txns_retransmissions(p->access) + sip_txns_retransmissions(p->core);
	c->registered = p->registered;
	c->pending = p->runs;
	c->emergency = p->n_callers;
	c->sets = HASH_CNT(by_id, p->by_id);
	c->dialogs = pcscf_dialogs_count(p);
	c->transactions = sip_txns_count(p->access) + sip_txns_count(p->core);
}

static void registration_describe(const struct pcscf_reg *r, struct pcscf_registration *out)
{
	memset(out, 0, sizeof(*out));
	out->impi = sv_of(r->impi);
	for (const struct pcscf_impu *i = r->impus; i; i = i->next)
		if (!i->barred && out->n_impus < PCSCF_MAX_IMPUS)
			out->impus[out->n_impus++] = (struct sv){i->text, i->len};
	out->contact = sv_of(r->contact);
	out->registered = pcscf_reg_registered(r);
	out->expires_at = pcscf_impus_last(r);
	for (unsigned i = 0; i < r->n_sets; i++) {
		out->sets[i].kind = r->sets[i]->kind;
		out->sets[i].set = r->sets[i]->sa;
		out->sets[i].flow = r->sets[i]->flow;
		out->sets[i].role = r->sets[i]->role;
		out->sets[i].expires_at = r->sets[i]->expires_at;
	}
	out->n_sets = r->n_sets;
	if (r->down)
		out->ue = r->down->sa.remote;
	else if (r->n_sets)
		out->ue = r->sets[0]->sa.remote;
	else if (r->run)
		out->ue = r->run->path.outer;
}

void pcscf_registration_each(struct pcscf *p, pcscf_registration_h *handler, void *arg)
{
	struct pcscf_registration view;
	struct pcscf_reg *r, *next;

	HASH_ITER(by_impi, p->by_impi, r, next)
	{
		registration_describe(r, &view);
		if (!handler(arg, &view))
			break;
	}
}
