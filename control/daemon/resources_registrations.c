/* Registrations and their SAs, as the P-CSCF holds them. */
#include <errno.h>
#include <string.h>

#include "control/agree/agree.h"
#include "control/daemon/resources.h"

struct walk {
	struct daemon *d;
	struct resource_part part;
	uint64_t now;
};

static const char *role_name(enum pcscf_set_role role)
{
	static const char *const names[] = {[PCSCF_SET_NEW] = "new",
					    [PCSCF_SET_CURRENT] = "current",
					    [PCSCF_SET_OLD] = "old",
					    [PCSCF_SET_ENDING] = "ending"};

	return names[role];
}

static json_int_t seconds_left(const struct walk *w, uint64_t at)
{
	return at > w->now ? (json_int_t)((at - w->now + 999) / 1000) : 0;
}

/* TS-08: address and port of the connection, its session; IMPI and IMPUs stand above. */
static json_t *assoc_json(const struct walk *w, const struct pcscf_set_info *i)
{
	char remote[IP_ENDPOINT_STRLEN], name[STREAM_NAME];
	json_t *o =
		json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "set", (json_int_t)i->set.id, "role",
			  role_name(i->role), "kind", i->kind == PCSCF_TLS ? "tls" : "digest",
			  "transport", sip_transport_name(i->flow.transport), "flow",
			  ip_endpoint_format(&i->flow.remote, remote), "expires_s",
			  seconds_left(w, i->expires_at));

	if (i->kind == PCSCF_TLS)
		json_object_set_new(o, "session", json_integer((json_int_t)i->flow.session));
	if (i->kind == PCSCF_TLS && w->d->stream &&
	    stream_session_name(w->d->stream, &i->flow, name))
		json_object_set_new(o, "session_id", json_string(name));
	return o;
}

static json_t *set_json(const struct walk *w, const struct pcscf_set_info *i)
{
	if (i->kind != PCSCF_IPSEC)
		return assoc_json(w, i);
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:I}", "set", (json_int_t)i->set.id, "role",
			 role_name(i->role), "integ", agree_alg_name(i->set.integ), "encr",
			 agree_ealg_name(i->set.encr), "mode",
			 i->set.mode == SA_MODE_TRANSPORT ? "transport" : "udp-enc-tun",
			 "expires_s", seconds_left(w, i->expires_at));
}

/* After a de-registration the last set lingers for repeats of its answer (F06). */
static const char *state_name(const struct pcscf_registration *r)
{
	bool ending = r->n_sets > 0;

	for (unsigned i = 0; i < r->n_sets; i++)
		ending &= r->sets[i].role == PCSCF_SET_ENDING;
	return r->registered ? "registered" : ending ? "ending" : "pending";
}

static json_t *registration_json(const struct walk *w, const struct pcscf_registration *r)
{
	char ue[IP_ADDR_STRLEN];
	json_t *sets = json_array();

	for (unsigned i = 0; i < r->n_sets; i++)
		json_array_append_new(sets, set_json(w, &r->sets[i]));
	return json_pack("{s:o, s:o, s:s, s:o, s:s, s:I, s:o}", "impi", resource_text(r->impi),
			 "impus", resource_texts(r->impus, r->n_impus), "ue",
			 ip_addr_format(&r->ue, ue), "contact", resource_text(r->contact), "state",
			 state_name(r), "expires_s", seconds_left(w, r->expires_at), "sets", sets);
}

static bool registration_one(void *arg, const struct pcscf_registration *r)
{
	struct walk *w = arg;

	if (resource_part_wants(&w->part))
		json_array_append_new(w->part.items, registration_json(w, r));
	return !resource_part_full(&w->part);
}

static json_t *sa_json(const struct walk *w, const struct sa_set *s, enum sa_pair pair, bool in)
{
	struct dp_sa_counters c = {0};

	dp_sa_counters(w->d->dp, s->id, pair, in, &c);
	return json_pack("{s:s, s:s, s:I, s:i, s:i, s:I, s:I, s:I}", "direction", in ? "in" : "out",
			 "pair", pair == SA_SERVER ? "server" : "client", "spi",
			 (json_int_t)(in ? s->spi_in[pair] : s->spi_out[pair]), "local_port",
			 s->local_port[pair], "remote_port", s->remote_port[pair], "packets",
			 (json_int_t)c.packets, "bytes", (json_int_t)c.bytes, "seq",
			 (json_int_t)c.seq);
}

/* Behind a NAT: where ESP in UDP goes, and the UE's address inside and for the host's stack. */
static void tunnel_add(json_t *o, const struct sa_tunnel *n)
{
	char inner[IP_ADDR_STRLEN], alias[IP_ADDR_STRLEN];

	json_object_set_new(o, "udp_enc_port", json_integer(n->remote_port));
	json_object_set_new(o, "inner", json_string(ip_addr_format(&n->inner_remote[0], inner)));
	json_object_set_new(o, "alias", json_string(ip_addr_format(&n->host_alias, alias)));
}

