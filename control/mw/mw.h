/*
 * Mw: SIP between CSCFs. Messages are real SIP text; between entities of one process they pass by a
 * queue in memory, addressed by host name, so that no entity knows where another one runs.
 */
#pragma once

#include <stdint.h>

#include "sv.h"

struct mw;

/* A message for the host that was attached; `text` is valid during the call. */
typedef void mw_input_h(void *arg, struct sv text, uint64_t now);

int mw_alloc(struct mw **mp);
void mw_free(struct mw *m);

/* Names compare without case; host is copied. -EEXIST, -ENOMEM */
int mw_attach(struct mw *m, struct sv host, mw_input_h *input, void *arg);
/* The host is no more: what is queued for it is lost (counted). The name may be attached again. */
void mw_detach(struct mw *m, struct sv host);

/* Queues a copy of text for host. -ENOENT: nobody has that name (counted), -ENOMEM. */
int mw_send(struct mw *m, struct sv host, struct sv text);

/* Delivers until the queue is empty (messages sent meanwhile too); how many. */
unsigned mw_run(struct mw *m, uint64_t now);

/* Next hop of a message by RFC 3261: top Route's host, else Request-URI's; for a response the top
 * Via's sent-by. Empty if there is none. Views into text. */
struct sip_msg;
struct sv mw_next_hop(const struct sip_msg *m);
/* mw_send() to mw_next_hop(). */
int mw_forward(struct mw *m, struct sv text);

/* Sees every message that passes (tests, traces); NULL for none. */
typedef void mw_tap_h(void *arg, struct sv host, struct sv text);
void mw_tap(struct mw *m, mw_tap_h *tap, void *arg);
uint64_t mw_lost(const struct mw *m); /* sent to unknown hosts */
