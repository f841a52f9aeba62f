/*
 * ESP by intel-ipsec-mb. Packets of a kind that come in numbers are done at once (mb_burst.h). All
 * others, of many SAs, fill the lanes of one manager, which hands them back in the order they came.
 */
#include "crypto/mb_key.h"

#include <errno.h>
#include <sodium.h>

#include "crypto/mb_burst.h"
#include "crypto/mb_manager.h"

#define PREFETCH_AHEAD 2

_Static_assert(ESP_MAX_FLIGHT >= IMB_MAX_JOBS, "a full manager fits done[] of esp_engine_flush()");

struct mb_engine {
	struct esp_engine base;
	struct mb_burst *burst;
	IMB_MGR *mgr;
	void *mgr_memory;
	unsigned in_flight;
	unsigned in_flight_of[MB_BURST_KINDS];
	/* By the manager's own job slots: computed ICVs of inbound packets, and for 3DES the three
	 * pointers that the library reads its schedules through. */
	_Alignas(64) uint8_t icv[IMB_MAX_JOBS][IMB_MAX_TAG_LEN];
	const void *des[IMB_MAX_JOBS][3];
};

static struct mb_engine *mb_engine(struct esp_engine *e)
{
	return (struct mb_engine *)e;
}

/* ---- keys --------------------------------------------------------------------------------- */

static void schedule_none(struct mb_key *key, const uint8_t *raw)
{
	(void)key;
	(void)raw;
}

static void schedule_aes(struct mb_key *key, const uint8_t *raw)
{
	aes_keyexp_128_sse(raw, key->aes.enc, key->aes.dec);
}

static void schedule_des(struct mb_key *key, const uint8_t *raw)
{
	for (unsigned i = 0; i < 3; i++)
		des_key_schedule(key->des[i], raw + i * IMB_DES_BLOCK_SIZE);
}

static void key_set_none(struct mb_engine *e, unsigned slot, IMB_JOB *j, const struct mb_key *key)
{
	(void)e;
	(void)slot;
	j->enc_keys = key;
	j->dec_keys = key;
}

static void key_set_aes(struct mb_engine *e, unsigned slot, IMB_JOB *j, const struct mb_key *key)
{
	(void)e;
	(void)slot;
	j->enc_keys = key->aes.enc;
	j->dec_keys = key->aes.dec;
}

static void key_set_des(struct mb_engine *e, unsigned slot, IMB_JOB *j, const struct mb_key *key)
{
	for (unsigned i = 0; i < 3; i++)
		e->des[slot][i] = key->des[i];
	j->enc_keys = e->des[slot];
	j->dec_keys = e->des[slot];
}

static const struct mb_hash hashes[SA_INTEG_COUNT] = {
	[SA_INTEG_HMAC_SHA_1_96] = {IMB_AUTH_HMAC_SHA_1, sha1_one_block_sse},
	[SA_INTEG_HMAC_MD5_96] = {IMB_AUTH_MD5, md5_one_block_sse},
};

static const struct mb_cipher ciphers[SA_ENCR_COUNT] = {
	[SA_ENCR_NULL] = {IMB_CIPHER_NULL, 0, 0, 4, {0, 0}, {0, 0}, schedule_none, key_set_none},
	[SA_ENCR_AES_CBC] = {IMB_CIPHER_CBC,
			     IMB_KEY_128_BYTES,
			     16,
			     16,
			     {4, 3},
			     {1, 3},
			     schedule_aes,
			     key_set_aes},
	[SA_ENCR_DES_EDE3_CBC] =
		{IMB_CIPHER_DES3, 24, 8, 8, {1, 6}, {1, 6}, schedule_des, key_set_des},
};

/* The hash state after the one block that HMAC puts before the message (RFC 2104 clause 4). */
static void pad_state(uint8_t *state, const struct mb_hash *hash, const uint8_t *key,
		      unsigned key_len, uint8_t pad)
{
	uint8_t block[IMB_SHA1_BLOCK_SIZE];

	memset(block, pad, sizeof(block));
	for (unsigned i = 0; i < key_len; i++)
		block[i] ^= key[i];
	hash->one_block(block, state);
	sodium_memzero(block, sizeof(block));
}

