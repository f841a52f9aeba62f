/* ESP engines on packets of our own: the back ends against each other, and the flow of jobs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crypto/esp_packets.h"

#define N_PACKETS 600
#define MAX_LEN	  9000

static const enum esp_backend backends[] = {ESP_BACKEND_IPSEC_MB, ESP_BACKEND_OPENSSL};

/* What a test knows of a packet before any back end saw it. */
struct plan {
	enum sa_integ integ;
	enum sa_encr encr;
	struct sa_keys raw;
	unsigned len;
	uint8_t octets[MAX_LEN];
};

static void plan_make(struct plan *p, struct test_random *r, enum sa_integ integ, enum sa_encr encr,
		      unsigned max_len)
{
	const struct esp_suite *suite = esp_suite(integ, encr);
	unsigned head = ESP_HEADER_LEN + suite->iv_len;
	unsigned blocks = (max_len - head) / suite->block_len;

	p->integ = integ;
	p->encr = encr;
	p->len = head + suite->block_len * (1 + test_random_below(r, blocks));
	test_random_fill(r, &p->raw, sizeof(p->raw));
	test_random_fill(r, p->octets, p->len);
}

static struct plan *plans_make(unsigned n, uint64_t seed, unsigned max_len)
{
	struct plan *plans = calloc(n, sizeof(*plans));
	struct test_random r = {seed};

	assert_non_null(plans);
	for (unsigned i = 0; i < n; i++) {
		enum sa_integ integ = (enum sa_integ)test_random_below(&r, SA_INTEG_COUNT);
		enum sa_encr encr = (enum sa_encr)test_random_below(&r, SA_ENCR_COUNT);
		/* 3DES is slow: smaller ones do */
		unsigned max = encr == SA_ENCR_DES_EDE3_CBC ? max_len / 4 + 64 : max_len;

		plan_make(&plans[i], &r, integ, encr, max);
	}
	return plans;
}

static struct packet *packets_make(const struct plan *plans, unsigned n, enum esp_backend backend)
{
	struct packet *packets = calloc(n, sizeof(*packets));

	assert_non_null(packets);
	for (unsigned i = 0; i < n; i++) {
		packet_make(&packets[i], plans[i].len);
		packet_key(&packets[i], backend, plans[i].integ, plans[i].encr, &plans[i].raw);
		memcpy(packets[i].octets, plans[i].octets, plans[i].len);
	}
	return packets;
}

static void packets_free(struct packet *packets, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		packet_free(&packets[i]);
	free(packets);
}

static void packets_status_check(const struct packet *packets, unsigned n, enum esp_status status)
{
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(packets[i].job.status, status);
}

/* covers: DP-03, ES-09 */
static void back_ends_agree_on_mixed_batches(void **state)
{
	struct plan *plans = plans_make(N_PACKETS, 1, MAX_LEN);
	struct packet *mb = packets_make(plans, N_PACKETS, ESP_BACKEND_IPSEC_MB);
	struct packet *ossl = packets_make(plans, N_PACKETS, ESP_BACKEND_OPENSSL);

	(void)state;
	packets_run(ESP_BACKEND_IPSEC_MB, mb, N_PACKETS, 100, false);
	packets_run(ESP_BACKEND_OPENSSL, ossl, N_PACKETS, 100, false);
	packets_status_check(mb, N_PACKETS, ESP_OK);
	packets_status_check(ossl, N_PACKETS, ESP_OK);
	for (unsigned i = 0; i < N_PACKETS; i++)
		assert_memory_equal(mb[i].octets, ossl[i].octets, plans[i].len + ESP_ICV_LEN);

	/* what they made is alike, so each opens the other's too */
	packets_run(ESP_BACKEND_IPSEC_MB, mb, N_PACKETS, 100, true);
	packets_run(ESP_BACKEND_OPENSSL, ossl, N_PACKETS, 100, true);
	packets_status_check(mb, N_PACKETS, ESP_OK);
	packets_status_check(ossl, N_PACKETS, ESP_OK);
	for (unsigned i = 0; i < N_PACKETS; i++) {
		assert_memory_equal(mb[i].octets, plans[i].octets, plans[i].len);
		assert_memory_equal(ossl[i].octets, plans[i].octets, plans[i].len);
	}
	packets_free(mb, N_PACKETS);
	packets_free(ossl, N_PACKETS);
	free(plans);
}

