/* Listeners, and the connections that they accept. */
#include <errno.h>
#include <stdlib.h>

#include "control/stream/inside.h"

#define BACKLOG		1024
#define HALF_OPEN_SHARE 4 /* of all half-open connections those of one address, */
#define HALF_OPEN_LEAST 4 /* but at least so many */
#define V6_SHARE	4 /* of all connections those of one /64 */
#define V6_NETWORK	8 /* octets that one host, or home, has in common */

/* ---- limits per address ------------------------------------------------------------------- */

/* Of IPv6 a host has 64 bits for itself (RFC 4291 2.5.4, RFC 7934). */
static struct ip_addr peer_addr(const struct ip_addr *of)
{
	struct ip_addr a = *of;

	if (a.version == 6)
		memset(a.b + V6_NETWORK, 0, sizeof(a.b) - V6_NETWORK);
	return a;
}

static struct stream_peer *peer_get(struct stream *s, const struct ip_addr *of)
{
	const struct ip_addr masked = peer_addr(of), *addr = &masked;
	struct stream_peer *p;

	HASH_FIND(by_addr, s->peers, addr, sizeof(*addr), p);
	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->addr = *addr;
	HASH_ADD(by_addr, s->peers, addr, sizeof(*addr), p);
	if (p->by_addr.tbl)
		return p;
	free(p);
	return NULL;
}

static void peer_drop(struct stream *s, struct stream_peer *p)
{
	if (p->n_clear || p->n_filtered)
		return;
	HASH_DELETE(by_addr, s->peers, p);
	free(p);
}

static void push_out(struct stream *s, struct stream_conn *c)
{
	s->counters.pushed_out++;
	stream_conn_close(c, STREAM_END_RESET);
}

/* The oldest one of this address. */
static struct stream_conn *half_open_of(const struct stream *s, const struct stream_peer *p)
{
	struct stream_conn *c;

	DL_FOREACH2(s->half_open, c, half_next)
	if (c->peer == p)
		break;
	return c;
}

/*
 * The oldest makes room: who shakes hands in good time is not kept out by those who never do. An
 * address that has its share makes room by itself.
 */
static void half_open_begin(struct stream_conn *c)
{
	struct stream *s = c->s;
	unsigned share = s->conf.half_open / HALF_OPEN_SHARE;

	while (c->peer->n_half_open >= (share < HALF_OPEN_LEAST ? HALF_OPEN_LEAST : share))
		push_out(s, half_open_of(s, c->peer));
	while (s->counters.half_open >= s->conf.half_open && s->half_open)
		push_out(s, s->half_open);
	DL_APPEND2(s->half_open, c, half_prev, half_next);
	c->half_open = true;
	c->peer->n_half_open++;
	s->counters.half_open++;
}

void stream_half_open_end(struct stream_conn *c)
{
	if (!c->half_open)
		return;
	DL_DELETE2(c->s->half_open, c, half_prev, half_next);
	c->half_open = false;
	c->peer->n_half_open--;
	c->s->counters.half_open--;
}

/* One /64 can be a whole network of UEs: a share of all, if that is more. */
static unsigned share_of(const struct stream_peer *p, unsigned per_address, unsigned all)
{
	bool network = p->addr.version == 6 && all / V6_SHARE > per_address;

	return network ? all / V6_SHARE : per_address;
}

bool stream_admit(struct stream_conn *c)
{
	struct stream *s = c->s;
	const struct stream_conf *conf = &s->conf;
	struct stream_peer *p = peer_get(s, &c->key.remote.addr);

	if (!p)
		return false;
	if (c->filter
		    ? s->counters.filtered >= conf->filtered ||
			      p->n_filtered >=
				      share_of(p, conf->filtered_per_address, conf->filtered)
		    : s->n_clear >= conf->clear_accepted ||
			      p->n_clear >= share_of(p, conf->per_address, conf->clear_accepted)) {
		peer_drop(s, p);
		return false;
	}
	c->peer = p;
	if (!c->filter) {
		p->n_clear++;
		s->n_clear++;
		return true;
	}
	p->n_filtered++;
	s->counters.filtered++;
	half_open_begin(c);
	return true;
}

void stream_leave(struct stream_conn *c)
{
	struct stream *s = c->s;
	struct stream_peer *p = c->peer;

	stream_half_open_end(c);
	if (!p)
		return;
	c->peer = NULL;
	if (c->filter) {
		p->n_filtered--;
		s->counters.filtered--;
	} else {
		p->n_clear--;
		s->n_clear--;
	}
	peer_drop(s, p);
}

