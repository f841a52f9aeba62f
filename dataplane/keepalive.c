#include "dataplane/keepalive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IDLE_DEFAULT_S 20 /* RFC 3948 4 */
#define FIRST_SIZE     64

void keepalive_init(struct keepalive *k, uint16_t idle_s)
{
	memset(k, 0, sizeof(*k));
	k->period_ms = (idle_s ? idle_s : IDLE_DEFAULT_S) * UINT64_C(500);
}

void keepalive_free(struct keepalive *k)
{
	free(k->entries);
	k->entries = NULL;
	k->n = 0;
}

static struct keepalive_entry *entry(struct keepalive *k, uint32_t i)
{
	return &k->entries[(k->head + i) & (k->size - 1)];
}

static int grow(struct keepalive *k)
{
	uint32_t size = k->size ? k->size * 2 : FIRST_SIZE, i;
	struct keepalive_entry *entries = calloc(size, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (i = 0; i < k->n; i++)
		entries[i] = *entry(k, i);
	free(k->entries);
	k->entries = entries;
	k->size = size;
	k->head = 0;
	return 0;
}

int keepalive_add(struct keepalive *k, sa_set_id id)
{
	if (k->n == k->size && grow(k) < 0)
		return -ENOMEM;
	*entry(k, k->n++) = (struct keepalive_entry){.due_ms = k->now_ms + k->period_ms, .id = id};
	return 0;
}

void keepalive_tick(struct keepalive *k, uint64_t now_ms, bool (*ask)(void *arg, sa_set_id id),
		    void *arg)
{
	uint32_t n = k->n;

	k->now_ms = now_ms;
	while (n-- > 0) {
		struct keepalive_entry e = *entry(k, 0);

		if (e.due_ms > now_ms)
			break; /* and so are all behind it */
		k->head = (k->head + 1) & (k->size - 1);
		k->n--;
		if (!ask(arg, e.id))
			continue;
		e.due_ms = now_ms + k->period_ms;
		*entry(k, k->n++) = e;
	}
}
