/* What both ends allow: versions, suites, sessions, certificates. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "control/tls/inside.h"
#include "ip.h"

/* TS 33.310 Annex E: forward secrecy and authenticated encryption. */
#define SUITES "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM"
/* The RSA suites of the seed, at a security level that lets them be (C-16). Debian's library has no
 * 3DES suite any more. */
#define LEGACY_SUITES ":AES128-SHA:DES-CBC3-SHA"
#define NULL_SUITES   ":ECDHE-ECDSA-NULL-SHA:ECDHE-RSA-NULL-SHA:NULL-SHA256"
#define LEVEL_0	      ":@SECLEVEL=0"

static int fail(char *why, const char *what)
{
	tls_why(why, what);
	return -EINVAL;
}

static SSL_CTX *ctx_make(bool server, const char *suites, bool legacy)
{
	SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* an idle connection holds no buffers */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_set_min_proto_version(ctx, legacy ? TLS1_VERSION : TLS1_2_VERSION) == 1 &&
	    SSL_CTX_set_cipher_list(ctx, suites) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* ---- the server's ------------------------------------------------------------------------- */

static bool sessions_set(SSL_CTX *ctx, uint32_t seconds)
{
	static const unsigned char id[] = "esplanade";

	if (!seconds) {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
		return SSL_CTX_set_num_tickets(ctx, 0) == 1;
	}
	SSL_CTX_set_timeout(ctx, seconds);
	return SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1) == 1 &&
	       SSL_CTX_set_num_tickets(ctx, 1) == 1;
}

static int server_ctx(const struct tls_server_conf *c, SSL_CTX **ctxp, char *why)
{
	char suites[1024];
	SSL_CTX *ctx;
	int rc;

	snprintf(suites, sizeof(suites), "%s%s%s%s", c->suites ? c->suites : SUITES,
		 c->legacy ? LEGACY_SUITES : "", c->null_suites ? NULL_SUITES : "",
		 c->legacy || c->null_suites ? LEVEL_0 : "");
	ctx = ctx_make(true, suites, c->legacy);

	ERR_clear_error();
	if (!ctx)
		return fail(why, "TLS versions or suites");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL); /* TL-09 */
	if (SSL_CTX_use_certificate_chain_file(ctx, c->certificate) != 1)
		rc = fail(why, c->certificate);
	else if (SSL_CTX_use_PrivateKey_file(ctx, c->key, SSL_FILETYPE_PEM) != 1)
		rc = fail(why, c->key);
	else if (SSL_CTX_check_private_key(ctx) != 1)
		rc = fail(why, "the key is not the certificate's");
	else if (!c->any_certificate && tls_certificate_fits(ctx, c->legacy, why) < 0)
		rc = -EINVAL;
	else
		rc = sessions_set(ctx, c->session_seconds) ? 0 : fail(why, "TLS sessions");
	if (rc < 0)
		SSL_CTX_free(ctx);
	else
		*ctxp = ctx;
	return rc;
}

static char *copy(const char *s, bool *ok)
{
	char *c = s ? strdup(s) : NULL;

	*ok = *ok && (!s || c);
	return c;
}

static bool conf_copy(struct tls_server_conf *to, const struct tls_server_conf *from)
{
	bool ok = true;

	*to = *from;
	to->certificate = copy(from->certificate, &ok);
	to->key = copy(from->key, &ok);
	to->suites = copy(from->suites, &ok);
	return ok;
}

static struct tls *tls_make(bool server, tls_trouble_h *trouble, void *arg)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->server = server;
	t->trouble = trouble;
	t->arg = arg;
	t->octets = tls_octets_make();
	if (t->octets)
		return t;
	free(t);
	return NULL;
}

int tls_server_alloc(struct tls **tp, const struct tls_server_conf *conf, char *why)
{
	struct tls *t = tls_make(true, conf->trouble, conf->arg);
	int rc = -ENOMEM;

	snprintf(why, TLS_WHY, "out of memory");
	if (t && conf_copy(&t->conf, conf))
		rc = server_ctx(&t->conf, &t->ctx, why);
	if (rc < 0)
		tls_free(t);
	else
		*tp = t;
	return rc;
}

