#include "control/ctl/rates.h"

struct readings {
	const json_t *before, *now;
};

static double more_of(const struct readings *r, const char *key)
{
	return (double)(json_integer_value(json_object_get(r->now, key)) -
			json_integer_value(json_object_get(r->before, key)));
}

static double quotient(double a, double b)
{
	return b > 0 ? a / b : 0;
}

static json_t *drops_rates(const struct readings *r, double seconds)
{
	struct readings drops = {json_object_get(r->before, "drops"),
				 json_object_get(r->now, "drops")};
	json_t *o = json_object(), *v;
	const char *reason;

	json_object_foreach((json_t *)drops.now, reason, v)
	{
		double more = more_of(&drops, reason);

		if (more > 0)
			json_object_set_new(o, reason, json_real(more / seconds));
	}
	return o;
}

static void packets_rates(const struct readings *r, double seconds, json_t *o)
{
	static const struct {
		const char *name, *of[4];
	} sums[] = {
		{"in_pps", {"ue_rx", "host_rx", "from_control", "handover_in"}},
		{"out_pps", {"ue_tx", "host_tx", "to_control"}},
		{"esp_in_pps", {"esp_checked"}},
		{"esp_out_pps", {"esp_protected"}},
		{"to_control_pps", {"to_control"}},
		{"from_control_pps", {"from_control"}},
		{"sleeps_per_s", {"sleeps"}},
	};

	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
		double sum = 0;

		for (size_t k = 0; k < 4 && sums[i].of[k]; k++)
			sum += more_of(r, sums[i].of[k]);
		json_object_set_new(o, sums[i].name, json_real(sum / seconds));
	}
}

static void work_rates(const struct readings *r, double seconds, double hz, json_t *o)
{
	double packets = seconds * json_real_value(json_object_get(o, "in_pps"));
	double turns = more_of(r, "polls") - more_of(r, "empty_polls");
	double busy = more_of(r, "busy_cycles"), calls = more_of(r, "crypto_calls");
	double jobs = more_of(r, "crypto_jobs");
	const struct {
		const char *name;
		double value;
	} values[] = {
		{"load", busy < hz * seconds ? busy / hz / seconds : 1},
		{"cycles_per_packet", quotient(busy, packets)},
		{"batch", quotient(packets, turns)},
		{"lane_fill", quotient(more_of(r, "crypto_together"), calls)},
		{"crypto_batch", quotient(jobs, calls)},
		{"flushed", quotient(more_of(r, "crypto_flushed"), jobs)},
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		json_object_set_new(o, values[i].name, json_real(values[i].value));
}

json_t *rates_between(const json_t *before, const json_t *now)
{
	struct readings r = {before, now};
	double hz = (double)json_integer_value(json_object_get(now, "clock_hz"));
	double ticks = more_of(&r, "clock");
	json_t *o;

	if (!json_is_object(before) || hz <= 0 || ticks <= 0 || more_of(&r, "polls") < 0)
		return NULL;
	o = json_object();
	json_object_set_new(o, "seconds", json_real(ticks / hz));
	packets_rates(&r, ticks / hz, o);
	work_rates(&r, ticks / hz, hz, o);
	json_object_set_new(o, "drops", drops_rates(&r, ticks / hz));
	return o;
}
