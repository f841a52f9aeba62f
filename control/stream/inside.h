/*
 * Inside of stream/. Who owns what: the stream all, by lists; a connection its framer and what it
 * has yet to write. A connection that ends leaves all tables at once (conn_close()) and its memory
 * lasts until libuv has closed the handle, so no callback meets a freed one.
 */
#pragma once

#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>

#include "control/stream/framer.h"
#include "control/stream/stream.h"

/* Connections are found by both ends, as the host's stack knows them. */
struct stream_key {
	struct ip_endpoint local, remote;
};

/* An SA set, once per pair. */
struct stream_sa {
	struct stream_key key;
	struct sip_flow flow; /* of the messages that come by it */
	struct stream_conn *conns;
	UT_hash_handle by_key;
};

struct stream_set {
	sa_set_id id;
	struct stream_sa pair[SA_PAIRS];
	struct stream_listener *listener; /* conf.listens */
	UT_hash_handle by_id;
};

struct stream_listener {
	struct stream_listener *prev, *next;
	struct stream *s;
	struct ip_endpoint at;
	unsigned users;
	bool protected;
	const struct stream_filter *filter;
	void *filter_ctx;
	uv_tcp_t tcp;
};

/* Accepted connections of one address, of IPv6 of one /64; but those under an SA set. */
struct stream_peer {
	struct ip_addr addr;
	unsigned n_clear, n_filtered, n_half_open;
	UT_hash_handle by_addr;
};

/* A message on its way out. */
struct stream_out {
	struct stream_out *prev, *next;
	struct stream_conn *c;
	uv_write_t req;
	bool message; /* not a filter's octets, nor a keepalive */
	uint64_t written_at;
	size_t n;
	char text[];
};

struct stream_conn {
	struct stream_conn *prev, *next; /* of the stream */
	struct stream_conn *sa_prev, *sa_next;
	struct stream_conn *half_prev, *half_next; /* while half_open */
	struct stream *s;
	struct stream_sa *sa;	  /* NULL: in clear */
	struct stream_peer *peer; /* counted there; NULL: not */
	struct stream_key key;
	struct sip_flow flow;
	uv_tcp_t tcp;
	uv_connect_t connect;
	bool we_opened, half_open, heard_message, ready, closing, mute;
	struct stream_framer framer;
	const struct stream_filter *filter;
	void *filter_ctx, *filter_state;
	struct stream_out *waiting;	/* until the connection is ready */
	struct stream_out *unconfirmed; /* requests written a short while ago */
	unsigned n_unconfirmed;
	size_t queued; /* octets in waiting, and given to libuv, with what each takes itself */
	uint64_t heard, message_since, progress, opened_at, pinged;
	struct timer timer;
	UT_hash_handle by_key;
};

struct stream {
	uv_loop_t *loop;
	struct timers *timers;
	struct stream_conf conf;
	struct stream_env env;
	struct stream_conn *conns;     /* all that are not freed yet */
	struct stream_conn *by_key;    /* those in use */
	struct stream_conn *half_open; /* accepted through a filter, not ready; oldest first */
	struct stream_sa *sa_by_key;
	struct stream_set *sets;
	struct stream_peer *peers;
	struct stream_listener *listeners;
	unsigned n_protected, n_clear;
	uint64_t sessions; /* the last one's number */
	bool closing;
	struct stream_counters counters;
	char buf[65536]; /* of the read under way */
};

uint64_t stream_now(void); /* ms: the clock of the timers */

/* ---- conn.c */
struct stream_conn *stream_conn_find(struct stream *s, const struct stream_key *key);
/* Makes one without a socket yet, outside of all tables; or NULL. */
struct stream_conn *stream_conn_make(struct stream *s);
/* Into the tables; -EEXIST, -ENOMEM. */
int stream_conn_insert(struct stream_conn *c);
/* The socket is connected: reading begins, what waits is written. */
void stream_conn_start(struct stream_conn *c);
enum stream_end {
	STREAM_END_CLOSE, /* as TCP means it */
	STREAM_END_RESET, /* nothing more can or shall go out */
};
void stream_conn_close(struct stream_conn *c, enum stream_end how);
/* Sets the timer to the next of its deadlines. */
void stream_conn_watch(struct stream_conn *c, uint64_t now);

/* ---- io.c */
int stream_io_start(struct stream_conn *c);
int stream_io_send(struct stream_conn *c, struct sv text);
void stream_io_ready(struct stream_conn *c);
void stream_io_lost(struct stream_conn *c); /* tells of what was not delivered, and frees it */
void stream_io_forget(struct stream_conn *c, uint64_t before); /* unconfirmed ones */

/* ---- open.c */
int stream_open(struct stream *s, const struct sip_flow *flow, struct stream_conn **cp);

/* ---- listen.c */
void stream_listener_close(struct stream_listener *l);
int stream_listener_use(struct stream *s, const struct ip_endpoint *at,
			struct stream_listener **lp);
void stream_listener_leave(struct stream_listener *l);
/* Counts it among those of its address; false: these are enough. */
bool stream_admit(struct stream_conn *c);
void stream_half_open_end(struct stream_conn *c);
/* It is counted no more, if it was. */
void stream_leave(struct stream_conn *c);
/* A clear connection goes on through the stream's filter. */
int stream_upgrade(struct stream_conn *c);

/* ---- sets.c */
struct stream_sa *stream_sa_find(struct stream *s, const struct stream_key *key);
struct stream_sa *stream_sa_of_flow(struct stream *s, const struct sip_flow *f);

/* ---- socket.c: addresses, and options that libuv has no names for */
void stream_sockaddr(const struct ip_endpoint *e, struct sockaddr_storage *to);
int stream_endpoint(const struct sockaddr_storage *from, struct ip_endpoint *e);
/* A socket of that family, bindable to addresses of no interface if `freebind`. */
int stream_socket(struct stream *s, uv_tcp_t *tcp, uint8_t version);
int stream_bind(uv_tcp_t *tcp, const struct ip_endpoint *at);
void stream_socket_tune(struct stream *s, uv_tcp_t *tcp);