/* So tickets of before are good still: the lifetime of sessions is not that of certificates. */
static void tickets_keep(SSL_CTX *from, SSL_CTX *to)
{
	unsigned char keys[256];
	long n = SSL_CTX_get_tlsext_ticket_keys(from, NULL, 0);

	if (n > 0 && n <= (long)sizeof(keys) && SSL_CTX_get_tlsext_ticket_keys(from, keys, n) == 1)
		SSL_CTX_set_tlsext_ticket_keys(to, keys, n);
	OPENSSL_cleanse(keys, sizeof(keys));
}

int tls_server_reload(struct tls *t, char *why)
{
	SSL_CTX *ctx;
	int rc = server_ctx(&t->conf, &ctx, why);

	if (rc < 0)
		return rc;
	tickets_keep(t->ctx, ctx);
	SSL_CTX_free(t->ctx); /* lives on with its connections */
	t->ctx = ctx;
	return 0;
}

/* ---- the client's ------------------------------------------------------------------------- */

static bool crl_load(SSL_CTX *ctx, const char *file)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);

	return X509_STORE_load_file(store, file) == 1 &&
	       X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1;
}

/* TL-05: a hello has a suite with encryption, whatever stands in the configuration. */
static bool encrypts(SSL_CTX *ctx)
{
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);

	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++)
		if (SSL_CIPHER_get_cipher_nid(sk_SSL_CIPHER_value(all, i)) != NID_undef &&
		    SSL_CIPHER_get_bits(sk_SSL_CIPHER_value(all, i), NULL) > 0 &&
		    strcmp(SSL_CIPHER_get_version(sk_SSL_CIPHER_value(all, i)), "TLSv1.3") != 0)
			return true;
	return false;
}

static int client_ctx(const struct tls_client_conf *c, SSL_CTX **ctxp, char *why)
{
	char suites[1024];
	SSL_CTX *ctx;
	int rc = 0;

	snprintf(suites, sizeof(suites), "%s%s", c->suites ? c->suites : SUITES,
		 c->legacy ? LEGACY_SUITES LEVEL_0 : "");
	ctx = ctx_make(false, suites, c->legacy);

	ERR_clear_error();
	if (!ctx)
		return fail(why, "TLS versions or suites");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, tls_conn_verify);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF); /* TS-04 */
	if (!encrypts(ctx))
		rc = fail(why, "TLS suites: expected one with encryption as well");
	else if (SSL_CTX_load_verify_file(ctx, c->ca) != 1)
		rc = fail(why, c->ca);
	else if (c->crl && !crl_load(ctx, c->crl))
		rc = fail(why, c->crl);
	if (rc < 0)
		SSL_CTX_free(ctx);
	else
		*ctxp = ctx;
	return rc;
}

int tls_client_alloc(struct tls **tp, const struct tls_client_conf *conf, char *why)
{
	struct tls *t = tls_make(false, conf->trouble, conf->arg);
	struct ip_addr addr;
	int rc = -ENOMEM;

	snprintf(why, TLS_WHY, "out of memory");
	if (t)
		t->name = strdup(conf->name);
	if (t && t->name) {
		t->legacy = conf->legacy;
		t->name_is_address = ip_addr_parse(&addr, conf->name) == 0;
		rc = client_ctx(conf, &t->ctx, why);
	}
	if (rc < 0)
		tls_free(t);
	else
		*tp = t;
	return rc;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	SSL_CTX_free(t->ctx);
	BIO_meth_free(t->octets);
	free((char *)t->conf.certificate);
	free((char *)t->conf.key);
	free((char *)t->conf.suites);
	free(t->name);
	free(t);
}

const struct tls_counters *tls_counters(const struct tls *t)
{
	return &t->counters;
}
