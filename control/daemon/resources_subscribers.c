/* Subscribers of the HSS. Keys come in and never go out. */
#include <errno.h>
#include <string.h>

#include "control/daemon/resources.h"
#include "control/daemon/subscriber_json.h"
#include "crypto/secret.h"

static bool hss_missing(const struct daemon *d, struct mgmt_reply *r)
{
	if (!d->hss)
		mgmt_fail(r, 404, "no HSS runs here");
	return !d->hss;
}

/* ---- listing ------------------------------------------------------------------------------ */

static const char *flag_name(enum cx_registration flag)
{
	static const char *const names[] = {[CX_NOT_REGISTERED] = "not registered",
					    [CX_UNREGISTERED] = "unregistered",
					    [CX_PENDING] = "pending",
					    [CX_REGISTERED] = "registered"};

	return names[flag];
}

/* How it can be authenticated; the realms of its passwords, and who checks them. */
static void schemes_add(json_t *o, const struct hss_subscriber *s)
{
	static const char *const variants[] = {
		[HSS_VARIANT_SCSCF] = "s-cscf", [HSS_VARIANT_HSS] = "hss"};
	json_t *schemes = json_array(), *realms = json_array();

	if (!s->no_aka)
		json_array_append_new(schemes, json_string("AKA"));
	if (s->n_digests)
		json_array_append_new(schemes, json_string("Digest"));
	for (unsigned i = 0; i < s->n_digests; i++)
		json_array_append_new(realms, resource_text(sv_of(s->digests[i].realm)));
	json_object_set_new(o, "schemes", schemes);
	if (s->n_digests)
		json_object_set(o, "realms", realms);
	if (s->variant)
		json_object_set_new(o, "variant", json_string(variants[s->variant]));
	json_decref(realms);
}

static json_t *subscriber_json(const struct hss_subscriber *s, enum cx_registration flag)
{
	json_t *impus = json_array(), *o;
	char amf[5];

	for (unsigned i = 0; i < s->n_impus; i++)
		json_array_append_new(impus, resource_text(sv_of(s->impus[i])));
	snprintf(amf, sizeof(amf), "%02x%02x", s->amf[0], s->amf[1]);
	o = json_pack("{s:o, s:o, s:s}", "impi", resource_text(sv_of(s->impi)), "impus", impus,
		      "state", flag_name(flag));
	if (!s->no_aka) {
		json_object_set_new(o, "amf", json_string(amf));
		json_object_set_new(o, "sqn", json_integer((json_int_t)s->sqn));
	}
	schemes_add(o, s);
	return o;
}

static bool subscriber_one(void *arg, const struct hss_subscriber *s, enum cx_registration flag)
{
	struct resource_part *p = arg;

	if (resource_part_wants(p))
		json_array_append_new(p->items, subscriber_json(s, flag));
	return !resource_part_full(p);
}

void resource_subscribers_get(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct daemon *d = ctx;
	struct resource_part part;

	if (hss_missing(d, r))
		return;
	part = resource_part_of(q);
	if (hss_subscriber_each(d->hss, subscriber_one, &part)) {
		json_decref(part.items);
		mgmt_fail(r, 500, "the store cannot be read");
		return;
	}
	r->body = mgmt_page(q, "subscribers", part.items, hss_subscribers(d->hss));
}

/* ---- adding ------------------------------------------------------------------------------- */

/* Everything is checked before anything is stored. */
static bool all_fit(const struct daemon *d, const json_t *list, struct mgmt_reply *r)
{
	struct hss_subscriber s;
	const char *why = NULL;
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		why = subscriber_from_json(&s, o, d->conf.digest_realm);
		if (why)
			break;
	}
	secret_wipe(&s, sizeof(s));
	if (why)
		mgmt_fail(r, 400, "subscriber %zu: %s; nothing was added", i + 1, why);
	return !why;
}

static const char *add_error(int err)
{
	switch (err) {
	case -EEXIST:
		return "IMPI or IMPU exists already";
	case -EINVAL:
		return "identities do not fit";
	case -E2BIG:
		return "a password for one realm more than there can be";
	default:
		return "the store failed";
	}
}

/*
 * A hash that policy never asks for is no use but to who steals the file. SHA-256 stays in any
 * case: it is the stronger one, and policy may come to it.
 */
