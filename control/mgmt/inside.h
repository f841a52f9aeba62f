/* Inside of mgmt/: what its files know of each other. */
#pragma once

#include <microhttpd.h>

#include "control/mgmt/mgmt.h"

struct mgmt {
	struct mgmt_conf conf;
	char *socket_path;
	struct MHD_Daemon *http;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles;
};

/* socket.c */
int mgmt_listen(const char *path); /* file descriptor or negative errno */

/* route.c: fills r; body may be NULL */
void mgmt_dispatch(const struct mgmt *m, const char *method, const char *path,
		   struct mgmt_request *q, struct mgmt_reply *r);

/* http.c */
enum MHD_Result mgmt_http(void *arg, struct MHD_Connection *connection, const char *path,
			  const char *method, const char *version, const char *data, size_t *n,
			  void **exchange);
void mgmt_http_done(void *arg, struct MHD_Connection *connection, void **exchange,
		    enum MHD_RequestTerminationCode code);
