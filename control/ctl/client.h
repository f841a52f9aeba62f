/* HTTP to the daemon over its unix socket. */
#pragma once

#include <jansson.h>

struct client;

int client_alloc(struct client **cp, const char *socket_path);
void client_free(struct client *c);

/*
 * One request; `path` as in "/v1/sas?limit=5", body NULL or JSON. 0 and *answer (may be NULL if not
 * wanted) with a 2xx; else -EIO, with the reason on stderr and *answer whatever JSON came or NULL.
 */
int client_request(struct client *c, const char *method, const char *path, const json_t *body,
		   json_t **answer);
/* The same for "PREFIX/NAME", with the name encoded. */
int client_request_name(struct client *c, const char *method, const char *prefix, const char *name,
			const json_t *body, json_t **answer);
