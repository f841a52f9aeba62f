#include "control/scscf/internal.h"

#include <errno.h>
#include <stdlib.h>

struct query {
	struct user *user; /* NULL: the S-CSCF is gone */
	struct query *next, **place;
	query_h *done;
	const struct sip_msg *m; /* while query_ask() runs; NULL: no request */
	char *text;		 /* its copy, if the answer comes later */
	size_t n;
	bool asking, answered; /* answered while asking: query_ask() frees it */
};

static void query_link(struct scscf *s, struct query *q)
{
	q->next = s->queries;
	q->place = &s->queries;
	if (q->next)
		q->next->place = &q->next;
	s->queries = q;
	s->n_queries++;
}

static void query_unlink(struct scscf *s, struct query *q)
{
	*q->place = q->next;
	if (q->next)
		q->next->place = q->place;
	s->n_queries--;
}

static void query_free(struct query *q)
{
	free(q->text);
	free(q);
}

static void carry_on(struct query *q, struct user *u, const struct cx_answer *a, uint64_t now)
{
	struct sip_msg m;

	if (!q->done)
		return;
	if (!q->text)
		q->done(u, q->m, a, now);
	else if (sip_msg_parse(&m, (struct sv){q->text, q->n}) == 0)
		q->done(u, &m, a, now);
}

static void answer(void *arg, const struct cx_answer *a, uint64_t now)
{
	struct query *q = arg;
	struct user *u = q->user;

	if (u) {
		query_unlink(u->scscf, q);
		carry_on(q, u, a, now);
		user_release(u, now);
	}
	if (q->asking)
		q->answered = true;
	else
		query_free(q);
}

/* The answer takes its time, the request's text does not last: without memory for it nobody can
 * carry on. */
static void request_keep(struct query *q, const struct sip_msg *m)
{
	q->m = NULL;
	if (!m)
		return;
	q->text = malloc(m->raw.n);
	if (q->text) {
		memcpy(q->text, m->raw.p, m->raw.n);
		q->n = m->raw.n;
	} else {
		q->done = NULL;
		reply_status(q->user->scscf, m, 500);
	}
}

int query_ask(struct user *u, const struct cx_request *r, const struct sip_msg *m, query_h *done,
	      uint64_t now)
{
	struct scscf *s = u->scscf;
	struct query *q = malloc(sizeof(*q));
	struct cx_request request = *r;

	if (!q)
		return -ENOMEM;
	*q = (struct query){.user = u, .done = done, .m = m, .asking = true};
	query_link(s, q);
	user_hold(u);
	request.impi = sv_of(u->impi);
	request.scscf = sv_of(s->uri);
	s->cx.request(s->cx.ctx, &request, answer, q, now);
	q->asking = false;
	if (q->answered)
		query_free(q);
	else
		request_keep(q, m);
	return 0;
}

int query_put(struct user *u, struct sv impu, enum cx_registration flag, const struct sip_msg *m,
	      query_h *done, uint64_t now)
{
	struct cx_request r = {.command = CX_SAR, .impu = impu, .put = flag};

	return query_ask(u, &r, m, done, now);
}

void queries_orphan(struct scscf *s)
{
	for (struct query *q = s->queries; q; q = q->next)
		q->user = NULL;
	s->queries = NULL;
	s->n_queries = 0;
}

unsigned query_status(const struct cx_answer *a)
{
	return a->result == CX_UNABLE ? 504 : 403;
}
