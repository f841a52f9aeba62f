/* Packets that come in numbers take another way through ipsec-mb: the reference must agree. */
#include <stdlib.h>
#include <string.h>

#include "crypto/mb_burst.h"
#include "tests/crypto/esp_packets.h"

#define N_MAX 150
#define LEN   (ESP_HEADER_LEN + 16 + 16 * 40)

static const enum sa_encr encrs[] = {SA_ENCR_NULL, SA_ENCR_AES_CBC};
static const unsigned counts[] = {
	1,	  MB_BURST_MIN - 1, MB_BURST_MIN, MB_BURST_MIN + 1, MB_BURST - 1,
	MB_BURST, MB_BURST + 1,	    N_MAX};

/* n packets of different lengths and keys, the same ones at each call. */
static void burst_make(struct packet *packets, unsigned n, enum esp_backend backend,
		       enum sa_encr encr)
{
	struct test_random r = {7};
	struct sa_keys raw;

	for (unsigned i = 0; i < n; i++) {
		packet_make(&packets[i], LEN - 16 * (i % 40));
		test_random_fill(&r, &raw, sizeof(raw));
		packet_key(&packets[i], backend, SA_INTEG_HMAC_SHA_1_96, encr, &raw);
		test_random_fill(&r, packets[i].octets, packets[i].job.len);
	}
}

static void burst_free(struct packet *packets, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		packet_free(&packets[i]);
}

static void agree(unsigned n, enum sa_encr encr)
{
	struct packet mb[N_MAX], ref[N_MAX];

	burst_make(mb, n, ESP_BACKEND_IPSEC_MB, encr);
	burst_make(ref, n, ESP_BACKEND_OPENSSL, encr);
	packets_run(ESP_BACKEND_IPSEC_MB, mb, n, n, false);
	packets_run(ESP_BACKEND_OPENSSL, ref, n, n, false);
	for (unsigned i = 0; i < n; i++)
		assert_memory_equal(mb[i].octets, ref[i].octets, mb[i].job.len + ESP_ICV_LEN);
	mb[n / 2].octets[9] ^= 1;
	ref[n / 2].octets[9] ^= 1;
	packets_run(ESP_BACKEND_IPSEC_MB, mb, n, n, true);
	packets_run(ESP_BACKEND_OPENSSL, ref, n, n, true);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(mb[i].job.status, i == n / 2 ? ESP_BAD_ICV : ESP_OK);
		if (i != n / 2)
			assert_memory_equal(mb[i].octets, ref[i].octets, mb[i].job.len);
		assert_true(packet_guard_ok(&mb[i]));
	}
	burst_free(mb, n);
	burst_free(ref, n);
}

/* covers: DP-03 */
static void back_ends_agree_around_every_limit(void **state)
{
	(void)state;
	for (unsigned e = 0; e < N_OF(encrs); e++)
		for (unsigned c = 0; c < N_OF(counts); c++)
			agree(counts[c], encrs[e]);
}

static void bad_lengths_leave_the_others_alone(void **state)
{
	struct packet packets[MB_BURST];

	(void)state;
	burst_make(packets, MB_BURST, ESP_BACKEND_IPSEC_MB, SA_ENCR_AES_CBC);
	for (unsigned i = 0; i < MB_BURST; i += 5) {
		const struct sa_keys raw = {{0}};

		packet_free(&packets[i]);
		packet_make(&packets[i], i % 2 ? ESP_HEADER_LEN + 16 : LEN - 3);
		packet_key(&packets[i], ESP_BACKEND_IPSEC_MB, SA_INTEG_HMAC_SHA_1_96,
			   SA_ENCR_AES_CBC, &raw);
	}
	packets_run(ESP_BACKEND_IPSEC_MB, packets, MB_BURST, MB_BURST, false);
	for (unsigned i = 0; i < MB_BURST; i++)
		assert_int_equal(packets[i].job.status, i % 5 ? ESP_OK : ESP_ERROR);
	burst_free(packets, MB_BURST);
}

static void only_bad_lengths_are_all_refused(void **state)
{
	struct packet packets[MB_BURST];
	const struct sa_keys raw = {{0}};

	(void)state;
	for (unsigned inbound = 0; inbound < 2; inbound++) {
		for (unsigned i = 0; i < MB_BURST; i++) {
			packet_make(&packets[i], LEN - 3);
			packet_key(&packets[i], ESP_BACKEND_IPSEC_MB, SA_INTEG_HMAC_SHA_1_96,
				   SA_ENCR_AES_CBC, &raw);
		}
		packets_run(ESP_BACKEND_IPSEC_MB, packets, MB_BURST, MB_BURST, inbound);
		for (unsigned i = 0; i < MB_BURST; i++) {
			assert_int_equal(packets[i].job.status, ESP_ERROR);
			assert_true(packet_guard_ok(&packets[i]));
		}
		burst_free(packets, MB_BURST);
	}
}

/* Few packets wait in lanes; many that come after them do not overtake them. */
static void order_is_kept(void **state)
{
	struct packet packets[N_MAX];
	struct esp_job *jobs[N_MAX], *done[N_MAX + ESP_MAX_FLIGHT];
	struct esp_engine *e;
	unsigned n = 0;

	(void)state;
	burst_make(packets, N_MAX, ESP_BACKEND_IPSEC_MB, SA_ENCR_AES_CBC);
	for (unsigned i = 0; i < N_MAX; i++)
		jobs[i] = &packets[i].job;
	assert_int_equal(esp_engine_alloc(&e, ESP_BACKEND_IPSEC_MB), 0);
	n = esp_engine_submit(e, jobs, 10, done);
	assert_int_equal(n + esp_engine_in_flight(e), 10);
	n += esp_engine_submit(e, jobs + 10, MB_BURST, done + n);
	assert_int_equal(n, 10 + MB_BURST);
	assert_int_equal(esp_engine_in_flight(e), 0);
	for (unsigned i = 0; i < n; i++)
		assert_ptr_equal(done[i], jobs[i]);
	esp_engine_free(e);
	burst_free(packets, N_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(back_ends_agree_around_every_limit),
		cmocka_unit_test(bad_lengths_leave_the_others_alone),
		cmocka_unit_test(only_bad_lengths_are_all_refused),
		cmocka_unit_test(order_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
