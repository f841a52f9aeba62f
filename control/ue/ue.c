/* Making and freeing a UE; what it tells about itself. */
#include <errno.h>
#include <stdlib.h>

#include "control/base/sbuf.h"
#include "control/ue/ue_internal.h"
#include "crypto/secret.h"

#include <sodium.h>

#define IDENTITY_MAX 255

static void txns_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct ue *u = ctx;
	const struct ue_set *s = ue_set_find(u, flow->set);

	if (!flow->set || (s && !s->closed)) /* else it is gone, and with it who would read it */
		ue_transport_send(u, flow, text);
}

/* The identities go into header fields and quoted strings as they are. */
static bool identity_is_safe(struct sv v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] <= ' ' || strchr("<>\"\\,;", v.p[i]))
			return false;
	return v.n > 0 && v.n <= IDENTITY_MAX;
}

static bool needs_ipsec(const struct ue_conf *c)
{
	return c->security == UE_SECURITY_IPSEC || c->security == UE_SECURITY_EITHER;
}

/* C-32: AKA goes with IPsec, Digest with TLS or alone, never on 3GPP access (DN-02, TL-02). */
static bool pairing_is_good(const struct ue_conf *c)
{
	bool on_3gpp = c->access && strncasecmp(c->access, "3GPP", 4) == 0;

	switch (c->auth) {
	case UE_AUTH_AKA:
		return c->security == UE_SECURITY_IPSEC;
	case UE_AUTH_DIGEST:
		return !needs_ipsec(c) && !on_3gpp && c->password;
	case UE_AUTH_NONE:
		return c->security == UE_SECURITY_NONE;
	case UE_AUTH_EITHER:
		return c->security == UE_SECURITY_EITHER && !on_3gpp && c->password;
	}
	return false;
}

static bool protection_is_good(const struct ue_conf *c)
{
	if (!needs_ipsec(c))
		return true;
	return c->n_choices > 0 && c->n_choices <= UE_MAX_CHOICES && c->port_min > 0 &&
	       c->port_max > c->port_min;
}

static bool access_is_safe(const char *access)
{
	return !access || (access[0] && strlen(access) <= IDENTITY_MAX && !strpbrk(access, "\r\n"));
}

static bool conf_is_good(const struct ue_conf *c)
{
	struct sip_uri uri;

	return pairing_is_good(c) && protection_is_good(c) && access_is_safe(c->access) &&
	       identity_is_safe(sv_of(c->impi)) && identity_is_safe(sv_of(c->impu)) &&
	       identity_is_safe(sv_of(c->realm)) && sip_uri_parse(&uri, sv_of(c->impu)) == 0 &&
	       c->expires > 0 && c->await_auth > 0 && c->local.addr.version != 0 &&
	       c->local.addr.version == c->pcscf.addr.version;
}

static const char *access_of(const struct ue_conf *c)
{
	if (c->access)
		return c->access;
	return c->auth == UE_AUTH_AKA ? "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010019B01"
				      : "IEEE-802.11;i-wlan-node-id=000000000000";
}

/* "impi\0impu\0sip:realm\0access\0" in one block */
static int strings_copy(struct ue *u, const struct ue_conf *c)
{
	size_t impi = strlen(c->impi) + 1, impu = strlen(c->impu) + 1, realm = strlen(c->realm) + 1;
	const char *access = access_of(c), *at;
	struct sip_uri uri;

	u->strings = malloc(impi + impu + 4 + realm + strlen(access) + 1);
	if (!u->strings)
		return -ENOMEM;
	memcpy(u->strings, c->impi, impi);
	memcpy(u->strings + impi, c->impu, impu);
	memcpy(u->strings + impi + impu, "sip:", 4);
	memcpy(u->strings + impi + impu + 4, c->realm, realm);
	u->access = memcpy(u->strings + impi + impu + 4 + realm, access, strlen(access) + 1);
	u->impi = (struct sv){u->strings, impi - 1};
	u->impu = (struct sv){u->strings + impi, impu - 1};
	u->home = (struct sv){u->strings + impi + impu, 4 + realm - 1};
	u->realm = (struct sv){u->home.p + 4, realm - 1};
	at = memchr(u->impi.p, '@', u->impi.n);
	u->user = (struct sv){u->impi.p, at ? (size_t)(at - u->impi.p) : u->impi.n};
	if (sip_uri_parse(&uri, u->impu) == 0 && uri.user.n > 0)
		u->user = uri.user;
	return 0;
}

/* As they are, and then all of them in UDP-encapsulated tunnel mode. */
static void choices_copy(struct ue *u, const struct ue_conf *c)
{
	memcpy(u->choices, c->choices, c->n_choices * sizeof(c->choices[0]));
	u->n_choices = u->n_plain = (uint8_t)c->n_choices;
	if (!c->udp_enc_tun)
		return;
	for (unsigned i = 0; i < c->n_choices; i++) {
		u->choices[u->n_choices] = c->choices[i];
		u->choices[u->n_choices++].mode = SA_MODE_UDP_ENC_TUN;
	}
}

/* RFC 5626 4.1: the same after each start, other than all others. A UUID of RFC 9562 5.8. */
static void instance_make(struct ue *u)
{
	uint8_t h[16];

	crypto_generichash(h, sizeof(h), (const unsigned char *)u->impi.p, u->impi.n, NULL, 0);
	h[6] = (uint8_t)((h[6] & 0x0f) | 0x80);
	h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
	snprintf(u->instance, sizeof(u->instance),
		 "urn:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12],
		 h[13], h[14], h[15]);
}

