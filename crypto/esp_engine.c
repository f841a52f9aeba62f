#include "crypto/esp_engine.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

static const struct esp_backend_ops *const backends[] = {
	[ESP_BACKEND_IPSEC_MB] = &esp_ipsec_mb_ops,
	[ESP_BACKEND_OPENSSL] = &esp_openssl_ops,
};

static const struct esp_backend_ops *backend_find(enum esp_backend backend)
{
	if ((unsigned)backend >= sizeof(backends) / sizeof(backends[0]))
		return NULL;
	return backends[backend];
}

int esp_key_expand(struct esp_key *key, enum esp_backend backend, enum sa_integ integ,
		   enum sa_encr encr, const struct sa_keys *raw)
{
	const struct esp_backend_ops *ops = backend_find(backend);

	if (!ops || !esp_suite(integ, encr))
		return -EINVAL;
	memset(key, 0, sizeof(*key));
	ops->key_expand(key, integ, encr, raw);
	return 0;
}

void esp_key_wipe(struct esp_key *key)
{
	sodium_memzero(key, sizeof(*key));
}

static size_t page_round(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n + page - 1) & ~(page - 1);
}

void *esp_engine_memory_alloc(size_t n)
{
	size_t size = page_round(n);
	void *p = aligned_alloc((size_t)sysconf(_SC_PAGESIZE), size);

	if (!p)
		return NULL;
	/* Under a low lock limit an engine still works; what is lost is only protection from swap.
	 */
	(void)sodium_mlock(p, size);
	memset(p, 0, size);
	return p;
}

void esp_engine_memory_free(void *p, size_t n)
{
	if (!p)
		return;
	sodium_munlock(p, page_round(n));
	free(p);
}

int esp_engine_alloc(struct esp_engine **ep, enum esp_backend backend)
{
	const struct esp_backend_ops *ops = backend_find(backend);
	int err;

	*ep = NULL;
	if (!ops)
		return -EINVAL;
	if (sodium_init() < 0)
		return -EIO;
	err = ops->alloc(ep);
	if (err)
		return err;
	(*ep)->ops = ops;
	err = iv_stream_init(&(*ep)->iv);
	if (err) {
		ops->free(*ep);
		*ep = NULL;
	}
	return err;
}

void esp_engine_free(struct esp_engine *e)
{
	if (!e)
		return;
	iv_stream_free(&e->iv);
	e->ops->free(e);
}

unsigned esp_engine_submit(struct esp_engine *e, struct esp_job *const *jobs, unsigned n,
			   struct esp_job **done)
{
	return e->ops->submit(e, jobs, n, done);
}

unsigned esp_engine_flush(struct esp_engine *e, struct esp_job **done)
{
	return e->ops->flush(e, done);
}

unsigned esp_engine_in_flight(const struct esp_engine *e)
{
	return e->ops->in_flight(e);
}

struct iv_stream *esp_engine_ivs(struct esp_engine *e)
{
	return &e->iv;
}
