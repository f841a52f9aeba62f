/*
 * A day in the life of many UEs on simulated time: they register, refresh, are challenged anew,
 * move to other addresses, talk, fail, are switched off and vanish, at random from a seed, over an
 * access that loses, repeats and delays. All along, copies of their messages are sent over SAs that
 * are wrong for them. At the end everybody goes, and nothing may be left.
 *
 *   sim24h [--ues N] [--hours N] [--seed N]      the defaults are those of a short test
 */
#include <getopt.h>
#include <malloc.h>
#include <stdlib.h>

#include "tests/control/flow/net.h"

#define HOUR_MS 3600000u

struct options {
	unsigned ues, hours;
	uint64_t seed;
};

static struct options options = {200, 6, 1};

enum mood { OFF, ON };

struct player {
	struct sim *sim;
	unsigned i; /* the UE's number */
	enum mood mood;
	struct timer timer;
	uint8_t fails; /* attempts with a broken card that are left */
};

struct sim {
	struct net *n;
	struct test_random dice;
	struct player *players;
	unsigned *free_hosts, n_free; /* addresses that nobody has */
	uint64_t serial;
	uint64_t sent, received, registrations, moves, vanished, lost_by_edge, reauthentications,
		wrong, wrong_taken;
};

static unsigned dice(struct sim *s, unsigned n)
{
	return test_random_below(&s->dice, n);
}

static struct net_ue *ue_of(const struct player *p)
{
	return &p->sim->n->ues[p->i];
}

/* ---- what a UE does next */

static timer_h act;

/* Exponential would be no better: between half and one and a half of the mean. */
static void later(struct player *p, uint64_t now, unsigned mean_s)
{
	uint64_t ms = mean_s * UINT64_C(500) + dice(p->sim, mean_s * 1000);

	assert_int_equal(timer_start(p->sim->n->timers, &p->timer, now + ms, act, p), 0);
}

/* A card of another operator for a while; or one that has run ahead of the HSS. */
static void break_card(struct player *p)
{
	struct net_ue *x = ue_of(p);

	if (dice(p->sim, 2)) {
		x->conf.key.k[0] ^= 0x80;
		p->fails = 1;
	} else {
		for (unsigned i = 0; i < SQN_INDS; i++)
			x->sqn.seq[i] += 1000;
	}
}

static void switch_on(struct player *p, uint64_t now)
{
	struct net_ue *x = ue_of(p);

	if (p->fails) {
		x->conf.key.k[0] ^= 0x80;
		p->fails = 0;
	} else if (dice(p->sim, 20) == 0) {
		break_card(p);
	}
	net_ue_start(p->sim->n, p->i);
	assert_int_equal(ue_register(x->ue, now), 0);
	p->mood = ON;
	later(p, now, 600);
}

/* Battery out, or a flight mode that says good-bye first. */
static void vanish(struct player *p)
{
	net_ue_crash(p->sim->n, p->i);
	p->mood = OFF;
	p->sim->vanished++;
}

static void move(struct player *p, uint64_t now)
{
	struct sim *s = p->sim;
	struct net_ue *x = ue_of(p);
	unsigned place = dice(s, s->n_free), host = s->free_hosts[place];

	vanish(p);
	s->vanished--;
	s->free_hosts[place] = x->host;
	net_ue_place(s->n, p->i, (uint16_t)host);
	s->moves++;
	switch_on(p, now);
}

static void say(struct player *p, uint64_t now)
{
	struct sim *s = p->sim;
	unsigned to = dice(s, s->n->n_ues);
	char body[64];

	snprintf(body, sizeof(body), "u%u u%u %llu", p->i, to, (unsigned long long)++s->serial);
	s->sent += ue_message(ue_of(p)->ue, sv_of(s->n->ues[to].impu), sv_of(body), now) == 0;
}

static void network_acts(struct player *p, uint64_t now)
{
	struct sim *s = p->sim;
	struct sv impi = sv_of(ue_of(p)->impi);

	switch (dice(s, 4)) {
	case 0: /* the P-CSCF loses the UE */
		s->lost_by_edge += pcscf_deregister(s->n->pcscf, impi, now) == 0;
		break;
	case 1:
		(void)scscf_deregister(s->n->scscf, impi, now);
		break;
	default:
		s->reauthentications += scscf_reauthenticate(s->n->scscf, impi, 0, now) == 0;
	}
}