static json_t *set_with_sas(const struct walk *w, const struct pcscf_registration *r,
			    const struct pcscf_set_info *i)
{
	char local[IP_ADDR_STRLEN], remote[IP_ADDR_STRLEN];
	json_t *o = set_json(w, i), *sas = json_array();

	for (int pair = 0; pair < SA_PAIRS; pair++) {
		json_array_append_new(sas, sa_json(w, &i->set, (enum sa_pair)pair, true));
		json_array_append_new(sas, sa_json(w, &i->set, (enum sa_pair)pair, false));
	}
	json_object_set_new(o, "impi", resource_text(r->impi));
	json_object_set_new(o, "local", json_string(ip_addr_format(&i->set.local, local)));
	json_object_set_new(o, "remote", json_string(ip_addr_format(&i->set.remote, remote)));
	if (i->set.mode == SA_MODE_UDP_ENC_TUN)
		tunnel_add(o, &i->set.tunnel);
	json_object_set_new(o, "sas", sas);
	return o;
}

/* SAs keyed by hand come first; they belong to nobody and do not end. */
static json_t *static_json(const struct walk *w, const struct sa_set *s)
{
	char local[IP_ADDR_STRLEN], remote[IP_ADDR_STRLEN];
	bool in = s->spi_in[SA_SERVER] || s->spi_in[SA_CLIENT];
	enum sa_pair pair = s->spi_in[SA_CLIENT] ? SA_CLIENT : SA_SERVER;

	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:[o]}", "set",
			 (json_int_t)s->id, "role", "static", "integ", agree_alg_name(s->integ),
			 "encr", agree_ealg_name(s->encr), "mode", "transport", "expires_s", 0,
			 "impi", "-", "local", ip_addr_format(&s->local, local), "remote",
			 ip_addr_format(&s->remote, remote), "sas", sa_json(w, s, pair, in));
}

static void statics_each(struct walk *w)
{
	for (unsigned i = 0; w->d->statics && i < w->d->conf.n_static_sas; i++)
		if (resource_part_wants(&w->part))
			json_array_append_new(w->part.items, static_json(w, &w->d->statics[i]));
}

static bool sas_one(void *arg, const struct pcscf_registration *r)
{
	struct walk *w = arg;

	for (unsigned i = 0; i < r->n_sets; i++)
		if (r->sets[i].kind == PCSCF_IPSEC && resource_part_wants(&w->part))
			json_array_append_new(w->part.items, set_with_sas(w, r, &r->sets[i]));
	return !resource_part_full(&w->part);
}

static bool edge_missing(const struct daemon *d, struct mgmt_reply *r)
{
	if (!d->pcscf)
		mgmt_fail(r, 404, "no P-CSCF runs here");
	return !d->pcscf;
}

/* total: UEs registered now */
void resource_registrations_get(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct walk w = {ctx, resource_part_of(q), daemon_now()};
	struct pcscf_counters c;

	if (edge_missing(w.d, r)) {
		json_decref(w.part.items);
		return;
	}
	pcscf_registration_each(w.d->pcscf, registration_one, &w);
	pcscf_counters(w.d->pcscf, &c);
	r->body = mgmt_page(q, "registrations", w.part.items, c.registered);
}

/* Items are SA sets of four SAs each; total: sets held now */
void resource_sas_get(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct walk w = {ctx, resource_part_of(q), daemon_now()};
	struct pcscf_counters c = {0};

	if (!w.d->statics && edge_missing(w.d, r)) {
		json_decref(w.part.items);
		return;
	}
	statics_each(&w);
	if (w.d->pcscf) {
		pcscf_registration_each(w.d->pcscf, sas_one, &w);
		pcscf_counters(w.d->pcscf, &c);
	}
	r->body = mgmt_page(q, "sas", w.part.items,
			    c.sets + (w.d->statics ? w.d->conf.n_static_sas : 0));
}

void resource_registration_delete(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	int err = daemon_deregister(ctx, q->name, false);

	if (err)
		mgmt_fail(r, 404, "%s is not registered", q->name);
	else
		r->body = json_pack("{s:i}", "deregistered", 1);
}

/* ---- what can be done to one --------------------------------------------------------------- */

static bool order_read(const json_t *o, const char **impi, const char **action, json_int_t *expires)
{
	*expires = 0;
	return json_unpack((json_t *)o, "{s:s, s:s, s?I!}", "impi", impi, "action", action,
			   "expires", expires) == 0 &&
	       *expires >= 0 && *expires <= UINT32_MAX;
}

static int order_carry_out(struct daemon *d, const char *impi, const char *action, uint32_t expires)
{
	if (strcmp(action, "reauth") == 0)
		return daemon_reauthenticate(d, impi, expires);
	if (strcmp(action, "deregister") == 0 || strcmp(action, "reject") == 0)
		return daemon_deregister(d, impi, strcmp(action, "reject") == 0);
	return -EINVAL;
}

void resource_registrations_post(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	const char *impi, *action;
	json_int_t expires;
	int err = -EINVAL;

	if (order_read(q->body, &impi, &action, &expires))
		err = order_carry_out(ctx, impi, action, (uint32_t)expires);
	if (err == -EINVAL)
		mgmt_fail(r, 400, "expected impi, action (reauth, deregister or reject), expires");
	else if (err == -ENOTSUP)
		mgmt_fail(r, 404, "no S-CSCF runs here");
	else if (err == -ENOENT)
		mgmt_fail(r, 404, "not registered");
	else if (err)
		mgmt_fail(r, 500, "%s", strerror(-err));
	else
		r->body = json_pack("{s:i}", "done", 1);
}
