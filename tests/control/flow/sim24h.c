/*
 * A day in the life of many UEs on simulated time: they register, refresh, are challenged anew,
 * move to other addresses, talk and call, over UDP and TCP, some behind NATs that bind anew, fail,
 * are switched off and vanish, at random from a seed, over an access that loses, repeats and
 * delays, and ends connections. All along, copies of their messages are sent over SAs that are
 * wrong for them. At the end everybody goes, and nothing may be left.
 *
 *   sim24h [--ues N] [--hours N] [--seed N]      the defaults are those of a short test
 */
#include <getopt.h>
#include <malloc.h>
#include <stdlib.h>

#include "tests/control/flow/sim.h"

#define HOUR_MS 3600000u

struct options {
	unsigned ues, hours;
	uint64_t seed;
};

static struct options options = {500, 4, 1};

static enum net_fate access_fate(struct net *n, const struct net_packet *k, void *arg)
{
	struct sim *s = arg;
	unsigned chance = sim_dice(s, 1000);

	(void)n;
	if (k->flow.set && chance % 20 == 0)
		sim_copy_wrongly(s, k);
	return chance < 10   ? NET_DROP
	       : chance < 20 ? NET_DOUBLE
	       : chance < 23 ? NET_LATE
	       : chance < 26 ? (k->conn ? NET_CUT : NET_PASS)
	       : chance < 28 ? (k->conn ? NET_STALL : NET_PASS)
			     : NET_PASS;
}

static void on_event(struct net *n, struct net_ue *x, enum ue_event e, struct sv text)
{
	sim_player_event(n->event_arg, x, e, text);
}

/* Connections that nobody uses end. */
static void on_idle(struct timer *t, void *arg, uint64_t now)
{
	struct sim *s = arg;

	net_hang_up_idle(s->n, 240000);
	assert_int_equal(timer_start(s->n->timers, t, now + 60000, on_idle, s), 0);
}

static void sim_begin(struct sim *s)
{
	struct net_setup setup = {
		.ues = options.ues, .reg_event = true, .edge_event = options.seed % 3};
	struct net *n = net_alloc(&setup);

	memset(s, 0, sizeof(*s));
	s->n = n;
	s->dice.state = options.seed;
	s->players = calloc(options.ues, sizeof(*s->players));
	s->n_free = options.ues / 4 + 1;
	s->free_hosts = calloc(s->n_free, sizeof(*s->free_hosts));
	assert_true(s->players && s->free_hosts);
	for (unsigned i = 0; i < s->n_free; i++)
		s->free_hosts[i] = options.ues + 1 + i;
	for (unsigned i = 0; i < options.ues; i++) {
		net_ue_crash(n, i);
		sim_player_init(s, i);
	}
	n->fate = access_fate;
	n->fate_arg = s;
	n->late_ms = 7000;
	n->event = on_event;
	n->event_arg = s;
	on_idle(&s->idle, s, n->now);
}

#define LL(x) ((unsigned long long)(x))

static void report(struct sim *s, unsigned hour)
{
	struct pcscf_counters c = net_counters(s->n);

	print_message("hour %u: %u registered, %u sets, %u dialogs, %u connections; so far %llu "
		      "registrations, %llu calls, %llu messages, %llu copies on wrong SAs, %llu "
		      "taken\n",
		      hour, c.registered, c.sets, c.dialogs, HASH_CNT(by_key, s->n->tcp.conns),
		      LL(s->c.registrations), LL(s->c.answered / 2), LL(s->c.received),
		      LL(s->c.wrong), LL(s->c.wrong_taken));
}

