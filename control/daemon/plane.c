/* The data plane, and the P-CSCF's way to it. */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "control/daemon/daemon.h"

#define BURST	   32
#define BURSTS_MAX 16 /* per turn of the loop: then timers and management have their turn */

static bool is_pci_address(const char *port)
{
	return port && isxdigit((unsigned char)port[0]) && strchr(port, ':') && strchr(port, '.');
}

int daemon_eal_start(struct daemon *d)
{
	const struct esp_conf *c = &d->conf;
	struct dp_eal_config conf = {.name = "esplanade",
				     .huge_pages = c->huge_pages,
				     .memory_mb = c->memory_mb,
				     .cores = c->cores,
				     .workers = (uint16_t)c->workers,
				     .pci_allow = c->pci_allow};
	int err;

	if (!conf.pci_allow && is_pci_address(c->ue_port))
		conf.pci_allow = c->ue_port;
	err = dp_eal_init(&conf);
	if (err)
		log_line(&d->log, CONF_LOG_ERROR, "DPDK: %s", strerror(-err));
	d->eal = err == 0;
	return err;
}

static void local_prefixes(const struct esp_conf *c, struct dp_config *conf)
{
	for (unsigned i = 0; i < 2; i++)
		if (c->addresses[i].version)
			conf->local[conf->n_local++] = (struct ip_prefix){
				c->addresses[i], c->addresses[i].version == 4 ? 32 : 128};
}

int daemon_plane_start(struct daemon *d)
{
	const struct esp_conf *c = &d->conf;
	struct dp_config conf = {.ue_port = c->ue_port,
				 .host_port = c->host_port,
				 .gateway = {c->gateways[0], c->gateways[1]},
				 /* without a P-CSCF it is a port like any other */
				 .sip_port = d->pcscf ? (uint16_t)c->sip_port : 0,
				 .workers = (uint16_t)c->workers,
				 .udp_enc_port = d->pcscf && c->udp_enc_tun ? CONF_UDP_ENC_PORT : 0,
				 .sa_sets = c->sa_sets,
				 .spi_min = c->spi_min,
				 .spi_max = c->spi_max,
				 .replay_window = (uint16_t)c->replay_window,
				 .mtu = (uint16_t)c->mtu,
				 .idle_sleep_us = c->idle_sleep_us,
				 .buffers = c->buffers};
	int err;

	local_prefixes(c, &conf);
	conf_protected_ports(c, &conf.protected_min, &conf.protected_max);
	err = dp_prepare(&d->dp, &conf);
	if (!err && c->n_static_sas)
		err = daemon_statics_start(d);
	if (!err)
		err = dp_start(d->dp);
	if (err)
		log_line(&d->log, CONF_LOG_ERROR, "data plane (%s, %s): %s%s", c->ue_port,
			 c->host_port ? c->host_port : "no host port", strerror(-err),
			 err == -ENOMEM ? " (dataplane.memory_mb, buffers, sa_sets)" : "");
	return err;
}

void daemon_plane_stop(struct daemon *d)
{
	if (d->dp)
		dp_free(d->dp);
	if (d->eal)
		dp_eal_cleanup();
}

/* ---- P-CSCF to data plane ----------------------------------------------------------------- */

static void env_send(void *ctx, const struct sip_flow *flow, struct sv text)
{
	struct daemon *d = ctx;
	struct dp_out out = {flow->set, flow->pair, flow->local, flow->remote};
	struct iovec iov = {(void *)(uintptr_t)text.p, text.n};
	int err = flow->transport == SIP_TRANSPORT_UDP ? dp_send(d->dp, &out, &iov, 1)
						       : -EPROTONOSUPPORT;

	if (err) {
		char to[IP_ENDPOINT_STRLEN];

		d->send_errors++;
		log_line(&d->log, CONF_LOG_DEBUG, "not sent to %s: %s",
			 ip_endpoint_format(&flow->remote, to), strerror(-err));
	}
}

static int env_sa_reserve(void *ctx, const uint32_t *avoid, unsigned n, struct sa_set *set)
{
	struct daemon *d = ctx;
	int err = dp_sa_reserve(d->dp, avoid, n, set);

	if (err == -ENOSPC)
		log_line(&d->log, CONF_LOG_WARNING, "all SA sets are in use (dataplane.sa_sets)");
	return err;
}

static int env_sa_install(void *ctx, const struct sa_set *set)
{
	struct daemon *d = ctx;
	int err = dp_sa_install(d->dp, set);

	if (err)
		log_line(&d->log, CONF_LOG_WARNING, "SA set not installed: %s", strerror(-err));
	if (!err && d->stream && stream_protect(d->stream, set) < 0)
		log_line(&d->log, CONF_LOG_WARNING, "SA set %u: no TCP", set->id);
	return err;
}

static void env_sa_remove(void *ctx, sa_set_id id)
{
	struct daemon *d = ctx;

	if (d->stream)
		stream_unprotect(d->stream, id);
	dp_sa_remove(d->dp, id);
}

struct pcscf_env daemon_pcscf_env(struct daemon *d)
{
	return (struct pcscf_env){d,
				  env_send,
				  env_sa_reserve,
				  env_sa_install,
				  env_sa_remove,
				  daemon_resolve,
				  daemon_tcp_send,
				  daemon_tcp_hang_up};
}

/* ---- data plane to P-CSCF ----------------------------------------------------------------- */

static void packet_input(struct daemon *d, const struct dp_packet *p, uint64_t now)
{
	struct sip_flow flow = {.transport = SIP_TRANSPORT_UDP,
				.local = p->local,
				.remote = p->remote,
				.set = p->set,
				.pair = p->pair};

	if (!d->pcscf)
		return;
	pcscf_input(d->pcscf, &flow, (struct sv){p->data, p->len}, now);
	mw_run(d->mw, now);
}

static void event_take(struct daemon *d, const struct dp_event *ev, uint64_t now)
{
	char peer[IP_ENDPOINT_STRLEN];

	if (ev->type == DP_EVENT_PEER_MOVED) {
		log_line(&d->log, CONF_LOG_DEBUG, "SA set %u: its UE is at %s", ev->set,
			 ip_endpoint_format(&ev->peer, peer));
		pcscf_ue_moved(d->pcscf, ev->set, &ev->peer, &ev->inner_remote);
		return;
	}
	log_line(&d->log, CONF_LOG_INFO, "SA set %u: sequence numbers %s", ev->set,
		 ev->type == DP_EVENT_SN_END ? "used up" : "near their end");
	pcscf_sa_exhausted(d->pcscf, ev->set, now);
}

static void events_take(struct daemon *d, uint64_t now)
{
	struct dp_event ev[BURST];
	unsigned n;

	do {
		n = dp_events(d->dp, ev, BURST);
		for (unsigned i = 0; i < n; i++)
			if (!daemon_statics_exhausted(d, &ev[i]))
				event_take(d, &ev[i], now);
	} while (n == BURST);
	mw_run(d->mw, now);
}

bool daemon_plane_take(struct daemon *d)
{
	struct dp_packet pkts[BURST];
	unsigned n = BURST;

	for (unsigned bursts = 0; n == BURST && bursts < BURSTS_MAX; bursts++) {
		uint64_t now = daemon_now();

		n = dp_recv(d->dp, pkts, BURST);
		for (unsigned i = 0; i < n; i++)
			packet_input(d, &pkts[i], now);
		dp_release(d->dp, pkts, n);
	}
	events_take(d, daemon_now());
	return n == BURST;
}
