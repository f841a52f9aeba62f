#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "control/mgmt/inside.h"

/* True if path is the route's; *name is the part that "{}" stands for. */
static bool path_matches(const char *route, const char *path, const char **name)
{
	size_t n = strcspn(route, "{");

	*name = NULL;
	if (route[n] == '\0')
		return strcmp(route, path) == 0;
	if (strncmp(route, path, n) != 0 || path[n] == '\0')
		return false;
	*name = path + n;
	return true;
}

static bool method_matches(const char *route, const char *method)
{
	return strcmp(route, method) == 0 ||
	       (strcmp(route, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

void mgmt_dispatch(const struct mgmt *m, const char *method, const char *path,
		   struct mgmt_request *q, struct mgmt_reply *r)
{
	bool path_known = false;

	for (unsigned i = 0; i < m->conf.n_routes; i++) {
		const struct mgmt_route *route = &m->conf.routes[i];

		if (!path_matches(route->path, path, &q->name))
			continue;
		path_known = true;
		if (!method_matches(route->method, method))
			continue;
		if (route->takes_body && !q->body)
			mgmt_fail(r, 400, "expected JSON in the request's body");
		else if (!route->takes_body && q->body)
			mgmt_fail(r, 400, "expected no body");
		else
			route->handler(m->conf.ctx, q, r);
		return;
	}
	if (path_known)
		mgmt_fail(r, 405, "%s cannot be done here", method);
	else
		mgmt_fail(r, 404, "no such resource");
}

void mgmt_fail(struct mgmt_reply *r, unsigned status, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_decref(r->body);
	r->status = status;
	r->body = json_pack("{s:s}", "error", text);
	if (!r->body) /* not UTF-8, or no memory */
		r->body = json_pack("{s:s}", "error", "request refused");
}

json_t *mgmt_page(const struct mgmt_request *q, const char *name, json_t *items, uint64_t total)
{
	return json_pack("{s:o, s:I, s:I, s:I}", name, items, "offset", (json_int_t)q->offset,
			 "limit", (json_int_t)q->limit, "total", (json_int_t)total);
}
