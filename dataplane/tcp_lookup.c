#include "dataplane/tcp_lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_jhash.h>
#include <rte_lcore.h>

#include "crypto/secret.h"

_Static_assert(sizeof(struct tcp_key) == 48, "no padding: the hash is over all octets");

struct tcp_lookup {
	struct rte_hash *hash;
};

void tcp_key_make(struct tcp_key *key, const struct ip_addr *local, const struct ip_addr *remote,
		  rte_be16_t local_port, rte_be16_t remote_port)
{
	memset(key, 0, sizeof(*key));
	memcpy(key->local, local->b, sizeof(key->local));
	memcpy(key->remote, remote->b, sizeof(key->remote));
	key->local_port = local_port;
	key->remote_port = remote_port;
	key->version = local->version;
}

int tcp_lookup_alloc(struct tcp_lookup **lp, uint32_t entries)
{
	struct tcp_lookup *l = calloc(1, sizeof(*l));
	char name[RTE_HASH_NAMESIZE];
	/* Lock-free: a removed key keeps its place until tcp_lookup_release(). The extra table
	 * makes every entry fit, however unlucky the hashes. */
	struct rte_hash_parameters conf = {
		.name = name,
		.entries = entries < 64 ? 64 : entries,
		.key_len = sizeof(struct tcp_key),
		.hash_func = rte_jhash,
		.socket_id = SOCKET_ID_ANY,
		.extra_flag =
			RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE,
	};

	if (!l)
		return -ENOMEM;
	snprintf(name, sizeof(name), "tcp%p", (void *)l);
	/* UEs choose their ports, but shall not choose their bucket. */
	secret_random(&conf.hash_func_init_val, sizeof(conf.hash_func_init_val));
	l->hash = rte_hash_create(&conf);
	if (!l->hash) {
		free(l);
		return rte_errno ? -rte_errno : -ENOMEM;
	}
	*lp = l;
	return 0;
}

void tcp_lookup_free(struct tcp_lookup *l)
{
	if (!l)
		return;
	rte_hash_free(l->hash);
	free(l);
}

int tcp_lookup_add(struct tcp_lookup *l, const struct tcp_key *key, uint32_t slot)
{
	int rc;

	if (rte_hash_lookup(l->hash, key) >= 0)
		return -EEXIST;
	rc = rte_hash_add_key_data(l->hash, key, (void *)(uintptr_t)slot);
	return rc < 0 ? rc : rte_hash_lookup(l->hash, key);
}

void tcp_lookup_remove(struct tcp_lookup *l, const struct tcp_key *key)
{
	(void)rte_hash_del_key(l->hash, key);
}

void tcp_lookup_release(struct tcp_lookup *l, int position)
{
	(void)rte_hash_free_key_with_position(l->hash, position);
}

int tcp_lookup_find(const struct tcp_lookup *l, const struct tcp_key *key)
{
	void *slot;

	if (rte_hash_lookup_data(l->hash, key, &slot) < 0)
		return -ENOENT;
	return (int)(uintptr_t)slot;
}
