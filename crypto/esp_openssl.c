/* ESP by libcrypto, one packet after the other: the reference for the fast path. */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto/esp_engine.h"

enum { OUTBOUND, INBOUND, DIRECTIONS };

struct __attribute__((may_alias)) ossl_key {
	const struct esp_suite *suite;
	enum sa_integ integ;
	enum sa_encr encr;
	struct sa_keys raw;
};

_Static_assert(sizeof(struct ossl_key) <= sizeof(struct esp_key), "room in the caller's slab");

/* Contexts with the algorithm set; each packet brings its key. No cipher for NULL. */
struct ossl_engine {
	struct esp_engine base;
	EVP_MAC_CTX *mac[SA_INTEG_COUNT];
	EVP_CIPHER_CTX *cipher[SA_ENCR_COUNT][DIRECTIONS];
};

static struct ossl_engine *ossl_engine(struct esp_engine *e)
{
	return (struct ossl_engine *)e;
}

static void ossl_key_expand(struct esp_key *opaque, enum sa_integ integ, enum sa_encr encr,
			    const struct sa_keys *raw)
{
	struct ossl_key *key = (struct ossl_key *)opaque;

	key->suite = esp_suite(integ, encr);
	key->integ = integ;
	key->encr = encr;
	key->raw = *raw;
}

/* ---- packets ------------------------------------------------------------------------------ */

static bool icv_make(struct ossl_engine *e, const struct ossl_key *key, const struct esp_job *job,
		     uint8_t mac[EVP_MAX_MD_SIZE])
{
	EVP_MAC_CTX *ctx = e->mac[key->integ];
	size_t mac_len;

	return EVP_MAC_init(ctx, key->raw.integ, key->suite->integ_key_len, NULL) == 1 &&
	       EVP_MAC_update(ctx, job->esp, job->len) == 1 &&
	       EVP_MAC_final(ctx, mac, &mac_len, EVP_MAX_MD_SIZE) == 1 && mac_len >= ESP_ICV_LEN;
}

static bool cipher_run(struct ossl_engine *e, const struct ossl_key *key, const struct esp_job *job,
		       unsigned len)
{
	EVP_CIPHER_CTX *ctx = e->cipher[key->encr][job->inbound ? INBOUND : OUTBOUND];
	const uint8_t *iv = job->esp + ESP_HEADER_LEN;
	uint8_t *text = job->esp + ESP_HEADER_LEN + key->suite->iv_len;
	int out_len;

	if (!ctx)
		return true;
	return EVP_CipherInit_ex2(ctx, NULL, key->raw.encr, iv, -1, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
	       EVP_CipherUpdate(ctx, text, &out_len, text, (int)len) == 1 &&
	       (unsigned)out_len == len;
}

static enum esp_status job_protect(struct ossl_engine *e, const struct ossl_key *key,
				   const struct esp_job *job, unsigned len)
{
	uint8_t mac[EVP_MAX_MD_SIZE];

	if (!cipher_run(e, key, job, len) || !icv_make(e, key, job, mac))
		return ESP_ERROR;
	memcpy(job->esp + job->len, mac, ESP_ICV_LEN);
	return ESP_OK;
}

static enum esp_status job_open(struct ossl_engine *e, const struct ossl_key *key,
				const struct esp_job *job, unsigned len)
{
	uint8_t mac[EVP_MAX_MD_SIZE];

	if (!icv_make(e, key, job, mac))
		return ESP_ERROR;
	if (!esp_icv_eq(mac, job->esp + job->len))
		return ESP_BAD_ICV;
	return cipher_run(e, key, job, len) ? ESP_OK : ESP_ERROR;
}

static enum esp_status job_run(struct ossl_engine *e, const struct esp_job *job)
{
	const struct ossl_key *key = (const struct ossl_key *)job->key;
	unsigned len = esp_cipher_len(job, key->suite->iv_len, key->suite->block_len);

	if (len == 0)
		return ESP_ERROR;
	return job->inbound ? job_open(e, key, job, len) : job_protect(e, key, job, len);
}

static unsigned ossl_submit(struct esp_engine *base, struct esp_job *const *jobs, unsigned n,
			    struct esp_job **done)
{
	for (unsigned i = 0; i < n; i++) {
		jobs[i]->status = job_run(ossl_engine(base), jobs[i]);
		done[i] = jobs[i];
	}
	return n;
}

static unsigned ossl_flush(struct esp_engine *base, struct esp_job **done)
{
	(void)base;
	(void)done;
	return 0;
}

static unsigned ossl_in_flight(const struct esp_engine *base)
{
	(void)base;
	return 0;
}

/* ---- engine ------------------------------------------------------------------------------- */

static EVP_MAC_CTX *mac_make(const char *digest)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
		OSSL_PARAM_construct_end(),
	};

	EVP_MAC_free(hmac);
	if (ctx && EVP_MAC_CTX_set_params(ctx, params) != 1) {
		EVP_MAC_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

static EVP_CIPHER_CTX *cipher_make(const char *name, bool encrypt)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;

	if (ctx && EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, encrypt, NULL) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		ctx = NULL;
	}
	EVP_CIPHER_free(cipher);
	return ctx;
}

static void ossl_free(struct esp_engine *base)
{
	struct ossl_engine *e = ossl_engine(base);

	for (unsigned i = 0; i < SA_INTEG_COUNT; i++)
		EVP_MAC_CTX_free(e->mac[i]);
	for (unsigned i = 0; i < SA_ENCR_COUNT; i++)
		for (unsigned d = 0; d < DIRECTIONS; d++)
			EVP_CIPHER_CTX_free(e->cipher[i][d]);
	esp_engine_memory_free(e, sizeof(*e));
}

static bool contexts_make(struct ossl_engine *e)
{
	e->mac[SA_INTEG_HMAC_SHA_1_96] = mac_make("SHA1");
	e->mac[SA_INTEG_HMAC_MD5_96] = mac_make("MD5");
	for (unsigned d = 0; d < DIRECTIONS; d++) {
		e->cipher[SA_ENCR_AES_CBC][d] = cipher_make("AES-128-CBC", d == OUTBOUND);
		e->cipher[SA_ENCR_DES_EDE3_CBC][d] = cipher_make("DES-EDE3-CBC", d == OUTBOUND);
		if (!e->cipher[SA_ENCR_AES_CBC][d] || !e->cipher[SA_ENCR_DES_EDE3_CBC][d])
			return false;
	}
	return e->mac[SA_INTEG_HMAC_SHA_1_96] && e->mac[SA_INTEG_HMAC_MD5_96];
}

static int ossl_alloc(struct esp_engine **ep)
{
	struct ossl_engine *e = esp_engine_memory_alloc(sizeof(*e));

	if (!e)
		return -ENOMEM;
	if (!contexts_make(e)) {
		ossl_free(&e->base);
		return -ENOTSUP;
	}
	*ep = &e->base;
	return 0;
}

const struct esp_backend_ops esp_openssl_ops = {
	.key_expand = ossl_key_expand,
	.alloc = ossl_alloc,
	.free = ossl_free,
	.submit = ossl_submit,
	.flush = ossl_flush,
	.in_flight = ossl_in_flight,
};
