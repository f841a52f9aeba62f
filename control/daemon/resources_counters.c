/* Counters of workers and roles, and the daemon as a whole. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/daemon/resources.h"
#include "crypto/secret.h"

static void count_set(json_t *o, const char *name, uint64_t value)
{
	json_object_set_new(o, name, json_integer((json_int_t)value));
}

static json_t *plane_drops_json(const struct dp_counters *c)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < DP_DROP_COUNT; i++)
		count_set(o, dp_drop_name((enum dp_drop)i), c->drops[i]);
	return o;
}

static json_t *worker_json(unsigned worker, const struct dp_counters *c, uint64_t clock,
			   uint64_t hz)
{
	json_t *o = json_object();

	count_set(o, "worker", worker);
	count_set(o, "clock", clock);
	count_set(o, "clock_hz", hz);
	count_set(o, "ue_rx", c->ue_rx);
	count_set(o, "ue_tx", c->ue_tx);
	count_set(o, "host_rx", c->host_rx);
	count_set(o, "host_tx", c->host_tx);
	count_set(o, "esp_protected", c->esp_protected);
	count_set(o, "esp_checked", c->esp_checked);
	count_set(o, "to_control", c->to_control);
	count_set(o, "from_control", c->from_control);
	count_set(o, "keepalives_in", c->keepalives_in);
	count_set(o, "keepalives_out", c->keepalives_out);
	count_set(o, "peers_moved", c->peers_moved);
	count_set(o, "polls", c->polls);
	count_set(o, "empty_polls", c->empty_polls);
	count_set(o, "sleeps", c->sleeps);
	count_set(o, "handover_in", c->handover_in);
	count_set(o, "busy_cycles", c->busy_cycles);
	count_set(o, "crypto_calls", c->crypto_calls);
	count_set(o, "crypto_jobs", c->crypto_jobs);
	count_set(o, "crypto_together", c->crypto_together);
	count_set(o, "crypto_flushed", c->crypto_flushed);
	json_object_set_new(o, "drops", plane_drops_json(c));
	return o;
}

void resource_workers_get(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct daemon *d = ctx;
	const struct daemon_sample *s = &d->samples[d->samples[0].clock ? 0 : 1];
	json_t *workers = json_array(), *worker;

	(void)q;
	for (unsigned w = 0; d->dp && w < dp_workers(d->dp); w++) {
		struct dp_counters c;
		uint64_t hz, clock;

		dp_worker_counters(d->dp, w, &c);
		clock = dp_clock(&hz);
		worker = worker_json(w, &c, clock, hz);
		if (s->clock && w < DAEMON_WORKERS_MAX)
			json_object_set_new(worker, "earlier",
					    worker_json(w, &s->workers[w], s->clock, hz));
		json_array_append_new(workers, worker);
	}
	r->body = json_pack("{s:o}", "workers", workers);
}

static json_t *pcscf_drops_json(const struct pcscf_counters *c)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < PCSCF_DROP_COUNT; i++)
		count_set(o, pcscf_drop_name((enum pcscf_drop)i), c->drops[i]);
	return o;
}

static struct stream_counters tcp_counters(const struct daemon *d)
{
	return d->stream ? *stream_counters(d->stream) : (struct stream_counters){0};
}

static json_t *tcp_drops_json(const struct daemon *d)
{
	struct stream_counters c = tcp_counters(d);
	json_t *o = json_object();

	count_set(o, "open_failed", c.open_failed);
	count_set(o, "undelivered", c.undelivered);
	count_set(o, "refused", c.refused);
	count_set(o, "bad", c.bad);
	count_set(o, "slow", c.slow);
	count_set(o, "stalled", c.stalled);
	return o;
}

static json_t *tls_json(const struct daemon *d)
{
	struct stream_counters s = tcp_counters(d);
	struct tls_counters c = *tls_counters(d->tls);
	json_t *o = json_object(), *failed = json_object();

	for (unsigned f = 0; f < TLS_FAILURE_COUNT; f++)
		count_set(failed, tls_failure_name((enum tls_failure)f), c.failed[f]);
	count_set(o, "connections", s.filtered);
	count_set(o, "half_open", s.half_open);
	count_set(o, "handshakes", c.handshakes);
	count_set(o, "resumed", c.resumed);
	json_object_set_new(o, "failed", failed);
	count_set(o, "broken", c.broken);
	count_set(o, "pushed_out", s.pushed_out);
	return o;
}

void resource_tcp_get(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct daemon *d = ctx;
	struct stream_counters c = tcp_counters(d);
	json_t *o = tcp_drops_json(d);

	(void)q;
	json_object_set_new(o, "listening", json_boolean(d->stream != NULL));
	count_set(o, "connections", c.connections);
	count_set(o, "accepted", c.accepted);
	count_set(o, "opened", c.opened);
	count_set(o, "closed", c.closed);
	count_set(o, "idle", c.idle);
	count_set(o, "messages_in", c.messages_in);
	count_set(o, "messages_out", c.messages_out);
	count_set(o, "pings_in", c.pings_in);
	count_set(o, "pongs_in", c.pongs_in);
	if (d->tls)
		json_object_set_new(o, "tls", tls_json(d));
	r->body = o;
}

void resource_drops_get(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct daemon *d = ctx;
	struct pcscf_counters pc = {0};
	struct dp_counters c;

	(void)q;
	daemon_counters(d, &c);
	if (d->pcscf)
		pcscf_counters(d->pcscf, &pc);
	r->body = json_pack("{s:o, s:o, s:o, s:{s:I, s:I}}", "dataplane", plane_drops_json(&c),
			    "pcscf", pcscf_drops_json(&pc), "tcp", tcp_drops_json(d), "daemon",
			    "send_failed", (json_int_t)d->send_errors, "mw_unknown_host",
			    (json_int_t)mw_lost(d->mw));
	if (d->icscf)
		json_object_set_new(
			r->body, "icscf",
			json_pack("{s:I}", "dropped", (json_int_t)icscf_dropped(d->icscf)));
	if (d->scscf)
		json_object_set_new(
			r->body, "scscf",
			json_pack("{s:I}", "dropped", (json_int_t)scscf_dropped(d->scscf)));
}

static json_t *pcscf_json(const struct pcscf_counters *c)
{
	json_t *o = json_object();

	count_set(o, "registered", c->registered);
	count_set(o, "pending", c->pending);
	count_set(o, "sets", c->sets);
	count_set(o, "transactions", c->transactions);
	count_set(o, "dialogs", c->dialogs);
	count_set(o, "emergency", c->emergency);
	count_set(o, "emergency_calls", c->emergency_calls);
	count_set(o, "registrations", c->registrations);
	count_set(o, "refreshes", c->refreshes);
	count_set(o, "deregistrations", c->deregistrations);
	count_set(o, "auth_failures", c->auth_failures);
	count_set(o, "timeouts", c->timeouts);
	count_set(o, "impossible", c->impossible);
	count_set(o, "requests_from_ue", c->requests_from_ue);
	count_set(o, "requests_to_ue", c->requests_to_ue);
	count_set(o, "retransmissions", c->retransmissions);
	return o;
}

static uint64_t resident_kb(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long long size, resident = 0;

	if (f) {
		if (fscanf(f, "%llu %llu", &size, &resident) != 2)
			resident = 0;
		fclose(f);
	}
	return resident * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

static json_t *roles_json(unsigned roles)
{
	static const char *const names[] = {"p-cscf", "i-cscf", "s-cscf", "hss"};
	json_t *a = json_array();

	for (unsigned i = 0; i < 4; i++)
		if (roles & (1u << i))
			json_array_append_new(a, json_string(names[i]));
	return a;
}

static void pcscf_status(const struct daemon *d, json_t *o)
{
	struct pcscf_counters pc;

	pcscf_counters(d->pcscf, &pc);
	json_object_set_new(o, "pcscf", pcscf_json(&pc));
}

static void plane_status(const struct daemon *d, json_t *o)
{
	struct dp_counters c;

	daemon_counters(d, &c);
	json_object_set_new(
		o, "dataplane",
		json_pack("{s:i, s:I, s:I, s:I, s:I}", "workers", (int)dp_workers(d->dp),
			  "sa_sets_in_use", (json_int_t)dp_sa_sets_in_use(d->dp), "sa_sets",
			  (json_int_t)d->conf.sa_sets, "esp_protected", (json_int_t)c.esp_protected,
			  "esp_checked", (json_int_t)c.esp_checked));
}

void resource_status_get(void *ctx, const struct mgmt_request *q, struct mgmt_reply *r)
{
	struct daemon *d = ctx;
	json_t *o = json_object();

	(void)q;
	json_object_set_new(o, "version", json_string(ESPLANADE_VERSION));
	count_set(o, "pid", (uint64_t)getpid());
	count_set(o, "uptime_s", (daemon_now() - d->started) / 1000);
	json_object_set_new(o, "roles", roles_json(d->conf.roles));
	count_set(o, "resident_kb", resident_kb());
	json_object_set_new(o, "memory_lockable", json_boolean(secret_locked()));
	count_set(o, "timers", timers_count(d->timers));
	if (d->pcscf)
		pcscf_status(d, o);
	if (d->dp)
		plane_status(d, o);
	if (d->icscf)
		json_object_set_new(
			o, "icscf",
			json_pack("{s:I}", "hss_queries", (json_int_t)icscf_queries(d->icscf)));
	if (d->scscf)
		json_object_set_new(o, "scscf",
				    json_pack("{s:I, s:I, s:I, s:I}", "registered",
					      (json_int_t)scscf_registered(d->scscf), "pending",
					      (json_int_t)scscf_pending(d->scscf), "subscriptions",
					      (json_int_t)scscf_subscriptions(d->scscf),
					      "impossible",
					      (json_int_t)scscf_impossible(d->scscf)));
	if (d->hss)
		json_object_set_new(
			o, "hss",
			json_pack("{s:I}", "subscribers", (json_int_t)hss_subscribers(d->hss)));
	r->body = o;
}
