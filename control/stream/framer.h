/*
 * SIP messages out of a stream of octets (RFC 3261 7.5, 18.3, 20.14; RFC 5626 3.5.1, 4.4.1). Pure
 * code: octets in, messages out. What cannot be told apart for sure ends the stream: a message
 * without exactly one readable Content-Length, one beyond the limits, one that is no SIP.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "sv.h"

struct stream_framer {
	size_t head_max, message_max; /* octets */
	bool pong_due; /* the owner has sent a ping: the next CRLF between messages answers it */

	char *buf;    /* NULL while empty: an idle connection costs nothing */
	size_t at, n; /* octets read so far, and in buf */
	size_t cap;
	size_t scanned; /* of the head at `at`: holds no empty line */
	size_t head;	/* length of the head at `at`; 0: not known yet */
	size_t length;	/* of the message at `at`, once head is known */
	bool half_ping; /* one CRLF of two has come */
	bool bad;
};

enum stream_frame {
	STREAM_FRAME_MORE, /* needs more octets */
	STREAM_FRAME_MESSAGE,
	STREAM_FRAME_PING, /* CRLFCRLF between messages: to be answered by CRLF */
	STREAM_FRAME_PONG,
	STREAM_FRAME_BAD, /* for good: where the next message begins is unknown */
};

void stream_framer_init(struct stream_framer *f, size_t head_max, size_t message_max);
void stream_framer_free(struct stream_framer *f); /* wiped: messages hold credentials */

/* Takes n octets of the stream. -ENOMEM; what is too long shows in stream_framer_next(). */
int stream_framer_put(struct stream_framer *f, const void *octets, size_t n);
/* The next thing in the stream; *text of a message is a view until the next call. */
enum stream_frame stream_framer_next(struct stream_framer *f, struct sv *text);
/* Is a message under way whose end has not come? */
bool stream_framer_partial(const struct stream_framer *f);