/* covers: DP-03 */
static void round_trip_at_every_size(void **state)
{
	(void)state;
	for (unsigned b = 0; b < N_OF(backends); b++) {
		for (unsigned suite = 0; suite < SA_INTEG_COUNT * SA_ENCR_COUNT; suite++) {
			enum sa_integ integ = (enum sa_integ)(suite / SA_ENCR_COUNT);
			enum sa_encr encr = (enum sa_encr)(suite % SA_ENCR_COUNT);
			const struct esp_suite *s = esp_suite(integ, encr);
			unsigned n = (1500 - ESP_HEADER_LEN - s->iv_len) / s->block_len;
			struct plan *plans = plans_make(n, suite, 1500);
			struct packet *packets;

			for (unsigned i = 0; i < n; i++) {
				plans[i].integ = integ;
				plans[i].encr = encr;
				plans[i].len = ESP_HEADER_LEN + s->iv_len + (i + 1) * s->block_len;
			}
			packets = packets_make(plans, n, backends[b]);
			packets_run(backends[b], packets, n, 64, false);
			packets_status_check(packets, n, ESP_OK);
			packets_run(backends[b], packets, n, 64, true);
			packets_status_check(packets, n, ESP_OK);
			for (unsigned i = 0; i < n; i++)
				assert_memory_equal(packets[i].octets, plans[i].octets,
						    plans[i].len);
			packets_free(packets, n);
			free(plans);
		}
	}
}

/* covers: ES-13 */
static void every_octet_is_authenticated(void **state)
{
	struct test_random r = {7};

	(void)state;
	for (unsigned b = 0; b < N_OF(backends); b++) {
		for (unsigned suite = 0; suite < SA_INTEG_COUNT * SA_ENCR_COUNT; suite++) {
			struct plan plan;
			unsigned n;
			struct packet *packets;

			plan_make(&plan, &r, (enum sa_integ)(suite / SA_ENCR_COUNT),
				  (enum sa_encr)(suite % SA_ENCR_COUNT), 200);
			n = plan.len + ESP_ICV_LEN;
			packets = calloc(n, sizeof(*packets));
			for (unsigned i = 0; i < n; i++) {
				packet_make(&packets[i], plan.len);
				packet_key(&packets[i], backends[b], plan.integ, plan.encr,
					   &plan.raw);
				memcpy(packets[i].octets, plan.octets, plan.len);
			}
			packets_run(backends[b], packets, n, 32, false);
			for (unsigned i = 0; i < n; i++)
				packets[i].octets[i] ^= (uint8_t)(1 << (i % 8));
			packets_run(backends[b], packets, n, 32, true);
			packets_status_check(packets, n, ESP_BAD_ICV);
			packets_free(packets, n);
		}
	}
}

/* A bad packet among good ones is told apart wherever it stands. */
/* covers: ES-13 */
static void bad_packets_among_good_ones(void **state)
{
	const unsigned n = 300;
	struct plan *plans = plans_make(n, 3, 700);

	(void)state;
	for (unsigned b = 0; b < N_OF(backends); b++) {
		struct packet *packets = packets_make(plans, n, backends[b]);

		packets_run(backends[b], packets, n, 50, false);
		for (unsigned i = 0; i < n; i += 3)
			packets[i].octets[plans[i].len + i % ESP_ICV_LEN] ^= 0x80;
		packets_run(backends[b], packets, n, 50, true);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(packets[i].job.status, i % 3 ? ESP_OK : ESP_BAD_ICV);
			if (i % 3)
				assert_memory_equal(packets[i].octets, plans[i].octets,
						    plans[i].len);
		}
		packets_free(packets, n);
	}
	free(plans);
}

