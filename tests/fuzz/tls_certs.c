#include "tests/fuzz/tls_certs.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct extension {
	int nid;
	const char *value;
};

static const struct extension of_root[] = {
	{NID_basic_constraints, "critical,CA:TRUE"},
	{NID_key_usage, "critical,keyCertSign,cRLSign"},
	{NID_subject_key_identifier, "hash"},
	{0, NULL},
};

static const struct extension of_server[] = {
	{NID_basic_constraints, "CA:FALSE"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "serverAuth"},
	{NID_subject_alt_name, "DNS:pcscf.test"},
	{NID_subject_key_identifier, "hash"},
	{NID_authority_key_identifier, "keyid:always"},
	{0, NULL},
};

static void name_put(X509_NAME *name, const char *field, const char *value)
{
	assert(X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, (const unsigned char *)value,
					  -1, -1, 0) == 1);
}

/* Signed by `issuer` with `by`; NULL: by itself. */
static X509 *cert_make(EVP_PKEY *key, const char *cn, X509 *issuer, EVP_PKEY *by,
		       const struct extension *e)
{
	X509 *c = X509_new();
	X509_NAME *name = X509_get_subject_name(c);
	X509V3_CTX v3;

	assert(X509_set_version(c, 2) &&
	       ASN1_INTEGER_set(X509_get_serialNumber(c), issuer ? 2 : 1));
	X509_gmtime_adj(X509_getm_notBefore(c), -3600);
	X509_gmtime_adj(X509_getm_notAfter(c), 30L * 86400);
	name_put(name, "C", "XX");
	name_put(name, "O", "Test");
	name_put(name, "CN", cn);
	assert(X509_set_issuer_name(c, issuer ? X509_get_subject_name(issuer) : name));
	assert(X509_set_pubkey(c, key));
	X509V3_set_ctx(&v3, issuer ? issuer : c, c, NULL, NULL, 0);
	for (; e->value; e++) {
		X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, &v3, e->nid, e->value);

		assert(x && X509_add_ext(c, x, -1));
		X509_EXTENSION_free(x);
	}
	assert(X509_sign(c, by ? by : key, EVP_sha256()));
	return c;
}

static FILE *file_open(char *name, size_t size, const char *dir, const char *base)
{
	FILE *f;

	snprintf(name, size, "%s/%s", dir, base);
	f = fopen(name, "w");
	assert(f);
	return f;
}

static void cert_write(X509 *c, char *name, size_t size, const char *dir, const char *base)
{
	FILE *f = file_open(name, size, dir, base);

	assert(PEM_write_X509(f, c) == 1 && fclose(f) == 0);
}

void tls_certs_make(struct tls_certs *files, const char *dir)
{
	EVP_PKEY *root_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *root = cert_make(root_key, "root.test", NULL, NULL, of_root);
	X509 *server = cert_make(key, "pcscf.test", root, root_key, of_server);
	FILE *f;

	cert_write(root, files->root, sizeof(files->root), dir, "root.pem");
	cert_write(server, files->server, sizeof(files->server), dir, "server.pem");
	f = file_open(files->key, sizeof(files->key), dir, "server.key");
	assert(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL) == 1 && fclose(f) == 0);
	X509_free(root);
	X509_free(server);
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(key);
}

void tls_certs_remove(const struct tls_certs *files)
{
	unlink(files->root);
	unlink(files->server);
	unlink(files->key);
}
