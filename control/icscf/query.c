/* Questions to the HSS and the requests that wait for them. */
#include "control/icscf/internal.h"

#include <errno.h>
#include <stdlib.h>

#include "control/auth/auth.h"
#include "control/base/parse.h"
#include "control/mw/identity.h"

struct icscf_query {
	struct icscf *icscf; /* NULL: freed meanwhile */
	struct icscf_query *next, **place;
	bool as_phone;
	const struct sip_msg *m; /* while query_ask() runs */
	char *text;		 /* a copy, if the answer comes later */
	size_t n;
	bool asking, answered; /* answered while asking: query_ask() frees it */
};

static void query_link(struct icscf *i, struct icscf_query *q)
{
	q->next = i->queries;
	q->place = &i->queries;
	if (q->next)
		q->next->place = &q->next;
	i->queries = q;
	i->queries_asked++;
}

static void query_unlink(struct icscf_query *q)
{
	*q->place = q->next;
	if (q->next)
		q->next->place = q->place;
}

static void query_free(struct icscf_query *q)
{
	free(q->text);
	free(q);
}

static void answer(void *arg, const struct cx_answer *a, uint64_t now)
{
	struct icscf_query *q = arg;
	struct icscf *i = q->icscf;
	struct sip_msg m;

	if (i) {
		query_unlink(q);
		if (q->m)
			icscf_answered(i, q->m, q->as_phone, a, now);
		else if (q->text && sip_msg_parse(&m, (struct sv){q->text, q->n}) == 0)
			icscf_answered(i, &m, q->as_phone, a, now);
	}
	if (q->asking)
		q->answered = true;
	else
		query_free(q);
}

/* The answer takes its time, the request's text does not last. */
static void request_keep(struct icscf_query *q, const struct sip_msg *m)
{
	q->m = NULL;
	q->text = malloc(m->raw.n);
	if (q->text) {
		memcpy(q->text, m->raw.p, m->raw.n);
		q->n = m->raw.n;
	} else {
		mw_proxy_reply(&q->icscf->proxy, m, 500, (struct sv){0});
	}
}

static int query_ask(struct icscf *i, const struct cx_request *r, const struct sip_msg *m,
		     bool as_phone, uint64_t now)
{
	struct icscf_query *q = malloc(sizeof(*q));

	if (!q)
		return -ENOMEM;
	*q = (struct icscf_query){.icscf = i, .as_phone = as_phone, .m = m, .asking = true};
	query_link(i, q);
	i->cx.request(i->cx.ctx, r, answer, q, now);
	q->asking = false;
	if (q->answered)
		query_free(q);
	else
		request_keep(q, m);
	return 0;
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
	if (query_ask(i, &r, m, as_phone, now) < 0)
		mw_proxy_reply(&i->proxy, m, 500, (struct sv){0});
}
