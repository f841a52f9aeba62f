#include <jansson.h>

#include "bench/bench_tls.h"

static void print_json(const struct bench_tls_result *r, FILE *f)
{
	json_t *j = json_pack("{s:s, s:I, s:f, s:f, s:f, s:f, s:i, s:f, s:i, s:i, s:i, s:f, s:b}",
			      "bench", "tls", "handshakes", (json_int_t)r->handshakes, "seconds",
			      r->seconds, "handshakes_per_s_core", r->per_core, "floor_per_s_core",
			      r->floor, "efficiency", r->floor > 0 ? r->per_core / r->floor : 0.0,
			      "idle_connections", (int)r->idle, "bytes_per_idle_connection",
			      r->octets_per_idle, "slow_connections", (int)r->slow, "asked",
			      (int)r->wanted, "answered", (int)r->good, "worst_ms", r->worst_ms,
			      "verified", (int)r->verified);

	if (j)
		json_dumpf(j, f, JSON_REAL_PRECISION(6));
	fputc('\n', f);
	json_decref(j);
}

static void print_text(const struct bench_tls_result *r, FILE *f)
{
	fprintf(f, "TLS 1.3, ECDSA P-256, full handshakes, the P-CSCF's side\n");
	fprintf(f, "  ours          %8.0f per second and core (%lu in %.1f s)\n", r->per_core,
		(unsigned long)r->handshakes, r->seconds);
	fprintf(f, "  bare library  %8.0f per second and core\n", r->floor);
	fprintf(f, "  efficiency    %8.3f\n", r->floor > 0 ? r->per_core / r->floor : 0);
	fprintf(f, "  %u idle connections, %.0f octets each\n", r->idle, r->octets_per_idle);
	fprintf(f,
		"  beside %u that never end their handshake %u of %u were answered, in %.0f ms "
		"at worst\n  %s\n",
		r->slow, r->good, r->wanted, r->worst_ms,
		r->verified ? "verified" : "NOT VERIFIED");
}

void bench_tls_print(const struct bench_options *o, const struct bench_tls_result *r, FILE *f)
{
	if (o->json)
		print_json(r, f);
	else
		print_text(r, f);
	fflush(f);
}
