/*
 * SIP over TCP (RFC 3261 18, RFC 5626 keepalives): connections and listeners on a libuv loop, on
 * the host's own stack. Knows no SIP beyond framing; messages come and go with a flow (sip/flow.h).
 *
 * Which SA set protects a connection follows from its addresses and ports alone: the data plane
 * lets a segment through to a protected port only by the SA whose selectors they are. So the owner
 * tells here of each set that it installs and removes.
 */
#pragma once

#include <uv.h>

#include "control/base/timer.h"
#include "control/sip/flow.h"
#include "sa.h"
#include "sv.h"

struct stream;
struct stream_conn;
struct stream_filter;

struct stream_conf {
	size_t head_max;	 /* octets of a message's start line and header fields */
	size_t message_max;	 /* octets of a message */
	size_t clear_max;	 /* the same on connections without an SA set */
	size_t queue_max;	 /* octets that may wait to be written, per connection */
	unsigned max;		 /* connections under an SA set, in all */
	unsigned clear_accepted; /* accepted ones without, in all */
	unsigned per_address;	 /* the same from one address, or of one /64 of IPv6,
				  * which may have a quarter of all */
	uint32_t connect_ms;	 /* for the handshake of one that we open */
	uint32_t handshake_ms;	 /* for a filter's, on one that we accept; 0: connect_ms */
	uint32_t message_ms;	 /* from a message's first octet to its last */
	uint32_t stall_ms;	 /* without progress of what waits to be written */
	uint32_t idle_ms;	 /* without any message, then closed */
	uint32_t clear_idle_ms;
	uint32_t ping_ms; /* idle connections that we opened are pinged (RFC 5626 4.4.1); 0: not */
	bool freebind;	  /* addresses that no interface has (yet) can be bound, too */
	bool opens_clear; /* a UE: opens connections for flows without an SA set */
	bool listens;	  /* a UE: each SA set brings a listener on its port_us */
	/* Ports of clear connections that we open: no protected ones. */
	uint16_t port_min, port_max;
	/* For those that we open for flows of SIP_TRANSPORT_TLS; NULL: there are none. */
	const struct stream_filter *tls;
	void *tls_ctx;
	bool upgrade;		       /* accepted clear ones turn to TLS if the peer begins it */
	unsigned filtered;	       /* accepted ones through a filter, in all */
	unsigned filtered_per_address; /* the same from one address */
	unsigned half_open;	       /* of these not ready yet; more push out the oldest */
};

/* message() may send, protect and unprotect, but not free the stream. */
struct stream_env {
	void *ctx;
	void (*message)(void *ctx, const struct sip_flow *from, struct sv text, uint64_t now);
	/*
	 * Text given to stream_send() that has not reached the peer, as far as can be known;
	 * `stood`: there was a connection, and it ended. Never called from inside stream_send().
	 */
	void (*undelivered)(void *ctx, const struct sip_flow *flow, struct sv text, bool stood,
			    uint64_t now);
	/* A connection with a flow.session has ended. Never called from inside stream_send(); may
	 * be NULL. */
	void (*closed)(void *ctx, const struct sip_flow *flow, uint64_t now);
};

struct stream_counters {
	uint64_t accepted, opened, open_failed, closed;
	uint64_t messages_in, messages_out, undelivered;
	uint64_t pings_in, pongs_in;
	uint64_t refused;	/* over a limit, or to a protected port whose SA set is gone */
	uint64_t bad, slow;	/* closed: no SIP, or a message that did not end in time */
	uint64_t stalled, idle; /* closed: the peer does not read; nothing to do */
	uint64_t pushed_out;	/* closed: not ready, and too many of those */
	uint64_t events;	/* of libuv: something has happened if it has changed */
	unsigned connections;	/* now */
	unsigned filtered, half_open; /* among them, accepted ones */
};

int stream_alloc(struct stream **sp, uv_loop_t *loop, struct timers *timers,
		 const struct stream_conf *conf, const struct stream_env *env);
/*
 * Closes everything at once, without a word to env. The loop must run until its handles are closed,
 * then stream_free(). NULL is fine for both.
 */
void stream_close(struct stream *s);
void stream_free(struct stream *s);

/*
 * Takes connections at an address and port; at a protected one only those of an SA set that we have
 * been told of. `filter` for TLS and the like, NULL: none.
 */
int stream_listen(struct stream *s, const struct ip_endpoint *at, bool protected,
		  const struct stream_filter *filter, void *filter_ctx);

/* An SA set is installed; -EEXIST, -ENOMEM. Keys are not read. */
int stream_protect(struct stream *s, const struct sa_set *set);
/* It goes, and its connections with it. */
void stream_unprotect(struct stream *s, sa_set_id id);

/*
 * Sends text on the connection of that flow's addresses and ports. If there is none, one is opened
 * where that is for us to do: from the client port of an SA set, or without one if opens_clear. A
 * flow with a session takes that very connection.
 *   -ENOTCONN   there is none, and the peer would have to open it
 *   -ENOBUFS    the peer does not read; the connection is closed
 *   -EMSGSIZE, -ENOMEM, -EMFILE, or of connect()
 */
int stream_send(struct stream *s, const struct sip_flow *flow, struct sv text);
/* Closes the connection of a flow, if there is one. */
void stream_hang_up(struct stream *s, const struct sip_flow *flow);

/*
 * What the two ends call the session of a flow's connection, for people; false: there is none, or
 * it has no name. `name` holds STREAM_NAME octets.
 */
#define STREAM_NAME 80
bool stream_session_name(const struct stream *s, const struct sip_flow *flow, char *name);

const struct stream_counters *stream_counters(const struct stream *s);

/* ---- what stands between socket and framer ------------------------------------------------ */

/*
 * A filter sees a connection's octets before the framer and messages before the socket: TLS with
 * memory BIOs. One state per connection. Negative returns close the connection.
 */
struct stream_filter {
	/* The connection stands. It is not used for messages until stream_filter_ready(), which
	 * gives its flow a session. */
	int (*open)(void *ctx, struct stream_conn *c, bool we_opened, void **state);
	/* Octets from the socket: gives stream_filter_plain() and stream_filter_wire() what they
	 * yield. */
	int (*input)(void *state, struct sv wire);
	/* A message to send: gives stream_filter_wire() what it yields. */
	int (*output)(void *state, struct sv plain);
	/* Last words, by stream_filter_wire(); may be NULL. */
	void (*closing)(void *state);
	void (*free)(void *state);
	/* Name of the session, of less than STREAM_NAME octets; may be NULL. */
	bool (*name)(void *state, char *name);
};

int stream_filter_plain(struct stream_conn *c, struct sv octets); /* to the framer */
int stream_filter_wire(struct stream_conn *c, struct sv octets);  /* to the socket */
void stream_filter_ready(struct stream_conn *c);
/* The flow of its messages; the filter may set `transport` and `set` before it is ready. */
struct sip_flow *stream_filter_flow(struct stream_conn *c);
