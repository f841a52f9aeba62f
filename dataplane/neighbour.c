#include <stdlib.h>

#include "dataplane/held.h"
#include "dataplane/neighbour.h"

#define NONE	 UINT32_MAX
#define TICK_MS	 100  /* while somebody is asked */
#define SWEEP_MS 1000 /* over all neighbours */

enum state {
	UNKNOWN,
	ASKED, /* unresolved, request sent */
	RESOLVED,
	CHECKED, /* resolved, its owner is asked whether it still is */
};

struct neighbour {
	struct ip_addr addr;
	struct rte_ether_addr mac;
	uint8_t state;
	uint8_t tries;
	uint32_t listed;     /* the kernel's list that had it last */
	uint32_t prev, next; /* of those asked */
	struct held_queue held;
	uint64_t asked_ms, confirmed_ms, used_ms;
};

struct neighbour_table {
	struct neighbour_conf conf;
	struct neighbour *all; /* by nexthop index */
	uint32_t used;	       /* all that ever were in use are below */
	uint32_t asked;	       /* first of those ASKED or CHECKED */
	uint32_t list;
	struct held_pool *pool;
	uint64_t swept_ms;
	uint64_t drops;
};

int neighbour_table_alloc(struct neighbour_table **tp, const struct neighbour_conf *conf)
{
	struct neighbour_table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->conf = *conf;
	t->asked = NONE;
	t->all = calloc(nexthop_limit(conf->hops), sizeof(*t->all));
	if (!t->all || held_pool_alloc(&t->pool) != 0) {
		neighbour_table_free(t);
		return -ENOMEM;
	}
	*tp = t;
	return 0;
}

void neighbour_table_free(struct neighbour_table *t)
{
	if (!t)
		return;
	held_pool_free(t->pool);
	free(t->all);
	free(t);
}

static void dropped(struct neighbour_table *t, unsigned n)
{
	__atomic_store_n(&t->drops, t->drops + n, __ATOMIC_RELAXED);
}

uint64_t neighbour_drops(const struct neighbour_table *t)
{
	return __atomic_load_n(&t->drops, __ATOMIC_RELAXED);
}

static uint32_t index_of(const struct neighbour_table *t, const struct neighbour *n)
{
	return (uint32_t)(n - t->all);
}

/* ---- states ------------------------------------------------------------------------------- */

static void asked_insert(struct neighbour_table *t, struct neighbour *n)
{
	uint32_t i = index_of(t, n);

	n->prev = NONE;
	n->next = t->asked;
	if (t->asked != NONE)
		t->all[t->asked].prev = i;
	t->asked = i;
}

static void asked_remove(struct neighbour_table *t, struct neighbour *n)
{
	if (n->prev == NONE)
		t->asked = n->next;
	else
		t->all[n->prev].next = n->next;
	if (n->next != NONE)
		t->all[n->next].prev = n->prev;
}

static void state_set(struct neighbour_table *t, struct neighbour *n, enum state state)
{
	bool was = n->state == ASKED || n->state == CHECKED;
	bool is = state == ASKED || state == CHECKED;

	if (was && !is)
		asked_remove(t, n);
	if (is && !was)
		asked_insert(t, n);
	n->state = (uint8_t)state;
	n->tries = 0;
}

static void ask(struct neighbour_table *t, struct neighbour *n, uint64_t now_ms)
{
	n->tries++;
	n->asked_ms = now_ms;
	t->conf.ask(t->conf.arg, &n->addr, n->state == ASKED ? NULL : &n->mac);
}

static struct neighbour *neighbour_find(struct neighbour_table *t, const struct ip_addr *addr)
{
	int i = nexthop_index(t->conf.hops, addr);

	return i < 0 ? NULL : &t->all[i];
}

static struct neighbour *neighbour_add(struct neighbour_table *t, const struct ip_addr *addr)
{
	int i = nexthop_add(t->conf.hops, addr);

	if (i < 0)
		return NULL;
	t->used = RTE_MAX(t->used, (uint32_t)i + 1);
	if (t->all[i].state == UNKNOWN)
		t->all[i] = (struct neighbour){.addr = *addr};
	return &t->all[i];
}

static void forget(struct neighbour_table *t, struct neighbour *n)
{
	dropped(t, held_expire(t->pool, &n->held, UINT64_MAX));
	state_set(t, n, UNKNOWN);
	nexthop_remove(t->conf.hops, &n->addr);
}

static void resolve(struct neighbour_table *t, struct neighbour *n,
		    const struct rte_ether_addr *mac, uint64_t now_ms)
{
	struct rte_mbuf *packet;

	n->mac = *mac;
	n->confirmed_ms = now_ms;
	n->used_ms = now_ms;
	state_set(t, n, RESOLVED);
	nexthop_resolve(t->conf.hops, index_of(t, n), mac);
	while ((packet = held_pop(t->pool, &n->held)))
		t->conf.send(t->conf.arg, packet, mac);
}

