/* The output contract of `esplanade-ue load` (design, section 6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "bench/ue_result.h"

static struct ue_result *result_make(void)
{
	struct ue_result *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->ues = r->registered = 100;
	r->registering_us = 2000000;
	r->messages_wanted = r->messages_sent = r->messages_delivered = 500;
	r->retransmissions = 3;
	r->algorithms[SA_INTEG_HMAC_SHA_1_96][SA_ENCR_AES_CBC] = 60;
	r->algorithms[SA_INTEG_HMAC_MD5_96][SA_ENCR_NULL] = 40;
	for (unsigned i = 1; i <= 100; i++)
		histogram_add(&r->register_us, i * 1000);
	return r;
}

static char *print(const struct ue_result *r, bool json)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_int_equal(ue_result_print(r, json, f), 0);
	fclose(f);
	return text;
}

static void json_keys(void **state)
{
	struct ue_result *r = result_make();
	char *text = print(r, true);
	json_t *o = json_loads(text, 0, NULL), *algorithms;

	(void)state;
	assert_non_null(o);
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1); /* one line */
	assert_int_equal(json_object_size(o), 14);
	assert_int_equal(json_integer_value(json_object_get(o, "registered")), 100);
	assert_int_equal(json_integer_value(json_object_get(o, "failed")), 0);
	assert_true(json_real_value(json_object_get(o, "registrations_per_s")) == 50.0);
	assert_in_range(json_real_value(json_object_get(o, "p50_ms")), 50, 52);
	assert_in_range(json_real_value(json_object_get(o, "p99_ms")), 99, 102);
	assert_int_equal(json_integer_value(json_object_get(o, "messages_sent")), 500);
	assert_int_equal(json_integer_value(json_object_get(o, "messages_delivered")), 500);
	assert_int_equal(json_integer_value(json_object_get(o, "retransmissions")), 3);
	assert_int_equal(json_integer_value(json_object_get(o, "tls_handshakes")), 0);
	assert_int_equal(json_integer_value(json_object_get(o, "tls_resumed")), 0);
	algorithms = json_object_get(o, "algorithms");
	assert_int_equal(json_object_size(algorithms), 2);
	assert_int_equal(json_integer_value(json_object_get(algorithms, "hmac-sha-1-96/aes-cbc")),
			 60);
	assert_int_equal(json_integer_value(json_object_get(algorithms, "hmac-md5-96/null")), 40);
	json_decref(o);
	free(text);
	text = print(r, false);
	assert_non_null(strstr(text, "100 of 100"));
	assert_non_null(strstr(text, "60 with hmac-sha-1-96/aes-cbc"));
	assert_null(strstr(text, "Calls"));
	free(text);
	r->calls_wanted = 9;
	r->calls_placed = 8;
	r->calls_answered = 7;
	r->calls_completed = 6;
	text = print(r, false);
	assert_non_null(strstr(text, "8 of 9 placed, 7 answered, 6 completed"));
	free(text);
	r->calls_elsewhere = true; /* who answers does not tell us */
	text = print(r, false);
	assert_non_null(strstr(text, "8 of 9 placed, 6 completed"));
	free(text);
	free(r);
}

static void good_only_if_complete(void **state)
{
	struct ue_result *r = result_make();

	(void)state;
	assert_true(ue_result_good(r));
	r->messages_delivered--;
	assert_false(ue_result_good(r));
	r->messages_delivered++;
	r->messages_sent--;
	assert_false(ue_result_good(r));
	r->messages_sent++;
	r->registered--;
	r->failed++;
	assert_false(ue_result_good(r));
	r->registered++;
	r->failed--;
	r->calls_wanted = 1;
	assert_false(ue_result_good(r));
	r->calls_answered = r->calls_completed = 1;
	assert_true(ue_result_good(r));
	free(r);
}

static void nothing_at_all(void **state)
{
	struct ue_result *r = calloc(1, sizeof(*r));
	char *text;
	json_t *o;

	(void)state;
	assert_non_null(r);
	text = print(r, true);
	o = json_loads(text, 0, NULL);
	assert_non_null(o);
	json_decref(o);
	free(text);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_keys),
		cmocka_unit_test(good_only_if_complete),
		cmocka_unit_test(nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
