#include "bench/ue_result.h"

#include <errno.h>
#include <math.h>

#include <jansson.h>

#include "control/agree/agree.h"

bool ue_result_good(const struct ue_result *r)
{
	return r->registered == r->ues && r->failed == 0 &&
	       r->messages_sent == r->messages_wanted &&
	       r->messages_delivered == r->messages_wanted &&
	       (r->calls_elsewhere || r->calls_answered == r->calls_wanted) &&
	       r->calls_completed == r->calls_wanted;
}

static double per_second(const struct ue_result *r)
{
	double rate =
		r->registering_us ? (double)r->registered * 1e6 / (double)r->registering_us : 0;

	return round(rate * 10) / 10;
}

static double percentile_ms(const struct ue_result *r, unsigned percent)
{
	return round((double)histogram_percentile(&r->register_us, percent) / 100) / 10;
}

typedef void algorithm_h(void *arg, const char *name, uint32_t count);

static void algorithms_each(const struct ue_result *r, algorithm_h *handler, void *arg)
{
	for (unsigned i = 0; i < SA_INTEG_COUNT; i++)
		for (unsigned e = 0; e < SA_ENCR_COUNT; e++) {
			char name[64];

			if (!r->algorithms[i][e])
				continue;
			snprintf(name, sizeof(name), "%s/%s", agree_alg_name((enum sa_integ)i),
				 agree_ealg_name((enum sa_encr)e));
			handler(arg, name, r->algorithms[i][e]);
		}
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void algorithm_json(void *arg, const char *name, uint32_t count)
{
	json_object_set_new(arg, name, json_integer(count));
}

static int json_print(const struct ue_result *r, FILE *f)
{
	json_t *algorithms = json_object(), *o;
	int rc = -EIO;

	if (!algorithms)
		return -ENOMEM;
	algorithms_each(r, algorithm_json, algorithms);
	o = json_pack("{s:i, s:i, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
		      "registered", (int)r->registered, "failed", (int)r->failed,
		      "registrations_per_s", per_second(r), "p50_ms", percentile_ms(r, 50),
		      "p99_ms", percentile_ms(r, 99), "messages_sent", (json_int_t)r->messages_sent,
		      "messages_delivered", (json_int_t)r->messages_delivered, "retransmissions",
		      (json_int_t)r->retransmissions, "calls_placed", (json_int_t)r->calls_placed,
		      "calls_answered", (json_int_t)r->calls_answered, "calls_completed",
		      (json_int_t)r->calls_completed, "tls_handshakes",
		      (json_int_t)r->tls_handshakes, "tls_resumed", (json_int_t)r->tls_resumed,
		      "algorithms", algorithms);
	if (!o)
		return -ENOMEM;
	if (json_dumpf(o, f, JSON_COMPACT | JSON_REAL_PRECISION(10)) == 0 &&
	    fputc('\n', f) != EOF && fflush(f) == 0)
		rc = 0;
	json_decref(o);
	return rc;
}

/* ---- text --------------------------------------------------------------------------------- */

static void algorithm_text(void *arg, const char *name, uint32_t count)
{
	fprintf(arg, "                %6u with %s\n", count, name);
}

static void calls_text(const struct ue_result *r, FILE *f)
{
	fprintf(f, "Calls           %llu of %llu placed, ", (unsigned long long)r->calls_placed,
		(unsigned long long)r->calls_wanted);
	if (!r->calls_elsewhere)
		fprintf(f, "%llu answered, ", (unsigned long long)r->calls_answered);
	fprintf(f, "%llu completed\n", (unsigned long long)r->calls_completed);
}

static int text_print(const struct ue_result *r, FILE *f)
{
	fprintf(f, "Registered      %u of %u UEs, %.1f per second\n", r->registered, r->ues,
		per_second(r));
	algorithms_each(r, algorithm_text, f);
	fprintf(f, "SM1 to SM12     p50 %.1f ms, p99 %.1f ms\n", percentile_ms(r, 50),
		percentile_ms(r, 99));
	fprintf(f, "Messages        %llu sent, %llu delivered; %llu retransmissions\n",
		(unsigned long long)r->messages_sent, (unsigned long long)r->messages_delivered,
		(unsigned long long)r->retransmissions);
	if (r->calls_wanted)
		calls_text(r, f);
	if (r->tls_handshakes)
		fprintf(f, "TLS             %llu handshakes, %llu of them resumed\n",
			(unsigned long long)r->tls_handshakes, (unsigned long long)r->tls_resumed);
	return fflush(f) == 0 && !ferror(f) ? 0 : -EIO;
}

int ue_result_print(const struct ue_result *r, bool json, FILE *f)
{
	return json ? json_print(r, f) : text_print(r, f);
}
