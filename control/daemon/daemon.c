/* The order of things: limits, DPDK, roles, ports, management, loop; and back. */
#include "control/daemon/daemon.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#include "control/daemon/platform.h"
#include "crypto/secret.h"

static bool has_plane(const struct daemon *d)
{
	return d->conf.roles & CONF_PCSCF || d->conf.n_static_sas;
}

static int process_start(struct daemon *d)
{
	umask(077); /* database and socket are nobody else's */
	signal(SIGPIPE, SIG_IGN);
	if (secret_init()) {
		log_line(&d->log, CONF_LOG_ERROR,
			 "no random numbers, or core dumps cannot be turned off");
		return -EIO;
	}
	platform_limits(&d->log);
	return has_plane(d) ? platform_check(&d->conf, &d->log) : 0;
}

static void ready_print(const struct daemon *d)
{
	const struct esp_conf *c = &d->conf;
	char text[2][IP_ADDR_STRLEN];

	fprintf(stderr, "esplanade: ready");
	if (d->pcscf)
		fprintf(stderr, ": P-CSCF on %s%s%s port %u, %u worker%s",
			ip_addr_format(&c->addresses[0], text[0]),
			c->addresses[0].version && c->addresses[1].version ? " and " : "",
			ip_addr_format(&c->addresses[1], text[1]), c->sip_port, c->workers,
			c->workers == 1 ? "" : "s");
	if (c->n_static_sas)
		fprintf(stderr, "%s %u SA%s keyed by hand", d->pcscf ? "," : ":", c->n_static_sas,
			c->n_static_sas == 1 ? "" : "s");
	fprintf(stderr, "; esplanadectl at %s\n", c->socket_path);
}

static int start(struct daemon *d)
{
	bool edge = has_plane(d);
	int err = process_start(d);

	d->started = daemon_now();
	if (!err && edge)
		err = daemon_eal_start(d);
	if (!err)
		err = daemon_roles_start(d);
	if (!err && edge)
		err = daemon_plane_start(d);
	if (!err)
		err = daemon_loop_start(d);
	if (!err)
		err = daemon_tcp_start(d);
	if (!err)
		err = daemon_mgmt_start(d);
	return err;
}

static void loop_close(struct daemon *d)
{
	if (!d->loop_open)
		return;
	daemon_loop_end(d);
	uv_run(&d->loop, UV_RUN_DEFAULT); /* lets the handles close */
	uv_loop_close(&d->loop);
	daemon_tcp_free(d);
}

int daemon_run(struct daemon *d)
{
	int err = start(d);

	if (!err) {
		ready_print(d);
		daemon_loop_run(d);
	}
	loop_close(d);
	daemon_roles_stop(d);
	daemon_statics_stop(d);
	daemon_plane_stop(d);
	return err;
}