static void hashes_limit(const struct daemon *d, struct hss_subscriber *s)
{
	bool md5 = false;

	for (unsigned i = 0; i < d->conf.n_digest_algorithms; i++)
		md5 |= d->conf.digest_algorithms[i] == CONF_MD5 ||
		       d->conf.digest_algorithms[i] == CONF_MD5_SESS;
	for (unsigned i = 0; i < s->n_digests && !md5; i++)
		if (s->digests[i].ha1[HSS_SHA256][0])
			secret_wipe(s->digests[i].ha1[HSS_MD5], DIGEST_HEX);
}

/* Stores what can be stored; the rest is listed in errors. */
static unsigned add_all(struct daemon *d, const json_t *list, json_t *errors)
{
	struct hss_subscriber s;
	unsigned added = 0;
	size_t i;
	json_t *o;

	json_array_foreach(list, i, o)
	{
		int err = -EINVAL;

		if (!subscriber_from_json(&s, o, d->conf.digest_realm)) {
			hashes_limit(d, &s);
			err = hss_subscriber_add(d->hss, &s);
		}
		if (!err)
			added++;
		else
			json_array_append_new(errors,
					      json_pack("{s:I, s:O, s:s}", "index", (json_int_t)i,
							"impi", json_object_get(o, "impi"), "error",
							add_error(err)));
	}
	secret_wipe(&s, sizeof(s));
	return added;
}

static void add_answer(struct mgmt_reply *r, unsigned added, json_t *errors)
{
	size_t refused = json_array_size(errors);
	const char *first = json_string_value(json_object_get(json_array_get(errors, 0), "error"));

	if (refused)
		mgmt_fail(r, 409, "%zu not added: %s", refused, first);
	else
		r->body = json_object();
	r->status = refused ? 409 : 201;
	json_object_set_new(r->body, "added", json_integer(added));
	if (refused)
		json_object_set(r->body, "errors", errors);
}

static void add_list(struct daemon *d, const json_t *list, struct mgmt_reply *r)
{
	json_t *errors = json_array();
	unsigned added = 0;
	int err;

	err = hss_batch_begin(d->hss);
	if (!err) {
		added = add_all(d, list, errors);
		err = hss_batch_end(d->hss);
	}
	if (err)
		mgmt_fail(r, 500, "the store failed: nothing was added");
	else
		add_answer(r, added, errors);
	if (!err)
		log_line(&d->log, CONF_LOG_INFO, "%u subscribers added, %zu refused", added,
			 json_array_size(errors));
	json_decref(errors);
}

void resource_subscribers_post(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct daemon *d = ctx;
	json_t *list;

	if (hss_missing(d, r))
		return;
	list = json_is_array(q->body) ? json_incref((json_t *)q->body) : json_pack("[O]", q->body);
	if (json_array_size(list) == 0)
		mgmt_fail(r, 400, "expected a subscriber, or a list of them");
	else if (all_fit(d, list, r))
		add_list(d, list, r);
	json_decref(list);
}

/* ---- a new password ----------------------------------------------------------------------- */

void resource_subscriber_put(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct daemon *d = ctx;
	struct hss_subscriber s;
	const char *why;
	int err;

	if (hss_missing(d, r))
		return;
	why = digest_from_json(&s, q->name, q->body, d->conf.digest_realm);
	if (why) {
		mgmt_fail(r, 400, "%s", why);
		return;
	}
	hashes_limit(d, &s);
	err = hss_subscriber_digest_set(d->hss, &s);
	secret_wipe(&s, sizeof(s));
	if (err == -ENOENT)
		mgmt_fail(r, 404, "no subscriber %s", q->name);
	else if (err)
		mgmt_fail(r, err == -EIO ? 500 : 400, "%s", add_error(err));
	else
		r->body = json_pack("{s:i}", "changed", 1);
	if (!err)
		log_line(&d->log, CONF_LOG_INFO, "subscriber %s has a new password", q->name);
}

/* ---- deleting ----------------------------------------------------------------------------- */

void resource_subscriber_delete(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct daemon *d = ctx;
	int err;

	if (hss_missing(d, r))
		return;
	/* while the HSS knows the subscriber; may well not be registered */
	daemon_deregister(d, q->name, true);
	err = hss_subscriber_del(d->hss, sv_of(q->name));
	if (err == -ENOENT)
		mgmt_fail(r, 404, "no subscriber %s", q->name);
	else if (err)
		mgmt_fail(r, 500, "the store failed");
	else
		r->body = json_pack("{s:i}", "deleted", 1);
	if (!err)
		log_line(&d->log, CONF_LOG_INFO, "subscriber %s deleted", q->name);
}
