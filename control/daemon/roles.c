/* The roles of the configuration: made, joined, ended. */
#include <errno.h>
#include <string.h>

#include "control/daemon/daemon.h"

static int failed(struct daemon *d, const char *what, int err)
{
	if (err)
		log_line(&d->log, CONF_LOG_ERROR, "%s: %s", what, strerror(-err));
	return err;
}

static void digest_fill(struct hss_digest_conf *to, const struct esp_conf *c)
{
	static const enum digest_algorithm algorithms[CONF_MAX_DIGESTS] = {
		[CONF_SHA256] = DIGEST_SHA256,
		[CONF_SHA256_SESS] = DIGEST_SHA256_SESS,
		[CONF_MD5] = DIGEST_MD5,
		[CONF_MD5_SESS] = DIGEST_MD5_SESS,
	};

	*to = (struct hss_digest_conf){.realm = c->digest_realm,
				       .domain = c->digest_domain,
				       .variant = c->digest_variant == CONF_VARIANT_HSS
							  ? HSS_VARIANT_HSS
							  : HSS_VARIANT_SCSCF,
				       .hss_realms = (const char *const *)c->digest_hss_realms,
				       .n_hss_realms = c->n_digest_hss_realms,
				       .n_algorithms = c->n_digest_algorithms,
				       .without_qop = c->digest_without_qop,
				       .before_aka = c->digest_before_aka,
				       .nonce_wait = c->reg_await_auth,
				       .nonce_lifetime = c->digest_nonce_lifetime};
	for (unsigned i = 0; i < c->n_digest_algorithms; i++)
		to->algorithms[i] = algorithms[c->digest_algorithms[i]];
}

static int hss_start(struct daemon *d)
{
	struct hss_conf conf = {.path = d->conf.hss_path,
				.sqn_block = d->conf.sqn_block,
				.synchronous_full = d->conf.synchronous};

	digest_fill(&conf.digest, &d->conf);
	return failed(d, conf.path, hss_alloc(&d->hss, &conf));
}

static int icscf_start(struct daemon *d)
{
	struct icscf_conf conf = {.host = d->conf.icscf_host, .scscf_host = d->conf.scscf_host};

	return failed(d, "I-CSCF", icscf_alloc(&d->icscf, &conf, d->mw, hss_cx(d->hss)));
}

static int scscf_start(struct daemon *d)
{
	struct scscf_conf conf = {.host = d->conf.scscf_host,
				  .icscf_host = d->conf.icscf_host,
				  .realm = d->conf.realm,
				  .expires_default = d->conf.expires_default,
				  .expires_min = d->conf.expires_min,
				  .expires_max = d->conf.expires_max,
				  .await_auth = d->conf.reg_await_auth,
				  .vectors = d->conf.vectors,
				  .challenge_protected = d->conf.challenge_protected,
				  .trust_ip = d->conf.digest_trust_ip,
				  .tls_required = d->conf.digest_tls_required,
				  .nonce_lifetime = d->conf.digest_nonce_lifetime,
				  .reauth_expires = d->conf.reauth_expires,
				  .reauth_repeats = d->conf.reauth_repeats};

	return failed(d, "S-CSCF", scscf_alloc(&d->scscf, &conf, d->timers, d->mw, hss_cx(d->hss)));
}

/* Each mechanism where it stands in the preference; how many choices that makes. */
static unsigned choices_fill(struct agree_choice *to, const struct conf_mechanisms *m,
			     const struct conf_algorithm *from, unsigned n)
{
	unsigned count = 0;

	for (unsigned i = 0; i < m->n; i++) {
		if (m->list[i] == CONF_MECHANISM_TLS)
			to[count++] = (struct agree_choice){.type = AGREE_TLS};
		for (unsigned k = 0; m->list[i] == CONF_MECHANISM_IPSEC && k < n; k++)
			to[count++] = (struct agree_choice){from[k].integ, from[k].encr,
							    SA_MODE_TRANSPORT};
	}
	return count;
}

static void policy_fill(struct pcscf_policy *p, const struct conf_network *n)
{
	*p = (struct pcscf_policy){
		.source = n->source,
		.type = n->type[0] ? n->type : NULL,
		.digest = conf_mechanism_stands(&n->mechanisms, CONF_MECHANISM_DIGEST),
		.ipsec_required = n->policy == CONF_IPSEC_REQUIRED,
		.spi_ten_digits = n->spi_ten_digits};
	p->n_choices = choices_fill(p->choices, &n->mechanisms, n->algorithms, n->n_algorithms);
}

