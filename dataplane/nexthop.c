#include <inttypes.h>
#include <stdlib.h>

#include <rte_hash.h>
#include <rte_jhash.h>
#include <rte_random.h>

#include "dataplane/nexthop.h"

#define MAC_VALID (UINT64_C(1) << 48) /* above the 48 bits of the address */

/* Read by workers at each packet. */
struct hop {
	uint64_t mac;  /* MAC_VALID and the address, or 0; read and written as a whole */
	uint32_t used; /* a worker sets it, the writer clears it */
};

/* Taken from the workers, but perhaps still read by one. */
struct retired {
	struct retired *next;
	uint64_t token;
	struct route_table *routes;
};

struct nexthop_table {
	uint32_t generation; /* never 0: a zeroed cache is invalid */
	const struct route_table *routes;
	struct rte_hash *by_addr;
	struct hop *hops;
	unsigned limit;

	/* the writer's */
	struct rte_rcu_qsbr *qsbr;
	struct retired *retired;
	uint32_t *removed;  /* indexes whose removal is published: reused after removed_token, */
	unsigned n_removed; /* the first n_waiting of them */
	unsigned n_waiting;
	uint64_t removed_token;
};

static int table_hash_create(struct nexthop_table *t, unsigned capacity)
{
	char name[RTE_HASH_NAMESIZE];
	const struct rte_hash_parameters conf = {
		.name = name,
		.entries = capacity,
		.key_len = sizeof(struct ip_addr),
		.hash_func = rte_jhash,
		.hash_func_init_val = (uint32_t)rte_rand(), /* hosts choose their addresses */
		.socket_id = (int)rte_socket_id(),
		/* Every key finds room, and readers neither lock nor wait. */
		.extra_flag =
			RTE_HASH_EXTRA_FLAGS_EXT_TABLE | RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF,
	};

	snprintf(name, sizeof(name), "nexthop_%" PRIxPTR, (uintptr_t)t);
	t->by_addr = rte_hash_create(&conf);
	if (!t->by_addr)
		return -ENOMEM;
	t->limit = (unsigned)rte_hash_max_key_id(t->by_addr) + 1;
	return 0;
}

int nexthop_table_alloc(struct nexthop_table **tp, unsigned capacity, struct rte_rcu_qsbr *qsbr)
{
	struct nexthop_table *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->qsbr = qsbr;
	t->generation = 1;
	t->routes = route_table_make(NULL, 0);
	if (!t->routes || table_hash_create(t, capacity) != 0)
		goto fail;
	t->hops = calloc(t->limit, sizeof(*t->hops));
	t->removed = calloc(t->limit, sizeof(*t->removed));
	if (!t->hops || !t->removed)
		goto fail;
	*tp = t;
	return 0;
fail:
	nexthop_table_free(t);
	return -ENOMEM;
}

void nexthop_table_free(struct nexthop_table *t)
{
	if (!t)
		return;
	while (t->retired) {
		struct retired *r = t->retired;

		t->retired = r->next;
		free(r->routes);
		free(r);
	}
	free((void *)(uintptr_t)t->routes);
	rte_hash_free(t->by_addr);
	free(t->hops);
	free(t->removed);
	free(t);
}

/* ---- workers ------------------------------------------------------------------------------ */

static int hop_mac(struct hop *hop, struct rte_ether_addr *mac)
{
	uint64_t value = __atomic_load_n(&hop->mac, __ATOMIC_ACQUIRE);

	if (!(value & MAC_VALID))
		return -EAGAIN;
	memcpy(mac->addr_bytes, &value, sizeof(mac->addr_bytes));
	/* Read first, so that the line stays shared between workers. */
	if (!__atomic_load_n(&hop->used, __ATOMIC_RELAXED))
		__atomic_store_n(&hop->used, 1, __ATOMIC_RELAXED);
	return 0;
}

int nexthop_find(struct nexthop_table *t, const struct ip_addr *dst, struct next_hop_cache *cache,
		 struct rte_ether_addr *mac)
{
	/* Before the look-up: if anything changes meanwhile, the cache is stale and not wrong. */
	uint32_t generation = __atomic_load_n(&t->generation, __ATOMIC_ACQUIRE);
	struct ip_addr via;
	int index;

	if (cache->generation == generation)
		return hop_mac(&t->hops[cache->index], mac);
	if (nexthop_via(t, dst, &via) != 0)
		return -ENETUNREACH;
	index = nexthop_index(t, &via);
	if (index < 0)
		return -EAGAIN;
	cache->generation = generation;
	cache->index = (uint32_t)index;
	return hop_mac(&t->hops[index], mac);
}

