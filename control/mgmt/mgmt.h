/*
 * Management interface: HTTP with JSON over a unix socket, served from the caller's event loop
 * without a thread of its own. Knows nothing of what it serves: that is in the routes.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct mgmt;

#define MGMT_LIMIT_DEFAULT 100
#define MGMT_LIMIT_MAX	   1000

struct mgmt_request {
	const char *name;	/* what stood for "{}" in the route's path, decoded; else NULL */
	const json_t *body;	/* of a route that takes one; else NULL */
	uint32_t offset, limit; /* ?offset=&limit=: the wanted part of a list */
};

/* Filled by the handler; the body is handed over. Status 0 becomes 200, no body an empty object. */
struct mgmt_reply {
	unsigned status;
	json_t *body;
};

typedef void mgmt_handler_h(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r);

struct mgmt_route {
	const char *method; /* "GET" answers HEAD too */
	const char *path;   /* "/v1/things" or "/v1/things/{}" */
	mgmt_handler_h *handler;
	bool takes_body;
};

struct mgmt_conf {
	const char *socket_path; /* made with mode 0600; one left by a dead process is replaced */
	const struct mgmt_route *routes; /* must live as long as the mgmt */
	unsigned n_routes;
	void *ctx;	   /* for the handlers */
	uint32_t max_body; /* octets of a request's body */
};

/* -EADDRINUSE: another process serves there; -EEXIST: a file that is no socket; or what bind()
 * says. */
int mgmt_alloc(struct mgmt **mp, uv_loop_t *loop, const struct mgmt_conf *conf);
/* Ends all connections and removes the socket. Memory goes when the loop has run once more. */
void mgmt_free(struct mgmt *m);

/* Sets an error status and {"error": text}. Never put what came in a body into the text. */
__attribute__((format(printf, 3, 4))) void mgmt_fail(struct mgmt_reply *r, unsigned status,
						     const char *fmt, ...);

/* {name: items, "offset": .., "limit": .., "total": ..}; takes over items. */
json_t *mgmt_page(const struct mgmt_request *q, const char *name, json_t *items, uint64_t total);
