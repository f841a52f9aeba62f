/* What a UE and its network do next, at random. */
#include "tests/control/flow/sim.h"

static struct net_ue *ue_of(const struct player *p)
{
	return &p->sim->n->ues[p->i];
}

static timer_h act;

/* Exponential would be no better: between half and one and a half of the mean. */
static void later(struct player *p, uint64_t now, unsigned mean_s)
{
	uint64_t ms = mean_s * UINT64_C(500) + sim_dice(p->sim, mean_s * 1000);

	assert_int_equal(timer_start(p->sim->n->timers, &p->timer, now + ms, act, p), 0);
}

/* ---- where it is */

/* All who are behind NATs have one address. */
static void nat_address(struct player *p, char text[32])
{
	snprintf(text, 32, "100.%u.%u.%u", 64 + sim_dice(p->sim, 64), ue_of(p)->host >> 8,
		 ue_of(p)->host & 255);
}

static void settle(struct player *p)
{
	char public[32];

	if (!p->nat)
		return;
	assert_int_equal(ip_addr_parse(&ue_of(p)->conf.local.addr, "192.168.1.2"), 0);
	nat_address(p, public);
	net_rebind(p->sim->n, p->i, public);
}

void sim_player_init(struct sim *s, unsigned i)
{
	struct player *p = &s->players[i];
	struct ue_conf *conf = &s->n->ues[i].conf;

	*p = (struct player){.sim = s, .i = i};
	p->nat = conf->local.addr.version == 4 && (i % 10 == 4 || i % 10 == 8);
	conf->udp_enc_tun = p->nat;
	conf->transport = i % 10 == 3	? UE_TRANSPORT_TCP
			  : i % 10 == 6 ? UE_TRANSPORT_MIXED
					: UE_TRANSPORT_UDP;
	settle(p);
	later(p, s->n->now, 900);
}

/* ---- on and off */

/* A card of another operator for a while; or one that has run ahead of the HSS. */
static void break_card(struct player *p)
{
	struct net_ue *x = ue_of(p);

	if (sim_dice(p->sim, 2)) {
		x->conf.key.k[0] ^= 0x80;
		p->fails = 1;
		p->sim->c.wrong_cards++;
		return;
	}
	for (unsigned i = 0; i < SQN_INDS; i++)
		x->sqn.seq[i] += 1000;
	p->sim->c.cards_ahead++;
}

static void switch_on(struct player *p, uint64_t now)
{
	struct net_ue *x = ue_of(p);

	if (p->fails) {
		x->conf.key.k[0] ^= 0x80;
		p->fails = 0;
	} else if (sim_dice(p->sim, 20) == 0) {
		break_card(p);
	}
	net_ue_start(p->sim->n, p->i);
	assert_int_equal(ue_register(x->ue, now), 0);
	p->on = true;
	later(p, now, 600);
}

static void switch_off(struct player *p)
{
	net_ue_crash(p->sim->n, p->i);
	p->on = false;
}

static void vanish(struct player *p)
{
	switch_off(p);
	p->sim->c.vanished++;
}

static void move(struct player *p, uint64_t now)
{
	struct sim *s = p->sim;
	struct net_ue *x = ue_of(p);
	unsigned place = sim_dice(s, s->n_free), host = s->free_hosts[place];

	switch_off(p);
	s->free_hosts[place] = x->host;
	net_ue_place(s->n, p->i, (uint16_t)host);
	settle(p);
	s->c.moves++;
	switch_on(p, now);
}

/* The NAT has been restarted, and may have another address now. */
static void rebind(struct player *p)
{
	char public[32];

	nat_address(p, public);
	net_rebind(p->sim->n, p->i, sim_dice(p->sim, 2) ? public : NULL);
	p->sim->c.rebinds++;
}

/* ---- talk */

