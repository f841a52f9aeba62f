/* Shared by the files of icscf/ only. */
#pragma once

#include "control/icscf/icscf.h"
#include "control/mw/proxy.h"
#include "control/sip/msg.h"

struct icscf {
	struct mw_proxy proxy;
	struct cx cx;
	char *host, *scscf_uri;
	struct icscf_query *queries; /* requests that wait for the HSS */
	uint64_t queries_asked;
};

/*
 * Keeps a copy of the request, asks the HSS, and passes its answer to icscf_answered(). as_phone:
 * LIR for the telephone number in the Request-URI. Without memory, or if there is nobody to ask
 * for, the request is answered here.
 */
void icscf_query(struct icscf *i, const struct sip_msg *m, bool as_phone, uint64_t now);
void icscf_answered(struct icscf *i, const struct sip_msg *m, bool as_phone,
		    const struct cx_answer *a, uint64_t now);
/* Queries that are never answered now find no I-CSCF when they are. */
void icscf_queries_orphan(struct icscf *i);
