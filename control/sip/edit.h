/*
 * Changing a message by splices over its original bytes: what is not changed is not copied until it
 * is sent. Positions are views into the message; edits may come in any order.
 */
#pragma once

#include <sys/uio.h>

#include "control/base/sbuf.h"
#include "control/sip/msg.h"

#define SIP_EDIT_MAX	  64
#define SIP_EDIT_TEXT_MAX 8192

struct sip_splice {
	const char *at; /* first byte replaced, or insert before it */
	size_t removed;
	struct sv text;
};

struct sip_edit {
	const struct sip_msg *msg;
	struct sip_splice s[SIP_EDIT_MAX];
	unsigned n;
	bool failed; /* too many or too long */
	struct sbuf text;
	char store[SIP_EDIT_TEXT_MAX];
};

void sip_edit_init(struct sip_edit *e, const struct sip_msg *m);

void sip_edit_remove(struct sip_edit *e, const struct sip_header *h); /* the whole field */
void sip_edit_remove_all(struct sip_edit *e, enum sip_hdr id);
/* Removes the first list element of the field(s) `id` (top Via, top Route); the field with it if it
 * was alone. */
void sip_edit_remove_first(struct sip_edit *e, enum sip_hdr id);
/* Replaces any view into the message (a URI, a value, a parameter). */
__attribute__((format(printf, 3, 4))) void sip_edit_replace(struct sip_edit *e, struct sv old,
							    const char *fmt, ...);
/* Adds a header field line ("Name: value", without CRLF) before all fields of `id`, or at the end
 * of the head if there are none. Several at one place stand in the order of the calls. */
__attribute__((format(printf, 3, 4))) void sip_edit_insert(struct sip_edit *e, enum sip_hdr id,
							   const char *fmt, ...);
/* Adds a header field line at the end of the head. */
__attribute__((format(printf, 2, 3))) void sip_edit_append(struct sip_edit *e, const char *fmt,
							   ...);

/* Takes `token` out of comma lists of `id` (Require, Supported, ...), and the field if emptied. */
void sip_edit_remove_token(struct sip_edit *e, enum sip_hdr id, struct sv token);

/* Overwrites the transport of the topmost Via, in place: UDP, TCP and TLS are equally long. Text
 * that is no message, or names another transport, stays as it is. */
void sip_via_transport_set(char *text, size_t n, struct sv transport);

/* The result as pieces: number of them, or -E2BIG (failed, or more than max). They live as long as
 * message and edit. */
int sip_edit_iov(const struct sip_edit *e, struct iovec *iov, unsigned max);
/* The result as text in buf; empty view on failure. */
struct sv sip_edit_text(const struct sip_edit *e, char *buf, size_t cap);

/*
 * A response to a request: status line, all Via, From, To (with `tag` added if it has none and tag
 * is not empty), Call-ID, CSeq copied (RFC 3261 8.2.6.2); the caller appends fields and ends with
 * sip_reply_end().
 */
void sip_reply_begin(struct sbuf *b, const struct sip_msg *request, unsigned status, struct sv tag);
void sip_reply_end(struct sbuf *b, struct sv body); /* Content-Length, empty line, body */
const char *sip_reason(unsigned status);
