#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/esp.h"
#include "crypto/iv_stream.h"
#include "tests/support/test.h"

#define N_IVS 100000

struct iv {
	uint8_t b[ESP_MAX_IV];
};

static int iv_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct iv));
}

static void engine_ivs_never_repeat(void **state)
{
	struct iv *ivs = calloc(2 * N_IVS, sizeof(*ivs));
	struct esp_engine *e[2];
	unsigned ones = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(esp_engine_alloc(&e[i], (enum esp_backend)i), 0);
	for (unsigned i = 0; i < 2 * N_IVS; i++)
		iv_stream_take(esp_engine_ivs(e[i % 2]), ivs[i].b, sizeof(ivs[i].b));
	for (unsigned i = 0; i < N_IVS; i++)
		for (unsigned k = 0; k < ESP_MAX_IV; k++)
			ones += (unsigned)__builtin_popcount(ivs[i].b[k]);
	/* half of 12.8 million bits, give or take eight standard deviations */
	assert_in_range(ones, N_IVS * 64 - 14400, N_IVS * 64 + 14400);
	qsort(ivs, 2 * N_IVS, sizeof(*ivs), iv_compare);
	for (unsigned i = 1; i < 2 * N_IVS; i++)
		assert_memory_not_equal(&ivs[i - 1], &ivs[i], sizeof(ivs[i]));
	for (unsigned i = 0; i < 2; i++)
		esp_engine_free(e[i]);
	free(ivs);
}

static void writes_len_octets_and_no_more(void **state)
{
	struct esp_engine *e;
	uint8_t buf[32];

	(void)state;
	assert_int_equal(esp_engine_alloc(&e, ESP_BACKEND_IPSEC_MB), 0);
	for (unsigned i = 0; i < 3000; i++) {
		unsigned len = i % (ESP_MAX_IV + 1);

		memset(buf, 0x5a, sizeof(buf));
		iv_stream_take(esp_engine_ivs(e), buf + 8, len);
		for (unsigned k = 0; k < sizeof(buf); k++)
			if (k < 8 || k >= 8 + len)
				assert_int_equal(buf[k], 0x5a);
	}
	esp_engine_free(e);
}

/* Octets of AES-128 in counter mode from 0, by libcrypto */
static void counter_mode(uint8_t *out, int len, const uint8_t *key)
{
	static const uint8_t start[16];
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n;

	memset(out, 0, (size_t)len);
	assert_int_equal(EVP_EncryptInit_ex(c, EVP_aes_128_ctr(), NULL, key, start), 1);
	assert_int_equal(EVP_EncryptUpdate(c, out, &n, out, len), 1);
	EVP_CIPHER_CTX_free(c);
}

/* Each refill is the stream of the key before; the key itself is replaced and never given out. */
static void refill_replaces_the_key(void **state)
{
	uint8_t expected[IV_STREAM_LEN], got[IV_STREAM_LEN - IV_STREAM_KEY_LEN];
	struct iv_stream s;

	(void)state;
	assert_int_equal(iv_stream_init(&s), 0);
	for (unsigned round = 0; round < 3; round++) {
		iv_stream_take(&s, got, sizeof(s.block) - s.used);
		counter_mode(expected, sizeof(expected), s.block);
		iv_stream_take(&s, got, sizeof(got));
		assert_memory_equal(got, expected + IV_STREAM_KEY_LEN, sizeof(got));
		assert_memory_equal(s.block, expected, IV_STREAM_KEY_LEN);
	}
	iv_stream_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine_ivs_never_repeat),
		cmocka_unit_test(writes_len_octets_and_no_more),
		cmocka_unit_test(refill_replaces_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
