#include "bench/bench_result.h"

#include <jansson.h>
#include <stdlib.h>

static void json_print(json_t *object, FILE *f)
{
	char *text = object ? json_dumps(object, JSON_REAL_PRECISION(6)) : NULL;

	if (text)
		fprintf(f, "%s\n", text);
	free(text);
	json_decref(object);
}

static json_t *stages_json(const struct bench_esp_result *r)
{
	json_t *stages = json_object();

	for (unsigned i = 0; i < WORKER_STAGES; i++)
		if (r->stage_cycles[i] > 0)
			json_object_set_new(stages, worker_stage_name((enum worker_stage)i),
					    json_real(r->stage_cycles[i]));
	return stages;
}

static void esp_json(const struct bench_options *o, const struct bench_esp_result *r, FILE *f)
{
	json_t *j = json_pack(
		"{s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:I, s:f, s:I, s:f, s:f, s:f, s:f, s:b}",
		"bench", "esp", "dir", o->inbound ? "in" : "out", "mode", bench_mode_name(o->mode),
		"ip", (int)o->ip, "integ", bench_integ_name(o->integ), "encr",
		bench_encr_name(o->encr), "size", (int)o->size, "sas", (json_int_t)o->sas,
		"seconds", o->seconds, "packets", (json_int_t)r->packets, "mpps", r->mpps,
		"cycles_per_packet", r->cycles, "floor_mpps", r->floor_mpps, "efficiency",
		r->floor_mpps > 0 ? r->mpps / r->floor_mpps : 0.0, "verified", (int)r->verified);

	if (!j)
		return;
	json_object_set_new(j, "workers", json_integer(o->workers));
	json_object_set_new(j, "floor_cycles_per_packet", json_real(r->floor_cycles));
	json_object_set_new(j, "checked", json_integer((json_int_t)r->checked));
	json_object_set_new(j, "drops", json_integer((json_int_t)r->drops));
	json_object_set_new(j, "rss_bytes", json_integer((json_int_t)r->rss));
	json_object_set_new(j, "bytes_per_sa",
			    r->octets_per_sa > 0 ? json_real(r->octets_per_sa) : json_null());
	if (o->stages)
		json_object_set_new(j, "stages", stages_json(r));
	json_print(j, f);
}

static void esp_text(const struct bench_options *o, const struct bench_esp_result *r, FILE *f)
{
	fprintf(f, "%sbound %s, IPv%u, %s, %s, %u octets, %u SAs, %u worker%s\n",
		o->inbound ? "in" : "out", bench_mode_name(o->mode), o->ip,
		bench_integ_name(o->integ), bench_encr_name(o->encr), o->size, o->sas, o->workers,
		o->workers == 1 ? "" : "s");
	fprintf(f, "  pipeline      %8.3f Mpps  %7.0f cycles/packet\n", r->mpps, r->cycles);
	fprintf(f, "  bare library  %8.3f Mpps  %7.0f cycles/packet\n", r->floor_mpps,
		r->floor_cycles);
	fprintf(f, "  efficiency    %8.3f\n", r->floor_mpps > 0 ? r->mpps / r->floor_mpps : 0);
	for (unsigned i = 0; o->stages && i < WORKER_STAGES; i++)
		if (r->stage_cycles[i] > 0)
			fprintf(f, "    %-12s %7.1f cycles/packet\n",
				worker_stage_name((enum worker_stage)i), r->stage_cycles[i]);
	fprintf(f, "  memory        %8.0f MiB resident", (double)r->rss / 1048576);
	if (r->octets_per_sa > 0)
		fprintf(f, ", %.0f octets per SA", r->octets_per_sa);
	fprintf(f, "\n  %s: %lu of %lu packets compared, %lu dropped\n",
		r->verified ? "verified" : "NOT VERIFIED", (unsigned long)r->checked,
		(unsigned long)r->packets, (unsigned long)r->drops);
}

void bench_esp_print(const struct bench_options *o, const struct bench_esp_result *r, FILE *f)
{
	if (o->json)
		esp_json(o, r, f);
	else
		esp_text(o, r, f);
	fflush(f);
}

