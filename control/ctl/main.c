/* esplanadectl: the operator's hand on a running esplanade. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl/args.h"
#include "control/ctl/cert.h"
#include "control/ctl/client.h"
#include "control/ctl/show.h"
#include "control/ctl/subscriber.h"

/* Subscribers' keys pass through jansson: what it gives back is wiped. */
static void json_free_wiped(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static int order(struct client *c, const struct args *a, const char *action)
{
	json_t *body = json_pack("{s:s, s:s}", "impi", a->impi, "action", action);
	int err;

	if (!body) {
		fprintf(stderr, "esplanadectl: %s: not UTF-8\n", a->impi);
		return -EINVAL;
	}
	if (a->expires)
		json_object_set_new(body, "expires", json_integer(a->expires));
	err = client_request(c, "POST", "/v1/registrations", body, NULL);
	json_decref(body);
	return err;
}

static int deregister(struct client *c, const struct args *a)
{
	int err = order(c, a, a->reject ? "reject" : "deregister");

	if (!err)
		puts(a->json ? "{\"deregistered\":1}" : "deregistered");
	return err;
}

static int reauth(struct client *c, const struct args *a)
{
	int err = order(c, a, "reauth");

	if (!err)
		puts(a->json ? "{\"asked\":1}" : "asked to authenticate again");
	return err;
}

static int subscriber_del(struct client *c, const struct args *a)
{
	int err = client_request_name(c, "DELETE", "/v1/subscribers", a->impi, NULL, NULL);

	if (!err)
		puts(a->json ? "{\"deleted\":1}" : "deleted");
	return err;
}

static int run(struct client *c, const struct args *a)
{
	switch (a->verb) {
	case ARGS_SUBSCRIBER_ADD:
		return subscriber_add(c, a);
	case ARGS_SUBSCRIBER_PASSWORD:
		return subscriber_password(c, a);
	case ARGS_SUBSCRIBER_DEL:
		return subscriber_del(c, a);
	case ARGS_DEREGISTER:
		return deregister(c, a);
	case ARGS_REAUTH:
		return reauth(c, a);
	default:
		return show(c, a);
	}
}

/* What the shell gets. */
static int report(int err)
{
	if (fflush(stdout) != 0 && !err)
		err = -EIO;
	return err == -EINVAL ? 2 : err != 0;
}

int main(int argc, char **argv)
{
	struct client *c;
	struct args a;
	int err;

	json_set_alloc_funcs(malloc, json_free_wiped);
	if (args_parse(&a, argc, argv, stderr))
		return 2;
	if (a.verb == ARGS_HELP || a.verb == ARGS_VERSION) {
		if (a.verb == ARGS_HELP)
			args_help(stdout);
		else
			puts("esplanadectl " ESPLANADE_VERSION);
		return 0;
	}
	if (a.verb == ARGS_CHECK_CERT)
		return report(cert_check(&a));
	err = client_alloc(&c, a.socket);
	if (!err) {
		err = run(c, &a);
		client_free(c);
	}
	if (err == -ENOMEM || err == -EPROTO)
		fprintf(stderr, "esplanadectl: %s\n", strerror(-err));
	return report(err);
}
