/* What `esplanade-ue load` found out, and its two forms of output (design, section 6). */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "bench/histogram.h"
#include "sa.h"

struct ue_result {
	uint32_t ues, registered, failed;
	uint64_t registering_us;      /* first SM1 to last SM12 */
	struct histogram register_us; /* SM1 to SM12 */
	uint64_t messages_wanted, messages_sent, messages_delivered;
	uint64_t calls_wanted, calls_placed;
	uint64_t calls_answered;  /* the callee has heard the ACK */
	bool calls_elsewhere;	  /* whose callees are not ours */
	uint64_t calls_completed; /* to the 200 to BYE */
	uint64_t retransmissions;
	uint64_t tls_handshakes; /* done; of those, resumed */
	uint64_t tls_resumed;
	uint32_t algorithms[SA_INTEG_COUNT][SA_ENCR_COUNT];
};

/* Everybody registered, and every message arrived once. */
bool ue_result_good(const struct ue_result *r);
/* -EIO, -ENOMEM */
int ue_result_print(const struct ue_result *r, bool json, FILE *f);