void bench_churn_print(const struct bench_options *o, const struct bench_churn_result *r, FILE *f)
{
	double rate = r->seconds > 0 ? (double)r->sa_ops / r->seconds : 0;

	if (o->json) {
		json_print(
			json_pack(
				"{s:s, s:I, s:f, s:f, s:I, s:I, s:f, s:f, s:I, s:I, s:f, s:f, s:b}",
				"bench", "churn", "sas", (json_int_t)o->sas, "seconds", r->seconds,
				"sa_ops_per_s", rate, "packets", (json_int_t)r->packets, "lost",
				(json_int_t)r->lost, "worst_gap_us", r->worst_gap_us,
				"quiet_gap_us", r->quiet_gap_us, "gaps_over_100us",
				(json_int_t)r->gaps_long, "quiet_gaps_over_100us",
				(json_int_t)r->quiet_gaps_long, "mpps", r->mpps, "load", r->load,
				"verified", (int)r->verified),
			f);
	} else {
		fprintf(f, "%.0f SAs installed and as many removed per second\n", rate / 2);
		fprintf(f, "  %lu packets at %.3f Mpps (%.0f %% of the top rate), %lu lost\n",
			(unsigned long)r->packets, r->mpps, r->load * 100, (unsigned long)r->lost);
		fprintf(f,
			"  worst gap %.1f us, %lu over 100 us; before the storm %.1f us, %lu\n  "
			"%s\n",
			r->worst_gap_us, (unsigned long)r->gaps_long, r->quiet_gap_us,
			(unsigned long)r->quiet_gaps_long,
			r->verified ? "verified" : "NOT VERIFIED");
	}
	fflush(f);
}

static void signal_json(const struct bench_options *o, const struct bench_signal_result *r, FILE *f,
			double rate, double loss)
{
	json_t *j = json_pack("{s:s, s:I, s:s, s:i, s:s, s:s, s:i, s:f, s:f, s:f}", "bench",
			      "signal", "ues", (json_int_t)(o->sas + SA_PAIRS - 1) / SA_PAIRS,
			      "mode", bench_mode_name(o->mode), "ip", (int)o->ip, "integ",
			      bench_integ_name(o->integ), "encr", bench_encr_name(o->encr), "size",
			      (int)o->size, "seconds", r->seconds, "rate_wanted", o->rate, "rate",
			      rate);

	if (!j)
		return;
	json_object_update_new(
		j,
		json_pack("{s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:b}", "sent",
			  (json_int_t)r->sent, "received", (json_int_t)r->received, "loss_percent",
			  loss, "injected_lost", (json_int_t)r->injected_lost, "injected_replayed",
			  (json_int_t)r->injected_replayed, "injected_damaged",
			  (json_int_t)r->injected_damaged, "replay_drops",
			  (json_int_t)r->replay_drops, "icv_failures", (json_int_t)r->icv_failures,
			  "other_drops", (json_int_t)r->other_drops, "p50_us", r->p50_us, "p99_us",
			  r->p99_us, "verified", (int)r->verified));
	json_print(j, f);
}

void bench_signal_print(const struct bench_options *o, const struct bench_signal_result *r, FILE *f)
{
	double rate = r->seconds > 0 ? (double)r->sent / r->seconds : 0;
	double loss = r->sent ? 100 * (double)(r->sent - r->received) / (double)r->sent : 0;

	if (o->json) {
		signal_json(o, r, f, rate, loss);
	} else {
		fprintf(f, "%lu messages in %.2f s: %.0f per second of %.0f\n",
			(unsigned long)r->sent, r->seconds, rate, o->rate);
		fprintf(f, "  lost          %.3f %%  (%lu lost and %lu damaged by the wire)\n",
			loss, (unsigned long)r->injected_lost, (unsigned long)r->injected_damaged);
		fprintf(f, "  replay drops  %lu of %lu repeated by the wire\n",
			(unsigned long)r->replay_drops, (unsigned long)r->injected_replayed);
		fprintf(f, "  ICV failures  %lu of %lu damaged by the wire\n",
			(unsigned long)r->icv_failures, (unsigned long)r->injected_damaged);
		fprintf(f, "  other drops   %lu\n  latency       p50 %.1f us, p99 %.1f us\n  %s\n",
			(unsigned long)r->other_drops, r->p50_us, r->p99_us,
			r->verified ? "verified" : "NOT VERIFIED");
	}
	fflush(f);
}
