/* A day of many UEs: what its parts share. */
#pragma once

#include "tests/control/flow/net.h"

struct sim;

struct player {
	struct sim *sim;
	unsigned i; /* the UE's number */
	bool on, nat;
	uint8_t fails; /* attempts with a broken card that are left */
	struct timer timer;
};

struct sim_counts {
	uint64_t registrations, refreshes, good_byes, moves, rebinds, vanished, lost_by_edge,
		ended_by_network, reauthentications, wrong_cards, cards_ahead, failed;
	uint64_t sent, received, calls, answered, ended, refused_calls;
	uint64_t wrong, wrong_taken; /* copies on wrong SAs */
};

struct sim {
	struct net *n;
	struct test_random dice;
	struct player *players;
	unsigned *free_hosts, n_free; /* addresses that nobody has */
	uint64_t serial;
	struct sim_counts c;
	struct timer idle;
};

static inline unsigned sim_dice(struct sim *s, unsigned n)
{
	return test_random_below(&s->dice, n);
}

static inline const char *sim_find(struct sv text, const char *what)
{
	return memmem(text.p, text.n, what, strlen(what));
}

/* ---- sim_players.c */
/* Kinds of UEs: one in ten TCP alone, one mixed, two behind NATs, if IPv4. */
void sim_player_init(struct sim *s, unsigned i);
void sim_player_event(struct sim *s, struct net_ue *x, enum ue_event e, struct sv text);

/* ---- sim_wrong.c */
/* Sends a copy of it over SAs that are wrong for it. */
void sim_copy_wrongly(struct sim *s, const struct net_packet *k);
