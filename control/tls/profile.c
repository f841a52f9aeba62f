#include "control/tls/profile.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "ip.h"

#define RSA_BITS	2048
#define RSA_BITS_LEGACY 1024
#define NAME_MAX_LEN	253 /* RFC 1035 */

static void tell(const struct profile_sink *sink, int code, const char *what)
{
	sink->fault(sink->arg, code, what);
}

/* ---- subject ------------------------------------------------------------------------------ */

static bool has_value(const X509_NAME *name, int nid)
{
	int at = X509_NAME_get_index_by_NID(name, nid, -1);

	return at >= 0 &&
	       ASN1_STRING_length(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))) > 0;
}

/* A host name of two labels or more, by letters, digits and hyphens; no address. */
static bool is_fqdn(const unsigned char *p, size_t n)
{
	char text[NAME_MAX_LEN + 1];
	struct ip_addr addr;
	bool dot = false;

	if (n == 0 || n > NAME_MAX_LEN)
		return false;
	for (size_t i = 0, label = 0; i < n; i++) {
		bool end = p[i] == '.', hyphen = p[i] == '-';

		if (!end && !hyphen && !(p[i] >= '0' && p[i] <= '9') &&
		    !((p[i] | 32) >= 'a' && (p[i] | 32) <= 'z'))
			return false;
		if ((end || hyphen) && label == 0)
			return false;
		label = end ? 0 : label + 1;
		dot = dot || end;
		text[i] = (char)p[i];
	}
	text[n] = '\0';
	return dot && p[n - 1] != '.' && p[n - 1] != '-' && ip_addr_parse(&addr, text) != 0;
}

static void check_subject(X509 *cert, const struct profile_sink *sink)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	const ASN1_STRING *cn;

	if (!has_value(name, NID_countryName))
		tell(sink, X509_V_ERR_CERT_REJECTED, "the subject has no country (C)");
	if (!has_value(name, NID_organizationName))
		tell(sink, X509_V_ERR_CERT_REJECTED, "the subject has no organization (O)");
	if (at < 0) {
		tell(sink, X509_V_ERR_CERT_REJECTED, "the subject has no common name (CN)");
		return;
	}
	if (X509_NAME_get_index_by_NID(name, NID_commonName, at) >= 0)
		tell(sink, X509_V_ERR_CERT_REJECTED, "the subject has more than one CN");
	cn = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
	if (!is_fqdn(ASN1_STRING_get0_data(cn), (size_t)ASN1_STRING_length(cn)))
		tell(sink, X509_V_ERR_CERT_REJECTED, "CN is not one fully qualified host name");
}

/* ---- key and usage ------------------------------------------------------------------------ */

static void check_key(X509 *cert, const struct profile_sink *sink)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);

	if (!key)
		tell(sink, X509_V_ERR_CERT_REJECTED, "the public key cannot be read");
	else if (EVP_PKEY_is_a(key, "RSA") &&
		 EVP_PKEY_get_bits(key) < (sink->legacy ? RSA_BITS_LEGACY : RSA_BITS))
		tell(sink, X509_V_ERR_EE_KEY_TOO_SMALL,
		     sink->legacy ? "the RSA key has less than 1024 bits"
				  : "the RSA key has less than 2048 bits");
}

static void check_usage(X509 *cert, const struct profile_sink *sink)
{
	uint32_t flags = X509_get_extension_flags(cert);

	if (flags & EXFLAG_CA)
		tell(sink, X509_V_ERR_INVALID_PURPOSE, "it is a CA's certificate");
	if (!(flags & EXFLAG_KUSAGE))
		tell(sink, X509_V_ERR_INVALID_PURPOSE, "keyUsage is missing");
	else if (!(X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE))
		tell(sink, X509_V_ERR_INVALID_PURPOSE, "keyUsage has no digitalSignature");
	if (!(flags & EXFLAG_XKUSAGE))
		tell(sink, X509_V_ERR_INVALID_PURPOSE, "extendedKeyUsage is missing");
	else if (!(X509_get_extended_key_usage(cert) & XKU_SSL_SERVER))
		tell(sink, X509_V_ERR_INVALID_PURPOSE, "extendedKeyUsage has no serverAuth");
}

/* ---- one against the next ----------------------------------------------------------------- */

static bool same_der(int a_len, unsigned char *a, int b_len, unsigned char *b)
{
	bool same = a_len > 0 && a_len == b_len && memcmp(a, b, (size_t)a_len) == 0;

	OPENSSL_free(a);
	OPENSSL_free(b);
	return same;
}

