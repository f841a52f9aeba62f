/*
 * Registration state as the event package "reg" tells it (RFC 3680): documents of type
 * application/reginfo+xml, written by the S-CSCF, read by UE and P-CSCF.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/base/sbuf.h"
#include "sv.h"

#define REGINFO_TYPE "application/reginfo+xml"

#define REGINFO_MAX_LENGTH	  32768 /* octets of a document that is read */
#define REGINFO_MAX_DEPTH	  8	/* of elements */
#define REGINFO_MAX_REGISTRATIONS 64
#define REGINFO_MAX_CONTACTS	  64  /* of all registrations together */
#define REGINFO_MAX_TEXT	  512 /* octets of one URI or attribute */

enum reginfo_state { REGINFO_INIT, REGINFO_ACTIVE, REGINFO_TERMINATED };

enum reginfo_event { /* RFC 3680 5.2; of a contact */
		     REGINFO_REGISTERED,
		     REGINFO_CREATED,
		     REGINFO_REFRESHED,
		     REGINFO_SHORTENED,
		     REGINFO_EXPIRED,
		     REGINFO_DEACTIVATED,
		     REGINFO_PROBATION,
		     REGINFO_UNREGISTERED,
		     REGINFO_REJECTED,
		     REGINFO_EVENTS,
};
const char *reginfo_event_name(enum reginfo_event e);

/* ---- writing: begin, then for each registration begin, contacts, end; then end ---------------
 */

void reginfo_begin(struct sbuf *b, uint32_t version, bool full);
/* id: unique in the document, the same in all documents of one subscription. */
void reginfo_registration_begin(struct sbuf *b, struct sv aor, struct sv id,
				enum reginfo_state state);

struct reginfo_contact {
	struct sv id, uri;
	bool active; /* else terminated */
	enum reginfo_event event;
	bool has_expires;
	uint32_t expires; /* s */
};
void reginfo_contact(struct sbuf *b, const struct reginfo_contact *c);
void reginfo_registration_end(struct sbuf *b);
void reginfo_end(struct sbuf *b);

/* ---- reading -------------------------------------------------------------------------------- */

struct reginfo_registration {
	struct sv aor;
	enum reginfo_state state;
	unsigned first, n; /* its contacts */
};

struct reginfo {
	uint32_t version;
	bool full;
	unsigned n_registrations, n_contacts;
	struct reginfo_registration registrations[REGINFO_MAX_REGISTRATIONS];
	struct reginfo_contact contacts[REGINFO_MAX_CONTACTS];
	char store[REGINFO_MAX_LENGTH]; /* what the views show */
	struct sbuf text;
};

/*
 * Reads a document; malloc'd. -EBADMSG: not well-formed, not reginfo, or without what RFC 3680
 * demands; -E2BIG: over the limits above; -ENOMEM. Document types and so entities of their own are
 * refused. Elements that are unknown are skipped, as are contacts with an event that is unknown.
 */
int reginfo_parse(struct reginfo **rp, struct sv document);
void reginfo_free(struct reginfo *r);
