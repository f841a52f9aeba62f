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

/* What the kinds are; a constant in all that is inlined into mb_burst_run(). */
struct kind {
	bool aes, inbound;
	unsigned iv_len, block_len;
};

static inline struct kind kind_of(unsigned number)
{
	bool aes = number >= 2;

	return (struct kind){
		.aes = aes,
		.inbound = number % 2,
		.iv_len = aes ? IMB_AES_BLOCK_SIZE : 0,
		.block_len = aes ? IMB_AES_BLOCK_SIZE : 4,
	};
}

static void job_template(IMB_JOB *j, struct kind k)
{
	*j = (IMB_JOB){
		.cipher_mode = k.aes ? IMB_CIPHER_CBC : IMB_CIPHER_NULL,
		.cipher_direction = k.inbound ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT,
		.chain_order = k.inbound ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH,
		.hash_alg = IMB_AUTH_HMAC_SHA_1,
		.key_len_in_bytes = IMB_KEY_128_BYTES,
		.iv_len_in_bytes = k.iv_len,
		.cipher_start_src_offset_in_bytes = ESP_HEADER_LEN + k.iv_len,
		.auth_tag_output_len_in_bytes = ESP_ICV_LEN,
	};
}

static inline void key_prefetch(const struct mb_key *key, struct kind k)
{
	const uint8_t *schedule = k.inbound ? key->aes.dec : key->aes.enc;

	if (!k.aes)
		return;
	__builtin_prefetch(schedule);
	__builtin_prefetch(schedule + 64);
	__builtin_prefetch(schedule + 128);
}

/* Returns false if the library must not see this packet. */
static inline bool job_fill(struct mb_burst *b, IMB_JOB *j, unsigned at, const struct esp_job *job,
			    struct kind k)
{
	const struct mb_key *key = mb_key_of(job);
	unsigned len = esp_cipher_len(job, k.iv_len, k.block_len);

	if (k.inbound)
		j->dec_keys = key->aes.dec;
	else
		j->enc_keys = key->aes.enc;
	j->src = job->esp;
	j->iv = job->esp + ESP_HEADER_LEN;
	j->dst = job->esp + ESP_HEADER_LEN + k.iv_len;
	j->msg_len_to_cipher_in_bytes = len;
	j->msg_len_to_hash_in_bytes = job->len;
	j->auth_tag_output = k.inbound ? b->icv[at] : job->esp + job->len;
	j->u.HMAC._hashed_auth_key_xor_ipad = key->ipad;
	j->u.HMAC._hashed_auth_key_xor_opad = key->opad;
	key_prefetch(key, k);
	return len != 0;
}

/* Sets the status of those that the library must not see, and leaves them out. */
static inline unsigned jobs_fill(struct mb_burst *b, unsigned number, struct esp_job *const *jobs,
				 unsigned n, struct esp_job **taken)
{
	struct kind k = kind_of(number);
	unsigned n_taken = 0;

	for (unsigned i = 0; i < n; i++) {
		bool whole = job_fill(b, &b->jobs[number][n_taken], n_taken, jobs[i], k);

		jobs[i]->status = whole ? ESP_OK : ESP_ERROR;
		taken[n_taken] = jobs[i];
		n_taken += whole;
	}
	return n_taken;
}

static void cipher(struct mb_burst *b, IMB_JOB *jobs, unsigned n, IMB_CIPHER_DIRECTION dir)
{
	IMB_SUBMIT_CIPHER_BURST_NOCHECK(b->mgr, jobs, n, IMB_CIPHER_CBC, dir, IMB_KEY_128_BYTES);
}

static void icvs_check(const struct mb_burst *b, struct esp_job *const *jobs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		jobs[i]->status =
			esp_icv_eq(b->icv[i], jobs[i]->esp + jobs[i]->len) ? ESP_OK : ESP_BAD_ICV;
}

static __attribute__((always_inline)) inline void burst_run(struct mb_burst *b, unsigned kind,
							    struct esp_job *const *jobs, unsigned n)
{
	struct esp_job *taken[MB_BURST];
	struct kind k = kind_of(kind);
	IMB_JOB *j = b->jobs[kind];

	n = jobs_fill(b, kind, jobs, n, taken);
	if (k.aes && !k.inbound)
		cipher(b, j, n, IMB_DIR_ENCRYPT);
	IMB_SUBMIT_HASH_BURST_NOCHECK(b->mgr, j, n, IMB_AUTH_HMAC_SHA_1);
	if (k.inbound)
		icvs_check(b, taken, n);
	if (k.aes && k.inbound)
		cipher(b, j, n, IMB_DIR_DECRYPT);
}

/* A copy for each kind, in which nothing is decided by kind any more. */
void mb_burst_run(struct mb_burst *b, unsigned kind, struct esp_job *const *jobs, unsigned n)
{
	switch (kind) {
	case 0:
		burst_run(b, 0, jobs, n);
		break;
	case 1:
		burst_run(b, 1, jobs, n);
		break;
	case 2:
		burst_run(b, 2, jobs, n);
		break;
	default:
		burst_run(b, 3, jobs, n);
	}
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
			job_template(&b->jobs[kind][i], kind_of(kind));
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