int stream_upgrade(struct stream_conn *c)
{
	struct stream *s = c->s;

	stream_leave(c);
	c->filter = s->conf.tls;
	c->filter_ctx = s->conf.tls_ctx;
	c->ready = c->heard_message = false;
	c->opened_at = stream_now();
	stream_framer_free(&c->framer);
	stream_framer_init(&c->framer, s->conf.head_max, s->conf.message_max);
	if (!stream_admit(c))
		return -EMFILE;
	return c->filter->open(c->filter_ctx, c, false, &c->filter_state);
}

/* ---- accepting ---------------------------------------------------------------------------- */

static int ends_read(struct stream_conn *c)
{
	struct sockaddr_storage addr;
	int n = sizeof(addr), rc;

	rc = uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&addr, &n);
	if (rc == 0)
		rc = stream_endpoint(&addr, &c->key.local);
	n = sizeof(addr);
	if (rc == 0)
		rc = uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&addr, &n);
	if (rc == 0)
		rc = stream_endpoint(&addr, &c->key.remote);
	return rc;
}

/* Under an SA set each connection has its ports; in clear anybody can open any number. */
static bool admitted(struct stream_conn *c)
{
	struct stream *s = c->s;

	if (c->sa)
		return s->n_protected < s->conf.max;
	return stream_admit(c);
}

static int conn_accept(struct stream_listener *l, struct stream_conn *c)
{
	struct stream *s = l->s;
	struct stream_conn *before;
	int rc = uv_accept((uv_stream_t *)&l->tcp, (uv_stream_t *)&c->tcp);

	if (rc == 0)
		rc = ends_read(c);
	if (rc < 0)
		return rc;
	c->sa = stream_sa_find(s, &c->key);
	if (c->sa)
		c->flow = c->sa->flow;
	else
		c->flow = (struct sip_flow){.transport = SIP_TRANSPORT_TCP,
					    .local = c->key.local,
					    .remote = c->key.remote};
	if (!c->sa && l->protected)
		return -EPERM;
	before = stream_conn_find(s, &c->key);
	if (before) /* the stack has seen its end, we have not yet */
		stream_conn_close(before, STREAM_END_RESET);
	if (!admitted(c))
		return -EMFILE;
	return stream_conn_insert(c);
}

static void knocked(uv_stream_t *h, int status)
{
	struct stream_listener *l = h->data;
	struct stream *s = l->s;
	struct stream_conn *c;

	s->counters.events++;
	if (status < 0 || s->closing)
		return;
	c = stream_conn_make(s); /* without memory it waits in the backlog */
	if (!c)
		return;
	if (uv_tcp_init(s->loop, &c->tcp) < 0) {
		DL_DELETE(s->conns, c);
		free(c);
		return;
	}
	c->filter = l->filter;
	c->filter_ctx = l->filter_ctx;
	if (conn_accept(l, c) < 0) {
		s->counters.refused++;
		stream_conn_close(c, STREAM_END_RESET);
		return;
	}
	s->counters.accepted++;
	stream_conn_start(c);
}

/* ---- listeners ---------------------------------------------------------------------------- */

static void listener_closed(uv_handle_t *h)
{
	free(h->data);
}

void stream_listener_close(struct stream_listener *l)
{
	DL_DELETE(l->s->listeners, l);
	uv_close((uv_handle_t *)&l->tcp, listener_closed);
}

static int listener_open(struct stream *s, const struct ip_endpoint *at, bool protected,
			 struct stream_listener **lp)
{
	struct stream_listener *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	l->s = s;
	l->at = *at;
	l->protected = protected;
	rc = stream_socket(s, &l->tcp, at->addr.version);
	if (rc < 0) {
		free(l);
		return rc;
	}
	l->tcp.data = l;
	DL_APPEND(s->listeners, l);
	rc = stream_bind(&l->tcp, at);
	if (rc == 0)
		rc = uv_listen((uv_stream_t *)&l->tcp, BACKLOG, knocked);
	if (rc < 0)
		stream_listener_close(l);
	else
		*lp = l;
	return rc;
}

int stream_listen(struct stream *s, const struct ip_endpoint *at, bool protected,
		  const struct stream_filter *filter, void *filter_ctx)
{
	struct stream_listener *l;
	int rc = listener_open(s, at, protected, &l);

	if (rc < 0)
		return rc;
	l->users = 1;
	l->filter = filter;
	l->filter_ctx = filter_ctx;
	return 0;
}

int stream_listener_use(struct stream *s, const struct ip_endpoint *at, struct stream_listener **lp)
{
	struct stream_listener *l;
	int rc = 0;

	DL_FOREACH(s->listeners, l)
	if (ip_endpoint_eq(&l->at, at))
		break;
	if (!l)
		rc = listener_open(s, at, true, &l);
	if (rc < 0)
		return rc;
	l->users++;
	*lp = l;
	return 0;
}

void stream_listener_leave(struct stream_listener *l)
{
	if (--l->users == 0)
		stream_listener_close(l);
}