static void wrong_key_fails(void **state)
{
	const unsigned n = 60;
	struct plan *plans = plans_make(n, 4, 700);

	(void)state;
	for (unsigned b = 0; b < N_OF(backends); b++) {
		struct packet *packets = packets_make(plans, n, backends[b]);

		packets_run(backends[b], packets, n, 50, false);
		for (unsigned i = 0; i < n; i++) {
			struct sa_keys raw = plans[i].raw;
			unsigned last = esp_suite(plans[i].integ, plans[i].encr)->integ_key_len - 1;

			raw.integ[last] ^= 1;
			packet_key(&packets[i], backends[b], plans[i].integ, plans[i].encr, &raw);
		}
		packets_run(backends[b], packets, n, 50, true);
		packets_status_check(packets, n, ESP_BAD_ICV);
		packets_free(packets, n);
	}
	free(plans);
}

/* ---- flow of jobs ------------------------------------------------------------------------- */

/* One packet that waits alone in its lanes must not stop a manager full of others. */
static void full_manager_goes_on(void **state)
{
	const unsigned n = 4 * ESP_MAX_FLIGHT;
	struct plan *plans = calloc(n, sizeof(*plans));
	struct test_random r = {5};
	struct packet *packets;

	(void)state;
	for (unsigned i = 0; i < n; i++)
		plan_make(&plans[i], &r, i ? SA_INTEG_HMAC_SHA_1_96 : SA_INTEG_HMAC_MD5_96,
			  SA_ENCR_NULL, 200);
	packets = packets_make(plans, n, ESP_BACKEND_IPSEC_MB);
	packets_run(ESP_BACKEND_IPSEC_MB, packets, n, 1, false);
	packets_status_check(packets, n, ESP_OK);
	packets_run(ESP_BACKEND_IPSEC_MB, packets, n, n, true);
	packets_status_check(packets, n, ESP_OK);
	for (unsigned i = 0; i < n; i++)
		assert_memory_equal(packets[i].octets, plans[i].octets, plans[i].len);
	packets_free(packets, n);
	free(plans);
}

static void lanes_hold_jobs_until_flush(void **state)
{
	struct plan plan;
	struct test_random r = {6};
	struct packet packet;
	struct esp_job *jobs[1] = {&packet.job}, *done[1 + ESP_MAX_FLIGHT];
	struct esp_engine *e;

	(void)state;
	plan_make(&plan, &r, SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, 500);
	packet_make(&packet, plan.len);
	packet_key(&packet, ESP_BACKEND_IPSEC_MB, plan.integ, plan.encr, &plan.raw);
	assert_int_equal(esp_engine_alloc(&e, ESP_BACKEND_IPSEC_MB), 0);
	assert_int_equal(esp_engine_submit(e, jobs, 1, done), 0);
	assert_int_equal(esp_engine_in_flight(e), 1);
	assert_int_equal(esp_engine_submit(e, jobs, 0, done), 0);
	assert_int_equal(esp_engine_flush(e, done), 1);
	assert_ptr_equal(done[0], &packet.job);
	assert_int_equal(esp_engine_in_flight(e), 0);
	esp_engine_free(e);
	packet_free(&packet);
}

/* An engine may be given up with work inside. */
static void free_with_jobs_in_flight(void **state)
{
	const unsigned n = 5;
	struct plan *plans = plans_make(n, 8, 300);
	struct packet *packets = packets_make(plans, n, ESP_BACKEND_IPSEC_MB);
	struct esp_job *jobs[5], *done[5 + ESP_MAX_FLIGHT];
	struct esp_engine *e;

	(void)state;
	assert_int_equal(esp_engine_alloc(&e, ESP_BACKEND_IPSEC_MB), 0);
	for (unsigned i = 0; i < n; i++)
		jobs[i] = &packets[i].job;
	esp_engine_submit(e, jobs, n, done);
	esp_engine_free(e);
	esp_engine_free(NULL);
	packets_free(packets, n);
	free(plans);
}

