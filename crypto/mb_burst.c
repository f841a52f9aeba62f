#include "crypto/mb_burst.h"

#include <errno.h>

#include "crypto/mb_manager.h"

/* What never changes is written once; the buffers, too, are asked for only once. */
struct mb_burst {
	IMB_MGR *mgr;
	void *mgr_memory;
	IMB_JOB jobs[MB_BURST_KINDS][MB_BURST];
	_Alignas(64) uint8_t icv[MB_BURST][16];
};

/* ---- jobs --------------------------------------------------------------------------------- */

static void job_template(IMB_JOB *j, unsigned kind)
{
	bool aes = kind >= 2, inbound = kind % 2;
	unsigned iv_len = aes ? IMB_AES_BLOCK_SIZE : 0;

	*j = (IMB_JOB){
		.cipher_mode = aes ? IMB_CIPHER_CBC : IMB_CIPHER_NULL,
		.cipher_direction = inbound ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT,
		.chain_order = inbound ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH,
		.hash_alg = IMB_AUTH_HMAC_SHA_1,
		.key_len_in_bytes = IMB_KEY_128_BYTES,
		.iv_len_in_bytes = iv_len,
		.cipher_start_src_offset_in_bytes = ESP_HEADER_LEN + iv_len,
		.auth_tag_output_len_in_bytes = ESP_ICV_LEN,
	};
}

/* Returns false if the library must not see this packet. */
static bool job_fill(struct mb_burst *b, IMB_JOB *j, unsigned at, const struct esp_job *job)
{
	const struct mb_key *key = mb_key_of(job);
	unsigned iv_len = key->cipher->iv_len;
	unsigned len = esp_cipher_len(job, iv_len, key->cipher->block_len);

	j->enc_keys = key->aes.enc;
	j->dec_keys = key->aes.dec;
	j->src = job->esp;
	j->iv = job->esp + ESP_HEADER_LEN;
	j->dst = job->esp + ESP_HEADER_LEN + iv_len;
	j->msg_len_to_cipher_in_bytes = len;
	j->msg_len_to_hash_in_bytes = job->len;
	j->auth_tag_output = job->inbound ? b->icv[at] : job->esp + job->len;
	j->u.HMAC._hashed_auth_key_xor_ipad = key->ipad;
	j->u.HMAC._hashed_auth_key_xor_opad = key->opad;
	return len != 0;
}

static void cipher(struct mb_burst *b, IMB_JOB *jobs, unsigned n, IMB_CIPHER_DIRECTION dir)
{
	IMB_SUBMIT_CIPHER_BURST_NOCHECK(b->mgr, jobs, n, IMB_CIPHER_CBC, dir, IMB_KEY_128_BYTES);
}

static uint8_t job_status(const IMB_JOB *j, const struct esp_job *job)
{
	if (job->inbound && !esp_icv_eq(j->auth_tag_output, job->esp + job->len))
		return ESP_BAD_ICV;
	return ESP_OK;
}

void mb_burst_run(struct mb_burst *b, unsigned kind, struct esp_job *const *jobs, unsigned n)
{
	IMB_JOB *j = b->jobs[kind];
	struct esp_job *taken[MB_BURST];
	unsigned i, n_taken = 0;

	for (i = 0; i < n; i++)
		mb_key_prefetch(jobs[i]);
	for (i = 0; i < n; i++) {
		jobs[i]->status = ESP_ERROR;
		if (job_fill(b, &j[n_taken], n_taken, jobs[i]))
			taken[n_taken++] = jobs[i];
	}
	if (kind == 2)
		cipher(b, j, n_taken, IMB_DIR_ENCRYPT);
	IMB_SUBMIT_HASH_BURST_NOCHECK(b->mgr, j, n_taken, IMB_AUTH_HMAC_SHA_1);
	for (i = 0; i < n_taken; i++)
		taken[i]->status = job_status(&j[i], taken[i]);
	if (kind == 3)
		cipher(b, j, n_taken, IMB_DIR_DECRYPT);
}

/* ---- alloc -------------------------------------------------------------------------------- */

int mb_burst_alloc(struct mb_burst **bp)
{
	struct mb_burst *b = esp_engine_memory_alloc(sizeof(*b));
	int rc;

	if (!b)
		return -ENOMEM;
	rc = mb_manager_alloc(&b->mgr, &b->mgr_memory);
	if (rc < 0) {
		mb_burst_free(b);
		return rc;
	}
	for (unsigned kind = 0; kind < MB_BURST_KINDS; kind++)
		for (unsigned i = 0; i < MB_BURST; i++)
			job_template(&b->jobs[kind][i], kind);
	*bp = b;
	return 0;
}

void mb_burst_free(struct mb_burst *b)
{
	if (!b)
		return;
	esp_engine_memory_free(b->mgr_memory, imb_get_mb_mgr_size());
	esp_engine_memory_free(b, sizeof(*b));
}