/* ---- what happens to it ------------------------------------------------------------------- */

void neighbour_hold(struct neighbour_table *t, const struct ip_addr *addr, struct rte_mbuf *packet,
		    uint64_t now_ms)
{
	struct neighbour *n = neighbour_add(t, addr);

	if (!n) {
		rte_pktmbuf_free(packet);
		dropped(t, 1);
		return;
	}
	if (n->state == RESOLVED || n->state == CHECKED) {
		t->conf.send(t->conf.arg, packet, &n->mac);
		return;
	}
	dropped(t, held_push(t->pool, &n->held, packet, now_ms));
	if (n->state == UNKNOWN) {
		state_set(t, n, ASKED);
		ask(t, n, now_ms);
	}
}

static void check(struct neighbour_table *t, struct neighbour *n, uint64_t now_ms)
{
	state_set(t, n, CHECKED);
	ask(t, n, now_ms);
}

void neighbour_learn(struct neighbour_table *t, const struct neighbour_claim *claim,
		     uint64_t now_ms)
{
	struct neighbour *n = neighbour_find(t, &claim->addr);
	bool same;

	if (!n || n->state == UNKNOWN)
		return;
	same = rte_is_same_ether_addr(&n->mac, &claim->mac);
	if (n->state == ASKED && claim->solicited && claim->mac_stated)
		resolve(t, n, &claim->mac, now_ms);
	else if (n->state == CHECKED && claim->solicited && same)
		resolve(t, n, &claim->mac, now_ms);
	else if (n->state == RESOLVED && !same && now_ms - n->asked_ms >= NEIGHBOUR_ASK_MS)
		check(t, n, now_ms);
}

void neighbour_set(struct neighbour_table *t, const struct ip_addr *addr,
		   const struct rte_ether_addr *mac, uint64_t now_ms)
{
	struct neighbour *n;

	if (mac) {
		n = neighbour_add(t, addr);
		if (!n)
			return;
		n->listed = t->list;
		resolve(t, n, mac, now_ms);
		return;
	}
	n = neighbour_find(t, addr);
	if (n && n->state == RESOLVED) /* else we go on asking as long as packets wait */
		forget(t, n);
}

void neighbour_list_begin(struct neighbour_table *t)
{
	t->list++;
}

void neighbour_list_end(struct neighbour_table *t)
{
	for (uint32_t i = 0; i < t->used; i++) {
		struct neighbour *n = &t->all[i];

		if (n->state == RESOLVED && n->listed != t->list)
			forget(t, n);
	}
}

/* ---- time --------------------------------------------------------------------------------- */

/* One that is asked. */
static void asked_tick(struct neighbour_table *t, struct neighbour *n, uint64_t now_ms)
{
	if (now_ms >= NEIGHBOUR_HOLD_MS)
		dropped(t, held_expire(t->pool, &n->held, now_ms - NEIGHBOUR_HOLD_MS + 1));
	if (now_ms - n->asked_ms < NEIGHBOUR_ASK_MS)
		return;
	if (n->tries >= NEIGHBOUR_TRIES) {
		if (n->state == ASKED && !n->held.count) {
			forget(t, n);
			return;
		}
		nexthop_unresolve(t->conf.hops, index_of(t, n));
		state_set(t, n, ASKED);
	}
	ask(t, n, now_ms);
}

/* One that is resolved. */
static void resolved_sweep(struct neighbour_table *t, struct neighbour *n, uint64_t now_ms)
{
	if (now_ms - n->confirmed_ms < NEIGHBOUR_CHECK_MS)
		return;
	n->confirmed_ms = now_ms; /* the next look at it */
	if (nexthop_used(t->conf.hops, index_of(t, n))) {
		n->used_ms = now_ms;
		if (t->conf.mirror)
			ask(t, n, now_ms);
		else
			check(t, n, now_ms);
	} else if (!t->conf.mirror && now_ms - n->used_ms >= NEIGHBOUR_IDLE_MS) {
		forget(t, n);
	}
}

unsigned neighbour_tick(struct neighbour_table *t, uint64_t now_ms)
{
	uint32_t i = t->asked;

	while (i != NONE) {
		struct neighbour *n = &t->all[i];

		i = n->next;
		asked_tick(t, n, now_ms);
	}
	if (now_ms - t->swept_ms >= SWEEP_MS) {
		t->swept_ms = now_ms;
		for (i = 0; i < t->used; i++)
			if (t->all[i].state == RESOLVED)
				resolved_sweep(t, &t->all[i], now_ms);
	}
	return t->asked == NONE ? SWEEP_MS : TICK_MS;
}
