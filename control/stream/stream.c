/* The whole: making, ending, figures. */
#include "control/stream/stream.h"

#include <errno.h>
#include <stdlib.h>

#include "control/stream/inside.h"

uint64_t stream_now(void)
{
	return uv_hrtime() / 1000000;
}

static bool conf_ok(const struct stream_conf *c)
{
	return c->head_max && c->message_max && c->clear_max && c->queue_max && c->connect_ms &&
	       c->message_ms && c->stall_ms && c->idle_ms && c->clear_idle_ms &&
	       (!c->upgrade || c->tls) &&
	       (!c->opens_clear || (c->port_min && c->port_min <= c->port_max));
}

int stream_alloc(struct stream **sp, uv_loop_t *loop, struct timers *timers,
		 const struct stream_conf *conf, const struct stream_env *env)
{
	struct stream *s;

	if (!conf_ok(conf))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->loop = loop;
	s->timers = timers;
	s->conf = *conf;
	s->env = *env;
	*sp = s;
	return 0;
}

void stream_close(struct stream *s)
{
	struct stream_conn *c, *next;
	struct stream_set *set, *next_set;
	struct stream_listener *l, *next_l;

	if (!s || s->closing)
		return;
	s->closing = true;
	DL_FOREACH_SAFE(s->conns, c, next)
	{
		c->mute = true;
		stream_conn_close(c, STREAM_END_RESET);
	}
	HASH_ITER(by_id, s->sets, set, next_set)
	stream_unprotect(s, set->id);
	DL_FOREACH_SAFE(s->listeners, l, next_l)
	stream_listener_close(l);
}

void stream_free(struct stream *s)
{
	free(s);
}

const struct stream_counters *stream_counters(const struct stream *s)
{
	return &s->counters;
}

/*
 * A connection that stands between the same two ends can be another one than the flow's: with
 * another session, or through TLS where the flow is in clear (behind a NAT: another UE's).
 */
static bool is_of_flow(const struct stream_conn *c, const struct sip_flow *flow)
{
	return flow->session ? flow->session == c->flow.session
			     : flow->transport == c->flow.transport;
}

/* Is a connection for this flow ours to open? */
static bool may_open(const struct stream *s, const struct sip_flow *flow)
{
	if (flow->set)
		return flow->pair == SA_CLIENT;
	return s->conf.opens_clear && !flow->session &&
	       (flow->transport != SIP_TRANSPORT_TLS || s->conf.tls);
}

int stream_send(struct stream *s, const struct sip_flow *flow, struct sv text)
{
	const struct stream_sa *sa = flow->set ? stream_sa_of_flow(s, flow) : NULL;
	struct stream_key key = {flow->local, flow->remote};
	struct stream_conn *c;
	int rc;

	if (s->closing || (flow->set && !sa))
		return -ENOTCONN;
	c = stream_conn_find(s, sa ? &sa->key : &key);
	if (c && !is_of_flow(c, flow))
		return -ENOTCONN;
	rc = c ? stream_io_send(c, text) : -ENOTCONN;
	if (rc != -ENOTCONN || !may_open(s, flow))
		return rc;
	rc = stream_open(s, flow, &c);
	return rc < 0 ? rc : stream_io_send(c, text);
}

bool stream_session_name(const struct stream *s, const struct sip_flow *flow, char *name)
{
	struct stream_key key = {flow->local, flow->remote};
	struct stream_conn *c = s ? stream_conn_find((struct stream *)s, &key) : NULL;

	return c && flow->session && c->flow.session == flow->session && c->filter->name &&
	       c->filter->name(c->filter_state, name);
}

void stream_hang_up(struct stream *s, const struct sip_flow *flow)
{
	const struct stream_sa *sa = flow->set ? stream_sa_of_flow(s, flow) : NULL;
	struct stream_key key = {flow->local, flow->remote};
	struct stream_conn *c = stream_conn_find(s, sa ? &sa->key : &key);

	if (c && is_of_flow(c, flow))
		stream_conn_close(c, c->we_opened ? STREAM_END_RESET : STREAM_END_CLOSE);
}
