/* One HTTP request after the other: collects the body, reads the query, answers. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/parse.h"
#include "control/mgmt/inside.h"

struct exchange {
	char *body; /* may hold keys: wiped */
	size_t n, cap;
	bool too_long;
};

static void body_free(char *body, size_t cap)
{
	if (body)
		sodium_memzero(body, cap);
	free(body);
}

static bool body_grow(struct exchange *e, size_t need)
{
	size_t cap = e->cap ? e->cap : 4096;
	char *bigger;

	while (cap < need)
		cap *= 2;
	bigger = malloc(cap);
	if (!bigger)
		return false;
	if (e->n)
		memcpy(bigger, e->body, e->n);
	body_free(e->body, e->cap);
	e->body = bigger;
	e->cap = cap;
	return true;
}

static bool body_add(struct exchange *e, const char *data, size_t n, size_t max)
{
	if (e->too_long || n > max - e->n) {
		e->too_long = true; /* the rest is read and forgotten, then 413 */
		return true;
	}
	if (e->n + n > e->cap && !body_grow(e, e->n + n))
		return false;
	memcpy(e->body + e->n, data, n);
	e->n += n;
	return true;
}

void mgmt_http_done(void *arg, struct MHD_Connection *connection, void **exchange,
		    enum MHD_RequestTerminationCode code)
{
	struct exchange *e = *exchange;

	(void)arg;
	(void)connection;
	(void)code;
	if (e)
		body_free(e->body, e->cap);
	free(e);
	*exchange = NULL;
}

static enum MHD_Result reply_send(struct MHD_Connection *connection, struct mgmt_reply *r)
{
	char *text = r->body ? json_dumps(r->body, JSON_COMPACT) : strdup("{}");
	unsigned status = text ? r->status : 500;
	struct MHD_Response *response;
	enum MHD_Result result = MHD_NO;

	json_decref(r->body);
	if (!text)
		text = strdup("{\"error\":\"out of memory\"}");
	if (!text)
		return MHD_NO;
	response = MHD_create_response_from_buffer(strlen(text), text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}
	if (MHD_add_response_header(response, "Content-Type", "application/json") == MHD_YES)
		result = MHD_queue_response(connection, status ? status : 200, response);
	MHD_destroy_response(response);
	return result;
}

struct query {
	struct mgmt_request *q;
	struct mgmt_reply *r;
};

static enum MHD_Result query_one(void *arg, enum MHD_ValueKind kind, const char *key,
				 const char *value)
{
	struct query *y = arg;
	bool limit = strcmp(key, "limit") == 0;

	(void)kind;
	if (!limit && strcmp(key, "offset") != 0)
		mgmt_fail(y->r, 400, "expected offset or limit in the query, found %s", key);
	else if (!value || !parse_u32(sv_of(value), limit ? MGMT_LIMIT_MAX : UINT32_MAX,
				      limit ? &y->q->limit : &y->q->offset))
		mgmt_fail(y->r, 400, "%s: expected a number up to %u", key,
			  limit ? MGMT_LIMIT_MAX : UINT32_MAX);
	else
		return MHD_YES;
	return MHD_NO;
}

/* jansson's own message quotes the text, which may be a key: only the place is told. */
static json_t *body_parse(const struct exchange *e, struct mgmt_reply *r)
{
	json_error_t error;
	json_t *body = json_loadb(e->body, e->n, JSON_REJECT_DUPLICATES, &error);

	if (!body)
		mgmt_fail(r, 400, "body: not JSON at line %d, column %d", error.line, error.column);
	return body;
}

static enum MHD_Result answer(const struct mgmt *m, struct MHD_Connection *connection,
			      const char *method, const char *path, const struct exchange *e)
{
	struct mgmt_request q = {.limit = MGMT_LIMIT_DEFAULT};
	struct mgmt_reply r = {0};
	struct query y = {&q, &r};
	json_t *body = NULL;

	if (e->too_long)
		mgmt_fail(&r, 413, "body: expected %u octets or less", m->conf.max_body);
	else if (e->n)
		body = body_parse(e, &r);
	if (!r.status)
		MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, query_one, &y);
	q.body = body;
	if (!r.status)
		mgmt_dispatch(m, method, path, &q, &r);
	json_decref(body);
	return reply_send(connection, &r);
}

/* Called first with the headers, then with each piece of the body, then at its end. */
enum MHD_Result mgmt_http(void *arg, struct MHD_Connection *connection, const char *path,
			  const char *method, const char *version, const char *data, size_t *n,
			  void **exchange)
{
	const struct mgmt *m = arg;
	struct exchange *e = *exchange;
	size_t piece = *n;

	(void)version;
	if (!e) {
		*exchange = calloc(1, sizeof(*e));
		return *exchange ? MHD_YES : MHD_NO;
	}
	if (piece == 0)
		return answer(m, connection, method, path, e);
	*n = 0;
	return body_add(e, data, piece, m->conf.max_body) ? MHD_YES : MHD_NO;
}
