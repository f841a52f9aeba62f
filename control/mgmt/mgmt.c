/* libmicrohttpd on the caller's loop: its epoll descriptor is polled, its time-outs are a timer. */
#include "control/mgmt/mgmt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/mgmt/inside.h"

#define CONNECTIONS	  64
#define IDLE_SECONDS	  30
#define CONNECTION_OCTETS (64 * 1024) /* mapped, not from the heap: gone with the connection */

static void turn(struct mgmt *m);

static void timer_due(uv_timer_t *timer)
{
	turn(timer->data);
}

static void poll_ready(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	turn(poll->data);
}

static void turn(struct mgmt *m)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(m->http);
	if (MHD_get_timeout(m->http, &ms) == MHD_YES)
		uv_timer_start(&m->timer, timer_due, ms, 0);
	else
		uv_timer_stop(&m->timer);
}

static int http_start(struct mgmt *m, int fd)
{
	m->http = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, mgmt_http, m,
				   MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				   (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
				   (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				   (size_t)CONNECTION_OCTETS, MHD_OPTION_NOTIFY_COMPLETED,
				   mgmt_http_done, m, MHD_OPTION_END);
	return m->http ? 0 : -EIO;
}

static int loop_join(struct mgmt *m, uv_loop_t *loop)
{
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(m->http, MHD_DAEMON_INFO_EPOLL_FD);
	int err = info ? uv_poll_init(loop, &m->poll, info->epoll_fd) : -EIO;

	if (err)
		return err;
	m->poll.data = m->timer.data = m;
	uv_timer_init(loop, &m->timer);
	m->open_handles = 2;
	return uv_poll_start(&m->poll, UV_READABLE, poll_ready);
}

int mgmt_alloc(struct mgmt **mp, uv_loop_t *loop, const struct mgmt_conf *conf)
{
	struct mgmt *m = calloc(1, sizeof(*m));
	int fd, err;

	if (!m)
		return -ENOMEM;
	m->conf = *conf;
	fd = mgmt_listen(conf->socket_path);
	if (fd < 0) {
		free(m);
		return fd;
	}
	m->socket_path = strdup(conf->socket_path);
	err = m->socket_path ? http_start(m, fd) : -ENOMEM;
	if (err)
		close(fd);
	else
		err = loop_join(m, loop);
	if (err) {
		mgmt_free(m);
		return err;
	}
	turn(m);
	*mp = m;
	return 0;
}

static void memory_free(struct mgmt *m)
{
	free(m->socket_path);
	free(m);
}

static void handle_closed(uv_handle_t *handle)
{
	struct mgmt *m = handle->data;

	if (--m->open_handles == 0)
		memory_free(m);
}

void mgmt_free(struct mgmt *m)
{
	if (!m)
		return;
	if (m->open_handles)
		uv_poll_stop(&m->poll);
	if (m->http)
		MHD_stop_daemon(m->http);
	if (m->socket_path)
		unlink(m->socket_path);
	if (!m->open_handles) {
		memory_free(m);
		return;
	}
	uv_close((uv_handle_t *)&m->poll, handle_closed);
	uv_close((uv_handle_t *)&m->timer, handle_closed);
}
