/*
 * The event loop. Each turn, before it would sleep: take packets, run timers, pass messages; then
 * arm the data plane's descriptor, or not sleep at all if something is waiting.
 */
#include <string.h>

#include "control/daemon/daemon.h"

#define WATCH_MS 10000

uint64_t daemon_now(void)
{
	return uv_hrtime() / 1000000;
}

static void timer_due(uv_timer_t *t)
{
	(void)t; /* it only ends the sleep */
}

static void idle_turn(uv_idle_t *i)
{
	(void)i; /* it only keeps the loop from sleeping */
}

static void plane_ready(uv_poll_t *p, int status, int events)
{
	(void)status;
	(void)events;
	dp_disarm(((struct daemon *)p->data)->dp);
}

static uint64_t timers_turn(struct daemon *d)
{
	uint64_t now, next;

	do {
		now = daemon_now();
		next = timers_run(d->timers, now);
	} while (mw_run(d->mw, now) > 0); /* which may have started timers */
	return next;
}

static void sleep_until(struct daemon *d, uint64_t next)
{
	uint64_t now = daemon_now();

	uv_update_time(&d->loop);
	if (next == TIMER_NEVER)
		uv_timer_stop(&d->timer);
	else
		uv_timer_start(&d->timer, timer_due, next > now ? next - now : 0, 0);
}

static void before_sleep(uv_prepare_t *p)
{
	struct daemon *d = p->data;
	bool more = d->dp && daemon_plane_take(d);

	sleep_until(d, timers_turn(d));
	if (d->dp && (more || !dp_arm(d->dp)))
		uv_idle_start(&d->idle, idle_turn);
	else
		uv_idle_stop(&d->idle);
}

static void watch_due(uv_timer_t *t)
{
	daemon_watch(t->data);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	struct daemon *d = arg;

	if (handle->data == d && !uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Without handles the loop ends. */
void daemon_loop_end(struct daemon *d)
{
	mgmt_free(d->mgmt);
	d->mgmt = NULL;
	daemon_resolver_end(d);
	daemon_tcp_end(d);
	uv_walk(&d->loop, close_handle, d);
}

static void stop_wanted(uv_signal_t *s, int number)
{
	struct daemon *d = s->data;

	log_line(&d->log, CONF_LOG_INFO, "%s: stopping", strsignal(number));
	daemon_loop_end(d);
}

static void reload_wanted(uv_signal_t *s, int number)
{
	(void)number;
	daemon_tls_reload(s->data);
}

int daemon_loop_start(struct daemon *d)
{
	int err = uv_loop_init(&d->loop);

	if (err)
		return err;
	d->loop_open = true;
	d->prepare.data = d->idle.data = d->poll.data = d->timer.data = d->watch.data =
		d->term.data = d->interrupt.data = d->hang_up.data = d;
	uv_prepare_init(&d->loop, &d->prepare);
	uv_idle_init(&d->loop, &d->idle);
	uv_timer_init(&d->loop, &d->timer);
	uv_timer_init(&d->loop, &d->watch);
	uv_signal_init(&d->loop, &d->term);
	uv_signal_init(&d->loop, &d->interrupt);
	uv_signal_init(&d->loop, &d->hang_up);
	uv_prepare_start(&d->prepare, before_sleep);
	daemon_sample(d);
	uv_timer_start(&d->watch, watch_due, WATCH_MS, WATCH_MS);
	err = uv_signal_start(&d->term, stop_wanted, SIGTERM);
	if (!err)
		err = uv_signal_start(&d->interrupt, stop_wanted, SIGINT);
	if (!err)
		err = uv_signal_start(&d->hang_up, reload_wanted, SIGHUP);
	if (!err && d->dp)
		err = uv_poll_init(&d->loop, &d->poll, dp_fd(d->dp));
	if (!err && d->dp)
		err = uv_poll_start(&d->poll, UV_READABLE, plane_ready);
	return err;
}

void daemon_loop_run(struct daemon *d)
{
	uv_run(&d->loop, UV_RUN_DEFAULT);
}
