/*
 * The profile of server certificates and of their chains (TS 33.203 draft Annex O.5 with the
 * choices of today: RFC 5280, subjectAltName, RSA from 2048 bits). Inside of tls/.
 */
#pragma once

#include <openssl/x509.h>
#include <stdbool.h>

/* A fault: an X509_V_ERR that leads to a fitting alert, and the same in words. */
typedef void profile_fault_h(void *arg, int code, const char *what);

struct profile_sink {
	profile_fault_h *fault;
	void *arg;
	bool legacy; /* RSA from 1024 bits (TC-03) */
};

/* The server's own: subject, key, usage, identifiers (TC-02 to TC-04). */
void profile_leaf(X509 *cert, const struct profile_sink *sink);
/* Each against the next: names octet by octet, and key identifiers (TC-04, TC-07). */
void profile_chain(STACK_OF(X509) * chain, const struct profile_sink *sink);
/*
 * Roots among those sent: known ones, which may differ from the known copy in serial number,
 * validity and signature only (TC-06).
 */
void profile_roots(STACK_OF(X509) * sent, X509_STORE *known, const struct profile_sink *sink);
/* All of these, on a path that OpenSSL has found good. */
void profile_path(X509_STORE_CTX *path, const struct profile_sink *sink);
