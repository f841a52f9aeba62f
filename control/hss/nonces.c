#include "control/hss/nonces.h"

#include <errno.h>
#include <stdlib.h>

#include <sodium.h>

#include "control/base/parse.h"
#include "crypto/secret.h"

static struct nonce_entry *entry_of(const struct nonces *t, int64_t id)
{
	return &t->entry[(uint64_t)id & (NONCES_SIZE - 1)];
}

int nonces_alloc(struct nonces *t)
{
	t->entry = calloc(NONCES_SIZE, sizeof(*t->entry));
	return t->entry ? 0 : -ENOMEM;
}

void nonces_free(struct nonces *t)
{
	free(t->entry);
	t->entry = NULL;
}

void nonces_new(struct nonces *t, int64_t id, uint64_t until, char text[NONCE_DIGITS + 1])
{
	struct nonce_entry *e = entry_of(t, id);

	*e = (struct nonce_entry){.id = id, .until = until};
	secret_random(e->octets, sizeof(e->octets));
	sodium_bin2hex(text, NONCE_DIGITS + 1, e->octets, sizeof(e->octets));
}

struct nonce_entry *nonces_find(struct nonces *t, int64_t id, struct sv text, uint64_t now)
{
	struct nonce_entry *e = entry_of(t, id);
	uint8_t octets[sizeof(e->octets)];

	if (e->id != id || now >= e->until || !parse_hex(text, octets, sizeof(octets)) ||
	    memcmp(octets, e->octets, sizeof(octets)) != 0)
		return NULL;
	return e;
}

void nonces_forget(struct nonces *t, int64_t id)
{
	struct nonce_entry *e = entry_of(t, id);

	if (e->id == id)
		*e = (struct nonce_entry){0};
}
