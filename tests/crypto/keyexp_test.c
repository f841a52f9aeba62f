#include <string.h>

#include "crypto/keyexp.h"
#include "tests/crypto/esp_packets.h"
#include "tests/support/vectors.h"

static const enum esp_backend backends[] = {ESP_BACKEND_IPSEC_MB, ESP_BACKEND_OPENSSL};

static enum sa_integ integ_of(const json_t *v)
{
	return strcmp(vectors_text(v, "alg"), "hmac-md5-96") == 0 ? SA_INTEG_HMAC_MD5_96
								  : SA_INTEG_HMAC_SHA_1_96;
}

static enum sa_encr encr_of(const json_t *v)
{
	return strcmp(vectors_text(v, "ealg"), "aes-cbc") == 0 ? SA_ENCR_AES_CBC
							       : SA_ENCR_DES_EDE3_CBC;
}

/* The message taken for an ESP packet under NULL encryption: its ICV is the HMAC of all of it. */
static void icv_check(const json_t *v, enum esp_backend backend, const struct sa_keys *keys)
{
	uint8_t message[256], icv[ESP_ICV_LEN];
	size_t len = vectors_hex(message, sizeof(message), v, "message");
	struct packet p;

	vectors_octets(icv, sizeof(icv), v, "icv");
	packet_make(&p, (unsigned)len);
	memcpy(p.octets, message, len);
	packet_key(&p, backend, integ_of(v), SA_ENCR_NULL, keys);
	packets_run(backend, &p, 1, 1, false);
	assert_int_equal(p.job.status, ESP_OK);
	assert_memory_equal(p.octets + len, icv, sizeof(icv));
	packet_free(&p);
}

/* covers: ES-06, ES-07, ES-09 */
static void integrity_keys(void **state)
{
	json_t *file = vectors_open("keyexp.json", "ims-keyexp"), *v;
	static const uint8_t zero[24];
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "integrity"), i, v)
	{
		uint8_t ik[16], ck[16] = {0xff}, expected[20] = {0};
		struct sa_keys keys;
		size_t len;

		vectors_octets(ik, sizeof(ik), v, "ik");
		len = vectors_hex(expected, sizeof(expected), v, "key");
		memset(&keys, 0xee, sizeof(keys));
		keyexp_esp(&keys, integ_of(v), SA_ENCR_NULL, ik, ck);
		assert_int_equal(esp_suite(integ_of(v), SA_ENCR_NULL)->integ_key_len, len);
		assert_memory_equal(keys.integ, expected, len);
		assert_memory_equal(keys.encr, zero, sizeof(keys.encr)); /* NULL: none of CK */
		for (unsigned b = 0; b < N_OF(backends); b++)
			icv_check(v, backends[b], &keys);
	}
	json_decref(file);
}

static void ciphertext_check(const json_t *v, enum esp_backend backend, const struct sa_keys *keys)
{
	uint8_t iv[ESP_MAX_IV], message[256], ciphertext[256];
	size_t iv_len = vectors_hex(iv, sizeof(iv), v, "iv");
	size_t len = vectors_hex(message, sizeof(message), v, "message");
	unsigned off = ESP_HEADER_LEN + (unsigned)iv_len;
	struct packet p;

	vectors_octets(ciphertext, len, v, "ciphertext");
	packet_make(&p, off + (unsigned)len);
	memcpy(p.octets + ESP_HEADER_LEN, iv, iv_len);
	memcpy(p.octets + off, message, len);
	packet_key(&p, backend, SA_INTEG_HMAC_SHA_1_96, encr_of(v), keys);
	packets_run(backend, &p, 1, 1, false);
	assert_int_equal(p.job.status, ESP_OK);
	assert_memory_equal(p.octets + off, ciphertext, len);
	packet_free(&p);
}

/* covers: ES-06, ES-15 */
static void encryption_keys(void **state)
{
	json_t *file = vectors_open("keyexp.json", "ims-keyexp"), *v;
	size_t i;

	(void)state;
	json_array_foreach(vectors_list(file, "encryption"), i, v)
	{
		uint8_t ik[16] = {0xff}, ck[16], expected[24] = {0};
		struct sa_keys keys;
		size_t len;

		vectors_octets(ck, sizeof(ck), v, "ck");
		len = vectors_hex(expected, sizeof(expected), v, "key");
		memset(&keys, 0xee, sizeof(keys));
		keyexp_esp(&keys, SA_INTEG_HMAC_SHA_1_96, encr_of(v), ik, ck);
		assert_int_equal(esp_suite(SA_INTEG_HMAC_SHA_1_96, encr_of(v))->encr_key_len, len);
		if (memcmp(keys.encr, expected, len) != 0)
			fail_msg("%s: key differs", vectors_id(v));
		for (unsigned b = 0; b < N_OF(backends); b++)
			ciphertext_check(v, backends[b], &keys);
	}
	json_decref(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integrity_keys),
		cmocka_unit_test(encryption_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
