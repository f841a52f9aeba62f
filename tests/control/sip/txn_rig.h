/* A transaction layer on simulated time, whose sent messages are kept. */
#pragma once

#include "control/sip/txn.h"
#include "tests/support/test.h"

#define RIG_MAX_SENT 64

struct rig_sent {
	uint64_t at;
	struct sip_flow flow;
	char text[700];
};

struct rig {
	struct timers *timers;
	struct sip_txns *txns;
	struct sip_txn_timers v;
	uint64_t now;
	unsigned n_sent;
	struct rig_sent sent[RIG_MAX_SENT];
	/* what the handlers saw */
	unsigned responses, last_status, timeouts, gone;
};

extern const struct sip_flow rig_udp, rig_tcp;

void rig_start(struct rig *r, struct sip_txn_timers v);
/* Frees it; fails if a transaction or a timer was left. */
void rig_stop(struct rig *r);
/* Lets time pass, timer by timer. */
void rig_run(struct rig *r, uint64_t until);
/* Offers text as received. */
bool rig_input(struct rig *r, const struct sip_flow *from, const char *text);
/* Fails unless message i was sent at that time. */
void rig_assert_sent(const struct rig *r, unsigned i, uint64_t at, const char *start);

void rig_on_response(void *arg, const struct sip_msg *response, uint64_t now); /* sip_client_h */
void rig_on_gone(void *arg); /* sip_server_gone_h */
