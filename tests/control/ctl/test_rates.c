#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control/ctl/rates.h"

#define BEFORE                                                                                     \
	"{'clock': 1000, 'clock_hz': 1000, 'polls': 100, 'empty_polls': 90, 'ue_rx': 10,"          \
	" 'host_rx': 0, 'from_control': 4, 'handover_in': 0, 'ue_tx': 5, 'host_tx': 1,"            \
	" 'to_control': 9, 'esp_checked': 3, 'esp_protected': 2, 'sleeps': 0, 'busy_cycles': 50,"  \
	" 'crypto_calls': 1, 'crypto_jobs': 2, 'crypto_together': 2, 'crypto_flushed': 2,"         \
	" 'drops': {'replay': 7, 'bad_icv': 1}}"

/* Two seconds later: 640 packets in, in 20 turns, with 1000 of 2000 ticks. */
#define AFTER                                                                                      \
	"{'clock': 3000, 'clock_hz': 1000, 'polls': 200, 'empty_polls': 170, 'ue_rx': 310,"        \
	" 'host_rx': 100, 'from_control': 104, 'handover_in': 140, 'ue_tx': 205, 'host_tx': 101,"  \
	" 'to_control': 209, 'esp_checked': 403, 'esp_protected': 202, 'sleeps': 6,"               \
	" 'busy_cycles': 1050, 'crypto_calls': 21, 'crypto_jobs': 602, 'crypto_together': 802,"    \
	" 'crypto_flushed': 152, 'drops': {'replay': 7, 'bad_icv': 31}}"

static json_t *reading(const char *text)
{
	char json[1024];
	json_t *o;
	size_t i;

	for (i = 0; text[i] && i < sizeof(json) - 1; i++)
		json[i] = text[i] == '\'' ? '"' : text[i];
	json[i] = '\0';
	o = json_loads(json, 0, NULL);
	assert_non_null(o);
	return o;
}

static void assert_near(double got, double wanted)
{
	if (got < wanted - 1e-9 || got > wanted + 1e-9)
		fail_msg("%f instead of %f", got, wanted);
}

static double rate(const json_t *rates, const char *key)
{
	assert_true(json_is_real(json_object_get(rates, key)));
	return json_real_value(json_object_get(rates, key));
}

static void test_rates(void **state)
{
	static const struct {
		const char *key;
		double value;
	} rows[] = {
		{"seconds", 2},		 {"load", 0.5},
		{"in_pps", 320},	 {"out_pps", 250},
		{"esp_in_pps", 200},	 {"esp_out_pps", 100},
		{"to_control_pps", 100}, {"from_control_pps", 50},
		{"sleeps_per_s", 3},	 {"cycles_per_packet", 1000.0 / 640},
		{"batch", 32},		 {"lane_fill", 40},
		{"crypto_batch", 30},	 {"flushed", 0.25},
	};
	json_t *before = reading(BEFORE), *now = reading(AFTER);
	json_t *rates = rates_between(before, now), *drops;

	(void)state;
	assert_non_null(rates);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_near(rate(rates, rows[i].key), rows[i].value);
	drops = json_object_get(rates, "drops");
	assert_int_equal(json_object_size(drops), 1);
	assert_near(rate(drops, "bad_icv"), 15);
	json_decref(rates);
	json_decref(before);
	json_decref(now);
}

/* Nothing happened: no quotient of nothing, no reason without drops. */
static void test_rates_idle(void **state)
{
	json_t *before = reading(BEFORE), *now = reading(BEFORE), *rates;

	(void)state;
	json_object_set_new(now, "clock", json_integer(2000));
	rates = rates_between(before, now);
	assert_non_null(rates);
	assert_near(rate(rates, "cycles_per_packet"), 0);
	assert_near(rate(rates, "lane_fill"), 0);
	assert_near(rate(rates, "batch"), 0);
	assert_int_equal(json_object_size(json_object_get(rates, "drops")), 0);
	json_decref(rates);
	json_decref(before);
	json_decref(now);
}

/* Another process answers, or the same reading twice: no rates rather than wrong ones. */
static void test_rates_unrelated(void **state)
{
	json_t *before = reading(AFTER), *now = reading(BEFORE);

	(void)state;
	assert_null(rates_between(before, now)); /* the clock went back: another machine */
	json_object_set_new(now, "clock", json_integer(4000));
	assert_null(rates_between(before, now)); /* counters went back */
	assert_null(rates_between(before, before));
	assert_null(rates_between(NULL, now));
	json_decref(before);
	json_decref(now);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_rates_idle),
		cmocka_unit_test(test_rates_unrelated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
