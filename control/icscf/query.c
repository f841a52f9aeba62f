/* Questions to the HSS and the requests that wait for them. */
#include "control/icscf/internal.h"

#include <stdlib.h>

#include "control/auth/auth.h"
#include "control/base/parse.h"
#include "control/mw/identity.h"

struct icscf_query {
	struct icscf *icscf; /* NULL: freed meanwhile */
	struct icscf_query *next, **place;
	bool as_phone;
	size_t n;
	char text[];
};

static struct icscf_query *query_alloc(struct icscf *i, const struct sip_msg *m, bool as_phone)
{
	struct icscf_query *q = malloc(sizeof(*q) + m->raw.n);

	if (!q)
		return NULL;
	*q = (struct icscf_query){.icscf = i,
				  .next = i->queries,
				  .place = &i->queries,
				  .as_phone = as_phone,
				  .n = m->raw.n};
	memcpy(q->text, m->raw.p, m->raw.n);
	if (q->next)
		q->next->place = &q->next;
	i->queries = q;
	return q;
}

static void answer(void *arg, const struct cx_answer *a, uint64_t now)
{
	struct icscf_query *q = arg;
	struct icscf *i = q->icscf;
	struct sip_msg m;

	if (i) {
		*q->place = q->next;
		if (q->next)
			q->next->place = q->place;
		if (sip_msg_parse(&m, (struct sv){q->text, q->n}) == 0)
			icscf_answered(i, &m, q->as_phone, a, now);
	}
	free(q);
}

void icscf_queries_orphan(struct icscf *i)
{
	for (struct icscf_query *q = i->queries; q; q = q->next)
		q->icscf = NULL;
	i->queries = NULL;
}

static struct sv address_identity(struct sv value, char *buf, size_t cap)
{
	struct sip_addr a;

	return sip_addr_parse(&a, value) == 0 ? sip_identity(a.uri, buf, cap) : (struct sv){0};
}

/* UAR's values (TS 24.229 5.3.1.2); views into the message and impu. */
static void register_fill(struct cx_request *r, const struct sip_msg *m, char *impu, size_t cap)
{
	struct auth_response auth;
	struct sv credentials = sip_msg_value(m, SIP_HDR_AUTHORIZATION);

	r->command = CX_UAR;
	r->impu = address_identity(sip_msg_value(m, SIP_HDR_TO), impu, cap);
	if (sv_empty(credentials))
		r->impi = mw_derived_impi(r->impu);
	else if (auth_response_parse(&auth, credentials) == 0)
		r->impi = auth.username;
	r->visited = sv_unquote(sip_msg_value(m, SIP_HDR_P_VISITED_NETWORK_ID));
}

void icscf_query(struct icscf *i, const struct sip_msg *m, bool as_phone, uint64_t now)
{
	char identity[MW_MAX_IDENTITY];
	struct cx_request r = {.command = CX_LIR};
	struct icscf_query *q;

	if (m->method == SIP_REGISTER)
		register_fill(&r, m, identity, sizeof(identity));
	else if (as_phone)
		r.impu = mw_phone_alias(m->uri, identity, sizeof(identity));
	else
		r.impu = sip_identity(m->uri, identity, sizeof(identity));
	if (sv_empty(r.impu) || (r.command == CX_UAR && sv_empty(r.impi))) {
		mw_proxy_reply(&i->proxy, m, r.command == CX_UAR ? 400 : 404, (struct sv){0});
		return;
	}
	q = query_alloc(i, m, as_phone);
	if (!q) {
		mw_proxy_reply(&i->proxy, m, 500, (struct sv){0});
		return;
	}
	i->n_queries++;
	i->cx.request(i->cx.ctx, &r, answer, q, now);
}
