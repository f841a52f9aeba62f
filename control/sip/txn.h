/*
 * Transactions (RFC 3261 clause 17), client and server, INVITE and not, without I/O: messages and
 * time come in, messages to send go out by env->send. Over reliable flows nothing is repeated.
 * Timers between UE and P-CSCF: T1 2 s, T2 16 s, T4 17 s; in the core 500 ms, 4 s, 5 s
 * (TS 24.229 7.7).
 */
#pragma once

#include "control/base/timer.h"
#include "control/sip/flow.h"
#include "control/sip/msg.h"

struct sip_txns; /* all transactions of one SIP entity */
struct sip_server_txn;
struct sip_client_txn;

struct sip_txn_timers {
	uint32_t t1, t2, t4; /* ms */
};

#define SIP_TIMERS_ACCESS ((struct sip_txn_timers){2000, 16000, 17000})
#define SIP_TIMERS_CORE	  ((struct sip_txn_timers){500, 4000, 5000})

struct sip_txns_env {
	void *ctx;
	/* Sends `text`; a retransmission comes with the flow of the first send (F13). */
	void (*send)(void *ctx, const struct sip_flow *flow, struct sv text);
};

int sip_txns_alloc(struct sip_txns **tp, struct timers *timers, struct sip_txn_timers values,
		   const struct sip_txns_env *env);
/* Ends all transactions: `gone` is called for servers, no handler for clients. */
void sip_txns_free(struct sip_txns *t);
unsigned sip_txns_count(const struct sip_txns *t);
uint64_t sip_txns_retransmissions(const struct sip_txns *t);

/*
 * Offers a received message. true: it belonged to a transaction and is dealt with (a repeated
 * request answered again, a response given to its client's handler, an ACK absorbed). false: a new
 * request, or a response to nothing of ours. The ACK to a 2xx and a 2xx to INVITE behind the first
 * are the core's: false (RFC 3261 13.2.2.4, 16.7; RFC 6026). A clear response to a protected
 * request is nobody's: false.
 */
bool sip_txns_input(struct sip_txns *t, const struct sip_flow *from, const struct sip_msg *m,
		    uint64_t now);

/* ---- server ------------------------------------------------------------------------------- */

/*
 * For a new request. `reply` is the flow that its responses take. `gone` (may be NULL) is called
 * when the transaction ends. An INVITE without a response after 200 ms gets a 100 (RFC
 * 3261 17.2.1).
 */
typedef void sip_server_gone_h(void *arg);
int sip_server_create(struct sip_txns *t, struct sip_server_txn **sp, const struct sip_flow *reply,
		      const struct sip_msg *request, sip_server_gone_h *gone, void *arg,
		      uint64_t now);
/* Sends a response (copied for repeats). After a final one the handle dies by itself; do not use it
 * again after `gone`. */
int sip_server_respond(struct sip_server_txn *s, unsigned status, struct sv text, uint64_t now);
/* The request's server transaction if it still exists, e.g. the INVITE's for a CANCEL. */
struct sip_server_txn *sip_server_find(struct sip_txns *t, const struct sip_msg *request,
				       enum sip_method method);
void *sip_server_arg(const struct sip_server_txn *s);
/* Forgets it without a response (`gone` is called): a repeat of the request is a new one. */
void sip_server_cancel(struct sip_server_txn *s);

/* ---- client ------------------------------------------------------------------------------- */

/* response is NULL when the transaction timed out. Called for each provisional and the final one;
 * after a final response or time-out the handle is dead. */
typedef void sip_client_h(void *arg, const struct sip_msg *response, uint64_t now);

/* Sends a request (copied) whose topmost Via has a branch of sip_branch(). */
int sip_client_create(struct sip_txns *t, struct sip_client_txn **cp, const struct sip_flow *flow,
		      struct sv text, sip_client_h *handler, void *arg, uint64_t now);
/* Forgets it: no handler call any more. */
void sip_client_cancel(struct sip_client_txn *c);

/* No answer can come any more: its handler hears what it would at the time-out. */
void sip_client_fail(struct sip_client_txn *c, uint64_t now);

/*
 * The request could not be sent on its flow: sends it on another one, with that one's transport in
 * its Via (RFC 3261 18.1.1). false: no transaction waits for its first response any more.
 */
bool sip_client_reroute(struct sip_txns *t, const struct sip_msg *request,
			const struct sip_flow *flow, uint64_t now);
const struct sip_flow *sip_client_flow(const struct sip_client_txn *c);

/* A new branch: "z9hG4bK" and 24 random hex digits, NUL-terminated. */
#define SIP_BRANCH_LEN 32
void sip_branch(char branch[SIP_BRANCH_LEN]);
/* A random token of n - 1 hex digits, NUL-terminated: tags, Call-IDs. */
void sip_token(char *buf, size_t n);
