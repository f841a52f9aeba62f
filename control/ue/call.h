/* Inside of control/ue/: the one call of a UE. call.c: both ends; call_out.c: caller; call_in.c:
 * callee. */
#pragma once

#include "control/ue/dialog.h"
#include "control/ue/sdp.h"

struct ue_call {
	struct ue *ue;
	enum ue_call_state state;
	struct ue_dialog d;
	/* caller */
	struct ue_request *invite; /* without its final answer */
	char *sent;		   /* the INVITE: its CANCEL is made from it */
	size_t sent_len;
	uint32_t invite_cseq, rseq_seen;
	bool provisional, cancelled;
	char *ack; /* for repeats of the 2xx */
	size_t ack_len;
	struct ue_request *bye;
	/* callee */
	struct sip_server_txn *server; /* of INVITE, until its final answer or longer */
	char *received;		       /* the INVITE */
	size_t received_len;
	struct sip_flow from; /* the way it came */
	uint32_t rseq;	      /* of our 180; 0: not reliable */
	uint32_t ok_seq;      /* CSeq of the INVITE whose 2xx awaits its ACK */
	/* what is repeated until PRACK or ACK comes (RFC 3262 3, RFC 3261 13.3.1.4) */
	struct sip_flow flow;
	struct timer timer; /* of the caller: when the INVITE is given up */
	char *repeat;
	size_t repeat_len;
	uint32_t interval;
	uint64_t until;
};

/* ---- call.c */
void ue_call_over(struct ue_call *c, struct sv reason, uint64_t now); /* frees it */
int ue_call_request(struct ue_call *c, enum sip_method method, const char *fields, struct sv body,
		    sip_client_h *handler, struct ue_request **rp, uint64_t now);
int ue_call_bye(struct ue_call *c, uint64_t now);
void ue_call_body(struct sbuf *b, struct sv body); /* Content-*, empty line, body */
bool ue_call_lists(const struct sip_msg *m, enum sip_hdr id, struct sv tag);
void ue_call_repeat(struct ue_call *c, struct sv text, const struct sip_flow *flow, uint64_t now);
void ue_call_repeat_stop(struct ue_call *c);
extern const char ue_call_allow[];

/* ---- call_in.c */
int ue_call_refuse(struct ue_call *c, unsigned status, uint64_t now);

/* ---- call_out.c */
void ue_call_cancel(struct ue_call *c, uint64_t now);
