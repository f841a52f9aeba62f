#include "control/ctl/list.h"

#include <errno.h>

#define PART_MAX 1000

static int part_fetch(struct client *c, const char *path, uint64_t offset, uint32_t limit,
		      json_t **answer)
{
	char url[128];

	snprintf(url, sizeof(url), "%s?offset=%llu&limit=%u", path, (unsigned long long)offset,
		 limit);
	return client_request(c, "GET", url, NULL, answer);
}

int list_fetch(struct client *c, const struct args *a, const char *path, const char *name,
	       list_part_h *part, void *arg)
{
	uint64_t offset = a->offset, end = a->has_limit ? offset + a->limit : UINT64_MAX;
	size_t got = PART_MAX;
	int err = 0;

	/* A part that is not full is the last one. */
	while (!err && offset < end && got == PART_MAX) {
		uint32_t limit = end - offset < PART_MAX ? (uint32_t)(end - offset) : PART_MAX;
		json_t *answer = NULL, *items;

		err = part_fetch(c, path, offset, limit, &answer);
		items = json_object_get(answer, name);
		got = json_array_size(items);
		if (!err)
			err = json_is_array(items) ? part(arg, items) : -EPROTO;
		json_decref(answer);
		offset += got;
	}
	return err;
}