static int pcscf_start(struct daemon *d)
{
	const struct esp_conf *c = &d->conf;
	struct pcscf_policy policies[CONF_MAX_NETWORKS];
	struct sip_txn_timers timers = {c->t1_ms, c->t2_ms, c->t4_ms};
	struct pcscf_env env = daemon_pcscf_env(d);
	struct pcscf_conf conf = {
		.host = c->pcscf_host,
		.icscf_host = c->icscf_host,
		.visited_network = c->visited_network,
		.ecscf_host = c->ecscf_host,
		.clear_emergency = c->clear_accept == CONF_CLEAR_EMERGENCY,
		.max_emergency = c->max_emergency,
		.port_ps = (uint16_t)c->port_ps,
		.port_pc_min = (uint16_t)c->port_pc_min,
		.port_pc_max = (uint16_t)c->port_pc_max,
		.digest = conf_mechanism_stands(&c->mechanisms, CONF_MECHANISM_DIGEST),
		.tls_indicator = (enum pcscf_tls_indicator)c->tls_indicator,
		.ipsec_required = c->ipsec_policy == CONF_IPSEC_REQUIRED,
		.spi_ten_digits = c->spi_ten_digits,
		.policies = policies,
		.n_policies = c->n_networks,
		.await_auth = c->reg_await_auth,
		.guard = c->sa_guard,
		.linger = c->sa_linger,
		.reg_event = c->reg_event,
		.changeover = c->sa_changeover,
		.max_pending = c->max_pending,
		.access_timers = &timers,
		.udp_enc_port = c->udp_enc_tun ? CONF_UDP_ENC_PORT : 0,
		.alias = {c->aliases[0], c->aliases[1]}};

	for (unsigned i = 0; i < 2; i++)
		conf.access[i] = (struct ip_endpoint){c->addresses[i], (uint16_t)c->sip_port};
	conf.n_choices = choices_fill(conf.choices, &c->mechanisms, c->algorithms, c->n_algorithms);
	for (unsigned i = 0; i < c->n_networks; i++)
		policy_fill(&policies[i], &c->networks[i]);
	return failed(d, "P-CSCF", pcscf_alloc(&d->pcscf, &conf, &env, d->timers, d->mw));
}

int daemon_roles_start(struct daemon *d)
{
	unsigned roles = d->conf.roles;
	int err = failed(d, "timers", timers_alloc(&d->timers));

	if (!err)
		err = failed(d, "Mw", mw_alloc(&d->mw));
	if (!err && (roles & CONF_HSS))
		err = hss_start(d);
	if (!err && (roles & CONF_ICSCF))
		err = icscf_start(d);
	if (!err && (roles & CONF_SCSCF))
		err = scscf_start(d);
	if (!err && (roles & CONF_PCSCF))
		err = pcscf_start(d);
	return err;
}

void daemon_roles_stop(struct daemon *d)
{
	pcscf_free(d->pcscf); /* removes its SAs: before the data plane */
	scscf_free(d->scscf);
	icscf_free(d->icscf);
	hss_free(d->hss);
	mw_free(d->mw);
	timers_free(d->timers);
}

/* The P-CSCF hears of it by its own subscription; what that does not reach is told. */
int daemon_deregister(struct daemon *d, const char *impi, bool reject)
{
	uint64_t now = daemon_now();
	struct sv name = sv_of(impi);
	int home = -ENOENT, edge = -ENOENT;

	if (d->scscf)
		home = reject ? scscf_reject(d->scscf, name, now)
			      : scscf_deregister(d->scscf, name, now);
	mw_run(d->mw, now);
	if (d->pcscf && (home || pcscf_has_registered(d->pcscf, name)))
		edge = pcscf_deregister(d->pcscf, name, now);
	if (home && edge)
		return home != -ENOENT ? home : edge;
	log_line(&d->log, CONF_LOG_INFO, "%s %s", reject ? "rejected" : "deregistered", impi);
	return 0;
}

int daemon_reauthenticate(struct daemon *d, const char *impi, uint32_t expires)
{
	uint64_t now = daemon_now();
	int err = d->scscf ? scscf_reauthenticate(d->scscf, sv_of(impi), expires, now) : -ENOTSUP;

	mw_run(d->mw, now);
	if (!err)
		log_line(&d->log, CONF_LOG_INFO, "%s shall authenticate again", impi);
	return err;
}