static void say(struct player *p, uint64_t now)
{
	struct sim *s = p->sim;
	unsigned to = sim_dice(s, s->n->n_ues);
	bool lengthy = sim_dice(s, 8) == 0; /* for TCP, or in fragments */
	char body[2000];

	memset(body, '.', sizeof(body));
	snprintf(body, sizeof(body), "u%u u%u %llu ", p->i, to, (unsigned long long)++s->serial);
	s->c.sent += ue_message(ue_of(p)->ue, sv_of(s->n->ues[to].impu),
				(struct sv){body, lengthy ? 1500 : strlen(body)}, now) == 0;
}

static void call(struct player *p, uint64_t now)
{
	struct sim *s = p->sim;
	unsigned to = sim_dice(s, s->n->n_ues);

	if (ue_call_state(ue_of(p)->ue) != UE_CALL_NONE)
		(void)ue_call_end(ue_of(p)->ue, now);
	else if (to != p->i)
		s->c.calls += ue_call(ue_of(p)->ue, sv_of(s->n->ues[to].impu), now) == 0;
}

static void rings(struct sim *s, struct net_ue *x)
{
	unsigned chance = sim_dice(s, 10);

	if (chance == 0)
		s->c.refused_calls += ue_call_end(x->ue, s->n->now) == 0;
	else if (chance < 9)
		(void)ue_call_accept(x->ue, s->n->now);
}

static void heard(struct sim *s, const struct net_ue *x, struct sv text)
{
	char body[64];
	unsigned to;

	snprintf(body, sizeof(body), "%.*s", (int)(text.n < 63 ? text.n : 63), text.p);
	assert_int_equal(sscanf(body, "u%*u u%u ", &to), 1);
	assert_ptr_equal(x, &s->n->ues[to]);
	s->c.received++;
}

void sim_player_event(struct sim *s, struct net_ue *x, enum ue_event e, struct sv text)
{
	struct sim_counts *c = &s->c;

	c->registrations += e == UE_REGISTERED;
	c->failed += e == UE_FAILED;
	c->answered += e == UE_CALL_ANSWERED && ue_call_state(x->ue) == UE_CALL_TALKING;
	c->ended += e == UE_CALL_ENDED;
	if (e == UE_CALL_INCOMING)
		rings(s, x);
	if (e == UE_MESSAGE_RECEIVED)
		heard(s, x, text);
}

/* ---- what is next */

static void network_acts(struct player *p, uint64_t now)
{
	struct sim *s = p->sim;
	struct sv impi = sv_of(ue_of(p)->impi);

	switch (sim_dice(s, 4)) {
	case 0: /* the P-CSCF loses the UE */
		s->c.lost_by_edge += pcscf_deregister(s->n->pcscf, impi, now) == 0;
		break;
	case 1:
		s->c.ended_by_network += scscf_deregister(s->n->scscf, impi, now) == 0;
		break;
	default:
		s->c.reauthentications += scscf_reauthenticate(s->n->scscf, impi, 0, now) == 0;
	}
}

static void do_something(struct player *p, unsigned chance, uint64_t now)
{
	struct sim_counts *c = &p->sim->c;
	struct ue *u = ue_of(p)->ue;

	if (!ue_registered(u) && !p->fails)
		(void)ue_register(u, now);
	else if (chance < 8)
		c->refreshes += ue_register(u, now) == 0;
	else if (chance < 14 || p->fails) /* who has the wrong card puts in the right one */
		vanish(p);
	else if (chance < 20)
		c->good_byes += ue_deregister(u, now) == 0;
	else if (chance < 24)
		network_acts(p, now);
	else if (chance < 30 && p->nat)
		rebind(p);
	else if (chance < 55)
		call(p, now);
	else
		say(p, now);
}

static void act(struct timer *t, void *arg, uint64_t now)
{
	struct player *p = arg;
	unsigned chance = sim_dice(p->sim, 106);

	(void)t;
	if (!p->on) {
		switch_on(p, now);
	} else if (chance >= 100 && !p->fails) {
		move(p, now);
	} else {
		do_something(p, chance, now);
		later(p, now, p->on ? 900 : 1800);
	}
}
