#define NO_COMPAT_IMB_API_053 /* its short names are not for us */
#include <intel-ipsec-mb.h>

#include "bench/bench_floor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>

#include "crypto/esp.h"

#define FLOOR_BUFFERS 64   /* in flight */
#define FLOOR_STRIDE  2112 /* no power of two, so that the packets do not share cache sets */
#define UDP_LEN	      8

struct floor {
	IMB_MGR *mgr;
	IMB_JOB job; /* what all have in common */
	unsigned at;
	_Alignas(64) uint8_t aes_enc[16 * 11], aes_dec[16 * 11];
	_Alignas(16) uint8_t ipad[20], opad[20];
	_Alignas(16) uint64_t des[IMB_DES_KEY_SCHED_SIZE / 8];
	const void *des_keys[3];
	uint8_t tag[FLOOR_BUFFERS][IMB_MAX_TAG_LEN];
	_Alignas(64) uint8_t buffer[FLOOR_BUFFERS][FLOOR_STRIDE];
};

static void floor_keys(struct floor *f)
{
	static const uint8_t raw[64] = {1, 2, 3, 4, 5, 6, 7, 8};

	IMB_AES_KEYEXP_128(f->mgr, raw, f->aes_enc, f->aes_dec);
	IMB_DES_KEYSCHED(f->mgr, f->des, raw);
	IMB_SHA1_ONE_BLOCK(f->mgr, raw, f->ipad);
	IMB_SHA1_ONE_BLOCK(f->mgr, raw, f->opad);
	for (unsigned i = 0; i < 3; i++)
		f->des_keys[i] = f->des;
}

static void floor_cipher(struct floor *f, enum sa_encr encr)
{
	IMB_JOB *j = &f->job;

	switch (encr) {
	case SA_ENCR_AES_CBC:
		j->cipher_mode = IMB_CIPHER_CBC;
		j->key_len_in_bytes = IMB_KEY_128_BYTES;
		j->enc_keys = f->aes_enc;
		j->dec_keys = f->aes_dec;
		break;
	case SA_ENCR_DES_EDE3_CBC:
		j->cipher_mode = IMB_CIPHER_DES3;
		j->key_len_in_bytes = 24;
		j->enc_keys = f->des_keys;
		j->dec_keys = f->des_keys;
		break;
	default:
		j->cipher_mode = IMB_CIPHER_NULL;
	}
}

/* Octets that the cipher sees of a plain IP packet: with trailer, in whole blocks. */
static unsigned floor_cipher_len(const struct bench_options *o, unsigned block_len)
{
	unsigned ip = bench_plain_headers(o->ip) - UDP_LEN;
	unsigned inside = o->mode == SA_MODE_TRANSPORT ? o->size - ip : o->size;

	return (inside + 2 + block_len - 1) & ~(block_len - 1);
}

static void floor_template(struct floor *f, const struct bench_options *o)
{
	const struct esp_suite *suite = esp_suite(o->integ, o->encr);
	unsigned len = floor_cipher_len(o, suite->block_len);
	IMB_JOB *j = &f->job;

	floor_cipher(f, o->encr);
	j->cipher_start_src_offset_in_bytes = ESP_HEADER_LEN + suite->iv_len;
	j->msg_len_to_cipher_in_bytes = len;
	j->hash_start_src_offset_in_bytes = 0;
	j->msg_len_to_hash_in_bytes = ESP_HEADER_LEN + suite->iv_len + len;
	j->iv_len_in_bytes = suite->iv_len;
	j->auth_tag_output_len_in_bytes = ESP_ICV_LEN;
	j->u.HMAC._hashed_auth_key_xor_ipad = f->ipad;
	j->u.HMAC._hashed_auth_key_xor_opad = f->opad;
	j->hash_alg = o->integ == SA_INTEG_HMAC_SHA_1_96 ? IMB_AUTH_HMAC_SHA_1 : IMB_AUTH_MD5;
	j->cipher_direction = o->inbound ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;
	j->chain_order = o->inbound ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH;
}

static void floor_job(struct floor *f, IMB_JOB *j)
{
	uint8_t *packet = f->buffer[f->at];

	*j = f->job;
	j->src = packet;
	j->dst = packet + f->job.cipher_start_src_offset_in_bytes;
	j->iv = packet + ESP_HEADER_LEN;
	j->auth_tag_output = f->tag[f->at];
	f->at = (f->at + 1) % FLOOR_BUFFERS;
}

uint64_t floor_run(struct floor *f, unsigned n)
{
	uint64_t start = rte_rdtsc();

	for (unsigned i = 0; i < n; i++) {
		floor_job(f, IMB_GET_NEXT_JOB(f->mgr));
		if (!IMB_SUBMIT_JOB_NOCHECK(f->mgr))
			continue;
		while (IMB_GET_COMPLETED_JOB(f->mgr))
			;
	}
	return rte_rdtsc() - start;
}

int floor_alloc(struct floor **fp, const struct bench_options *o)
{
	struct floor *f = aligned_alloc(64, (sizeof(*f) + 63) & ~(size_t)63);

	if (!f)
		return -ENOMEM;
	memset(f, 0, sizeof(*f));
	f->mgr = alloc_mb_mgr(0);
	if (!f->mgr) {
		free(f);
		return -ENOMEM;
	}
	init_mb_mgr_auto(f->mgr, NULL);
	floor_keys(f);
	floor_template(f, o);
	*fp = f;
	return 0;
}

void floor_free(struct floor *f)
{
	if (!f)
		return;
	while (IMB_FLUSH_JOB(f->mgr))
		;
	free_mb_mgr(f->mgr);
	free(f);
}