static void mb_key_expand(struct esp_key *opaque, enum sa_integ integ, enum sa_encr encr,
			  const struct sa_keys *raw)
{
	struct mb_key *key = (struct mb_key *)opaque;
	unsigned integ_key_len = esp_suite(integ, encr)->integ_key_len;

	key->hash = &hashes[integ];
	key->cipher = &ciphers[encr];
	pad_state(key->ipad, key->hash, raw->integ, integ_key_len, 0x36);
	pad_state(key->opad, key->hash, raw->integ, integ_key_len, 0x5c);
	key->cipher->schedule(key, raw->encr);
}

/* ---- jobs --------------------------------------------------------------------------------- */

/* Returns false if the library must not see this packet. */
static bool job_fill(struct mb_engine *e, IMB_JOB *j, struct esp_job *job)
{
	const struct mb_key *key = (const struct mb_key *)job->key;
	const struct mb_cipher *cipher = key->cipher;
	unsigned cipher_len = esp_cipher_len(job, cipher->iv_len, cipher->block_len);
	unsigned slot = (unsigned)(j - e->mgr->jobs);

	if (cipher_len == 0)
		return false;
	cipher->key_set(e, slot, j, key);
	j->key_len_in_bytes = cipher->key_len;
	j->src = job->esp;
	j->dst = job->esp + ESP_HEADER_LEN + cipher->iv_len;
	j->cipher_start_src_offset_in_bytes = ESP_HEADER_LEN + cipher->iv_len;
	j->msg_len_to_cipher_in_bytes = cipher_len;
	j->hash_start_src_offset_in_bytes = 0;
	j->msg_len_to_hash_in_bytes = job->len;
	j->iv = job->esp + ESP_HEADER_LEN;
	j->iv_len_in_bytes = cipher->iv_len;
	j->auth_tag_output = job->inbound ? e->icv[slot] : job->esp + job->len;
	j->auth_tag_output_len_in_bytes = ESP_ICV_LEN;
	j->u.HMAC._hashed_auth_key_xor_ipad = key->ipad;
	j->u.HMAC._hashed_auth_key_xor_opad = key->opad;
	j->cipher_mode = cipher->mode;
	j->cipher_direction = job->inbound ? IMB_DIR_DECRYPT : IMB_DIR_ENCRYPT;
	j->hash_alg = key->hash->alg;
	j->chain_order = job->inbound ? IMB_ORDER_HASH_CIPHER : IMB_ORDER_CIPHER_HASH;
	j->user_data = job;
	return true;
}

static struct esp_job *job_finish(struct mb_engine *e, const IMB_JOB *j)
{
	struct esp_job *job = j->user_data;
	int kind = mb_burst_kind(job);

	e->in_flight--;
	if (kind >= 0)
		e->in_flight_of[kind]--;
	if (j->status != IMB_STATUS_COMPLETED)
		job->status = ESP_ERROR;
	else if (job->inbound && !esp_icv_eq(j->auth_tag_output, job->esp + job->len))
		job->status = ESP_BAD_ICV;
	else
		job->status = ESP_OK;
	return job;
}

/* The manager never fills up: submit itself finishes the oldest job before that. */
static IMB_JOB *job_submit(struct mb_engine *e, const struct esp_job *job)
{
	int kind = mb_burst_kind(job);

	e->in_flight++;
	if (kind >= 0)
		e->in_flight_of[kind]++;
	return IMB_SUBMIT_JOB_NOCHECK(e->mgr);
}

/*
 * One by one: the calls of 1.3 that take many jobs into the lanes lose count when their ring of
 * jobs wraps (queue_size() takes a negative difference for a large one).
 */
static unsigned submit_singly(struct mb_engine *e, struct esp_job *const *jobs, unsigned n,
			      struct esp_job **done)
{
	unsigned n_done = 0;
	IMB_JOB *j;

	for (unsigned i = 0; i < n; i++) {
		if (i + PREFETCH_AHEAD < n)
			mb_key_prefetch(jobs[i + PREFETCH_AHEAD]);
		if (!job_fill(e, IMB_GET_NEXT_JOB(e->mgr), jobs[i])) {
			jobs[i]->status = ESP_ERROR;
			done[n_done++] = jobs[i];
			continue;
		}
		j = job_submit(e, jobs[i]);
		if (j)
			done[n_done++] = job_finish(e, j);
	}
	while (n > 0 && (j = IMB_GET_COMPLETED_JOB(e->mgr)) != NULL)
		done[n_done++] = job_finish(e, j);
	return n_done;
}