static bool same_name(const X509_NAME *a, const X509_NAME *b)
{
	unsigned char *a_der = NULL, *b_der = NULL;
	int a_len = i2d_X509_NAME(a, &a_der), b_len = i2d_X509_NAME(b, &b_der);

	return same_der(a_len, a_der, b_len, b_der);
}

static void check_link(X509 *cert, X509 *issuer, const struct profile_sink *sink)
{
	const ASN1_OCTET_STRING *wanted = X509_get0_authority_key_id(cert);
	const ASN1_OCTET_STRING *has = X509_get0_subject_key_id(issuer);

	if (!same_name(X509_get_issuer_name(cert), X509_get_subject_name(issuer)))
		tell(sink, X509_V_ERR_CERT_REJECTED,
		     "an issuer's name is not, octet by octet, the subject of the next "
		     "certificate");
	if (wanted && (!has || ASN1_OCTET_STRING_cmp(wanted, has) != 0))
		tell(sink, X509_V_ERR_CERT_REJECTED,
		     "authorityKeyIdentifier is not the subjectKeyIdentifier of the next "
		     "certificate");
}

void profile_leaf(X509 *cert, const struct profile_sink *sink)
{
	check_subject(cert, sink);
	check_key(cert, sink);
	check_usage(cert, sink);
	if (!X509_get0_authority_key_id(cert))
		tell(sink, X509_V_ERR_CERT_REJECTED, "authorityKeyIdentifier is missing");
}

void profile_chain(STACK_OF(X509) * chain, const struct profile_sink *sink)
{
	for (int i = 0; i + 1 < sk_X509_num(chain); i++)
		check_link(sk_X509_value(chain, i), sk_X509_value(chain, i + 1), sink);
}

/* ---- roots -------------------------------------------------------------------------------- */

static bool same_extensions(const X509 *a, const X509 *b)
{
	unsigned char *a_der = NULL, *b_der = NULL;
	int a_len, b_len;

	if (!X509_get0_extensions(a) || !X509_get0_extensions(b))
		return !X509_get0_extensions(a) && !X509_get0_extensions(b);
	a_len = i2d_X509_EXTENSIONS(X509_get0_extensions(a), &a_der);
	b_len = i2d_X509_EXTENSIONS(X509_get0_extensions(b), &b_der);
	return same_der(a_len, a_der, b_len, b_der);
}

static bool same_key(const X509 *a, const X509 *b)
{
	unsigned char *a_der = NULL, *b_der = NULL;
	int a_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(a), &a_der);
	int b_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(b), &b_der);

	return same_der(a_len, a_der, b_len, b_der);
}

/* But for serial number, validity and the signature's value. */
static bool same_root(const X509 *a, const X509 *b)
{
	const X509_ALGOR *a_alg, *b_alg;

	X509_get0_signature(NULL, &a_alg, a);
	X509_get0_signature(NULL, &b_alg, b);
	return X509_get_version(a) == X509_get_version(b) && X509_ALGOR_cmp(a_alg, b_alg) == 0 &&
	       X509_ALGOR_cmp(X509_get0_tbs_sigalg(a), X509_get0_tbs_sigalg(b)) == 0 &&
	       same_name(X509_get_subject_name(a), X509_get_subject_name(b)) &&
	       same_name(X509_get_issuer_name(a), X509_get_issuer_name(b)) && same_key(a, b) &&
	       same_extensions(a, b);
}

static bool known_root(const X509 *root, X509_STORE *known)
{
	STACK_OF(X509) *all = X509_STORE_get1_all_certs(known);
	bool found = false;

	for (int i = 0; !found && i < sk_X509_num(all); i++)
		found = same_root(root, sk_X509_value(all, i));
	sk_X509_pop_free(all, X509_free);
	return found;
}

void profile_roots(STACK_OF(X509) * sent, X509_STORE *known, const struct profile_sink *sink)
{
	for (int i = 0; i < sk_X509_num(sent); i++) {
		X509 *c = sk_X509_value(sent, i);

		if ((X509_get_extension_flags(c) & EXFLAG_SS) && !known_root(c, known))
			tell(sink, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
			     "a root is sent that is not known, or differs from the known one");
	}
}

void profile_path(X509_STORE_CTX *path, const struct profile_sink *sink)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(path);

	profile_leaf(X509_STORE_CTX_get0_cert(path), sink);
	profile_chain(chain, sink);
	profile_roots(X509_STORE_CTX_get0_untrusted(path), X509_STORE_CTX_get0_store(path), sink);
}