static bool ip_addr_is_unicast(const struct ip_addr *a)
{
	static const struct ip_addr any;

	if (a->version == 4 && a->b[0] >= 224) /* multicast, reserved, broadcast */
		return false;
	if (a->version == 6 && a->b[0] == 0xff)
		return false;
	return memcmp(a->b, any.b, sizeof(any.b)) != 0;
}

int nexthop_via(const struct nexthop_table *t, const struct ip_addr *dst, struct ip_addr *via)
{
	const struct route_table *routes = __atomic_load_n(&t->routes, __ATOMIC_ACQUIRE);
	const struct route *r = ip_addr_is_unicast(dst) ? route_table_find(routes, dst) : NULL;

	if (!r)
		return -ENETUNREACH;
	*via = r->via.version ? r->via : *dst;
	return 0;
}

int nexthop_index(const struct nexthop_table *t, const struct ip_addr *addr)
{
	int index = rte_hash_lookup(t->by_addr, addr);

	return index < 0 ? -ENOENT : index;
}

/* ---- the writer --------------------------------------------------------------------------- */

/* After what it is about was published, before the token is taken that lets it be reused. */
static void generation_advance(struct nexthop_table *t)
{
	uint32_t next = t->generation + 1;

	__atomic_store_n(&t->generation, next ? next : 1, __ATOMIC_RELEASE);
}

int nexthop_routes_set(struct nexthop_table *t, const struct route *routes, unsigned n)
{
	struct retired *r = malloc(sizeof(*r));
	struct route_table *made = route_table_make(routes, n);

	if (!r || !made) {
		free(r);
		free(made);
		return -ENOMEM;
	}
	if (route_table_eq(made, t->routes)) { /* the workers' caches stay good */
		free(r);
		free(made);
		return 0;
	}
	r->routes = (void *)(uintptr_t)t->routes;
	__atomic_store_n(&t->routes, made, __ATOMIC_RELEASE);
	generation_advance(t);
	r->token = rte_rcu_qsbr_start(t->qsbr);
	r->next = t->retired;
	t->retired = r;
	return 0;
}

int nexthop_add(struct nexthop_table *t, const struct ip_addr *addr)
{
	int index = nexthop_index(t, addr);

	if (index < 0)
		index = rte_hash_add_key(t->by_addr, addr);
	return index < 0 ? -ENOSPC : index;
}

unsigned nexthop_limit(const struct nexthop_table *t)
{
	return t->limit;
}

void nexthop_resolve(struct nexthop_table *t, unsigned index, const struct rte_ether_addr *mac)
{
	uint64_t value = 0;

	memcpy(&value, mac->addr_bytes, sizeof(mac->addr_bytes));
	__atomic_store_n(&t->hops[index].mac, value | MAC_VALID, __ATOMIC_RELEASE);
}

void nexthop_unresolve(struct nexthop_table *t, unsigned index)
{
	__atomic_store_n(&t->hops[index].mac, 0, __ATOMIC_RELEASE);
}

void nexthop_remove(struct nexthop_table *t, const struct ip_addr *addr)
{
	int index = rte_hash_del_key(t->by_addr, addr);

	if (index < 0)
		return;
	nexthop_unresolve(t, (unsigned)index);
	__atomic_store_n(&t->hops[index].used, 0, __ATOMIC_RELAXED);
	t->removed[t->n_removed++] = (uint32_t)index;
	generation_advance(t);
}

bool nexthop_used(struct nexthop_table *t, unsigned index)
{
	return __atomic_exchange_n(&t->hops[index].used, 0, __ATOMIC_RELAXED);
}

static void indexes_reclaim(struct nexthop_table *t)
{
	if (t->n_waiting && rte_rcu_qsbr_check(t->qsbr, t->removed_token, false)) {
		for (unsigned i = 0; i < t->n_waiting; i++)
			rte_hash_free_key_with_position(t->by_addr, (int32_t)t->removed[i]);
		t->n_removed -= t->n_waiting;
		memmove(t->removed, t->removed + t->n_waiting,
			t->n_removed * sizeof(t->removed[0]));
		t->n_waiting = 0;
	}
	if (!t->n_waiting && t->n_removed) {
		t->n_waiting = t->n_removed;
		t->removed_token = rte_rcu_qsbr_start(t->qsbr);
	}
}

void nexthop_reclaim(struct nexthop_table *t)
{
	struct retired **link = &t->retired;

	while (*link) {
		struct retired *r = *link;

		if (!rte_rcu_qsbr_check(t->qsbr, r->token, false)) {
			link = &r->next;
			continue;
		}
		*link = r->next;
		free(r->routes);
		free(r);
	}
	indexes_reclaim(t);
}
