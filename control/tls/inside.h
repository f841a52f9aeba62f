/* Inside of tls/. */
#pragma once

#include <openssl/ssl.h>

#include "control/tls/tls.h"

struct tls {
	SSL_CTX *ctx;	    /* of connections to come */
	BIO_METHOD *octets; /* between OpenSSL and the stream (filter.c) */
	bool server;
	struct tls_server_conf conf; /* its strings are ours */
	char *name;		     /* client: whom we expect */
	bool name_is_address;
	bool legacy;
	tls_trouble_h *trouble;
	void *arg;
	struct tls_counters counters;
};

/* ---- filter.c */
BIO_METHOD *tls_octets_make(void);

struct tls_conn;
/* A connection's certificates: the profile, where OpenSSL is content (X509_STORE_CTX_verify_cb). */
int tls_conn_verify(int ok, X509_STORE_CTX *path);

/* ---- certificate.c */
/* Of the server, with the key and the chain it comes with, against the profile: -EINVAL. */
int tls_certificate_fits(SSL_CTX *ctx, bool legacy, char *why);

/* ---- reason.c: OpenSSL's queue of errors; in words, and emptied */
void tls_why(char *why, const char *what);
enum tls_failure tls_failure_now(void);
