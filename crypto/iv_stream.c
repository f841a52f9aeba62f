#include "crypto/iv_stream.h"

#include <sodium.h>
#include <stdlib.h>

#include "crypto/mb_manager.h"

/* One key makes one block of output, so the counter may start at zero. */
static const uint8_t start[IMB_AES_BLOCK_SIZE];

/* Cannot fail with a job as this one; an IV that is no IV must never get out. */
static void must(int ok)
{
	if (!ok)
		abort();
}

void iv_stream_refill(struct iv_stream *s)
{
	_Alignas(16) uint8_t schedule[11 * IMB_AES_BLOCK_SIZE], unused[11 * IMB_AES_BLOCK_SIZE];
	IMB_JOB job = {
		.cipher_mode = IMB_CIPHER_CNTR,
		.cipher_direction = IMB_DIR_ENCRYPT,
		.chain_order = IMB_ORDER_CIPHER_HASH,
		.hash_alg = IMB_AUTH_NULL,
		.enc_keys = schedule,
		.dec_keys = schedule,
		.key_len_in_bytes = IV_STREAM_KEY_LEN,
		.iv = start,
		.iv_len_in_bytes = sizeof(start),
		.src = s->block,
		.dst = s->block,
		.msg_len_to_cipher_in_bytes = sizeof(s->block),
	};

	IMB_AES_KEYEXP_128(s->mgr, s->block, schedule, unused);
	memset(s->block, 0, sizeof(s->block));
	must(IMB_SUBMIT_CIPHER_BURST(s->mgr, &job, 1, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
				     IMB_KEY_128_BYTES) == 1);
	must(job.status & IMB_STATUS_COMPLETED_CIPHER);
	sodium_memzero(schedule, sizeof(schedule));
	sodium_memzero(unused, sizeof(unused));
	s->used = IV_STREAM_KEY_LEN;
}

int iv_stream_init(struct iv_stream *s)
{
	int rc = mb_manager_alloc(&s->mgr, &s->mgr_memory);

	if (rc < 0) {
		iv_stream_free(s);
		return rc;
	}
	randombytes_buf(s->block, IV_STREAM_KEY_LEN);
	iv_stream_refill(s);
	return 0;
}

void iv_stream_free(struct iv_stream *s)
{
	if (s->mgr_memory)
		esp_engine_memory_free(s->mgr_memory, imb_get_mb_mgr_size());
	s->mgr = NULL;
	s->mgr_memory = NULL;
}
