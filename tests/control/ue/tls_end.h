/* The network's end of a UE's TLS connection. TLS itself is control/tls's: here a connection is a
 * flow. */
#pragma once

#include "tests/control/ue/harness.h"

#define TLS_CHALLENGE                                                                              \
	"WWW-Authenticate: Digest realm=\"home1.net\", nonce=\"n1\", algorithm=MD5\r\n"
/* password "geheim", nonce n1, no qop: by Python's hashlib */
#define TLS_PROOF "Authentication-Info: rspauth=\"aa91667a26530264438cd508a9173f6d\"\r\n"
#define TLS_SERVER                                                                                 \
	"Security-Server: tls;q=0.9, "                                                             \
	"ipsec-3gpp;q=0.1;alg=hmac-sha-1-96;spi-c=300;spi-s=301;port-c=400;port-s=401\r\n"
#define TLS_VERIFY                                                                                 \
	"tls;q=0.9, ipsec-3gpp;q=0.1;alg=hmac-sha-1-96;spi-c=300;spi-s=301;port-c=400;port-s=401"

struct ue_conf tls_conf(struct h *h, enum ue_security security);
struct h *tls_start(enum ue_security security);
struct sip_flow tls_flow(struct h *h, uint64_t session);
/* By a TLS connection, or (session 0) in clear. */
void tls_respond(struct h *h, const struct h_sent *to, uint64_t session, unsigned status,
		 const char *fields);
/* 200 to the last REGISTER, with proof. */
void tls_ok(struct h *h, uint64_t session);
void tls_request(struct h *h, const struct sip_flow *from, const char *method, const char *more);
void tls_assert(const struct h_sent *s, uint64_t session); /* it went by that connection */
void tls_assert_none(const struct h_sent *s);		   /* it went in clear */
/* SM1 to SM12; session is that of the connection that SM7 opens. */
void tls_register(struct h *h, uint64_t session);
