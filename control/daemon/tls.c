/* TLS towards the UEs: its certificate, read at the start and again on SIGHUP. */
#include <sys/resource.h>

#include "control/daemon/daemon.h"

static void trouble(void *arg, const struct sip_flow *flow, const char *why)
{
	struct daemon *d = arg;
	char from[IP_ENDPOINT_STRLEN];

	log_line(&d->log, CONF_LOG_DEBUG, "TLS with %s: %s",
		 ip_endpoint_format(&flow->remote, from), why);
}

/* Each takes a file descriptor; the limit has been raised as far as it goes (platform.c). */
static void descriptors_check(struct daemon *d)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < d->conf.tls_connections)
		log_line(&d->log, CONF_LOG_WARNING,
			 "limits.tls_connections (%u) needs a higher limit of open files than %llu",
			 d->conf.tls_connections, (unsigned long long)l.rlim_cur);
}

int daemon_tls_start(struct daemon *d)
{
	const struct esp_conf *c = &d->conf;
	const struct tls_server_conf conf = {.certificate = c->tls_certificate,
					     .key = c->tls_key,
					     .suites = c->tls_suites,
					     .session_seconds = c->tls_session_lifetime,
					     .legacy = c->legacy_tls10,
					     .null_suites = c->tls_null_suites,
					     .trouble = trouble,
					     .arg = d};
	char why[TLS_WHY];
	int err;

	if (!c->tls_enabled)
		return 0;
	err = tls_server_alloc(&d->tls, &conf, why);
	if (err)
		log_line(&d->log, CONF_LOG_ERROR, "TLS: %s", why);
	descriptors_check(d);
	if (c->legacy_tls10)
		log_line(&d->log, CONF_LOG_WARNING,
			 "legacy.tls10: old versions of TLS and suites without forward secrecy "
			 "are taken");
	if (c->tls_null_suites)
		log_line(&d->log, CONF_LOG_WARNING,
			 "tls.null_suites: connections without encryption are taken");
	if (c->tls_session_lifetime && c->tls_session_lifetime < c->expires_default)
		log_line(&d->log, CONF_LOG_WARNING,
			 "tls.session_lifetime (%u s) is shorter than registrar.expires_default "
			 "(%u s)",
			 c->tls_session_lifetime, c->expires_default);
	return err;
}

void daemon_tls_reload(struct daemon *d)
{
	char why[TLS_WHY];

	if (!d->tls)
		return;
	if (tls_server_reload(d->tls, why))
		log_line(&d->log, CONF_LOG_ERROR, "TLS: %s; the old certificate stays", why);
	else
		log_line(&d->log, CONF_LOG_INFO, "TLS: certificate read again");
}

void daemon_tls_free(struct daemon *d)
{
	tls_free(d->tls);
	d->tls = NULL;
}