static unsigned mb_flush(struct esp_engine *base, struct esp_job **done)
{
	struct mb_engine *e = mb_engine(base);
	unsigned n_done = 0;
	IMB_JOB *j;

	while ((j = IMB_FLUSH_JOB(e->mgr)) != NULL)
		done[n_done++] = job_finish(e, j);
	return n_done;
}

/* Jobs of one call, by kind */
struct mb_sorted {
	unsigned n[MB_BURST_KINDS], n_rest;
	struct esp_job *of[MB_BURST_KINDS][MB_BURST], *rest[MB_BURST];
};

static void jobs_sort(struct mb_sorted *s, struct esp_job *const *jobs, unsigned n)
{
	memset(s->n, 0, sizeof(s->n));
	s->n_rest = 0;
	for (unsigned i = 0; i < n; i++) {
		int kind = mb_burst_kind(jobs[i]);

		if (kind >= 0)
			s->of[kind][s->n[kind]++] = jobs[i];
		else
			s->rest[s->n_rest++] = jobs[i];
	}
}

/* Are all of the kind of the first? So they are nearly always. */
static bool jobs_alike(struct esp_job *const *jobs, unsigned n)
{
	const struct mb_key *first = mb_key_of(jobs[0]);
	uintptr_t differ = 0;

	for (unsigned i = 1; i < n; i++) {
		const struct mb_key *key = mb_key_of(jobs[i]);

		differ |= ((uintptr_t)key->hash ^ (uintptr_t)first->hash) |
			  ((uintptr_t)key->cipher ^ (uintptr_t)first->cipher) |
			  (uintptr_t)(jobs[i]->inbound ^ jobs[0]->inbound);
	}
	return differ == 0;
}

/* Packets of one SA stay in order: those that wait in lanes go first. */
static unsigned submit_kind(struct mb_engine *e, unsigned kind, struct esp_job *const *jobs,
			    unsigned n, struct esp_job **done)
{
	unsigned n_done = 0;

	if (n < MB_BURST_MIN)
		return submit_singly(e, jobs, n, done);
	if (e->in_flight_of[kind] > 0)
		n_done = mb_flush(&e->base, done);
	mb_burst_run(e->burst, kind, jobs, n);
	memcpy(&done[n_done], jobs, n * sizeof(jobs[0]));
	return n_done + n;
}

static unsigned mb_submit(struct esp_engine *base, struct esp_job *const *jobs, unsigned n,
			  struct esp_job **done)
{
	struct mb_engine *e = mb_engine(base);
	unsigned n_done = 0, at, part;
	struct mb_sorted s;
	int kind;

	for (at = 0; at < n; at += part) {
		part = n - at < MB_BURST ? n - at : MB_BURST;
		kind = part >= MB_BURST_MIN ? mb_burst_kind(jobs[at]) : -1;
		if (kind >= 0 && jobs_alike(jobs + at, part)) {
			n_done += submit_kind(e, (unsigned)kind, jobs + at, part, done + n_done);
			continue;
		}
		jobs_sort(&s, jobs + at, part);
		n_done += submit_singly(e, s.rest, s.n_rest, done + n_done);
		for (unsigned k = 0; k < MB_BURST_KINDS; k++)
			if (s.n[k] > 0)
				n_done += submit_kind(e, k, s.of[k], s.n[k], done + n_done);
	}
	return n_done;
}

static unsigned mb_in_flight(const struct esp_engine *base)
{
	return ((const struct mb_engine *)base)->in_flight;
}

/* ---- engine ------------------------------------------------------------------------------- */

static void mb_free(struct esp_engine *base)
{
	struct mb_engine *e = mb_engine(base);

	mb_burst_free(e->burst);
	esp_engine_memory_free(e->mgr_memory, imb_get_mb_mgr_size());
	esp_engine_memory_free(e, sizeof(*e));
}

static int mb_alloc(struct esp_engine **ep)
{
	struct mb_engine *e = esp_engine_memory_alloc(sizeof(*e));
	int rc;

	if (!e)
		return -ENOMEM;
	rc = mb_manager_alloc(&e->mgr, &e->mgr_memory);
	if (rc == 0)
		rc = mb_burst_alloc(&e->burst);
	if (rc < 0)
		mb_free(&e->base);
	else
		*ep = &e->base;
	return rc;
}

const struct esp_backend_ops esp_ipsec_mb_ops = {
	.key_expand = mb_key_expand,
	.alloc = mb_alloc,
	.free = mb_free,
	.submit = mb_submit,
	.flush = mb_flush,
	.in_flight = mb_in_flight,
};
