/* Between esp_engine.c and the back ends: not for callers of crypto/esp.h. */
#pragma once

#include <string.h>

#include "crypto/esp.h"
#include "crypto/iv_stream.h"

/* The caller of a key or engine function names the back end once; each object then knows its own.
 */
struct esp_backend_ops {
	void (*key_expand)(struct esp_key *key, enum sa_integ integ, enum sa_encr encr,
			   const struct sa_keys *raw);
	int (*alloc)(struct esp_engine **ep);
	void (*free)(struct esp_engine *e);
	unsigned (*submit)(struct esp_engine *e, struct esp_job *const *jobs, unsigned n,
			   struct esp_job **done);
	unsigned (*flush)(struct esp_engine *e, struct esp_job **done);
	unsigned (*in_flight)(const struct esp_engine *e);
};

extern const struct esp_backend_ops esp_ipsec_mb_ops;
extern const struct esp_backend_ops esp_openssl_ops;

/* First member of every back end's engine. */
struct esp_engine {
	const struct esp_backend_ops *ops;
	struct iv_stream iv;
};

/* Page-aligned, locked and zeroed memory for an engine; NULL when out of memory. */
void *esp_engine_memory_alloc(size_t n);
void esp_engine_memory_free(void *p, size_t n); /* wipes; p may be NULL */

/*
 * Octets to encrypt or decrypt, or 0 if the packet is not whole blocks: the rest of the packet
 * after header and IV must be at least one block (RFC 4303 2.4).
 */
static inline unsigned esp_cipher_len(const struct esp_job *job, unsigned iv_len,
				      unsigned block_len)
{
	unsigned head = ESP_HEADER_LEN + iv_len;

	if (job->len <= head || ((job->len - head) & (block_len - 1)) != 0)
		return 0;
	return job->len - head;
}

/* Constant time: no branch and no access depends on the contents. */
static inline bool esp_icv_eq(const uint8_t *a, const uint8_t *b)
{
	uint64_t a0, b0;
	uint32_t a1, b1;

	memcpy(&a0, a, sizeof(a0));
	memcpy(&b0, b, sizeof(b0));
	memcpy(&a1, a + sizeof(a0), sizeof(a1));
	memcpy(&b1, b + sizeof(b0), sizeof(b1));
	return ((a0 ^ b0) | (a1 ^ b1)) == 0;
}