/* Lengths that are not header, IV and at least one whole block. */
static void bad_lengths_are_refused(void **state)
{
	static const struct {
		enum sa_encr encr;
		unsigned len;
		enum esp_status status;
	} t[] = {
		{SA_ENCR_NULL, 0, ESP_ERROR},	       {SA_ENCR_NULL, 7, ESP_ERROR},
		{SA_ENCR_NULL, 8, ESP_ERROR},	       {SA_ENCR_NULL, 10, ESP_ERROR},
		{SA_ENCR_NULL, 11, ESP_ERROR},	       {SA_ENCR_NULL, 12, ESP_OK},
		{SA_ENCR_NULL, 13, ESP_ERROR},	       {SA_ENCR_NULL, 65532, ESP_OK},
		{SA_ENCR_NULL, 65535, ESP_ERROR},      {SA_ENCR_AES_CBC, 0, ESP_ERROR},
		{SA_ENCR_AES_CBC, 8, ESP_ERROR},       {SA_ENCR_AES_CBC, 23, ESP_ERROR},
		{SA_ENCR_AES_CBC, 24, ESP_ERROR},      {SA_ENCR_AES_CBC, 32, ESP_ERROR},
		{SA_ENCR_AES_CBC, 39, ESP_ERROR},      {SA_ENCR_AES_CBC, 40, ESP_OK},
		{SA_ENCR_AES_CBC, 41, ESP_ERROR},      {SA_ENCR_AES_CBC, 65528, ESP_OK},
		{SA_ENCR_DES_EDE3_CBC, 15, ESP_ERROR}, {SA_ENCR_DES_EDE3_CBC, 16, ESP_ERROR},
		{SA_ENCR_DES_EDE3_CBC, 20, ESP_ERROR}, {SA_ENCR_DES_EDE3_CBC, 24, ESP_OK},
		{SA_ENCR_DES_EDE3_CBC, 65528, ESP_OK},
	};
	struct sa_keys raw;
	struct test_random r = {9};

	(void)state;
	test_random_fill(&r, &raw, sizeof(raw));
	for (unsigned b = 0; b < N_OF(backends); b++) {
		struct packet packets[N_OF(t)];

		for (unsigned i = 0; i < N_OF(t); i++) {
			packet_make(&packets[i], t[i].len);
			packet_key(&packets[i], backends[b], SA_INTEG_HMAC_SHA_1_96, t[i].encr,
				   &raw);
		}
		packets_run(backends[b], packets, N_OF(t), N_OF(t), false);
		for (unsigned i = 0; i < N_OF(t); i++)
			assert_int_equal(packets[i].job.status, t[i].status);
		packets_run(backends[b], packets, N_OF(t), N_OF(t), true);
		for (unsigned i = 0; i < N_OF(t); i++) {
			assert_int_equal(packets[i].job.status, t[i].status);
			packet_free(&packets[i]);
		}
	}
}

/* ---- keys, suites, arguments -------------------------------------------------------------- */

/* A key may be expanded in one place and copied to another. */
static void keys_may_be_copied(void **state)
{
	const unsigned n = 60;
	struct plan *plans = plans_make(n, 10, 400);

	(void)state;
	for (unsigned b = 0; b < N_OF(backends); b++) {
		struct packet *packets = packets_make(plans, n, backends[b]);

		packets_run(backends[b], packets, n, 32, false);
		for (unsigned i = 0; i < n; i++) {
			struct esp_key *copy = aligned_alloc(64, sizeof(*copy));

			*copy = *packets[i].key;
			esp_key_wipe(packets[i].key);
			free(packets[i].key);
			packets[i].key = copy;
			packets[i].job.key = copy;
		}
		packets_run(backends[b], packets, n, 32, true);
		packets_status_check(packets, n, ESP_OK);
		packets_free(packets, n);
	}
	free(plans);
}

