/*
 * Cx between CSCFs and HSS (TS 29.228) as plain values: in memory here, by Diameter elsewhere.
 * Answers may come before the request call returns, or later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crypto/aka.h"
#include "sv.h"

#define CX_MAX_VECTORS 8
#define CX_MAX_IMPUS   32

enum cx_command {
	CX_UAR, /* I-CSCF: which S-CSCF for this REGISTER? */
	CX_LIR, /* I-CSCF: which S-CSCF serves this IMPU? */
	CX_MAR, /* S-CSCF: CM1/CM2, authentication vectors */
	CX_SAR, /* S-CSCF: CM3/CM4, Cx-Put and profile */
};

enum cx_registration { /* the HSS's registration flag, per IMPU */
		       CX_NOT_REGISTERED,
		       CX_UNREGISTERED,
		       CX_PENDING,
		       CX_REGISTERED,
};

enum cx_result {
	CX_SUCCESS,
	CX_USER_UNKNOWN,	  /* no such IMPI or IMPU */
	CX_IDENTITIES_DONT_MATCH, /* the IMPU is not this IMPI's */
	CX_NOT_ALLOWED,		  /* roaming or registration barred */
	CX_AUTH_REJECTED,	  /* AUTS does not verify */
	CX_UNABLE,		  /* store failed */
};

struct cx_request {
	enum cx_command command;
	struct sv impi, impu; /* impu canonical (sip_identity()) */
	struct sv scscf;      /* MAR, SAR: the asking S-CSCF's URI */
	struct sv visited;    /* UAR */
	unsigned n_vectors;   /* MAR */
	bool resync;	      /* MAR: auts belongs to rand */
	uint8_t rand[16], auts[14];
	enum cx_registration put; /* SAR: new flag of the IMPU's implicit registration set */
	bool deregister;	  /* UAR: the REGISTER has expires 0 */
};

struct cx_answer { /* valid during the handler call only; vectors are wiped after it */
	enum cx_result result;
	struct sv scscf; /* UAR, LIR: its URI; empty: choose one */
	struct sv impi;	 /* MAR, SAR */
	unsigned n_vectors;
	struct aka_vector vectors[CX_MAX_VECTORS];
	enum cx_registration flag; /* of the IMPU, before a SAR's change */
	unsigned n_impus;	   /* SAR: implicit registration set, the default IMPU first */
	struct sv impus[CX_MAX_IMPUS];
};

typedef void cx_answer_h(void *arg, const struct cx_answer *a, uint64_t now);

/* The asker's way to an HSS. */
struct cx {
	void *ctx;
	void (*request)(void *ctx, const struct cx_request *r, cx_answer_h *handler, void *arg,
			uint64_t now);
};
