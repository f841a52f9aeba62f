/*
 * What every stateless proxy on Mw does (RFC 3261 16.3, 16.6, 16.7, 16.11): checks, own Via and
 * Max-Forwards, answers without a transaction, responses sent on by Via.
 */
#pragma once

#include "control/mw/mw.h"
#include "control/sip/edit.h"
#include "control/sip/msg.h"

struct mw_proxy {
	struct mw *mw;
	struct sv host;	  /* its own name */
	uint64_t dropped; /* malformed, looping or unanswerable messages */
};

/* Is the URI's host this proxy? */
bool mw_proxy_is_own(const struct mw_proxy *p, struct sv uri);

/* The topmost Route if it names this proxy (16.4). user: the user part of its URI, which says what
 * for. */
bool mw_proxy_own_route(const struct mw_proxy *p, const struct sip_msg *m, struct sv *user);

/*
 * 16.3: false if the request must not be passed on; then it has been answered with 400, 420 or 483
 * (an ACK just dropped).
 */
bool mw_proxy_check(struct mw_proxy *p, const struct sip_msg *m);

/*
 * Starts the forwarded copy: own Via on top, Max-Forwards one less, own Route (if drop_route) off.
 * The branch and the tags of answers come from the request alone, so a repeated request gives the
 * same ones (8.2.7, 16.11), and a CANCEL or the ACK to a failure that of its INVITE.
 */
void mw_proxy_begin(const struct mw_proxy *p, struct sip_edit *e, const struct sip_msg *m,
		    bool drop_route);
/* Sends it to `hop`, or if that is empty to its next hop. -ENOENT, -ENOMEM, -E2BIG */
int mw_proxy_end(struct mw_proxy *p, const struct sip_edit *e, struct sv hop);

/* Takes own Via off a response and sends it on; anything else is dropped. */
void mw_proxy_response(struct mw_proxy *p, const struct sip_msg *m);

/* An answer in two steps, for header fields between them. text: own buffer of the caller. */
void mw_proxy_reply_begin(const struct mw_proxy *p, struct sbuf *text,
			  const struct sip_msg *request, unsigned status);
void mw_proxy_reply_end(struct mw_proxy *p, struct sbuf *text, const struct sip_msg *request);
/* An answer; `fields` are whole lines with CRLF, may be empty. ACK and responses get none. */
void mw_proxy_reply(struct mw_proxy *p, const struct sip_msg *request, unsigned status,
		    struct sv fields);

/* A request for the proxy itself: OPTIONS gets 200, CANCEL 481, others 405 with what is allowed. */
void mw_proxy_self(struct mw_proxy *p, const struct sip_msg *m, struct sv allow);

/* Option tags of list `id` that are not among `known` (n of them) to out, as a comma list; true if
 * there are any. */
bool mw_proxy_unsupported(const struct sip_msg *m, enum sip_hdr id, const struct sv *known,
			  unsigned n, struct sbuf *out);
/* The same, and the answer 420 if there are any: false. */
bool mw_proxy_options_known(struct mw_proxy *p, const struct sip_msg *m, enum sip_hdr id,
			    const struct sv *known, unsigned n);
