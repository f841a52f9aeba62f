/* I-CSCF: the home network's door. Asks the HSS for the S-CSCF on each REGISTER leg (AK-06) and for
 * each terminating request, and passes the message on; keeps no transaction state (stateless proxy,
 * RFC 3261 16.11). */
#pragma once

#include "control/cx/cx.h"
#include "control/mw/mw.h"

struct icscf;

struct icscf_conf {
	const char *host;	/* its own name on Mw */
	const char *scscf_host; /* chosen when the HSS names none */
};

int icscf_alloc(struct icscf **ip, const struct icscf_conf *conf, struct mw *mw,
		struct cx cx);		       /* attaches to mw */
void icscf_free(struct icscf *i);	       /* before the mw */
uint64_t icscf_queries(const struct icscf *i); /* HSS look-ups so far */
uint64_t icscf_dropped(const struct icscf *i); /* messages discarded without an answer */
