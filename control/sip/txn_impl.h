/* Inside sip/: what the transaction files share. */
#pragma once

#include "control/sip/txn.h"
#include "control/sip/txn_table.h"

enum txn_state {
	TXN_TRYING, /* non-INVITE; client INVITE: Calling */
	TXN_PROCEEDING,
	TXN_COMPLETED,
	TXN_CONFIRMED, /* server INVITE */
	TXN_ACCEPTED,  /* INVITE answered with 2xx (RFC 6026) */
};

struct sip_txns {
	struct timers *timers;
	struct sip_txn_timers v;
	struct sip_txns_env env;
	struct txn_table servers, clients;
	uint64_t retransmissions;
	uint8_t secret[TXN_KEY];
};

/* `life` ends a transaction or gives up; it is always running, so that starting it again cannot
 * fail. */
struct sip_server_txn {
	struct txn_node node; /* first: the table's nodes are the transactions */
	struct sip_txns *owner;
	struct sip_flow flow;
	struct timer retry, life;
	uint32_t interval; /* of retry, ms */
	uint8_t state;	   /* enum txn_state */
	bool invite;
	bool prolonged; /* repeats come over UDP though it came over TCP */
	char *text;	/* last response; NULL: none */
	size_t text_len;
	sip_server_gone_h *gone;
	void *arg;
};

struct sip_client_txn {
	struct txn_node node; /* first: the table's nodes are the transactions */
	struct sip_txns *owner;
	struct sip_flow flow;
	struct timer retry, life;
	uint32_t interval;
	uint8_t state;
	bool invite;
	char *text; /* the request: stays to the end, since who got it by send() may still read it
		     */
	size_t text_len;
	char *ack; /* to a final response to INVITE; NULL: none */
	size_t ack_len;
	sip_client_h *handler;
	void *arg;
};

/* RFC 3261 17.2.3; `method` is INVITE for an ACK. */
struct txn_key txn_server_key(const struct sip_txns *t, const struct sip_msg *request,
			      struct sv method);
/* RFC 3261 17.1.3 */
struct txn_key txn_client_key(const struct sip_txns *t, const struct sip_msg *m);

bool txn_server_input(struct sip_txns *t, const struct sip_flow *from,
		      const struct sip_msg *request, uint64_t now);
bool txn_client_input(struct sip_txns *t, const struct sip_flow *from,
		      const struct sip_msg *response, uint64_t now);
void txn_server_free(struct sip_server_txn *s);
void txn_client_free(struct sip_client_txn *c);

/* Sends what the transaction holds once more. */
void txn_resend(struct sip_txns *t, const struct sip_flow *flow, struct sv text);
/* 64 * T1, the patience of all transactions */
static inline uint64_t txn_64t1(const struct sip_txns *t)
{
	return UINT64_C(64) * t->v.t1;
}

/* ACK to a final response of 300 and above, malloc'd (RFC 3261 17.1.1.3). -ENOMEM, -EBADMSG */
int txn_ack_make(struct sv request, const struct sip_msg *response, char **ack, size_t *len);
