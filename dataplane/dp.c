/* The data plane as control sees it (dataplane.h): SA sets, events, counters. */
#include "dataplane/dp.h"

#include <errno.h>

#include <rte_cycles.h>

/* ---- SA sets ------------------------------------------------------------------------------ */

int dp_sa_reserve(struct dp *dp, const uint32_t *avoid, unsigned n_avoid, struct sa_set *set)
{
	return sa_table_reserve(dp->sa, avoid, n_avoid, set);
}

int dp_sa_reserve_manual(struct dp *dp, uint32_t spi, struct sa_set *set)
{
	int rc = spi ? sa_table_reserve_spi(dp->sa, spi, set) : sa_table_reserve_none(dp->sa, set);

	set->manual = true;
	return rc;
}

int dp_sa_install(struct dp *dp, const struct sa_set *set)
{
	bool tunnel = set->mode == SA_MODE_UDP_ENC_TUN;
	int rc = tunnel && !dp->env.udp_enc_port ? -ENOTSUP : sa_table_install(dp->sa, set);

	if (rc < 0 || !tunnel || !set->tunnel.keepalive)
		return rc;
	rc = keepalive_add(&dp->keepalive, set->id);
	if (rc < 0)
		sa_table_remove(dp->sa, set->id);
	return rc;
}

void dp_sa_remove(struct dp *dp, sa_set_id id)
{
	sa_table_remove(dp->sa, id);
}

void dp_sa_remove_outbound(struct dp *dp, sa_set_id id)
{
	sa_table_remove_outbound(dp->sa, id);
}

int dp_sa_counters(struct dp *dp, sa_set_id id, enum sa_pair pair, bool inbound,
		   struct dp_sa_counters *c)
{
	return sa_table_counters(dp->sa, id, pair, inbound, c);
}

unsigned dp_sa_sets_in_use(struct dp *dp)
{
	return sa_table_in_use(dp->sa);
}

/* ---- events and waiting ------------------------------------------------------------------- */

unsigned dp_events(struct dp *dp, struct dp_event *ev, unsigned n)
{
	unsigned got = 0, i;

	for (i = 0; i < dp->env.n_workers && got < n; i++)
		got += rte_ring_sc_dequeue_burst_elem(dp->workers[i]->control.events, ev + got,
						      sizeof(*ev), n - got, NULL);
	return got;
}

int dp_fd(struct dp *dp)
{
	return dp->wake.fd;
}

static bool dp_waiting(const struct dp *dp)
{
	uint16_t i;

	for (i = 0; i < dp->env.n_workers; i++)
		if (control_ring_waiting(&dp->workers[i]->control))
			return true;
	return false;
}

bool dp_arm(struct dp *dp)
{
	sa_table_reclaim(dp->sa);
	atomic_store(&dp->wake.armed, true);
	atomic_thread_fence(memory_order_seq_cst);
	if (!dp_waiting(dp))
		return true;
	dp_disarm(dp);
	return false;
}

void dp_disarm(struct dp *dp)
{
	control_wake_disarm(&dp->wake);
}

/* ---- counters ----------------------------------------------------------------------------- */

uint64_t dp_clock(uint64_t *hz)
{
	*hz = rte_get_tsc_hz();
	return rte_rdtsc();
}

unsigned dp_workers(struct dp *dp)
{
	return dp->env.n_workers;
}

void dp_worker_counters(struct dp *dp, unsigned worker, struct dp_counters *c)
{
	*c = dp->workers[worker]->c; /* words that only grow: a torn set of them does no harm */
	if (worker != 0)
		return;
	c->drops[DP_DROP_BAD_UDP] += dp->bad_udp;
	c->drops[DP_DROP_NO_NEXT_HOP] += slowpath_unresolved_drops(dp->env.slowpath);
}
