/*
 * SIP messages, read in place (RFC 3261 clauses 7, 25). Nothing is copied or allocated: every view
 * points into the caller's text, which outlives the struct. Writing is sip/edit.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ip.h"
#include "sv.h"

#define SIP_MAX_HEADERS 128
#define SIP_MAX_LENGTH	65535

enum sip_hdr {
	SIP_HDR_OTHER, /* not in this list */
	SIP_HDR_ACCEPT_CONTACT,
	SIP_HDR_ALLOW,
	SIP_HDR_AUTHENTICATION_INFO,
	SIP_HDR_AUTHORIZATION,
	SIP_HDR_CALL_ID,
	SIP_HDR_CONTACT,
	SIP_HDR_CONTENT_LENGTH,
	SIP_HDR_CONTENT_TYPE,
	SIP_HDR_CSEQ,
	SIP_HDR_EVENT,
	SIP_HDR_EXPIRES,
	SIP_HDR_FROM,
	SIP_HDR_MAX_FORWARDS,
	SIP_HDR_MIN_EXPIRES,
	SIP_HDR_P_ACCESS_NETWORK_INFO,
	SIP_HDR_P_ASSERTED_IDENTITY,
	SIP_HDR_P_ASSOCIATED_URI,
	SIP_HDR_P_CALLED_PARTY_ID,
	SIP_HDR_P_CHARGING_VECTOR,
	SIP_HDR_P_PREFERRED_IDENTITY,
	SIP_HDR_P_VISITED_NETWORK_ID,
	SIP_HDR_PATH,
	SIP_HDR_PROXY_REQUIRE,
	SIP_HDR_RECORD_ROUTE,
	SIP_HDR_REQUIRE,
	SIP_HDR_RETRY_AFTER,
	SIP_HDR_ROUTE,
	SIP_HDR_SECURITY_CLIENT,
	SIP_HDR_SECURITY_SERVER,
	SIP_HDR_SECURITY_VERIFY,
	SIP_HDR_SERVICE_ROUTE,
	SIP_HDR_SUBSCRIPTION_STATE,
	SIP_HDR_SUPPORTED,
	SIP_HDR_TO,
	SIP_HDR_UNSUPPORTED,
	SIP_HDR_VIA,
	SIP_HDR_WARNING,
	SIP_HDR_WWW_AUTHENTICATE,
	SIP_HDR_COUNT,
};

enum sip_method {
	SIP_OTHER,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_INFO,
	SIP_INVITE,
	SIP_MESSAGE,
	SIP_NOTIFY,
	SIP_OPTIONS,
	SIP_PRACK,
	SIP_PUBLISH,
	SIP_REFER,
	SIP_REGISTER,
	SIP_SUBSCRIBE,
	SIP_UPDATE,
};

struct sip_header {
	uint8_t id; /* enum sip_hdr; compact forms have the id of the long name */
	struct sv name;
	struct sv value; /* without blanks around; may hold folds (CRLF and blank) inside */
	struct sv line;	 /* the whole field, name to CRLF inclusive */
};

struct sip_msg {
	struct sv raw;
	bool request;
	enum sip_method method;	    /* request, or that of CSeq in a response */
	struct sv method_name, uri; /* request only */
	unsigned status;	    /* response only */
	struct sv reason;
	struct sv start_line; /* with CRLF */
	struct sv body;	      /* as Content-Length says; over UDP without it, the rest */
	unsigned n;
	struct sip_header h[SIP_MAX_HEADERS];
	uint8_t first[SIP_HDR_COUNT]; /* index of the first of each id plus 1; 0: none */
	/* the mandatory ones, parsed and checked */
	struct sv call_id, from_tag, to_tag; /* tags empty if absent */
	uint32_t cseq;
	struct sv branch; /* of the topmost Via; empty if absent */
};

/*
 * Reads one message. -EBADMSG: not SIP, a mandatory field (To, From, CSeq, Call-ID, Via) missing or
 * malformed, Content-Length beyond the text, a NUL in the head; -E2BIG: over the limits above.
 */
int sip_msg_parse(struct sip_msg *m, struct sv text);

/* First header field of that id, or the one after `h`; NULL at the end. */
const struct sip_header *sip_msg_find(const struct sip_msg *m, enum sip_hdr id);
const struct sip_header *sip_msg_next(const struct sip_msg *m, const struct sip_header *h);
struct sv sip_msg_value(const struct sip_msg *m, enum sip_hdr id); /* of the first; empty if none */

enum sip_method sip_method_of(struct sv name); /* case-sensitive (RFC 3261 7.1) */
struct sv sip_method_text(enum sip_method m);

/* ---- pieces of values --------------------------------------------------------------------- */

/* Takes the next comma-separated element off *rest (quotes and <> respected), trimmed. false at the
 * end. */
bool sip_list_next(struct sv *rest, struct sv *element);

/* Walks all elements of all header fields of one id as one list. Zero-initialise but msg and id. */
struct sip_list {
	const struct sip_msg *msg;
	enum sip_hdr id;
	const struct sip_header *h;
	struct sv rest;
	bool started;
};
bool sip_list_walk(struct sip_list *l, struct sv *element);

/* Takes the next ";name" or ";name=value" off *rest. Value as written, quotes kept. */
bool sip_param_next(struct sv *rest, struct sv *name, struct sv *value);
/* Value of the parameter, name compared without case. false if absent. value may be NULL. */
bool sip_param(struct sv params, struct sv name, struct sv *value);

/* P-Access-Network-Info: does any element, be it the UE's or the network's, tell of a 3GPP access?
 */
bool sip_access_is_3gpp(const struct sip_msg *m);
/* Does the value of one such field claim to be the network's own (network-provided)? */
bool sip_access_of_network(struct sv value);

struct sip_uri {
	struct sv scheme;  /* "sip", "sips", "tel", ... */
	struct sv user;	   /* with password if any; a tel: number is here */
	struct sv host;	   /* without brackets */
	uint16_t port;	   /* 0: not given */
	struct sv params;  /* ";lr;transport=udp" or empty */
	struct sv headers; /* "?..." or empty */
	struct sv text;	   /* all of it */
};
int sip_uri_parse(struct sip_uri *u, struct sv text); /* -EBADMSG */

struct sip_addr { /* name-addr or addr-spec with header parameters */
	struct sv display;
	struct sv uri;	  /* between <>, or the addr-spec */
	struct sv params; /* after the URI: ";tag=..." or empty */
};
int sip_addr_parse(struct sip_addr *a, struct sv element);

struct sip_via {
	struct sv transport; /* "UDP" */
	struct sv host;	     /* sent-by, without brackets */
	uint16_t port;	     /* 0: not given */
	struct sv params;
	struct sv branch;
	struct sv element; /* all of it */
};
int sip_via_parse(struct sip_via *v, struct sv element);
/* Topmost Via. */
int sip_via_top(struct sip_via *v, const struct sip_msg *m);

/*
 * Canonical form of an identity for comparing: "sip:user@host" with the host in lower case, without
 * parameters, port and headers; "tel:+4912345" without visual separators and parameters. Writes to
 * buf, returns a view of it; empty if not a SIP, SIPS or tel URI or too long.
 */
struct sv sip_identity(struct sv uri, char *buf, size_t cap);
