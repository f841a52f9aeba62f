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
	tls_trouble_h *trouble;
	void *arg;
	struct tls_counters counters;
};

/* ---- filter.c */
BIO_METHOD *tls_octets_make(void);

/* ---- reason.c: OpenSSL's queue of errors in words, and emptied */
void tls_why(char *why, const char *what);
