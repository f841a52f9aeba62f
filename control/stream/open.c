/* Connections that we open: from port_pc or port_uc, or a UE's in clear. */
#include <errno.h>
#include <sodium.h>

#include "control/stream/inside.h"

#define PORT_TRIES 8

static void opened(uv_connect_t *req, int status)
{
	struct stream_conn *c = req->data;

	c->s->counters.events++;
	if (c->closing)
		return;
	if (status < 0) {
		c->s->counters.open_failed++;
		stream_conn_close(c, STREAM_END_RESET);
		return;
	}
	c->s->counters.opened++;
	c->heard = stream_now();
	stream_conn_start(c);
}

static int socket_open(struct stream_conn *c, const struct ip_endpoint *local)
{
	struct sockaddr_storage to;
	int rc = stream_bind(&c->tcp, local);

	stream_sockaddr(&c->key.remote, &to);
	c->connect.data = c;
	if (rc == 0)
		rc = uv_tcp_connect(&c->connect, &c->tcp, (struct sockaddr *)&to, opened);
	return rc;
}

/*
 * A clear connection's own port is one of conf's, since the stack's choice may be a protected one,
 * which lets nothing out in clear. The tables know it by the flow's.
 */
static struct ip_endpoint local_end(const struct stream_conn *c)
{
	const struct stream_conf *conf = &c->s->conf;
	struct ip_endpoint local = c->key.local;

	if (!c->sa)
		local.port = (uint16_t)(conf->port_min +
					randombytes_uniform(conf->port_max - conf->port_min + 1u));
	return local;
}

static struct stream_conn *conn_of_flow(struct stream *s, const struct sip_flow *flow)
{
	struct stream_conn *c = stream_conn_make(s);

	if (!c)
		return NULL;
	c->we_opened = true;
	c->flow = *flow;
	c->flow.session = 0;
	if (flow->transport == SIP_TRANSPORT_TLS) {
		c->filter = s->conf.tls;
		c->filter_ctx = s->conf.tls_ctx;
	}
	c->sa = flow->set ? stream_sa_of_flow(s, flow) : NULL;
	c->key = c->sa ? c->sa->key : (struct stream_key){flow->local, flow->remote};
	return c;
}

int stream_open(struct stream *s, const struct sip_flow *flow, struct stream_conn **cp)
{
	struct stream_conn *c = NULL;
	int rc = -ENOTCONN;

	if (s->n_protected >= s->conf.max) {
		s->counters.refused++;
		return -EMFILE;
	}
	/* the stack tells only at connect() that a pair of ports is taken */
	for (unsigned tries = 0; tries < PORT_TRIES; tries++) {
		struct ip_endpoint local;

		c = conn_of_flow(s, flow);
		if (!c)
			return -ENOMEM;
		rc = stream_socket(s, &c->tcp, flow->remote.addr.version);
		if (rc < 0) {
			DL_DELETE(s->conns, c);
			free(c);
			return rc;
		}
		local = local_end(c);
		rc = socket_open(c, &local);
		if (rc == 0)
			rc = stream_conn_insert(c);
		if (rc == 0)
			break;
		stream_conn_close(c, STREAM_END_RESET);
		if (c->sa || (rc != -EADDRINUSE && rc != -EADDRNOTAVAIL))
			break;
	}
	if (rc < 0)
		s->counters.open_failed++;
	else
		*cp = c;
	return rc;
}
