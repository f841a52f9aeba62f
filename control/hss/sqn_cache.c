#include "control/hss/sqn_cache.h"

#include <errno.h>
#include <stdlib.h>

static struct sqn_cache_entry *entry_of(const struct sqn_cache *c, int64_t id)
{
	return &c->entry[(uint64_t)id & (SQN_CACHE_SIZE - 1)];
}

int sqn_cache_alloc(struct sqn_cache *c)
{
	c->entry = calloc(SQN_CACHE_SIZE, sizeof(*c->entry));
	return c->entry ? 0 : -ENOMEM;
}

void sqn_cache_free(struct sqn_cache *c)
{
	free(c->entry);
	c->entry = NULL;
}

uint64_t sqn_cache_given(const struct sqn_cache *c, int64_t id, uint64_t stored)
{
	const struct sqn_cache_entry *e = entry_of(c, id);

	return e->id == id && e->reserved == stored ? e->given : stored;
}

void sqn_cache_put(struct sqn_cache *c, int64_t id, uint64_t stored, uint64_t given)
{
	*entry_of(c, id) = (struct sqn_cache_entry){id, stored, given};
}

void sqn_cache_forget(struct sqn_cache *c, int64_t id)
{
	struct sqn_cache_entry *e = entry_of(c, id);

	if (e->id == id)
		*e = (struct sqn_cache_entry){0};
}
