#include "tests/crypto/esp_packets.h"

#include <stdlib.h>
#include <string.h>

#define GUARD_OCTET 0xa5

void packet_make(struct packet *p, unsigned len)
{
	memset(p, 0, sizeof(*p));
	p->octets = calloc(1, len + ESP_ICV_LEN + PACKET_GUARD);
	p->key = aligned_alloc(_Alignof(struct esp_key), sizeof(struct esp_key));
	assert_non_null(p->octets);
	assert_non_null(p->key);
	memset(p->octets + len + ESP_ICV_LEN, GUARD_OCTET, PACKET_GUARD);
	p->job = (struct esp_job){.key = p->key, .esp = p->octets, .len = (uint16_t)len, .user = p};
}

void packet_key(struct packet *p, enum esp_backend backend, enum sa_integ integ, enum sa_encr encr,
		const struct sa_keys *raw)
{
	assert_int_equal(esp_key_expand(p->key, backend, integ, encr, raw), 0);
}

void packet_free(struct packet *p)
{
	esp_key_wipe(p->key);
	free(p->key);
	free(p->octets);
}

bool packet_guard_ok(const struct packet *p)
{
	for (unsigned i = 0; i < PACKET_GUARD; i++)
		if (p->octets[p->job.len + ESP_ICV_LEN + i] != GUARD_OCTET)
			return false;
	return true;
}

static void returned_count(struct esp_job *const *done, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		((struct packet *)done[i]->user)->returned++;
}

void packets_run(enum esp_backend backend, struct packet *packets, unsigned n, unsigned max_batch,
		 bool inbound)
{
	struct esp_job **jobs = calloc(max_batch, sizeof(*jobs));
	struct esp_job **done = calloc(max_batch + ESP_MAX_FLIGHT, sizeof(*done));
	struct test_random random = {max_batch};
	unsigned first, batch, n_done, in_flight = 0;
	struct esp_engine *e;

	assert_int_equal(esp_engine_alloc(&e, backend), 0);
	for (first = 0; first < n; first += batch) {
		batch = 1 + test_random_below(&random, max_batch);
		if (batch > n - first)
			batch = n - first;
		for (unsigned i = 0; i < batch; i++) {
			jobs[i] = &packets[first + i].job;
			jobs[i]->inbound = inbound;
			jobs[i]->status = 0xff;
			packets[first + i].returned = 0;
		}
		n_done = esp_engine_submit(e, jobs, batch, done);
		returned_count(done, n_done);
		in_flight += batch - n_done;
		assert_int_equal(esp_engine_in_flight(e), in_flight);
		assert_true(in_flight <= ESP_MAX_FLIGHT);
	}
	n_done = esp_engine_flush(e, done);
	returned_count(done, n_done);
	assert_int_equal(n_done, in_flight);
	assert_int_equal(esp_engine_in_flight(e), 0);
	assert_int_equal(esp_engine_flush(e, done), 0);
	esp_engine_free(e);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(packets[i].returned, 1);
		assert_true(packet_guard_ok(&packets[i]));
	}
	free(jobs);
	free(done);
}
