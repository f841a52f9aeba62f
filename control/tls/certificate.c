/* A server's certificate, before UEs see it. */
#include <errno.h>
#include <stdio.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "control/tls/inside.h"
#include "control/tls/profile.h"
#include "ip.h"

/* ---- at the start ------------------------------------------------------------------------- */

static void fault_keep(void *arg, int code, const char *what)
{
	char *why = arg;

	(void)code;
	if (!*why)
		snprintf(why, TLS_WHY, "the certificate is not one for a P-CSCF: %s", what);
}

static void check_time(X509 *cert, const struct profile_sink *sink)
{
	if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
		sink->fault(sink->arg, X509_V_ERR_CERT_NOT_YET_VALID, "it is not valid yet");
	if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
		sink->fault(sink->arg, X509_V_ERR_CERT_HAS_EXPIRED, "it has expired");
}

/* As far as a chain goes that ends where it may: the root need not be in it. */
static void check_alone(STACK_OF(X509) * chain, const struct profile_sink *sink)
{
	X509 *own = sk_X509_value(chain, 0);

	check_time(own, sink);
	if (X509_get_extension_flags(own) & EXFLAG_SS)
		sink->fault(sink->arg, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
			    "it is self-signed: UEs would not trust it");
	for (int i = 1; i < sk_X509_num(chain); i++) {
		check_time(sk_X509_value(chain, i), sink);
		if (!(X509_get_extension_flags(sk_X509_value(chain, i)) & EXFLAG_CA))
			sink->fault(sink->arg, X509_V_ERR_INVALID_CA,
				    "an issuer in the file is no CA");
	}
	profile_leaf(own, sink);
	profile_chain(chain, sink);
}

int tls_certificate_fits(SSL_CTX *ctx, bool legacy, char *why)
{
	const struct profile_sink sink = {fault_keep, why, legacy};
	STACK_OF(X509) *sent = NULL, *chain = sk_X509_new_null();

	*why = '\0';
	SSL_CTX_get_extra_chain_certs(ctx, &sent);
	if (!chain || !sk_X509_push(chain, SSL_CTX_get0_certificate(ctx)))
		snprintf(why, TLS_WHY, "out of memory");
	for (int i = 0; !*why && i < sk_X509_num(sent); i++)
		if (!sk_X509_push(chain, sk_X509_value(sent, i)))
			snprintf(why, TLS_WHY, "out of memory");
	if (!*why)
		check_alone(chain, &sink);
	sk_X509_free(chain);
	ERR_clear_error();
	return *why ? -EINVAL : 0;
}

/* ---- for operators ------------------------------------------------------------------------ */

struct check {
	tls_fault_h *fault;
	void *arg;
	int n;
};

static void fault_pass(void *arg, int code, const char *what)
{
	struct check *k = arg;

	(void)code;
	k->n++;
	k->fault(k->arg, what);
}

/* As SSL_CTX_use_certificate_chain_file() has it: one that cannot be read is not the end. */
static bool ended_well(void)
{
	unsigned long code = ERR_peek_last_error();

	return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

static STACK_OF(X509) * chain_read(const char *file, char *why)
{
	BIO *b = BIO_new_file(file, "r");
	STACK_OF(X509) *chain = sk_X509_new_null();
	X509 *c;

	ERR_clear_error();
	while (b && chain && (c = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		if (!sk_X509_push(chain, c)) {
			X509_free(c);
			break;
		}
	BIO_free(b);
	if (sk_X509_num(chain) > 0 && ended_well()) {
		ERR_clear_error();
		return chain;
	}
	sk_X509_pop_free(chain, X509_free);
	tls_why(why, file);
	return NULL;
}

/* Goes on after faults, so that all are told. */
static int verify_told(int ok, X509_STORE_CTX *path)
{
	struct check *k = X509_STORE_CTX_get_app_data(path);

	if (ok != 1)
		fault_pass(k, 0, X509_verify_cert_error_string(X509_STORE_CTX_get_error(path)));
	return 1;
}

static int store_make(const struct tls_check *what, X509_STORE **storep, char *why)
{
	X509_STORE *store = X509_STORE_new();
	const char *bad = NULL;

	if (!store)
		return -ENOMEM;
	if (X509_STORE_load_file(store, what->ca) != 1)
		bad = what->ca;
	else if (what->crl && X509_STORE_load_file(store, what->crl) != 1)
		bad = what->crl;
	if (what->crl)
		X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	if (!bad) {
		*storep = store;
		return 0;
	}
	X509_STORE_free(store);
	tls_why(why, bad);
	return -EINVAL;
}

static int check_path(const struct tls_check *what, STACK_OF(X509) * chain, struct check *k,
		      const struct profile_sink *sink, char *why)
{
	X509_STORE *store = NULL;
	X509_STORE_CTX *path = X509_STORE_CTX_new();
	int rc = path ? store_make(what, &store, why) : -ENOMEM;

	if (rc == 0 && X509_STORE_CTX_init(path, store, sk_X509_value(chain, 0), chain) != 1)
		rc = -ENOMEM;
	if (rc == 0) {
		X509_STORE_CTX_set_default(path, "ssl_server");
		X509_STORE_CTX_set_app_data(path, k);
		X509_STORE_CTX_set_verify_cb(path, verify_told);
		if (X509_verify_cert(path) < 0)
			rc = -ENOMEM;
		else
			profile_path(path, sink);
	}
	X509_STORE_CTX_free(path);
	X509_STORE_free(store);
	return rc;
}

static void check_name(X509 *cert, const char *name, const struct profile_sink *sink)
{
	struct ip_addr addr;
	int rc = ip_addr_parse(&addr, name) == 0 ? X509_check_ip_asc(cert, name, 0)
						 : X509_check_host(cert, name, 0, 0, NULL);

	if (rc != 1)
		sink->fault(sink->arg, X509_V_ERR_HOSTNAME_MISMATCH, "it is not for that name");
}

int tls_certificate_check(const struct tls_check *what, tls_fault_h *fault, void *arg, char *why)
{
	struct check k = {fault, arg, 0};
	const struct profile_sink sink = {fault_pass, &k, what->legacy};
	STACK_OF(X509) *chain = chain_read(what->certificate, why);
	int rc = 0;

	if (!chain)
		return -EINVAL;
	snprintf(why, TLS_WHY, "out of memory");
	if (what->ca)
		rc = check_path(what, chain, &k, &sink, why);
	else
		check_alone(chain, &sink);
	if (rc == 0 && what->name)
		check_name(sk_X509_value(chain, 0), what->name, &sink);
	sk_X509_pop_free(chain, X509_free);
	ERR_clear_error();
	return rc < 0 ? rc : k.n;
}
