/* What tests of SA sets ask and look at. */
#include "tests/control/pcscf/sets.h"

void rig_new_run(struct rig *r, struct rig_ue *u, sa_set_id over)
{
	rig_ue_fresh(u);
	rig_sm1(r, u, over);
	rig_challenge(r, u);
}

void rig_renewed(struct rig *r, struct rig_ue *u, sa_set_id over, unsigned expires)
{
	rig_new_run(r, u, over);
	rig_sm7(r, u);
	rig_ok(r, u, expires);
}

sa_set_id rig_terminate(struct rig *r)
{
	const char *path = NULL;
	struct rig_message *m = NULL;
	unsigned before = r->ue.n, serial = ++r->serial;

	for (unsigned i = 0; i < r->core.n; i++)
		if (r->core.messages[i].m.method == SIP_REGISTER && r->core.messages[i].m.request)
			m = &r->core.messages[i];
	assert_non_null(m);
	path = rig_field(r, m, SIP_HDR_PATH);
	rig_from_core(r,
		      "MESSAGE sip:alice@192.0.2.77:5070 SIP/2.0\r\n"
		      "Via: SIP/2.0/TCP " RIG_SCSCF ";branch=z9hG4bKt%u\r\nRoute: %s\r\n"
		      "Max-Forwards: 60\r\nFrom: <sip:bob@home.test>;tag=b\r\nTo: "
		      "<sip:alice@home.test>\r\n"
		      "Call-ID: t%u\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
		      serial, path, serial);
	assert_int_equal(r->ue.n, before + 1);
	return rig_last_ue(r)->flow.set;
}

const struct rig_message *rig_last_register(struct rig *r)
{
	for (unsigned i = r->core.n; i-- > 0;)
		if (r->core.messages[i].m.request && r->core.messages[i].m.method == SIP_REGISTER)
			return &r->core.messages[i];
	return NULL;
}

void rig_answer_last(struct rig *r, struct rig_ue *u, sa_set_id set)
{
	const struct rig_message *m = rig_last_ue(r);
	struct sip_flow from = rig_flow(r, u, set);
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	/* the UE's ports of an older set */
	from.remote.port = rig_sa(r, set)->remote_port[SA_SERVER];
	sip_reply_begin(&b, &m->m, 200, SV("ue"));
	sip_reply_end(&b, (struct sv){0});
	pcscf_input(r->p, &from, sbuf_sv(&b), r->now);
	mw_run(r->mw, r->now);
}

unsigned rig_role_count(struct rig *r, struct rig_ue *u, enum pcscf_set_role role)
{
	struct pcscf_registration g;
	unsigned n = 0;

	if (!rig_registration(r, u, &g))
		return 0;
	for (unsigned i = 0; i < g.n_sets; i++)
		n += g.sets[i].role == role;
	return n;
}

uint64_t rig_lifetime(struct rig *r, struct rig_ue *u, enum pcscf_set_role role)
{
	struct pcscf_registration g;

	assert_true(rig_registration(r, u, &g));
	assert_non_null(rig_set(&g, role));
	return rig_set(&g, role)->expires_at - r->now;
}
