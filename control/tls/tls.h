/*
 * TLS for SIP over TCP (TS 33.203 Annex O, RFC 3261 26.2.1, TS 33.310 Annex E): contexts with
 * certificates and what both ends allow, and the filter that stands between a stream's socket and
 * its messages. The only folder that knows OpenSSL's libssl.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/stream/stream.h"

struct tls;

/* Tells in words what went wrong with a connection; never secrets. */
typedef void tls_trouble_h(void *arg, const struct sip_flow *flow, const char *why);

struct tls_server_conf {
	const char *certificate;  /* file: the server's and its intermediate CAs', PEM */
	const char *key;	  /* file: PEM */
	const char *suites;	  /* of TLS 1.2, OpenSSL's names; NULL: TS 33.310 Annex E */
	uint32_t session_seconds; /* how long a session can be resumed; 0: never */
	bool legacy;		  /* TLS 1.0 and 1.1, and the RSA suites of the seed (C-16) */
	bool null_suites;	  /* the last choice, with UEs that offer nothing else (TL-05) */
	bool any_certificate;	  /* also one that UEs would refuse: for tests */
	tls_trouble_h *trouble;
	void *arg;
};

struct tls_client_conf {
	const char *ca;	    /* file: trusted roots, PEM */
	const char *crl;    /* file: revocation lists, PEM; NULL: none is looked at */
	const char *name;   /* the server's: a host name, or an address */
	const char *suites; /* as above */
	bool legacy;	    /* TLS 1.0 and 1.1, RSA from 1024 bits (C-16, C-20) */
	tls_trouble_h *trouble;
	void *arg;
};

#define TLS_WHY 256 /* octets for the reason of a failure */

/* -EINVAL, -ENOMEM; `why` holds TLS_WHY octets and says what is wrong. Strings are copied. */
int tls_server_alloc(struct tls **tp, const struct tls_server_conf *conf, char *why);
int tls_client_alloc(struct tls **tp, const struct tls_client_conf *conf, char *why);
/*
 * Reads certificate and key again: for connections to come, those that stand keep theirs. On a
 * failure nothing changes.
 */
int tls_server_reload(struct tls *t, char *why);
void tls_free(struct tls *t); /* after all its connections */

/*
 * What a UE would find wrong with a server's certificate (TS 33.203 Annex O.5). NULL: not looked
 * at; without `ca` the path is checked as far as the file goes. Returns the number of faults that
 * `fault` was told of, or -EINVAL with the reason in `why` if files cannot be read.
 */
struct tls_check {
	const char *certificate, *ca, *crl, *name;
	bool legacy;
};
typedef void tls_fault_h(void *arg, const char *what);
int tls_certificate_check(const struct tls_check *what, tls_fault_h *fault, void *arg, char *why);

/* For stream_listen() and stream_conf.tls; the filter's context is a struct tls. */
extern const struct stream_filter tls_filter;

/* Why a handshake has come to nothing. */
enum tls_failure {
	TLS_FAILURE_UNFINISHED,	 /* the connection ended first: by the peer, or it took too long */
	TLS_FAILURE_NOT_TLS,	 /* octets of something else */
	TLS_FAILURE_NO_COMMON,	 /* no version, suite, group or signature that both have */
	TLS_FAILURE_ALERT,	 /* the peer refused, such as for our certificate */
	TLS_FAILURE_CERTIFICATE, /* we refused the peer's: at a UE only */
	TLS_FAILURE_OTHER,
	TLS_FAILURE_COUNT
};
const char *tls_failure_name(enum tls_failure f);

struct tls_counters {
	uint64_t handshakes; /* done, `resumed` among them */
	uint64_t resumed;
	uint64_t failed[TLS_FAILURE_COUNT];
	uint64_t broken; /* ended later by a record that does not fit */
	unsigned open;	 /* connections now, in handshakes too */
};
const struct tls_counters *tls_counters(const struct tls *t);
uint64_t tls_failed(const struct tls *t); /* of all reasons */
