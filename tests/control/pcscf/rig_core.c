/* The core of the rig, and flows of both. */
#include "tests/control/pcscf/rig.h"

static void core_reply(struct rig *r, const struct rig_message *request, unsigned status,
		       const char *fields)
{
	char text[RIG_TEXT];
	struct sbuf b = sbuf_of(text, sizeof(text));

	sip_reply_begin(&b, &request->m, status, SV("core"));
	sbuf_printf(&b, "%s", fields);
	sip_reply_end(&b, (struct sv){0});
	assert_false(b.overflow);
	assert_int_equal(mw_forward(r->mw, sbuf_sv(&b)), 0);
	mw_run(r->mw, r->now);
}

void rig_answer_to(struct rig *r, const struct rig_message *request, unsigned status,
		   const char *fields)
{
	core_reply(r, request, status, fields);
}

void rig_answer(struct rig *r, unsigned status, const char *fmt, ...)
{
	char fields[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(fields, sizeof(fields), fmt, ap);
	va_end(ap);
	core_reply(r, rig_last_core(r), status, fields);
}

void rig_challenge(struct rig *r, struct rig_ue *u)
{
	const struct rig_message *sm6;
	sa_set_id before = r->next_id;

	rig_answer(r, 401,
		   "WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_NONCE
		   "\", algorithm=AKAv1-MD5, ik=\"" RIG_IK "\", ck=\"" RIG_CK "\"\r\n");
	sm6 = rig_last_ue(r);
	assert_int_equal(sm6->m.status, 401);
	u->set = before + 1;
	snprintf(u->verify, sizeof(u->verify), "%.*s",
		 SV_ARG(sip_msg_value(&sm6->m, SIP_HDR_SECURITY_SERVER)));
}

void rig_challenge_digest(struct rig *r, struct rig_ue *u, const char *more)
{
	const struct rig_message *sm6;

	rig_answer(r, 401,
		   "WWW-Authenticate: Digest realm=\"home.test\", nonce=\"" RIG_DIGEST
		   "\", algorithm=MD5, qop=\"auth\"%s\r\n",
		   more);
	sm6 = rig_last_ue(r);
	snprintf(u->verify, sizeof(u->verify), "%.*s",
		 SV_ARG(sip_msg_value(&sm6->m, SIP_HDR_SECURITY_SERVER)));
}

void rig_ok(struct rig *r, const struct rig_ue *u, unsigned expires)
{
	char contact[512] = "";
	struct sv asked = sip_msg_value(&rig_last_core(r)->m, SIP_HDR_CONTACT);
	struct sip_addr a;

	if (expires && sip_addr_parse(&a, asked) == 0)
		snprintf(contact, sizeof(contact), "Contact: <%.*s>;expires=%u\r\n", SV_ARG(a.uri),
			 expires);
	rig_answer(r, 200,
		   "%sP-Associated-URI: <%s>, <tel:+4930%u>\r\n"
		   "Service-Route: <sip:orig@" RIG_SCSCF ";lr>\r\n"
		   "Security-Server: ipsec-3gpp;alg=hmac-md5-96\r\n",
		   contact, u->impu, u->ours.spi_s / 1000);
}

void rig_from_core(struct rig *r, const char *fmt, ...)
{
	char text[RIG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	assert_int_equal(mw_send(r->mw, SV(RIG_HOST), sv_of(text)), 0);
	mw_run(r->mw, r->now);
}

/* ---- flows */

void rig_sm1(struct rig *r, struct rig_ue *u, sa_set_id over)
{
	rig_register(r, u,
		     &(struct rig_register){.over = over, .client = u->client, .expires = 3600});
}

void rig_sm7(struct rig *r, struct rig_ue *u)
{
	rig_register(r, u,
		     &(struct rig_register){.over = u->set,
					    .client = u->client,
					    .verify = u->verify,
					    .authorization = "nonce=\"" RIG_NONCE
							     "\", response=\"0123456789abcdef"
							     "0123456789abcdef\"",
					    .expires = 3600});
}

void rig_registered(struct rig *r, struct rig_ue *u, sa_set_id over, unsigned expires)
{
	rig_sm1(r, u, over);
	rig_challenge(r, u);
	rig_sm7(r, u);
	rig_ok(r, u, expires);
	assert_int_equal(rig_last_ue(r)->m.status, 200);
}

void rig_start(struct rig *r, struct rig_ue *u, char path[RIG_PATH], unsigned expires)
{
	rig_init(r, NULL);
	rig_ue_init(u, "alice", "2001:db8::77");
	rig_registered(r, u, 0, expires);
	snprintf(path, RIG_PATH, "%s", rig_field(r, rig_last_core(r), SIP_HDR_PATH));
	rig_forget(r);
}

void rig_registered_digest(struct rig *r, struct rig_ue *u, uint64_t session, unsigned expires)
{
	const char *client = session ? "tls" : NULL;

	rig_register(r, u, &(struct rig_register){.client = client, .expires = expires});
	rig_challenge_digest(r, u, "");
	assert_int_equal(rig_last_ue(r)->m.status, 401);
	rig_register(r, u,
		     &(struct rig_register){.client = client,
					    .verify = session ? u->verify : NULL,
					    .authorization = RIG_ANSWER,
					    .expires = expires,
					    .session = session});
	rig_ok(r, u, expires);
	assert_int_equal(rig_last_ue(r)->m.status, 200);
}

struct search {
	const struct rig_ue *u;
	struct pcscf_registration *out;
	bool found;
};

static bool match(void *arg, const struct pcscf_registration *g)
{
	struct search *s = arg;

	if (!sv_eq(g->impi, sv_of(s->u->impi)))
		return true;
	*s->out = *g;
	s->found = true;
	return false;
}

bool rig_registration(const struct rig *r, const struct rig_ue *u, struct pcscf_registration *out)
{
	struct search s = {u, out, false};

	pcscf_registration_each(r->p, match, &s);
	return s.found;
}

const struct pcscf_set_info *rig_set(const struct pcscf_registration *g, enum pcscf_set_role role)
{
	for (unsigned i = 0; i < g->n_sets; i++)
		if (g->sets[i].role == role)
			return &g->sets[i];
	return NULL;
}
