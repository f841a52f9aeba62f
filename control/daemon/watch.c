/* Counters of all workers together, and word of new drops. */
#include <stdarg.h>
#include <string.h>

#include "control/daemon/daemon.h"

void daemon_counters(const struct daemon *d, struct dp_counters *sum)
{
	const size_t n = sizeof(*sum) / sizeof(uint64_t);
	uint64_t *to = (uint64_t *)sum;

	_Static_assert(sizeof(struct dp_counters) % sizeof(uint64_t) == 0,
		       "struct dp_counters holds nothing but uint64_t");
	memset(sum, 0, sizeof(*sum));
	for (unsigned w = 0; d->dp && w < dp_workers(d->dp); w++) {
		struct dp_counters c;
		const uint64_t *from = (const uint64_t *)&c;

		dp_worker_counters(d->dp, w, &c);
		for (size_t i = 0; i < n; i++)
			to[i] += from[i];
	}
}

struct report {
	char text[400];
	size_t n;
};

/* Appends "name count" if the counter has moved. */
static void report_add(struct report *r, const char *name, uint64_t now, uint64_t *seen)
{
	uint64_t more = now - *seen;

	*seen = now;
	if (more && r->n < sizeof(r->text))
		r->n += (size_t)snprintf(r->text + r->n, sizeof(r->text) - r->n, "%s%s %llu",
					 r->n ? ", " : "", name, (unsigned long long)more);
}

void daemon_sample(struct daemon *d)
{
	struct daemon_sample *s = &d->samples[1];
	uint64_t hz;

	if (!d->dp)
		return;
	d->samples[0] = *s;
	s->clock = dp_clock(&hz);
	for (unsigned w = 0; w < dp_workers(d->dp) && w < DAEMON_WORKERS_MAX; w++)
		dp_worker_counters(d->dp, w, &s->workers[w]);
}

void daemon_watch(struct daemon *d)
{
	struct report plane = {.n = 0}, sip = {.n = 0};
	struct pcscf_counters pc = {0};
	struct dp_counters c;

	if (!d->dp)
		return;
	daemon_sample(d);
	daemon_counters(d, &c);
	if (d->pcscf)
		pcscf_counters(d->pcscf, &pc);
	for (unsigned i = 0; i < DP_DROP_COUNT; i++)
		report_add(&plane, dp_drop_name((enum dp_drop)i), c.drops[i], &d->drops_seen[i]);
	for (unsigned i = 0; i < PCSCF_DROP_COUNT; i++)
		report_add(&sip, pcscf_drop_name((enum pcscf_drop)i), pc.drops[i],
			   &d->refusals_seen[i]);
	if (plane.n)
		log_line(&d->log, CONF_LOG_WARNING, "packets dropped: %s", plane.text);
	if (sip.n)
		log_line(&d->log, CONF_LOG_WARNING, "messages dropped or refused: %s", sip.text);
}