static void wiped_keys_are_zero(void **state)
{
	static const struct sa_keys raw = {{1, 2, 3}, {4, 5, 6}};
	struct esp_key key, zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	for (unsigned b = 0; b < N_OF(backends); b++) {
		assert_int_equal(esp_key_expand(&key, backends[b], SA_INTEG_HMAC_MD5_96,
						SA_ENCR_AES_CBC, &raw),
				 0);
		assert_memory_not_equal(&key, &zero, sizeof(key));
		esp_key_wipe(&key);
		assert_memory_equal(&key, &zero, sizeof(key));
	}
}

/* covers: ES-07 */
static void suites_have_the_sizes_of_their_rfcs(void **state)
{
	static const struct {
		enum sa_integ integ;
		enum sa_encr encr;
		struct esp_suite suite;
	} t[] = {
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_NULL, {0, 4, 20, 0}},
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_AES_CBC, {16, 16, 20, 16}},
		{SA_INTEG_HMAC_SHA_1_96, SA_ENCR_DES_EDE3_CBC, {8, 8, 20, 24}},
		{SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, {0, 4, 16, 0}},
		{SA_INTEG_HMAC_MD5_96, SA_ENCR_AES_CBC, {16, 16, 16, 16}},
		{SA_INTEG_HMAC_MD5_96, SA_ENCR_DES_EDE3_CBC, {8, 8, 16, 24}},
	};

	(void)state;
	for (unsigned i = 0; i < N_OF(t); i++) {
		const struct esp_suite *suite = esp_suite(t[i].integ, t[i].encr);

		assert_int_equal(suite->iv_len, t[i].suite.iv_len);
		assert_int_equal(suite->block_len, t[i].suite.block_len);
		assert_int_equal(suite->integ_key_len, t[i].suite.integ_key_len);
		assert_int_equal(suite->encr_key_len, t[i].suite.encr_key_len);
	}
}

static void unknown_algorithms_are_refused(void **state)
{
	static const struct sa_keys raw;
	struct esp_engine *e;
	struct esp_key key;

	(void)state;
	assert_null(esp_suite(SA_INTEG_COUNT, SA_ENCR_NULL));
	assert_null(esp_suite(SA_INTEG_HMAC_MD5_96, SA_ENCR_COUNT));
	for (unsigned b = 0; b < N_OF(backends); b++) {
		assert_int_equal(
			esp_key_expand(&key, backends[b], SA_INTEG_COUNT, SA_ENCR_NULL, &raw),
			-EINVAL);
		assert_int_equal(esp_key_expand(&key, backends[b], SA_INTEG_HMAC_MD5_96,
						SA_ENCR_COUNT, &raw),
				 -EINVAL);
	}
	assert_int_equal(
		esp_key_expand(&key, (enum esp_backend)2, SA_INTEG_HMAC_MD5_96, SA_ENCR_NULL, &raw),
		-EINVAL);
	assert_int_equal(esp_engine_alloc(&e, (enum esp_backend)2), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(back_ends_agree_on_mixed_batches),
		cmocka_unit_test(round_trip_at_every_size),
		cmocka_unit_test(every_octet_is_authenticated),
		cmocka_unit_test(bad_packets_among_good_ones),
		cmocka_unit_test(wrong_key_fails),
		cmocka_unit_test(full_manager_goes_on),
		cmocka_unit_test(lanes_hold_jobs_until_flush),
		cmocka_unit_test(free_with_jobs_in_flight),
		cmocka_unit_test(bad_lengths_are_refused),
		cmocka_unit_test(keys_may_be_copied),
		cmocka_unit_test(wiped_keys_are_zero),
		cmocka_unit_test(suites_have_the_sizes_of_their_rfcs),
		cmocka_unit_test(unknown_algorithms_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
