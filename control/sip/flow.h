/*
 * The way a message came or goes: transport, both ends, and the SA set if it was protected.
 * Requests and transactions store it; answers follow it (TS 33.203 7.1, RFC 3261 18.2.2).
 */
#pragma once

#include "ip.h"
#include "sa.h"

enum sip_transport {
	SIP_TRANSPORT_UDP,
	SIP_TRANSPORT_TCP,
	SIP_TRANSPORT_TLS,
	SIP_TRANSPORT_MW, /* between CSCFs in one process: reliable */
};

struct sip_flow {
	enum sip_transport transport;
	struct ip_endpoint local, remote;
	sa_set_id set; /* 0: in clear */
	uint8_t pair;  /* enum sa_pair, with a set */
	/* TLS: the number of the connection it came by, or shall take; none is used twice. 0: not
	 * TLS, or whichever there is between these two ends. */
	uint64_t session;
};

/* As Via and URIs name it; UDP, TCP, TLS. */
static inline const char *sip_transport_name(enum sip_transport t)
{
	return t == SIP_TRANSPORT_UDP ? "UDP" : t == SIP_TRANSPORT_TLS ? "TLS" : "TCP";
}

static inline bool sip_flow_reliable(const struct sip_flow *f)
{
	return f->transport != SIP_TRANSPORT_UDP;
}
