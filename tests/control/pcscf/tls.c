#include "tests/control/pcscf/tls.h"

void tls_last(struct pcscf_conf *c)
{
	c->choices[c->n_choices++] = (struct agree_choice){.type = AGREE_TLS};
}

void tls_sm7(struct rig *r, struct rig_ue *u, uint64_t session)
{
	rig_register(r, u,
		     &(struct rig_register){.client = "tls",
					    .verify = u->verify,
					    .authorization = RIG_ANSWER,
					    .expires = 600,
					    .session = session});
}

uint64_t rig_dropped(const struct rig *r, enum pcscf_drop reason)
{
	return rig_counters(r).drops[reason];
}
