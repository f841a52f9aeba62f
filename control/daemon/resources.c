#include "control/daemon/resources.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BODY (1024 * 1024)

static const struct mgmt_route routes[] = {
	{"GET", "/v1/registrations", resource_registrations_get, false},
	{"DELETE", "/v1/registrations/{}", resource_registration_delete, false},
	{"POST", "/v1/registrations", resource_registrations_post, true},
	{"GET", "/v1/sas", resource_sas_get, false},
	{"GET", "/v1/workers", resource_workers_get, false},
	{"GET", "/v1/drops", resource_drops_get, false},
	{"GET", "/v1/tcp", resource_tcp_get, false},
	{"GET", "/v1/status", resource_status_get, false},
	{"GET", "/v1/subscribers", resource_subscribers_get, false},
	{"POST", "/v1/subscribers", resource_subscribers_post, true},
	{"PUT", "/v1/subscribers/{}", resource_subscriber_put, true},
	{"DELETE", "/v1/subscribers/{}", resource_subscriber_delete, false},
};

/* Subscribers' keys pass through jansson: what it gives back is wiped. */
static void json_free_wiped(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

int daemon_mgmt_start(struct daemon *d)
{
	struct mgmt_conf conf = {.socket_path = d->conf.socket_path,
				 .routes = routes,
				 .n_routes = sizeof(routes) / sizeof(routes[0]),
				 .ctx = d,
				 .max_body = MAX_BODY};
	int err;

	json_set_alloc_funcs(malloc, json_free_wiped);
	err = mgmt_alloc(&d->mgmt, &d->loop, &conf);
	if (err)
		log_line(&d->log, CONF_LOG_ERROR, "%s: %s", conf.socket_path,
			 err == -EADDRINUSE ? "another esplanade serves there" : strerror(-err));
	return err;
}

json_t *resource_text(struct sv text)
{
	json_t *s = json_stringn(text.p ? text.p : "", text.n);
	char *copy;

	if (s)
		return s;
	copy = malloc(text.n + 1);
	for (size_t i = 0; copy && i < text.n; i++)
		copy[i] = (unsigned char)text.p[i] < 0x80 ? text.p[i] : '?';
	s = copy ? json_stringn(copy, text.n) : NULL;
	free(copy);
	return s;
}

json_t *resource_texts(const struct sv *texts, unsigned n)
{
	json_t *a = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(a, resource_text(texts[i]));
	return a;
}

struct resource_part resource_part_of(const struct mgmt_request *q)
{
	return (struct resource_part){q->offset, q->limit, 0, json_array()};
}

bool resource_part_wants(struct resource_part *p)
{
	uint64_t index = p->seen++;

	return index >= p->offset && index - p->offset < p->limit;
}

bool resource_part_full(const struct resource_part *p)
{
	return p->seen >= p->offset + p->limit;
}
