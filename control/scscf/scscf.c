#include "control/scscf/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void input(void *arg, struct sv text, uint64_t now)
{
	const struct sip_flow core = {.transport = SIP_TRANSPORT_MW};
	struct scscf *s = arg;
	struct sip_msg m;

	if (sip_msg_parse(&m, text) < 0)
		s->proxy.dropped++;
	else if (!m.request) {
		if (!sip_txns_input(s->txns, &core, &m, now))
			mw_proxy_response(&s->proxy, &m);
	} else if (m.method == SIP_REGISTER)
		register_input(s, &m, now);
	else
		session_input(s, &m, now);
}

/* What nobody takes is answered by the transaction's end. */
static void txns_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct scscf *s = ctx;

	(void)flow;
	(void)mw_forward(s->proxy.mw, text);
}

/* ---- life --------------------------------------------------------------------------------- */

static bool conf_copy(struct scscf *s, const struct scscf_conf *conf)
{
	s->host = strdup(conf->host);
	s->icscf_host = strdup(conf->icscf_host);
	s->realm = strdup(conf->realm);
	if (asprintf(&s->uri, "sip:%s", conf->host) < 0)
		s->uri = NULL;
	s->expires_default = conf->expires_default;
	s->expires_min = conf->expires_min;
	s->expires_max = conf->expires_max ? conf->expires_max : UINT32_MAX;
	s->await_auth = (uint64_t)conf->await_auth * 1000;
	s->vectors = conf->vectors < 1		      ? 1
		     : conf->vectors > CX_MAX_VECTORS ? CX_MAX_VECTORS
						      : conf->vectors;
	s->challenge_protected = conf->challenge_protected;
	s->trust_ip = conf->trust_ip;
	s->tls_required = conf->tls_required;
	s->nonce_lifetime = (conf->nonce_lifetime ? conf->nonce_lifetime : 3600) * UINT64_C(1000);
	s->reauth_expires = conf->reauth_expires ? conf->reauth_expires : 600;
	s->reauth_repeats = conf->reauth_repeats;
	return s->host && s->icscf_host && s->realm && s->uri;
}

int scscf_alloc(struct scscf **sp, const struct scscf_conf *conf, struct timers *timers,
		struct mw *mw, struct cx cx)
{
	struct scscf *s = calloc(1, sizeof(*s));
	const struct sip_txns_env env = {.ctx = s, .send = txns_send};
	int err = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->timers = timers;
	s->cx = cx;
	if (conf_copy(s, conf) && map_init(&s->by_impi) == 0 && map_init(&s->by_impu) == 0 &&
	    map_init(&s->by_tag) == 0)
		err = sip_txns_alloc(&s->txns, timers, SIP_TIMERS_CORE, &env);
	if (!err)
		err = mw_attach(mw, sv_of(s->host), input, s);
	if (err) {
		scscf_free(s);
		return err;
	}
	s->proxy = (struct mw_proxy){.mw = mw, .host = sv_of(s->host)};
	*sp = s;
	return 0;
}

static void users_free(struct scscf *s)
{
	struct map_node *next;

	for (uint32_t i = 0; s->by_impi.bucket && i < s->by_impi.size; i++)
		for (struct map_node *node = s->by_impi.bucket[i]; node; node = next) {
			next = node->next;
			user_free((struct user *)node);
		}
}

void scscf_free(struct scscf *s)
{
	if (!s)
		return;
	if (s->proxy.mw)
		mw_detach(s->proxy.mw, s->proxy.host);
	queries_orphan(s);
	users_free(s);
	map_free(&s->by_impi);
	map_free(&s->by_impu);
	map_free(&s->by_tag);
	sip_txns_free(s->txns);
	free(s->host);
	free(s->uri);
	free(s->icscf_host);
	free(s->realm);
	free(s);
}

/* ---- management --------------------------------------------------------------------------- */

static bool binding_tell(struct user *u, scscf_binding_h *handler, void *arg)
{
	struct sv impus[CX_MAX_IMPUS];
	struct scscf_binding b = {
		.impi = sv_of(u->impi),
		.impus = impus,
		.n_impus = u->n_served < CX_MAX_IMPUS ? u->n_served : CX_MAX_IMPUS,
		.contact = sv_of(u->binding.contact),
		.path = sv_of(u->binding.path),
		.expires_at = u->registered ? u->binding.expires_at : u->await.due,
		.registered = u->registered,
		.scheme = !u->registered   ? CX_SCHEME_ANY
			  : user_by_aka(u) ? CX_SCHEME_AKA
					   : CX_SCHEME_DIGEST,
		.tls_protected = user_tls_protected(u),
	};

	for (unsigned i = 0; i < b.n_impus; i++)
		impus[i] = sv_of(u->served[i].impu);
	return handler(arg, &b);
}

void scscf_binding_each(struct scscf *s, scscf_binding_h *handler, void *arg)
{
	for (uint32_t i = 0; i < s->by_impi.size; i++)
		for (struct map_node *node = s->by_impi.bucket[i]; node; node = node->next) {
			struct user *u = (struct user *)node;

			if ((u->registered || u->challenge.pending) &&
			    !binding_tell(u, handler, arg))
				return;
		}
}

unsigned scscf_registered(const struct scscf *s)
{
	return s->n_registered;
}

unsigned scscf_pending(const struct scscf *s)
{
	return s->n_challenges + s->n_queries + sip_txns_count(s->txns);
}

uint64_t scscf_impossible(const struct scscf *s)
{
	return s->impossible;
}

unsigned scscf_subscriptions(const struct scscf *s)
{
	return s->n_subscriptions;
}

uint64_t scscf_dropped(const struct scscf *s)
{
	return s->proxy.dropped;
}

static int deregister(struct scscf *s, struct sv impi, enum reginfo_event event, uint64_t now)
{
	struct user *u = user_find(s, impi);

	if (!u || !u->registered)
		return -ENOENT;
	user_hold(u);
	binding_end(u, event, now);
	user_release(u, now);
	return 0;
}

int scscf_deregister(struct scscf *s, struct sv impi, uint64_t now)
{
	return deregister(s, impi, REGINFO_DEACTIVATED, now);
}

int scscf_reject(struct scscf *s, struct sv impi, uint64_t now)
{
	return deregister(s, impi, REGINFO_REJECTED, now);
}