static void summary(const struct sim *s)
{
	const struct sim_counts *c = &s->c;
	const struct net *n = s->n;
	const struct {
		const char *what;
		uint64_t n;
	} lines[] = {
		{"registrations and refreshes that succeeded", c->registrations},
		{"refreshes that UEs began themselves", c->refreshes},
		{"re-authentications that the network asked for", c->reauthentications},
		{"SA sets made, at both ends", n->installs},
		{"SA sets removed", n->removes},
		{"de-registrations by UEs", c->good_byes},
		{"de-registrations by the network", c->ended_by_network},
		{"UEs that the P-CSCF lost", c->lost_by_edge},
		{"UEs that vanished", c->vanished},
		{"moves to another address", c->moves},
		{"NATs that bound anew", c->rebinds},
		{"times that the P-CSCF followed a NAT", n->moves},
		{"wrong cards", c->wrong_cards},
		{"cards ahead of the HSS", c->cards_ahead},
		{"registrations that failed", c->failed},
		{"messages sent", c->sent},
		{"messages received", c->received},
		{"calls placed", c->calls},
		{"calls answered", c->answered / 2},
		{"calls refused", c->refused_calls},
		{"calls' ends, at either end", c->ended},
		{"connections by UEs", n->tcp.opened[0]},
		{"connections by the P-CSCF", n->tcp.opened[1]},
		{"connections that ended", n->tcp.closed},
		{"messages over the access", n->sent},
		{"packets without an SA", n->lost_spi},
		{"packets of other keys", n->lost_keys},
		{"packets stopped by NATs", n->lost_nat},
		{"copies on wrong SAs", c->wrong},
		{"copies on wrong SAs that were taken", c->wrong_taken},
	};

	for (unsigned i = 0; i < N_OF(lines); i++)
		print_message("%12llu %s\n", LL(lines[i].n), lines[i].what);
}

/* A third says good-bye, the others just go. */
static void everybody_goes(struct sim *s)
{
	struct net *n = s->n;

	n->fate = NULL;
	for (unsigned i = 0; i < options.ues; i++) {
		timer_stop(n->timers, &s->players[i].timer);
		if (n->ues[i].ue && i % 3 == 0)
			(void)ue_deregister(n->ues[i].ue, n->now);
	}
	net_run(n, 500000);
	for (unsigned i = 0; i < options.ues; i++)
		if (n->ues[i].ue)
			net_ue_crash(n, i);
	net_run(n, 2 * HOUR_MS);
	timer_stop(n->timers, &s->idle);
}

static void nothing_is_left(struct sim *s)
{
	struct pcscf_counters c = net_counters(s->n);

	assert_int_equal(s->c.wrong_taken, 0);
	assert_int_equal(c.registered, 0);
	assert_int_equal(c.pending, 0);
	assert_int_equal(c.sets, 0);
	assert_int_equal(c.transactions, 0);
	assert_int_equal(c.dialogs, 0);
	assert_int_equal(net_sets(&s->n->edge), 0);
	assert_int_equal(scscf_registered(s->n->scscf), 0);
	assert_int_equal(scscf_pending(s->n->scscf), 0);
	assert_int_equal(scscf_subscriptions(s->n->scscf), 0);
	assert_int_equal(timers_count(s->n->timers), 0);
	assert_int_equal(s->n->installs, s->n->removes);
	assert_null(s->n->held);
	assert_null(s->n->tcp.conns);
}

/* What caches of malloc and SQLite take, and heaps that have been large keep: far less than an
 * octet a registration on a long day. */
#define KEPT_PER_UE 64
#define KEPT	    1048576

static void a_day(void **state)
{
	struct sim s;
	size_t before;

	(void)state;
	sim_begin(&s);
	before = mallinfo2().uordblks;
	for (unsigned h = 0; h < options.hours; h++) {
		net_run(s.n, HOUR_MS);
		report(&s, h + 1);
	}
	everybody_goes(&s);
	report(&s, options.hours + 2);
	summary(&s);
	print_message("%12zd octets of memory more than before\n",
		      (ssize_t)(mallinfo2().uordblks - before));
	nothing_is_left(&s);
	assert_true(mallinfo2().uordblks <= before + KEPT + KEPT_PER_UE * options.ues);
	assert_true(s.c.received > s.c.sent / 4);
	assert_true(s.c.answered / 2 > s.c.calls / 8);
	assert_true(s.c.wrong > 0 && s.c.moves > 0 && s.c.rebinds > 0);
	free(s.players);
	free(s.free_hosts);
	net_free(s.n);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {{"ues", required_argument, NULL, 'u'},
					      {"hours", required_argument, NULL, 'h'},
					      {"seed", required_argument, NULL, 's'},
					      {NULL, 0, NULL, 0}};
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_day)};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		unsigned long v = optarg ? strtoul(optarg, NULL, 10) : 0;

		if (c == '?' || v == 0 || v > 1000000000)
			return 2;
		if (c == 'u')
			options.ues = v > 50000 ? 50000 : (unsigned)v;
		else if (c == 'h')
			options.hours = (unsigned)v;
		else
			options.seed = v;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
