/*
 * Each message SM1 to SM12 of a registration or re-registration lost, repeated, overtaken, damaged
 * or late, or its connection or its NAT's mapping gone. Afterwards UE and P-CSCF agree, the next
 * registration succeeds, and when it ends nothing is left anywhere.
 */
#pragma once

#include "tests/control/flow/net.h"

enum fault {
	LOST, /* once; TCP: with its connection */
	GONE, /* whatever is tried, until the access heals */
	DOUBLED,
	OVERTAKEN,	/* by the next message of the access or of the core */
	DAMAGED,	/* in the middle */
	LATE,		/* by more than the core's timers last, */
	LATER,		/* those of the access, */
	LATEST,		/* or reg-await-auth */
	ANYWHERE,	/* those before can befall messages of the core, too */
	CUT = ANYWHERE, /* arrives, and its connection ends */
	STALLED,	/* arrives in part; its connection ends later */
	REFUSED,	/* the connection for it, once; or its connection ends before it */
	NO_TCP,		/* from it on */
	REBOUND,	/* the NAT gives other ports before it, */
	MOVED,		/* or has another address */
	FAULTS,
};

struct fault_trial {
	unsigned message; /* 1..12 */
	enum fault fault;
	bool again; /* a re-registration */
	enum ue_transport transport;
	bool nat;     /* UDP only */
	unsigned at;  /* octet that DAMAGED hurts, */
	uint8_t bits; /* and what of it */
};

/* FAULTS_SHOW in the environment: prints which. */
void fault_trial_run(const struct fault_trial *t);
