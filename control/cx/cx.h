/*
 * Cx between CSCFs and HSS (TS 29.228) as plain values: in memory here, by Diameter elsewhere.
 * Answers may come before the request call returns, or later.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "crypto/aka.h"
#include "crypto/digest.h"
#include "sv.h"

#define CX_MAX_VECTORS 8
#define CX_MAX_IMPUS   32
#define CX_MAX_DIGESTS 4  /* algorithms of one challenge */
#define CX_NONCE       45 /* longest nonce, opaque, and NUL */

enum cx_command {
	CX_UAR,	  /* I-CSCF: which S-CSCF for this REGISTER? */
	CX_LIR,	  /* I-CSCF: which S-CSCF serves this IMPU? */
	CX_MAR,	  /* S-CSCF: CM1/CM2, authentication vectors */
	CX_SAR,	  /* S-CSCF: CM3/CM4, Cx-Put and profile */
	CX_CHECK, /* S-CSCF: CM5/CM6, the HSS checks a Digest response (TS 33.203 N.3) */
	CX_COMMANDS,
};

/* How a user is authenticated. In a MAR what may be, in its answer what shall be (DN-09). */
enum cx_scheme { CX_SCHEME_ANY, CX_SCHEME_AKA, CX_SCHEME_DIGEST };

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
	CX_SCHEME_NOT_SUPPORTED,  /* MAR: the user has no such credentials, or must not use them */
	CX_NONCE_STALE,		  /* CHECK: right, but for a nonce that is none (any more) */
};

/*
 * The vector of SIP Digest (DN-08, DH-01). Texts are views or buffers; in the S-CSCF variant nonce
 * is empty and each algorithm has its H(A1), in the HSS variant it is the other way round.
 */
struct cx_digest {
	struct sv realm, domain; /* domain may be empty */
	char nonce[CX_NONCE], opaque[CX_NONCE];
	bool without_qop; /* answers of clients that know no qop are good enough, too */
	unsigned n;	  /* the preferred one first */
	struct {
		enum digest_algorithm algorithm;
		char ha1[DIGEST_HEX];
	} choice[CX_MAX_DIGESTS];
};

struct cx_request {
	enum cx_command command;
	struct sv impi, impu;  /* impu canonical (sip_identity()) */
	struct sv scscf;       /* MAR, SAR, CHECK: the asking S-CSCF's URI */
	struct sv visited;     /* UAR */
	enum cx_scheme scheme; /* MAR */
	bool prefers_digest;   /* MAR: the UE looks like one without ISIM */
	unsigned n_vectors;    /* MAR, for AKA */
	bool resync;	       /* MAR: auts belongs to rand */
	uint8_t rand[16], auts[14];
	enum cx_registration put;   /* SAR: new flag of the IMPU's implicit registration set */
	bool deregister;	    /* UAR: the REGISTER has expires 0 */
	struct digest_input digest; /* CHECK (DH-03): username is the IMPI as it was hashed */
	struct sv response;	    /* CHECK */
};

struct cx_answer { /* valid during the handler call only; vectors and H(A1) are wiped after it */
	enum cx_result result;
	struct sv scscf;	  /* UAR, LIR: its URI; empty: choose one */
	struct sv impi;		  /* MAR, SAR */
	enum cx_scheme scheme;	  /* MAR */
	struct cx_digest digest;  /* MAR with Digest, CHECK with CX_NONCE_STALE */
	char rspauth[DIGEST_HEX]; /* CHECK (DH-05) */
	enum digest_qop qop;
	struct sv nc, cnonce;
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