static void values_copy(struct ue *u, const struct ue_conf *c)
{
	u->key = c->key;
	u->tls_port = c->tls_port ? c->tls_port : 5061;
	instance_make(u);
	u->local = c->local;
	u->pcscf = c->pcscf;
	u->behind = c->behind;
	u->port_min = c->port_min;
	u->port_max = c->port_max;
	choices_copy(u, c);
	u->protect_or_abort = c->protect_or_abort;
	u->transport = c->transport;
	u->spi_ten_digits = c->spi_ten_digits;
	u->unanswered_max = c->unanswered_max == 0    ? 3
			    : c->unanswered_max > 100 ? 100
						      : (uint8_t)c->unanswered_max;
	u->expires = c->expires;
	u->await_auth = c->await_auth;
	u->guard = c->guard;
	u->patience = c->patience;
	u->udp_enc_port = c->udp_enc_port ? c->udp_enc_port : 4500;
	u->heartbeat = c->heartbeat ? c->heartbeat : 20;
	u->reg_event = c->reg_event;
	u->changeover = c->changeover ? c->changeover : 240;
	sip_token(u->call_id, sizeof(u->call_id));
	sip_token(u->tag, sizeof(u->tag));
}

static int parts_alloc(struct ue *u, const struct ue_conf *c, const struct ue_env *env,
		       struct timers *timers)
{
	const struct sip_txns_env txns_env = {.ctx = u, .send = txns_send};
	int rc = strings_copy(u, c);

	if (rc == 0 && (c->auth == UE_AUTH_DIGEST || c->auth == UE_AUTH_EITHER))
		rc = ue_digest_init(&u->digest, c);
	if (rc < 0)
		return rc;
	u->either = c->auth == UE_AUTH_EITHER;
	u->auth = u->either ? UE_AUTH_AKA : c->auth;
	u->security = u->either ? UE_SECURITY_IPSEC : c->security;
	u->env = *env;
	u->timers = timers;
	u->sqn = c->sqn;
	if (!u->sqn) {
		u->sqn = u->own_sqn = calloc(1, sizeof(*u->own_sqn));
		if (!u->sqn)
			return -ENOMEM;
	}
	return sip_txns_alloc(&u->txns, timers, SIP_TIMERS_ACCESS, &txns_env);
}

int ue_alloc(struct ue **up, const struct ue_conf *conf, const struct ue_env *env,
	     struct timers *timers)
{
	struct ue *u;
	int rc;

	if (!conf_is_good(conf))
		return -EINVAL;
	if (conf->security != UE_SECURITY_IPSEC && conf->security != UE_SECURITY_NONE &&
	    !(env->stream_send && env->hang_up))
		return -EINVAL;
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	rc = parts_alloc(u, conf, env, timers);
	if (rc < 0) {
		ue_free(u);
		return rc;
	}
	values_copy(u, conf);
	secret_random(u->pass_key, sizeof(u->pass_key));
	*up = u;
	return 0;
}

void ue_free(struct ue *u)
{
	if (!u)
		return;
	if (u->timers) {
		ue_run_abandon(u);
		ue_call_drop(u);
		ue_set_remove_all(u);
		ue_subscription_end(u);
		timer_stop(u->timers, &u->refresh);
		timer_stop(u->timers, &u->lifetime);
		timer_stop(u->timers, &u->beat);
		timer_stop(u->timers, &u->gone);
	}
	if (u->txns)
		sip_txns_free(u->txns);
	while (u->requests)
		ue_request_free(u->requests);
	while (u->served)
		ue_served_free(u->served);
	ue_digest_clear(&u->digest);
	free(u->own_sqn);
	free(u->service_route);
	free(u->strings);
	secret_wipe(u, sizeof(*u));
	free(u);
}

int ue_register(struct ue *u, uint64_t now)
{
	if (u->run.step != UE_STEP_NONE)
		return -EBUSY;
	u->restarts = 0;
	return ue_run_start(u, false, now);
}

int ue_deregister(struct ue *u, uint64_t now)
{
	if (!u->registered)
		return -ENOTCONN;
	if (u->run.step != UE_STEP_NONE && u->run.deregister)
		return -EBUSY;
	return ue_run_start(u, true, now);
}

bool ue_registered(const struct ue *u)
{
	return u->registered;
}

unsigned ue_sets(const struct ue *u)
{
	unsigned n = 0;

	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		n += u->sets[i].state != UE_SET_FREE;
	return n;
}

unsigned ue_transactions(const struct ue *u)
{
	return sip_txns_count(u->txns);
}

uint64_t ue_retransmissions(const struct ue *u)
{
	return sip_txns_retransmissions(u->txns);
}

const struct sa_set *ue_current_set(const struct ue *u)
{
	for (unsigned i = 0; i < UE_MAX_SETS; i++)
		if (u->sets[i].state == UE_SET_CURRENT && !u->sets[i].tls)
			return &u->sets[i].sa;
	return NULL;
}

uint64_t ue_register_ms(const struct ue *u)
{
	return u->register_ms;
}

uint64_t ue_drops(const struct ue *u, enum ue_drop reason)
{
	return reason < UE_DROP_COUNT ? u->drops[reason] : 0;
}
