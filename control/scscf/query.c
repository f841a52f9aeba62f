#include "control/scscf/internal.h"

#include <errno.h>
#include <stdlib.h>

struct query {
	struct user *user; /* NULL: the S-CSCF is gone */
	struct query *next, **place;
	query_h *done;
	size_t n; /* 0: no request kept */
	char text[];
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

static void answer(void *arg, const struct cx_answer *a, uint64_t now)
{
	struct query *q = arg;
	struct user *u = q->user;
	struct sip_msg m;

	if (u) {
		query_unlink(u->scscf, q);
		if (!q->done)
			;
		else if (q->n == 0)
			q->done(u, NULL, a, now);
		else if (sip_msg_parse(&m, (struct sv){q->text, q->n}) == 0)
			q->done(u, &m, a, now);
		user_release(u, now);
	}
	free(q);
}

int query_ask(struct user *u, const struct cx_request *r, const struct sip_msg *m, query_h *done,
	      uint64_t now)
{
	struct scscf *s = u->scscf;
	size_t n = m ? m->raw.n : 0;
	struct query *q = malloc(sizeof(*q) + n);
	struct cx_request request = *r;

	if (!q)
		return -ENOMEM;
	*q = (struct query){.user = u, .done = done, .n = n};
	if (n)
		memcpy(q->text, m->raw.p, n);
	query_link(s, q);
	user_hold(u);
	request.impi = sv_of(u->impi);
	request.scscf = sv_of(s->uri);
	s->cx.request(s->cx.ctx, &request, answer, q, now);
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
