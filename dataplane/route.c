#include <stdlib.h>

#include "dataplane/route.h"

#define MAX_LENGTHS (33 + 129)

/* Routes of one version and prefix length, sorted by address. */
struct group {
	uint8_t version, len;
	uint32_t first, count;
};

struct route_table {
	unsigned n_groups; /* IPv4 and IPv6 mixed, each longest first */
	struct group groups[MAX_LENGTHS];
	unsigned n;
	struct route routes[];
};

static void prefix_mask(struct ip_addr *a, unsigned len)
{
	for (unsigned i = 0; i < sizeof(a->b); i++) {
		unsigned bits = len <= i * 8 ? 0 : len - i * 8;

		if (bits < 8)
			a->b[i] &= (uint8_t)(0xff << (8 - bits));
	}
}

/* By version, longest first, address, then metric. */
static int route_cmp(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int diff = x->dst.addr.version - y->dst.addr.version;

	if (diff == 0)
		diff = y->dst.len - x->dst.len;
	if (diff == 0)
		diff = memcmp(x->dst.addr.b, y->dst.addr.b, sizeof(x->dst.addr.b));
	if (diff == 0)
		diff = (x->metric > y->metric) - (x->metric < y->metric);
	return diff;
}

static bool route_valid(const struct route *r)
{
	return (r->dst.addr.version == 4 && r->dst.len <= 32) ||
	       (r->dst.addr.version == 6 && r->dst.len <= 128);
}

static bool same_prefix(const struct route *a, const struct route *b)
{
	return a->dst.len == b->dst.len && ip_addr_eq(&a->dst.addr, &b->dst.addr);
}

/* Of each prefix the first (of lowest metric) stays; fills groups. */
static void table_group(struct route_table *t)
{
	unsigned kept = 0;
	struct group *g = NULL;

	for (unsigned i = 0; i < t->n; i++) {
		const struct route *r = &t->routes[i];

		if (kept && same_prefix(&t->routes[kept - 1], r))
			continue;
		if (!g || g->version != r->dst.addr.version || g->len != r->dst.len) {
			g = &t->groups[t->n_groups++];
			*g = (struct group){r->dst.addr.version, r->dst.len, kept, 0};
		}
		t->routes[kept++] = *r;
		g->count++;
	}
	t->n = kept;
}

struct route_table *route_table_make(const struct route *routes, unsigned n)
{
	struct route_table *t = calloc(1, sizeof(*t) + (size_t)n * sizeof(t->routes[0]));

	if (!t)
		return NULL;
	for (unsigned i = 0; i < n; i++) {
		struct route *r = &t->routes[t->n];

		*r = routes[i];
		if (!route_valid(r))
			continue;
		prefix_mask(&r->dst.addr, r->dst.len);
		t->n++;
	}
	qsort(t->routes, t->n, sizeof(t->routes[0]), route_cmp);
	table_group(t);
	return t;
}

static const struct route *group_find(const struct route_table *t, const struct group *g,
				      const struct ip_addr *dst)
{
	uint32_t low = g->first, high = g->first + g->count;
	struct ip_addr key = *dst;

	prefix_mask(&key, g->len);
	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		int diff = memcmp(t->routes[mid].dst.addr.b, key.b, sizeof(key.b));

		if (diff == 0)
			return &t->routes[mid];
		if (diff < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct route *route_table_find(const struct route_table *t, const struct ip_addr *dst)
{
	for (unsigned i = 0; i < t->n_groups; i++) {
		const struct group *g = &t->groups[i];
		const struct route *r;

		if (g->version != dst->version)
			continue;
		r = group_find(t, g, dst);
		if (r)
			return r->reject ? NULL : r;
	}
	return NULL;
}

bool route_table_eq(const struct route_table *a, const struct route_table *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned i = 0; i < a->n; i++) {
		const struct route *x = &a->routes[i], *y = &b->routes[i];

		if (!same_prefix(x, y) || !ip_addr_eq(&x->via, &y->via) || x->metric != y->metric ||
		    x->reject != y->reject)
			return false;
	}
	return true;
}