static void act(struct timer *t, void *arg, uint64_t now)
{
	struct player *p = arg;
	struct ue *u = ue_of(p)->ue;
	unsigned chance = dice(p->sim, 100);

	(void)t;
	if (p->mood == OFF) {
		switch_on(p, now);
		return;
	}
	if (!ue_registered(u) && !p->fails) {
		(void)ue_register(u, now);
	} else if (chance < 8) {
		(void)ue_register(u, now);
	} else if (chance < 14 || p->fails) { /* who has the wrong card puts in the right one */
		vanish(p);
	} else if (chance < 20) {
		move(p, now);
		return;
	} else if (chance < 26) {
		(void)ue_deregister(u, now);
	} else if (chance < 30) {
		network_acts(p, now);
	} else {
		say(p, now);
	}
	later(p, now, p->mood == OFF ? 1800 : 900);
}

/* ---- copies on wrong SAs ------------------------------------------------------------------ */

static unsigned core_sends;

int __real_mw_send(struct mw *m, struct sv host, struct sv text);
int __wrap_mw_send(struct mw *m, struct sv host, struct sv text);

static bool begins(struct sv text, const char *with)
{
	return text.n >= strlen(with) && memcmp(text.p, with, strlen(with)) == 0;
}

static const char *find(struct sv text, const char *what)
{
	return memmem(text.p, text.n, what, strlen(what));
}

/* May the P-CSCF pass on what came on `on`, though it was sent on `right`? Who may use several sets
 * may do so with any of them; but SM7 and responses are for one alone (LP-08, LP-12). */
static bool edge_may_take(const struct net_sa *right, const struct net_sa *on, struct sv text)
{
	bool answers = begins(text, "REGISTER ") && !find(text, "response=\"\"");

	if (begins(text, "SIP/2.0") || !on || on->owner != right->owner)
		return false;
	return on->confirmed && !(answers && !right->confirmed);
}

static void copy_to_edge(struct sim *s, const struct net_sa *right, struct sv text)
{
	struct net_end *edge = &s->n->edge;
	const struct net_sa *on = NULL;
	unsigned sends = core_sends, at = dice(s, edge->places);
	bool clear = dice(s, 10) == 0 && !begins(text, "REGISTER ");

	for (unsigned i = 0; !clear && i < edge->places && !on; i++) {
		const struct net_sa *sa = &edge->sas[(at + i) % edge->places];

		/* mostly another set of the same UE, if there is one */
		if (sa->installed && sa != right && (sa->owner == right->owner || i > 2000))
			on = sa;
	}
	if ((!on && !clear) || edge_may_take(right, on, text))
		return;
	s->wrong++;
	net_inject(s->n, edge, on, text);
	s->wrong_taken += core_sends != sends;
}

static unsigned events_of(const struct net_ue *x)
{
	unsigned n = 0;

	for (unsigned e = 0; e < N_OF(x->events); e++)
		n += x->events[e];
	return n;
}

static void copy_to_ue(struct sim *s, struct net_end *to, const struct net_sa *right,
		       struct sv text)
{
	const struct net_sa *on = NULL;
	struct net_ue *x = net_ue_of(to);
	unsigned events;

	for (unsigned i = 0; i < to->places; i++)
		if (to->sas[i].installed && &to->sas[i] != right)
			on = &to->sas[i];
	if (on && on->confirmed && !begins(text, "SIP/2.0"))
		return; /* may be asked on either */
	events = events_of(x);
	s->wrong++;
	net_inject(s->n, to, on, text);
	s->wrong_taken += events_of(x) != events;
}

static void copy_wrongly(struct sim *s, const struct net_packet *k)
{
	struct net_end *to = net_receiver(s->n, k);
	struct net_sa *right = net_sa_of(to, k);
	struct sv text = {k->text, k->n};

	if (!right || !right->installed)
		return;
	if (to == &s->n->edge)
		copy_to_edge(s, right, text);
	else
		copy_to_ue(s, to, right, text);
}

static enum net_fate access_fate(struct net *n, const struct net_packet *k, void *arg)
{
	struct sim *s = arg;
	unsigned chance = dice(s, 1000);

