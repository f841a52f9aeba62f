/*
 * SAs keyed by hand (static_sas). Inbound ones come first: their SPIs name their places in the SA
 * table, which outbound ones and those of registrations must not have taken by then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/daemon/daemon.h"
#include "crypto/secret.h"

static const char *direction_name(const struct conf_sa *sa)
{
	return sa->direction == CONF_IN ? "in" : "out";
}

static void set_fill(const struct esp_conf *c, const struct conf_sa *sa, struct sa_set *set)
{
	enum sa_pair pair = set->spi_in[SA_CLIENT] ? SA_CLIENT : SA_SERVER;

	if (sa->direction == CONF_OUT)
		set->spi_out[pair] = sa->spi;
	set->local = c->addresses[sa->remote.version == 6];
	set->remote = sa->remote;
	set->local_port[pair] = (uint16_t)sa->local_port;
	set->remote_port[pair] = (uint16_t)sa->remote_port;
	set->integ = sa->algorithm.integ;
	set->encr = sa->algorithm.encr;
	set->mode = SA_MODE_TRANSPORT;
	set->no_anti_replay = !sa->anti_replay;
	set->keys = sa->keys;
}

static int static_install(struct daemon *d, unsigned i)
{
	struct conf_sa *sa = &d->conf.static_sas[i];
	struct sa_set *set = &d->statics[i];
	int err = dp_sa_reserve_manual(d->dp, sa->direction == CONF_IN ? sa->spi : 0, set);

	if (!err) {
		set_fill(&d->conf, sa, set);
		err = dp_sa_install(d->dp, set);
	}
	secret_wipe(&set->keys, sizeof(set->keys));
	secret_wipe(&sa->keys, sizeof(sa->keys));
	if (err)
		log_line(&d->log, CONF_LOG_ERROR, "static_sas in line %u (%s, SPI 0x%x): %s",
			 sa->line, direction_name(sa), sa->spi, strerror(-err));
	else if (!sa->anti_replay)
		log_line(&d->log, CONF_LOG_WARNING,
			 "static_sas in line %u (%s, SPI 0x%x): no anti-replay service: %s",
			 sa->line, direction_name(sa), sa->spi,
			 sa->direction == CONF_IN ? "what was recorded can be sent again"
						  : "its sequence numbers come round");
	return err;
}

static int direction_install(struct daemon *d, enum conf_direction direction)
{
	int err = 0;

	for (unsigned i = 0; !err && i < d->conf.n_static_sas; i++)
		if (d->conf.static_sas[i].direction == direction)
			err = static_install(d, i);
	return err;
}

int daemon_statics_start(struct daemon *d)
{
	int err;

	d->statics = calloc(d->conf.n_static_sas, sizeof(*d->statics));
	if (!d->statics)
		return -ENOMEM;
	err = direction_install(d, CONF_IN);
	return err ? err : direction_install(d, CONF_OUT);
}

void daemon_statics_stop(struct daemon *d)
{
	for (unsigned i = 0; d->statics && i < d->conf.n_static_sas; i++)
		dp_sa_remove(d->dp, d->statics[i].id);
	free(d->statics);
	d->statics = NULL;
}

bool daemon_statics_exhausted(struct daemon *d, const struct dp_event *ev)
{
	for (unsigned i = 0; d->statics && i < d->conf.n_static_sas; i++) {
		const struct conf_sa *sa = &d->conf.static_sas[i];

		if (d->statics[i].id != ev->set)
			continue;
		log_line(&d->log, CONF_LOG_WARNING,
			 "static_sas in line %u (%s, SPI 0x%x): sequence numbers %s", sa->line,
			 direction_name(sa), sa->spi,
			 ev->type == DP_EVENT_SN_END ? "used up: it sends no more"
						     : "near their end");
		return true;
	}
	return false;
}
