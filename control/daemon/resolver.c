/* Names for the P-CSCF, by libuv's threads: no other thread waits for them. */
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "control/daemon/daemon.h"

#define RUNNING_MAX 32
#define ADDRS_MAX   16

struct daemon_lookup {
	uv_getaddrinfo_t req; /* .data: the daemon */
	struct daemon_lookup **prev, *next;
	uint32_t id;
};

static bool address_of(const struct addrinfo *ai, struct ip_addr *a)
{
	memset(a, 0, sizeof(*a));
	if (ai->ai_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)ai->ai_addr;

		a->version = 4;
		memcpy(a->b, &in->sin_addr, 4);
	} else if (ai->ai_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)ai->ai_addr;

		a->version = 6;
		memcpy(a->b, &in6->sin6_addr, 16);
	}
	return a->version != 0;
}

static void resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
	struct daemon_lookup *l = (struct daemon_lookup *)(void *)req;
	struct daemon *d = req->data;
	struct ip_addr addrs[ADDRS_MAX];
	uint64_t now = daemon_now();
	unsigned n = 0;

	for (const struct addrinfo *ai = found; ai && n < ADDRS_MAX; ai = ai->ai_next)
		n += address_of(ai, &addrs[n]);
	*l->prev = l->next;
	if (l->next)
		l->next->prev = l->prev;
	d->n_lookups--;
	if (status != UV_ECANCELED) {
		pcscf_resolved(d->pcscf, l->id, addrs, n, now);
		mw_run(d->mw, now);
	}
	uv_freeaddrinfo(found);
	free(l);
}

int daemon_resolve(void *ctx, const char *host, uint32_t id)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct daemon *d = ctx;
	struct daemon_lookup *l;
	int err;

	if (d->n_lookups >= RUNNING_MAX)
		return -EAGAIN;
	l = calloc(1, sizeof(*l));
	if (!l)
		return -ENOMEM;
	l->req.data = d;
	l->id = id;
	err = uv_getaddrinfo(&d->loop, &l->req, resolved, host, NULL, &hints);
	if (err) {
		free(l);
		return err < 0 ? err : -EIO;
	}
	l->next = d->lookups;
	l->prev = &d->lookups;
	if (l->next)
		l->next->prev = &l->next;
	d->lookups = l;
	d->n_lookups++;
	return 0;
}

void daemon_resolver_end(struct daemon *d)
{
	for (struct daemon_lookup *l = d->lookups; l; l = l->next)
		uv_cancel((uv_req_t *)&l->req);
}