	(void)n;
	if (k->flow.set && chance % 20 == 0)
		copy_wrongly(s, k);
	return chance < 10   ? NET_DROP
	       : chance < 20 ? NET_DOUBLE
	       : chance < 23 ? NET_LATE
			     : NET_PASS;
}

/* ---- who says what ------------------------------------------------------------------------ */

/* Between P-CSCF and S-CSCF the asserted identity is that of the UE that wrote the text. */
int __wrap_mw_send(struct mw *m, struct sv host, struct sv text)
{
	const char *body = find(text, "\r\n\r\n"),
		   *asserted = find(text, "P-Asserted-Identity: <sip:u");
	unsigned from, who;

	core_sends++;
	if (begins(text, "MESSAGE ") && begins(host, "scscf")) {
		assert_true(body && asserted);
		assert_int_equal(sscanf(body + 4, "u%u ", &from), 1);
		assert_int_equal(sscanf(asserted, "P-Asserted-Identity: <sip:u%u@", &who), 1);
		assert_int_equal(from, who);
	}
	return __real_mw_send(m, host, text);
}

static void on_event(struct net *n, struct net_ue *x, enum ue_event e, struct sv text)
{
	struct sim *s = n->event_arg;
	char body[64];
	unsigned to;

	if (e == UE_REGISTERED)
		s->registrations++;
	if (e != UE_MESSAGE_RECEIVED)
		return;
	snprintf(body, sizeof(body), "%.*s", SV_ARG(text));
	assert_int_equal(sscanf(body, "u%*u u%u ", &to), 1);
	assert_ptr_equal(x, &n->ues[to]);
	s->received++;
}

/* ---- the day ------------------------------------------------------------------------------ */

static void sim_begin(struct sim *s)
{
	struct net_setup setup = {.ues = options.ues,
				  .ip = options.seed % 2 ? 6 : 4,
				  .reg_event = true,
				  .edge_event = options.seed % 3};
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
		s->players[i] = (struct player){.sim = s, .i = i};
		later(&s->players[i], n->now, 900);
	}
	n->fate = access_fate;
	n->fate_arg = s;
	n->late_ms = 7000;
	n->event = on_event;
	n->event_arg = s;
}

static void report(struct sim *s, unsigned hour)
{
	struct pcscf_counters c = net_counters(s->n);

	print_message("hour %u: %u registered, %u sets, %llu registrations, %llu of %llu messages, "
		      "%llu moves, %llu vanished, %llu copies on wrong SAs, %llu taken\n",
		      hour, c.registered, c.sets, (unsigned long long)s->registrations,
		      (unsigned long long)s->received, (unsigned long long)s->sent,
		      (unsigned long long)s->moves, (unsigned long long)s->vanished,
		      (unsigned long long)s->wrong, (unsigned long long)s->wrong_taken);
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
}

static void nothing_is_left(struct sim *s)
{
	struct pcscf_counters c = net_counters(s->n);

	assert_int_equal(s->wrong_taken, 0);
	assert_int_equal(c.registered, 0);
	assert_int_equal(c.pending, 0);
	assert_int_equal(c.sets, 0);
	assert_int_equal(c.transactions, 0);
	assert_int_equal(net_sets(&s->n->edge), 0);
	assert_int_equal(scscf_registered(s->n->scscf), 0);
	assert_int_equal(scscf_pending(s->n->scscf), 0);
	assert_int_equal(scscf_subscriptions(s->n->scscf), 0);
	assert_int_equal(timers_count(s->n->timers), 0);
	assert_int_equal(s->n->installs, s->n->removes);
	assert_null(s->n->held);
}

/* What caches of malloc and SQLite take, and heaps that have been large keep: far less than an
 * octet a registration on a long day. */
#define KEPT_PER_UE 64
#define KEPT	    524288

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
	nothing_is_left(&s);
	print_message("%zd octets more than before\n", (ssize_t)(mallinfo2().uordblks - before));
	assert_true(mallinfo2().uordblks <= before + KEPT + KEPT_PER_UE * options.ues);
	assert_true(s.received > s.sent / 4);
	assert_true(s.wrong > 0 && s.moves > 0);
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
